/* How a compressor that is no codec is made: one file compressor_<name>.c defining
 *     const fq_compressor_family fq_compressor_family_<name> = {...};
 * and one line FQ_COMPRESSOR(<name>) in compressors.def.
 */
#ifndef FQ_COMPRESSOR_FAMILY_H
#define FQ_COMPRESSOR_FAMILY_H

#include "compressor.h"
#include "stream.h"

typedef struct fq_compressor_family {
    const char *name;
    const char *summary;      /* one line */
    const fq_codec_key *keys; /* up to a name of NULL; NULL: none */
    /* Bits, alpha and omega for these values of the keys. FQ_ERR_SPEC where they do not fit dim. */
    fq_status (*about)(fq_compressor_about *about, const double *value, size_t dim);
    /* One finite vector. The unbiased form if it has one (omega is not NaN), else the contractive one; scaled
     * by alpha, an unbiased form is the contractive one. */
    void (*apply)(const double *value, double *y, const double *x, size_t dim, fq_stream *stream);
} fq_compressor_family;

#endif
