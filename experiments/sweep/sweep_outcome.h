/* What became of a point: its rows or its error, and what it cost. Travels as bytes from worker
 * processes and other ranks (of the same architecture) to the one process that writes.
 */
#ifndef FQ_SWEEP_OUTCOME_H
#define FQ_SWEEP_OUTCOME_H

#include "sweep_plan.h"
#include "sweep_rows.h"

enum { FQ_OUTCOME_ERROR_MAX = 1024, FQ_OUTCOME_HOST_MAX = 64 };

typedef struct fq_outcome {
    size_t point;                     /* place in the plan */
    fq_status status;                 /* of the experiment's run */
    char error[FQ_OUTCOME_ERROR_MAX]; /* one line; empty if it succeeded */
    char host[FQ_OUTCOME_HOST_MAX];
    double wall_seconds, cpu_seconds; /* monotonic clock; all threads of the worker */
    double started;                   /* Unix time, for people */
    int64_t peak_memory_bytes;        /* of the worker while it ran the point; 0 if not known */
    int threads;
    fq_rows rows; /* empty if it failed */
} fq_outcome;

/* Runs the point here with that many OpenMP threads. Never fails itself: the outcome says. */
void fq_outcome_compute(fq_outcome *outcome, const fq_plan *plan, size_t point, int threads,
                        fq_resources *resources, void (*progress)(void *, double), void *context);
void fq_outcome_clear(fq_outcome *outcome);

/* A failed outcome without rows: the worker died, say. */
void fq_outcome_fail(fq_outcome *outcome, const fq_plan *plan, size_t point, fq_status status,
                     const char *error);

/* To bytes (*bytes belongs to the caller: fq_free), and back: FQ_ERR_CORRUPT if they are none. */
FQ_MUST_CHECK fq_status fq_outcome_pack(const fq_outcome *outcome, unsigned char **bytes, size_t *length);
FQ_MUST_CHECK fq_status fq_outcome_unpack(fq_outcome *outcome, const fq_plan *plan,
                                          const unsigned char *bytes, size_t length);

#endif
