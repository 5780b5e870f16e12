/* AVX-512 with GFNI, VBMI and VNNI. Products of bytes with signs and bytes without are added in fours.
 * Values: a vector is one coordinate of 64 tokens, so that fours are of tokens. Scores: a vector is one
 * coordinate of four periods of 16 tokens, and fours are of coordinates. Payloads that need not be transposed
 * for that go another way: attention_trellis_rows_avx512.c. */
#include "attention_trellis.h"

#if defined(__x86_64__)
#include <string.h>

#include "attention_trellis_avx512.h"
#include "cpu.h"

enum {
    CHUNK = FQ_ATTENTION_CHUNK,
    TOKENS = 64,
    BLOCKS = CHUNK / TOKENS,
    TOGETHER = FQ_ATTENTION_TRELLIS_TOGETHER,
    PLANES_MAX = FQ_TRELLIS_FRESH_MAX + FQ_TRELLIS_REACH_MAX - 1,
    OFFSETS_MAX = (FQ_ATTENTION_TRELLIS_DIM_MAX + TOGETHER) * FQ_TRELLIS_REACH_MAX
};

/* Byte columns, each 64 tokens of a pair of bytes side by side: [pairs][BLOCKS][2][TOKENS]. */
TARGET static void columns(uint8_t *to, const uint8_t *payloads, size_t stride, size_t bytes, size_t n) {
    uint8_t order[64];
    for (size_t i = 0; i < 64; i++)
        order[i] = (uint8_t)(2 * i);
    const __m512i even = load(order);
    fq_attention_kernels_avx512.columns(to, payloads, stride, bytes, n);
    for (uint8_t *at = to; at < to + (bytes + bytes % 2) * CHUNK; at += 2 * TOKENS) {
        const __m512i a = load(at), b = load(at + TOKENS);
        store(at, _mm512_permutex2var_epi8(a, even, b));
        store(at + TOKENS, _mm512_permutex2var_epi8(_mm512_srli_epi16(a, 8), even, _mm512_srli_epi16(b, 8)));
    }
}

/* Where the bytes of 64 tokens stand that are `back` before byte `at` of the circle. */
static ALWAYS_INLINE size_t column_of(size_t bytes, size_t at, size_t back) {
    const size_t moved = at + bytes - back, b = moved % bytes;
    return b / 2 * 2 * CHUNK + b % 2 * TOKENS;
}

/* Where interleave's columns stand: [fours of periods][plane][4]. Periods behind the last are any: the
 * queries' numbers are zero. */
static void find_columns(uint32_t *offset, const fq_attention_trellis *t) {
    const size_t planes = t->period_bytes + t->reach - 1;
    for (size_t i = 0; i < (t->periods + TOGETHER - 1) / TOGETHER * TOGETHER; i++)
        for (size_t c = 0; c < planes; c++) {
            const size_t at = i < t->periods ? t->period_bytes * i + c : c;
            offset[(i / TOGETHER * planes + c) * TOGETHER + i % TOGETHER] =
                (uint32_t)column_of(t->bytes, at, (size_t)t->reach - 1);
        }
}

/* Bytes of four periods of 64 tokens as numbers of 32 bits: [plane][4][16 tokens], plane 0 the byte reach - 1
 * before the period's first. Quarter v of the vectors holds tokens 4 v ... 4 v + 3 of each sixteen. */
TARGET static ALWAYS_INLINE void interleave(__m512i (*plane)[4], size_t planes, const uint8_t *columns,
                                            const uint32_t *offset) {
    for (size_t c = 0; c < planes; c++, offset += TOGETHER) {
        __m512i byte[TOGETHER];
        for (size_t k = 0; k < TOGETHER; k++)
            byte[k] = load(columns + offset[k]);
        const __m512i low01 = _mm512_unpacklo_epi8(byte[0], byte[1]),
                      high01 = _mm512_unpackhi_epi8(byte[0], byte[1]),
                      low23 = _mm512_unpacklo_epi8(byte[2], byte[3]),
                      high23 = _mm512_unpackhi_epi8(byte[2], byte[3]);
        plane[c][0] = _mm512_unpacklo_epi16(low01, low23);
        plane[c][1] = _mm512_unpackhi_epi16(low01, low23);
        plane[c][2] = _mm512_unpacklo_epi16(high01, high23);
        plane[c][3] = _mm512_unpackhi_epi16(high01, high23);
    }
}

