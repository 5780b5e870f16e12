/* What experiments on distributed methods share: the compressor of a point, checkpoints, and means over
 * repeated runs. */
#ifndef FQ_DISTRIBUTED_RUNS_H
#define FQ_DISTRIBUTED_RUNS_H

#include "compressor.h"
#include "experiment.h"
#include "metrics.h"

/* The compressor that a text parameter names, for vectors of dim coordinates; its codebook, if it has one,
 * from the resources. The caller destroys it. */
FQ_MUST_CHECK fq_status fq_point_compressor(fq_compressor **compressor, const fq_point *point,
                                            const char *parameter, fq_resources *resources, size_t dim);

/* For check: FQ_ERR_ARGUMENT naming the parameter where that could not be made. */
FQ_MUST_CHECK fq_status fq_point_check_compressor(const fq_point *point, const char *parameter, size_t dim);

/* Adds its codebook, and seconds for `vectors` compressed vectors of dim coordinates. */
void fq_cost_add_compressor(fq_point_cost *cost, const fq_point *point, const char *parameter, size_t dim,
                            double vectors);

/* Rounds at which something is stored: 0, 1, 2, ..., then every 1.2 times the one before, and last. */
size_t fq_checkpoint_next(size_t round, size_t last);
size_t fq_checkpoint_count(size_t last);

/* Values of runs at checkpoints: value[checkpoint][run], NaN where a run had diverged. */
typedef struct fq_runs {
    size_t runs, checkpoints;
    double *value;
} fq_runs;
FQ_MUST_CHECK fq_status fq_runs_init(fq_runs *r, size_t runs, size_t checkpoints);
void fq_runs_clear(fq_runs *r);
void fq_runs_set(fq_runs *r, size_t checkpoint, size_t run, double value);

/* Mean over the runs and its standard error (NaN for one run, and both where any run had diverged). */
fq_estimate fq_runs_mean(const fq_runs *r, size_t checkpoint);

#endif
