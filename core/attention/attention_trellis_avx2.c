/* AVX2, 32 labels at a time: for values one coordinate of 32 tokens, for scores one of four periods of 8
 * tokens. */
#include "attention_trellis.h"

#if defined(__x86_64__)
#include <string.h>

#include "cpu.h"
#include "trellis_avx2.h"

enum {
    CHUNK = FQ_ATTENTION_CHUNK,
    TOKENS = 32,
    BLOCKS = CHUNK / TOKENS,
    TOGETHER = FQ_ATTENTION_TRELLIS_TOGETHER,
    PLANES_MAX = FQ_TRELLIS_FRESH_MAX + FQ_TRELLIS_REACH_MAX - 1
};

/* The levels that function f gives for its last byte and those before. */
TARGET static ALWAYS_INLINE __m256i read_levels(const fq_attention_trellis *t, size_t f,
                                                const nibbles *const *byte, unsigned bits) {
    __m256i label =
        _mm256_xor_si256(multiply(*byte[0], t->nibble[f][0]), multiply(*byte[1], t->nibble[f][1]));
    if (t->reach > 2)
        label = _mm256_xor_si256(label, multiply(*byte[2], t->nibble[f][2]));
    return look_up(t->level, label, bits);
}

/* Where the bytes of 32 tokens stand that are `back` before byte `at` of the circle; at < 2 bytes. */
static ALWAYS_INLINE const uint8_t *column_of(const uint8_t *columns, size_t bytes, size_t at, size_t back) {
    const size_t moved = at + bytes - back;
    return columns + (moved >= bytes ? moved - bytes : moved) * CHUNK;
}

/* Bytes of four periods, 4 i and on, of 32 tokens as numbers of 32 bits: [plane][4][8 tokens], plane 0 the
 * byte reach - 1 before the period's first. Half h of vector v holds tokens 16 h + 4 v ... + 3. Periods
 * behind the last are any: the queries' numbers are zero. */
TARGET static ALWAYS_INLINE void interleave(nibbles (*plane)[4], const fq_attention_trellis *t,
                                            const uint8_t *columns, size_t four) {
    for (size_t c = 0; c < t->period_bytes + t->reach - 1; c++) {
        __m256i byte[TOGETHER];
        for (size_t k = 0; k < TOGETHER; k++) {
            const size_t i = TOGETHER * four + k < t->periods ? TOGETHER * four + k : 0;
            const size_t at = t->period_bytes * i + c;
            byte[k] =
                load(column_of(columns, t->bytes, at < t->bytes ? at : at - t->bytes, (size_t)t->reach - 1));
        }
        const __m256i low01 = _mm256_unpacklo_epi8(byte[0], byte[1]),
                      high01 = _mm256_unpackhi_epi8(byte[0], byte[1]),
                      low23 = _mm256_unpacklo_epi8(byte[2], byte[3]),
                      high23 = _mm256_unpackhi_epi8(byte[2], byte[3]);
        plane[c][0] = nibbles_of(_mm256_unpacklo_epi16(low01, low23));
        plane[c][1] = nibbles_of(_mm256_unpackhi_epi16(low01, low23));
        plane[c][2] = nibbles_of(_mm256_unpacklo_epi16(high01, high23));
        plane[c][3] = nibbles_of(_mm256_unpackhi_epi16(high01, high23));
    }
}

/* Adds <q, levels> of four numbers each: numbers 0 and 2 by the even bytes, 1 and 3 by the odd ones. */
TARGET static ALWAYS_INLINE __m256i add_products(__m256i sum, __m256i even, __m256i odd,
                                                 const int16_t *pairs) {
    int32_t first, second;
    memcpy(&first, pairs, sizeof first);
    memcpy(&second, pairs + 2, sizeof second);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even, _mm256_set1_epi32(first)));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(odd, _mm256_set1_epi32(second)));
}

