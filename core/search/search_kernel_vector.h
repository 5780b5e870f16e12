/* The exhaustive search over vectors of points: the one source of every instruction set's kernel.
 *
 * A vector holds one coordinate of several points, and two vectors of points meet one codeword at a time,
 * whose coordinates are broadcast; so each lane sees its own scores in the order of the words, and nothing
 * has to be settled between lanes. Only the group of eight words with the largest score is remembered: a
 * comparison for every word would cost as much as three multiply-adds. The group's scores are computed once
 * more, to the same bits, to find the word.
 *
 * The including file defines TARGET (a function attribute), VECTOR, VECTOR_LANES, v_load, v_broadcast,
 * v_store, v_multiply_add(a, b, c) = a b + c in one rounding, v_max, and v_keep(best, id, score, g): where
 * score > best, id = g (an integer kept in a VECTOR) and best = score; and first_of_eight, which scores a
 * group's words for one point and returns the first whose score is `most`.
 */
#include <math.h>
#include <string.h>

#include "search_kernels.h"
#include "source.h"

enum { VECTORS = 2, POINTS = VECTORS * VECTOR_LANES, HALF = FQ_SEARCH_LANES / 2 };

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* x[n][block] -> turned[block][POINTS], zeros for points that are not there. */
TARGET static ALWAYS_INLINE void turn(float *turned, const float *x, size_t n, size_t block) {
    if (n < POINTS)
        memset(turned, 0, block * POINTS * sizeof *turned);
    for (size_t p = 0; p < n; p++)
        for (size_t j = 0; j < block; j++)
            turned[j * POINTS + p] = x[p * block + j];
}

/* The largest scores of four words from `first` on, into most. */
TARGET static ALWAYS_INLINE void score_words(VECTOR *most, const float *lanes, const float *offset,
                                             const float *turned, size_t block, size_t first) {
    VECTOR score[VECTORS][HALF];
    for (size_t w = 0; w < HALF; w++) {
        const VECTOR start = v_broadcast(offset + first + w);
        for (size_t v = 0; v < VECTORS; v++)
            score[v][w] = start;
    }
    for (size_t j = 0; j < block; j++) {
        VECTOR value[VECTORS];
        for (size_t v = 0; v < VECTORS; v++)
            value[v] = v_load(turned + j * POINTS + v * VECTOR_LANES);
        for (size_t w = 0; w < HALF; w++) {
            const VECTOR word = v_broadcast(lanes + j * FQ_SEARCH_LANES + first + w);
            for (size_t v = 0; v < VECTORS; v++)
                score[v][w] = v_multiply_add(value[v], word, score[v][w]);
        }
    }
    for (size_t v = 0; v < VECTORS; v++)
        most[v] = v_max(v_max(score[v][0], score[v][1]), v_max(score[v][2], score[v][3]));
}

/* The first word of the group whose score is `most`, the largest in it. */
TARGET static ALWAYS_INLINE uint32_t find_word(const fq_search_words *words, uint32_t group, const float *x,
                                               float most, size_t block) {
    const float *lanes = words->lanes + (size_t)group * block * FQ_SEARCH_LANES;
    const float *offset = words->offset + (size_t)group * FQ_SEARCH_LANES;
    return group * FQ_SEARCH_LANES + first_of_eight(lanes, offset, x, most, block);
}

/* n <= POINTS points. */
TARGET static ALWAYS_INLINE void nearest(uint32_t *index, const fq_search_words *words, const float *x,
                                         size_t n, size_t block, float *turned) {
    float score[POINTS];
    uint32_t group[POINTS];
    VECTOR best[VECTORS], id[VECTORS];
    turn(turned, x, n, block);
    for (size_t v = 0; v < VECTORS; v++) {
        best[v] = v_set(-HUGE_VALF);
        id[v] = v_set(0.0F);
    }
    for (size_t g = 0; g < words->groups; g++) {
        const float *lanes = words->lanes + g * block * FQ_SEARCH_LANES,
                    *offset = words->offset + g * FQ_SEARCH_LANES;
        VECTOR low[VECTORS], high[VECTORS];
        score_words(low, lanes, offset, turned, block, 0);
        score_words(high, lanes, offset, turned, block, HALF);
        for (size_t v = 0; v < VECTORS; v++)
            v_keep(&best[v], &id[v], v_max(low[v], high[v]), (int32_t)g);
    }
    for (size_t v = 0; v < VECTORS; v++) {
        v_store(score + v * VECTOR_LANES, best[v]);
        v_store_bits(group + v * VECTOR_LANES, id[v]);
    }
    for (size_t p = 0; p < n; p++)
        index[p] = find_word(words, group[p], x + p * block, score[p], block);
}

TARGET static ALWAYS_INLINE void nearest_all(uint32_t *index, const fq_search_words *words, const float *x,
                                             size_t n, size_t block, float *turned) {
    size_t p = 0;
    for (; p + POINTS <= n; p += POINTS)
        nearest(index + p, words, x + p * block, POINTS, block, turned);
    if (p < n)
        nearest(index + p, words, x + p * block, n - p, block, turned);
}

TARGET void KERNEL(uint32_t *index, const fq_search_words *words, const float *x, size_t n) {
    float turned[FQ_BLOCK_MAX * POINTS] __attribute__((aligned(64)));
    switch (words->block) { /* the usual sizes unrolled */
    case 1:
        nearest_all(index, words, x, n, 1, turned);
        break;
    case 2:
        nearest_all(index, words, x, n, 2, turned);
        break;
    case 3:
        nearest_all(index, words, x, n, 3, turned);
        break;
    case 4:
        nearest_all(index, words, x, n, 4, turned);
        break;
    case 8:
        nearest_all(index, words, x, n, 8, turned);
        break;
    case 16:
        nearest_all(index, words, x, n, 16, turned);
        break;
    case 32:
        nearest_all(index, words, x, n, 32, turned);
        break;
    default:
        nearest_all(index, words, x, n, words->block, turned);
    }
}
