/* Attention of one query over a cache of numbers, as well as this processor can do it: what attention on
 * codes is held against. d = 64.
 *
 *   out = sum_i p_i v_i,   p_i = exp(scale <query, k_i>) / sum_l exp(scale <query, k_l>)
 */
#ifndef FQ_BENCH_ATTENTION_FLOAT_H
#define FQ_BENCH_ATTENTION_FLOAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FQ_FLOAT_ATTENTION_DIM = 64, FQ_FLOAT_ATTENTION_CHUNK = 512 };

/* keys[n][64], values[n][64], score[n] scratch, n a multiple of 512: two matrix-vector products of OpenBLAS
 * around exponentials in vectors, the same ones that attention on codes uses. */
void fq_float_attention_blas(float *out, const float *query, const float *keys, const float *values,
                             float *score, size_t n, float scale);

/* The same with the products by plain loops over tokens, exponentials of libm. */
void fq_float_attention_naive(float *out, const float *query, const float *keys, const float *values,
                              float *score, size_t n, float scale);

/* keys and values as halves [n][64], n a multiple of 512: in one pass, 512 tokens at a time, with AVX2 and
 * F16C. Only where available. */
bool fq_half_attention_available(void);
void fq_half_attention_run(float *out, const float *query, const uint16_t *keys, const uint16_t *values,
                           size_t n, float scale);

#endif
