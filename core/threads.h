/* Who does a call's work, and on how many threads.
 *
 * Encoding, decoding and attention on codes do all their work on the calling thread, unless they are told
 * whose threads to use: libfibquant itself starts none, takes no lock and never waits. What is computed does
 * not depend on how many there are. Three ways to use more cores:
 *   - threads of the caller's that share out vectors or heads between them and call the library each for its
 * part: nothing to set;
 *   - a pool of the caller's, handed over by fq_threads_use;
 *   - OpenMP's threads, with libfibquant_training: fq_training_install (codebook_training.h). They stay after
 * the first call and spin for a while after every call in the hope of more work, on cores that others may
 * want; OMP_WAIT_POLICY=passive in the environment when the program starts makes them sleep at once.
 * Training, sampling and measuring use OpenMP's threads in any case.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_THREADS_H
#define FQ_THREADS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A pool of threads. run calls work(job, w) once for each w = 0..workers-1, on whichever threads, at the same
 * time or one after the other, and returns when all have returned; it may be called by several threads at
 * once, and by a worker. workers says how many run at once, at least 1. */
typedef struct fq_pool {
    void (*run)(void *context, size_t workers, void (*work)(void *job, size_t worker), void *job);
    size_t (*workers)(void *context);
    void *context;
} fq_pool;

/* From now on calls share their work out to pool, which is copied; NULL: the calling thread does all. Not
 * while another call runs. */
void fq_threads_use(const fq_pool *pool);

/* From now on at most that many threads a call, for every calling thread; 0 or less: as many as the pool has.
 * Thread-safe; does not change calls that run already. */
void fq_threads_set(int most);

/* How many threads a call from this thread may use. */
int fq_threads_get(void);

#ifdef __cplusplus
}
#endif
#endif
