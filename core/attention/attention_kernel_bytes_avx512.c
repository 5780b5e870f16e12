/* AVX-512 with VBMI: indices of a byte, 64 tokens a vector. A permutation of bytes looks an entry's byte up
 * among 128, so two of them and a choice by the index's highest bit do among 256; low and high bytes are
 * looked up apart and then interleaved. */
#include <string.h>

#include "attention_kernels.h"

#if defined(__x86_64__)
#include "attention_avx512.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, TOKENS = 64, VECTORS = CHUNK / TOKENS, BLOCKS = 4 };

/* The even bytes of two vectors. */
TARGET static ALWAYS_INLINE __m512i even_bytes(__m512i a, __m512i b, __m512i order) {
    return _mm512_permutex2var_epi8(a, order, b);
}

/* Their order: byte i of the result is byte 2i of both. */
TARGET static __m512i straight_order(void) {
    uint8_t order[64];
    for (size_t i = 0; i < 64; i++)
        order[i] = (uint8_t)(2 * i);
    return load(order);
}

/* Such that interleaving the low halves of quarters gives the first 32 of 64 tokens, and that of the high
 * halves the others: quarter q holds tokens 8q to 8q + 7, then 32 + 8q to 32 + 8q + 7. */
TARGET static __m512i interleaved_order(void) {
    uint8_t order[64];
    for (size_t i = 0; i < 64; i++)
        order[i] = (uint8_t)(2 * (i / 16 * 8 + i % 8 + i % 16 / 8 * 32));
    return load(order);
}

/* Columns of pairs of bytes, as for nibbles, then each 64 tokens' pairs taken apart:
 * [pairs][VECTORS][2][TOKENS]. */
TARGET void fq_attention_byte_columns_avx512(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes,
                                             size_t n) {
    const __m512i order = interleaved_order();
    fq_attention_kernels_avx512.columns(to, rows, stride, bytes, n);
    for (uint8_t *at = to; at < to + (bytes + bytes % 2) * CHUNK; at += 2 * TOKENS) {
        const __m512i a = load(at), b = load(at + TOKENS);
        store(at, even_bytes(a, b, order));
        store(at + TOKENS, even_bytes(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8), order));
    }
}

static const uint8_t *column_of(const uint8_t *columns, size_t block) {
    return columns + block / 2 * 2 * CHUNK + block % 2 * TOKENS; /* a vector every 2 TOKENS */
}

/* A table of 256 numbers: the low bytes, then the high ones. */
typedef struct split_table {
    __m512i low[4], high[4];
} split_table;

TARGET static ALWAYS_INLINE split_table split(const int16_t *table) {
    const __m512i order = straight_order();
    split_table s;
    for (size_t i = 0; i < 4; i++) {
        const __m512i a = load(table + 64 * i), b = load(table + 64 * i + 32);
        s.low[i] = even_bytes(a, b, order);
        s.high[i] = even_bytes(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8), order);
    }
    return s;
}

TARGET static ALWAYS_INLINE __m512i choose(const __m512i bytes[4], __m512i index, __mmask64 upper) {
    return _mm512_mask_blend_epi8(upper, _mm512_permutex2var_epi8(bytes[0], index, bytes[1]),
                                  _mm512_permutex2var_epi8(bytes[2], index, bytes[3]));
}

/* The numbers of 64 tokens. */
TARGET static ALWAYS_INLINE void look_up(__m512i out[2], const split_table *table, __m512i index) {
    const __mmask64 upper = _mm512_movepi8_mask(index);
    const __m512i low = choose(table->low, index, upper), high = choose(table->high, index, upper);
    out[0] = _mm512_unpacklo_epi8(low, high);
    out[1] = _mm512_unpackhi_epi8(low, high);
}

TARGET void fq_attention_byte_scores_avx512(int16_t *sum, const uint8_t *columns, size_t bytes,
                                            const int16_t *table, fq_attention_prefetch next) {
    memset(sum, 0, CHUNK * sizeof *sum);
    for (size_t p = 0; p < bytes; p++) {
        const split_table s = split(table + 256 * p);
        prefetch(next, p, bytes);
        const uint8_t *const column = column_of(columns, p);
        for (size_t v = 0; v < VECTORS; v++) {
            __m512i entry[2];
            look_up(entry, &s, load(column + v * 2 * TOKENS));
            int16_t *const to = sum + v * TOKENS;
            store(to, _mm512_add_epi16(load(to), entry[0]));
            store(to + 32, _mm512_add_epi16(load(to + 32), entry[1]));
        }
    }
}

/* One coordinate of one block; a lane adds up 32 products of at most 8191 * 2047. */
TARGET static ALWAYS_INLINE __m512i accumulate(const split_table *words, const uint8_t *column,
                                               const int16_t *weight) {
    __m512i sum = _mm512_setzero_si512(), entry[2];
    for (size_t v = 0; v < VECTORS; v++) {
        look_up(entry, words, load(column + v * 2 * TOKENS));
        sum = _mm512_dpwssd_epi32(sum, entry[0], load(weight + v * TOKENS));
        sum = _mm512_dpwssd_epi32(sum, entry[1], load(weight + v * TOKENS + 32));
    }
    return sum;
}

/* One coordinate of all 256 words at a time, looked up for some bytes of all tokens by permutations. */
TARGET void fq_attention_byte_values_avx512(int64_t *total, const uint8_t *columns, size_t bytes,
                                            const fq_attention_words *words, const int16_t *weight,
                                            fq_attention_prefetch next) {
    const size_t k = words->coordinates;
    for (size_t t = 0; t < k; t++) {
        const split_table s = split(words->by_coordinate + 256 * t);
        prefetch(next, t, k);
        for (size_t first = 0; first < bytes; first += BLOCKS) {
            const size_t count = bytes - first < BLOCKS ? bytes - first : BLOCKS;
            __m512i sum[BLOCKS];
            int64_t sums[BLOCKS];
            for (size_t i = 0; i < BLOCKS; i++)
                sum[i] = i < count ? accumulate(&s, column_of(columns, first + i), weight)
                                   : _mm512_setzero_si512();
            sums_of_lanes(sums, sum);
            for (size_t i = 0; i < count; i++)
                total[(first + i) * k + t] = sums[i];
        }
    }
}
#endif
