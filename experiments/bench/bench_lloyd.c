/* A Lloyd iteration beside the assignment of its samples alone, on one thread and on several. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench_nearest.h"
#include "lloyd.h"
#include "memory.h"

enum { DIM = 64, CHUNK = 1024 };

typedef struct lloyd_work {
    fq_nearest_work nearest;
    fq_search *search;
    fq_cells cells;
    float *words;          /* [N][k], written by an iteration */
    double *sums, *weight; /* [N][k], [N]: naive and library variants' */
    double *expected;      /* [N][k], means of the cells, NaN for empty ones */
    double expected_error; /* sum of squared distances to the nearest words */
    uint64_t seed;
} lloyd_work;

static fq_status assign(void *context) {
    const lloyd_work *const w = context;
    const size_t chunks = (w->nearest.n + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static)
    for (size_t c = 0; c < chunks; c++) {
        const size_t first = c * CHUNK, left = w->nearest.n - first;
        fq_search_nearest(w->search, w->nearest.index + first, w->nearest.x + first * w->nearest.block,
                          left < CHUNK ? left : CHUNK);
    }
    return FQ_OK;
}

static bool check_assign(void *context, char why[FQ_BENCH_WHY_MAX]) {
    return fq_nearest_check_exact(&((lloyd_work *)context)->nearest, why);
}

/* All that an iteration takes: a search over the words, statistics of the cells, new words. */
static fq_status iterate(void *context) {
    lloyd_work *const w = context;
    const fq_nearest_work *const n = &w->nearest;
    fq_search *search = NULL;
    FQ_TRY(fq_search_create(&search, n->words, n->codewords, n->block, n->n));
    const fq_status status = fq_cells_collect(&w->cells, search, n->x, n->n);
    fq_search_destroy(search);
    if (status == FQ_OK) {
        memcpy(w->words, n->words, n->codewords * n->block * sizeof *w->words);
        fq_cells_update(w->words, &w->cells, w->seed, 0);
    }
    return status;
}

/* Sums of samples are whole multiples of 2^-38, so the mean of a cell is known to the last bit. */
static bool check_iterate(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const lloyd_work *const w = context;
    for (size_t i = 0; i < w->nearest.codewords * w->nearest.block; i++)
        if (!isnan(w->expected[i]) && w->words[i] != (float)w->expected[i]) {
            snprintf(why, FQ_BENCH_WHY_MAX, "word %zu: %.9g, the mean of its cell is %.9g",
                     i / w->nearest.block, (double)w->words[i], w->expected[i]);
            return false;
        }
    return true;
}

static void add_up(lloyd_work *w) {
    const fq_nearest_work *const n = &w->nearest;
    const size_t k = n->block;
    memset(w->sums, 0, n->codewords * k * sizeof *w->sums);
    memset(w->weight, 0, n->codewords * sizeof *w->weight);
    for (size_t p = 0; p < n->n; p++) {
        for (size_t j = 0; j < k; j++)
            w->sums[n->index[p] * k + j] += (double)n->x[p * k + j];
        w->weight[n->index[p]]++;
    }
    for (size_t i = 0; i < n->codewords; i++)
        for (size_t j = 0; j < k; j++)
            w->words[i * k + j] =
                w->weight[i] > 0 ? (float)(w->sums[i * k + j] / w->weight[i]) : n->words[i * k + j];
}

static fq_status naive(void *context) {
    lloyd_work *const w = context;
    FQ_TRY(fq_nearest_naive(&w->nearest));
    add_up(w);
    return FQ_OK;
}

static fq_status library(void *context) {
    lloyd_work *const w = context;
    FQ_TRY(fq_nearest_blas(&w->nearest));
    add_up(w);
    return FQ_OK;
}

static double error_of(const fq_nearest_work *n) {
    double error = 0;
    for (size_t p = 0; p < n->n; p++)
        for (size_t j = 0; j < n->block; j++) {
            const double e = (double)n->x[p * n->block + j] - (double)n->words[n->index[p] * n->block + j];
            error += e * e;
        }
    return error;
}

/* Where distances are equal to rounding these may choose another cell: the error is then the same. */
static bool check_error(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const lloyd_work *const w = context;
    for (size_t p = 0; p < w->nearest.n; p++)
        if (w->nearest.index[p] >= w->nearest.codewords) {
            snprintf(why, FQ_BENCH_WHY_MAX, "sample %zu has no cell", p);
            return false;
        }
    const double error = error_of(&w->nearest);
    if (fabs(error / w->expected_error - 1) <= 1e-5)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "error %.9g, not %.9g", error, w->expected_error);
    return false;
}

