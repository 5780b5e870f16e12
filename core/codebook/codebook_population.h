/* The recipe that minimises the distortion of the distribution. */
#ifndef FQ_CODEBOOK_POPULATION_H
#define FQ_CODEBOOK_POPULATION_H

#include "codebook_training.h"

/* Writes words[N][k]; options have been checked. */
FQ_MUST_CHECK fq_status fq_train_population(float *words, const fq_source *source,
                                            const fq_train_options *options);

/* Its work: see fq_codebook_training_work. */
double fq_train_population_work(const fq_train_options *options);

#endif
