/* Claim 8. Lloyd's iteration never raises the distortion; its fixed point has levels that are cell means
 * and thresholds half-way; D = E|X|^2 - E|Q|^2 there; f_{d,1} is log-concave, so the optimum is unique.
 *
 * Check: (a) log-concavity, which is elementary: ln f_{d,1} = const + ((d-3)/2) ln(1-x^2), whose mid-point
 * inequality (d-3) ln[(1-((x+y)/2)^2)^2 / ((1-x^2)(1-y^2))] > 0 is spot-checked at random points: true for d
 * >= 4, equality at d = 3 (the uniform law, still log-concave), false at d = 2 (the arcsine law is
 * log-convex). (b) The fixed point is enclosed: see ball_scalar.h. (c) D by the identity against E(X - Q)^2
 * summed cell by cell from incomplete beta functions, at the box's lower thresholds with the cells' means as
 * levels (the identity needs no more); what a wide box encloses overlaps what a narrow one does. (d) One
 * Lloyd step from random thresholds strictly lowers D. Not covered: odd numbers of levels; Lloyd's iteration
 * for vectors. */
#include <math.h>
#include <stdio.h>

#include "ball_formulas.h"
#include "ball_scalar.h"
#include "cell_quadrature.h"
#include "claim_balls.h"
#include "source.h"
#include "stream_ranges.h"

typedef struct setting {
    long d;
    double x, y;
    const fq_scalar_box *box, *wide; /* wide: about another centre, for the rows that end in _nest */
    fq_perturbation perturbation;
} setting;

static void log_concave(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const double x[3] = {p->x, p->y, 0};
    fq_ball log_rest[3];
    for (int i = 0; i < 3; i++) {
        fq_ball at = fq_ball_double(w, x[i]);
        if (i == 2)
            at = fq_ball_divide(w, fq_ball_add(w, fq_ball_double(w, x[0]), fq_ball_double(w, x[1])),
                                fq_ball_integer(w, 2));
        log_rest[i] = fq_ball_log(w, fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, at, at)));
    }
    const fq_ball twice = fq_ball_add(w, log_rest[2], log_rest[2]);
    const fq_ball excess = fq_ball_subtract(w, twice, fq_ball_add(w, log_rest[0], log_rest[1]));
    const fq_ball m =
        fq_ball_add(w, fq_ball_ratio(w, p->d - 3, 2), fq_ball_double(w, p->perturbation.exponent));
    *left = fq_ball_multiply(w, m, excess);
    *right = fq_ball_integer(w, 0);
}

static void fixed_point(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_margin(w, p->box, (p->perturbation.constant - 1) * p->box->high[1]);
    *right = fq_ball_integer(w, 0);
}

static void identity(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_scalar_box *const box = p->box;
    const fq_ball three_halves = fq_ball_ratio(w, 3, 2), other = fq_ball_ratio(w, p->d - 1, 2);
    fq_ball direct = fq_ball_integer(w, 0), t[FQ_BALL_HALF_MAX + 1];
    for (size_t i = 0; i <= box->half; i++)
        t[i] = fq_ball_double(w, box->low[i]);
    for (size_t i = 0; i < box->half; i++) {
        /* E[X^2; 0 < X < x] = I_{x^2}(3/2, (d-1)/2) / (2d). */
        const fq_ball above = fq_ball_beta(w, three_halves, other, fq_ball_multiply(w, t[i + 1], t[i + 1]));
        const fq_ball below = fq_ball_beta(w, three_halves, other, fq_ball_multiply(w, t[i], t[i]));
        const fq_ball second =
            fq_ball_divide(w, fq_ball_subtract(w, above, below), fq_ball_integer(w, 2 * p->d));
        const fq_ball moment = fq_ball_cell_moment(w, p->d, t[i], t[i + 1]);
        const fq_ball mass = fq_ball_cell_probability(w, p->d, t[i], t[i + 1]);
        const fq_ball level = fq_ball_divide(w, moment, mass);
        const fq_ball cross = fq_ball_multiply(
            w, level, fq_ball_subtract(w, fq_ball_multiply(w, level, mass), fq_ball_add(w, moment, moment)));
        direct = fq_ball_add(w, direct, fq_ball_add(w, second, cross));
    }
    *left = fq_ball_multiply(w, direct, fq_ball_integer(w, 2 * p->d));
    *right = fq_ball_multiply(w, fq_ball_scalar_distortion(w, p->d, box->half, t),
                              fq_ball_double(w, p->perturbation.constant));
}

