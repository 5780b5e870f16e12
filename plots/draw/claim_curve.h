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

/* One block of lines x, y[0], ... by rising x. Returns how many; of rows with the same x the first. */
size_t fq_claim_curve_write(const fq_figure_job *job, const fq_table *t, const fq_claim_curve *curve,
                            const char *title);

#endif
