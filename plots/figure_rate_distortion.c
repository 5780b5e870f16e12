/* Distortion against rate: table rate-distortion. Series are the codec families, at fib also k and
 * recipe; theory curves come from the rows' own bounds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"

typedef struct columns {
    size_t dim, family, block, recipe, rate, distortion, se, shannon, high_rate;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->recipe, t, "recipe", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->rate, t, "rate", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->distortion, t, "distortion", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "distortion_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->shannon, t, "shannon_bound", FQ_VALUE_REAL));
    return fq_figure_column(&c->high_rate, t, "high_rate", FQ_VALUE_REAL);
}

static bool same_series(const fq_table *t, const columns *c, size_t a, size_t b) {
    return fq_table_integer(t, a, c->dim) == fq_table_integer(t, b, c->dim) &&
           fq_table_integer(t, a, c->block) == fq_table_integer(t, b, c->block) &&
           strcmp(fq_table_text(t, a, c->family), fq_table_text(t, b, c->family)) == 0 &&
           strcmp(fq_table_text(t, a, c->recipe), fq_table_text(t, b, c->recipe)) == 0;
}

static bool first_of_series(const fq_table *t, const columns *c, size_t row) {
    for (size_t before = 0; before < row; before++)
        if (same_series(t, c, before, row))
            return false;
    return true;
}

/* The row of the series with the least rate above the given one, or t->count. */
static size_t next_in_series(const fq_table *t, const columns *c, size_t series, double above) {
    size_t next = t->count;
    for (size_t row = 0; row < t->count; row++) {
        const double rate = fq_table_real(t, row, c->rate);
        if (same_series(t, c, series, row) && rate > above &&
            (next == t->count || rate < fq_table_real(t, next, c->rate)))
            next = row;
    }
    return next;
}

static void series(const fq_figure_job *job, const fq_table *t, const columns *c, size_t first,
                   const char *title) {
    fq_figure_begin_block(job, title);
    for (size_t row = next_in_series(t, c, first, -1); row < t->count;
         row = next_in_series(t, c, first, fq_table_real(t, row, c->rate)))
        fq_figure_values(job, 3,
                         (const double[]){fq_table_real(t, row, c->rate),
                                          fq_table_real(t, row, c->distortion),
                                          fq_table_real(t, row, c->se)});
    fq_figure_end_block(job);
}

/* High-rate value and Shannon bound are multiples of 4^{-b}: from one row, lines over the whole axis. */
static void theory_lines(const fq_figure_job *job, const fq_table *t, const columns *c, size_t row,
                         const char *title) {
    const double scale = exp2(2 * fq_table_real(t, row, c->rate));
    fq_figure_begin_block(job, title);
    for (double rate = 0.25; rate <= 4.25; rate += 4)
        fq_figure_values(job, 3,
                         (const double[]){rate, fq_table_real(t, row, c->high_rate) * scale * exp2(-2 * rate),
                                          fq_table_real(t, row, c->shannon) * scale * exp2(-2 * rate)});
    fq_figure_end_block(job);
}

static void title_of(char title[96], const fq_table *t, const columns *c, size_t row) {
    const char *family = fq_table_text(t, row, c->family), *recipe = fq_table_text(t, row, c->recipe);
    if (strcmp(family, "fib") == 0)
        snprintf(title, 96, "FibQuant k = %lld%s%s", (long long)fq_table_integer(t, row, c->block),
                 strcmp(recipe, "population") == 0 ? "" : ", recipe ",
                 strcmp(recipe, "population") == 0 ? "" : recipe);
    else
        snprintf(title, 96, "%s",
                 strcmp(family, "tq") == 0       ? "TurboQuant (scalar)"
                 : strcmp(family, "tqprod") == 0 ? "TurboQuant (inner product)"
                                                 : family);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    columns c;
    FQ_TRY(find(&c, t));
    int measured = 0, theory = 0;
    char title[96];
    for (size_t row = 0; row < t->count; row++) {
        if (!first_of_series(t, &c, row) || !(fq_table_real(t, row, c.rate) < 16))
            continue;
        title_of(title, t, &c, row);
        series(job, t, &c, row, title);
        measured++;
    }
    for (size_t row = 0; row < t->count; row++) { /* one theory block for each k, from its population rows */
        const bool wanted = strcmp(fq_table_text(t, row, c.recipe), "population") == 0 &&
                            strcmp(fq_table_text(t, row, c.family), "fib") == 0;
        if (!wanted || !first_of_series(t, &c, row))
            continue;
        snprintf(title, sizeof title, "high rate, k = %lld", (long long)fq_table_integer(t, row, c.block));
        theory_lines(job, t, &c, row, title);
        theory++;
    }
    fq_figure_number(job, "measured", measured);
    fq_figure_number(job, "theory", theory);
    if (t->count)
        fq_figure_number(job, "dim", (double)fq_table_integer(t, 0, c.dim));
    return FQ_OK;
}

const fq_figure fq_figure_rate_distortion = {
    .name = "rate_distortion",
    .table = "rate-distortion",
    .script = "rate_distortion.gp",
    .shows = "Distortion against rate on the canonical source, with the Shannon lower bound and the "
             "high-rate values of the best known cells",
    .feed = feed,
};
