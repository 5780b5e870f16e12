/* What the files of attention's AVX-512 kernel share; for them alone to include. */
#ifndef FQ_ATTENTION_AVX512_H
#define FQ_ATTENTION_AVX512_H

#include <immintrin.h>

#include "attention_kernels.h"

#define INSTRUCTIONS  "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,fma"
#define TARGET        __attribute__((target(INSTRUCTIONS)))
#define ALWAYS_INLINE inline __attribute__((always_inline))

TARGET static ALWAYS_INLINE __m512i load(const void *from) {
    return _mm512_loadu_si512(from);
}
TARGET static ALWAYS_INLINE void store(void *to, __m512i a) {
    _mm512_storeu_si512(to, a);
}

/* The sums of the lanes of four vectors, of which any four lanes' sum fits 32 bits. */
TARGET static ALWAYS_INLINE void sums_of_lanes(int64_t out[4], const __m512i in[4]) {
    const __m512i ab =
        _mm512_add_epi32(_mm512_unpacklo_epi32(in[0], in[1]), _mm512_unpackhi_epi32(in[0], in[1]));
    const __m512i cd =
        _mm512_add_epi32(_mm512_unpacklo_epi32(in[2], in[3]), _mm512_unpackhi_epi32(in[2], in[3]));
    const __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m512i two = _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(abcd)),
                                         _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(abcd, 1)));
    const __m256i sum = _mm256_add_epi64(_mm512_castsi512_si256(two), _mm512_extracti64x4_epi64(two, 1));
    _mm256_storeu_si256((__m256i *)(void *)out, sum);
}

/* byte_columns, byte_scores and byte_values of the kernel. */
void fq_attention_byte_columns_avx512(uint8_t *columns, const uint8_t *rows, size_t stride, size_t bytes,
                                      size_t n);
void fq_attention_byte_scores_avx512(int16_t *sum, const uint8_t *columns, size_t bytes, const int16_t *table,
                                     fq_attention_prefetch next);
void fq_attention_byte_values_avx512(int64_t *total, const uint8_t *columns, size_t bytes,
                                     const fq_attention_words *words, const int16_t *weight,
                                     fq_attention_prefetch next);

#endif