/* Four vectors of sums, as interleave orders tokens, to 64 sums in order. */
TARGET static ALWAYS_INLINE void store_sums(int32_t *to, const __m512i sum[4]) {
    const __m512i a = _mm512_shuffle_i64x2(sum[0], sum[1], 0x44),
                  b = _mm512_shuffle_i64x2(sum[2], sum[3], 0x44),
                  c = _mm512_shuffle_i64x2(sum[0], sum[1], 0xee),
                  d = _mm512_shuffle_i64x2(sum[2], sum[3], 0xee);
    store(to, _mm512_shuffle_i64x2(a, b, 0x88));
    store(to + 16, _mm512_shuffle_i64x2(a, b, 0xdd));
    store(to + 32, _mm512_shuffle_i64x2(c, d, 0x88));
    store(to + 48, _mm512_shuffle_i64x2(c, d, 0xdd));
}

/* Four of a query's bytes in every number. */
TARGET static ALWAYS_INLINE __m512i four_bytes(const int8_t *from) {
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
}

/* 64 tokens' sums with m queries; m, reach and bits known when this is compiled. */
TARGET static ALWAYS_INLINE void score_block(int32_t *sum, const fq_attention_trellis *t,
                                             const uint8_t *columns, const uint32_t *offset,
                                             const fq_attention_trellis_query *const *query, size_t m,
                                             unsigned reach, unsigned bits) {
    const level_table table = levels_of(t);
    const size_t planes = t->period_bytes + reach - 1;
    __m512i plane[PLANES_MAX][4], high[4][4], low[4][4];
    for (size_t q = 0; q < m; q++)
        for (size_t v = 0; v < 4; v++)
            high[q][v] = low[q][v] = _mm512_setzero_si512();
    for (size_t four = 0, at = 0; four * TOGETHER < t->periods; four++) {
        interleave(plane, planes, columns, offset + four * planes * TOGETHER);
        for (size_t f = 0; f < t->functions; f++, at += 2 * TOGETHER) {
            __m512i matrix[FQ_TRELLIS_REACH_MAX];
            const size_t last = t->last[f] + reach - 1;
            for (size_t r = 0; r < reach; r++)
                matrix[r] = _mm512_set1_epi64((int64_t)t->matrix[f][r]);
#pragma GCC unroll 4
            for (size_t v = 0; v < 4; v++) {
                const __m512i byte[3] = {plane[last][v], plane[last - 1][v],
                                         reach > 2 ? plane[last - 2][v] : plane[0][v]};
                const __m512i level = read_levels(&table, byte, matrix, reach, bits);
#pragma GCC unroll 4
                for (size_t q = 0; q < m; q++) {
                    high[q][v] = _mm512_dpbusd_epi32(high[q][v], level, four_bytes(query[q]->parts + at));
                    low[q][v] =
                        _mm512_dpbusd_epi32(low[q][v], level, four_bytes(query[q]->parts + at + TOGETHER));
                }
            }
        }
    }
    for (size_t q = 0; q < m; q++) {
        __m512i all[4];
        for (size_t v = 0; v < 4; v++)
            all[v] = _mm512_sub_epi32(_mm512_add_epi32(_mm512_slli_epi32(high[q][v], 8), low[q][v]),
                                      _mm512_set1_epi32(query[q]->bias));
        store_sums(sum + q * CHUNK, all);
    }
}

