#include "threads.h"

#include <limits.h>
#include <stdatomic.h>

#include "memory.h"
#include "parallel.h"

static atomic_int chosen;
static fq_pool pool;

void fq_threads_use(const fq_pool *given) {
    pool = given ? *given : (fq_pool){0};
}

void fq_threads_set(int most) {
    atomic_store(&chosen, most > 0 ? most : 0);
}

int fq_threads_get(void) {
    if (fq_alloc_is_from_room())
        return 1; /* a room is one thread's */
    const int most = atomic_load(&chosen);
    const size_t there = pool.workers ? pool.workers(pool.context) : 1;
    const int offered = there > INT_MAX ? INT_MAX : there > 1 ? (int)there : 1;
    return most > 0 && most < offered ? most : offered;
}

void fq_parallel(size_t workers, void (*work)(void *job, size_t worker), void *job) {
    if (workers > 1 && pool.run) {
        pool.run(pool.context, workers, work, job);
        return;
    }
    for (size_t w = 0; w < workers; w++)
        work(job, w);
}
