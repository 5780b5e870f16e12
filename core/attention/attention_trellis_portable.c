/* Trellis codes in plain C: a window of bits runs round every payload. */
#include <string.h>

#include "attention_trellis.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, DIM_MAX = FQ_ATTENTION_TRELLIS_DIM_MAX };

/* The levels of one token. */
static void read_levels(int8_t *level, const fq_attention_trellis *t, const uint8_t *columns, size_t token) {
    uint8_t payload[DIM_MAX];
    for (size_t b = 0; b < t->bytes; b++)
        payload[b] = columns[b * CHUNK + token];
    fq_trellis_levels(t->code, level, payload);
}

static void scores(int32_t *sum, const fq_attention_trellis *t, const uint8_t *columns,
                   const fq_attention_trellis_query *const *query, size_t m, fq_attention_prefetch next) {
    int8_t level[DIM_MAX];
    (void)next;
    for (size_t i = 0; i < CHUNK; i++) {
        read_levels(level, t, columns, i);
        for (size_t q = 0; q < m; q++) {
            int32_t total = 0;
            for (size_t j = 0; j < t->code->dim; j++)
                total += level[j] * query[q]->number[j];
            sum[q * CHUNK + i] = total;
        }
    }
}

static void values(int64_t *total, const fq_attention_trellis *t, const uint8_t *columns,
                   const int16_t *weight, fq_attention_prefetch next) {
    int8_t level[DIM_MAX];
    (void)next;
    memset(total, 0, t->code->dim * sizeof *total);
    for (size_t i = 0; i < CHUNK; i++) {
        if (weight[i] == 0)
            continue;
        read_levels(level, t, columns, i);
        for (size_t j = 0; j < t->code->dim; j++)
            total[j] += level[j] * weight[i];
    }
}

static void columns(uint8_t *to, const uint8_t *payloads, size_t stride, size_t bytes, size_t n) {
    fq_attention_kernels_portable.columns(to, payloads, stride, bytes, n);
}

const fq_attention_trellis_kernels fq_attention_trellis_portable = {
    .kernel = FQ_ATTENTION_PORTABLE,
    .columns = columns,
    .scores = scores,
    .values = values,
};
