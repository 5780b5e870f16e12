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
 * score > best, id = g (an integer kept in a VECTOR) and best = score. On x86-64 first_of_eight stands
 * below; elsewhere the including file defines it, too. It defines nearest_points.
 */
#include <math.h>
#include <string.h>

#include "search_words.h"

enum { VECTORS = 2, POINTS = VECTORS * VECTOR_LANES, HALF = FQ_SEARCH_LANES / 2 };

#define ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__)
/* Scores a group's words for one point and returns the first whose score is `most`. */
TARGET static ALWAYS_INLINE uint32_t first_of_eight(const float *lanes, const float *offset, const float *x,
                                                    float most, size_t block) {
    __m256 score = _mm256_load_ps(offset);
    for (size_t j = 0; j < block; j++)
        score = _mm256_fmadd_ps(_mm256_broadcast_ss(x + j), _mm256_load_ps(lanes + 8 * j), score);
    const int equal = _mm256_movemask_ps(_mm256_cmp_ps(score, _mm256_set1_ps(most), _CMP_EQ_OQ));
    return (uint32_t)__builtin_ctz((unsigned)equal);
}
#endif

/* x[n][block] -> transposed[block][POINTS], zeros for points that are not there. */
TARGET static ALWAYS_INLINE void transpose(float *transposed, const float *x, size_t n, size_t block) {
    if (n < POINTS)
        memset(transposed, 0, block * POINTS * sizeof *transposed);
    for (size_t p = 0; p < n; p++)
        for (size_t j = 0; j < block; j++)
            transposed[j * POINTS + p] = x[p * block + j];
}

/* The largest scores of four words from `first` on, into most. */
TARGET static ALWAYS_INLINE void score_words(VECTOR *most, const float *lanes, const float *offset,
                                             const float *transposed, size_t block, size_t first) {
    VECTOR score[VECTORS][HALF];
    for (size_t w = 0; w < HALF; w++) {
        const VECTOR start = v_broadcast(offset + first + w);
        for (size_t v = 0; v < VECTORS; v++)
            score[v][w] = start;
    }
    for (size_t j = 0; j < block; j++) {
        VECTOR value[VECTORS];
        for (size_t v = 0; v < VECTORS; v++)
            value[v] = v_load(transposed + j * POINTS + v * VECTOR_LANES);
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
                                         size_t n, size_t block, float *transposed) {
    float score[POINTS];
    uint32_t group[POINTS];
    VECTOR best[VECTORS], id[VECTORS];
    transpose(transposed, x, n, block);
    for (size_t v = 0; v < VECTORS; v++) {
        best[v] = v_set(-HUGE_VALF);
        id[v] = v_set(0.0F);
    }
    for (size_t g = 0; g < words->groups; g++) {
        const float *lanes = words->lanes + g * block * FQ_SEARCH_LANES,
                    *offset = words->offset + g * FQ_SEARCH_LANES;
        VECTOR low[VECTORS], high[VECTORS];
        score_words(low, lanes, offset, transposed, block, 0);
        score_words(high, lanes, offset, transposed, block, HALF);
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
                                             size_t n, size_t block, float *transposed) {
    size_t p = 0;
    for (; p + POINTS <= n; p += POINTS)
        nearest(index + p, words, x + p * block, POINTS, block, transposed);
    if (p < n)
        nearest(index + p, words, x + p * block, n - p, block, transposed);
}

/* The kernel itself. */
TARGET static void nearest_points(uint32_t *index, const fq_search_words *words, const float *x, size_t n) {
    float transposed[FQ_BLOCK_MAX * POINTS] __attribute__((aligned(64)));
    switch (words->block) { /* the usual sizes unrolled */
    case 1:
        nearest_all(index, words, x, n, 1, transposed);
        break;
    case 2:
        nearest_all(index, words, x, n, 2, transposed);
        break;
    case 3:
        nearest_all(index, words, x, n, 3, transposed);
        break;
    case 4:
        nearest_all(index, words, x, n, 4, transposed);
        break;
    case 8:
        nearest_all(index, words, x, n, 8, transposed);
        break;
    case 16:
        nearest_all(index, words, x, n, 16, transposed);
        break;
    case 32:
        nearest_all(index, words, x, n, 32, transposed);
        break;
    default:
        nearest_all(index, words, x, n, words->block, transposed);
    }
}
