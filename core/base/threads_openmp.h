/* OpenMP's threads as the pool of threads.h. */
#ifndef FQ_THREADS_OPENMP_H
#define FQ_THREADS_OPENMP_H

/* From now on as many threads as OMP_NUM_THREADS says, or one for each core. Does nothing in a build without
 * OpenMP. */
void fq_threads_use_openmp(void);

#endif
