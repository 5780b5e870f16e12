/* An experiment of the sweep engine: one file experiment_<name>.c each, one line in
 * experiments.def.
 *
 * An experiment names its parameters and its columns and computes one point. The engine does the
 * rest: it reads and checks the manifest, expands the grid, skips what is stored, runs points on
 * all cores or ranks, catches failures, writes rows, and reports. A minimal one:
 *
 *     static const fq_parameter parameters[] = {
 *         {.name = "dim", .type = FQ_PARAMETER_INTEGER, .least = 2, .most = 16384,
 *          .description = "vector dimension"},
 *         {0}};
 *     static const fq_value_column columns[] = {
 *         {.name = "radius", .type = FQ_VALUE_REAL, .units = "1", .description = "..."},
 *         {0}};
 *     static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
 *         const size_t dim = fq_point_size(point, "dim");
 *         ...
 *         FQ_TRY(fq_rows_add(rows));
 *         fq_rows_real(rows, "radius", value);
 *         return FQ_OK;
 *     }
 *     const fq_experiment fq_experiment_radius = {.name = "radius", .version = 1, ...};
 *
 * Rules for run: it depends on the point and on what fq_resources hands out alone (not on time,
 * threads, the order of points or the environment); it takes its random numbers from core/stream.h
 * with fq_point_seed; it may use OpenMP (the engine sets the number of threads); it may be called
 * in a forked worker process, several points one after another; it prints nothing.
 */
#ifndef FQ_EXPERIMENT_H
#define FQ_EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "codec_spec.h"
#include "resources.h"
#include "result_table.h"
#include "status.h"

typedef enum fq_parameter_type {
    FQ_PARAMETER_INTEGER = 0, /* whole number in least..most */
    FQ_PARAMETER_REAL,        /* finite number in least..most */
    FQ_PARAMETER_TEXT,        /* one of allowed, or any text if allowed is NULL */
    FQ_PARAMETER_CODEC,       /* a codec name; stored in its canonical form */
    FQ_PARAMETER_FILE         /* an existing file; its SHA-256, not its path, identifies the point */
} fq_parameter_type;

typedef struct fq_parameter {
    const char *name;
    fq_parameter_type type;
    double least, most;      /* numbers: inclusive range */
    const char *allowed;     /* texts: "a|b|c" */
    const char *fallback;    /* value if the manifest has none; NULL: the manifest must give one */
    const char *description; /* one line, with units */
} fq_parameter;

typedef struct fq_point fq_point; /* one resolved point, read-only for an experiment */

/* Values of a point by name. The engine has checked type and range; asking for a name that is no
 * parameter of the experiment, or with the wrong type, is a bug and asserts. */
int64_t fq_point_integer(const fq_point *point, const char *name);
size_t fq_point_size(const fq_point *point, const char *name);      /* an integer >= 0 */
double fq_point_real(const fq_point *point, const char *name);      /* an integer is fine, too */
const char *fq_point_text(const fq_point *point, const char *name); /* any type, as written */
const fq_codec_spec *fq_point_codec(const fq_point *point, const char *name);
const char *fq_point_file(const fq_point *point, const char *name); /* the path */

/* SHA-256 of a file of the point, as its identity has it: nothing is read. "" where it is not known. */
const char *fq_point_file_sha256(const fq_point *point, const char *name);

/* For check: FQ_ERR_ARGUMENT naming that key where the codec could not be made for vectors of dim
 * coordinates, found without training; and the same failure of what just failed. */
FQ_MUST_CHECK fq_status fq_point_check_codec(const char *key, const fq_codec_spec *spec, size_t dim);
FQ_MUST_CHECK fq_status fq_point_fail_codec(const char *key);

/* The seed of the point: the manifest's, for replicate r > 0 a hash of (seed, r), so replicates are
 * independent of each other and of every other seed. Equal over the points of a grid on purpose:
 * codecs are compared on the same samples. */
uint64_t fq_point_seed(const fq_point *point);

enum { FQ_COST_TRAININGS_MAX = 2, FQ_COST_USUAL_DIM = 64 };

/* What a point is expected to cost, for --dry-run; an order of magnitude is enough. */
typedef struct fq_point_cost {
    double seconds;      /* on one core, without training codebooks */
    double memory_bytes; /* peak, beyond the program itself */
    size_t training_count;
    fq_train_options training[FQ_COST_TRAININGS_MAX]; /* codebooks it needs */
} fq_point_cost;

/* Adds the codebook of a codec, if it has one. */
void fq_cost_add_codec(fq_point_cost *cost, const fq_codec_spec *spec, size_t dim);

/* Seconds of one core for encoding a vector of the usual dimension, about; 0 if the codec takes none of that.
 */
double fq_cost_encoding(const fq_codec_spec *spec);

/* The codecs of parameters codec and value_codec ("same": the first) fit vectors of dim coordinates; 0:
 * unknown, and only the names are checked. */
FQ_MUST_CHECK fq_status fq_point_check_pair(const fq_point *point, size_t dim);

/* Dimension of a KV cache's vectors; 0 where it cannot be read. */
size_t fq_point_cache_dim(const char *path);

/* Dimension of a KV cache's vectors; where it cannot be read, the usual one. */
size_t fq_cost_cache_dim(const char *path);

typedef struct fq_rows fq_rows; /* the rows a point has yielded so far */

/* Starts the next row, all values unset: real NaN, integer 0, text "". FQ_ERR_MEMORY. */
FQ_MUST_CHECK fq_status fq_rows_add(fq_rows *rows);

/* Set a value of the newest row. A name that is no column, the wrong type, or no row yet is a bug
 * and asserts. Texts are copied and cut to the column's width at a
 * character boundary. */
void fq_rows_real(fq_rows *rows, const char *column, double value);
void fq_rows_integer(fq_rows *rows, const char *column, int64_t value);
void fq_rows_text(fq_rows *rows, const char *column, const char *value);

/* For long points: tells the engine the fraction done, in [0,1], for the progress bar. */
void fq_rows_progress(fq_rows *rows, double fraction);

typedef struct fq_experiment {
    const char *name;               /* as in manifests: "rate-distortion" */
    const char *summary;            /* one line */
    int version;                    /* raised whenever the same point would give other values: part of a
                                       point's identity, so that old rows are never taken for new ones */
    const fq_parameter *parameters; /* ends with a NULL name */
    const fq_value_column *columns; /* ends with a NULL name. The engine adds the parameters before
                                       them (so a column must not repeat one) and its bookkeeping
                                       after them: point id, seed, replicate, seconds, memory */
    /* Optional. Checks what no single parameter can (k divides d, say): FQ_FAIL_TEXT a line naming
     * the parameter, its value and what is allowed. Called at expansion: must be cheap. */
    fq_status (*check)(const fq_point *point);
    fq_point_cost (*cost)(const fq_point *point); /* optional; without it --dry-run says "unknown" */
    /* Computes the point: any number of rows >= 1. A failure is recorded with its error line and
     * stops no other point. */
    fq_status (*run)(const fq_point *point, fq_resources *resources, fq_rows *rows);
} fq_experiment;

/* The table experiments.def. find returns NULL for an unknown name. */
size_t fq_experiment_count(void);
const fq_experiment *fq_experiment_get(size_t i);
const fq_experiment *fq_experiment_find(const char *name);

#endif
