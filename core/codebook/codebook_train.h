/* What the training recipes share. Internal to core. */
#ifndef FQ_CODEBOOK_TRAIN_H
#define FQ_CODEBOOK_TRAIN_H

#include "codebook.h"
#include "lloyd.h"

/* Each writes words[N][k]; options have been checked. */
FQ_MUST_CHECK fq_status fq_train_paper(float *words, const fq_source *source,
                                       const fq_train_options *options);
FQ_MUST_CHECK fq_status fq_train_population(float *words, const fq_source *source,
                                            const fq_train_options *options);

/* Work of each; options have been checked. See fq_codebook_training_work. */
double fq_train_paper_work(const fq_train_options *options);
double fq_train_population_work(const fq_train_options *options);

/* A sample's share of it: drawn, and assigned to the nearest of N words of dimension k. */
double fq_train_sample_work(size_t codewords, size_t block);

/* Turns words[N][k] by a Haar rotation of R^k that (seed, number) names, in place. */
FQ_MUST_CHECK fq_status fq_train_rotate(float *words, size_t codewords, size_t block, uint64_t seed,
                                        uint64_t number);

/* Reports fraction; FQ_ERR_INTERRUPTED if the listener wants to stop. */
FQ_MUST_CHECK fq_status fq_train_report(const fq_progress *progress, double fraction);

#endif
