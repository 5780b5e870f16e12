/* The largest sizes that the library takes. A size beyond its limit is FQ_ERR_ARGUMENT or FQ_ERR_SPEC saying
 * what is allowed.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_SIZE_LIMITS_H
#define FQ_SIZE_LIMITS_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FQ_DIM_MAX = 16384,                    /* d, dimension of vectors; at least 2 */
    FQ_BLOCK_MAX = 1024,                   /* k, coordinates of a block */
    FQ_CODEWORDS_MAX = 1 << 20,            /* N, words of a codebook */
    FQ_LEVELS_MAX = 65536,                 /* of a scalar quantizer */
    FQ_ROTATION_HAAR_MAX = 4096,           /* dimension of a Haar rotation, whose making costs 8/3 d^3 */
    FQ_ROTATION_HADAMARD_MAX = FQ_DIM_MAX, /* and of a randomised Hadamard transform */
    FQ_TRIES_MAX = 256,                    /* scales that an encoder tries */
    FQ_PACKING_COUNT_MAX = FQ_DIM_MAX,     /* indices packed together */
    FQ_PACKING_RADIX_MAX = FQ_CODEWORDS_MAX,

    /* Bytes of texts, their final zero included, and keys. */
    FQ_FAMILY_NAME_MAX = 16, /* name of a codec family */
    FQ_SPEC_TEXT_MAX = 160,  /* name of a codec */
    FQ_SPEC_VALUES_MAX = 8,  /* keys of a family's own */
    FQ_LABEL_MAX = 96        /* what figures call a codec */
};

/* FQ_OK if least <= size <= most; otherwise FQ_ERR_ARGUMENT with argument, size and "least to most". */
FQ_MUST_CHECK fq_status fq_check_size(const char *argument, size_t size, size_t least, size_t most);

#ifdef __cplusplus
}
#endif
#endif