#define SCORE(m, reach, bits) score_block(to, t, from, offset, query, m, reach, bits)
#define SCORE_BITS(m, reach)                                                                                 \
    do {                                                                                                     \
        if (t->label_bits <= 6)                                                                              \
            SCORE(m, reach, 6);                                                                              \
        else if (t->label_bits == 7)                                                                         \
            SCORE(m, reach, 7);                                                                              \
        else                                                                                                 \
            SCORE(m, reach, 8);                                                                              \
    } while (0)

TARGET static void scores_one(int32_t *to, const fq_attention_trellis *t, const uint8_t *from,
                              const uint32_t *offset, const fq_attention_trellis_query *const *query) {
    if (t->reach == 2)
        SCORE_BITS(1, 2);
    else
        SCORE_BITS(1, 3);
}

TARGET static void scores_two(int32_t *to, const fq_attention_trellis *t, const uint8_t *from,
                              const uint32_t *offset, const fq_attention_trellis_query *const *query) {
    if (t->reach == 2)
        SCORE_BITS(2, 2);
    else
        SCORE_BITS(2, 3);
}

TARGET static void scores(int32_t *sum, const fq_attention_trellis *t,
                          const fq_attention_trellis_tokens *tokens,
                          const fq_attention_trellis_query *const *query, size_t m,
                          fq_attention_prefetch next) {
    uint32_t offset[OFFSETS_MAX];
    if (tokens->stride) {
        fq_attention_trellis_row_scores_avx512(sum, t, tokens, query, m, next);
        return;
    }
    find_columns(offset, t);
    for (size_t block = 0; block < BLOCKS; block++) {
        const uint8_t *const from = tokens->at + block * 2 * TOKENS;
        int32_t *const to = sum + block * TOKENS;
        prefetch(next, block, BLOCKS);
        size_t q = 0;
        for (; q + 2 <= m; q += 2)
            scores_two(to + q * CHUNK, t, from, offset, query + q);
        if (q < m)
            scores_one(to + q * CHUNK, t, from, offset, query + q);
    }
}

/* The sums of `count` functions from f on, of one period, whose last bytes are the same. */
TARGET static ALWAYS_INLINE void add_values(int64_t *total, const fq_attention_trellis *t,
                                            const uint8_t *const *column, size_t f, const int8_t *parts,
                                            size_t count, unsigned reach, unsigned bits) {
    const level_table table = levels_of(t);
    __m512i matrix[4][FQ_TRELLIS_REACH_MAX], high[4], low[4];
    int64_t highs[4], lows[4];
    for (size_t g = 0; g < 4; g++) {
        high[g] = low[g] = _mm512_setzero_si512();
        for (size_t r = 0; g < count && r < reach; r++)
            matrix[g][r] = _mm512_set1_epi64((int64_t)t->matrix[f + g][r]);
    }
    for (size_t block = 0; block < BLOCKS; block++) {
        __m512i byte[FQ_TRELLIS_REACH_MAX];
        for (size_t r = 0; r < reach; r++)
            byte[r] = load(column[r] + block * 2 * TOKENS);
        const __m512i w_high = load(parts + block * TOKENS), w_low = load(parts + CHUNK + block * TOKENS);
#pragma GCC unroll 4
        for (size_t g = 0; g < count; g++) {
            const __m512i level = read_levels(&table, byte, matrix[g], reach, bits);
            high[g] = _mm512_dpbusd_epi32(high[g], level, w_high);
            low[g] = _mm512_dpbusd_epi32(low[g], level, w_low);
        }
    }
    sums_of_lanes(highs, high);
    sums_of_lanes(lows, low);
    for (size_t g = 0; g < count; g++)
        total[g] = 256 * highs[g] + lows[g];
}

