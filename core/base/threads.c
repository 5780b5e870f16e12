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

/* Work that can fail, and why each worker's did; FQ_OK where it did not. */
typedef struct trial {
    fq_status (*work)(void *job, size_t worker);
    void *job;
    fq_error *error; /* [workers] */
} trial;

static void try_one(void *context, size_t worker) {
    const trial *t = context;
    if (t->work(t->job, worker) != FQ_OK)
        t->error[worker] = *fq_error_last();
}

fq_status fq_parallel_try(size_t workers, fq_status (*work)(void *job, size_t worker), void *job) {
    trial t = {.work = work, .job = job};
    fq_status status = FQ_OK;
    if (workers == 1)
        return work(job, 0);
    FQ_TRY(fq_alloc_zero(&t.error, workers, sizeof *t.error));
    fq_parallel(workers, try_one, &t);
    for (size_t w = 0; w < workers && status == FQ_OK; w++)
        if (t.error[w].status != FQ_OK)
            status = fq_error_restore(&t.error[w]);
    fq_free(t.error);
    return status;
}
