#include "lloyd.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu.h"
#include "memory.h"
#include "threads.h"

enum { CHUNK = 1024 };
static const double fixed_scale = 0x1p38;

fq_status fq_cells_init(fq_cells *cells, size_t codewords, size_t block) {
    memset(cells, 0, sizeof *cells);
    cells->codewords = codewords;
    cells->block = block;
    fq_status status = fq_alloc_zero(&cells->weight, codewords, sizeof(double));
    if (status == FQ_OK)
        status = fq_alloc_zero(&cells->energy, codewords, sizeof(double));
    if (status == FQ_OK)
        status = fq_alloc(&cells->mark, codewords, 1);
    if (status == FQ_OK)
        status = fq_alloc_zero(&cells->sum, codewords * block, sizeof(double));
    if (status != FQ_OK)
        fq_cells_clear(cells);
    return status;
}

void fq_cells_clear(fq_cells *cells) {
    fq_free(cells->weight);
    fq_free(cells->energy);
    fq_free(cells->sum);
    fq_free(cells->mark);
    memset(cells, 0, sizeof *cells);
}

/* One thread's sums, [N][k+2]: coordinates, energy, count; modulo 2^64, and every term but the count's is
 * larger than it should be by the same bias, which the count then tells how often to take away. */
static void accumulate_plain(uint64_t *sums, const uint32_t *index, const float *x, size_t n, size_t k,
                             uint64_t bias) {
    for (size_t i = 0; i < n; i++) {
        uint64_t *cell = sums + (size_t)index[i] * (k + 2);
        double energy = 0;
        for (size_t j = 0; j < k; j++) {
            const double value = (double)x[i * k + j];
            cell[j] += (uint64_t)(int64_t)(value * fixed_scale) + bias;
            energy += value * value;
        }
        cell[k] += (uint64_t)(int64_t)(energy * fixed_scale) + bias;
        cell[k + 1]++;
    }
}

#if defined(__x86_64__)
/* For a whole number w of magnitude below 2^51, the bits of the double w + 1.5 2^52 are w plus those of 1.5
 * 2^52. */
static const uint64_t magic_bits = 0x4338000000000000;

__attribute__((target("avx2,fma"))) static inline __m256i whole(__m256d value) {
    const __m256d scaled = _mm256_mul_pd(value, _mm256_set1_pd(fixed_scale));
    const __m256d truncated = _mm256_round_pd(scaled, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    return _mm256_castpd_si256(_mm256_add_pd(truncated, _mm256_set1_pd(0x1.8p52)));
}

__attribute__((target("avx2,fma"))) static inline void add_to(uint64_t *sums, uint32_t index, __m256i what) {
    __m256i *cell = (__m256i *)(void *)(sums + (size_t)index * 4);
    _mm256_storeu_si256(cell, _mm256_add_epi64(_mm256_loadu_si256(cell), what));
}

/* The same with magic_bits as bias for k = 2, where a cell is four integers: four samples, converted
 * together. */
__attribute__((target("avx2,fma"))) static size_t accumulate_pairs(uint64_t *sums, const uint32_t *index,
                                                                   const float *x, size_t n) {
    const __m256i one = _mm256_set1_epi64x(1);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(x + 2 * i)),
                      b = _mm256_cvtps_pd(_mm_loadu_ps(x + 2 * i + 4));
        const __m256d first = _mm256_unpacklo_pd(a, b),
                      second = _mm256_unpackhi_pd(a, b); /* samples 0, 2, 1, 3 */
        const __m256d energy =
            _mm256_fmadd_pd(first, first, _mm256_mul_pd(second, second)); /* squares are exact */
        const __m256i u = whole(first), v = whole(second), e = whole(energy);
        const __m256i low = _mm256_unpacklo_epi64(u, v),
                      high = _mm256_unpackhi_epi64(u, v); /* 0 and 1; 2 and 3 */
        const __m256i low_e = _mm256_unpacklo_epi64(e, one), high_e = _mm256_unpackhi_epi64(e, one);
        add_to(sums, index[i], _mm256_permute2x128_si256(low, low_e, 0x20));
        add_to(sums, index[i + 1], _mm256_permute2x128_si256(low, low_e, 0x31));
        add_to(sums, index[i + 2], _mm256_permute2x128_si256(high, high_e, 0x20));
        add_to(sums, index[i + 3], _mm256_permute2x128_si256(high, high_e, 0x31));
    }
    return i;
}

