/* What a sweep keeps in its results file: one table an experiment, and a table of failures.
 *
 * Columns of an experiment's table: its parameters (a file as its name and NAME_sha256), its values,
 * then point (the id), seed, replicate, row (number within the point), run (of /provenance),
 * wall_seconds, cpu_seconds, peak_memory_bytes, threads, host. Table failures: point, experiment,
 * label, error, run, wall_seconds, host. Rows stand in the plan's order, those of other manifests
 * before them.
 */
#ifndef FQ_SWEEP_STORE_H
#define FQ_SWEEP_STORE_H

#include "provenance.h"
#include "result_store.h"
#include "sweep_outcome.h"

typedef enum fq_point_state { FQ_POINT_ABSENT = 0, FQ_POINT_DONE, FQ_POINT_FAILED } fq_point_state;

typedef struct fq_sweep_store fq_sweep_store;

typedef struct fq_sweep_store_options {
    bool resume, retry_failed, force, allow_mixed_build;
} fq_sweep_store_options;

#define FQ_FAILURES_TABLE "failures"

/* Texts of a sweep's run in /provenance beside fq_provenance: points of its plan; and, once it has come to an
 * end, how many of them are stored and how many failed (by whichever run), and "finished" or "interrupted". A
 * run that was killed has the first alone. */
#define FQ_RUN_POINTS "points"
#define FQ_RUN_DONE   "points_stored"
#define FQ_RUN_FAILED "points_failed"
#define FQ_RUN_ENDED  "ended"

/* Opens results for a plan and drops what is to be computed again. FQ_ERR_USAGE if the file exists
 * and none of resume, retry_failed, force is set, or if another build wrote points of the plan. */
FQ_MUST_CHECK fq_status fq_sweep_store_open(fq_sweep_store **store, const char *path, const fq_plan *plan,
                                            const fq_provenance *provenance,
                                            const fq_sweep_store_options *options);
void fq_sweep_store_close(fq_sweep_store *store); /* NULL accepted */

/* Where the journal of another store went that lay at ours, or NULL (fq_store_set_aside). */
const char *fq_sweep_store_set_aside(const fq_sweep_store *store);

fq_point_state fq_sweep_store_state(const fq_sweep_store *store, size_t point);

/* Keeps an outcome for good: on disk when this returns. */
FQ_MUST_CHECK fq_status fq_sweep_store_put(fq_sweep_store *store, const fq_outcome *outcome);

/* Brings the file up to date with the journal; finish also removes the journal and says how the run ended. */
FQ_MUST_CHECK fq_status fq_sweep_store_fold(fq_sweep_store *store);
FQ_MUST_CHECK fq_status fq_sweep_store_finish(fq_sweep_store *store, bool interrupted);

#endif
