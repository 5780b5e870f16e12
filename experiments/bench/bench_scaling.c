/* How cost grows with N, k, d, tokens and threads: one case a point, one variant a curve. */
#include <stdio.h>
#include <string.h>

#include "bench_nearest.h"
#include "codec_parts.h"
#include "lloyd.h"
#include "memory.h"

enum { DIM = 64 };

/* Time a block against N and k. planar: k = 2, whose path does not look at all words. */
typedef struct search_curve {
    const char *axis, *ours, *library;
    double slope;
    size_t block, codewords; /* what the axis does not run over */
    size_t values[8];        /* ends with 0 */
} search_curve;

static const search_curve search_curves[] = {
    {"N", "search, k=4", "OpenBLAS, k=4", 1, 4, 0, {16, 64, 256, 1024, 4096, 16384, 0}},
    {"N", "search, k=2 (planar)", NULL, 0, 2, 0, {16, 64, 256, 1024, 4096, 0}},
    {"k", "search, N=1024", "OpenBLAS, N=1024", 1, 0, 1024, {4, 8, 16, 32, 0}},
};

static fq_status measure_search(fq_bench_session *session, const search_curve *c, size_t value,
                                const char *name) {
    fq_nearest_work work;
    fq_nearest_path paths[FQ_NEAREST_PATHS_MAX] = {{0}};
    const size_t k = c->block ? c->block : value, N = c->codewords ? c->codewords : value;
    const size_t blocks = ((size_t)1 << 26) / (N * k);
    const size_t n = fq_bench_size(session, blocks > 65536 ? 65536 : blocks, 128);
    FQ_TRY(fq_nearest_work_init(&work, DIM, k, N, n, FQ_WORDS_INITIAL, fq_bench_seed(session), 1e8));
    const fq_bench_case the_case = {.name = name,
                                    .work = "nearest codeword; time a block",
                                    .unit = "blocks",
                                    .amount = (double)n,
                                    .flops = 2.0 * (double)k * (double)N * (double)n,
                                    .axis = c->axis,
                                    .axis_value = (double)value,
                                    .axis_slope = c->slope};
    fq_bench_begin(session, &the_case);
    fq_bench_add_peak(session);
    fq_status status = fq_nearest_add_best(session, &work, &paths[0], c->ours);
    if (c->library)
        fq_bench_add(session, &(fq_bench_variant){.name = c->library,
                                                  .kind = FQ_BENCH_LIBRARY,
                                                  .run = fq_nearest_blas,
                                                  .check = fq_nearest_check_close,
                                                  .context = &work,
                                                  .output = work.index,
                                                  .output_bytes = n * sizeof *work.index});
    if (status == FQ_OK)
        status = fq_bench_measure(session);
    fq_nearest_clear_paths(paths);
    fq_nearest_work_clear(&work);
    return status;
}

static fq_status encode(void *context) {
    const fq_codec_work *const w = context;
    return fq_codec_encode(w->codec, w->codes, w->x, w->n);
}

static fq_status decode_rotated(void *context) {
    const fq_codec_work *const w = context;
    return fq_codec_decode_rotated(w->codec, w->decoded, w->given, w->n);
}

/* Time of rotating a vector against d, d^2 or d log d for hadamard, and of encoding one, where the search
 * takes time proportional to d besides. */
static fq_status measure_dim(fq_bench_session *session, size_t d, bool hadamard, const char *name) {
    fq_codec_work work;
    const size_t n = fq_bench_size(session, ((size_t)1 << 18) / d, 16);
    FQ_TRY(fq_codec_work_init(
        &work, hadamard ? "fib:k=4,N=256,recipe=initial,rot=hadamard" : "fib:k=4,N=256,recipe=initial", d, n,
        true, false, fq_bench_seed(session)));
    const double flops = fq_codec_rotation_flops(&work) + 2.0 * (double)d * 256;
    const fq_bench_case the_case = {.name = name,
                                    .work = "encode with fib:k=4,N=256; time a vector",
                                    .unit = "vectors",
                                    .amount = (double)n,
                                    .flops = (double)n * flops,
                                    .axis = "d",
                                    .axis_value = (double)d,
                                    .axis_slope = hadamard ? 1 : 2};
    fq_bench_begin(session, &the_case);
    fq_bench_add_peak(session);
    fq_bench_add(session, &(fq_bench_variant){.name = hadamard ? "encode, hadamard" : "encode, haar",
                                              .kind = FQ_BENCH_OURS,
                                              .run = encode,
                                              .check = fq_codec_check_codes,
                                              .context = &work,
                                              .output = work.codes,
                                              .output_bytes = n * work.code_bytes});
    fq_bench_add(session, &(fq_bench_variant){.name = hadamard ? "rotate, hadamard" : "rotate, haar",
                                              .kind = FQ_BENCH_OURS,
                                              .run = fq_codec_rotate,
                                              .check = fq_codec_check_rotated,
                                              .context = &work,
                                              .output = work.rotated_out,
                                              .output_bytes = n * d * sizeof(float)});
    const fq_status status = fq_bench_measure(session);
    fq_codec_work_clear(&work);
    return status;
}