/* The box's low side holds arbitrary thresholds here. */
static void descent(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const size_t half = p->box->half;
    fq_ball t[FQ_BALL_HALF_MAX + 1], next[FQ_BALL_HALF_MAX + 1], level[FQ_BALL_HALF_MAX];
    for (size_t i = 0; i <= half; i++)
        next[i] = t[i] = fq_ball_double(w, p->box->low[i]);
    for (size_t i = 0; i < half; i++)
        level[i] = fq_ball_divide(w, fq_ball_cell_moment(w, p->d, t[i], t[i + 1]),
                                  fq_ball_cell_probability(w, p->d, t[i], t[i + 1]));
    for (size_t i = 1; i < half; i++)
        next[i] = fq_ball_divide(w, fq_ball_add(w, level[i - 1], level[i]), fq_ball_integer(w, 2));
    *left = fq_ball_scalar_distortion(w, p->d, half, next);
    *right = fq_ball_multiply(w, fq_ball_scalar_distortion(w, p->d, half, t),
                              fq_ball_double(w, p->perturbation.constant));
}

/* What a wide box encloses, off the optimum at its centre, overlaps what a narrow one does: only if both ends
 * of every enclosure are used. */
static void thresholds_nest(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_threshold(w, p->wide, p->box->half - 1);
    *right = fq_ball_multiply(w, fq_scalar_box_threshold(w, p->box, p->box->half - 1),
                              fq_ball_double(w, p->perturbation.constant));
}

static void levels_nest(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_level(w, p->wide, p->box->half - 1);
    *right = fq_ball_multiply(w, fq_scalar_box_level(w, p->box, p->box->half - 1),
                              fq_ball_double(w, p->perturbation.constant));
}

static void distortions_nest(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_distortion(w, p->wide);
    *right =
        fq_ball_multiply(w, fq_scalar_box_distortion(w, p->box), fq_ball_double(w, p->perturbation.constant));
}

/* Right sides for numbers found in doubles by other routes; left sides are not used. */
static void log_concave_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    log_concave(w, parameters, right, left);
}

static void margin_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right =
        fq_ball_multiply(w, fq_scalar_box_margin(w, p->wide, 0), fq_ball_double(w, p->perturbation.constant));
}

static void after_step_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    fq_ball after;
    descent(w, p, &after, left);
    *right = fq_ball_multiply(w, after, fq_ball_double(w, p->perturbation.constant));
}

static fq_status emit_double(fq_claim_context *context, const char *series, fq_ball_sides sides, setting p,
                             size_t levels, double value, double error) {
    fq_evidence row;
    if (levels)
        fq_evidence_init(&row, series, "d=%ld L=%zu", p.d, levels);
    else
        fq_evidence_init(&row, series, "d=%ld x=%.4f y=%.4f", p.d, p.x, p.y);
    row.dim = (double)p.d;
    row.block = 1;
    row.codewords = levels ? (double)levels : (double)NAN;
    row.rate = levels ? log2((double)levels) : (double)NAN;
    p.perturbation = context->perturbation;
    return fq_ball_emit_value(context, &row, sides, &p, value, error);
}

/* Mid-points of the means beside each inner threshold, by Gauss rules. */
static void step_by_quadrature(double *next, size_t dim, size_t half, const double *t) {
    double before = 0;
    next[0] = t[0];
    next[half] = t[half];
    for (size_t i = 0; i < half; i++) {
        const fq_cell_moments cell = fq_cell_by_quadrature(dim, t[i], t[i + 1]);
        const double mean = cell.first / cell.probability;
        if (i > 0)
            next[i] = (before + mean) / 2;
        before = mean;
    }
}

