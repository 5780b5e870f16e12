/* The KV cache of a model behind an interface: what attention reads back is what a treatment and a codec made
 * of keys and values.
 *
 * Every key and value is encoded when it is appended, and decoded from those bytes; the decoded copy is what
 * attention sees, in prefill and in decoding alike. What a treatment (treatment.h) does is done here:
 *   - what it learns of a head it learns from the first tokens; while fewer are there than it asks for,
 * tokens are read as they were appended, and all are encoded when the last of them comes;
 *   - first tokens and those of the pool are read as they are kept, by every query;
 *   - a query at position p reads positions p - window + 1 .. p as the window keeps them, older ones decoded;
 *     without a window it reads even its own key and value decoded;
 *   - tokens that are coded together are encoded when the last of them comes; a window begins with a whole
 *     group of them, and those of no whole group are read as they were appended.
 * This is a store for evaluation: it keeps float32 copies of both forms and counts the bits that everything
 * takes. Notation: n tokens, H key-value heads, G query heads each, d dimension; x[n][H][d] row-major
 * float32. One thread at a time.
 */
#ifndef FQ_KV_STORE_H
#define FQ_KV_STORE_H

#include "status.h"
#include "treatment.h"

typedef struct fq_kv_store fq_kv_store;

typedef struct fq_kv_options {
    /* Codecs of dimension d, as many as the treatment has classes for that side; they must outlive the store.
     * NULL: float32, and no treatment of that side. */
    const fq_codec *const *key_codecs, *const *value_codecs;
    fq_treatment treatment;
    const fq_rope *rope; /* the keys' position encoding; NULL: not known. Copied. */
    const fq_head_moments *given_keys, *given_values; /* [layers][heads], see fq_kv_store_give */
    size_t group; /* G; 0: no queries are given, and steps that need them are refused */
} fq_kv_options;

/* Room for capacity tokens. options may be NULL: nothing is compressed. FQ_ERR_ARGUMENT for a shape with a
 * zero or a codec of another dimension. */
FQ_MUST_CHECK fq_status fq_kv_store_create(fq_kv_store **store, size_t layers, size_t heads, size_t dim,
                                           size_t capacity, const fq_kv_options *options);
/* What heads' steps are given beforehand: [layers][heads], which must outlive the store; NULL: nothing. */
void fq_kv_store_give(fq_kv_store *store, const fq_head_moments *keys, const fq_head_moments *values);

void fq_kv_store_destroy(fq_kv_store *store); /* NULL accepted */

/* Forgets all tokens, and what was learnt from them. */
void fq_kv_store_reset(fq_kv_store *store);

size_t fq_kv_store_tokens(const fq_kv_store *store, size_t layer);
size_t fq_kv_store_capacity(const fq_kv_store *store);

/* Tokens before a query, its own included, that it reads from the near form; 0: none. */
size_t fq_kv_store_window(const fq_kv_store *store);

/* Tokens of a side that are coded together; a query's window begins with a whole group of them, see
 * fq_treatment_near_from. */
size_t fq_kv_store_together(const fq_kv_store *store, fq_treatment_side side);

/* Appends n tokens to a layer; query[n][H G][d], after the position encoding, may be NULL where group is 0.
 * FQ_ERR_ARGUMENT beyond the capacity; the codecs' and steps' failures pass through and leave the number of
 * tokens as it was. */
FQ_MUST_CHECK fq_status fq_kv_store_append(fq_kv_store *store, size_t layer, const float *key,
                                           const float *value, const float *query, size_t n);

/* One head of a layer, [tokens][d] each. Where nothing is compressed or kept apart, forms are the same
 * memory. Valid until the store is destroyed. */
typedef struct fq_kv_view {
    const float *key, *value;           /* as decoded; first tokens and pool as kept */
    const float *near_key, *near_value; /* as the window keeps them */
    const float *raw_key, *raw_value;   /* as appended */
} fq_kv_view;
fq_kv_view fq_kv_store_view(const fq_kv_store *store, size_t layer, size_t head);

/* Bits that the tokens held now take: codes in whole bytes, tokens kept, means and scales; two bytes a
 * coordinate where nothing is compressed, and for tokens of no whole group without a window. A token of the
 * pool has a code as well, so that addresses stay, and so has a first one of a group coded together. */
double fq_kv_store_bits(const fq_kv_store *store);

/* What so many tokens would take, at least those held (0: those): the same formula, with the share of tokens
 * that the pool of each layer has so far. */
double fq_kv_store_bits_at(const fq_kv_store *store, size_t tokens);

/* Tokens of a layer that are in its pool. */
size_t fq_kv_store_pool(const fq_kv_store *store, size_t layer);

#endif
