#define _GNU_SOURCE /* sched_getaffinity */
#include "sweep_cores.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "sweep_mpi.h"

size_t fq_sweep_cores(void) {
#ifdef _OPENMP
    return (size_t)omp_get_num_procs(); /* the mask as it was before OMP_PROC_BIND narrowed the thread's */
#else
#ifdef CPU_COUNT
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        return (size_t)CPU_COUNT(&cores);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
#endif
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t fq_sweep_workers(size_t points, size_t jobs) {
    const size_t cores = fq_sweep_cores();
    const size_t wanted = jobs ? jobs : fq_mpi_launched() ? 1 : cores;
    const size_t workers = smaller(smaller(wanted, cores), points);
    return workers ? workers : 1;
}

size_t fq_sweep_thread_limit(void) {
#ifdef _OPENMP
    return getenv("OMP_NUM_THREADS") ? (size_t)omp_get_max_threads() : SIZE_MAX;
#else
    return 1;
#endif
}
