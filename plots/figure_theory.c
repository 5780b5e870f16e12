/* Figures of the theory from the comparisons that verify stores: table claim-evidence. Curves are the left
 * sides of a series, one curve for each d or k; limits are right sides. Of many d or k powers of two are in
 * colour and in the key, the others in grey. */
#include <math.h>
#include <stdio.h>

#include "claim_curve.h"
#include "failure.h"

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

static fq_claim_curve curve(const columns *c, const char *series, size_t x, size_t y, size_t fixed,
                            double value) {
    return (fq_claim_curve){.series_column = c->series,
                            .series = series,
                            .fixed = fixed,
                            .value = value,
                            .x = x,
                            .count = 1,
                            .y = {y}};
}

static fq_status nothing(const char *series) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "table claim-evidence: no row of series %s, as fibquant verify -o stores "
                        "them (some not with --quick)",
                        series);
}

/* Blocks: shaping, its sphere bound; density for each d; total for each d, coloured ones first. */
static fq_status feed_gains(const fq_figure_job *job, const fq_table *t) {
    static const char *const series[] = {"density_factor", "total_gain"};
    fq_claim_extent factor = FQ_CLAIM_EXTENT_EMPTY, gain = FQ_CLAIM_EXTENT_EMPTY;
    double dims[FQ_CLAIM_VALUES];
    char title[32];
    columns c;
    FQ_TRY(find(&c, t));
    size_t n = fq_claim_values(t, c.series, series[1], c.dim, dims);
    if (n == 0)
        n = fq_claim_values(t, c.series, series[0], c.dim, dims);
    const size_t coloured = fq_claim_powers_first(dims, n);
    const fq_claim_curve shaping = curve(&c, "shaping_factor", c.block, c.left, c.dim, (double)NAN),
                         sphere =
                             curve(&c, "shaping_factor_sphere_bound", c.block, c.left, c.dim, (double)NAN);
    fq_claim_curve_write(job, t, &shaping, "shaping, best known cell", &factor);
    fq_claim_curve_write(job, t, &sphere, "shaping, sphere bound", &factor);
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < n; i++) {
            snprintf(title, sizeof title, "%sd = %g", s ? "" : "density, ", dims[i]);
            const fq_claim_curve one = curve(&c, series[s], c.block, c.left, c.dim, dims[i]);
            fq_claim_curve_write(job, t, &one, title, s ? &gain : &factor);
            snprintf(title, sizeof title, "d = %g", dims[i]);
            if (s && i < coloured) {
                fq_figure_text_of(job, "label", i, title);
                fq_figure_series_style(job, i);
            }
        }
    if (factor.points + gain.points == 0)
        return nothing("shaping_factor, density_factor or total_gain");
    fq_range_add(&factor.x, gain.x.low);
    fq_range_add(&factor.x, gain.x.high);
    fq_range_add(&factor.y, 1.0);
    fq_figure_number(job, "dims", (double)n);
    fq_figure_number(job, "coloured", (double)coloured);
    fq_figure_range(job, "x", factor.x, 0.02, true);
    fq_figure_range(job, "factor", factor.y, 0.05, false);
    fq_figure_number(job, "height", 10.35 + 0.31 * (double)(coloured + 3));
    return FQ_OK;
}

static fq_status feed_correlation(const fq_figure_job *job, const fq_table *t) {
    fq_claim_extent extent = FQ_CLAIM_EXTENT_EMPTY;
    double blocks[FQ_CLAIM_VALUES];
    char title[32];
    columns c;
    FQ_TRY(find(&c, t));
    const size_t n = fq_claim_values(t, c.series, "total_correlation", c.block, blocks),
                 coloured = fq_claim_powers_first(blocks, n);
    for (size_t i = 0; i < n; i++) {
        const fq_claim_curve one = curve(&c, "total_correlation", c.dim, c.left, c.block, blocks[i]);
        snprintf(title, sizeof title, "k = %g", blocks[i]);
        fq_claim_curve_write(job, t, &one, title, &extent);
        if (i >= coloured)
            continue;
        fq_figure_text_of(job, "label", i, title);
        fq_figure_number_of(job, "k", i, blocks[i]);
        fq_figure_series_style(job, i);
    }
    if (extent.points == 0)
        return nothing("total_correlation");
    fq_figure_number(job, "blocks", (double)n);
    fq_figure_number(job, "coloured", (double)coloured);
    fq_figure_range(job, "x", extent.x, 0.03, true);
    fq_figure_range(job, "y", extent.y, 0.05, true);
    fq_figure_number(job, "height", 6.7 + 0.31 * (double)(coloured + 2));
    return FQ_OK;
}

