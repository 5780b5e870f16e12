/* Codec names: one grammar for the command line, manifests, stored results and legends.
 *
 *   name[:key=value[,key=value]...]      fib:k=4,N=256   tq:b=2   tqprod:b=3   fp16
 *
 * Every family brings the keys of its own, declared in its file (fq_codec_family_key lists them), and takes
 * some or all of the common ones:
 *
 *   rot=haar|hadamard    the random rotation                       default haar
 *   pack=bits|radix      how indices are packed                    default bits (fib: radix when N is no
 *                                                                  power of 2)
 *   norm=input|ls|match|unbiased    what the stored norm is, for reconstruction y of the direction u = x/|x|:
 *                        |x|; the least-squares gain |x| <u,y>/|y|^2, also called gain; |x|/|y|, which keeps
 *                        the norm; |x|/<u,y>, with which <x,x^> = |x|^2                 default input
 *   normbits=16|8        the stored norm as a half, or as a byte on a logarithmic scale: 6.7 % a step, norms
 *                        2^-11.9 to 2^11.9, 0.00035 more of D             default 16
 *   tries=1..256         scales of u, spread evenly around 1, that the encoder tries; the code with the
 *                        smallest angle to u is kept. 1 with norm=input                  default 1
 *   seed=0..2^64-1       of the rotation and of training           default 1
 *
 * Keys are optional unless the family needs them; an unknown or repeated key, a value out of range or one
 * that does not fit d is FQ_ERR_SPEC naming the key, the value and what is allowed.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_CODEC_SPEC_H
#define FQ_CODEC_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "packing.h"
#include "rotation.h"
#include "size_limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fq_norm_rule {
    FQ_NORM_INPUT = 0,
    FQ_NORM_LS = 1,
    FQ_NORM_MATCH = 2,
    FQ_NORM_UNBIASED = 3
} fq_norm_rule;
typedef enum fq_norm_format { FQ_NORM_HALF = 0, FQ_NORM_BYTE = 1 } fq_norm_format;

typedef enum fq_key_type {
    FQ_TYPE_INTEGER, /* a whole number */
    FQ_TYPE_REAL,    /* a number with at most six decimals, kept as a whole number of millionths */
    FQ_TYPE_CHOICE,  /* one of some words; its value is the word's place, from 0 */
    FQ_TYPE_SEED     /* any 64-bit number */
} fq_key_type;

typedef struct fq_codec_key {
    const char *name;
    const char *help; /* one line */
    fq_key_type type;
    bool required;   /* has no default */
    double fallback; /* the default otherwise */
    /* The default if it depends on keys before it in the family's table, whose values these are; NULL: no. */
    double (*fallback_of)(const double *value);
    double least, most;       /* of numbers: 0 to 999999.999999 of a real, to 2^53 of an integer */
    const char *const *words; /* of a choice, NULL after the last */
} fq_codec_key;

typedef struct fq_codec_spec {
    char family[FQ_FAMILY_NAME_MAX];  /* a name in the codec table */
    double value[FQ_SPEC_VALUES_MAX]; /* of the family's own keys, in their order; 0 beyond the last */
    fq_rotation_kind rotation;
    fq_packing packing;
    fq_norm_rule norm;
    fq_norm_format norm_format;
    unsigned tries;
    uint64_t seed;
} fq_codec_spec;

/* Reads text into spec with all defaults filled in; does not know d. */
FQ_MUST_CHECK fq_status fq_codec_spec_parse(fq_codec_spec *spec, const char *text);

/* The one canonical name of a spec: the family's keys in their order, then the common ones in that above,
 * defaults left out, so equal specs have equal names and parse(format(s)) = s. */
FQ_MUST_CHECK fq_status fq_codec_spec_format(char text[FQ_SPEC_TEXT_MAX], const fq_codec_spec *spec);

/* The value of one of the family's own keys; otherwise if it has none of that name. */
double fq_codec_spec_value(const fq_codec_spec *spec, const char *key, double otherwise);

/* Key number i of a family of the codec table, its own ones first, then those of the common ones that it
 * takes, in canonical order; NULL past the last. */
const fq_codec_key *fq_codec_family_key(size_t family, size_t i);

/* The default of that key in that family, as a value of the key: which word, or the number. NaN where it
 * depends on other keys, and for required ones and seeds. */
double fq_codec_family_key_default(size_t family, size_t i);

/* What the key allows, in words: "a whole number from 1 to 1024", "haar or hadamard". */
void fq_codec_key_allowed(char text[FQ_ERROR_TEXT_MAX], const fq_codec_key *key);

#ifdef __cplusplus
}
#endif
#endif
