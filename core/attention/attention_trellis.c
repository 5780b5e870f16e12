#include "attention_trellis.h"

#include <math.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"

enum { TOGETHER = FQ_ATTENTION_TRELLIS_TOGETHER };

static const fq_attention_trellis_kernels *const kernels[] = {
    &fq_attention_trellis_portable,
#if defined(__x86_64__)
    &fq_attention_trellis_avx2,
    &fq_attention_trellis_avx512,
#elif defined(__aarch64__)
    &fq_attention_trellis_neon,
#endif
};

const fq_attention_trellis_kernels *fq_attention_trellis_kernels_for(fq_attention_kernel kernel) {
    size_t k = sizeof kernels / sizeof kernels[0] - 1;
    while (k > 0 && (kernels[k]->kernel > kernel || !fq_cpu_has(kernels[k]->needs)))
        k--;
    return kernels[k];
}

static void make_function(fq_attention_trellis *t, size_t f, const fq_trellis_matrices *matrices,
                          unsigned together) {
    const size_t phase = f / together, v = f % together;
    t->last[f] = matrices->last_byte[phase];
    for (size_t r = 0; r < FQ_TRELLIS_REACH_MAX; r++) {
        const uint64_t matrix = matrices->matrix[v][phase][r];
        t->matrix[f][r] = matrix;
        for (unsigned i = 0; i < 16; i++) {
            t->nibble[f][r][0][i] = fq_trellis_multiply(matrix, (uint8_t)i);
            t->nibble[f][r][1][i] = fq_trellis_multiply(matrix, (uint8_t)(i << 4));
        }
    }
}

bool fq_attention_trellis_reads(const fq_trellis_code *code) {
    return code->payload_bits % 8 == 0 && code->dim <= FQ_ATTENTION_TRELLIS_DIM_MAX;
}

/* Which bytes of a register of rows stand where in it for scores and for values. */
static void make_rows(fq_attention_trellis *t) {
    const size_t f = t->functions;
    if (t->period_bytes != 1 || (f > 2 && f % 4 != 0) || (t->bytes != 8 && t->bytes % 16 != 0))
        return;
    t->row_bytes = t->bytes == 8 ? 8 : 16;
    t->segments = t->bytes / t->row_bytes;
    for (size_t r = 0; r < FQ_TRELLIS_REACH_MAX; r++)
        for (size_t i = 0; i < 64; i++) {
            const size_t four = 4 * t->row_bytes, row = i / four * 4 + i % 4, byte = i % four / 4;
            t->turn_scores[r][i] = (uint8_t)(i / t->row_bytes * t->row_bytes +
                                             (i % t->row_bytes + t->row_bytes - r) % t->row_bytes);
            t->turn_values[r][i] = (uint8_t)(row * t->row_bytes + (byte + t->row_bytes - r) % t->row_bytes);
        }
}

void fq_attention_trellis_init(fq_attention_trellis *trellis, const fq_trellis_code *code) {
    fq_trellis_matrices matrices;
    *trellis = (fq_attention_trellis){.code = code};
    fq_trellis_matrices_of(&matrices, &code->map);
    trellis->bytes = code->payload_bytes;
    trellis->period_bytes = matrices.bytes;
    trellis->periods = code->payload_bytes / matrices.bytes;
    trellis->functions = (size_t)matrices.phases * code->map.together;
    trellis->label_bits = code->map.label_bits;
    trellis->reach = matrices.reach < 2 ? 2 : matrices.reach;
    for (size_t f = 0; f < trellis->functions; f++)
        make_function(trellis, f, &matrices, code->map.together);
    for (size_t label = 0; label < (size_t)1 << code->map.label_bits; label++)
        trellis->level[label] = (uint8_t)(code->map.level[label] + 128);
    make_rows(trellis);
}

/* The rounded number as 256 high + low, both bytes with signs. */
static void split(int8_t *high, int8_t *low, int number) {
    const int rounded = (number + 128 + 65536) / 256 - 256;
    *high = (int8_t)rounded;
    *low = (int8_t)(number - 256 * rounded);
}

static void arrange(fq_attention_trellis_query *query, const fq_attention_trellis *t) {
    static const size_t order[TOGETHER] = {0, 2, 1, 3};
    for (size_t j = 0; j < t->code->dim; j++) {
        const size_t period = j / t->functions, f = j % t->functions, k = period % TOGETHER;
        const size_t at = period / TOGETHER * t->functions + f;
        split(&query->parts[2 * TOGETHER * at + k], &query->parts[2 * TOGETHER * at + TOGETHER + k],
              query->number[j]);
        query->pairs[TOGETHER * at + order[k]] = query->number[j];
        query->bias += 128 * query->number[j];
    }
}

static void arrange_rows(fq_attention_trellis_query *query, const fq_attention_trellis *t) {
    for (size_t j = 0; j < t->code->dim && t->row_bytes; j++) {
        const size_t period = j / t->functions, f = j % t->functions;
        int8_t *const tile = query->tiles + (period / t->row_bytes * t->functions + f) * 128;
        int8_t high, low;
        split(&high, &low, query->number[j]);
        for (size_t i = period % t->row_bytes; i < 64; i += t->row_bytes) {
            tile[i] = high;
            tile[64 + i] = low;
        }
    }
}

fq_status fq_attention_trellis_query_init(fq_attention_trellis_query *query, const fq_attention_trellis *t,
                                          const float *row) {
    const size_t d = t->code->dim, places = (t->periods + TOGETHER - 1) / TOGETHER * TOGETHER * t->functions;
    float most = 0;
    *query = (fq_attention_trellis_query){0};
    FQ_TRY(fq_alloc_zero(&query->number, d, sizeof *query->number));
    FQ_TRY(fq_alloc_zero(&query->parts, 2 * places, sizeof *query->parts));
    FQ_TRY(fq_alloc_zero(&query->pairs, places, sizeof *query->pairs));
    FQ_TRY(fq_alloc_zero(&query->tiles, t->segments * t->functions + 1, 128));
    for (size_t j = 0; j < d; j++)
        most = fabsf(row[j]) > most ? fabsf(row[j]) : most;
    query->unit = most / (float)FQ_ATTENTION_TRELLIS_MOST;
    for (size_t j = 0; j < d && query->unit > 0; j++)
        query->number[j] = (int16_t)lrint((double)row[j] / (double)most * (double)FQ_ATTENTION_TRELLIS_MOST);
    arrange(query, t);
    arrange_rows(query, t);
    return FQ_OK;
}

void fq_attention_trellis_query_clear(fq_attention_trellis_query *query) {
    fq_free(query->number);
    fq_free(query->parts);
    fq_free(query->pairs);
    fq_free(query->tiles);
    *query = (fq_attention_trellis_query){0};
}
