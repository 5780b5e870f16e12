/* Speed beside the machine's limits, and how cost grows, from what bench stores: table bench. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench_slope.h"
#include "figure.h"

typedef struct columns {
    size_t bench, name, variant, kind, threads, verified, of_limit, target_of_limit, limit;
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
                  {&c->verified, "verified", FQ_VALUE_INTEGER},
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
    return !strcmp(fq_table_text(t, a, c->bench), fq_table_text(t, b, c->bench)) &&
           !strcmp(fq_table_text(t, a, c->name), fq_table_text(t, b, c->name));
}

static bool is_kind(const fq_table *t, const columns *c, size_t row, const char *kind) {
    return !strcmp(fq_table_text(t, row, c->kind), kind);
}

/* Ours on one thread: the first of a case, and any with a target against the limit. */
static bool shown(const fq_table *t, const columns *c, size_t row) {
    if (!is_kind(t, c, row, "ours") || fq_table_text(t, row, c->axis)[0] ||
        !fq_table_integer(t, row, c->verified) || isnan(fq_table_real(t, row, c->of_limit)) ||
        fq_table_integer(t, row, c->threads) != 1)
        return false;
    if (!isnan(fq_table_real(t, row, c->target_of_limit)))
        return true;
    for (size_t i = 0; i < row; i++)
        if (same_case(t, c, i, row) && is_kind(t, c, i, "ours"))
            return false;
    return true;
}

static double of_kind(const fq_table *t, const columns *c, size_t row, const char *kind) {
    for (size_t i = 0; i < t->count; i++)
        if (same_case(t, c, i, row) && is_kind(t, c, i, kind))
            return fq_table_real(t, i, c->of_limit);
    return (double)NAN;
}

/* One line a row of ours: place, naive, library, ours, target; the labels go with the tics. */
static fq_status feed_bench(const fq_figure_job *job, const fq_table *t) {
    columns c;
    size_t lines = 0;
    FQ_TRY(find(&c, t));
    fprintf(job->data, "place\tnaive\tlibrary\tours\ttarget\tlabel\n");
    for (size_t row = 0; row < t->count; row++) {
        if (!shown(t, &c, row))
            continue;
        const double values[] = {-(double)lines++, of_kind(t, &c, row, "naive"),
                                 of_kind(t, &c, row, "library"), fq_table_real(t, row, c.of_limit),
                                 fq_table_real(t, row, c.target_of_limit)};
        for (size_t i = 0; i < 5; i++)
            if (isnan(values[i]))
                fprintf(job->data, "nan\t");
            else
                fprintf(job->data, "%.6g\t", values[i]);
        const char *const variant = fq_table_text(t, row, c.variant);
        const bool plain = !strcmp(variant, "ours") || !strncmp(variant, "ours: ", 6);
        fprintf(job->data, "%s %s%s%s (%s)\n", fq_table_text(t, row, c.bench), fq_table_text(t, row, c.name),
                plain ? "" : ", ", plain ? "" : variant, fq_table_text(t, row, c.limit));
    }
    fq_figure_number(job, "lines", (double)lines);
    return lines ? FQ_OK
                 : FQ_FAIL(FQ_ERR_INPUT, "bench",
                           "a row of ours with a limit, as fibquant bench -o stores them");
}

enum { POINTS = 64 };

/* The points of the curve that a row belongs to, by rising axis value. */
static size_t points_of(const fq_table *t, const columns *c, size_t row, size_t rows[POINTS]) {
    size_t n = 0;
    for (size_t i = 0; i < t->count && n < POINTS; i++) {
        if (strcmp(fq_table_text(t, i, c->axis), fq_table_text(t, row, c->axis)) != 0 ||
            is_kind(t, c, i, "limit") ||
            strcmp(fq_table_text(t, i, c->variant), fq_table_text(t, row, c->variant)) != 0 ||
            !(fq_table_real(t, i, c->median) > 0))
            continue;
        size_t at = n++;
        for (; at > 0 && fq_table_real(t, rows[at - 1], c->axis_value) > fq_table_real(t, i, c->axis_value);
             at--)
            rows[at] = rows[at - 1];
        rows[at] = i;
    }
    return n;
}

/* One block: axis value, time a unit, its quartiles, and the expected slope through the largest value. */
static void feed_curve(const fq_figure_job *job, const fq_table *t, const columns *c, const size_t *rows,
                       size_t n) {
    double x[POINTS], y[POINTS];
    char title[128];
    const double slope = fq_table_real(t, rows[0], c->axis_slope);
    for (size_t i = 0; i < n; i++) {
        x[i] = fq_table_real(t, rows[i], c->axis_value);
        y[i] = fq_table_real(t, rows[i], c->median) / fq_table_real(t, rows[i], c->amount);
    }
    snprintf(title, sizeof title, "%s: %.2f (%g)", fq_table_text(t, rows[0], c->variant),
             fq_bench_slope(x, y, n), slope);
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

static fq_status feed_scaling(const fq_figure_job *job, const fq_table *t) {
    static const char *const axes[] = {"N", "k", "d", "tokens", "threads"};
    columns c;
    size_t curves = 0;
    FQ_TRY(find(&c, t));
    for (size_t a = 0; a < 5; a++) {
        char list[128] = "", variable[32];
        for (size_t row = 0; row < t->count; row++) {
            size_t rows[POINTS];
            if (strcmp(fq_table_text(t, row, c.axis), axes[a]) != 0 || is_kind(t, &c, row, "limit"))
                continue;
            const size_t n = points_of(t, &c, row, rows);
            if (n < 2 || rows[0] != row)
                continue;
            feed_curve(job, t, &c, rows, n);
            const size_t at = strlen(list);
            snprintf(list + at, sizeof list - at, "%s%zu", at ? " " : "", curves++);
        }
        snprintf(variable, sizeof variable, "curves_%s", axes[a]);
        fq_figure_text(job, variable, list);
    }
    return curves ? FQ_OK
                  : FQ_FAIL(FQ_ERR_INPUT, "bench",
                            "curves of two points or more, as fibquant bench --scaling -o stores them");
}

const fq_figure fq_figure_bench = {
    .name = "bench",
    .table = "bench",
    .script = "bench.gp",
    .shows = "Speed on one core as a fraction of the machine's limit, medians, with the limit drawn in",
    .feed = feed_bench,
};
const fq_figure fq_figure_bench_scaling = {
    .name = "bench_scaling",
    .table = "bench",
    .script = "bench_scaling.gp",
    .shows =
        "Cost against N, k, d, tokens and threads, medians and quartiles, with the expected slope beside it",
    .feed = feed_scaling,
};