#define VALUES(count, reach, bits) add_values(total, t, column, f, parts, count, reach, bits)
#define VALUES_COUNT(reach, bits)                                                                            \
    do {                                                                                                     \
        if (count == 1)                                                                                      \
            VALUES(1, reach, bits);                                                                          \
        else if (count == 2)                                                                                 \
            VALUES(2, reach, bits);                                                                          \
        else if (count == 3)                                                                                 \
            VALUES(3, reach, bits);                                                                          \
        else                                                                                                 \
            VALUES(4, reach, bits);                                                                          \
    } while (0)
#define VALUES_BITS(reach)                                                                                   \
    do {                                                                                                     \
        if (t->label_bits <= 6)                                                                              \
            VALUES_COUNT(reach, 6);                                                                          \
        else if (t->label_bits == 7)                                                                         \
            VALUES_COUNT(reach, 7);                                                                          \
        else                                                                                                 \
            VALUES_COUNT(reach, 8);                                                                          \
    } while (0)

TARGET static void some_values(int64_t *total, const fq_attention_trellis *t, const uint8_t *const *column,
                               size_t f, const int8_t *parts, size_t count) {
    if (t->reach == 2)
        VALUES_BITS(2);
    else
        VALUES_BITS(3);
}

TARGET static void values_of_one(int64_t *total, const fq_attention_trellis *t, const uint8_t *columns,
                                 const int16_t *weight, fq_attention_prefetch next) {
    int8_t parts[2 * CHUNK];
    const int64_t bias = split_weights(parts, weight);
    for (size_t i = 0; i < t->periods; i++) {
        prefetch(next, i, t->periods);
        for (size_t f = 0, count; f < t->functions; f += count) {
            const size_t at = t->period_bytes * i + t->last[f];
            const uint8_t *column[FQ_TRELLIS_REACH_MAX];
            for (count = 1; count < 4 && f + count < t->functions && t->last[f + count] == t->last[f];)
                count++;
            for (size_t r = 0; r < t->reach; r++)
                column[r] = columns + column_of(t->bytes, at, r);
            some_values(total + i * t->functions + f, t, column, f, parts, count);
        }
    }
    for (size_t j = 0; j < t->code->dim; j++)
        total[j] -= bias;
}

TARGET static void values(int64_t *total, const fq_attention_trellis *t,
                          const fq_attention_trellis_tokens *tokens, const int16_t *weight, size_t m,
                          fq_attention_prefetch next) {
    if (tokens->stride)
        fq_attention_trellis_row_values_avx512(total, t, tokens, weight, m, next);
    for (size_t q = 0; q < m && !tokens->stride; q++, next.bytes = 0)
        values_of_one(total + q * t->code->dim, t, tokens->at, weight + q * CHUNK, next);
}

/* Rows where there are; a chunk that is not full is copied, for zeros stand behind it. */
TARGET static fq_attention_trellis_tokens arrange(const fq_attention_trellis *t, uint8_t *room,
                                                  const uint8_t *payloads, size_t stride, size_t n) {
    if (!t->row_bytes) {
        columns(room, payloads, stride, t->bytes, n);
        return (fq_attention_trellis_tokens){.at = room};
    }
    if (n == CHUNK)
        return (fq_attention_trellis_tokens){.at = payloads, .stride = stride};
    for (size_t i = 0; i < n; i++)
        memcpy(room + i * t->bytes, payloads + i * stride, t->bytes);
    memset(room + n * t->bytes, 0, (CHUNK - n) * t->bytes);
    return (fq_attention_trellis_tokens){.at = room, .stride = t->bytes};
}

const fq_attention_trellis_kernels fq_attention_trellis_avx512 = {
    .kernel = FQ_ATTENTION_AVX512,
    .needs = FQ_CPU_AVX2 | FQ_CPU_AVX512F | FQ_CPU_AVX512BW | FQ_CPU_AVX512DQ | FQ_CPU_AVX512VL |
             FQ_CPU_VNNI | FQ_CPU_VBMI | FQ_CPU_GFNI,
    .arrange = arrange,
    .scores = scores,
    .values = values,
};
#endif
