/* Attention straight on the parts of a head's cache that went through treatments (treatment.h): codes, and
 * tokens that are kept beside them.
 *
 * For one head, queries q[m][d], and n tokens of which some are kept:
 *
 *   out = sum_p w_p v_p,   w_p = exp(scale <q, k_p>) / sum_r exp(scale <q, k_r>),
 *
 * k_p and v_p what fq_head_coder_decode gives, or the kept vectors. Nothing is decoded for it:
 *   - steps that scale or permute keys change the query once;
 *   - a mean of keys that turns with the position adds <q, R_p mean> to token p's score: a sum over pairs of
 *     a cos(p angle) + b sin(p angle), 64 positions at a time from one table; pairs where the mean is zero
 *     cost nothing (mean's key pairs=8);
 *   - other means add the same to all scores, or to the output once;
 *   - positions of different rotation classes are read by class, keys with a rotated query each, values into
 *     a sum each, which is rotated back once;
 *   - kept tokens are masked among the codes and added at the end.
 *
 * Roundings are those of attention.h for codes read by look-ups and levels. The turned means add float32
 * rounding, some 1e-6 of |scale q| |mean|. The result is the same to the bit for any number of threads and
 * every kernel. Parallel over runs of 8192 tokens.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_ATTENTION_TREATED_H
#define FQ_ATTENTION_TREATED_H

#include "treatment.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_attention_treated fq_attention_treated;

/* For heads whose coders were made of these codecs, one a rotation class, of one dimension; they must outlive
 * it. Immutable: threads may share it. FQ_ERR_ARGUMENT if dimensions differ. */
FQ_MUST_CHECK fq_status fq_attention_treated_create(fq_attention_treated **attention,
                                                    const fq_codec *const *key_codecs, size_t key_classes,
                                                    const fq_codec *const *value_codecs,
                                                    size_t value_classes);
void fq_attention_treated_destroy(fq_attention_treated *attention); /* NULL accepted */

/* A head's cache. */
typedef struct fq_treated_head {
    const fq_head_coder *key, *value;
    size_t coded; /* tokens 0 .. coded-1 have codes, [coded][code bytes of the codec] each */
    const uint8_t *key_codes, *value_codes;
    /* Kept tokens, rising: those below coded are read from here and not from their codes (first tokens, the
     * pool), others have no codes yet (the window). [kept][d] each, as fq_head_coder_keep gives them. */
    size_t kept;
    const uint32_t *kept_position;
    const float *kept_keys, *kept_values;
} fq_treated_head;

/* out[m][d] for queries[m][d]; m >= 1, at least one token. scale is usually 1/sqrt(d). FQ_ERR_UNSUPPORTED
 * naming a step that keeps something of every token, or a mean of values that is renewed; FQ_ERR_ARGUMENT for
 * coders of other codecs, and kept positions that do not rise; otherwise as fq_attention_run. */
FQ_MUST_CHECK fq_status fq_attention_treated_run(const fq_attention_treated *attention, float *out,
                                                 const float *queries, size_t m, const fq_treated_head *head,
                                                 double scale);

#ifdef __cplusplus
}
#endif
#endif
