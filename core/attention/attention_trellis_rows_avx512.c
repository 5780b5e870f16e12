/* AVX-512 where periods are one byte, which payloads need not be transposed for: a register holds sixteen
 * bytes of four tokens, or the eight of eight tokens, as they lie in memory. Scores: four bytes in a row are
 * four coordinates of a token, whose products with the query's are added by one instruction. Values: one
 * permutation brings four tokens' bytes of a period side by side, and every number of 32 bits sums one
 * coordinate. The bytes before are the same ones turned by one. */
#include "attention_trellis.h"

#if defined(__x86_64__)
#include <string.h>

#include "attention_trellis_avx512.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, REGISTER = 64, GROUPS = 4, QUERIES = 4, FUNCTIONS = 4 };

TARGET static ALWAYS_INLINE __m128i load_row(const uint8_t *at, size_t stride, bool eight) {
    if (!eight)
        return _mm_loadu_si128((const __m128i *)(const void *)at);
    int64_t first, second;
    memcpy(&first, at, sizeof first);
    memcpy(&second, at + stride, sizeof second);
    return _mm_insert_epi64(_mm_cvtsi64_si128(first), second, 1);
}

/* Rows apart, 2 apart, 3 apart from the first one; eight: also those behind each. */
TARGET static ALWAYS_INLINE __m512i load_rows(const uint8_t *at, size_t stride, size_t apart, bool eight) {
    __m512i x = _mm512_castsi128_si512(load_row(at, stride, eight));
    x = _mm512_inserti32x4(x, load_row(at + apart * stride, stride, eight), 1);
    x = _mm512_inserti32x4(x, load_row(at + 2 * apart * stride, stride, eight), 2);
    return _mm512_inserti32x4(x, load_row(at + 3 * apart * stride, stride, eight), 3);
}

/* The numbers of tokens, four in each group's lane, added up: 16 tokens' sums, token 4 l + g from lane l of
 * group g. */
TARGET static ALWAYS_INLINE void store_fours(int32_t *to, const __m512i sum[GROUPS]) {
    const __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(sum[0], sum[1]),
                                       _mm512_unpackhi_epi32(sum[0], sum[1])),
                  b = _mm512_add_epi32(_mm512_unpacklo_epi32(sum[2], sum[3]),
                                       _mm512_unpackhi_epi32(sum[2], sum[3]));
    store(to, _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)));
}

/* The same of two groups whose lanes hold two numbers of two tokens each. */
TARGET static ALWAYS_INLINE void store_twos(int32_t *to, const __m512i sum[2]) {
    const __m512 a = _mm512_castsi512_ps(sum[0]), b = _mm512_castsi512_ps(sum[1]);
    store(to, _mm512_add_epi32(_mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88)),
                               _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xdd))));
}

/* Sums of GROUPS registers of tokens with m queries, `some` registers at a time; what is named last is known
 * when this is compiled. */
