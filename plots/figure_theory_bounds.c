/* More figures of the theory from table claim-evidence: finite codes against the high-rate limit, TurboQuant
 * between its bounds, and how enclosures narrow with precision. */
#include <math.h>
#include <stdio.h>

#include "claim_curve.h"

typedef struct columns {
    size_t series, parameters, dim, block, rate, left, left_error, right, precision;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->series, t, "series", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->parameters, t, "parameters", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->rate, t, "rate", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->left, t, "left", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->left_error, t, "left_error", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->right, t, "right", FQ_VALUE_REAL));
    return fq_figure_column(&c->precision, t, "precision", FQ_VALUE_INTEGER);
}

static fq_status empty(const char *what) {
    return FQ_FAIL(
        FQ_ERR_INPUT, what,
        "two points or more on every curve, as fibquant verify -o stores them (not its --quick grids)");
}

/* At d = 64: k = 1 as D L^2 and its limit; then k = 2, 3, 4 as the ratio and its error. */
static fq_status feed_convergence(const fq_figure_job *job, const fq_table *t) {
    columns c;
    char title[32];
    FQ_TRY(find(&c, t));
    const fq_claim_curve scalar = {.series_column = c.series,
                                   .series = "scaled_distortion",
                                   .fixed = c.dim,
                                   .value = 64,
                                   .x = c.rate,
                                   .count = 2,
                                   .y = {c.left, c.right}};
    if (fq_claim_curve_write(job, t, &scalar, "k = 1, scalar (certified)") < 2)
        return empty("convergence");
    for (int k = 2; k <= 4; k++) {
        const fq_claim_curve measured = {.series_column = c.series,
                                         .series = "ratio_to_limit",
                                         .fixed = c.block,
                                         .value = k,
                                         .also = c.dim,
                                         .also_value = 64,
                                         .x = c.rate,
                                         .count = 2,
                                         .y = {c.left, c.left_error}};
        snprintf(title, sizeof title, "k = %d, population", k);
        if (fq_claim_curve_write(job, t, &measured, title) < 2)
            return empty("convergence");
    }
    return FQ_OK;
}

static const double dims[] = {16, 64, 1024};
enum { DIMS = sizeof dims / sizeof dims[0] };

/* For each d: D and the upper bound against b. */
static fq_status feed_turboquant(const fq_figure_job *job, const fq_table *t) {
    columns c;
    char title[32];
    FQ_TRY(find(&c, t));
    for (size_t i = 0; i < DIMS; i++) {
        snprintf(title, sizeof title, "Lloyd-Max, d = %g", dims[i]);
        const fq_claim_curve curve = {.series_column = c.series,
                                      .series = "mse_upper_bound",
                                      .fixed = c.dim,
                                      .value = dims[i],
                                      .x = c.rate,
                                      .count = 3,
                                      .y = {c.left, c.left_error, c.right}};
        if (fq_claim_curve_write(job, t, &curve, title) < 2)
            return empty("TurboQuant's bounds");
    }
    fq_figure_number(job, "dims", DIMS);
    return FQ_OK;
}

/* For each quantity: relative radius against bits. */
static fq_status feed_widths(const fq_figure_job *job, const fq_table *t) {
    static const char *const names[] = {
        "total correlation, d = 64, k = 4", "total correlation, d = 10^9, k = 4",
        "entropy by integral, d = 64, k = 4", "scalar distortion, d = 64, b = 2"};
    columns c;
    FQ_TRY(find(&c, t));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const fq_claim_curve curve = {.series_column = c.series,
                                      .series = "enclosure_width",
                                      .text_column = c.parameters,
                                      .text = names[i],
                                      .value = (double)NAN,
                                      .x = c.precision,
                                      .whole_x = true,
                                      .count = 1,
                                      .y = {c.left}};
        if (fq_claim_curve_write(job, t, &curve, names[i]) < 2)
            return FQ_FAIL(
                FQ_ERR_INPUT, "widths",
                "enclosures at two precisions or more, as a program with ball arithmetic stores them");
    }
    return FQ_OK;
}

const fq_figure fq_figure_theory_convergence = {
    .name = "theory_convergence",
    .table = "claim-evidence",
    .script = "theory_convergence.gp",
    .shows = "N^{2/k} D over its high-rate limit d G_k ||f||_{k/(k+2)} against the rate, k = 1 to 4, d = 64",
    .feed = feed_convergence,
};
const fq_figure fq_figure_theory_turboquant = {
    .name = "theory_turboquant",
    .table = "claim-evidence",
    .script = "theory_turboquant.gp",
    .shows = "4^b D of scalar TurboQuant against b, between its lower and upper bound, certified",
    .feed = feed_turboquant,
};
const fq_figure fq_figure_theory_widths = {
    .name = "theory_widths",
    .table = "claim-evidence",
    .script = "theory_widths.gp",
    .shows = "Relative radius of certified enclosures against the precision of ball arithmetic",
    .feed = feed_widths,
};
