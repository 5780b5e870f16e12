/* The rows of a point in memory: a table of the experiment's own columns, whose records are sent through a
 * pipe as they are.
 */
#ifndef FQ_SWEEP_ROWS_H
#define FQ_SWEEP_ROWS_H

#include "experiment.h"

enum { FQ_ROWS_MAX = 1 << 24 };

struct fq_rows {
    const fq_experiment *experiment;
    fq_table table;                                   /* of zeros until there is a row */
    void (*progress)(void *context, double fraction); /* may be NULL */
    void *context;
};

/* No rows yet of an experiment. */
void fq_rows_init(fq_rows *rows, const fq_experiment *experiment);
void fq_rows_clear(fq_rows *rows);

size_t fq_column_count(const fq_experiment *experiment);

/* Copies count records in (from a message). FQ_ERR_CORRUPT if the size does not fit or a text is
 * not terminated within its width + 1. */
FQ_MUST_CHECK fq_status fq_rows_set(fq_rows *rows, const unsigned char *records, size_t count, size_t bytes);

#endif
