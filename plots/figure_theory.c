/* Figures of the theory from the comparisons that verify stores: table claim-evidence. Curves are the left
 * sides of a series, one curve for each dim or block; limits are right sides. */
#include <math.h>
#include <stdio.h>

#include "claim_curve.h"

typedef struct columns {
    size_t series, dim, block, codewords, left, right;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->series, t, "series", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->codewords, t, "codewords", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->left, t, "left", FQ_VALUE_REAL));
    return fq_figure_column(&c->right, t, "right", FQ_VALUE_REAL);
}

static size_t curve(const fq_figure_job *job, const fq_table *t, const char *series, size_t series_column,
                    size_t x, size_t y, size_t fixed, double value, const char *title) {
    const fq_claim_curve c = {.series_column = series_column,
                              .series = series,
                              .fixed = fixed,
                              .value = value,
                              .x = x,
                              .count = 1,
                              .y = {y}};
    return fq_claim_curve_write(job, t, &c, title);
}

static fq_status empty(const char *what) {
    return FQ_FAIL(
        FQ_ERR_INPUT, what,
        "two points or more on every curve, as fibquant verify -o stores them (not its --quick grids)");
}

static const double dims[] = {16, 64, 128, 1024};
enum { DIMS = sizeof dims / sizeof dims[0] };

/* Blocks: shaping, sphere bound's shaping; density for each d; total for each d. */
static fq_status feed_gains(const fq_figure_job *job, const fq_table *t) {
    columns c;
    char title[32];
    FQ_TRY(find(&c, t));
    size_t points = curve(job, t, "shaping_factor", c.series, c.block, c.left, c.dim, (double)NAN,
                          "shaping, best known cell");
    curve(job, t, "shaping_factor_sphere_bound", c.series, c.block, c.left, c.dim, (double)NAN,
          "shaping, sphere bound");
    static const char *const series[] = {"density_factor", "total_gain"};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < DIMS; i++) {
            snprintf(title, sizeof title, "%sd = %g", s ? "" : "density, ", dims[i]);
            if (curve(job, t, series[s], c.series, c.block, c.left, c.dim, dims[i], title) < 2)
                return empty("gains");
        }
    fq_figure_number(job, "dims", DIMS);
    return points ? FQ_OK : empty("gains");
}

static fq_status feed_correlation(const fq_figure_job *job, const fq_table *t) {
    columns c;
    char title[32];
    FQ_TRY(find(&c, t));
    static const double blocks[] = {2, 4, 8, 16, 32};
    for (size_t i = 0; i < 5; i++) {
        snprintf(title, sizeof title, "k = %g", blocks[i]);
        if (curve(job, t, "total_correlation", c.series, c.dim, c.left, c.block, blocks[i], title) < 2)
            return empty("total correlation");
    }
    return FQ_OK;
}

/* For each k of 2, 3, 4, 8: covering radius of the family and of random directions. */
static fq_status feed_directions(const fq_figure_job *job, const fq_table *t) {
    columns c;
    char title[48];
    FQ_TRY(find(&c, t));
    static const double blocks[] = {2, 3, 4, 8};
    static const char *const names[] = {"golden angle", "Fibonacci sphere", "Roberts-Kronecker",
                                        "Roberts-Kronecker"};
    static const char *const what[] = {"covering", "discrepancy"};
    for (size_t q = 0; q < 2; q++)
        for (size_t i = 0; i < 4; i++) {
            char series[64];
            snprintf(series, sizeof series, "%s_%s", what[q],
                     blocks[i] < 4 ? "against_random" : "below_3_random");
            snprintf(title, sizeof title, "k = %g, %s", blocks[i], names[i]);
            if (curve(job, t, series, c.series, c.codewords, c.left, c.block, blocks[i], title) < 2)
                return empty("directions");
            curve(job, t, series, c.series, c.codewords, c.right, c.block, blocks[i], "random");
        }
    return FQ_OK;
}

const fq_figure fq_figure_theory_gains = {
    .name = "theory_gains",
    .table = "claim-evidence",
    .script = "theory_gains.gp",
    .shows =
        "Cell-shaping and density-matching factors against k, and the total high-rate gain with its limit",
    .feed = feed_gains,
};
const fq_figure fq_figure_theory_correlation = {
    .name = "theory_correlation",
    .table = "claim-evidence",
    .script = "theory_correlation.gp",
    .shows = "Total correlation k h(f_{d,1}) - h(f_{d,k}) of a block against d, certified",
    .feed = feed_correlation,
};
const fq_figure fq_figure_theory_directions = {
    .name = "theory_directions",
    .table = "claim-evidence",
    .script = "theory_directions.gp",
    .shows =
        "Covering radius and cap discrepancy of the initial directions against N, beside random directions",
    .feed = feed_directions,
};
