/* Speed beside the machine's limits, and how cost grows, from what bench stores: table bench. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

typedef struct columns {
    size_t bench, name, variant, kind, threads, quick, verified, unit, of_limit, target_of_limit, limit;
    size_t axis, axis_value, axis_slope, amount, median, low, high;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    const struct {
        size_t *column;
        const char *name;
        fq_value_type type;
    } wanted[] = {{&c->bench, "bench", FQ_VALUE_TEXT},
                  {&c->name, "case", FQ_VALUE_TEXT},
                  {&c->variant, "variant", FQ_VALUE_TEXT},
                  {&c->kind, "kind", FQ_VALUE_TEXT},
                  {&c->threads, "threads", FQ_VALUE_INTEGER},
                  {&c->quick, "quick", FQ_VALUE_INTEGER},
                  {&c->verified, "verified", FQ_VALUE_INTEGER},
                  {&c->unit, "unit", FQ_VALUE_TEXT},
                  {&c->of_limit, "of_limit", FQ_VALUE_REAL},
                  {&c->target_of_limit, "target_of_limit", FQ_VALUE_REAL},
                  {&c->limit, "limit", FQ_VALUE_TEXT},
                  {&c->axis, "axis", FQ_VALUE_TEXT},
                  {&c->axis_value, "axis_value", FQ_VALUE_REAL},
                  {&c->axis_slope, "axis_slope", FQ_VALUE_REAL},
                  {&c->amount, "amount", FQ_VALUE_REAL},
                  {&c->median, "median", FQ_VALUE_REAL},
                  {&c->low, "lower_quartile", FQ_VALUE_REAL},
                  {&c->high, "upper_quartile", FQ_VALUE_REAL}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        FQ_TRY(fq_figure_column(wanted[i].column, t, wanted[i].name, wanted[i].type));
    return FQ_OK;
}

static bool same_case(const fq_table *t, const columns *c, size_t a, size_t b) {
    return fq_table_integer(t, a, c->quick) == fq_table_integer(t, b, c->quick) &&
           !strcmp(fq_table_text(t, a, c->bench), fq_table_text(t, b, c->bench)) &&
           !strcmp(fq_table_text(t, a, c->name), fq_table_text(t, b, c->name));
}

static bool is_kind(const fq_table *t, const columns *c, size_t row, const char *kind) {
    return !strcmp(fq_table_text(t, row, c->kind), kind);
}

/* Rows of quick runs are of small sizes: beside others they are left out, alone they are shown and called so.
 * Says which it is. */
static bool leave_quick_out(const fq_figure_job *job, const fq_table *t, const columns *c) {
    size_t quick = 0;
    for (size_t row = 0; row < t->count; row++)
        quick += fq_table_integer(t, row, c->quick) != 0;
    if (quick && quick < t->count)
        fq_figure_say(job, "Left out: %zu rows of quick runs.", quick);
    if (quick == t->count)
        fq_figure_say(job, "Quick runs: small sizes, whose times mean little.");
    fq_figure_number(job, "quick", quick == t->count);
    return quick < t->count;
}

/* Ours on one thread: the first of a case, and any with a target against the limit. */
static bool shown(const fq_table *t, const columns *c, size_t row, bool no_quick) {
    if (!is_kind(t, c, row, "ours") || fq_table_text(t, row, c->axis)[0] ||
        !fq_table_integer(t, row, c->verified) || isnan(fq_table_real(t, row, c->of_limit)) ||
        fq_table_integer(t, row, c->threads) != 1 || (no_quick && fq_table_integer(t, row, c->quick)))
        return false;
    if (!isnan(fq_table_real(t, row, c->target_of_limit)))
        return true;
    for (size_t i = 0; i < row; i++)
        if (same_case(t, c, i, row) && is_kind(t, c, i, "ours"))
            return false;
    return true;
}

