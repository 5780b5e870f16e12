/* A small decoder-only transformer in float32, for the two families of data/checkpoint.h.
 *
 * One block, for the residual stream x[n][width] of n tokens:
 *   Llama   x += W_o attention(rope(W_q u), rope(W_k u), W_v u),  u = RMSNorm(x)
 *           x += W_down (silu(W_gate u) * W_up u),                u = RMSNorm(x)
 *   GPT-2   the same with LayerNorm, biases, learned positions added to the embedding instead of
 *           rotary ones, and W_down gelu(W_up u), gelu in its tanh form.
 * attention is causal, softmax(q k^T / sqrt d) v with keys and values read back from the KV store, so
 * that whatever codec the store holds is in the loop. Query head h reads key head h / (heads/kv_heads).
 *
 * Matrix products are BLAS sgemm on tiles of fixed shape, spread over the OpenMP threads: with a BLAS that
 * uses one thread (the program sees to it with openblas_set_num_threads) the result does not depend on the
 * number of threads. A model is immutable while it runs; threads may share it.
 */
#ifndef FQ_TRANSFORMER_H
#define FQ_TRANSFORMER_H

#include "checkpoint.h"
#include "kv_store.h"
#include "rope.h"
#include "status.h"

typedef struct fq_transformer {
    fq_model_config config;
    /* [layers][FQ_TENSOR_ROLES], each [out][in] as checkpoint.h says, NULL where absent; the roles that
     * have no layer stand at layer 0. */
    float **tensors;
    /* Added to the first coordinate of the last pair, the one that turns slowest, of every key before the
     * position encoding; 0: the model as it is. A constant that all keys share leaves scores as they are but
     * for what that pair turns between two tokens. A copy of this struct with another offset may share the
     * tensors. */
    float key_offset;
} fq_transformer;

/* Room for every tensor that the configuration names, zeroed (biases that are optional are absent). */
FQ_MUST_CHECK fq_status fq_transformer_init(fq_transformer *model, const fq_model_config *config);

/* All weights of a checkpoint, dequantised: 4 bytes a parameter. FQ_ERR_MEMORY, before any is read, where the
 * machine has not that much left. */
FQ_MUST_CHECK fq_status fq_transformer_load(fq_transformer *model, const fq_checkpoint *checkpoint);
void fq_transformer_clear(fq_transformer *model); /* accepts a struct of zeros */

float *fq_transformer_tensor(const fq_transformer *model, fq_tensor_role role, size_t layer);

/* The position encoding of the model's queries and keys; base 0 where it has none of that kind. */
fq_rope fq_transformer_rope(const fq_model_config *config);

/* Sees queries [n][heads][d], keys and values [n][kv_heads][d] of one layer as attention uses them (after
 * the position encoding), before anything is compressed. A failure ends the run with it. */
typedef struct fq_transformer_observer {
    fq_status (*see)(void *context, size_t layer, size_t first, size_t n, const float *query,
                     const float *key, const float *value);
    void *context;
} fq_transformer_observer;

/* Runs n tokens behind those the store holds: hidden[n][width] after the last norm, and their keys and
 * values in the store. observer may be NULL. FQ_ERR_ARGUMENT for a token out of range, a store of another
 * shape or beyond the model's context. On failure store and hidden are unspecified.
 * Cost: 2 parameters n + 4 layers heads d n (tokens held + n) flops; room for some n x width floats and what
 * fq_transformer_attend needs. */
FQ_MUST_CHECK fq_status fq_transformer_run(const fq_transformer *model, fq_kv_store *store,
                                           const uint32_t *tokens, size_t n, float *hidden,
                                           const fq_transformer_observer *observer);

/* logits[n][vocabulary] of hidden[n][width]. */
void fq_transformer_logits(const fq_transformer *model, float *logits, const float *hidden, size_t n);

/* out[n][heads][d] = causal attention of query[n][heads][d] over a layer of the store, whose last n tokens
 * are the queries' own. Room for 256 floats a thread and token of the layer. Exposed for tests and for
 * measuring fidelity. */
FQ_MUST_CHECK fq_status fq_transformer_attend(const fq_kv_store *store, size_t layer, size_t heads,
                                              size_t kv_heads, size_t dim, const float *query, size_t n,
                                              float *out);

#endif
