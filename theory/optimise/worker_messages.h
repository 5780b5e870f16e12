/* Messages of n workers, compressed; and which of the workers this process is.
 *
 * Every worker's message is a vector of d coordinates, sent as d/B vectors of a compressor's dimension B. Its
 * randomness is addressed by (run, round, message of the round, worker, part), or without the worker where
 * workers share it. A process computes the workers first..first+count-1; share fills in the others' messages,
 * which every process then sums in the order of the workers: the same doubles for any number of processes.
 */
#ifndef FQ_WORKER_MESSAGES_H
#define FQ_WORKER_MESSAGES_H

#include "compressor.h"

typedef struct fq_team {
    size_t first, count;
    /* messages[n][dim]: this process's rows are set, the others' are to be. NULL: all are this process's. */
    fq_status (*share)(void *context, double *messages, size_t n, size_t dim);
    void *context;
} fq_team;

typedef struct fq_messages {
    const fq_compressor *compressor; /* NULL: the vectors themselves, 32 bits a coordinate */
    fq_compressor_form form;
    size_t dim, part, workers; /* d, B and n; B divides d */
    bool shared;               /* one randomness for all workers */
    uint64_t seed;
    size_t run; /* below 2^8; rounds below 2^24, n and d/B below 2^12 */
    fq_team team;
} fq_messages;

/* sent[n][d] of vectors[n][d]: all workers' messages as they are received. message: which of its round, 0 or
 * 1. */
FQ_MUST_CHECK fq_status fq_messages_send(const fq_messages *m, double *sent, const double *vectors,
                                         size_t round, size_t message);

/* Bits of one worker's message. */
double fq_messages_bits(const fq_messages *m);

/* to[d] += scale times the mean of messages[n][d], in order. */
void fq_messages_add_mean(const fq_messages *m, double *to, double scale, const double *messages);

#endif
