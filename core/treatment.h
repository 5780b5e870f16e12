/* Treatments: what is done to a head's keys and values around the codec.
 *
 *   step[+step...]     step = name[:key=value,...]       mean+metric+classes+first+window:tokens=16+pool
 *
 * in the grammar of codec names; "none" is none. Steps (fq_treatment_family_name lists them, each a file and
 * a line in treatments.def) are of three sorts:
 *   - they change vectors before the codec and back after it: a mean subtracted, pairs of coordinates scaled;
 *   - they steer the coding alone: a metric for the encoder, a rotation by position, channels in the place
 *     of tokens;
 *   - they keep tokens out of the codec: the first ones, the last ones before a query, those of tiny values.
 * A step is for keys, for values or for both; the others pass through unchanged. Everything that a head
 * stores is counted to the bit.
 *
 * What a step knows of a head comes from its first tokens (the prefix), which a prompt's prefill has before
 * anything is encoded: so the tokens of the prefix are encoded like all others, none is left raw. Nothing is
 * calibrated outside the cache.
 *
 * Notation: one key-value head, x[n][d] row-major float32, keys after the position encoding; token t at
 * position t.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_TREATMENT_H
#define FQ_TREATMENT_H

#include <stdbool.h>

#include "codec.h"
#include "rope.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FQ_TREATMENT_STEPS_MAX = 8, FQ_TREATMENT_TEXT_MAX = 160 };

typedef enum fq_treatment_side { FQ_OF_KEYS = 1, FQ_OF_VALUES = 2 } fq_treatment_side;

struct fq_treatment_family;

typedef struct fq_treatment_step {
    const struct fq_treatment_family *family;
    double value[FQ_SPEC_VALUES_MAX]; /* of its keys, in their order */
} fq_treatment_step;

typedef struct fq_treatment {
    size_t steps;
    fq_treatment_step step[FQ_TREATMENT_STEPS_MAX];
} fq_treatment;

/* FQ_ERR_SPEC naming the step, key and value, and what is allowed. */
FQ_MUST_CHECK fq_status fq_treatment_parse(fq_treatment *treatment, const char *text);

/* The one canonical name: defaults left out, "none" for none. */
FQ_MUST_CHECK fq_status fq_treatment_format(char text[FQ_TREATMENT_TEXT_MAX], const fq_treatment *treatment);

/* How many steps the table has, and each one's name, one-line summary and keys (NULL past the last). */
size_t fq_treatment_family_count(void);
const char *fq_treatment_family_name(size_t i);
const char *fq_treatment_family_summary(size_t i);
const fq_codec_key *fq_treatment_family_key(size_t i, size_t key);

/* Tokens that are not read from codes. */
typedef struct fq_treatment_keep {
    size_t first;  /* the first tokens */
    size_t window; /* a query at position p reads positions p - window + 1 .. p as they were appended */
    double
        pool_below; /* tokens whose value's norm, over the median of the head's first pool_tokens, is below */
    size_t pool_tokens; /* this on the mean of the layer's heads are kept; 0: no pool */
    double first_bits, window_bits, pool_bits; /* a coordinate: 16 as halves, 8.5 as bytes with a half a 32 */
} fq_treatment_keep;
fq_treatment_keep fq_treatment_keeps(const fq_treatment *treatment);

/* The median of the norms of x[n][dim], n at least 1: of a head's first pool_tokens values. */
FQ_MUST_CHECK fq_status fq_treatment_median_norm(double *median, const float *x, size_t n, size_t dim);

/* Whether a token is in the pool of a layer: its heads' values, value[h] = x[dim], and their medians. */
bool fq_treatment_in_pool(const fq_treatment_keep *keep, const float *const *value, const double *median,
                          size_t heads, size_t dim);

/* Bits of one kept vector: at 16 a coordinate 16 d, at 8.5 a byte each and a half for every 32 begun. */
double fq_treatment_keep_cost(size_t dim, double bits);

