/* The pruned search's kernel for AVX2 and FMA: sixteen words' pairs of coordinates a vector, sums of sixteen
 * bits. */
#if defined(__x86_64__)
#include <stdint.h>

#define TARGET      __attribute__((target("avx2,fma,bmi")))
#define GROUP       2
#define POINT_BYTES 32
#define POINT_MOST  63
#define SUM_MAX     (1 << 14)
#define POINTS      4 /* and two vectors of words: eight sums and what makes them stay in sixteen registers */
typedef int16_t sum_type;

#include "search_pruned_kernel.h"

#define ADD_TO(vector, more) __asm__("vpaddw %1, %0, %0" : "+x"(vector) : "x"(more))

enum { VECTORS = 2 };

/* Of sixteen sums each, a bit for every one that is not negative. */
TARGET static ALWAYS_INLINE uint32_t not_negative(__m256i a, __m256i b) {
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8); /* signs stay */
    return ~(uint32_t)_mm256_movemask_epi8(packed);
}

/* Four points meet 32 words of the band at a time; those whose sum is not negative are let through. */
TARGET static ALWAYS_INLINE void meet_band(const fq_search_pruned *pruned, size_t visit, batch *b,
                                           const float *x, size_t block) {
    const size_t groups = (block + GROUP - 1) / GROUP;
    const uint8_t *const bytes = pruned->bytes + visit * groups * FQ_PRUNED_BAND * GROUP;
    const __m256i signs = _mm256_set1_epi16(INT16_MIN);
    for (size_t p = 0; p < b->places; p++)
        set_start(&pruned->band[visit], b, p, block);
    for (size_t p = 0; p < b->places; p += POINTS)
        for (size_t v = 0; v < FQ_PRUNED_VECTORS; v += VECTORS) {
            const int8_t *const points = b->bytes + p * groups * 32;
            __m256i sum[VECTORS][POINTS];
            for (size_t q = 0; q < POINTS; q++)
                sum[0][q] = sum[1][q] = _mm256_set1_epi16(b->start[p + q]);
            for (size_t j = 0; j < groups; j++) {
                const __m256i *const words = (const void *)(bytes + (j * FQ_PRUNED_VECTORS + v) * 32);
                const __m256i word0 = _mm256_load_si256(words), word1 = _mm256_load_si256(words + 1);
                for (size_t q = 0; q < POINTS; q++) {
                    const __m256i point = _mm256_load_si256((const void *)(points + (q * groups + j) * 32));
                    ADD_TO(sum[0][q], _mm256_maddubs_epi16(word0, point));
                    ADD_TO(sum[1][q], _mm256_maddubs_epi16(word1, point));
                }
            }
            __m256i all = _mm256_and_si256(sum[0][0], sum[1][0]);
            for (size_t q = 1; q < POINTS; q++)
                all = _mm256_and_si256(all, _mm256_and_si256(sum[0][q], sum[1][q]));
            if (__builtin_expect(_mm256_testc_si256(all, signs), 1))
                continue;
            uint64_t which[POINTS];
            for (size_t q = 0; q < POINTS; q++)
                which[q] = not_negative(sum[0][q], sum[1][q]);
            let_through(pruned, b, p, x, visit * FQ_PRUNED_BAND + v * FQ_PRUNED_VECTOR_WORDS, which);
        }
    settle(pruned, b, x, block);
}

const fq_pruned_kernels fq_pruned_kernels_avx2 = {
    .path = FQ_SEARCH_PRUNED,
    .needs = FQ_CPU_AVX2,
    .group = GROUP,
    .nearest = nearest_points,
};
#else
typedef int fq_search_pruned_avx2_is_empty;
#endif
