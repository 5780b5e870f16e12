/* How well attention survives reconstructed keys and values (arXiv 2605.11478, Eq. 3): the cosine between
 * softmax(q K^T / sqrt d) V and the same with reconstructions, causal: the query at position p reads
 * positions 0..p. Rows are row-major float32.
 */
#ifndef FQ_ATTENTION_FIDELITY_H
#define FQ_ATTENTION_FIDELITY_H

#include "status.h"

/* One key-value head: [tokens][dim] each, as it was and as it was reconstructed. */
typedef struct fq_attention_pair {
    size_t tokens, dim;
    const float *key, *value, *key_decoded, *value_decoded;
} fq_attention_pair;

typedef struct fq_query_fidelity {
    double key, value, both; /* attention-output cosine with keys, values, both reconstructed; NaN where the
                                uncompressed output is zero (a head without values), which has no direction
                                and must not enter means */
    double score_error;      /* mean over positions 0..p of (<q, k'> - <q, k>)^2 / d: squared score units */
    double score_power;      /* variance over the same positions of <q, k> / sqrt d */
} fq_query_fidelity;

/* out[i] for query[i][dim] at position first + i * stride; all positions below tokens. An output that a
 * reconstruction made zero has cosine 0, identical outputs have exactly 1. A cosine that is not finite though
 * the uncompressed output is not zero is FQ_ERR_NONFINITE. Cost: about 16 n tokens d flops and 6 n tokens
 * floats. */
FQ_MUST_CHECK fq_status fq_attention_fidelity(fq_query_fidelity *out, const fq_attention_pair *pair,
                                              const float *query, size_t n, size_t first, size_t stride);

#endif