/* x[n][dim] as kept at that many bits a coordinate: rounded to halves (16), or in groups of up to 32
 * neighbours to whole multiples, -127..127, of a half (8.5). May be in place. */
void fq_treatment_keep_round(float *kept, const float *x, size_t n, size_t dim, double bits);

/* Prefix tokens that a side's steps learn from; what is appended before they are there waits. */
size_t fq_treatment_prefix(const fq_treatment *treatment, fq_treatment_side side);

/* Rotations that a side takes in turn, by position: 1 without a step that asks for more. */
size_t fq_treatment_classes(const fq_treatment *treatment, fq_treatment_side side);

/* Tokens that a side codes together, channel by channel, beginning at a multiple of their number: 1 without a
 * step that asks for more. */
size_t fq_treatment_together(const fq_treatment *treatment, fq_treatment_side side);

/* The first token that a query at that position reads from its window: position - window + 1, or the group of
 * tokens coded together that it is in. Not for a window of 0. */
static inline size_t fq_treatment_near_from(size_t position, size_t window, size_t together) {
    return position + 1 > window ? (position + 1 - window) / together * together : 0;
}

/* Second moments [dim][dim] that are known beforehand, from a model's weights or from another cache: of the
 * vectors (keys before their position encoding, about their mean), and of the queries that keys meet, before
 * their encoding. NULL: not known. Scales do not matter. */
typedef struct fq_head_moments {
    const float *self, *query;
} fq_head_moments;

/* What is known of a head when its first tokens are there. */
typedef struct fq_head_prefix {
    fq_treatment_side side;
    size_t dim, tokens;
    size_t capacity;     /* tokens that the head has at most; 0: no more than the prefix */
    const float *x;      /* [tokens][dim] */
    size_t group;        /* query heads that read this head; 0: no queries */
    const float *query;  /* [tokens][group][dim], after the position encoding; for keys */
    const fq_rope *rope; /* NULL: not known */
    fq_head_moments given;
} fq_head_prefix;

/* One head's keys or values through its treatment and codec. Immutable after creation, unless a step's
 * knowledge grows with the tokens (a mean that is renewed): then encoding changes it, and tokens are encoded
 * in order, each once. */
typedef struct fq_head_coder fq_head_coder;

/* codecs[classes]: of one spec and dimension, told apart by their rotation; they must outlive the coder. The
 * prefix is not read later. FQ_ERR_SPEC if a step and the codec, or what is known of the head, do not fit. */
FQ_MUST_CHECK fq_status fq_head_coder_create(fq_head_coder **coder, const fq_treatment *treatment,
                                             const fq_codec *const *codecs, const fq_head_prefix *prefix);
void fq_head_coder_destroy(fq_head_coder *coder); /* NULL accepted */

/* Codes of the tokens first..first+n-1, code_bytes of the codec each, and back; first and n multiples of the
 * tokens that are coded together, or FQ_ERR_ARGUMENT. Where knowledge grows, encoding out of order, beyond
 * the capacity or after a failure is FQ_ERR_ARGUMENT, too. */
FQ_MUST_CHECK fq_status fq_head_coder_encode(fq_head_coder *coder, uint8_t *codes, const float *x,
                                             size_t first, size_t n);
FQ_MUST_CHECK fq_status fq_head_coder_decode(const fq_head_coder *coder, float *x, const uint8_t *codes,
                                             size_t first, size_t n);

/* kept[n][dim]: x[n][dim] of the tokens first.. as kept tokens are read. What the steps make of them is
 * rounded (fq_treatment_keep_round) and taken back, so a mean that all keys share costs kept tokens no
 * precision either. kept may be x. */
FQ_MUST_CHECK fq_status fq_head_coder_keep(const fq_head_coder *coder, float *kept, const float *x,
                                           size_t first, size_t n, double bits);

/* Bits that a head of that many tokens stores beside their codes: means, scales. */
double fq_head_coder_side_bits(const fq_head_coder *coder, size_t tokens);

#ifdef __cplusplus
}
#endif
#endif