/* min over inner thresholds of T(low) - low and high - T(high). */
static double margin_by_quadrature(const fq_scalar_box *box) {
    double next[FQ_BALL_HALF_MAX + 1], least = 1;
    step_by_quadrature(next, (size_t)box->d, box->half, box->low);
    for (size_t i = 1; i < box->half; i++)
        least = fmin(least, next[i] - box->low[i]);
    step_by_quadrature(next, (size_t)box->d, box->half, box->high);
    for (size_t i = 1; i < box->half; i++)
        least = fmin(least, box->high[i] - next[i]);
    return least;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p, size_t levels, const char *finding) {
    fq_evidence row;
    if (levels)
        fq_evidence_init(&row, series, "d=%ld L=%zu", p.d, levels);
    else
        fq_evidence_init(&row, series, "d=%ld x=%.4f y=%.4f", p.d, p.x, p.y);
    row.dim = (double)p.d;
    row.block = 1;
    row.codewords = levels ? (double)levels : (double)NAN;
    row.rate = levels ? log2((double)levels) : (double)NAN;
    row.relation = relation;
    if (sides != log_concave && sides != fixed_point) { /* distortions, thresholds and levels */
        row.least = 0;
        row.most = 1;
    }
    row.tolerance =
        sides == thresholds_nest || sides == levels_nest || sides == distortions_nest ? 0.1 : 1e-10;
    row.seed = context->seed;
    snprintf(row.finding, sizeof row.finding, "%s", finding);
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

/* off: where the optimum lies in the wide box, from -1 (its high end) to 1 (its low end). */
static fq_status run_nests(fq_claim_context *context, size_t d, const fq_scalar_box *box) {
    static const double offs[] = {-0.95, 0.95};
    for (size_t i = 0; i < 2; i++) {
        fq_scalar_box wide;
        FQ_TRY(fq_scalar_box_init_wide(&wide, d, box->half, 2e-5, offs[i]));
        const setting p = {.d = (long)d, .box = box, .wide = &wide};
        FQ_TRY(emit(context, "threshold_enclosures_nest", thresholds_nest, FQ_RELATION_EQUAL, p,
                    2 * box->half, ""));
        FQ_TRY(emit(context, "level_enclosures_nest", levels_nest, FQ_RELATION_EQUAL, p, 2 * box->half, ""));
        FQ_TRY(emit(context, "distortion_enclosures_nest", distortions_nest, FQ_RELATION_EQUAL, p,
                    2 * box->half, ""));
        FQ_TRY(emit_double(context, "margin_by_quadrature", margin_in_balls, p, 2 * box->half,
                           margin_by_quadrature(&wide), 1e-14));
    }
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    static const size_t dims[] = {4, 5, 16, 64, 80, 128, 256, 1024};
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_LLOYD_MAX, 0);
    for (long d = 2; d <= 4096; d = d < 8 ? d + 1 : 2 * d)
        for (int i = 0; i < 10; i++) {
            const double x = 2 * fq_stream_uniform(&stream) - 1;
            const double y = 2 * fq_stream_uniform(&stream) - 1;
            if (d == 3 || x == y)
                continue;
            const setting p = {.d = d, .x = x, .y = y};
            FQ_TRY(
                emit(context, "log_concavity", log_concave, FQ_RELATION_GREATER, p, 0, d == 2 ? "F3" : ""));
            fq_source source;
            FQ_TRY(fq_source_init(&source, (size_t)d, 1));
            const double ends =
                fq_source_log_density(&source, fabs(x)) + fq_source_log_density(&source, fabs(y));
            const double middle = fq_source_log_density(&source, fabs(x + y) / 2);
            FQ_TRY(emit_double(context, "log_concavity_in_doubles", log_concave_in_balls, p, 0,
                               2 * middle - ends, 1e-14 * (4 + fabs(2 * middle) + fabs(ends)) + 1e-12));
        }
    const size_t most = (size_t)fq_ball_reach(context->quick ? 8 : 32, 4);
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        for (size_t half = 1; half <= most; half *= 2) {
            fq_scalar_box box;
            FQ_TRY(fq_scalar_box_init(&box, dims[i], half));
            const setting p = {.d = (long)dims[i], .box = &box};
            FQ_TRY(emit(context, "fixed_point_margin", fixed_point, FQ_RELATION_GREATER, p, 2 * half, ""));
            FQ_TRY(emit(context, "distortion_identity", identity, FQ_RELATION_EQUAL, p, 2 * half, ""));
            if (half > 1 && half <= 8)
                FQ_TRY(run_nests(context, dims[i], &box));
            box.certified = false;
            for (size_t j = 1; j < half; j++) /* rising: each within its own slot */
                box.low[j] *= 0.9 + 0.1 * fq_stream_uniform(&stream);
            bool rising = half > 1;
            for (size_t j = 1; j <= half; j++)
                rising &= box.low[j - 1] < box.low[j];
            if (!rising)
                continue;
            FQ_TRY(emit(context, "lloyd_descent", descent, FQ_RELATION_LESS, p, 2 * half, ""));
            double next[FQ_BALL_HALF_MAX + 1];
            step_by_quadrature(next, dims[i], half, box.low);
            FQ_TRY(emit_double(context, "lloyd_descent_by_quadrature", after_step_in_balls, p, 2 * half,
                               fq_distortion_by_quadrature(dims[i], half, next), 1e-12));
        }
    return FQ_OK;
}

