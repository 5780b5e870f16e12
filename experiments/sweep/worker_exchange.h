/* Workers of one distributed run shared out to the ranks of an MPI job: each computes some of them and
 * receives what the others send, as doubles and in the order of the workers, so that every rank goes on with
 * the same numbers, and with those of a run on one rank. Without a launcher, or in a build without MPI, one
 * process has all workers.
 */
#ifndef FQ_WORKER_EXCHANGE_H
#define FQ_WORKER_EXCHANGE_H

#include <stdbool.h>

#include "worker_messages.h"

typedef struct fq_exchange {
    bool active;
    int rank, size;
    int *counts, *places; /* [size]: doubles of each rank's workers, and where they start; private */
} fq_exchange;

/* Starts MPI if launched by it. workers: at least as many as ranks (FQ_ERR_ARGUMENT on all ranks otherwise).
 */
FQ_MUST_CHECK fq_status fq_exchange_start(fq_exchange *exchange, size_t workers);

/* This rank's workers; exchange must outlive its use. */
fq_team fq_exchange_team(fq_exchange *exchange, size_t workers);

/* After a failure (orderly = false) all ranks are ended with exit_code, since the others wait. */
void fq_exchange_end(fq_exchange *exchange, bool orderly, int exit_code);

#endif
