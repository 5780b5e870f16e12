#include "bench_attention_float.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "attention_kernels.h"
#include "cpu.h"

enum { CHUNK = FQ_FLOAT_ATTENTION_CHUNK };

_Static_assert((int)CHUNK == (int)FQ_ATTENTION_CHUNK, "the exponentials come in the same chunks");

static const fq_attention_kernels *kernels(void) {
#if defined(__x86_64__)
    if (fq_cpu_has(FQ_CPU_AVX2))
        return &fq_attention_kernels_avx2;
#endif
    return &fq_attention_kernels_portable;
}

static float largest(const float *x, size_t n) {
    float lane[8], most;
    memcpy(lane, x, sizeof lane);
    for (size_t i = 8; i < n; i += 8)
        for (size_t l = 0; l < 8; l++)
            lane[l] = lane[l] > x[i + l] ? lane[l] : x[i + l];
    most = lane[0];
    for (size_t l = 1; l < 8; l++)
        most = lane[l] > most ? lane[l] : most;
    return most;
}

static float sum_of(const float *x, size_t n) {
    float lane[8] = {0}, sum = 0;
    for (size_t i = 0; i < n; i += 8)
        for (size_t l = 0; l < 8; l++)
            lane[l] += x[i + l];
    for (size_t l = 0; l < 8; l++)
        sum += lane[l];
    return sum;
}

/* Scores become weights; returns their sum. */
static float soften(float *score, size_t n) {
    const float most = largest(score, n);
    float total = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        kernels()->exponentials(score + i, score + i, most);
        total += sum_of(score + i, CHUNK);
    }
    return total;
}

void fq_float_attention_blas(float *out, const float *query, size_t m, const float *keys, const float *values,
                             float *score, size_t n, size_t d, float scale) {
    const int rows = (int)m, tokens = (int)n, dim = (int)d;
    if (m == 1) {
        cblas_sgemv(CblasRowMajor, CblasNoTrans, tokens, dim, scale, keys, dim, query, 1, 0, score, 1);
        const float total = soften(score, n);
        cblas_sgemv(CblasRowMajor, CblasTrans, tokens, dim, 1 / total, values, dim, score, 1, 0, out, 1);
        return;
    }
    float total[FQ_FLOAT_ATTENTION_QUERIES];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, tokens, dim, scale, query, dim, keys, dim, 0,
                score, tokens);
    for (size_t q = 0; q < m; q++)
        total[q] = soften(score + q * n, n);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, dim, tokens, 1, score, tokens, values, dim,
                0, out, dim);
    for (size_t j = 0; j < m * d; j++)
        out[j] /= total[j / d];
}

static void attend_naively(float *out, const float *query, const float *keys, const float *values,
                           float *score, size_t n, size_t d, float scale) {
    float most = -HUGE_VALF, total = 0;
    for (size_t i = 0; i < n; i++) {
        score[i] = 0;
        for (size_t j = 0; j < d; j++)
            score[i] += query[j] * keys[i * d + j];
        score[i] *= scale;
        most = score[i] > most ? score[i] : most;
    }
    memset(out, 0, d * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const float p = expf(score[i] - most);
        total += p;
        for (size_t j = 0; j < d; j++)
            out[j] += p * values[i * d + j];
    }
    for (size_t j = 0; j < d; j++)
        out[j] /= total;
}

