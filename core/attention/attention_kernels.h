/* Inner loops of attention on codes. All kernels give the same bits: integers are exact, and float32
 * operations are the same in the same order. CHUNK tokens at a time; what is beyond the tokens there are is
 * zero.
 */
#ifndef FQ_ATTENTION_KERNELS_H
#define FQ_ATTENTION_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attention_kernel_choice.h"

enum { FQ_ATTENTION_CHUNK = 512, FQ_ATTENTION_GROUP = 32, FQ_ATTENTION_TURN = 64 };

/* What will be read soon after: a kernel may fetch it into the cache meanwhile. */
typedef struct fq_attention_prefetch {
    const uint8_t *from;
    size_t bytes; /* 0: nothing */
} fq_attention_prefetch;

/* Asks for part `part` of `parts` of what will be read next while there is something to compute, into the
 * second-level cache: it takes more requests at a time than the first one. */
static inline __attribute__((always_inline)) void prefetch(fq_attention_prefetch next, size_t part,
                                                           size_t parts) {
    const size_t share = next.bytes / parts + 1,
                 end = next.bytes < (part + 1) * share ? next.bytes : (part + 1) * share;
    for (size_t b = part * share; b < end; b += 64)
        __builtin_prefetch(next.from + b, 0, 2);
}

/* 256 words as whole numbers of up to 2047 in magnitude. */
typedef struct fq_attention_words {
    size_t coordinates, stride;   /* stride: coordinates rounded up to fours */
    const int16_t *by_coordinate; /* [coordinates][256] */
    const int16_t *by_word;       /* [256][stride], zeros behind */
} fq_attention_words;

typedef struct fq_attention_kernels {
    fq_attention_kernel kernel;
    unsigned needs; /* of cpu.h */

    /* The bytes of n <= CHUNK rows of that many bytes, stride apart, in the order in which this kernel's
     * nibble_scores and nibble_values read them: columns[bytes rounded up to even][CHUNK]. */
    void (*columns)(uint8_t *columns, const uint8_t *rows, size_t stride, size_t bytes, size_t n);
    /* sum[i] = sum over nibbles p of table[p][nibble p of token i], modulo nothing: the sums must fit.
     * table[2 bytes][2][16]: the low bytes of 16 entries, then the high bytes. */
    void (*nibble_scores)(int16_t *sum, const uint8_t *columns, size_t bytes, const uint8_t *table,
                          fq_attention_prefetch next);
    /* total[p][t] = sum_i weight[i] word[t][nibble p of i], t < coordinates. word[coordinates][2][16] as
     * above, entries up to 2047 in magnitude; 0 <= weight <= 8191. */
    void (*nibble_values)(int64_t *total, const uint8_t *columns, size_t bytes, const uint8_t *word,
                          size_t coordinates, const int16_t *weight, fq_attention_prefetch next);
    /* The same three for indices of a byte: table[bytes][256]. */
    void (*byte_columns)(uint8_t *columns, const uint8_t *rows, size_t stride, size_t bytes, size_t n);
    void (*byte_scores)(int16_t *sum, const uint8_t *columns, size_t bytes, const int16_t *table,
                        fq_attention_prefetch next);
    void (*byte_values)(int64_t *total, const uint8_t *columns, size_t bytes, const fq_attention_words *words,
                        const int16_t *weight, fq_attention_prefetch next);
    /* p[i] = exp(score[i] - most) for score <= most; relative error below 2e-7, 0 below exp(-87). */
    void (*exponentials)(float *p, const float *score, float most);
    /* The two bytes at the head of each of n rows, stride apart; zeros behind them. */
    void (*halves)(uint8_t *to, const uint8_t *rows, size_t stride, size_t n);
    /* Whether 0 < x[i] <= bound for all n. */
    bool (*positive)(const float *x, float bound, size_t n);
    /* score[i] += sum[i] (norm[i] unit). */
    void (*add_scores)(float *score, const int16_t *sum, const float *norm, float unit);
    /* The same for sums of 32 bits. */
    void (*add_long_scores)(float *score, const int32_t *sum, const float *norm, float unit);
    /* The largest of x[CHUNK]; false if one is not finite. */
    bool (*largest)(float *most, const float *x);
    /* The sum of x[CHUNK], all >= 0; relative error below 2e-7. */
    double (*total)(const float *x);
    /* to[i] = p[i] norm[i], their mean and the largest; 0 <= p[i] <= 1, norm[i] >= 0. */
    void (*weights)(float *to, float *mean, float *most, const float *p, const float *norm);
    /* to[i] = x[i] scale rounded; 0 <= x[i] scale <= 32767. */
    void (*units)(int16_t *to, const float *x, float scale);
    /* score[i] += sum_j factor[j][0] table[j][0][i] + factor[j][1] table[j][1][i], i < TURN, by fused
     * multiply-adds in the order of j, the second first. */
    void (*add_turned)(float *score, const float *table, const float *factor, size_t pairs);
} fq_attention_kernels;

/* NULL where the processor cannot run it. */
const fq_attention_kernels *fq_attention_kernels_of(fq_attention_kernel kernel);

extern const fq_attention_kernels fq_attention_kernels_portable;
#if defined(__x86_64__)
extern const fq_attention_kernels fq_attention_kernels_avx2, fq_attention_kernels_avx512;
#endif

#endif
