#include "bench_attention_float.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "attention_kernels.h"
#include "cpu.h"

enum { DIM = FQ_FLOAT_ATTENTION_DIM, CHUNK = FQ_FLOAT_ATTENTION_CHUNK };

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

void fq_float_attention_blas(float *out, const float *query, const float *keys, const float *values,
                             float *score, size_t n, float scale) {
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n, DIM, scale, keys, DIM, query, 1, 0, score, 1);
    const float most = largest(score, n);
    float total = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        kernels()->exponentials(score + i, score + i, most);
        total += sum_of(score + i, CHUNK);
    }
    cblas_sgemv(CblasRowMajor, CblasTrans, (int)n, DIM, 1 / total, values, DIM, score, 1, 0, out, 1);
}

void fq_float_attention_naive(float *out, const float *query, const float *keys, const float *values,
                              float *score, size_t n, float scale) {
    float most = -HUGE_VALF, total = 0;
    for (size_t i = 0; i < n; i++) {
        score[i] = 0;
        for (size_t j = 0; j < DIM; j++)
            score[i] += query[j] * keys[i * DIM + j];
        score[i] *= scale;
        most = score[i] > most ? score[i] : most;
    }
    memset(out, 0, DIM * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const float p = expf(score[i] - most);
        total += p;
        for (size_t j = 0; j < DIM; j++)
            out[j] += p * values[i * DIM + j];
    }
    for (size_t j = 0; j < DIM; j++)
        out[j] /= total;
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { VECTORS = DIM / 8 };
#define TARGET __attribute__((target("avx2,fma,f16c")))

bool fq_half_attention_available(void) {
    return fq_cpu_has(FQ_CPU_AVX2); /* and with them F16C */
}

TARGET static inline __attribute__((always_inline)) __m256 load_halves(const uint16_t *from) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* Eight tokens' inner products, each summed in one vector, then added across by a transposition. */
TARGET static void half_scores(float *score, const __m256 *query, const uint16_t *keys) {
    for (size_t i = 0; i < CHUNK; i += 8) {
        __m256 sum[8];
        for (size_t t = 0; t < 8; t++) {
            const uint16_t *key = keys + (i + t) * DIM;
            __m256 even = _mm256_mul_ps(query[0], load_halves(key));
            __m256 odd = _mm256_mul_ps(query[1], load_halves(key + 8));
            for (size_t v = 2; v < VECTORS; v += 2) {
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

TARGET static void half_values(__m256 *total, const float *weight, const uint16_t *values) {
    __m256 sum[VECTORS];
    memcpy(sum, total, sizeof sum);
    for (size_t i = 0; i < CHUNK; i++) {
        const __m256 p = _mm256_set1_ps(weight[i]);
        for (size_t v = 0; v < VECTORS; v++)
            sum[v] = _mm256_fmadd_ps(p, load_halves(values + i * DIM + 8 * v), sum[v]);
    }
    memcpy(total, sum, sizeof sum);
}

TARGET void fq_half_attention_run(float *out, const float *query, const uint16_t *keys,
                                  const uint16_t *values, size_t n, float scale) {
    float score[CHUNK], most = -HUGE_VALF, total = 0;
    __m256 scaled[VECTORS], value[VECTORS];
    for (size_t v = 0; v < VECTORS; v++) {
        scaled[v] = _mm256_mul_ps(_mm256_loadu_ps(query + 8 * v), _mm256_set1_ps(scale));
        value[v] = _mm256_setzero_ps();
    }
    for (size_t i = 0; i < n; i += CHUNK) {
        half_scores(score, scaled, keys + i * DIM);
        const float here = largest(score, CHUNK);
        if (here > most) {
            const float shrink = expf(most - here);
            total *= shrink;
            for (size_t v = 0; v < VECTORS; v++)
                value[v] = _mm256_mul_ps(value[v], _mm256_set1_ps(shrink));
            most = here;
        }
        kernels()->exponentials(score, score, most);
        total += sum_of(score, CHUNK);
        half_values(value, score, values + i * DIM);
    }
    for (size_t v = 0; v < VECTORS; v++)
        _mm256_storeu_ps(out + 8 * v, _mm256_div_ps(value[v], _mm256_set1_ps(total)));
}
#else
bool fq_half_attention_available(void) {
    return false;
}

void fq_half_attention_run(float *out, const float *query, const uint16_t *keys, const uint16_t *values,
                           size_t n, float scale) {
    (void)query, (void)keys, (void)values, (void)n, (void)scale;
    memset(out, 0, DIM * sizeof *out);
}
#endif
