/* Measured distortion of codes, for claims about codes of finite size. Sampling error only: what is
 * measured is the code, on samples that no training saw. */
#ifndef FQ_CODE_DISTORTION_H
#define FQ_CODE_DISTORTION_H

#include "codebook.h"

typedef struct fq_code_distortion {
    double distortion, se; /* normalised D */
    uint64_t samples;
} fq_code_distortion;

/* Trains by recipe (see codebook.h; tolerance is for the population recipe) and measures. The seed
 * decides training and samples. */
FQ_MUST_CHECK fq_status fq_code_distortion_of(fq_code_distortion *result, size_t dim, size_t block,
                                              size_t codewords, fq_recipe recipe, double tolerance,
                                              uint64_t seed, uint64_t samples);

/* The same for words[N][k] given. */
FQ_MUST_CHECK fq_status fq_code_distortion_of_words(fq_code_distortion *result, size_t dim, size_t block,
                                                    size_t codewords, const float *words, uint64_t seed,
                                                    uint64_t samples);

/* Mean over samples of |x - Q(x)|^2 before minus after, normalised as D is, for two codes on the same
 * samples: their common noise cancels. */
FQ_MUST_CHECK fq_status fq_code_gain_of_words(fq_code_distortion *gain, size_t dim, size_t block,
                                              size_t codewords, const float *before, const float *after,
                                              uint64_t seed, uint64_t samples);

/* words[N][k] by one Lloyd step from the product code: each word moved to the mean of its cell over the
 * first samples of (seed, FQ_PURPOSE_TRAIN). */
FQ_MUST_CHECK fq_status fq_code_step(float *words, size_t dim, size_t block, size_t codewords, uint64_t seed,
                                     uint64_t samples);

/* D of the scalar Lloyd-Max code of f_{d,1} with so many levels, by quadrature; error about 1e-12. */
FQ_MUST_CHECK fq_status fq_scalar_code_distortion(double *distortion, size_t dim, size_t levels);

#endif
