/* One sweep at a time on one store, and a window through which others can watch it.
 *
 * RESULTS.h5.lock is held with a POSIX record lock for as long as the sweep lives: the system lets
 * go of it when the process ends, however it ends, so a lock left behind by a killed sweep is known
 * to be stale. Its text says who holds it and how far the sweep is; host and pid make refusals
 * readable and, on file systems without working locks, are compared with the running processes.
 */
#ifndef FQ_SWEEP_LOCK_H
#define FQ_SWEEP_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "status.h"

typedef struct fq_sweep_state {
    char host[64];
    int64_t pid;
    double started; /* Unix time */
    double updated;
    double elapsed_seconds, eta_seconds; /* eta NaN: not known yet */
    uint64_t total, stored_before, done, failed, running, workers, ranks;
} fq_sweep_state;

typedef struct fq_sweep_lock {
    int file; /* -1: none */
    char path[4200];
} fq_sweep_lock;

/* Locks the store at results. FQ_ERR_USAGE with host and pid if another sweep has it, FQ_ERR_OUTPUT
 * if the lock file cannot be made. */
FQ_MUST_CHECK fq_status fq_sweep_lock_take(fq_sweep_lock *lock, const char *results);

/* Writes the state for watchers; failures are ignored, for a watcher's sake no point is lost. */
void fq_sweep_lock_show(fq_sweep_lock *lock, const fq_sweep_state *state);

/* Removes the lock file and lets go. */
void fq_sweep_lock_release(fq_sweep_lock *lock);

/* For watchers: *alive tells whether a sweep holds the lock. FQ_ERR_INPUT if there is no lock file
 * or it is malformed (*alive is still set). */
FQ_MUST_CHECK fq_status fq_sweep_lock_read(const char *results, fq_sweep_state *state, bool *alive);

#endif
