/* A figure: reads one table of a result store, writes the data gnuplot draws, and names the script.
 *
 * One file figure_<name>.c each, one line in figures.def. All that a figure shows comes from the table, and
 * what it leaves out it says in its caption. Figures know codecs by codec_label.h alone.
 */
#ifndef FQ_FIGURE_H
#define FQ_FIGURE_H

#include <stdio.h>

#include "result_table.h"
#include "status.h"

/* What a figure hands to gnuplot, and what it says of itself. */
typedef struct fq_figure_job {
    FILE *data;      /* tab-separated blocks, fq_figure_end_block between them */
    FILE *variables; /* gnuplot commands before the script's own, one a line */
    FILE *caption;   /* sentences behind the figure's `shows`, a space before each */
    bool *shown;     /* [rows of the table]: which the figure shows */
} fq_figure_job;

typedef struct fq_figure {
    const char *name;   /* file name without ending */
    const char *table;  /* the table it needs */
    const char *script; /* name of the embedded gnuplot script */
    const char *shows;  /* one sentence without its full stop: the caption's first */
    fq_status (*feed)(const fq_figure_job *job, const fq_table *table);
} fq_figure;

/* The column of a table, or FQ_ERR_INPUT naming table and column if it is missing or of another type. */
FQ_MUST_CHECK fq_status fq_figure_column(size_t *column, const fq_table *table, const char *name,
                                         fq_value_type type);

/* A row is in the figure. */
void fq_figure_show(const fq_figure_job *job, size_t row);

/* A sentence of the caption, with its full stop. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void fq_figure_say(const fq_figure_job *job, const char *format, ...);

/* A gnuplot assignment of a text or number, quoted safely; NAME followed by a number for the second pair. */
void fq_figure_text(const fq_figure_job *job, const char *name, const char *value);
void fq_figure_number(const fq_figure_job *job, const char *name, double value);
void fq_figure_text_of(const fq_figure_job *job, const char *name, size_t i, const char *value);
void fq_figure_number_of(const fq_figure_job *job, const char *name, size_t i, double value);

/* A text broken between words into lines of at most width characters, as one gnuplot string. Returns the
 * number of lines; the variable <name>_lines holds it as well. */
size_t fq_figure_wrapped(const fq_figure_job *job, const char *name, const char *text, size_t width);

/* What values an axis has to show. */
typedef struct fq_range {
    double low, high;
} fq_range;
#define FQ_RANGE_EMPTY                                                                                       \
    (fq_range) {                                                                                             \
        .low = HUGE_VAL, .high = -HUGE_VAL                                                                   \
    }
void fq_range_add(fq_range *range, double value); /* values that are not finite do not count */
bool fq_range_is_empty(const fq_range *range);

/* Variables <name>_low and <name>_high: the range and a margin of that fraction of it on both sides, never
 * empty. For a logarithmic axis the range must be positive; an empty one is 0..1, or 0.1..1. */
void fq_figure_range(const fq_figure_job *job, const char *name, fq_range range, double margin,
                     bool logarithmic);

/* Defines gnuplot's line type FQ_STYLE_FIRST + style. Styles differ in colour, dash or point as the three
 * numbers do; equal numbers of different styles look equal. */
enum { FQ_STYLE_FIRST = 101 };
void fq_figure_style(const fq_figure_job *job, size_t style, size_t colour, size_t dash, size_t point);

/* A style like no other for series i of any number below 600. */
void fq_figure_series_style(const fq_figure_job *job, size_t i);

/* Adds a series to the key below a figure (key_entries in style.gp): the line type of that style and the
 * label, broken behind one of "+;, " into lines of at most FQ_KEY_WIDTH characters, of which the first alone
 * shows the line. *lines counts what all of them take, from 0 on; fq_figure_end_key writes it. */
enum { FQ_KEY_WIDTH = 52 };
void fq_figure_key(const fq_figure_job *job, size_t *lines, size_t style, const char *label);
void fq_figure_end_key(const fq_figure_job *job, size_t lines);

/* Begins a block with its title as the header line (as columnheader(1) reads it), and ends one. */
void fq_figure_begin_block(const fq_figure_job *job, const char *title);
void fq_figure_end_block(const fq_figure_job *job);

/* One line of values, tab-separated. NaN is written as gnuplot's missing value. */
void fq_figure_values(const fq_figure_job *job, size_t count, const double *values);

/* The table figures.def. */
size_t fq_figure_count(void);
const fq_figure *fq_figure_get(size_t i);

#endif