/* The row of a case and kind, or the table's count. */
static size_t of_kind(const fq_table *t, const columns *c, size_t row, const char *kind) {
    for (size_t i = 0; i < t->count; i++)
        if (same_case(t, c, i, row) && is_kind(t, c, i, kind))
            return i;
    return t->count;
}

static double fraction(const fq_table *t, const columns *c, size_t row) {
    return row < t->count ? fq_table_real(t, row, c->of_limit) : (double)NAN;
}

/* One row of the figure: place, naive, library, ours, target, and its label. */
static void write_line(const fq_figure_job *job, const fq_table *t, const columns *c, size_t row,
                       size_t place, fq_range *x) {
    const size_t naive = of_kind(t, c, row, "naive"), library = of_kind(t, c, row, "library");
    const double values[] = {-(double)place, fraction(t, c, naive), fraction(t, c, library),
                             fq_table_real(t, row, c->of_limit), fq_table_real(t, row, c->target_of_limit)};
    const char *const variant = fq_table_text(t, row, c->variant);
    const bool plain = !strcmp(variant, "ours") || !strncmp(variant, "ours: ", 6);
    for (size_t i = 0; i < 5; i++) {
        if (isnan(values[i]))
            fprintf(job->data, "nan\t");
        else
            fprintf(job->data, "%.6g\t", values[i]);
        if (i > 0 && values[i] > 0.0)
            fq_range_add(x, values[i]);
    }
    fprintf(job->data, "%s%s%s\n", fq_table_text(t, row, c->name), plain ? "" : ", ", plain ? "" : variant);
    fq_figure_show(job, row);
    if (naive < t->count)
        fq_figure_show(job, naive);
    if (library < t->count)
        fq_figure_show(job, library);
}

/* Rows in groups of one benchmark and limit, a heading above each. */
static fq_status feed_bench(const fq_figure_job *job, const fq_table *t) {
    fq_range x = {1.0, 1.0};
    fq_labels headings = {0};
    size_t lines = 0, rows = 0;
    columns c;
    char heading[160];
    FQ_TRY(find(&c, t));
    const bool no_quick = leave_quick_out(job, t, &c);
    fq_status status = FQ_OK;
    for (size_t row = 0; row < t->count && status == FQ_OK; row++) {
        size_t unused;
        snprintf(heading, sizeof heading, "%s (limit: %s)", fq_table_text(t, row, c.bench),
                 fq_table_text(t, row, c.limit));
        if (shown(t, &c, row, no_quick))
            status = fq_labels_add(&headings, heading, &unused);
    }
    fprintf(job->data, "place\tnaive\tlibrary\tours\ttarget\tlabel\n");
    for (size_t i = 0; i < headings.count && status == FQ_OK; i++) {
        fq_figure_text_of(job, "heading", i, headings.label[i]);
        fq_figure_number_of(job, "heading_place", i, -(double)lines++);
        for (size_t row = 0; row < t->count; row++) {
            snprintf(heading, sizeof heading, "%s (limit: %s)", fq_table_text(t, row, c.bench),
                     fq_table_text(t, row, c.limit));
            if (!shown(t, &c, row, no_quick) || strcmp(heading, headings.label[i]) != 0)
                continue;
            write_line(job, t, &c, row, lines++, &x);
            rows++;
        }
    }
    fq_figure_number(job, "headings", (double)headings.count);
    fq_figure_number(job, "lines", (double)lines);
    fq_figure_range(job, "x", x, 0.06, true);
    fq_figure_number(job, "height", 1.0 + 0.34 * (double)lines + 1.05);
    fq_labels_clear(&headings);
    FQ_TRY(status);
    return rows
               ? FQ_OK
               : FQ_FAIL_TEXT(FQ_ERR_INPUT, "table bench: no row of ours with a limit beside it, as fibquant "
                                            "bench -o stores them");
}

/* How a cost grows: the least-squares slope of ln y on ln x for positive x[n], y[n]; NaN for fewer than two
 * different x. */
