/* The points of a manifest: every parameter resolved, checked and in canonical form.
 *
 * A plan's order is the manifest's order (blocks, then grid, seeds, replicates with the last running
 * fastest); stores keep rows in this order whatever the order of completion.
 */
#ifndef FQ_SWEEP_PLAN_H
#define FQ_SWEEP_PLAN_H

#include "experiment.h"
#include "input_file.h"
#include "manifest.h"
#include "point_identity.h"

typedef struct fq_point_value {
    const char *text;     /* canonical; for a file its path */
    const char *identity; /* what goes into the point's id */
    int64_t integer;
    double real;
    const fq_codec_spec *codec;
    const fq_input_file *file; /* a file as it was when its digest was taken; NULL: no file */
} fq_point_value;

struct fq_point {
    const fq_experiment *experiment;
    size_t parameter_count;
    const fq_point_value **values; /* one a parameter, in the experiment's order */
    uint64_t manifest_seed;
    size_t replicate;
    char id[FQ_POINT_ID_TEXT];
};

typedef struct fq_plan {
    fq_point *points;
    size_t count;
    size_t duplicates; /* grid points dropped because an equal one stands before them */
    fq_arena arena;
} fq_plan;

/* Resolves the manifest. FQ_ERR_INPUT names file:line, key, value and what is allowed (FQ_ERR_USAGE
 * for a value given with --set). Reads the files that FILE parameters name, for their digests. */
FQ_MUST_CHECK fq_status fq_plan_create(fq_plan *plan, const fq_manifest *manifest);
void fq_plan_clear(fq_plan *plan);

/* Whether the files that a point reads still hold what its identity says. FQ_ERR_INPUT names the one that
 * does not. */
FQ_MUST_CHECK fq_status fq_point_check_files(const fq_point *point);

/* Keeps the points part - 1, part - 1 + parts, ... of the plan's order: parts of one manifest have no point
 * in common and all of them together. 1 <= part <= parts. */
enum { FQ_PLAN_SHARDS_MAX = 1000000 };
void fq_plan_shard(fq_plan *plan, size_t part, size_t parts);

/* For fq_manifest_set: whether an experiment of that name has such a parameter. */
bool fq_plan_accepts(const char *experiment, const char *key, void *unused);

/* Resolves one value of a parameter as the manifest reader would give it. folder: what a relative
 * file name is relative to ("" for the working directory). where: prefix of failure messages. */
FQ_MUST_CHECK fq_status fq_plan_resolve(fq_arena *arena, const fq_parameter *parameter, const char *text,
                                        const char *folder, const char *where, fq_status blame,
                                        fq_point_value *value);

/* "dim=64, codec=fib:k=2,N=16, seed=1": for people. */
enum { FQ_POINT_LABEL_MAX = 512 };
void fq_point_label(char label[FQ_POINT_LABEL_MAX], const fq_point *point);

#endif