TARGET static ALWAYS_INLINE void score_rows(int32_t *sum, const fq_attention_trellis *t, const uint8_t *rows,
                                            size_t stride, const fq_attention_trellis_query *const *query,
                                            size_t m, unsigned reach, unsigned bits, bool eight) {
    const level_table table = levels_of(t);
    const size_t some = m > 2 ? 2 : GROUPS;
    __m512i all[QUERIES][GROUPS];
    for (size_t first = 0; first < GROUPS; first += some) {
        __m512i high[QUERIES][GROUPS], low[QUERIES][GROUPS], before[GROUPS];
        const uint8_t *at[GROUPS];
#pragma GCC unroll 4
        for (size_t g = 0; g < some; g++) {
            const size_t token = eight ? (first + g) / 2 * 16 + (first + g) % 2 * 2 : first + g;
            at[g] = rows + token * stride;
            before[g] = _mm512_setzero_si512();
            if (t->segments > 1)
                before[g] = load_rows(at[g] + t->row_bytes * (t->segments - 1), stride, 4, eight);
#pragma GCC unroll 4
            for (size_t q = 0; q < m; q++)
                high[q][g] = low[q][g] = _mm512_setzero_si512();
        }
        for (size_t s = 0; s < t->segments; s++) {
            __m512i byte[GROUPS][FQ_TRELLIS_REACH_MAX];
#pragma GCC unroll 4
            for (size_t g = 0; g < some; g++) {
                const __m512i x = load_rows(at[g] + t->row_bytes * s, stride, 4, eight);
                const __m512i y = t->segments > 1 ? before[g] : x;
                byte[g][0] = before[g] = x;
                byte[g][1] =
                    eight ? _mm512_shuffle_epi8(x, load(t->turn_scores[1])) : _mm512_alignr_epi8(x, y, 15);
                if (reach > 2)
                    byte[g][2] = eight ? _mm512_shuffle_epi8(x, load(t->turn_scores[2]))
                                       : _mm512_alignr_epi8(x, y, 14);
            }
            for (size_t f = 0; f < t->functions; f++) {
                const size_t tile = (s * t->functions + f) * 2 * REGISTER;
                __m512i matrix[FQ_TRELLIS_REACH_MAX];
                for (size_t r = 0; r < reach; r++)
                    matrix[r] = _mm512_set1_epi64((int64_t)t->matrix[f][r]);
#pragma GCC unroll 4
                for (size_t g = 0; g < some; g++) {
                    const __m512i level = read_levels(&table, byte[g], matrix, reach, bits);
#pragma GCC unroll 4
                    for (size_t q = 0; q < m; q++) {
                        const int8_t *const numbers = query[q]->tiles + tile;
                        high[q][g] = _mm512_dpbusd_epi32(high[q][g], level, load(numbers));
                        low[q][g] = _mm512_dpbusd_epi32(low[q][g], level, load(numbers + REGISTER));
                    }
                }
            }
        }
#pragma GCC unroll 4
        for (size_t g = 0; g < some; g++)
#pragma GCC unroll 4
            for (size_t q = 0; q < m; q++)
                all[q][first + g] = _mm512_add_epi32(_mm512_slli_epi32(high[q][g], 8), low[q][g]);
    }
    for (size_t q = 0; q < m; q++) {
        const __m512i bias = _mm512_set1_epi32(query[q]->bias / (eight ? 2 : 4)); /* added again for each */
        for (size_t g = 0; g < GROUPS; g++)
            all[q][g] = _mm512_sub_epi32(all[q][g], bias);
        if (eight) {
            store_twos(sum + q * CHUNK, all[q]);
            store_twos(sum + q * CHUNK + 16, all[q] + 2);
        } else {
            store_fours(sum + q * CHUNK, all[q]);
        }
    }
}

/* call(reach, bits) with what is known when code is made: labels of at most `bits` bits. */
#define BY_SHAPE(t, call)                                                                                    \
    do {                                                                                                     \
        if ((t)->reach == 2) {                                                                               \
            BY_BITS(t, call, 2);                                                                             \
        } else {                                                                                             \
            BY_BITS(t, call, 3);                                                                             \
        }                                                                                                    \
    } while (0)
#define BY_BITS(t, call, reach)                                                                              \
    do {                                                                                                     \
        if ((t)->label_bits <= 6) {                                                                          \
            call(reach, 6);                                                                                  \
        } else if ((t)->label_bits == 7) {                                                                   \
            call(reach, 7);                                                                                  \
        } else {                                                                                             \
            call(reach, 8);                                                                                  \
        }                                                                                                    \
    } while (0)

