/* How rows get into a store: its tables made ready, and the columns of a row set one after another. What
 * sweeps, benchmarks and verification write goes through here.
 */
#ifndef FQ_ROW_WRITER_H
#define FQ_ROW_WRITER_H

#include "provenance.h"
#include "result_store.h"

/* The table of that name with these columns, made if it is missing. FQ_ERR_USAGE if there is one with others.
 */
FQ_MUST_CHECK fq_status fq_row_table(fq_table **table, fq_results *results, const char *name,
                                     const fq_value_column *columns, size_t count);

/* Removes the rows for which drop says so, in place. */
void fq_row_table_drop(fq_table *table, bool (*drop)(const fq_table *table, size_t row, const void *context),
                       const void *context);

/* A row being filled: each call sets the next column, so that calls stand in the order of the columns.
 * Setting a column of another type, or one too many, is a bug. */
typedef struct fq_row_writer {
    fq_table *table;
    size_t row, column;
} fq_row_writer;

/* Appends a blank row and starts with its first column. */
FQ_MUST_CHECK fq_status fq_row_begin(fq_row_writer *writer, fq_table *table);

void fq_row_text(fq_row_writer *writer, const char *value);
void fq_row_real(fq_row_writer *writer, double value);
void fq_row_integer(fq_row_writer *writer, int64_t value);
void fq_row_seed(fq_row_writer *writer, uint64_t seed); /* as text: 64 bits are no int64 */

/* Adds a run with the provenance's texts; *run counts from 1. */
FQ_MUST_CHECK fq_status fq_row_run(fq_results *results, const fq_provenance *provenance, size_t *run);

/* Writes all at once under the store's lock: add puts rows of the run into the results. FQ_ERR_USAGE if a
 * sweep holds the lock or a table has other columns, FQ_ERR_INPUT if path is no store, FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_row_store_write(const char *path, const fq_provenance *provenance,
                                           fq_status (*add)(fq_results *results, size_t run,
                                                            const void *context),
                                           const void *context);

#endif
