/* How many threads the library uses.
 *
 * Encoding, decoding, attention on codes, training, sampling and measuring share their work between OpenMP's
 * threads; what they compute does not depend on how many there are. By default that is as many as
 * OMP_NUM_THREADS says, or one for each core.
 *
 * Who calls from outside an OpenMP program pays for that twice. OpenMP's threads stay after the first call,
 * and after every call they spin for a while (with GCC's run-time library some milliseconds) in the hope of
 * more work, on cores that the caller's own threads may want. Two ways out:
 *   - OMP_WAIT_POLICY=passive (or GOMP_SPINCOUNT=0, or KMP_BLOCKTIME=0 for LLVM's) in the environment when
 * the program starts: its threads then sleep at once. The library cannot set that itself: the run-time
 * library reads it before main.
 *   - fq_threads_set(1): calls run on the calling thread alone and OpenMP starts no thread at all. For
 * callers with threads of their own, who share out vectors between them.
 */
#ifndef FQ_THREADS_H
#define FQ_THREADS_H

#ifdef __cplusplus
extern "C" {
#endif

/* From now on at most that many threads a call, for every calling thread; 0 or less: OpenMP's own number
 * again. Thread-safe; does not change calls that run already, nor what OpenMP does elsewhere in the program.
 */
void fq_threads_set(int most);

/* How many threads a call from this thread may use: 1 where the library was built without OpenMP. */
int fq_threads_get(void);

#ifdef __cplusplus
}
#endif
#endif
