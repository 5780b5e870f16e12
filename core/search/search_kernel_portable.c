#include "search_words.h"

#include <math.h>

/* Groups of words in turn, as vectors of the compiler's own making. */
static void nearest(uint32_t *index, const fq_search_words *words, const float *x, size_t n) {
    const size_t block = words->block;
    for (size_t p = 0; p < n; p++) {
        uint32_t best = 0;
        float best_score = -HUGE_VALF;
        for (size_t g = 0; g < words->groups; g++) {
            float score[FQ_SEARCH_LANES];
            for (size_t lane = 0; lane < FQ_SEARCH_LANES; lane++)
                score[lane] = words->offset[g * FQ_SEARCH_LANES + lane];
            for (size_t j = 0; j < block; j++)
                for (size_t lane = 0; lane < FQ_SEARCH_LANES; lane++)
                    score[lane] = fmaf(x[p * block + j],
                                       words->lanes[(g * block + j) * FQ_SEARCH_LANES + lane], score[lane]);
            for (size_t lane = 0; lane < FQ_SEARCH_LANES; lane++)
                if (score[lane] > best_score) {
                    best_score = score[lane];
                    best = (uint32_t)(g * FQ_SEARCH_LANES + lane);
                }
        }
        index[p] = best;
    }
}

const fq_search_kernels fq_search_kernels_portable = {.path = FQ_SEARCH_PORTABLE, .nearest = nearest};
