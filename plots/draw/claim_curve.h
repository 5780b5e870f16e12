/* Curves out of the rows that verify stores, table claim-evidence. */
#ifndef FQ_CLAIM_CURVE_H
#define FQ_CLAIM_CURVE_H

#include "figure.h"

typedef struct fq_claim_curve {
    size_t series_column, text_column, fixed, also, x; /* columns of the table */
    const char *series;                                /* rows of this series, */
    const char *text;                                  /* with this text in text_column (NULL: any) */
    double value;                                      /* this number in column fixed (NaN: any) */
    double also_value;                                 /* and this one in column also, if also is not 0 */
    size_t count;                                      /* 1 to 4 */
    size_t y[4];                                       /* what is written behind x */
    bool whole_x;                                      /* column x holds whole numbers */
} fq_claim_curve;

/* What the axes of a figure have to hold, and how many curves and points it has. */
typedef struct fq_claim_extent {
    fq_range x, y; /* y of the first column alone */
    size_t curves, points;
} fq_claim_extent;
#define FQ_CLAIM_EXTENT_EMPTY                                                                                \
    (fq_claim_extent) {                                                                                      \
        .x = FQ_RANGE_EMPTY, .y = FQ_RANGE_EMPTY                                                             \
    }

/* One block of lines x, y[0], ... by rising x, even if there are none. Returns how many; of rows with the
 * same x the first. */
size_t fq_claim_curve_write(const fq_figure_job *job, const fq_table *t, const fq_claim_curve *curve,
                            const char *title, fq_claim_extent *extent);

/* The same for a curve that is left out, without a trace, if it has no point; else its title is variable
 * label<extent->curves> and it counts. */
bool fq_claim_curve_add(const fq_figure_job *job, const fq_table *t, const fq_claim_curve *curve,
                        const char *title, fq_claim_extent *extent);

/* The different numbers of a column in rows of a series, rising, at most FQ_CLAIM_VALUES; NaN is none. */
enum { FQ_CLAIM_VALUES = 64 };
size_t fq_claim_values(const fq_table *t, size_t series_column, const char *series, size_t column,
                       double values[FQ_CLAIM_VALUES]);

/* Puts powers of two in front, each part rising, and returns how many: what a figure of many curves colours.
 * If none or all of a few (at most 8) are, all count. */
size_t fq_claim_powers_first(double values[FQ_CLAIM_VALUES], size_t n);

#endif