/* 32 tokens' sums with m <= 2 queries; m and bits known when this is compiled. */
TARGET static ALWAYS_INLINE void score_block(int32_t *to, const fq_attention_trellis *t,
                                             const uint8_t *columns,
                                             const fq_attention_trellis_query *const *query, size_t m,
                                             unsigned bits) {
    nibbles plane[PLANES_MAX][4];
    __m256i sum[2][4];
    for (size_t q = 0; q < m; q++)
        for (size_t v = 0; v < 4; v++)
            sum[q][v] = _mm256_set1_epi32(-query[q]->bias);
    for (size_t four = 0, at = 0; four * TOGETHER < t->periods; four++) {
        interleave(plane, t, columns, four);
        for (size_t f = 0; f < t->functions; f++, at += TOGETHER) {
            const size_t last = t->last[f] + (size_t)t->reach - 1;
            for (size_t v = 0; v < 4; v++) {
                const nibbles *const byte[3] = {&plane[last][v], &plane[last - 1][v],
                                                &plane[t->reach > 2 ? last - 2 : 0][v]};
                const __m256i level = read_levels(t, f, byte, bits);
                const __m256i even = _mm256_and_si256(level, _mm256_set1_epi16(255)),
                              odd = _mm256_srli_epi16(level, 8);
                for (size_t q = 0; q < m; q++)
                    sum[q][v] = add_products(sum[q][v], even, odd, query[q]->pairs + at);
            }
        }
    }
    for (size_t q = 0; q < m; q++)
        for (size_t v = 0; v < 4; v++) {
            __m128i *const at = (__m128i *)(void *)(to + q * CHUNK + 4 * v);
            _mm_storeu_si128(at, _mm256_castsi256_si128(sum[q][v]));
            _mm_storeu_si128(at + 4, _mm256_extracti128_si256(sum[q][v], 1));
        }
}

/* The fewest bits of a label that code is made for and that hold this one's. */
#define BY_BITS(t, call)                                                                                     \
    do {                                                                                                     \
        switch ((t)->label_bits) {                                                                           \
        case 8:                                                                                              \
            call(8);                                                                                         \
            break;                                                                                           \
        case 7:                                                                                              \
            call(7);                                                                                         \
            break;                                                                                           \
        default:                                                                                             \
            call(6);                                                                                         \
        }                                                                                                    \
    } while (0)

#define SCORE_ONE(bits) score_block(to, t, from, query, 1, bits)
#define SCORE_TWO(bits) score_block(to, t, from, query, 2, bits)

TARGET static void scores_one(int32_t *to, const fq_attention_trellis *t, const uint8_t *from,
                              const fq_attention_trellis_query *const *query) {
    BY_BITS(t, SCORE_ONE);
}

TARGET static void scores_two(int32_t *to, const fq_attention_trellis *t, const uint8_t *from,
                              const fq_attention_trellis_query *const *query) {
    BY_BITS(t, SCORE_TWO);
}

TARGET static void scores(int32_t *sum, const fq_attention_trellis *t,
                          const fq_attention_trellis_tokens *tokens,
                          const fq_attention_trellis_query *const *query, size_t m,
                          fq_attention_prefetch next) {
    for (size_t block = 0; block < BLOCKS; block++) {
        const uint8_t *const from = tokens->at + block * TOKENS;
        int32_t *const to = sum + block * TOKENS;
        prefetch(next, block, BLOCKS);
        size_t q = 0;
        for (; q + 2 <= m; q += 2)
            scores_two(to + q * CHUNK, t, from, query + q);
        if (q < m)
            scores_one(to + q * CHUNK, t, from, query + q);
    }
}

/* A function's sums over all tokens of one period with m <= 2 queries' weights; m and bits known when this is
 * compiled. */
