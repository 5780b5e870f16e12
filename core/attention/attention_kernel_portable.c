#include "attention_kernels.h"

#define TARGET
#include "attention_loops.h"

static void columns(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes, size_t n) {
    for (size_t b = 0; b < bytes; b++) {
        for (size_t i = 0; i < n; i++)
            to[b * FQ_ATTENTION_CHUNK + i] = rows[i * stride + b];
        memset(to + b * FQ_ATTENTION_CHUNK + n, 0, FQ_ATTENTION_CHUNK - n);
    }
}

static void halves(uint8_t *restrict to, const uint8_t *restrict from, size_t stride, size_t n) {
    for (size_t i = 0; i < n; i++)
        memcpy(to + 2 * i, from + i * stride, 2);
    memset(to + 2 * n, 0, 2 * (FQ_ATTENTION_CHUNK - n));
}

static int16_t entry(const uint8_t *table, unsigned nibble) {
    return (int16_t)(uint16_t)(table[nibble] | table[16 + nibble] << 8);
}

static void nibble_scores(int16_t *sum, const uint8_t *from, size_t bytes, const uint8_t *table,
                          fq_attention_prefetch next) {
    (void)next;
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
        int total = 0;
        for (size_t b = 0; b < bytes; b++) {
            const unsigned byte = from[b * FQ_ATTENTION_CHUNK + i];
            total += entry(table + 64 * b, byte & 15) + entry(table + 64 * b + 32, byte >> 4);
        }
        sum[i] = (int16_t)total;
    }
}

static void nibble_values(int64_t *total, const uint8_t *from, size_t bytes, const uint8_t *word,
                          size_t coordinates, const int16_t *weight, fq_attention_prefetch next) {
    (void)next;
    for (size_t p = 0; p < 2 * bytes; p++)
        for (size_t t = 0; t < coordinates; t++) {
            int64_t sum = 0;
            for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
                const unsigned byte = from[p / 2 * FQ_ATTENTION_CHUNK + i];
                sum += (int64_t)weight[i] * entry(word + 32 * t, p % 2 ? byte >> 4 : byte & 15);
            }
            total[p * coordinates + t] = sum;
        }
}

static void byte_scores(int16_t *sum, const uint8_t *from, size_t bytes, const int16_t *table,
                        fq_attention_prefetch next) {
    (void)next;
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
        int total = 0;
        for (size_t p = 0; p < bytes; p++)
            total += table[256 * p + from[p * FQ_ATTENTION_CHUNK + i]];
        sum[i] = (int16_t)total;
    }
}

static void byte_values(int64_t *total, const uint8_t *from, size_t bytes, const fq_attention_words *words,
                        const int16_t *weight, fq_attention_prefetch next) {
    (void)next;
    const size_t k = words->coordinates;
    memset(total, 0, bytes * k * sizeof *total);
    for (size_t p = 0; p < bytes; p++)
        for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
            const int16_t *const word = words->by_word + from[p * FQ_ATTENTION_CHUNK + i] * words->stride;
            for (size_t t = 0; t < k; t++)
                total[p * k + t] += weight[i] * word[t];
        }
}

const fq_attention_kernels fq_attention_kernels_portable = {
    .kernel = FQ_ATTENTION_PORTABLE,
    .columns = columns,
    .nibble_scores = nibble_scores,
    .nibble_values = nibble_values,
    .byte_columns = columns,
    .byte_scores = byte_scores,
    .byte_values = byte_values,
    .exponentials = exponentials,
    .halves = halves,
    .positive = positive,
    .add_scores = add_scores,
    .add_long_scores = add_long_scores,
    .largest = largest,
    .total = total,
    .weights = weights,
    .units = units,
    .add_turned = add_turned,
};
