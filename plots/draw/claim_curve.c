#include "claim_curve.h"

#include <math.h>
#include <string.h>

static bool belongs(const fq_table *t, const fq_claim_curve *c, size_t row) {
    return strcmp(fq_table_text(t, row, c->series_column), c->series) == 0 &&
           (!c->text || strcmp(fq_table_text(t, row, c->text_column), c->text) == 0) &&
           (!c->also || fq_table_real(t, row, c->also) == c->also_value) &&
           (isnan(c->value) || fq_table_real(t, row, c->fixed) == c->value);
}

static double place(const fq_table *t, const fq_claim_curve *c, size_t row) {
    return c->whole_x ? (double)fq_table_integer(t, row, c->x) : fq_table_real(t, row, c->x);
}

size_t fq_claim_curve_write(const fq_figure_job *job, const fq_table *t, const fq_claim_curve *c,
                            const char *title) {
    double above = -HUGE_VAL;
    size_t points = 0;
    fq_figure_begin_block(job, title);
    for (;; points++) {
        size_t next = t->count;
        for (size_t row = 0; row < t->count; row++)
            if (belongs(t, c, row) && place(t, c, row) > above &&
                (next == t->count || place(t, c, row) < place(t, c, next)))
                next = row;
        if (next == t->count)
            break;
        double values[5] = {above = place(t, c, next)};
        for (size_t i = 0; i < c->count; i++)
            values[i + 1] = fq_table_real(t, next, c->y[i]);
        fq_figure_values(job, c->count + 1, values);
    }
    fq_figure_end_block(job);
    return points;
}