void fq_float_attention_naive(float *out, const float *query, size_t m, const float *keys,
                              const float *values, float *score, size_t n, size_t d, float scale) {
    for (size_t q = 0; q < m; q++)
        attend_naively(out + q * d, query + q * d, keys, values, score, n, d, scale);
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { VECTORS_MAX = 16 };
#define TARGET        __attribute__((target("avx2,fma,f16c")))
#define ALWAYS_INLINE inline __attribute__((always_inline))

bool fq_half_attention_available(void) {
    return fq_cpu_has(FQ_CPU_AVX2); /* and with them F16C */
}

TARGET static inline __attribute__((always_inline)) __m256 load_halves(const uint16_t *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* Eight tokens' inner products, each summed in one vector, then added across by a transposition. */
TARGET static ALWAYS_INLINE void half_scores(float *score, const __m256 *query, const uint16_t *keys,
                                             size_t vectors) {
    for (size_t i = 0; i < CHUNK; i += 8) {
        __m256 sum[8];
        for (size_t t = 0; t < 8; t++) {
            const uint16_t *key = keys + (i + t) * 8 * vectors;
            __m256 even = _mm256_mul_ps(query[0], load_halves(key));
            __m256 odd = _mm256_mul_ps(query[1], load_halves(key + 8));
            for (size_t v = 2; v < vectors; v += 2) {
                even = _mm256_fmadd_ps(query[v], load_halves(key + 8 * v), even);
                odd = _mm256_fmadd_ps(query[v + 1], load_halves(key + 8 * v + 8), odd);
            }
            sum[t] = _mm256_add_ps(even, odd);
        }
        const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(sum[0], sum[1]), _mm256_hadd_ps(sum[2], sum[3]));
        const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(sum[4], sum[5]), _mm256_hadd_ps(sum[6], sum[7]));
        const __m256 both =
            _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
        _mm256_storeu_ps(score + i, both);
    }
}

TARGET static ALWAYS_INLINE void half_values(__m256 *total, const float *weight, const uint16_t *values,
                                             size_t vectors) {
    __m256 sum[VECTORS_MAX];
    memcpy(sum, total, vectors * sizeof *sum);
    for (size_t i = 0; i < CHUNK; i++) {
        const __m256 p = _mm256_set1_ps(weight[i]);
        for (size_t v = 0; v < vectors; v++)
            sum[v] = _mm256_fmadd_ps(p, load_halves(values + 8 * (i * vectors + v)), sum[v]);
    }
    memcpy(total, sum, vectors * sizeof *sum);
}

/* What one query has so far, relative to exp(most). */
typedef struct sums {
    float most, total;
    __m256 query[VECTORS_MAX], value[VECTORS_MAX];
} sums;

/* vectors: of eight coordinates, known when this is compiled. */
TARGET static ALWAYS_INLINE void attend_chunk(sums *s, const uint16_t *keys, const uint16_t *values,
                                              size_t vectors) {
    float score[CHUNK];
    half_scores(score, s->query, keys, vectors);
    const float here = largest(score, CHUNK);
    if (here > s->most) {
        const float shrink = expf(s->most - here);
        s->total *= shrink;
        for (size_t v = 0; v < vectors; v++)
            s->value[v] = _mm256_mul_ps(s->value[v], _mm256_set1_ps(shrink));
        s->most = here;
    }
    kernels()->exponentials(score, score, s->most);
    s->total += sum_of(score, CHUNK);
    half_values(s->value, score, values, vectors);
}

TARGET void fq_half_attention_run(float *out, const float *query, size_t m, const uint16_t *keys,
                                  const uint16_t *values, size_t n, size_t d, float scale) {
    sums all[FQ_FLOAT_ATTENTION_QUERIES];
    for (size_t q = 0; q < m; q++) {
        all[q].most = -HUGE_VALF;
        all[q].total = 0;
        for (size_t v = 0; v < d / 8; v++) {
            all[q].query[v] = _mm256_mul_ps(_mm256_loadu_ps(query + q * d + 8 * v), _mm256_set1_ps(scale));
            all[q].value[v] = _mm256_setzero_ps();
        }
    }
    for (size_t i = 0; i < n; i += CHUNK)
        for (size_t q = 0; q < m; q++)
            if (d == 64)
                attend_chunk(&all[q], keys + i * 64, values + i * 64, 8);
            else
                attend_chunk(&all[q], keys + i * 128, values + i * 128, 16);
    for (size_t q = 0; q < m; q++)
        for (size_t v = 0; v < d / 8; v++)
            _mm256_storeu_ps(out + q * d + 8 * v,
                             _mm256_div_ps(all[q].value[v], _mm256_set1_ps(all[q].total)));
}
#else
bool fq_half_attention_available(void) {
    return false;
}

void fq_half_attention_run(float *out, const float *query, size_t m, const uint16_t *keys,
                           const uint16_t *values, size_t n, size_t d, float scale) {
    (void)query, (void)keys, (void)values, (void)n, (void)scale;
    memset(out, 0, m * d * sizeof *out);
}
#endif
