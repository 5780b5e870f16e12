/* Compressors: what a worker does to a vector before it sends it, in the words of distributed optimisation.
 *
 *   contractive  E|C(x) - x|^2 <= (1 - alpha) |x|^2            for every x
 *   unbiased     E C(x) = x,  E|C(x) - x|^2 <= omega |x|^2     for every x
 *
 * A compressor is a name: one of the table compressors.def (topk:K=1, randk:K=8, natural, sign, qsgd:s=4,
 * none) or any codec of the codec table (tq:b=2, fib:k=4,N=256, ...). A codec is sent through a Haar rotation
 * drawn anew for every call: by universality its error then has one law for all x of a norm, so with s = E<y,
 * y^> and q = E|y^|^2 over uniform directions y,
 *   E C(x) = s x,  E|C(x) - x|^2 = (1 - 2 s + q) |x|^2,
 * and both bounds are equalities: alpha = s^2/q for (s/q) C, omega = q/s^2 - 1 for C/s, alpha = 1/(1 +
 * omega). Codes whose words are centroids have s = q = 1 - D: alpha = 1 - D for C itself, omega = D/(1 - D).
 *
 * Sent in place of the codec's own norm: |x| as a float32, so that halves bias nothing; the codec sees
 * x/|x|. Decoded vectors are off by float32's rounding, relative to |x|, and their mean by 2^-24.
 *
 * Randomness is addressed: vector i of a call draws from stream (seed, FQ_PURPOSE_COMPRESS, number[i]). Equal
 * numbers are shared randomness (one rotation for several workers), different ones independent. A compressor
 * is immutable: threads may share it. Source of the definitions: Richtarik et al. 2021 (EF21), Li et al. 2020
 * (ADIANA); alpha and omega of codecs are derived here, see claim compressor.
 */
#ifndef FQ_COMPRESSOR_H
#define FQ_COMPRESSOR_H

#include "codec.h"
#include "status.h"

typedef struct fq_compressor fq_compressor;

typedef enum fq_compressor_form {
    FQ_COMPRESSOR_CONTRACTIVE = 0,
    FQ_COMPRESSOR_UNBIASED = 1
} fq_compressor_form;

/* What is known of a compressor on vectors of its dimension. */
typedef struct fq_compressor_about {
    double bits;     /* of a vector, everything included: the same for every vector */
    double alpha;    /* of the contractive form */
    double omega;    /* of the unbiased form; NaN where there is none */
    double omega_se; /* standard error of both where they were measured, else 0; of alpha: alpha^2 times it */
    bool exact;      /* equalities for every x, not bounds */
    bool random;     /* draws from its stream */
} fq_compressor_about;

/* A codec of which s and q are not known exactly is measured on this many uniform directions. */
enum { FQ_COMPRESSOR_CALIBRATION = 16384 };

/* dim 1 to FQ_DIM_MAX. codebook: of a trained codec, or NULL to train it here. FQ_ERR_SPEC naming the name,
 * key and value that are wrong, or what does not fit dim. */
FQ_MUST_CHECK fq_status fq_compressor_create(fq_compressor **compressor, const char *name, size_t dim,
                                             const fq_codebook *codebook);
void fq_compressor_destroy(fq_compressor *compressor); /* NULL accepted */

fq_compressor_about fq_compressor_get_about(const fq_compressor *compressor);

/* y[n][dim] of x[n][dim]; they may not overlap. FQ_ERR_NONFINITE, and FQ_ERR_RANGE for vectors longer than
 * 1e37, FQ_ERR_UNSUPPORTED for the unbiased form of a compressor without one. A vector of zeros gives zeros.
 * Cost of a codec: d^2/2 normal numbers and 4 d^2 flops a vector beside the codec's own work. */
FQ_MUST_CHECK fq_status fq_compressor_apply(const fq_compressor *compressor, fq_compressor_form form,
                                            double *y, const double *x, size_t n, uint64_t seed,
                                            const uint64_t *number);

/* The one canonical name, as fq_codec_spec_format gives it for codecs. FQ_ERR_SPEC as above. */
FQ_MUST_CHECK fq_status fq_compressor_name(char text[FQ_SPEC_TEXT_MAX], const char *name);

/* True where name is a codec of the codec table, which is then *spec. */
bool fq_compressor_is_codec(fq_codec_spec *spec, const char *name);

/* Whether name can be made for vectors of dim coordinates, found without training. */
FQ_MUST_CHECK fq_status fq_compressor_check(const char *name, size_t dim);

/* The table compressors.def: name and one-line summary. */
size_t fq_compressor_family_count(void);
const char *fq_compressor_family_name(size_t i);
const char *fq_compressor_family_summary(size_t i);

#endif