/* For covering radius and cap discrepancy and each k: the family, then random directions. Random values of
 * k >= 4 are stored times 3, as bounds. */
static fq_status feed_directions(const fq_figure_job *job, const fq_table *t) {
    static const char *const what[] = {"covering", "discrepancy"};
    static const char *const kinds[] = {"against_random", "below_3_random"};
    fq_claim_extent extents[2] = {FQ_CLAIM_EXTENT_EMPTY, FQ_CLAIM_EXTENT_EMPTY};
    columns c;
    size_t curves = 0;
    FQ_TRY(find(&c, t));
    for (size_t kind = 0; kind < 2; kind++) {
        double blocks[FQ_CLAIM_VALUES];
        char series[2][64], title[64];
        for (size_t q = 0; q < 2; q++)
            snprintf(series[q], sizeof series[q], "%s_%s", what[q], kinds[kind]);
        const size_t n = fq_claim_values(t, c.series, series[0], c.block, blocks);
        for (size_t i = 0; i < n; i++) {
            snprintf(title, sizeof title, "k = %g, %s", blocks[i],
                     blocks[i] == 2.0   ? "golden angle"
                     : blocks[i] == 3.0 ? "Fibonacci sphere"
                                        : "Roberts-Kronecker");
            fq_figure_text_of(job, "label", curves, title);
            fq_figure_number_of(job, "scale", curves, kind ? 1.0 / 3.0 : 1.0);
            fq_figure_series_style(job, curves++);
            for (size_t q = 0; q < 2; q++) {
                const fq_claim_curve own = curve(&c, series[q], c.codewords, c.left, c.block, blocks[i]),
                                     random = curve(&c, series[q], c.codewords, c.right, c.block, blocks[i]);
                fq_claim_extent bounds = FQ_CLAIM_EXTENT_EMPTY;
                fq_claim_curve_write(job, t, &own, title, &extents[q]);
                fq_claim_curve_write(job, t, &random, "random", &bounds);
                fq_range_add(&extents[q].y, bounds.y.low * (kind ? 1.0 / 3.0 : 1.0));
                fq_range_add(&extents[q].y, bounds.y.high * (kind ? 1.0 / 3.0 : 1.0));
            }
        }
    }
    if (extents[0].points + extents[1].points == 0)
        return nothing("covering_against_random or covering_below_3_random");
    fq_range_add(&extents[0].x, extents[1].x.low);
    fq_range_add(&extents[0].x, extents[1].x.high);
    fq_figure_number(job, "curves", (double)curves);
    fq_figure_range(job, "x", extents[0].x, 0.03, true);
    fq_figure_range(job, "y0", extents[0].y, 0.06, true);
    fq_figure_range(job, "y1", extents[1].y, 0.06, true);
    fq_figure_number(job, "height", 10.2 + 0.31 * (double)(curves + 1));
    return FQ_OK;
}

const fq_figure fq_figure_theory_gains = {
    .name = "theory_gains",
    .table = "claim-evidence",
    .script = "theory_gains.gp",
    .shows =
        "Cell-shaping and density-matching factors against k, and the total high-rate gain with its limit; "
        "d that are no powers of two in grey",
    .feed = feed_gains,
};
const fq_figure fq_figure_theory_correlation = {
    .name = "theory_correlation",
    .table = "claim-evidence",
    .script = "theory_correlation.gp",
    .shows = "Total correlation k h(f_{d,1}) - h(f_{d,k}) of a block against d, certified, and its decay "
             "k(k-1)/(4 d^2) (dotted); k that are no powers of two in grey",
    .feed = feed_correlation,
};
const fq_figure fq_figure_theory_directions = {
    .name = "theory_directions",
    .table = "claim-evidence",
    .script = "theory_directions.gp",
    .shows =
        "Covering radius and cap discrepancy of the initial directions against N, beside random directions "
        "(thin lines)",
    .feed = feed_directions,
};
