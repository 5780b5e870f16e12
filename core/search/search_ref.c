#include "search_path.h"

#include <math.h>

#include "search_words.h"

void fq_search_nearest_ref(uint32_t *index, const float *words, size_t codewords, size_t block,
                           const float *x, size_t n) {
    for (size_t p = 0; p < n; p++) {
        uint32_t best = 0;
        float best_score = -INFINITY;
        for (size_t i = 0; i < codewords; i++) {
            const float *word = words + i * block;
            float score = fq_search_offset(word, block);
            for (size_t j = 0; j < block; j++)
                score = fmaf(x[p * block + j], word[j], score);
            if (score > best_score) {
                best_score = score;
                best = (uint32_t)i;
            }
        }
        index[p] = best;
    }
}
