/* More figures of the theory from table claim-evidence: finite codes against the high-rate limit, TurboQuant
 * between its bounds, and how enclosures narrow with precision. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "claim_curve.h"
#include "failure.h"
#include "series.h"

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

static fq_status nothing(const char *series) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "table claim-evidence: no row of series %s, as fibquant verify -o stores "
                        "them (some not with --quick)",
                        series);
}

/* For each d, k = 1 as D L^2 and its limit; then for each k and d the ratio and its error. */
static fq_status feed_convergence(const fq_figure_job *job, const fq_table *t) {
    fq_claim_extent extent = FQ_CLAIM_EXTENT_EMPTY, scaled = FQ_CLAIM_EXTENT_EMPTY;
    double dims[FQ_CLAIM_VALUES], blocks[FQ_CLAIM_VALUES];
    char title[64];
    columns c;
    FQ_TRY(find(&c, t));
    const size_t scalar_dims = fq_claim_values(t, c.series, "scaled_distortion", c.dim, dims);
    for (size_t i = 0; i < scalar_dims; i++) {
        const fq_claim_curve scalar = {.series_column = c.series,
                                       .series = "scaled_distortion",
                                       .fixed = c.dim,
                                       .value = dims[i],
                                       .x = c.rate,
                                       .count = 2,
                                       .y = {c.left, c.right}};
        snprintf(title, sizeof title, "k = 1, d = %g (certified)", dims[i]);
        fq_figure_style(job, scaled.curves, 0, i, 13 * i);
        fq_claim_curve_add(job, t, &scalar, title, &scaled);
    }
    for (size_t row = 0; row < t->count; row++) /* the ratio's place, which blocks do not have in a column */
        if (strcmp(fq_table_text(t, row, c.series), "scaled_distortion") == 0)
            fq_range_add(&extent.y, fq_table_real(t, row, c.left) / fq_table_real(t, row, c.right));
    extent.curves = scaled.curves;
    extent.x = scaled.x;
    const size_t k = fq_claim_values(t, c.series, "ratio_to_limit", c.block, blocks),
                 d = fq_claim_values(t, c.series, "ratio_to_limit", c.dim, dims);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < d; j++) {
            const fq_claim_curve measured = {.series_column = c.series,
                                             .series = "ratio_to_limit",
                                             .fixed = c.block,
                                             .value = blocks[i],
                                             .also = c.dim,
                                             .also_value = dims[j],
                                             .x = c.rate,
                                             .count = 2,
                                             .y = {c.left, c.left_error}};
            snprintf(title, sizeof title, "k = %g, d = %g, population", blocks[i], dims[j]);
            fq_figure_style(job, extent.curves, i + 1, j, i + 1 + 9 * j);
            fq_claim_curve_add(job, t, &measured, title, &extent);
        }
    if (extent.curves == 0)
        return nothing("scaled_distortion or ratio_to_limit");
    fq_range_add(&extent.y, 1.0);
    fq_figure_number(job, "scalars", (double)scaled.curves);
    fq_figure_number(job, "curves", (double)extent.curves);
    fq_figure_range(job, "x", extent.x, 0.04, false);
    fq_figure_range(job, "y", extent.y, 0.05, false);
    fq_figure_number(job, "height", 6.7 + 0.31 * (double)(extent.curves + 1));
    return FQ_OK;
}

