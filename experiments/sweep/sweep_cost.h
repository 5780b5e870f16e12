/* What a plan is expected to cost, for --dry-run, the order of points and the time left. */
#ifndef FQ_SWEEP_COST_H
#define FQ_SWEEP_COST_H

#include "sweep_plan.h"

typedef struct fq_plan_cost {
    double seconds;              /* of one core, training included */
    double training_seconds;     /* of that, training codebooks that the cache folder does not have */
    double longest_seconds;      /* the dearest point */
    double memory_bytes;         /* of the dearest point */
    size_t codebooks, untrained; /* that points need, each counted once */
    size_t unknown;              /* points whose experiment states no cost: counted as one second */
} fq_plan_cost;

/* seconds[i] = expected seconds of point i on one core. A codebook that several points share and nobody has
 * trained yet is charged to the first of them. cache_folder as in resources.h. */
FQ_MUST_CHECK fq_status fq_plan_costs(fq_plan_cost *cost, double *seconds, const fq_plan *plan,
                                      const char *cache_folder);

#endif
