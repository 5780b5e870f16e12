/* The rows of a point in memory: fixed-size records, ready to be sent through a pipe and stored.
 *
 * A record holds the experiment's own columns in order: reals and integers as 8 bytes in the
 * machine's order, texts as width bytes filled up with zeros; every value starts at a multiple of 8.
 */
#ifndef FQ_SWEEP_ROWS_H
#define FQ_SWEEP_ROWS_H

#include "experiment.h"

enum { FQ_ROWS_MAX = 1 << 24 };

struct fq_rows {
    const fq_experiment *experiment;
    size_t count, room;
    size_t record_bytes;
    unsigned char *records;                           /* [count][record_bytes], owned */
    void (*progress)(void *context, double fraction); /* may be NULL */
    void *context;
};

/* Room for the rows of an experiment; no rows yet. */
void fq_rows_init(fq_rows *rows, const fq_experiment *experiment);
void fq_rows_clear(fq_rows *rows);

/* Offset of column c in a record (c = number of columns: the record's size). */
size_t fq_rows_offset(const fq_experiment *experiment, size_t c);
size_t fq_column_count(const fq_experiment *experiment);

/* Copies count records in (from a message). FQ_ERR_CORRUPT if the size does not fit or a text is
 * not terminated within its width + 1. */
FQ_MUST_CHECK fq_status fq_rows_set(fq_rows *rows, const unsigned char *records, size_t count, size_t bytes);

/* Value of column c in row r; text is terminated. */
double fq_rows_get_real(const fq_rows *rows, size_t r, size_t c);
int64_t fq_rows_get_integer(const fq_rows *rows, size_t r, size_t c);
const char *fq_rows_get_text(const fq_rows *rows, size_t r, size_t c);

#endif
