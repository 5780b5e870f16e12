/* What the AVX-512 kernels of attention on trellis codes share; for them alone to include. 64 labels at a
 * time are two or three products of bit matrices with bytes and their sum; a permutation of bytes turns them
 * to levels. */
#ifndef FQ_ATTENTION_TRELLIS_AVX512_H
#define FQ_ATTENTION_TRELLIS_AVX512_H

#include "attention_avx512.h"
#include "attention_trellis.h"

#undef TARGET
#define TARGET __attribute__((target(INSTRUCTIONS ",gfni")))

/* Levels by label: of 6 bits or fewer, 7, or 8. */
typedef struct level_table {
    __m512i part[4];
} level_table;

TARGET static ALWAYS_INLINE level_table levels_of(const fq_attention_trellis *t) {
    level_table table;
    for (size_t i = 0; i < 4; i++)
        table.part[i] = load(t->level + 64 * i);
    return table;
}

TARGET static ALWAYS_INLINE __m512i look_up(const level_table *table, __m512i label, unsigned bits) {
    const __m512i *const part = table->part;
    if (bits <= 6)
        return _mm512_permutexvar_epi8(label, part[0]);
    const __m512i low = _mm512_permutex2var_epi8(part[0], label, part[1]);
    if (bits == 7)
        return low;
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(label), low,
                                  _mm512_permutex2var_epi8(part[2], label, part[3]));
}

/* The levels that a function gives for its last byte and those before. */
TARGET static ALWAYS_INLINE __m512i read_levels(const level_table *table, const __m512i *byte,
                                                const __m512i *matrix, unsigned reach, unsigned bits) {
    __m512i label = _mm512_xor_si512(_mm512_gf2p8affine_epi64_epi8(byte[0], matrix[0], 0),
                                     _mm512_gf2p8affine_epi64_epi8(byte[1], matrix[1], 0));
    if (reach > 2)
        label = _mm512_xor_si512(label, _mm512_gf2p8affine_epi64_epi8(byte[2], matrix[2], 0));
    return look_up(table, label, bits);
}

/* Weights as 256 high + low, [2][CHUNK]; returns 128 times their sum. */
TARGET static ALWAYS_INLINE int64_t split_weights(int8_t *parts, const int16_t *weight) {
    __m512i sum = _mm512_setzero_si512(); /* of pairs: 512 weights fit 32 bits */
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i += 32) {
        const __m512i w = load(weight + i);
        const __m512i high = _mm512_srai_epi16(_mm512_add_epi16(w, _mm512_set1_epi16(128)), 8),
                      low = _mm512_sub_epi16(w, _mm512_slli_epi16(high, 8));
        _mm256_storeu_si256((__m256i *)(void *)(parts + i), _mm512_cvtepi16_epi8(high));
        _mm256_storeu_si256((__m256i *)(void *)(parts + FQ_ATTENTION_CHUNK + i), _mm512_cvtepi16_epi8(low));
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(w, _mm512_set1_epi16(1)));
    }
    return 128 * (int64_t)_mm512_reduce_add_epi32(sum);
}

/* Scores and values of rows (attention_trellis.h), as the kernel's. */
void fq_attention_trellis_row_scores_avx512(int32_t *sum, const fq_attention_trellis *t,
                                            const fq_attention_trellis_tokens *tokens,
                                            const fq_attention_trellis_query *const *query, size_t m,
                                            fq_attention_prefetch next);
void fq_attention_trellis_row_values_avx512(int64_t *total, const fq_attention_trellis *t,
                                            const fq_attention_trellis_tokens *tokens, const int16_t *weight,
                                            size_t m, fq_attention_prefetch next);

#endif