static uint64_t bias_of(size_t k) {
    return k == 2 && fq_cpu_has(FQ_CPU_AVX2) ? magic_bits : 0;
}
#else
static uint64_t bias_of(size_t k) {
    (void)k;
    return 0;
}
#endif

static void accumulate(uint64_t *sums, const uint32_t *index, const float *x, size_t n, size_t k,
                       uint64_t bias) {
    size_t done = 0;
#if defined(__x86_64__)
    if (bias)
        done = accumulate_pairs(sums, index, x, n);
#endif
    accumulate_plain(sums, index + done, x + done * k, n - done, k, bias);
}

/* Where samples come from: an array, or the source itself. */
typedef struct origin {
    const float *x;
    const fq_source *source;
    uint64_t seed, first;
    fq_purpose purpose;
} origin;

/* As many threads as the work keeps busy, in flops at search speed: on a machine that others load, each
 * meeting of threads can cost a time slice, thousands of times a training. The sums do not depend on it. */
static size_t threads_for(const origin *from, size_t n, size_t N, size_t k) {
    static const double grain = 1e7;
    const double each = 2.0 * (double)N * (double)k + (from->x ? 500 : 2500) + 250 * (double)k;
    const double useful = (double)n * each / grain;
    const size_t most = (size_t)fq_threads_get();
    return useful >= (double)most ? most : useful < 1 ? 1 : (size_t)useful;
}

static void collect_thread(uint64_t *sums, float *buffer, const fq_search *search, const origin *from,
                           size_t n, size_t k) {
    uint32_t index[CHUNK];
    const uint64_t bias = bias_of(k);
    const size_t chunks = (n + CHUNK - 1) / CHUNK;
#pragma omp for schedule(dynamic) /* which thread takes a chunk does not matter: sums are exact */
    for (size_t c = 0; c < chunks; c++) {
        const size_t count = n - c * CHUNK < CHUNK ? n - c * CHUNK : CHUNK;
        const float *x = buffer;
        if (from->x)
            x = from->x + c * CHUNK * k;
        else
            fq_source_sample_serial(from->source, from->seed, from->purpose, from->first + c * CHUNK, count,
                                    buffer);
        fq_search_nearest(search, index, x, count);
        accumulate(sums, index, x, count, k, bias);
    }
}

/* Sums of all samples by cell: each thread its own in whole numbers, whose order does not matter. */
static fq_status collect(fq_cells *cells, const fq_search *search, const origin *from, size_t n) {
    const size_t N = cells->codewords, k = cells->block, width = k + 2;
    const size_t threads = threads_for(from, n, N, k);
    const uint64_t bias = bias_of(k);
    if (n > FQ_CELLS_SAMPLES_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "at most 2^24 samples at a time");
    uint64_t *sums = NULL;
    float *buffers = NULL;
    FQ_TRY(fq_alloc_zero(&sums, threads * N * width, sizeof *sums));
    const fq_status status = fq_alloc(&buffers, from->x ? 0 : threads * CHUNK * k, sizeof *buffers);
    if (status != FQ_OK) {
        fq_free(sums);
        return status;
    }
#pragma omp parallel num_threads((int)threads)
    {
        size_t thread = 0;
#ifdef _OPENMP
        thread = (size_t)omp_get_thread_num();
#endif
        collect_thread(sums + thread * N * width, buffers + thread * CHUNK * k, search, from, n, k);
#pragma omp for schedule(static)
        for (size_t i = 0; i < N; i++) {
            uint64_t *cell = sums + i * width;
            for (size_t t = 1; t < threads; t++)
                for (size_t j = 0; j < width; j++)
                    cell[j] += sums[(t * N + i) * width + j];
            const uint64_t excess = cell[k + 1] * bias;
            for (size_t j = 0; j < k; j++)
                cells->sum[i * k + j] = (double)(int64_t)(cell[j] - excess) / fixed_scale;
            cells->energy[i] = (double)(int64_t)(cell[k] - excess) / fixed_scale;
            cells->weight[i] = (double)cell[k + 1];
        }
    }
    cells->total = (double)n;
    fq_free(buffers);
    fq_free(sums);
    return FQ_OK;
}

