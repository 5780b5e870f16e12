/* Attention straight on codes: neither keys nor values are ever decoded as a whole.
 *
 * For one head, queries q[m][d], and keys k_i and values v_i of n tokens stored as codes:
 *
 *   out = sum_i p_i v_i,   p_i = exp(scale <q, k_i>) / sum_l exp(scale <q, k_l>).
 *
 * All is done in the codecs' rotated domains: the queries are rotated once, and outputs rotated back once.
 * Tokens are taken 512 at a time, with a running maximum; memory does not grow with n but for 8 (d+2) m
 * bytes for every 8192 tokens. How codes are read depends on the codec:
 *
 *   nibbles  codebooks of 2, 4 or 16 words packed in whole bytes (fib, tq): up to four indices at a time
 *   bytes    codebooks of 256 words of two coordinates or more
 *   levels   trellis codes whose payload is whole bytes, d up to 512: labels by products of bit matrices
 *   rows     any other codec: decodes 512 tokens at a time in the rotated domain, float32.
 *
 * For levels, queries are rounded to 2^-15 of their largest coordinate, which moves a score by some 3e-6 of
 * |scale q| |k| at random and 5e-5 at most at d = 64, and weights to 2^-15 of 64 times their chunk's mean at
 * most; sums are exact in whole numbers. For the first two, scores are sums of 16-bit table entries, values
 * are sums of 12-bit words times 13-bit weights, both exact in whole numbers. The rounding of table entries
 * moves a score by at most norm_i L / (64000 / sum_j max_c
 * |<scale q_j, c>|), L the look-ups a token, typically 1e-3 at |score| <= 10; weights are rounded to 2^-13 of
 * 64 times their chunk's mean at most (larger ones are not rounded at all), words to 2^-12 of the largest.
 *
 * The result is defined to the last bit: the same for any number of threads and every kernel. Parallel over
 * runs of 8192 tokens.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_ATTENTION_H
#define FQ_ATTENTION_H

#include "codec.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_attention fq_attention;

/* Attention over keys coded by key and values coded by value, which must have the same dimension and outlive
 * it. Immutable: threads may share it. FQ_ERR_ARGUMENT if the dimensions differ. */
FQ_MUST_CHECK fq_status fq_attention_create(fq_attention **attention, const fq_codec *key,
                                            const fq_codec *value);
void fq_attention_destroy(fq_attention *attention); /* NULL accepted */

/* out[m][d] for queries[m][d] over key_codes[n][key bytes] and value_codes[n][value bytes]; n >= 1, m >= 1;
 * several queries share the reading of codes. scale is usually 1/sqrt(d). No overlap. FQ_ERR_CORRUPT names
 * the first token of a chunk whose code no encoder writes, FQ_ERR_NONFINITE a bad query, FQ_ERR_RANGE scores
 * beyond float32. On failure out is undefined. */
FQ_MUST_CHECK fq_status fq_attention_run(const fq_attention *attention, float *out, const float *queries,
                                         size_t m, const uint8_t *key_codes, const uint8_t *value_codes,
                                         size_t n, double scale);

#ifdef __cplusplus
}
#endif
#endif
