/* Codec names: one grammar for the command line, manifests, stored results and legends.
 *
 *   name[:key=value[,key=value]...]      fib:k=4,N=256   tq:b=2   tqprod:b=3   fp16
 *
 * Keys, each optional unless the family needs it; an unknown or repeated key, a value out of range
 * or a k that does not divide d is FQ_ERR_SPEC naming the key, the value and what is allowed.
 *
 *   k=1..1024         block dimension                              fib
 *   N=1..1048576      codewords                                    fib
 *   recipe=population|paper|initial|product                        fib
 *   b=0.25..8         bits a coordinate, fractions allowed         tq, tqprod
 *   rot=haar|hadamard                                              all but fp16 (default haar)
 *   pack=bits|radix                                                all but fp16 (default bits;
 *                                                                  radix for fib when N is no power of 2)
 *   norm=input|ls|match  what the stored norm is: |x|, the least-squares gain <x,y>/|y|^2 of the
 *                        reconstruction y of the direction, or |x|/|y|      all but fp16, tqprod
 *   seed=0..2^64-1    of the rotation and of training              all but fp16 (default 1)
 */
#ifndef FQ_CODEC_SPEC_H
#define FQ_CODEC_SPEC_H

#include <stdint.h>

#include "codebook.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fq_rotation_kind { FQ_ROTATION_HAAR = 0, FQ_ROTATION_HADAMARD = 1 } fq_rotation_kind;
typedef enum fq_packing { FQ_PACK_BITS = 0, FQ_PACK_RADIX = 1 } fq_packing;
typedef enum fq_norm_rule { FQ_NORM_INPUT = 0, FQ_NORM_LS = 1, FQ_NORM_MATCH = 2 } fq_norm_rule;

enum { FQ_SPEC_TEXT_MAX = 160, FQ_FAMILY_NAME_MAX = 16 };

typedef struct fq_codec_spec {
    char family[FQ_FAMILY_NAME_MAX]; /* a name in the codec table */
    size_t block;                    /* k; 0 if the family has none */
    size_t codewords;                /* N; 0 if none */
    double bits;                     /* b; 0 if none */
    fq_recipe recipe;
    fq_rotation_kind rotation;
    fq_packing packing;
    fq_norm_rule norm;
    uint64_t seed;
} fq_codec_spec;

/* Reads text into spec with all defaults filled in; does not know d. */
FQ_MUST_CHECK fq_status fq_codec_spec_parse(fq_codec_spec *spec, const char *text);

/* The one canonical name of a spec: keys in the order above, defaults left out, so equal specs have
 * equal names and parse(format(s)) = s. */
FQ_MUST_CHECK fq_status fq_codec_spec_format(char text[FQ_SPEC_TEXT_MAX], const fq_codec_spec *spec);

#ifdef __cplusplus
}
#endif
#endif
