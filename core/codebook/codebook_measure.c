/* Population distortion on samples never trained on. */
#include <math.h>

#include "codebook_training.h"
#include "memory.h"
#include "threads.h"

enum { CHUNK = 1024, BATCH = 1024 };

/* Sums over one chunk of e = d/k |x - Q(x)|^2 and the centred control r = d/k |x|^2 - 1. */
typedef struct moments {
    double e, r, ee, er, rr;
} moments;

static void add(moments *to, const moments *from) {
    to->e += from->e;
    to->r += from->r;
    to->ee += from->ee;
    to->er += from->er;
    to->rr += from->rr;
}

/* Sums over n samples of their errors and of the control, and of the products of both. */
static moments measure_chunk(const fq_codebook *codebook, const fq_search *search, const float *x, size_t n) {
    const size_t k = codebook->block;
    const double scale = (double)codebook->dim / (double)k;
    uint32_t index[CHUNK];
    moments sums = {0};
    fq_search_nearest(search, index, x, n);
    for (size_t i = 0; i < n; i++) {
        const float *word = codebook->words + (size_t)index[i] * k;
        double error = 0, squared = 0;
        for (size_t j = 0; j < k; j++) {
            const double value = (double)x[i * k + j], off = value - (double)word[j];
            error += off * off;
            squared += value * value;
        }
        error *= scale;
        const double control = scale * squared - 1;
        add(&sums, &(moments){error, control, error * error, error * control, control * control});
    }
    return sums;
}

/* One batch of BATCH chunks; chunk sums are added in order afterwards, so threads do not matter. */
static void measure_batch(moments *chunk_sums, float *buffer, const fq_codebook *codebook,
                          const fq_search *search, const fq_source *source, uint64_t seed, uint64_t first,
                          uint64_t n) {
    const size_t k = codebook->block, chunks = (size_t)((n + CHUNK - 1) / CHUNK);
#pragma omp parallel for schedule(static) num_threads(fq_threads_get())
    for (size_t c = 0; c < chunks; c++) {
        const uint64_t done = (uint64_t)c * CHUNK;
        const size_t count = n - done < CHUNK ? (size_t)(n - done) : CHUNK;
        float *x = buffer + c * CHUNK * k;
        fq_source_sample_serial(source, seed, FQ_PURPOSE_EVALUATE, first + done, count, x);
        chunk_sums[c] = measure_chunk(codebook, search, x, count);
    }
}

fq_status fq_codebook_measure(fq_codebook *codebook, uint64_t seed, uint64_t n) {
    if (!codebook->words)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "codebook", "a codebook with words");
    if (n < 2)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "2 samples or more");
    fq_source source;
    fq_search *search = NULL;
    moments *chunk_sums = NULL;
    float *buffer = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_source_init(&source, codebook->dim, codebook->block), done);
    FQ_TRY_GOTO(status, fq_search_create(&search, codebook->words, codebook->codewords, codebook->block, n),
                done);
    FQ_TRY_GOTO(status, fq_alloc(&chunk_sums, BATCH, sizeof *chunk_sums), done);
    FQ_TRY_GOTO(status, fq_alloc(&buffer, (size_t)BATCH * CHUNK * codebook->block, sizeof *buffer), done);
    moments sums = {0};
    for (uint64_t first = 0; first < n; first += (uint64_t)BATCH * CHUNK) {
        const uint64_t rest = n - first, most = (uint64_t)BATCH * CHUNK;
        const uint64_t count = rest < most ? rest : most;
        measure_batch(chunk_sums, buffer, codebook, search, &source, seed, first, count);
        for (size_t c = 0; c < (count + CHUNK - 1) / CHUNK; c++)
            add(&sums, &chunk_sums[c]);
    }
    /* D = mean e - beta mean r, with the regression's beta; its variance is what r does not explain. */
    const double m = (double)n, mean = sums.e / m, control = sums.r / m;
    const double variance = fmax(0, sums.ee / m - mean * mean);
    const double covariance = sums.er / m - mean * control;
    const double control_variance = sums.rr / m - control * control;
    const double beta = control_variance > 0 ? covariance / control_variance : 0;
    codebook->distortion = mean - beta * control;
    codebook->distortion_se = sqrt(fmax(0, variance - beta * covariance) / (m - 1));
    codebook->distortion_samples = n;
done:
    fq_free(buffer);
    fq_free(chunk_sums);
    fq_search_destroy(search);
    return status;
}