TARGET static ALWAYS_INLINE void value(int64_t *const *total, const fq_attention_trellis *t,
                                       const uint8_t *const *column, size_t f, const int16_t *weight,
                                       size_t m, unsigned bits) {
    __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t block = 0; block < BLOCKS; block++) {
        nibbles part[FQ_TRELLIS_REACH_MAX];
        for (size_t r = 0; r < FQ_TRELLIS_REACH_MAX; r++)
            part[r] = nibbles_of(load(column[r] + block * TOKENS));
        const nibbles *const byte[3] = {&part[0], &part[1], &part[2]};
        const __m256i level = read_levels(t, f, byte, bits), zero = _mm256_setzero_si256(),
                      low = _mm256_unpacklo_epi8(level, zero), high = _mm256_unpackhi_epi8(level, zero);
        for (size_t q = 0; q < m; q++) {
            const int16_t *const w = weight + q * CHUNK + block * TOKENS;
            sum[q] = _mm256_add_epi32(sum[q], _mm256_madd_epi16(low, load(w)));
            sum[q] = _mm256_add_epi32(sum[q], _mm256_madd_epi16(high, load(w + 16)));
        }
    }
    for (size_t q = 0; q < m; q++) {
        int32_t lane[8]; /* each at most 64 products of 255 * 32639, below 2^30 */
        _mm256_storeu_si256((__m256i *)(void *)lane, sum[q]);
        for (size_t l = 0; l < 8; l++)
            *total[q] += lane[l];
    }
}

#define VALUE_ONE(bits) value(total, t, column, f, weight, 1, bits)
#define VALUE_TWO(bits) value(total, t, column, f, weight, 2, bits)

TARGET static void value_one(int64_t *const *total, const fq_attention_trellis *t,
                             const uint8_t *const *column, size_t f, const int16_t *weight) {
    BY_BITS(t, VALUE_ONE);
}

TARGET static void value_two(int64_t *const *total, const fq_attention_trellis *t,
                             const uint8_t *const *column, size_t f, const int16_t *weight) {
    BY_BITS(t, VALUE_TWO);
}

/* Weights in the order in which bytes of 32 tokens become numbers of 16 bits: tokens 0-7 and 16-23, then
 * 8-15 and 24-31. Returns 128 times their sum. */
static int64_t order_weights(int16_t *to, const int16_t *weight) {
    int64_t sum = 0;
    for (size_t i = 0; i < CHUNK; i++) {
        to[i / 32 * 32 + i / 8 % 2 * 16 + i / 16 % 2 * 8 + i % 8] = weight[i];
        sum += weight[i];
    }
    return 128 * sum;
}

/* The sums of m <= 2 queries. */
TARGET static void some_values(int64_t *total, const fq_attention_trellis *t, const uint8_t *columns,
                               const int16_t *weight, size_t m, fq_attention_prefetch next) {
    int16_t ordered[2 * CHUNK];
    int64_t bias[2];
    for (size_t q = 0; q < m; q++)
        bias[q] = order_weights(ordered + q * CHUNK, weight + q * CHUNK);
    for (size_t i = 0; i < t->periods; i++) {
        prefetch(next, i, t->periods);
        for (size_t f = 0; f < t->functions; f++) {
            const uint8_t *column[FQ_TRELLIS_REACH_MAX];
            int64_t *const to[2] = {total + i * t->functions + f,
                                    total + (m - 1) * t->code->dim + i * t->functions + f};
            for (size_t r = 0; r < FQ_TRELLIS_REACH_MAX; r++) /* a third one may not be needed */
                column[r] =
                    column_of(columns, t->bytes, t->period_bytes * i + t->last[f], r < t->reach ? r : 0);
            for (size_t q = 0; q < m; q++)
                *to[q] = -bias[q];
            (m == 1 ? value_one : value_two)(to, t, column, f, ordered);
        }
    }
}

TARGET static void values(int64_t *total, const fq_attention_trellis *t,
                          const fq_attention_trellis_tokens *tokens, const int16_t *weight, size_t m,
                          fq_attention_prefetch next) {
    for (size_t q = 0; q < m; q += 2, next.bytes = 0)
        some_values(total + q * t->code->dim, t, tokens->at, weight + q * CHUNK, m - q < 2 ? 1 : 2, next);
}

static fq_attention_trellis_tokens arrange(const fq_attention_trellis *t, uint8_t *room,
                                           const uint8_t *payloads, size_t stride, size_t n) {
    fq_attention_kernels_avx2.columns(room, payloads, stride, t->bytes, n);
    return (fq_attention_trellis_tokens){.at = room};
}

const fq_attention_trellis_kernels fq_attention_trellis_avx2 = {
    .kernel = FQ_ATTENTION_AVX2,
    .needs = FQ_CPU_AVX2,
    .arrange = arrange,
    .scores = scores,
    .values = values,
};
#endif
