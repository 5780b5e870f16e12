/* NEON, one coordinate of 16 tokens at a time. */
#include "attention_trellis.h"

#if defined(__aarch64__)
#include <string.h>

#include "cpu.h"
#include "trellis_neon.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, TOKENS = 16, BLOCKS = CHUNK / TOKENS, MOST = 4 };

/* Where the bytes of the chunk's tokens stand that are `back` before byte `at` of the circle. */
static ALWAYS_INLINE const uint8_t *column_of(const uint8_t *columns, size_t bytes, size_t at, size_t back) {
    return columns + (at + bytes - back) % bytes * CHUNK;
}

/* The columns of the bytes that function f of a period looks at; behind its reach the last one again. */
static void find_columns(const uint8_t *column[FQ_TRELLIS_REACH_MAX], const fq_attention_trellis *t,
                         const uint8_t *columns, size_t period, size_t f) {
    for (size_t r = 0; r < FQ_TRELLIS_REACH_MAX; r++)
        column[r] = column_of(columns, t->bytes, t->period_bytes * period + t->last[f], r < t->reach ? r : 0);
}

/* Levels of a coordinate of 16 tokens. */
static ALWAYS_INLINE int8x16_t read_levels(const fq_attention_trellis *t, const uint8_t *const *column,
                                           size_t f, size_t block, unsigned bits) {
    uint8x16_t label = vdupq_n_u8(0);
    for (size_t r = 0; r < t->reach; r++)
        label = veorq_u8(label, multiply(vld1q_u8(column[r] + block * TOKENS), t->nibble[f][r]));
    return vreinterpretq_s8_u8(veorq_u8(look_up(t->level, label, bits), vdupq_n_u8(128)));
}

/* All tokens' sums with m <= MOST queries. */
static ALWAYS_INLINE void score_some(int32_t *sum, const fq_attention_trellis *t, const uint8_t *columns,
                                     const fq_attention_trellis_query *const *query, size_t m,
                                     unsigned bits) {
    memset(sum, 0, m * CHUNK * sizeof *sum);
    for (size_t j = 0; j < t->code->dim; j++) {
        const uint8_t *column[FQ_TRELLIS_REACH_MAX];
        const size_t f = j % t->functions;
        find_columns(column, t, columns, j / t->functions, f);
        for (size_t block = 0; block < BLOCKS; block++) {
            const int8x16_t level = read_levels(t, column, f, block, bits);
            const int16x8_t half[2] = {vmovl_s8(vget_low_s8(level)), vmovl_s8(vget_high_s8(level))};
            for (size_t q = 0; q < m; q++)
                for (size_t h = 0; h < 2; h++) {
                    int32_t *const at = sum + q * CHUNK + block * TOKENS + 8 * h;
                    const int16_t number = query[q]->number[j];
                    vst1q_s32(at, vmlal_n_s16(vld1q_s32(at), vget_low_s16(half[h]), number));
                    vst1q_s32(at + 4, vmlal_n_s16(vld1q_s32(at + 4), vget_high_s16(half[h]), number));
                }
        }
    }
}

static void scores(int32_t *sum, const fq_attention_trellis *t, const fq_attention_trellis_tokens *tokens,
                   const fq_attention_trellis_query *const *query, size_t m, fq_attention_prefetch next) {
    const uint8_t *const columns = tokens->at;
    prefetch(next, 0, 1);
    for (size_t q = 0; q < m; q += MOST) {
        const size_t count = m - q < MOST ? m - q : MOST;
        if (t->label_bits <= 6)
            score_some(sum + q * CHUNK, t, columns, query + q, count, 6);
        else if (t->label_bits == 7)
            score_some(sum + q * CHUNK, t, columns, query + q, count, 7);
        else
            score_some(sum + q * CHUNK, t, columns, query + q, count, 8);
    }
}

/* One coordinate's sums with m <= MOST queries' weights: each of four lanes at most 128 products of
 * 127 * 32639, below 2^30. */
static ALWAYS_INLINE void value(int64_t *total, const fq_attention_trellis *t, const uint8_t *const *column,
                                size_t f, const int16_t *weight, size_t m, unsigned bits) {
    int32x4_t sum[MOST];
    for (size_t q = 0; q < m; q++)
        sum[q] = vdupq_n_s32(0);
    for (size_t block = 0; block < BLOCKS; block++) {
        const int8x16_t level = read_levels(t, column, f, block, bits);
        const int16x8_t half[2] = {vmovl_s8(vget_low_s8(level)), vmovl_s8(vget_high_s8(level))};
        for (size_t q = 0; q < m; q++)
            for (size_t h = 0; h < 2; h++) {
                const int16x8_t w = vld1q_s16(weight + q * CHUNK + block * TOKENS + 8 * h);
                sum[q] = vmlal_s16(sum[q], vget_low_s16(half[h]), vget_low_s16(w));
                sum[q] = vmlal_s16(sum[q], vget_high_s16(half[h]), vget_high_s16(w));
            }
    }
    for (size_t q = 0; q < m; q++)
        total[q * t->code->dim] = vaddlvq_s32(sum[q]);
}

static void some_values(int64_t *total, const fq_attention_trellis *t, const uint8_t *columns,
                        const int16_t *weight, size_t m, fq_attention_prefetch next) {
    for (size_t j = 0; j < t->code->dim; j++) {
        const uint8_t *column[FQ_TRELLIS_REACH_MAX];
        const size_t f = j % t->functions;
        prefetch(next, j, t->code->dim);
        find_columns(column, t, columns, j / t->functions, f);
        if (t->label_bits <= 6)
            value(total + j, t, column, f, weight, m, 6);
        else if (t->label_bits == 7)
            value(total + j, t, column, f, weight, m, 7);
        else
            value(total + j, t, column, f, weight, m, 8);
    }
}

static void values(int64_t *total, const fq_attention_trellis *t, const fq_attention_trellis_tokens *tokens,
                   const int16_t *weight, size_t m, fq_attention_prefetch next) {
    for (size_t q = 0; q < m; q += MOST, next.bytes = 0)
        some_values(total + q * t->code->dim, t, tokens->at, weight + q * CHUNK, m - q < MOST ? m - q : MOST,
                    next);
}

static fq_attention_trellis_tokens arrange(const fq_attention_trellis *t, uint8_t *room,
                                           const uint8_t *payloads, size_t stride, size_t n) {
    fq_attention_kernels_portable.columns(room, payloads, stride, t->bytes, n);
    return (fq_attention_trellis_tokens){.at = room};
}

const fq_attention_trellis_kernels fq_attention_trellis_neon = {
    .kernel = FQ_ATTENTION_PORTABLE,
    .needs = FQ_CPU_NEON,
    .arrange = arrange,
    .scores = scores,
    .values = values,
};
#else
typedef int fq_attention_trellis_neon_is_empty;
#endif
