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
                            const char *title, fq_claim_extent *extent) {
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
        fq_range_add(&extent->x, values[0]);
        fq_range_add(&extent->y, values[1]);
        fq_figure_show(job, next);
    }
    fq_figure_end_block(job);
    extent->points += points;
    return points;
}

bool fq_claim_curve_add(const fq_figure_job *job, const fq_table *t, const fq_claim_curve *c,
                        const char *title, fq_claim_extent *extent) {
    bool any = false;
    for (size_t row = 0; row < t->count && !any; row++)
        any = belongs(t, c, row) && place(t, c, row) > -HUGE_VAL;
    if (!any)
        return false;
    fq_figure_text_of(job, "label", extent->curves, title);
    fq_claim_curve_write(job, t, c, title, extent);
    extent->curves++;
    return true;
}

size_t fq_claim_values(const fq_table *t, size_t series_column, const char *series, size_t column,
                       double values[FQ_CLAIM_VALUES]) {
    size_t n = 0;
    for (size_t row = 0; row < t->count && n + 1 < FQ_CLAIM_VALUES; row++) {
        const double value = fq_table_real(t, row, column);
        size_t at = 0;
        if (strcmp(fq_table_text(t, row, series_column), series) != 0 || isnan(value))
            continue;
        while (at < n && values[at] < value)
            at++;
        if (at < n && values[at] == value)
            continue;
        memmove(values + at + 1, values + at, (n - at) * sizeof *values);
        values[at] = value;
        n++;
    }
    return n;
}

static bool is_power(double value) {
    int exponent;
    return frexp(value, &exponent) == 0.5;
}

size_t fq_claim_powers_first(double values[FQ_CLAIM_VALUES], size_t n) {
    double sorted[FQ_CLAIM_VALUES];
    size_t powers = 0, next = 0;
    for (size_t i = 0; i < n; i++)
        powers += is_power(values[i]);
    if (powers == 0 || n <= 8)
        return n;
    for (int rest = 0; rest < 2; rest++)
        for (size_t i = 0; i < n; i++)
            if (is_power(values[i]) == (rest == 0))
                sorted[next++] = values[i];
    memcpy(values, sorted, n * sizeof *values);
    return powers;
}
