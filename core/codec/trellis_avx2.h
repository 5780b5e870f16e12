/* What the AVX2 kernels of trellis codes share; for them alone to include. Products of a bit matrix with
 * bytes are two byte shuffles, one for each four bits, and their sum. Levels are looked up among sixteen by
 * the low four bits of the label and then chosen by the others. */
#ifndef FQ_TRELLIS_AVX2_H
#define FQ_TRELLIS_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET        __attribute__((target("avx2,fma")))
#define ALWAYS_INLINE inline __attribute__((always_inline))

TARGET static ALWAYS_INLINE __m256i load(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

/* The same sixteen bytes twice. */
TARGET static ALWAYS_INLINE __m256i sixteen(const void *table) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

/* Bytes as their low and their high four bits. */
typedef struct nibbles {
    __m256i low, high;
} nibbles;

TARGET static ALWAYS_INLINE nibbles nibbles_of(__m256i byte) {
    const __m256i mask = _mm256_set1_epi8(15);
    return (nibbles){_mm256_and_si256(byte, mask), _mm256_and_si256(_mm256_srli_epi16(byte, 4), mask)};
}

TARGET static ALWAYS_INLINE __m256i multiply(nibbles byte, const uint8_t table[2][16]) {
    return _mm256_xor_si256(_mm256_shuffle_epi8(sixteen(table[0]), byte.low),
                            _mm256_shuffle_epi8(sixteen(table[1]), byte.high));
}

/* Of pairs of vectors side by side the first where the byte's highest bit is 0, else the second. */
TARGET static ALWAYS_INLINE void halve(__m256i *choice, size_t left, __m256i bit) {
    for (size_t i = 0; i < left; i++)
        choice[i] = _mm256_blendv_epi8(choice[2 * i], choice[2 * i + 1], bit);
}

/* Bytes level[label] of labels of at most `bits` bits, 4 to 8. */
TARGET static ALWAYS_INLINE __m256i look_up(const void *level, __m256i label, unsigned bits) {
    const __m256i low = _mm256_and_si256(label, _mm256_set1_epi8(15));
    __m256i choice[16];
    size_t left = (size_t)1 << (bits - 4);
#pragma GCC unroll 16
    for (size_t i = 0; i < left; i++)
        choice[i] = _mm256_shuffle_epi8(sixteen((const uint8_t *)level + 16 * i), low);
    if (bits > 4)
        halve(choice, left / 2, _mm256_slli_epi16(label, 3));
    if (bits > 5)
        halve(choice, left / 4, _mm256_slli_epi16(label, 2));
    if (bits > 6)
        halve(choice, left / 8, _mm256_slli_epi16(label, 1));
    if (bits > 7)
        halve(choice, left / 16, label);
    return choice[0];
}

#endif