static const fq_series series[] = {
    {"log_concavity", FQ_PART_STATEMENT,
     "excess of ln f_{d,1} at the middle of x and y over the mean of its values there, times 2, above 0"},
    {"fixed_point_margin", FQ_PART_STATEMENT,
     "least margin by which the optimal thresholds are enclosed, above 0"},
    {"distortion_identity", FQ_PART_STATEMENT,
     "E(X - Q)^2 summed cell by cell = E X^2 - E Q^2, over the variance"},
    {"lloyd_descent", FQ_PART_STATEMENT, "D after one Lloyd step from random thresholds, below that before"},
    {"log_concavity_in_doubles", FQ_PART_CHECK,
     "that excess by the density in doubles, as the sampler's header has it = in balls"},
    {"margin_by_quadrature", FQ_PART_CHECK,
     "margin of a wide box about the thresholds by Gauss rules = in balls"},
    {"lloyd_descent_by_quadrature", FQ_PART_CHECK,
     "D after one Lloyd step from random thresholds by Gauss rules = in balls"},
    {"threshold_enclosures_nest", FQ_PART_CHECK,
     "outermost threshold enclosed by a wide box = by a narrow one off its centre"},
    {"level_enclosures_nest", FQ_PART_CHECK,
     "outermost level enclosed by a wide box = by a narrow one off its centre"},
    {"distortion_enclosures_nest", FQ_PART_CHECK,
     "D enclosed by a wide box = by a narrow one off its centre"},
    {0},
};

const fq_claim fq_claim_lloyd_max = {
    .number = 8,
    .id = "lloyd_max",
    .title = "Lloyd-Max: descent, fixed point, uniqueness",
    .statement = "A Lloyd step never raises the distortion; at its fixed point levels are cell means and "
                 "D = E|X|^2 - E|Q|^2; f_{d,1} is log-concave, so the scalar optimum is unique.",
    .domain = "d >= 3 (log-concave; strictly for d >= 4); even numbers of levels",
    .citation = "Lloyd 1957, Max 1960, Fleischer 1964; Lee and Kim 2026, Appendix A",
    .checked = "Log-concavity at random points, an enclosure of the optimum for 2 to 64 levels, the "
               "identity and the descent of a step, in ball arithmetic.",
    .not_covered = "Odd numbers of levels, and Lloyd's iteration for vectors (no unique optimum there).",
    .series = series,
    .run = run,
};