/* Time of a cache's head against the tokens it holds. */
static fq_status measure_tokens(fq_bench_session *session, size_t tokens, bool decode, const char *name) {
    fq_codec_work work;
    const size_t n = fq_bench_size(session, tokens, 1024);
    FQ_TRY(fq_codec_work_init(&work, "fib:k=4,N=256,recipe=initial", DIM, n, !decode, true,
                              fq_bench_seed(session)));
    const fq_bench_case the_case = {.name = name,
                                    .unit = "heads",
                                    .amount = 1,
                                    .axis = "tokens",
                                    .work = "a head's tokens, d=64, fib:k=4,N=256; time of all of them",
                                    .axis_value = (double)tokens,
                                    .axis_slope = 1};
    fq_bench_begin(session, &the_case);
    fq_bench_add(session,
                 &(fq_bench_variant){.name = decode ? "decode, rotated domain" : "encode",
                                     .kind = FQ_BENCH_OURS,
                                     .run = decode ? decode_rotated : encode,
                                     .check = decode ? fq_codec_check_decoded : fq_codec_check_codes,
                                     .context = &work,
                                     .output = decode ? (void *)work.decoded : work.codes,
                                     .output_bytes = n * (decode ? DIM * sizeof(float) : work.code_bytes)});
    const fq_status status = fq_bench_measure(session);
    fq_codec_work_clear(&work);
    return status;
}

typedef struct cells_work {
    fq_nearest_work nearest;
    fq_search *search;
    fq_cells cells;
    double *weight; /* [N], of one thread: expected */
} cells_work;

static fq_status collect(void *context) {
    cells_work *const w = context;
    return fq_cells_collect(&w->cells, w->search, w->nearest.x, w->nearest.n);
}

static bool check_collect(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const cells_work *const w = context;
    for (size_t i = 0; i < w->nearest.codewords; i++)
        if (w->cells.weight[i] != w->weight[i]) {
            snprintf(why, FQ_BENCH_WHY_MAX, "cell %zu: %g samples, not %g", i, w->cells.weight[i],
                     w->weight[i]);
            return false;
        }
    return true;
}

static fq_status prepare_cells(cells_work *w, size_t n, uint64_t seed) {
    FQ_TRY(fq_nearest_work_init(&w->nearest, DIM, 4, 256, n, FQ_WORDS_INITIAL, seed, 1e8));
    FQ_TRY(fq_search_create(&w->search, w->nearest.words, 256, 4, n));
    FQ_TRY(fq_cells_init(&w->cells, 256, 4));
    FQ_TRY(fq_alloc_zero(&w->weight, 256, sizeof *w->weight));
    fq_search_nearest(w->search, w->nearest.index, w->nearest.x, n);
    for (size_t p = 0; p < n; p++)
        w->weight[w->nearest.index[p]]++;
    return FQ_OK;
}

static fq_status measure_threads(fq_bench_session *session, size_t threads, const char *name) {
    cells_work work = {0};
    const size_t n = fq_bench_size(session, 1 << 19, 2048);
    fq_status status = prepare_cells(&work, n, fq_bench_seed(session));
    if (status == FQ_OK) {
        const fq_bench_case the_case = {
            .name = name,
            .unit = "samples",
            .amount = (double)n,
            .axis = "threads",
            .work = "statistics of the cells, the parallel part of a Lloyd iteration, (4,256)",
            .flops = 2048.0 * (double)n,
            .axis_value = (double)threads,
            .axis_slope = -1};
        fq_bench_begin(session, &the_case);
        fq_bench_add_peak(session);
        fq_bench_add(session, &(fq_bench_variant){.name = "Lloyd",
                                                  .kind = FQ_BENCH_OURS,
                                                  .run = collect,
                                                  .check = check_collect,
                                                  .context = &work,
                                                  .output = work.cells.weight,
                                                  .output_bytes = 256 * sizeof(double),
                                                  .threads = threads});
        status = fq_bench_measure(session);
    }
    fq_nearest_work_clear(&work.nearest);
    fq_search_destroy(work.search);
    fq_cells_clear(&work.cells);
    fq_free(work.weight);
    return status;
}

static fq_status run_searches(fq_bench_session *session) {
    char name[FQ_BENCH_NAME_MAX];
    for (size_t c = 0; c < sizeof search_curves / sizeof search_curves[0]; c++)
        for (size_t i = 0; search_curves[c].values[i]; i++) {
            const search_curve *const curve = &search_curves[c];
            snprintf(name, sizeof name, "%s: %s=%zu", curve->ours, curve->axis, curve->values[i]);
            if (fq_bench_wanted(session, name))
                FQ_TRY(measure_search(session, curve, curve->values[i], name));
        }
    return FQ_OK;
}

static fq_status run(fq_bench_session *session) {
    char name[FQ_BENCH_NAME_MAX];
    FQ_TRY(run_searches(session));
    for (int hadamard = 0; hadamard < 2; hadamard++)
        for (size_t d = 16; d <= 1024; d *= 2) {
            snprintf(name, sizeof name, "encode, %s: d=%zu", hadamard ? "hadamard" : "haar", d);
            if (fq_bench_wanted(session, name))
                FQ_TRY(measure_dim(session, d, hadamard, name));
        }
    for (int decode = 0; decode < 2; decode++)
        for (size_t tokens = 1024; tokens <= 65536; tokens *= 4) {
            snprintf(name, sizeof name, "%s: tokens=%zu", decode ? "decode" : "encode", tokens);
            if (fq_bench_wanted(session, name))
                FQ_TRY(measure_tokens(session, tokens, decode, name));
        }
    for (size_t t = 1; t <= fq_bench_threads(session); t = t < 4 ? t + 1 : 2 * t) {
        snprintf(name, sizeof name, "Lloyd: threads=%zu", t);
        if (fq_bench_wanted(session, name))
            FQ_TRY(measure_threads(session, t, name));
    }
    return FQ_OK;
}

const fq_bench fq_bench_scaling = {"scaling", "cost against N, k, d, tokens and threads", true, run};
