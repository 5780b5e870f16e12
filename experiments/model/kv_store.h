/* The KV cache of a model behind an interface: what attention reads back is what a codec decoded.
 *
 * Every key and value is encoded when it is appended, and decoded from those bytes; the decoded copy
 * is what attention sees, in prefill and in decoding alike. Exceptions that can be asked for:
 *   keep_first S    the first S tokens are never encoded (attention sinks);
 *   keep_recent R   a query at position p reads positions p-R+1..p as they were appended, and older
 *                   ones decoded; so R = 0 reads even its own key and value decoded.
 *   centre_keys C   keys from position C on are encoded as differences to their head's mean over the
 *                   first C keys as appended, rounded to fp16, which is stored once a head; the first C
 *                   are encoded as they are. Needs no knowledge of later tokens.
 * This is a store for evaluation: it keeps float32 copies of both forms and counts the bytes that the
 * codes take. Notation: n tokens, H key-value heads, d dimension; x[n][H][d] row-major float32.
 * One thread at a time.
 */
#ifndef FQ_KV_STORE_H
#define FQ_KV_STORE_H

#include "codec.h"
#include "status.h"

typedef struct fq_kv_store fq_kv_store;

typedef struct fq_kv_options {
    const fq_codec *key_codec, *value_codec; /* of dimension d, must outlive the store; NULL: float32 */
    size_t keep_first, keep_recent;          /* tokens */
    size_t centre_keys;                      /* tokens; 0: keys are encoded as they are */
} fq_kv_options;

/* Room for capacity tokens. options may be NULL: nothing is compressed. FQ_ERR_ARGUMENT for a shape with a
 * zero or a codec of another dimension. */
FQ_MUST_CHECK fq_status fq_kv_store_create(fq_kv_store **store, size_t layers, size_t heads, size_t dim,
                                           size_t capacity, const fq_kv_options *options);
void fq_kv_store_destroy(fq_kv_store *store); /* NULL accepted */

/* Forgets all tokens. */
void fq_kv_store_reset(fq_kv_store *store);

size_t fq_kv_store_tokens(const fq_kv_store *store, size_t layer);
size_t fq_kv_store_capacity(const fq_kv_store *store);
size_t fq_kv_store_recent(const fq_kv_store *store);

/* Appends n tokens to a layer. FQ_ERR_ARGUMENT beyond the capacity; the codecs' failures pass through and
 * leave the number of tokens as it was. */
FQ_MUST_CHECK fq_status fq_kv_store_append(fq_kv_store *store, size_t layer, const float *key,
                                           const float *value, size_t n);

/* One head of a layer, [tokens][d] each. Where nothing is compressed both forms are the same memory.
 * Valid until the store is destroyed. */
typedef struct fq_kv_view {
    const float *key, *value;         /* as decoded (the first S tokens as appended) */
    const float *raw_key, *raw_value; /* as appended */
} fq_kv_view;
fq_kv_view fq_kv_store_view(const fq_kv_store *store, size_t layer, size_t head);

/* Bytes that the tokens held now take: codes, and two bytes a coordinate for what is kept uncompressed
 * (the first S and the last R tokens; everything where a codec is NULL) and for the heads' means once there
 * are more than C tokens. */
size_t fq_kv_store_bytes(const fq_kv_store *store);

#endif