static fq_status prepare(lloyd_work *w, size_t block, size_t codewords, size_t n, uint64_t seed) {
    *w = (lloyd_work){.seed = seed};
    FQ_TRY(fq_nearest_work_init(&w->nearest, DIM, block, codewords, n, FQ_WORDS_INITIAL, seed, 3e8));
    FQ_TRY(fq_search_create(&w->search, w->nearest.words, codewords, block, n));
    FQ_TRY(fq_cells_init(&w->cells, codewords, block));
    FQ_TRY(fq_alloc(&w->words, codewords * block, sizeof *w->words));
    FQ_TRY(fq_alloc(&w->sums, codewords * block, sizeof *w->sums));
    FQ_TRY(fq_alloc(&w->weight, codewords, sizeof *w->weight));
    FQ_TRY(fq_alloc_zero(&w->expected, codewords * block, sizeof *w->expected));
    FQ_TRY(assign(w)); /* checked against the reference, as the variant "assignment", before it is timed */
    w->expected_error = error_of(&w->nearest);
    memset(w->weight, 0, codewords * sizeof *w->weight);
    for (size_t p = 0; p < n; p++) {
        const uint32_t cell = w->nearest.index[p];
        w->weight[cell]++;
        for (size_t j = 0; j < block; j++)
            w->expected[cell * block + j] += trunc((double)w->nearest.x[p * block + j] * 0x1p38) * 0x1p-38;
    }
    for (size_t i = 0; i < codewords * block; i++) /* 0/0 for empty cells */
        w->expected[i] /= w->weight[i / block];
    return FQ_OK;
}

static void clear(lloyd_work *w) {
    fq_nearest_work_clear(&w->nearest);
    fq_search_destroy(w->search);
    fq_cells_clear(&w->cells);
    fq_free(w->words);
    fq_free(w->sums);
    fq_free(w->weight);
    fq_free(w->expected);
}

static void add_variants(fq_bench_session *session, lloyd_work *w) {
    const size_t words_bytes = w->nearest.codewords * w->nearest.block * sizeof *w->words;
    const size_t threads = fq_bench_threads(session);
    fq_bench_variant v = {.name = "naive loops",
                          .kind = FQ_BENCH_NAIVE,
                          .run = naive,
                          .check = check_error,
                          .context = w,
                          .output = w->nearest.index,
                          .output_bytes = w->nearest.n * sizeof *w->nearest.index};
    fq_bench_add_peak(session);
    fq_bench_add(session, &v);
    v.name = "OpenBLAS sgemm + argmax";
    v.kind = FQ_BENCH_LIBRARY;
    v.run = library;
    fq_bench_add(session, &v);
    v.name = "assignment alone";
    v.kind = FQ_BENCH_OURS;
    v.run = assign;
    v.check = check_assign;
    fq_bench_add(session, &v);
    v.name = "Lloyd iteration";
    v.run = iterate;
    v.check = check_iterate;
    v.output = w->words;
    v.output_bytes = words_bytes;
    v.target = (fq_bench_target){FQ_GOAL_TIMES, 0.8, "assignment alone"};
    fq_bench_add(session, &v);
    if (threads < 2)
        return;
    v.name = "Lloyd iteration, 2 threads";
    v.threads = 2;
    v.target = (fq_bench_target){FQ_GOAL_TIMES, 1.9, "Lloyd iteration"};
    fq_bench_add(session, &v);
}

static fq_status measure(fq_bench_session *session, const char *name, size_t block, size_t codewords,
                         size_t samples) {
    lloyd_work work;
    const size_t n = fq_bench_size(session, samples, 4096);
    const size_t N = fq_bench_size(session, codewords, 256);
    fq_status status = prepare(&work, block, N, n, fq_bench_seed(session));
    if (status == FQ_OK) {
        const double amount = (double)n;
        const fq_bench_case the_case = {
            .name = name,
            .unit = "samples",
            .amount = amount,
            .work = "an iteration over samples of f_{64,k} in memory; 2kN flop a sample",
            .flops = 2.0 * (double)block * (double)N * amount};
        fq_bench_begin(session, &the_case);
        add_variants(session, &work);
        status = fq_bench_measure(session);
    }
    clear(&work);
    return status;
}

static fq_status run(fq_bench_session *session) {
    if (fq_bench_wanted(session, "k=2,N=64"))
        FQ_TRY(measure(session, "k=2,N=64", 2, 64, 1 << 20));
    if (fq_bench_wanted(session, "k=4,N=256"))
        FQ_TRY(measure(session, "k=4,N=256", 4, 256, 1 << 18));
    if (fq_bench_wanted(session, "k=8,N=4096"))
        FQ_TRY(measure(session, "k=8,N=4096", 8, 4096, 1 << 16));
    return FQ_OK;
}

const fq_bench fq_bench_lloyd = {"lloyd", "a Lloyd iteration beside its assignment, on one thread and on two",
                                 false, run};
