/* What a worker process does, and what it says to its pool. Private to the pool. */
#ifndef FQ_SWEEP_WORKER_H
#define FQ_SWEEP_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "sweep_plan.h"

typedef struct fq_worker_order { /* owner to worker */
    uint64_t point;
    int64_t threads;
} fq_worker_order;

/* PROGRESS: fraction of the point. TRAINING: fraction of a codebook, named by the bytes that follow. DONE: an
 * outcome follows. */
enum { FQ_WORKER_PROGRESS = 1, FQ_WORKER_DONE = 2, FQ_WORKER_TRAINING = 3, FQ_WORKER_TEXT = 80 };

typedef struct fq_worker_head { /* worker to owner, followed by length bytes */
    uint64_t kind, length;
    double fraction;
} fq_worker_head;

/* Takes orders until the socket closes or the owner is gone; never returns. */
_Noreturn void fq_worker_main(int socket, pid_t owner, const fq_plan *plan, const char *cache_folder);

/* Sends all bytes over a socket; false if the other end is gone. Both ends use it. */
bool fq_worker_send(int socket, const void *bytes, size_t length);

#endif
