/* A figure: reads one table of a result store, writes the data gnuplot draws, and names the script.
 *
 * One file figure_<name>.c each, one line in figures.def. All that a figure shows comes from the table.
 */
#ifndef FQ_FIGURE_H
#define FQ_FIGURE_H

#include <stdio.h>

#include "result_table.h"
#include "status.h"

/* What a figure hands to gnuplot. */
typedef struct fq_figure_job {
    FILE *data;      /* tab-separated blocks, fq_figure_end_block between them */
    FILE *variables; /* gnuplot assignments that the script reads, one a line */
} fq_figure_job;

typedef struct fq_figure {
    const char *name;   /* file name without ending */
    const char *table;  /* the table it needs */
    const char *script; /* name of the embedded gnuplot script */
    const char *shows;  /* one sentence, for the side file */
    fq_status (*feed)(const fq_figure_job *job, const fq_table *table);
} fq_figure;

/* The column of a table, or FQ_ERR_INPUT naming table and column if it is missing or of another type. */
FQ_MUST_CHECK fq_status fq_figure_column(size_t *column, const fq_table *table, const char *name,
                                         fq_value_type type);

/* A gnuplot assignment of a text or number, quoted safely. */
void fq_figure_text(const fq_figure_job *job, const char *name, const char *value);
void fq_figure_number(const fq_figure_job *job, const char *name, double value);

/* Begins a block with its title as the header line (as columnheader(1) reads it), and ends one. */
void fq_figure_begin_block(const fq_figure_job *job, const char *title);
void fq_figure_end_block(const fq_figure_job *job);

/* One line of values, tab-separated. NaN is written as gnuplot's missing value. */
void fq_figure_values(const fq_figure_job *job, size_t count, const double *values);

/* The table figures.def. */
size_t fq_figure_count(void);
const fq_figure *fq_figure_get(size_t i);

#endif
