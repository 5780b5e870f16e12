/* AVX2 and FMA: 16 codewords at a time in two registers, four points at a time, so that eight chains of
 * multiply-adds are in flight. Each lane keeps its best score and group; the lanes are settled last. */
#include "search_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

enum { POINTS = 4 };

#define TARGET __attribute__((target("avx2,fma")))

typedef struct lane_best {
    __m256 score[2];
    __m256 group[2]; /* integers in float registers, for blending */
} lane_best;

TARGET static uint32_t settle(const lane_best *b) {
    float score[FQ_SEARCH_LANES];
    uint32_t group[FQ_SEARCH_LANES];
    _mm256_storeu_ps(score, b->score[0]);
    _mm256_storeu_ps(score + 8, b->score[1]);
    _mm256_storeu_si256((__m256i *)(void *)group, _mm256_castps_si256(b->group[0]));
    _mm256_storeu_si256((__m256i *)(void *)(group + 8), _mm256_castps_si256(b->group[1]));
    float best_score = score[0];
    uint32_t best = group[0] * FQ_SEARCH_LANES;
    for (uint32_t lane = 1; lane < FQ_SEARCH_LANES; lane++) {
        const uint32_t index = group[lane] * FQ_SEARCH_LANES + lane;
        if (score[lane] > best_score || (score[lane] == best_score && index < best)) {
            best_score = score[lane];
            best = index;
        }
    }
    return best;
}

TARGET static inline __attribute__((always_inline)) void
nearest(uint32_t *index, const float *words, const float *offset, size_t groups, size_t block,
        const float *x, int points) {
    lane_best best[POINTS];
    for (int p = 0; p < points; p++)
        for (int h = 0; h < 2; h++) {
            best[p].score[h] = _mm256_set1_ps(-HUGE_VALF);
            best[p].group[h] = _mm256_setzero_ps();
        }
    for (size_t g = 0; g < groups; g++) {
        const float *word = words + g * block * FQ_SEARCH_LANES;
        const __m256 offset0 = _mm256_load_ps(offset + g * FQ_SEARCH_LANES);
        const __m256 offset1 = _mm256_load_ps(offset + g * FQ_SEARCH_LANES + 8);
        __m256 score[POINTS][2];
        for (int p = 0; p < points; p++) {
            score[p][0] = offset0;
            score[p][1] = offset1;
        }
        for (size_t j = 0; j < block; j++) {
            const __m256 word0 = _mm256_load_ps(word + j * FQ_SEARCH_LANES);
            const __m256 word1 = _mm256_load_ps(word + j * FQ_SEARCH_LANES + 8);
            for (int p = 0; p < points; p++) {
                const __m256 value = _mm256_broadcast_ss(x + (size_t)p * block + j);
                score[p][0] = _mm256_fmadd_ps(value, word0, score[p][0]);
                score[p][1] = _mm256_fmadd_ps(value, word1, score[p][1]);
            }
        }
        const __m256 group = _mm256_castsi256_ps(_mm256_set1_epi32((int)g));
        for (int p = 0; p < points; p++)
            for (int h = 0; h < 2; h++) {
                const __m256 better = _mm256_cmp_ps(score[p][h], best[p].score[h], _CMP_GT_OQ);
                best[p].score[h] = _mm256_max_ps(best[p].score[h], score[p][h]);
                best[p].group[h] = _mm256_blendv_ps(best[p].group[h], group, better);
            }
    }
    for (int p = 0; p < points; p++)
        index[p] = settle(&best[p]);
}

TARGET void fq_search_kernel_avx2(uint32_t *index, const float *words, const float *offset,
                                  size_t groups, size_t block, const float *x, size_t n) {
    size_t p = 0;
    for (; p + POINTS <= n; p += POINTS)
        nearest(index + p, words, offset, groups, block, x + p * block, POINTS);
    for (; p < n; p++)
        nearest(index + p, words, offset, groups, block, x + p * block, 1);
}
#endif
