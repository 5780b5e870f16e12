#include "bench_nearest.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cblas.h>

#include "codebook_initial.h"
#include "memory.h"
#include "search_path.h"
#include "source.h"
#include "stream_ranges.h"

enum { SCORES = 65536 /* floats of scores at a time: 256 KiB */ };

static fq_status fill(fq_nearest_work *w, const fq_source *source, fq_nearest_words kind, uint64_t seed) {
    if (kind == FQ_WORDS_INITIAL)
        fq_initial_words(w->words, source, w->codewords);
    else
        fq_source_sample_serial(source, seed, FQ_PURPOSE_BENCH, fq_stream_number(FQ_RANGE_BENCH_WORDS, 0),
                                w->codewords, w->words);
    fq_source_sample_serial(source, seed, FQ_PURPOSE_BENCH, 0, w->n, w->x);
    for (size_t i = 0; i < w->codewords; i++) {
        double squared = 0;
        for (size_t j = 0; j < w->block; j++)
            squared += (double)w->words[i * w->block + j] * (double)w->words[i * w->block + j];
        w->offset[i] = (float)(-0.5 * squared);
    }
    fq_search_nearest_ref(w->expected, w->words, w->codewords, w->block, w->x, w->exact);
    return FQ_OK;
}

fq_status fq_nearest_work_init(fq_nearest_work *work, size_t dim, size_t block, size_t codewords, size_t n,
                               fq_nearest_words kind, uint64_t seed, double exact_flops) {
    fq_source source;
    const double allowed = exact_flops / (2.0 * (double)codewords * (double)block);
    *work = (fq_nearest_work){.codewords = codewords, .block = block, .n = n};
    work->exact = allowed < 64 ? 64 : allowed < (double)n ? (size_t)allowed : n;
    work->exact = work->exact < n ? work->exact : n;
    FQ_TRY(fq_source_init(&source, dim, block));
    fq_status status = fq_alloc(&work->words, codewords * block, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc(&work->x, n * block, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc_zero(&work->index, n, sizeof(uint32_t));
    if (status == FQ_OK)
        status = fq_alloc(&work->expected, work->exact, sizeof(uint32_t));
    if (status == FQ_OK)
        status = fq_alloc(&work->scores, fq_nearest_blas_chunk(codewords) * codewords, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc(&work->offset, codewords, sizeof(float));
    if (status == FQ_OK)
        status = fill(work, &source, kind, seed);
    if (status != FQ_OK)
        fq_nearest_work_clear(work);
    return status;
}

void fq_nearest_work_clear(fq_nearest_work *work) {
    fq_free(work->words);
    fq_free(work->x);
    fq_free(work->index);
    fq_free(work->expected);
    fq_free(work->scores);
    fq_free(work->offset);
    *work = (fq_nearest_work){0};
}

fq_status fq_nearest_naive(void *context) {
    fq_nearest_work *const w = context;
    const size_t k = w->block;
    for (size_t p = 0; p < w->n; p++) {
        float least = FLT_MAX;
        uint32_t best = 0;
        for (size_t i = 0; i < w->codewords; i++) {
            float distance = 0;
            for (size_t j = 0; j < k; j++) {
                const float difference = w->x[p * k + j] - w->words[i * k + j];
                distance += difference * difference;
            }
            if (distance < least) {
                least = distance;
                best = (uint32_t)i;
            }
        }
        w->index[p] = best;
    }
    return FQ_OK;
}

/* Index of the first largest of n values, in lanes that a compiler turns into vectors. */
static uint32_t largest(const float *value, size_t n) {
    enum { LANES = 16 };
    float best[LANES];
    uint32_t at[LANES];
    for (uint32_t l = 0; l < LANES; l++) {
        best[l] = -HUGE_VALF;
        at[l] = 0;
    }
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (uint32_t l = 0; l < LANES; l++) {
            at[l] = value[i + l] > best[l] ? (uint32_t)i + l : at[l];
            best[l] = value[i + l] > best[l] ? value[i + l] : best[l];
        }
    for (; i < n; i++)
        if (value[i] > best[i % LANES]) {
            best[i % LANES] = value[i];
            at[i % LANES] = (uint32_t)i;
        }
    uint32_t lane = 0;
    for (uint32_t l = 1; l < LANES; l++)
        if (best[l] > best[lane] || (best[l] == best[lane] && at[l] < at[lane]))
            lane = l;
    return at[lane];
}

void fq_nearest_blas_points(uint32_t *index, const float *words, const float *offset, size_t codewords,
                            size_t block, const float *x, size_t n, float *scores) {
    const size_t chunk = fq_nearest_blas_chunk(codewords);
    for (size_t p = 0; p < n; p += chunk) {
        const size_t points = n - p < chunk ? n - p : chunk;
        for (size_t q = 0; q < points; q++)
            memcpy(scores + q * codewords, offset, codewords * sizeof *offset);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)points, (int)codewords, (int)block, 1.0F,
                    x + p * block, (int)block, words, (int)block, 1.0F, scores, (int)codewords);
        for (size_t q = 0; q < points; q++)
            index[p + q] = largest(scores + q * codewords, codewords);
    }
}

size_t fq_nearest_blas_chunk(size_t codewords) {
    return SCORES / codewords < 8 ? 8 : SCORES / codewords;
}

fq_status fq_nearest_blas(void *context) {
    fq_nearest_work *const w = context;
    fq_nearest_blas_points(w->index, w->words, w->offset, w->codewords, w->block, w->x, w->n, w->scores);
    return FQ_OK;
}

static bool check_close(const fq_nearest_work *w, size_t n, char why[FQ_BENCH_WHY_MAX]);

static bool check_exact(const fq_nearest_work *w, size_t n, char why[FQ_BENCH_WHY_MAX]) {
    for (size_t p = 0; p < w->exact && p < n; p++)
        if (w->index[p] != w->expected[p]) {
            snprintf(why, FQ_BENCH_WHY_MAX, "point %zu: word %u, the reference says %u", p, w->index[p],
                     w->expected[p]);
            return false;
        }
    return check_close(w, n, why);
}

static double score(const fq_nearest_work *w, size_t p, uint32_t i) {
    double sum = 0;
    for (size_t j = 0; j < w->block; j++) {
        const double c = (double)w->words[i * w->block + j];
        sum += c * ((double)w->x[p * w->block + j] - 0.5 * c);
    }
    return sum;
}

/* Beyond the points the reference was asked for, an index need only be in range. Points and words lie in
 * the unit ball: a float32 sum of k + 1 terms, in any order, is off by at most 2 (k + 1) 2^-24, and a sum of
 * squared differences by at most 4 (k + 2) 2^-24; a score is half of that, twice for the two compared. */
static bool check_close(const fq_nearest_work *w, size_t n, char why[FQ_BENCH_WHY_MAX]) {
    const double bound = 4 * (double)(w->block + 2) * 0x1p-24;
    for (size_t p = 0; p < n; p++) {
        if (w->index[p] >= w->codewords) {
            snprintf(why, FQ_BENCH_WHY_MAX, "point %zu: word %u of %zu", p, w->index[p], w->codewords);
            return false;
        }
        if (p >= w->exact || w->index[p] == w->expected[p])
            continue;
        const double loss = score(w, p, w->expected[p]) - score(w, p, w->index[p]);
        if (!(loss <= bound)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "point %zu: word %u is worse than %u by %.3g", p, w->index[p],
                     w->expected[p], loss);
            return false;
        }
    }
    return true;
}

