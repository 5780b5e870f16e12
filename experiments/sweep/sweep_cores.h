/* How many worker processes a sweep takes, and how many threads each of them. */
#ifndef FQ_SWEEP_CORES_H
#define FQ_SWEEP_CORES_H

#include <stddef.h>

/* Cores that the system gives this process (its affinity mask), at least 1. OMP_NUM_THREADS is no limit of
 * theirs: it limits the threads inside one worker. */
size_t fq_sweep_cores(void);

/* Worker processes of this rank for that many points: jobs (0: all cores, under a launcher 1), but never more
 * than there are cores or points; at least 1. */
size_t fq_sweep_workers(size_t points, size_t jobs);

/* Threads that OMP_NUM_THREADS allows inside one worker: SIZE_MAX if it is not set, 1 without OpenMP. */
size_t fq_sweep_thread_limit(void);

#endif
