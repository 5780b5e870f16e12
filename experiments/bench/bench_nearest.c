/* Nearest codeword, exactly: small planar codebooks, blocks of 4 and 8, and large codebooks. */
#include "bench_nearest.h"
#include "bench_limits.h"

enum { DIM = 64 };

typedef struct work_case {
    const char *name, *work;
    size_t block, codewords, n;
    fq_nearest_words words;
    fq_bench_target target;
} work_case;

#define INITIAL "blocks of f_{64,k}, the initial codebook; 2kN flop a block"
static const work_case cases[] = {
    {"k=2,N=16", INITIAL, 2, 16, 65536, FQ_WORDS_INITIAL, {FQ_GOAL_RATE, 1e8, NULL}},
    {"k=2,N=64", INITIAL, 2, 64, 65536, FQ_WORDS_INITIAL, {FQ_GOAL_RATE, 1e8, NULL}},
    {"k=2,N=256", INITIAL, 2, 256, 65536, FQ_WORDS_INITIAL, {FQ_GOAL_RATE, 1e8, NULL}},
    {"k=4,N=256", INITIAL, 4, 256, 32768, FQ_WORDS_INITIAL, {FQ_GOAL_OF_PEAK, 0.45, NULL}},
    {"k=8,N=4096", INITIAL, 8, 4096, 4096, FQ_WORDS_INITIAL, {FQ_GOAL_OF_PEAK, 0.6, NULL}},
    {"k=16,N=65536",
     "blocks of f_{64,16}, words drawn from it as well; 2kN flop a block, pruned or not",
     16,
     65536,
     256,
     FQ_WORDS_SAMPLES,
     {FQ_GOAL_OF_PEAK, 3, NULL}},
    {"k=32,N=32768",
     "blocks of f_{64,32}, words drawn from it as well; 2kN flop a block, pruned or not",
     32,
     32768,
     256,
     FQ_WORDS_SAMPLES,
     {FQ_GOAL_OF_PEAK, 3, NULL}},
};

static fq_status measure(fq_bench_session *session, const work_case *c) {
    fq_nearest_work work = {0};
    fq_nearest_path paths[FQ_NEAREST_PATHS_MAX] = {0};
    const size_t n = fq_bench_size(session, c->n, 64);
    const size_t N = fq_bench_size(session, c->codewords, c->codewords > 512 ? 512 : c->codewords);
    FQ_TRY(fq_nearest_work_init(&work, DIM, c->block, N, n, c->words, fq_bench_seed(session), 5e8));
    const double amount = (double)n;
    const fq_bench_case the_case = {.name = c->name,
                                    .work = c->work,
                                    .unit = "blocks",
                                    .amount = amount,
                                    .flops = 2.0 * (double)c->block * (double)N * amount};
    const fq_bench_variant naive = {.name = "naive loops",
                                    .kind = FQ_BENCH_NAIVE,
                                    .run = fq_nearest_naive,
                                    .check = fq_nearest_check_close,
                                    .context = &work,
                                    .output = work.index,
                                    .output_bytes = n * sizeof *work.index};
    fq_bench_variant library = naive;
    library.name = "OpenBLAS sgemm + argmax";
    library.kind = FQ_BENCH_LIBRARY;
    library.run = fq_nearest_blas;
    fq_bench_begin(session, &the_case);
    fq_bench_add_peak(session);
    fq_limit_bytes bytes;
    if (c->codewords > 4096 && fq_limit_bytes_init(&bytes))
        fq_bench_add(session, &(fq_bench_variant){.name = bytes.name,
                                                  .kind = FQ_BENCH_LIMIT,
                                                  .run = fq_limit_bytes_run,
                                                  .check = fq_limit_bytes_check,
                                                  .context = &bytes,
                                                  .output = &bytes.last,
                                                  .output_bytes = sizeof bytes.last,
                                                  .flops = bytes.flops});
    fq_bench_add(session, &naive);
    fq_bench_add(session, &library);
    fq_status status = fq_nearest_add_paths(session, &work, paths, &c->target);
    if (status == FQ_OK)
        status = fq_bench_measure(session);
    fq_nearest_clear_paths(paths);
    fq_nearest_work_clear(&work);
    return status;
}

static fq_status run(fq_bench_session *session) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (fq_bench_wanted(session, cases[i].name))
            FQ_TRY(measure(session, &cases[i]));
    return FQ_OK;
}

const fq_bench fq_bench_nearest = {"nearest", "nearest codeword, exactly, by every path of this processor",
                                   false, run};