bool fq_nearest_check_exact(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_nearest_work *const w = context;
    return check_exact(w, w->n, why);
}

bool fq_nearest_check_close(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_nearest_work *const w = context;
    return check_close(w, w->n, why);
}

static fq_status run_path(void *context) {
    const fq_nearest_path *const path = context;
    fq_search_nearest(path->search, path->work->index, path->work->x, path->n);
    return FQ_OK;
}

static bool check_path(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_nearest_path *const path = context;
    return check_exact(path->work, path->n, why);
}

/* Points for a path: all, or as many as plain C, with a call for each multiply-add, does in a tenth of a
 * second. */
static size_t points_for(const fq_nearest_work *work, fq_search_path path) {
    const size_t affordable = ((size_t)1 << 25) / (work->codewords * work->block);
    const size_t fewer = affordable < 16 ? 16 : affordable;
    return path == FQ_SEARCH_PORTABLE && fewer < work->n ? fewer : work->n;
}

static void add_path(fq_bench_session *session, fq_nearest_path *path, const fq_bench_target *target) {
    fq_bench_add(session, &(fq_bench_variant){.name = path->name,
                                              .kind = FQ_BENCH_OURS,
                                              .run = run_path,
                                              .check = check_path,
                                              .context = path,
                                              .output = path->work->index,
                                              .output_bytes = path->work->n * sizeof *path->work->index,
                                              .share = (double)path->n / (double)path->work->n,
                                              .target = *target});
}

fq_status fq_nearest_add_paths(fq_bench_session *session, fq_nearest_work *work,
                               fq_nearest_path paths[FQ_NEAREST_PATHS_MAX],
                               const fq_bench_target *best_target) {
    static const fq_bench_target none = {0};
    memset(paths, 0, FQ_NEAREST_PATHS_MAX * sizeof *paths);
    fq_nearest_path *next = paths;
    FQ_TRY(fq_search_create(&next->search, work->words, work->codewords, work->block, SIZE_MAX));
    const fq_search_path best = fq_search_get_path(next->search);
    next->work = work;
    next->n = work->n;
    snprintf(next->name, sizeof next->name, "ours: %s", fq_search_path_name(best));
    add_path(session, next++, best_target);
    for (int p = FQ_SEARCH_BEST + 1; p < FQ_SEARCH_PATHS && next < paths + FQ_NEAREST_PATHS_MAX; p++) {
        const fq_search_path path = (fq_search_path)p;
        if (path == best || !fq_search_path_available(path, work->block))
            continue;
        next->work = work;
        next->n = points_for(work, path);
        snprintf(next->name, sizeof next->name, "ours: %s", fq_search_path_name(path));
        const fq_status status =
            fq_search_create_path(&next->search, work->words, work->codewords, work->block, path);
        if (status == FQ_ERR_ARGUMENT) /* the processor can, but it does not suit these words */
            continue;
        FQ_TRY(status);
        add_path(session, next++, &none);
    }
    return FQ_OK;
}

fq_status fq_nearest_add_best(fq_bench_session *session, fq_nearest_work *work, fq_nearest_path *path,
                              const char *name) {
    static const fq_bench_target none = {0};
    FQ_TRY(fq_search_create(&path->search, work->words, work->codewords, work->block, SIZE_MAX));
    path->work = work;
    path->n = work->n;
    snprintf(path->name, sizeof path->name, "%s", name);
    add_path(session, path, &none);
    return FQ_OK;
}

void fq_nearest_clear_paths(fq_nearest_path paths[FQ_NEAREST_PATHS_MAX]) {
    for (size_t i = 0; i < FQ_NEAREST_PATHS_MAX; i++) {
        fq_search_destroy(paths[i].search);
        paths[i].search = NULL;
    }
}
