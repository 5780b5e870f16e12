/* The published recipe (arXiv 2605.11478, Appendix A, Table 2), to the letter: M = 30N training samples,
 * R = 4 restarts, each from the initial codebook under a random rotation, T = 25 iterations, empty cells
 * repaired by splitting a high-distortion cell, the restart of least training error kept. */
#include "codebook_paper.h"

#include <math.h>
#include <string.h>

#include "codebook_initial.h"
#include "codebook_restart.h"
#include "lloyd.h"
#include "memory.h"
#include "stream_ranges.h"

enum { SAMPLES_PER_WORD = 30, RESTARTS = 4, ITERATIONS = 25 };

/* The samples are drawn again in each iteration instead of being kept: M may be large. */
static fq_status collect(fq_cells *cells, fq_cells *part, const float *words, const fq_source *source,
                         uint64_t seed, uint64_t samples) {
    fq_search *search = NULL;
    FQ_TRY(fq_search_create(&search, words, cells->codewords, cells->block, samples));
    fq_status status = FQ_OK;
    for (uint64_t first = 0; first < samples && status == FQ_OK; first += FQ_CELLS_SAMPLES_MAX) {
        const uint64_t rest = samples - first;
        status = fq_cells_collect_source(part, search, source, seed, FQ_PURPOSE_TRAIN, first,
                                         rest < FQ_CELLS_SAMPLES_MAX ? (size_t)rest : FQ_CELLS_SAMPLES_MAX);
        if (status == FQ_OK)
            fq_cells_blend(cells, first == 0 ? 0 : 1, part);
    }
    fq_search_destroy(search);
    return status;
}

fq_status fq_train_paper(float *words, const fq_source *source, const fq_train_options *options) {
    const size_t N = options->codewords, k = options->block;
    const uint64_t samples = (uint64_t)SAMPLES_PER_WORD * N;
    float *candidate = NULL;
    fq_cells cells = {0}, part = {0};
    double least = HUGE_VAL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&candidate, N * k, sizeof *candidate), done);
    FQ_TRY_GOTO(status, fq_cells_init(&cells, N, k), done);
    FQ_TRY_GOTO(status, fq_cells_init(&part, N, k), done);
    for (unsigned restart = 0; restart < RESTARTS; restart++) {
        fq_initial_words(candidate, source, N);
        FQ_TRY_GOTO(status, fq_train_rotate(candidate, N, k, options->seed, restart), done);
        for (unsigned t = 0; t < ITERATIONS; t++) {
            const double done_part = (restart + (double)t / ITERATIONS) / RESTARTS;
            FQ_TRY_GOTO(status, fq_train_report(&options->progress, done_part), done);
            FQ_TRY_GOTO(status, collect(&cells, &part, candidate, source, options->seed, samples), done);
            fq_cells_update(candidate, &cells, options->seed,
                            fq_stream_number(FQ_RANGE_PAPER_REPAIRS, restart * ITERATIONS + t));
        }
        FQ_TRY_GOTO(status, collect(&cells, &part, candidate, source, options->seed, samples), done);
        const double error = fq_cells_error(&cells, candidate);
        if (error < least) {
            least = error;
            memcpy(words, candidate, N * k * sizeof *words);
        }
    }
done:
    fq_cells_clear(&part);
    fq_cells_clear(&cells);
    fq_free(candidate);
    return status;
}

double fq_train_paper_work(const fq_train_options *options) {
    const double samples = (double)SAMPLES_PER_WORD * (double)options->codewords;
    return RESTARTS * (ITERATIONS + 1.0) * samples * fq_train_sample_work(options->codewords, options->block);
}
