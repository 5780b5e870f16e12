/* Trellis codes in plain C: a window of bits runs round every payload. */
#include <string.h>

#include "attention_trellis.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, DIM_MAX = FQ_ATTENTION_TRELLIS_DIM_MAX };

/* The levels of one token. */
static void read_levels(int8_t *level, const fq_attention_trellis *t,
                        const fq_attention_trellis_tokens *tokens, size_t token) {
    uint8_t payload[DIM_MAX];
    for (size_t b = 0; b < t->bytes; b++)
        payload[b] = tokens->at[b * CHUNK + token];
    fq_trellis_levels(t->code, level, payload);
}

static void scores(int32_t *sum, const fq_attention_trellis *t, const fq_attention_trellis_tokens *tokens,
                   const fq_attention_trellis_query *const *query, size_t m, fq_attention_prefetch next) {
    int8_t level[DIM_MAX];
    (void)next;
    for (size_t i = 0; i < CHUNK; i++) {
        read_levels(level, t, tokens, i);
        for (size_t q = 0; q < m; q++) {
            int32_t total = 0;
            for (size_t j = 0; j < t->code->dim; j++)
                total += level[j] * query[q]->number[j];
            sum[q * CHUNK + i] = total;
        }
    }
}

static void values(int64_t *total, const fq_attention_trellis *t, const fq_attention_trellis_tokens *tokens,
                   const int16_t *weight, size_t m, fq_attention_prefetch next) {
    const size_t d = t->code->dim;
    int8_t level[DIM_MAX];
    (void)next;
    memset(total, 0, m * d * sizeof *total);
    for (size_t i = 0; i < CHUNK; i++) {
        bool any = false;
        for (size_t q = 0; q < m; q++)
            any = any || weight[q * CHUNK + i] != 0;
        if (!any)
            continue;
        read_levels(level, t, tokens, i);
        for (size_t q = 0; q < m; q++)
            for (size_t j = 0; j < d; j++)
                total[q * d + j] += level[j] * weight[q * CHUNK + i];
    }
}

static fq_attention_trellis_tokens arrange(const fq_attention_trellis *t, uint8_t *room,
                                           const uint8_t *payloads, size_t stride, size_t n) {
    fq_attention_kernels_portable.columns(room, payloads, stride, t->bytes, n);
    return (fq_attention_trellis_tokens){.at = room};
}

const fq_attention_trellis_kernels fq_attention_trellis_portable = {
    .kernel = FQ_ATTENTION_PORTABLE,
    .arrange = arrange,
    .scores = scores,
    .values = values,
};