/* For each d, coloured ones first: D, its error and the upper bound against b. */
static fq_status feed_turboquant(const fq_figure_job *job, const fq_table *t) {
    fq_claim_extent extent = FQ_CLAIM_EXTENT_EMPTY;
    fq_range y = {1.0, 0.5 * sqrt(3.0) * 3.14159265358979323846};
    double dims[FQ_CLAIM_VALUES];
    char title[32];
    columns c;
    FQ_TRY(find(&c, t));
    const size_t n = fq_claim_values(t, c.series, "mse_upper_bound", c.dim, dims),
                 coloured = fq_claim_powers_first(dims, n);
    for (size_t i = 0; i < n; i++) {
        const fq_claim_curve curve = {.series_column = c.series,
                                      .series = "mse_upper_bound",
                                      .fixed = c.dim,
                                      .value = dims[i],
                                      .x = c.rate,
                                      .count = 3,
                                      .y = {c.left, c.left_error, c.right}};
        snprintf(title, sizeof title, "d = %g", dims[i]);
        fq_claim_curve_write(job, t, &curve, title, &extent);
        if (i < coloured) {
            fq_figure_text_of(job, "label", i, title);
            fq_figure_series_style(job, i);
        }
    }
    if (extent.points == 0)
        return nothing("mse_upper_bound");
    for (size_t row = 0; row < t->count; row++)
        if (strcmp(fq_table_text(t, row, c.series), "mse_upper_bound") == 0)
            fq_range_add(&y, fq_table_real(t, row, c.left) * exp2(2.0 * fq_table_real(t, row, c.rate)));
    fq_figure_number(job, "dims", (double)n);
    fq_figure_number(job, "coloured", (double)coloured);
    fq_figure_range(job, "x", extent.x, 0.04, false);
    fq_figure_range(job, "y", y, 0.08, false);
    fq_figure_number(job, "height", 6.7 + 0.31 * (double)(coloured + (n > coloured)));
    return FQ_OK;
}

/* For each quantity: relative radius against bits. */
static fq_status feed_widths(const fq_figure_job *job, const fq_table *t) {
    fq_claim_extent extent = FQ_CLAIM_EXTENT_EMPTY;
    fq_labels texts = {0};
    fq_status status = FQ_OK;
    columns c;
    FQ_TRY(find(&c, t));
    for (size_t row = 0; row < t->count && status == FQ_OK; row++) {
        size_t unused;
        if (strcmp(fq_table_text(t, row, c.series), "enclosure_width") == 0)
            status = fq_labels_add(&texts, fq_table_text(t, row, c.parameters), &unused);
    }
    for (size_t i = 0; i < texts.count && status == FQ_OK; i++) {
        const fq_claim_curve curve = {.series_column = c.series,
                                      .series = "enclosure_width",
                                      .text_column = c.parameters,
                                      .text = texts.label[i],
                                      .value = (double)NAN,
                                      .x = c.precision,
                                      .whole_x = true,
                                      .count = 1,
                                      .y = {c.left}};
        fq_figure_series_style(job, extent.curves);
        fq_claim_curve_add(job, t, &curve, texts.label[i], &extent);
    }
    fq_labels_clear(&texts);
    FQ_TRY(status);
    if (extent.points == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "table claim-evidence: no row of series enclosure_width, as a program "
                            "with ball arithmetic stores them");
    fq_range_add(&extent.y, exp2(-extent.x.low));
    fq_range_add(&extent.y, exp2(-extent.x.high));
    fq_figure_number(job, "curves", (double)extent.curves);
    fq_figure_range(job, "x", extent.x, 0.04, false);
    fq_figure_range(job, "y", extent.y, 0.04, true);
    fq_figure_number(job, "height", 6.7 + 0.31 * (double)(extent.curves + 1));
    return FQ_OK;
}

const fq_figure fq_figure_theory_convergence = {
    .name = "theory_convergence",
    .table = "claim-evidence",
    .script = "theory_convergence.gp",
    .shows =
        "N^{2/k} D over its high-rate limit d G_k ||f||_{k/(k+2)} (G_k of the best known cell) against the "
        "rate, a curve for each k and d, with bars of 2 SE",
    .feed = feed_convergence,
};
const fq_figure fq_figure_theory_turboquant = {
    .name = "theory_turboquant",
    .table = "claim-evidence",
    .script = "theory_turboquant.gp",
    .shows = "4^b D of scalar TurboQuant (Lloyd-Max levels) against b, between its lower and upper bound, "
             "certified; d that are no powers of two in grey",
    .feed = feed_turboquant,
};
const fq_figure fq_figure_theory_widths = {
    .name = "theory_widths",
    .table = "claim-evidence",
    .script = "theory_widths.gp",
    .shows = "Relative radius of certified enclosures against the precision of ball arithmetic",
    .feed = feed_widths,
};
