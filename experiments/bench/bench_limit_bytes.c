/* Products of unsigned and signed bytes, summed on independent chains in registers: what bounds a search by
 * byte-wise bounds. AVX2 takes two instructions a vector, a product of 32 bytes by 32 summed in pairs, and an
 * addition of sixteen bits; VNNI takes one for 64 bytes, summed in fours in 32 bits. */
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bench_limits.h"

enum { STEPS = 20000, CHAINS = 12, LANES = 16 };
_Static_assert(CHAINS *LANES * sizeof(int32_t) <= sizeof((fq_limit_bytes *)0)->last, "room for every chain");

#if defined(__x86_64__)
/* Written out, since a compiler takes equal products from one another and keeps sums in memory. */
#define ADD_PAIRS(sum, left, right)                                                                          \
    __asm__ volatile("vpmaddubsw %2, %1, %%ymm15\n\tvpaddw %%ymm15, %0, %0"                                  \
                     : "+x"(sum)                                                                             \
                     : "x"(left), "x"(right)                                                                 \
                     : "xmm15")
#define ADD_FOURS(sum, left, right)                                                                          \
    __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(left), "v"(right))
#define ALL(X)                                                                                               \
    X(0, a) X(1, b) X(2, c) X(3, d) X(4, e) X(5, f) X(6, g) X(7, h) X(8, i) X(9, j) X(10, k) X(11, l)

__attribute__((target("avx2"))) static void add_pairs(const fq_limit_bytes *bytes, int16_t *last) {
    const __m256i left = _mm256_set1_epi8((char)bytes->left), right = _mm256_set1_epi8((char)bytes->right);
#define START(number, x) __m256i x = _mm256_set1_epi16(number);
    ALL(START)
#undef START
    for (int step = 0; step < STEPS; step++) {
#define ADVANCE(number, x) ADD_PAIRS(x, left, right);
        ALL(ADVANCE)
#undef ADVANCE
    }
#define STORE(number, x) _mm256_storeu_si256((__m256i *)(void *)(last + LANES * (number)), x);
    ALL(STORE)
#undef STORE
}

__attribute__((target("avx512f,avx512vnni"))) static void add_fours(const fq_limit_bytes *bytes,
                                                                    int32_t *last) {
    const __m512i left = _mm512_set1_epi32(bytes->left * 0x01010101);
    const __m512i right = _mm512_set1_epi32((int32_t)((uint32_t)(uint8_t)bytes->right * 0x01010101U));
#define START(number, x) __m512i x = _mm512_set1_epi32(number);
    ALL(START)
#undef START
    for (int step = 0; step < STEPS; step++) {
#define ADVANCE(number, x) ADD_FOURS(x, left, right);
        ALL(ADVANCE)
#undef ADVANCE
    }
#define STORE(number, x) _mm512_storeu_si512(last + LANES * (number), x);
    ALL(STORE)
#undef STORE
}
#endif

bool fq_limit_bytes_init(fq_limit_bytes *bytes) {
    *bytes = (fq_limit_bytes){.name = "byte products, AVX2", .left = 101, .right = -57, .summed = 2};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni")) {
        bytes->name = "byte products, VNNI";
        bytes->summed = 4;
    }
    bytes->flops = 2.0 * bytes->summed * LANES * CHAINS * STEPS;
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

fq_status fq_limit_bytes_run(void *context) {
#if defined(__x86_64__)
    fq_limit_bytes *const bytes = context;
    if (bytes->summed == 4)
        add_fours(bytes, bytes->last.of_32);
    else
        add_pairs(bytes, bytes->last.of_16);
#else
    (void)context;
#endif
    return FQ_OK;
}

bool fq_limit_bytes_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_limit_bytes *const bytes = context;
    for (int i = 0; i < CHAINS * LANES; i++) {
        const int32_t sum = i / LANES + STEPS * bytes->summed * bytes->left * bytes->right;
        const int32_t found = bytes->summed == 4 ? bytes->last.of_32[i] : bytes->last.of_16[i];
        const int32_t wanted = bytes->summed == 4 ? sum : (int16_t)(uint16_t)sum;
        if (found != wanted) {
            snprintf(why, FQ_BENCH_WHY_MAX, "sum %d is %d, not %d", i, found, wanted);
            return false;
        }
    }
    return true;
}
