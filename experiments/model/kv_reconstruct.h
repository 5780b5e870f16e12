/* What attention reads back of one head's keys or values: a codec, and what may be done around it. */
#ifndef FQ_KV_RECONSTRUCT_H
#define FQ_KV_RECONSTRUCT_H

#include "codec.h"

typedef struct fq_kv_treatment {
    const fq_codec *codec;
    size_t keep; /* first tokens, stored as fp16 */
    size_t
        centre_tokens; /* 0, or the mean over that many first tokens, rounded to fp16, is subtracted first */
    bool by_energy;    /* TurboQuant at a fractional rate: the head's channels of largest mean square get the
                          finer code. Needs the whole head beforehand: as good as that baseline can be. */
} fq_kv_treatment;

/* decoded[tokens][dim] from raw[tokens][dim] (dim the codec's). Kept tokens come back as they are. Errors of
 * the codec; FQ_ERR_MEMORY. No overlap. Cost: the codec's, with by_energy a codec's creation as well. */
FQ_MUST_CHECK fq_status fq_kv_reconstruct(float *decoded, const fq_kv_treatment *treatment, const float *raw,
                                          size_t tokens);

/* Bytes stored for that many tokens of a head, mean and order of channels (a byte each, 2 above 256)
 * included. */
double fq_kv_treatment_bytes(const fq_kv_treatment *treatment, size_t tokens);

#endif
