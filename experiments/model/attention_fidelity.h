/* How well attention survives reconstructed keys and values (arXiv 2605.11478, Eq. 3): the cosine between
 * softmax(q K^T / sqrt d) V and the same with reconstructions, causal: the query at position p reads
 * positions 0..p. Rows are row-major float32.
 */
#ifndef FQ_ATTENTION_FIDELITY_H
#define FQ_ATTENTION_FIDELITY_H

#include <stdbool.h>

#include "status.h"

/* One key-value head: [tokens][dim] each, as it was and as it was reconstructed. */
typedef struct fq_attention_pair {
    size_t tokens, dim;
    const float *key, *value, *key_decoded, *value_decoded;
    /* The query at p reads positions fq_treatment_near_from(p, window, group)..p from these instead; not read
     * where window is 0. */
    size_t window, key_group, value_group; /* groups are read where there is a window: at least 1 */
    const float *key_near, *value_near;
    size_t age; /* attention to positions up to p - age is compared apart */
} fq_attention_pair;

/* Of an output vector and the same with reconstructions: what cosines of longer vectors are made of. */
typedef struct fq_output_products {
    double plain, form, dot; /* squared norms, inner product */
} fq_output_products;

enum { FQ_OUTPUT_BOTH, FQ_OUTPUT_KEY, FQ_OUTPUT_VALUE, FQ_OUTPUT_OLD, FQ_OUTPUTS };

typedef struct fq_query_fidelity {
    double key, value, both; /* attention-output cosine with keys, values, both reconstructed */
    double old;              /* the same with both, of attention to positions up to p - age alone, its weights
                                summing to one; NaN where there are none */
    fq_output_products of[FQ_OUTPUTS];
    double score_error; /* mean over positions 0..p of (<q, k'> - <q, k>)^2 / d: squared score units */
    double score_power; /* variance over the same positions of <q, k> / sqrt d */
} fq_query_fidelity;

/* out[i] for query[i][dim] at position first + i * stride; all positions below tokens; stride may be 0.
 * Identical outputs have cosine exactly 1; where the uncompressed output is zero (a head whose values are all
 * zero) there is no direction to keep, and all cosines are NaN. What is not finite is FQ_ERR_NONFINITE naming
 * the position. Cost: about 24 n tokens d flops and 128 tokens floats. */
FQ_MUST_CHECK fq_status fq_attention_fidelity(fq_query_fidelity *out, const fq_attention_pair *pair,
                                              const float *query, size_t n, size_t first, size_t stride);

#endif