/* All tokens with m queries. */
#define SCORES(name, m, eight)                                                                               \
    TARGET static void name(int32_t *sum, const fq_attention_trellis *t,                                     \
                            const fq_attention_trellis_tokens *tokens,                                       \
                            const fq_attention_trellis_query *const *query, fq_attention_prefetch next) {    \
        BY_SHAPE(t, SCORES_##m##_##eight);                                                                   \
    }
#define SCORES_OF(m, reach, bits, eight)                                                                     \
    for (size_t i = 0; i < CHUNK; i += (eight) ? 32 : 16) {                                                  \
        prefetch(next, i / ((eight) ? 32 : 16), CHUNK / ((eight) ? 32 : 16));                                \
        score_rows(sum + i, t, tokens->at + i * tokens->stride, tokens->stride, query, m, reach, bits,       \
                   eight);                                                                                   \
    }
#define SCORES_1_false(reach, bits) SCORES_OF(1, reach, bits, false)
#define SCORES_2_false(reach, bits) SCORES_OF(2, reach, bits, false)
#define SCORES_4_false(reach, bits) SCORES_OF(4, reach, bits, false)
#define SCORES_1_true(reach, bits)  SCORES_OF(1, reach, bits, true)
#define SCORES_2_true(reach, bits)  SCORES_OF(2, reach, bits, true)
#define SCORES_4_true(reach, bits)  SCORES_OF(4, reach, bits, true)
SCORES(scores_one, 1, false)
SCORES(scores_two, 2, false)
SCORES(scores_four, 4, false)
SCORES(scores_one_of_eight, 1, true)
SCORES(scores_two_of_eight, 2, true)
SCORES(scores_four_of_eight, 4, true)

TARGET void fq_attention_trellis_row_scores_avx512(int32_t *sum, const fq_attention_trellis *t,
                                                   const fq_attention_trellis_tokens *tokens,
                                                   const fq_attention_trellis_query *const *query, size_t m,
                                                   fq_attention_prefetch next) {
    const bool eight = t->row_bytes == 8;
    for (size_t q = 0, some; q < m; q += some, next.bytes = 0) {
        some = m - q >= 4 ? 4 : m - q >= 2 ? 2 : 1;
        (some == 4 ? (eight ? scores_four_of_eight : scores_four)
         : some == 2
             ? (eight ? scores_two_of_eight : scores_two)
             : (eight ? scores_one_of_eight : scores_one))(sum + q * CHUNK, t, tokens, query + q, next);
    }
}

/* Four tokens' weights in every number; eight: the next four's in the upper half. */
TARGET static ALWAYS_INLINE __m512i four_weights(const int8_t *at, bool eight) {
    int32_t first, second;
    memcpy(&first, at, sizeof first);
    if (!eight)
        return _mm512_set1_epi32(first);
    memcpy(&second, at + 4, sizeof second);
    return _mm512_inserti64x4(_mm512_set1_epi32(first), _mm256_set1_epi32(second), 1);
}

/* Segment s of four or eight tokens by period: four tokens' bytes side by side. */
TARGET static ALWAYS_INLINE void read_periods(__m512i byte[FQ_TRELLIS_REACH_MAX],
                                              const fq_attention_trellis *t, const uint8_t *at, size_t stride,
                                              size_t s, unsigned reach, bool eight) {
    const __m512i order = load(t->turn_values[0]);
    const __m512i rows = load_rows(at + t->row_bytes * s, stride, eight ? 2 : 1, eight);
    byte[0] = _mm512_permutexvar_epi8(order, rows);
    if (eight) {
        for (size_t r = 1; r < reach; r++)
            byte[r] = _mm512_permutexvar_epi8(load(t->turn_values[r]), rows);
        return;
    }
    __m512i before = byte[0];
    if (t->segments > 1)
        before = _mm512_permutexvar_epi8(
            order, load_rows(at + t->row_bytes * ((s ? s : t->segments) - 1), stride, 1, false));
    byte[1] = _mm512_alignr_epi32(byte[0], before, 15);
    if (reach > 2)
        byte[2] = _mm512_alignr_epi32(byte[0], before, 14);
}

/* The sums of `count` functions from f on of segment s with m queries' weights; what is named last is known
 * when this is compiled. */
TARGET static ALWAYS_INLINE void add_rows(int64_t *total, const fq_attention_trellis *t,
                                          const fq_attention_trellis_tokens *tokens, size_t s, size_t f,
                                          const int8_t *parts, const int64_t *bias,
                                          fq_attention_prefetch ahead, size_t m, size_t count, unsigned reach,
                                          unsigned bits, bool eight) {
    const level_table table = levels_of(t);
    __m512i matrix[FUNCTIONS][FQ_TRELLIS_REACH_MAX], high[QUERIES][FUNCTIONS], low[QUERIES][FUNCTIONS];
    for (size_t g = 0; g < count; g++) {
        for (size_t r = 0; r < reach; r++)
            matrix[g][r] = _mm512_set1_epi64((int64_t)t->matrix[f + g][r]);
        for (size_t q = 0; q < m; q++)
            high[q][g] = low[q][g] = _mm512_setzero_si512();
    }
    const size_t some = eight ? 8 : 4;
    __m512i byte[FQ_TRELLIS_REACH_MAX], coming[FQ_TRELLIS_REACH_MAX];
    read_periods(coming, t, tokens->at, tokens->stride, s, reach, eight);
    for (size_t i = 0; i < CHUNK; i += some) {
        __m512i w_high[QUERIES], w_low[QUERIES];
        const size_t next = i + some < CHUNK ? i + some : i; /* read early, while there is work */
        if (i % 16 == 0)
            prefetch(ahead, i / 16, CHUNK / 16);
        for (size_t r = 0; r < reach; r++)
            byte[r] = coming[r];
        read_periods(coming, t, tokens->at + next * tokens->stride, tokens->stride, s, reach, eight);
#pragma GCC unroll 4
        for (size_t q = 0; q < m; q++) {
            w_high[q] = four_weights(parts + 2 * q * CHUNK + i, eight);
            w_low[q] = four_weights(parts + (2 * q + 1) * CHUNK + i, eight);
        }
#pragma GCC unroll 4
        for (size_t g = 0; g < count; g++) {
            const __m512i level = read_levels(&table, byte, matrix[g], reach, bits);
#pragma GCC unroll 4
            for (size_t q = 0; q < m; q++) {
                high[q][g] = _mm512_dpbusd_epi32(high[q][g], level, w_high[q]);
                low[q][g] = _mm512_dpbusd_epi32(low[q][g], level, w_low[q]);
            }
        }
    }
    for (size_t q = 0; q < m; q++)
        for (size_t g = 0; g < count; g++) {
            int32_t highs[16], lows[16]; /* below 2^25 */
            store(highs, high[q][g]);
            store(lows, low[q][g]);
            for (size_t i = 0; i < t->row_bytes; i++) {
                int64_t sum = 256 * (int64_t)highs[i] + lows[i];
                if (eight)
                    sum += 256 * (int64_t)highs[i + 8] + lows[i + 8];
                total[q * t->code->dim + (t->row_bytes * s + i) * t->functions + f + g] = sum - bias[q];
            }
        }
}

#define VALUES(name, m, count, eight)                                                                        \
    TARGET static void name(int64_t *total, const fq_attention_trellis *t,                                   \
                            const fq_attention_trellis_tokens *tokens, size_t s, size_t f,                   \
                            const int8_t *parts, const int64_t *bias, fq_attention_prefetch ahead) {         \
        BY_SHAPE(t, VALUES_##m##_##count##_##eight);                                                         \
    }
#define VALUES_OF(m, count, reach, bits, eight)                                                              \
    add_rows(total, t, tokens, s, f, parts, bias, ahead, m, count, reach, bits, eight)
#define VALUES_1_1_false(reach, bits) VALUES_OF(1, 1, reach, bits, false)
#define VALUES_1_2_false(reach, bits) VALUES_OF(1, 2, reach, bits, false)
#define VALUES_1_4_false(reach, bits) VALUES_OF(1, 4, reach, bits, false)
#define VALUES_2_2_false(reach, bits) VALUES_OF(2, 2, reach, bits, false)
#define VALUES_2_4_false(reach, bits) VALUES_OF(2, 4, reach, bits, false)
#define VALUES_4_2_false(reach, bits) VALUES_OF(4, 2, reach, bits, false)
#define VALUES_1_1_true(reach, bits)  VALUES_OF(1, 1, reach, bits, true)
#define VALUES_1_4_true(reach, bits)  VALUES_OF(1, 4, reach, bits, true)
#define VALUES_2_4_true(reach, bits)  VALUES_OF(2, 4, reach, bits, true)
#define VALUES_4_2_true(reach, bits)  VALUES_OF(4, 2, reach, bits, true)
VALUES(values_one_by_one, 1, 1, false)
VALUES(values_one_by_two, 1, 2, false)
VALUES(values_one_by_four, 1, 4, false)
VALUES(values_two_by_two, 2, 2, false)
VALUES(values_two_by_four, 2, 4, false)
VALUES(values_four_by_two, 4, 2, false)
VALUES(values_one_by_one_of_eight, 1, 1, true)
VALUES(values_one_by_four_of_eight, 1, 4, true)
VALUES(values_two_by_four_of_eight, 2, 4, true)
VALUES(values_four_by_two_of_eight, 4, 2, true)

typedef void some_values(int64_t *total, const fq_attention_trellis *t,
                         const fq_attention_trellis_tokens *tokens, size_t s, size_t f, const int8_t *parts,
                         const int64_t *bias, fq_attention_prefetch ahead);

/* The ways to take queries and functions together, those of most work first. */
static const struct {
    some_values *run[2]; /* of rows of 16 and of 8 bytes; NULL: another way */
    size_t queries, functions;
} ways[] = {
    {{values_four_by_two, values_four_by_two_of_eight}, 4, 2},
    {{values_two_by_four, values_two_by_four_of_eight}, 2, 4},
    {{values_two_by_two, NULL}, 2, 2},
    {{values_one_by_four, values_one_by_four_of_eight}, 1, 4},
    {{values_one_by_two, NULL}, 1, 2},
    {{values_one_by_one, values_one_by_one_of_eight}, 1, 1},
};

TARGET void fq_attention_trellis_row_values_avx512(int64_t *total, const fq_attention_trellis *t,
                                                   const fq_attention_trellis_tokens *tokens,
                                                   const int16_t *weight, size_t m,
                                                   fq_attention_prefetch next) {
    int8_t parts[QUERIES * 2 * CHUNK];
    int64_t bias[QUERIES];
    const size_t eight = t->row_bytes == 8, steps = t->segments * t->functions;
    for (size_t q = 0, w; q < m; q += ways[w].queries) {
        for (w = 0; ways[w].queries > m - q || ways[w].functions > t->functions || !ways[w].run[eight];)
            w++;
        for (size_t k = 0; k < ways[w].queries; k++)
            bias[k] = split_weights(parts + k * 2 * CHUNK, weight + (q + k) * CHUNK);
        for (size_t step = 0; step < steps; step += ways[w].functions, next.bytes = 0)
            ways[w].run[eight](total + q * t->code->dim, t, tokens, step / t->functions, step % t->functions,
                               parts, bias, next);
    }
}
#endif
