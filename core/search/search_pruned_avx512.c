/* The pruned search's kernel for AVX-512 with VNNI: sixteen words' fours of coordinates a vector, sums of 32
 * bits. */
#if defined(__x86_64__)
#include <stdint.h>

#define TARGET      __attribute__((target("avx512f,avx512dq,avx512vnni,avx2,fma,bmi")))
#define GROUP       4
#define POINT_BYTES 4
#define POINT_MOST  127
#define SUM_MAX     (1 << 24)
#define POINTS      6 /* and four vectors of words: 24 sums in 32 registers */
typedef int32_t sum_type;

#include "search_pruned_kernel.h"

enum { VECTORS = 4 };
_Static_assert(VECTORS *FQ_PRUNED_VECTOR_WORDS == 64, "a bit a word in let_through");

/* Written out, since a compiler copies sums about to make room for what it would rather keep in registers. */
#define ADD_PRODUCTS(sum, words, point) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(words), "v"(point))

TARGET static ALWAYS_INLINE __m512i broadcast_group(const int8_t *group) {
    int32_t four;
    memcpy(&four, group, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Six points meet 64 words of the band at a time; those whose sum is not negative are let through. */
TARGET static ALWAYS_INLINE void meet_band(const fq_search_pruned *pruned, size_t visit, batch *b,
                                           const float *x, size_t block) {
    const size_t groups = (block + GROUP - 1) / GROUP;
    const uint8_t *const bytes = pruned->bytes + visit * groups * FQ_PRUNED_BAND * GROUP;
    for (size_t p = 0; p < b->places; p++)
        set_start(&pruned->band[visit], b, p, block);
    for (size_t p = 0; p < b->places; p += POINTS)
        for (size_t v = 0; v < FQ_PRUNED_VECTORS; v += VECTORS) {
            const int8_t *const points = b->bytes + p * groups * POINT_BYTES;
            __m512i sum[POINTS][VECTORS];
            for (size_t q = 0; q < POINTS; q++)
                for (size_t w = 0; w < VECTORS; w++)
                    sum[q][w] = _mm512_set1_epi32(b->start[p + q]);
            for (size_t j = 0; j < groups; j++) {
                const __m512i *const words = (const void *)(bytes + (j * FQ_PRUNED_VECTORS + v) * 64);
                const __m512i word[VECTORS] = {_mm512_load_si512(words), _mm512_load_si512(words + 1),
                                               _mm512_load_si512(words + 2), _mm512_load_si512(words + 3)};
                for (size_t q = 0; q < POINTS; q++) {
                    const __m512i point = broadcast_group(points + (q * groups + j) * POINT_BYTES);
                    for (size_t w = 0; w < VECTORS; w++)
                        ADD_PRODUCTS(sum[q][w], word[w], point);
                }
            }
            __m512i all = sum[0][0];
            for (size_t q = 0; q < POINTS; q++)
                for (size_t w = 0; w < VECTORS; w += 2)
                    all = _mm512_ternarylogic_epi32(all, sum[q][w], sum[q][w + 1], 0x80); /* and, and */
            if (__builtin_expect(_mm512_movepi32_mask(all) == 0xffff, 1))
                continue;
            uint64_t which[POINTS];
            for (size_t q = 0; q < POINTS; q++) {
                which[q] = 0;
                for (size_t w = 0; w < VECTORS; w++)
                    which[q] |= (uint64_t)(uint16_t)~_mm512_movepi32_mask(sum[q][w]) << 16 * w;
            }
            let_through(pruned, b, p, x, visit * FQ_PRUNED_BAND + v * FQ_PRUNED_VECTOR_WORDS, which);
        }
    settle(pruned, b, x, block);
}

const fq_pruned_kernels fq_pruned_kernels_avx512 = {
    .path = FQ_SEARCH_PRUNED_AVX512,
    .needs = FQ_CPU_AVX2 | FQ_CPU_AVX512F | FQ_CPU_AVX512DQ | FQ_CPU_VNNI,
    .group = GROUP,
    .nearest = nearest_points,
};
#else
typedef int fq_search_pruned_avx512_is_empty;
#endif
