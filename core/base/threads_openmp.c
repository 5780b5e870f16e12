#include "threads_openmp.h"

#include "threads.h"

#ifdef _OPENMP
#include <omp.h>

static size_t workers(void *context) {
    (void)context;
    return (size_t)omp_get_max_threads();
}

static void run(void *context, size_t count, void (*work)(void *job, size_t worker), void *job) {
    (void)context;
#pragma omp parallel for schedule(static, 1) num_threads((int)count)
    for (size_t w = 0; w < count; w++)
        work(job, w);
}

void fq_threads_use_openmp(void) {
    fq_threads_use(&(fq_pool){.run = run, .workers = workers});
}
#else
void fq_threads_use_openmp(void) {
}
#endif