fq_status fq_cells_collect(fq_cells *cells, const fq_search *search, const float *x, size_t n) {
    const origin from = {.x = x};
    return collect(cells, search, &from, n);
}

fq_status fq_cells_collect_source(fq_cells *cells, const fq_search *search, const fq_source *source,
                                  uint64_t seed, fq_purpose purpose, uint64_t first, size_t n) {
    const origin from = {.source = source, .seed = seed, .first = first, .purpose = purpose};
    return collect(cells, search, &from, n);
}

void fq_cells_blend(fq_cells *into, double keep, const fq_cells *new_cells) {
    for (size_t i = 0; i < into->codewords; i++) {
        into->weight[i] = keep * into->weight[i] + new_cells->weight[i];
        into->energy[i] = keep * into->energy[i] + new_cells->energy[i];
    }
    for (size_t i = 0; i < into->codewords * into->block; i++)
        into->sum[i] = keep * into->sum[i] + new_cells->sum[i];
    into->total = keep * into->total + new_cells->total;
}

static double squared_length(const double *v, size_t k) {
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += v[j] * v[j];
    return sum;
}

double fq_cells_error(const fq_cells *cells, const float *words) {
    const size_t k = cells->block;
    double error = 0;
    for (size_t i = 0; i < cells->codewords; i++) {
        double inner = 0, squared = 0;
        for (size_t j = 0; j < k; j++) {
            const double word = (double)words[i * k + j];
            inner += cells->sum[i * k + j] * word;
            squared += word * word;
        }
        error += cells->energy[i] - 2 * inner + cells->weight[i] * squared;
    }
    return error;
}

static double cell_error_of_mean(const fq_cells *cells, size_t i) {
    if (!(cells->weight[i] > 0))
        return 0;
    const double *sum = cells->sum + i * cells->block;
    return fmax(0, cells->energy[i] - squared_length(sum, cells->block) / cells->weight[i]);
}

double fq_cells_error_of_means(const fq_cells *cells) {
    double error = 0;
    for (size_t i = 0; i < cells->codewords; i++)
        error += cell_error_of_mean(cells, i);
    return error;
}

/* The cell of largest error among those with at least two samples' weight not marked. */
static size_t worst_cell(const fq_cells *cells) {
    size_t worst = cells->codewords;
    double most = 0;
    for (size_t i = 0; i < cells->codewords; i++) {
        const double error = cells->weight[i] >= 2 && !cells->mark[i] ? cell_error_of_mean(cells, i) : 0;
        if (error > most) {
            most = error;
            worst = i;
        }
    }
    return worst;
}

size_t fq_cells_update(float *words, fq_cells *cells, uint64_t seed, uint64_t iteration) {
    const size_t k = cells->block;
    size_t empty = 0;
    for (size_t i = 0; i < cells->codewords; i++) {
        if (!(cells->weight[i] > 0)) {
            empty++;
            continue;
        }
        for (size_t j = 0; j < k; j++)
            words[i * k + j] = (float)(cells->sum[i * k + j] / cells->weight[i]);
    }
    if (!empty)
        return 0;
    memset(cells->mark, 0, cells->codewords);
    size_t repaired = 0;
    fq_stream stream;
    fq_stream_init(&stream, seed, FQ_PURPOSE_REPAIR, iteration);
    for (size_t i = 0; i < cells->codewords; i++) {
        if (cells->weight[i] > 0)
            continue;
        const size_t worst = worst_cell(cells);
        if (worst == cells->codewords)
            break;
        cells->mark[worst] = 1;
        const double spread = sqrt(cell_error_of_mean(cells, worst) / cells->weight[worst] / (double)k);
        for (size_t j = 0; j < k; j++) {
            const double offset = 0.01 * spread * fq_stream_normal(&stream);
            const double centre = (double)words[worst * k + j];
            words[i * k + j] = (float)(centre + offset);
        }
        repaired++;
    }
    return repaired;
}
