/* Runs the points of a plan on workers and ranks, and keeps every outcome as it comes in.
 *
 * Order of computing: dearest points first, so that the end is not spent waiting for one of them.
 * Order in the store: the plan's. Value columns do not depend on workers, threads or ranks.
 */
#ifndef FQ_SWEEP_ENGINE_H
#define FQ_SWEEP_ENGINE_H

#include "provenance.h"
#include "sweep_store.h"

typedef struct fq_sweep_options {
    const char *results;
    const char *cache_folder;
    size_t jobs; /* worker processes on this machine (or rank); 0: all cores, under MPI 1; never more than
                    there are cores or points */
    bool quiet, no_bar;
    bool part; /* the plan is one part of several: tasks that MPI does not see are meant to be apart */
    fq_sweep_store_options store;
} fq_sweep_options;

typedef struct fq_sweep_summary {
    size_t total, stored_before, failed_before; /* by earlier runs: not computed again */
    size_t done, failed;
    double seconds, cpu_seconds, slowest_seconds;
    int64_t peak_memory_bytes;
    bool writer;     /* false on ranks that only computed */
    int interrupted; /* the signal's number; 0: none */
} fq_sweep_summary;

/* FQ_OK also if points failed or Ctrl-C came: the summary says. FQ_ERR_OUTPUT when the store cannot
 * be written any more; what was put before is safe. */
FQ_MUST_CHECK fq_status fq_sweep_run(const fq_plan *plan, fq_provenance *provenance,
                                     const fq_sweep_options *options, fq_sweep_summary *summary);

#endif