static double slope_of(const double *x, const double *y, size_t n) {
    double mean_x = 0.0, mean_y = 0.0, above = 0.0, below = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean_x += log(x[i]) / (double)n;
        mean_y += log(y[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        above += (log(x[i]) - mean_x) * (log(y[i]) - mean_y);
        below += (log(x[i]) - mean_x) * (log(x[i]) - mean_x);
    }
    return n > 1 && below > 0.0 ? above / below : (double)NAN;
}

/* Whether a row belongs to the curve that starts with the first: one axis, benchmark, variant and kind. */
static bool on_curve(const fq_table *t, const columns *c, size_t first, size_t row, bool no_quick) {
    return !is_kind(t, c, row, "limit") && fq_table_real(t, row, c->median) > 0.0 &&
           fq_table_real(t, row, c->amount) > 0.0 && fq_table_real(t, row, c->axis_value) > 0.0 &&
           !(no_quick && fq_table_integer(t, row, c->quick)) &&
           fq_table_integer(t, row, c->quick) == fq_table_integer(t, first, c->quick) &&
           strcmp(fq_table_text(t, row, c->axis), fq_table_text(t, first, c->axis)) == 0 &&
           strcmp(fq_table_text(t, row, c->bench), fq_table_text(t, first, c->bench)) == 0 &&
           strcmp(fq_table_text(t, row, c->kind), fq_table_text(t, first, c->kind)) == 0 &&
           strcmp(fq_table_text(t, row, c->variant), fq_table_text(t, first, c->variant)) == 0;
}

/* The points of the curve that a row starts, by rising axis value; 0 if the row starts none. */
static size_t points_of(const fq_table *t, const columns *c, size_t first, size_t *rows, bool no_quick) {
    size_t n = 0;
    if (!on_curve(t, c, first, first, no_quick))
        return 0;
    for (size_t i = 0; i < t->count; i++) {
        if (!on_curve(t, c, first, i, no_quick))
            continue;
        if (i < first)
            return 0;
        size_t at = n++;
        for (; at > 0 && fq_table_real(t, rows[at - 1], c->axis_value) > fq_table_real(t, i, c->axis_value);
             at--)
            rows[at] = rows[at - 1];
        rows[at] = i;
    }
    return n;
}

/* One block: axis value, time a unit, its quartiles, and the expected slope through the largest value. x and
 * y are room for n numbers. */
static void feed_curve(const fq_figure_job *job, const fq_table *t, const columns *c, const size_t *rows,
                       size_t n, double *x, double *y, fq_range *across, fq_range *up, size_t number) {
    char title[160];
    const double slope = fq_table_real(t, rows[0], c->axis_slope);
    for (size_t i = 0; i < n; i++) {
        x[i] = fq_table_real(t, rows[i], c->axis_value);
        y[i] = fq_table_real(t, rows[i], c->median) / fq_table_real(t, rows[i], c->amount);
        fq_range_add(across, x[i]);
        fq_range_add(up, y[i]);
        fq_figure_show(job, rows[i]);
    }
    snprintf(title, sizeof title, "%s: %.2f (%g)", fq_table_text(t, rows[0], c->variant), slope_of(x, y, n),
             slope);
    fq_figure_text_of(job, "label", number, title);
    fq_figure_begin_block(job, title);
    for (size_t i = 0; i < n; i++) {
        const double amount = fq_table_real(t, rows[i], c->amount);
        fq_figure_values(job, 5,
                         (const double[]){x[i], y[i], fq_table_real(t, rows[i], c->low) / amount,
                                          fq_table_real(t, rows[i], c->high) / amount,
                                          y[n - 1] * pow(x[i] / x[n - 1], slope)});
    }
    fq_figure_end_block(job);
}

/* A panel for each axis of the store, its curves in blocks first<p> to last<p>. */
static fq_status feed_panels(const fq_figure_job *job, const fq_table *t, size_t *rows, double *numbers) {
    fq_labels axes = {0};
    columns c;
    size_t curves = 0, panels = 0, single = 0;
    double height = 1.1;
    fq_status status = FQ_OK;
    FQ_TRY(find(&c, t));
    const bool no_quick = leave_quick_out(job, t, &c);
    for (size_t row = 0; row < t->count && status == FQ_OK; row++) {
        size_t unused;
        if (fq_table_text(t, row, c.axis)[0])
            status = fq_labels_add(&axes, fq_table_text(t, row, c.axis), &unused);
    }
    for (size_t a = 0; a < axes.count && status == FQ_OK; a++) {
        fq_range across = FQ_RANGE_EMPTY, up = FQ_RANGE_EMPTY;
        const size_t first = curves;
        char unit[120] = "";
        for (size_t row = 0; row < t->count; row++) {
            if (strcmp(fq_table_text(t, row, c.axis), axes.label[a]) != 0)
                continue;
            const size_t n = points_of(t, &c, row, rows, no_quick);
            single += n == 1;
            if (n < 2)
                continue;
            feed_curve(job, t, &c, rows, n, numbers, numbers + t->count, &across, &up, curves);
            fq_figure_series_style(job, curves - first);
            const char *const units = fq_table_text(t, row, c.unit);
            const size_t length = strlen(units);
            snprintf(unit, sizeof unit, "time a %.*s",
                     (int)(length && units[length - 1] == 's' ? length - 1 : length), units);
            curves++;
        }
        if (curves == first)
            continue;
        if (up.high < 10.0 * up.low) { /* less than a decade has no labelled tic */
            const double middle = sqrt(up.low * up.high);
            up = (fq_range){middle / sqrt(10.0), middle * sqrt(10.0)};
        }
        fq_figure_number_of(job, "first", panels, (double)first);
        fq_figure_number_of(job, "last", panels, (double)curves - 1.0);
        fq_figure_number_of(job, "top", panels, height);
        fq_figure_text_of(job, "axis", panels, axes.label[a]);
        fq_figure_text_of(job, "unit", panels, unit);
        char name[32];
        snprintf(name, sizeof name, "x%zu", panels);
        fq_figure_range(job, name, across, 0.03, true);
        snprintf(name, sizeof name, "y%zu", panels++);
        fq_figure_range(job, name, up, 0.08, true);
        height += 3.65 + 0.31 * (double)(curves - first);
    }
    fq_labels_clear(&axes);
    FQ_TRY(status);
    fq_figure_number(job, "panels", (double)panels);
    fq_figure_number(job, "height", height + 0.1);
    if (single)
        fq_figure_say(job, "Left out: %zu curves of a single point.", single);
    return panels
               ? FQ_OK
               : FQ_FAIL_TEXT(FQ_ERR_INPUT, "table bench: no curve of two points or more, as fibquant bench "
                                            "--scaling -o stores them");
}

static fq_status feed_scaling(const fq_figure_job *job, const fq_table *t) {
    size_t *rows = NULL;
    double *numbers = NULL;
    FQ_TRY(fq_alloc(&rows, t->count, sizeof *rows));
    fq_status status = fq_alloc(&numbers, t->count, 2 * sizeof *numbers);
    if (status == FQ_OK)
        status = feed_panels(job, t, rows, numbers);
    fq_free(numbers);
    fq_free(rows);
    return status;
}

const fq_figure fq_figure_bench = {
    .name = "bench",
    .table = "bench",
    .script = "bench.gp",
    .shows =
        "Speed on one core as a fraction of the machine's limit (floating-point peak or copy bandwidth), "
        "medians: the first verified variant of each case and every one with a target, beside naive loops "
        "and OpenBLAS",
    .feed = feed_bench,
};
const fq_figure fq_figure_bench_scaling = {
    .name = "bench_scaling",
    .table = "bench",
    .script = "bench_scaling.gp",
    .shows = "Cost against what it grows with, medians with quartiles, and the expected slope through the "
             "last point; the key has measured and, in parentheses, expected exponents",
    .feed = feed_scaling,
};
