/* Making and measuring codes: the library libfibquant_training, which needs GSL and OpenMP.
 *
 * libfibquant encodes, decodes and attends by codes that it is given; what makes them stands here and in
 * codebook_initial.h, scalar_quantizer.h and source.h. A program that calls fq_training_install can create
 * codecs without giving their codebooks, too.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_CODEBOOK_TRAINING_H
#define FQ_CODEBOOK_TRAINING_H

#include "codebook.h"
#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From now on fq_codec_create makes what it is not given (trains codebooks, solves for levels, fits lattices,
 * searches maps of trellis codes), and calls of both libraries share their work between OpenMP's threads, as
 * threads.h says. Call it once, before the first codec is created. */
void fq_training_install(void);

/* Trains by options->recipe. Deterministic in (dim, block, codewords, recipe, seed, tolerance),
 * whatever the number of threads. FQ_RECIPE_POPULATION is never worse on fresh samples than its
 * initialisation nor, when N is a k-th power of an integer, than the product code.
 * The result's distortion is not measured: see fq_codebook_measure. */
FQ_MUST_CHECK fq_status fq_codebook_train(fq_codebook *codebook, const fq_train_options *options);

/* What fq_codebook_train will take, in floating-point operations at the speed of the search for the nearest
 * word: two a coordinate and word, and what drawing a sample costs besides. An order of magnitude, for
 * estimates of time; 0 for options that it refuses or that need no samples. */
double fq_codebook_training_work(const fq_train_options *options);

/* Measures D on samples 0..n-1 of (seed, FQ_PURPOSE_EVALUATE), n >= 2, with standard error, and
 * stores both in the codebook. Uses |X|^2's known mean as a control variate where that helps. */
FQ_MUST_CHECK fq_status fq_codebook_measure(fq_codebook *codebook, uint64_t seed, uint64_t n);

#ifdef __cplusplus
}
#endif
#endif
