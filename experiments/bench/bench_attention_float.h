/* Attention of m queries over a cache of numbers, as well as this processor can do it: what attention on
 * codes is held against. d a multiple of 8, for halves 64 or 128.
 *
 *   out_q = sum_i p_i v_i,   p_i = exp(scale <query_q, k_i>) / sum_l exp(scale <query_q, k_l>)
 */
#ifndef FQ_BENCH_ATTENTION_FLOAT_H
#define FQ_BENCH_ATTENTION_FLOAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FQ_FLOAT_ATTENTION_CHUNK = 512, FQ_FLOAT_ATTENTION_QUERIES = 4 };

/* keys[n][d], values[n][d], query[m][d], out[m][d], score[m][n] scratch, n a multiple of 512: two products of
 * OpenBLAS, with a vector for one query, around exponentials in vectors, the same ones that attention on
 * codes uses. */
void fq_float_attention_blas(float *out, const float *query, size_t m, const float *keys, const float *values,
                             float *score, size_t n, size_t d, float scale);

/* The same with the products by plain loops over tokens, exponentials of libm. */
void fq_float_attention_naive(float *out, const float *query, size_t m, const float *keys,
                              const float *values, float *score, size_t n, size_t d, float scale);

/* keys and values as halves [n][d], n a multiple of 512, m <= 4: in one pass, 512 tokens at a time for all
 * queries, with AVX2 and F16C. Only where available. */
bool fq_half_attention_available(void);
void fq_half_attention_run(float *out, const float *query, size_t m, const uint16_t *keys,
                           const uint16_t *values, size_t n, size_t d, float scale);

#endif
