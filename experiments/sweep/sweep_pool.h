/* Worker processes that compute points. A point that crashes, is killed or runs out of memory
 * takes its worker with it and nothing else: the point is reported as failed, the worker replaced.
 *
 * Workers are forked by the process that owns the pool, speak over socket pairs, ignore Ctrl-C,
 * SIGTERM and SIGHUP (the owner decides) and die with their owner. The owner must not have run OpenMP code
 * before.
 */
#ifndef FQ_SWEEP_POOL_H
#define FQ_SWEEP_POOL_H

#include <poll.h>
#include <sys/types.h>

#include "sweep_outcome.h"
#include "sweep_worker.h"

typedef struct fq_pool_worker {
    pid_t pid;
    int socket;
    bool busy;
    size_t point;
    double fraction;               /* as the experiment reported it */
    char training[FQ_WORKER_TEXT]; /* the codebook being trained for it; "": none */
    double trained;                /* fraction of that */
    unsigned char *bytes;          /* of the message being received */
    size_t received, room;
} fq_pool_worker;

typedef struct fq_pool {
    const fq_plan *plan;
    const char *cache_folder;
    size_t count;
    fq_pool_worker *workers;
    struct pollfd *polls;
    size_t deaths;
} fq_pool;

/* Called for every outcome, as bytes for fq_outcome_unpack. A failure ends fq_pool_wait with it. */
typedef fq_status (*fq_pool_done)(void *context, size_t worker, const unsigned char *bytes, size_t length);

FQ_MUST_CHECK fq_status fq_pool_create(fq_pool *pool, const fq_plan *plan, size_t workers,
                                       const char *cache_folder);
/* Ends idle workers and kills busy ones. */
void fq_pool_destroy(fq_pool *pool);

/* Gives an idle worker a point. */
FQ_MUST_CHECK fq_status fq_pool_assign(fq_pool *pool, size_t worker, size_t point, int threads);

/* Waits up to timeout_ms for messages and handles all that are there. Returns early when a signal
 * arrives. */
FQ_MUST_CHECK fq_status fq_pool_wait(fq_pool *pool, int timeout_ms, fq_pool_done done, void *context);

#endif
