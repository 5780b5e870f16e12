/* Sharing the work of one call out between workers. */
#ifndef FQ_PARALLEL_H
#define FQ_PARALLEL_H

#include <stddef.h>

#include "status.h"

/* Calls work(job, w) for w = 0..workers-1 by the pool of threads.h, and returns when all have returned. */
void fq_parallel(size_t workers, void (*work)(void *job, size_t worker), void *job);

/* The same with work that can fail: its failure, and of several that of the lowest worker, whose slice comes
 * first. Every worker is called in any case. */
FQ_MUST_CHECK fq_status fq_parallel_try(size_t workers, fq_status (*work)(void *job, size_t worker),
                                        void *job);

typedef struct fq_slice {
    size_t first, end;
} fq_slice;

/* The items of one worker when 0..items-1 are shared out in order, each the same number but the last. */
static inline fq_slice fq_slice_of(size_t items, size_t workers, size_t worker) {
    const size_t share = items / workers + (items % workers != 0);
    const size_t first = worker * share < items ? worker * share : items;
    return (fq_slice){first, items - first < share ? items : first + share};
}

#endif
