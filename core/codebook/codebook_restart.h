/* What the recipes that train by restarts share. */
#ifndef FQ_CODEBOOK_RESTART_H
#define FQ_CODEBOOK_RESTART_H

#include "codebook.h"

/* Work of one sample in units of a flop at the speed of the search: assigning it to the nearest of N words of
 * dimension k, and drawing it as well. */
double fq_train_assign_work(size_t codewords, size_t block);
double fq_train_sample_work(size_t codewords, size_t block);

/* Turns words[N][k] by a Haar rotation of R^k that (seed, number) names, in place. */
FQ_MUST_CHECK fq_status fq_train_rotate(float *words, size_t codewords, size_t block, uint64_t seed,
                                        uint64_t number);

/* Reports fraction; FQ_ERR_INTERRUPTED if the listener wants to stop. */
FQ_MUST_CHECK fq_status fq_train_report(const fq_progress *progress, double fraction);

#endif
