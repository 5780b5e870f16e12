#include "code_distortion.h"

#include <math.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "codebook_initial.h"
#include "codebook_training.h"
#include "lloyd.h"
#include "memory.h"
#include "scalar_quantizer.h"

enum { CHUNK = 4096 };

static int thread_count(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static int thread_number(void) {
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

static fq_status measure(fq_code_distortion *result, fq_codebook *codebook, uint64_t seed, uint64_t samples) {
    FQ_TRY(fq_codebook_measure(codebook, seed, samples));
    *result = (fq_code_distortion){codebook->distortion, codebook->distortion_se, samples};
    return FQ_OK;
}

fq_status fq_code_distortion_of(fq_code_distortion *result, size_t dim, size_t block, size_t codewords,
                                fq_recipe recipe, double tolerance, uint64_t seed, uint64_t samples) {
    const fq_train_options options = {.dim = dim,
                                      .block = block,
                                      .codewords = codewords,
                                      .recipe = recipe,
                                      .seed = seed,
                                      .tolerance = tolerance};
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    fq_status status = fq_codebook_train(&codebook, &options);
    if (status == FQ_OK)
        status = measure(result, &codebook, seed, samples);
    fq_codebook_clear(&codebook);
    return status;
}

fq_status fq_code_distortion_of_words(fq_code_distortion *result, size_t dim, size_t block, size_t codewords,
                                      const float *words, uint64_t seed, uint64_t samples) {
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    fq_status status = fq_codebook_set(&codebook, dim, block, codewords, words, FQ_RECIPE_INITIAL, seed);
    if (status == FQ_OK)
        status = measure(result, &codebook, seed, samples);
    fq_codebook_clear(&codebook);
    return status;
}

/* Sum and sum of squares of the differences over one chunk. */
static void compare_chunk(double *sums, const float *x, size_t n, size_t block, const float *const *words,
                          fq_search *const *search) {
    uint32_t index[2][CHUNK];
    for (int side = 0; side < 2; side++)
        fq_search_nearest(search[side], index[side], x, n);
    for (size_t i = 0; i < n; i++) {
        double gain = 0;
        for (size_t j = 0; j < block; j++) {
            const double value = (double)x[i * block + j];
            const double before = value - (double)words[0][index[0][i] * block + j];
            const double after = value - (double)words[1][index[1][i] * block + j];
            gain += before * before - after * after;
        }
        sums[0] += gain;
        sums[1] += gain * gain;
    }
}

fq_status fq_code_gain_of_words(fq_code_distortion *gain, size_t dim, size_t block, size_t codewords,
                                const float *before, const float *after, uint64_t seed, uint64_t samples) {
    const float *const words[2] = {before, after};
    fq_search *search[2] = {NULL, NULL};
    fq_source source;
    float *x = NULL;
    double(*chunk_sums)[2] = NULL;
    const size_t chunks = (size_t)((samples + CHUNK - 1) / CHUNK);
    fq_status status;
    FQ_TRY_GOTO(status, fq_source_init(&source, dim, block), done);
    FQ_TRY_GOTO(status, fq_alloc(&x, (size_t)thread_count() * CHUNK * block, sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&chunk_sums, chunks, sizeof *chunk_sums), done);
    for (int side = 0; side < 2; side++)
        FQ_TRY_GOTO(status, fq_search_create(&search[side], words[side], codewords, block, (size_t)samples),
                    done);
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < chunks; c++) {
        const uint64_t first = (uint64_t)c * CHUNK;
        const size_t n = samples - first < CHUNK ? (size_t)(samples - first) : CHUNK;
        float *const mine = x + (size_t)thread_number() * CHUNK * block;
        fq_source_sample_serial(&source, seed, FQ_PURPOSE_EVALUATE, first, n, mine);
        compare_chunk(chunk_sums[c], mine, n, block, words, search);
    }
    double sums[2] = {0, 0}; /* in order, so that threads do not matter */
    for (size_t c = 0; c < chunks; c++)
        for (int i = 0; i < 2; i++)
            sums[i] += chunk_sums[c][i];
    const double scale = (double)dim / (double)block, n = (double)samples, mean = sums[0] / n;
    *gain = (fq_code_distortion){scale * mean, scale * sqrt(fmax(0, sums[1] / n - mean * mean) / (n - 1)),
                                 samples};
done:
    fq_search_destroy(search[0]);
    fq_search_destroy(search[1]);
    fq_free(chunk_sums);
    fq_free(x);
    return status;
}

fq_status fq_code_step(float *words, size_t dim, size_t block, size_t codewords, uint64_t seed,
                       uint64_t samples) {
    fq_source source;
    fq_search *search = NULL;
    fq_cells cells = {0};
    fq_status status;
    FQ_TRY_GOTO(status, fq_source_init(&source, dim, block), done);
    FQ_TRY_GOTO(status, fq_product_words(words, &source, codewords), done);
    FQ_TRY_GOTO(status, fq_search_create(&search, words, codewords, block, (size_t)samples), done);
    FQ_TRY_GOTO(status, fq_cells_init(&cells, codewords, block), done);
    FQ_TRY_GOTO(status,
                fq_cells_collect_source(&cells, search, &source, seed, FQ_PURPOSE_TRAIN, 0, (size_t)samples),
                done);
    for (size_t i = 0; i < codewords; i++)
        for (size_t j = 0; cells.weight[i] > 0 && j < block; j++)
            words[i * block + j] = (float)(cells.sum[i * block + j] / cells.weight[i]);
done:
    fq_cells_clear(&cells);
    fq_search_destroy(search);
    return status;
}

fq_status fq_scalar_code_distortion(double *distortion, size_t dim, size_t levels) {
    fq_scalar_quantizer quantizer = {0};
    FQ_TRY(fq_scalar_quantizer_init(&quantizer, dim, levels));
    *distortion = quantizer.distortion;
    fq_scalar_quantizer_clear(&quantizer);
    return FQ_OK;
}
