/* Products of bytes, summed in pairs in sixteen bits, on independent chains in registers: what bounds a search by
 * byte-wise bounds. Two instructions a vector, a product of 32 bytes by 32 and an addition. */
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bench_limits.h"

#if defined(__x86_64__)
enum { STEPS = 20000, CHAINS = 12, LANES = 16 };
_Static_assert(CHAINS * LANES <= sizeof ((fq_limit_bytes *)0)->last / sizeof(int16_t), "room for every chain");

/* Written out, since a compiler takes equal products from one another and keeps sums in memory. */
#define ADD_PRODUCT(sum, left, right)                                      \
    __asm__ volatile("vpmaddubsw %2, %1, %%ymm15\n\tvpaddw %%ymm15, %0, %0" \
                     : "+x"(sum) : "x"(left), "x"(right) : "xmm15")
#define ALL(X) X(0, a) X(1, b) X(2, c) X(3, d) X(4, e) X(5, f) X(6, g) X(7, h) X(8, i) X(9, j) X(10, k) X(11, l)

__attribute__((target("avx2"))) static void products(const fq_limit_bytes *bytes, int16_t *last) {
    const __m256i left = _mm256_set1_epi8((char)bytes->left);
    const __m256i right = _mm256_set1_epi8((char)bytes->right);
#define START(number, x) __m256i x = _mm256_set1_epi16(number);
    ALL(START)
#undef START
    for (int step = 0; step < STEPS; step++) {
#define ADVANCE(number, x) ADD_PRODUCT(x, left, right);
        ALL(ADVANCE)
#undef ADVANCE
    }
#define STORE(number, x) _mm256_storeu_si256((__m256i *)(void *)(last + LANES * (number)), x);
    ALL(STORE)
#undef STORE
}
#endif

bool fq_limit_bytes_init(fq_limit_bytes *bytes) {
    *bytes = (fq_limit_bytes){.left = 201, .right = -57};
#if defined(__x86_64__)
    bytes->flops = 2.0 * 2 * LANES * CHAINS * STEPS;
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

fq_status fq_limit_bytes_run(void *context) {
#if defined(__x86_64__)
    fq_limit_bytes *const bytes = context;
    products(bytes, bytes->last);
#else
    (void)context;
#endif
    return FQ_OK;
}

bool fq_limit_bytes_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
#if defined(__x86_64__)
    const fq_limit_bytes *const bytes = context;
    for (int i = 0; i < CHAINS * LANES; i++) {
        const int32_t sum = i / LANES + STEPS * 2 * bytes->left * bytes->right;
        if ((uint16_t)bytes->last[i] != (uint16_t)sum) {
            snprintf(why, FQ_BENCH_WHY_MAX, "sum %d is %d, not %d modulo 65536", i, bytes->last[i], (int)(uint16_t)sum);
            return false;
        }
    }
#else
    (void)context;
    (void)why;
#endif
    return true;
}
