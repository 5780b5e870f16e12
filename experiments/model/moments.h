/* Second moments of the heads of a model, known before its cache is: from another cache of it, or from its
 * weights. What treatments that are given moments (matrix:from=given) start from.
 *
 * Of a cache, over all its tokens but the first: keys before their position encoding, about their mean; the
 * queries of the head's group, before theirs; values, about zero. Of a checkpoint: W_k D W_k^T, the sum of
 * W_q D W_q^T over the group, W_v D W_v^T, D = diag(g^2) of the gains of the norm before attention: the
 * moments where what comes out of the norm, but for its gains, is alike in all directions; biases are left
 * out.
 */
#ifndef FQ_MOMENTS_H
#define FQ_MOMENTS_H

#include "kv_store.h"
#include "rope.h"
#include "status.h"

typedef struct fq_moments {
    size_t layers, heads, dim;
    fq_rope rope;
    float *data;                    /* [layers][heads][3][dim][dim]: key, query, value */
    fq_head_moments *keys, *values; /* [layers][heads] */
} fq_moments;

/* path: a KV cache or a checkpoint, whichever it is. FQ_ERR_INPUT for others, and for a cache that does not
 * name its position encoding. Cost: 2 (2 + G) T d^2 flops a head, or 2 (2 + G) d^2 width. */
FQ_MUST_CHECK fq_status fq_moments_load(fq_moments *moments, const char *path);
void fq_moments_clear(fq_moments *moments); /* accepts a struct of zeros */

#endif
