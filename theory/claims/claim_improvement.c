/* Claim 5. At equal rate a vector code is strictly better than the scalar product code: from the product
 * code one Lloyd step lowers the distortion strictly.
 *
 * Proof idea, L = 2h >= 4 levels, k = 2. With cells fixed, moving every word to its cell's mean lowers
 * E|X - Q|^2 by sum P_cell |mean - word|^2. Take the eight cells like A = {X_1 > a, 0 < X_2 < c}, a the
 * outermost threshold and c the first: P(A) and E[X_1; A] are one integral and one incomplete beta
 * function, the word is the scalar level, and E[X_1 | A] > level is decided in ball arithmetic over an
 * enclosure of the optimal thresholds. For every a > 0 and c it is a proof: given X_2 = y, X_1 = s Z with s =
 * sqrt(1 - y^2) and Z ~ f_{d-1,1}, and the mean over the line, a E[Z/t | Z > t] at t = a/s, falls strictly in
 * |y|, since t f(t)/P(Z > t) rises in t (Z is log-concave for d >= 4; at d = 3 it is 1/(sqrt(1-t^2) acos t));
 * E[X_1 | A] is an average over small |y|, the level one over all y. So odd L >= 3 move as well, A = {X_1 >
 * a, |X_2| < c} with the middle cell's c, and the balls give only the size. Both steps at random corners. D
 * falls by at least 4 d P(A) (E[X_1|A] - level)^2. New cells lower it further. k > 2: the mean of X_1 given
 * all k cells has a second moment at least that of its mean given two of them, so one step in R^k gains at
 * least as much a coordinate as in R^2. L = 2 (b = 1) is the exception: by symmetry of signs the mean of X_j
 * over an orthant is E|X_j|, the level, so nothing moves. Still, for k >= 3 the product code is not optimal:
 * turn the four words with x_3 > 0 by 45 degrees about the third axis. Every point keeps a word at its old
 * distance law (the source is symmetric about that axis), and near x_3 = 0 points are now closer to a word of
 * the other side. With the best common length that code has D = 1 - kappa M^2/3 (ball_averages.h), M = G
 * E|g|; G > sqrt(3)/2, the cube's, is decided. In R^k it serves three coordinates of k. Measured: one step
 * for other (k, L), odd L too; and the paper's finite recipe (M = 30 N samples), on fresh samples, which
 * fails for some (k, N), see F1. Not covered: whether any code with N = 4 beats the square at k = 2, b = 1
 * (claim 15: by 1e-4 of D at most).
 */
#include <math.h>
#include <stdio.h>

#include <gsl/gsl_integration.h>

#include "ball_averages.h"
#include "ball_formulas.h"
#include "ball_scalar.h"
#include "cell_quadrature.h"
#include "claim_balls.h"
#include "code_distortion.h"
#include "codebook_initial.h"
#include "codebook_training.h"
#include "memory.h"
#include "scalar_quantizer.h"
#include "source.h"
#include "stream_ranges.h"

typedef struct setting {
    long d, k;
    const fq_scalar_box *box, *wide;
    double height; /* of the antiprism */
    double a, c;   /* any corner {X_1 > a, |X_2| < c}; in hazard_rises two heights */
    fq_perturbation perturbation;
} setting;

enum { RECIPE_DIM = 64 };

/* |z| over the distance from the axis for which the antiprism's mean is largest, to six digits; at the cube's
 * own heights, sqrt(1/2), it is 8e-5 less. */
static const double best_height = 0.686303;

static void margin(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_margin(w, p->box, (p->perturbation.constant - 1) * p->box->high[1]);
    *right = fq_ball_integer(w, 0);
}

/* P(A) and E[X_1; A] as balls that hold them for all thresholds in the box: both fall in a, rise in c. */
static fq_ball corner_probability(fq_balls *w, const fq_scalar_box *box) {
    const size_t h = box->half;
    if (!box->certified)
        return fq_ball_double(w, (double)NAN);
    const fq_ball least = fq_ball_corner_probability(w, box->d, box->high[h - 1], box->low[1]);
    return fq_ball_union(w, least, fq_ball_corner_probability(w, box->d, box->low[h - 1], box->high[1]));
}

static fq_ball corner_moment(fq_balls *w, const fq_scalar_box *box) {
    const size_t h = box->half;
    const fq_ball least =
        fq_ball_corner_moment(w, box->d, fq_ball_double(w, box->high[h - 1]), fq_ball_double(w, box->low[1]));
    const fq_ball most =
        fq_ball_corner_moment(w, box->d, fq_ball_double(w, box->low[h - 1]), fq_ball_double(w, box->high[1]));
    return fq_ball_union(w, least, most);
}

static fq_ball mean_in_corner(fq_balls *w, const fq_scalar_box *box) {
    return fq_ball_divide(w, corner_moment(w, box), corner_probability(w, box));
}

static void corner_mean(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = mean_in_corner(w, p->box);
    *right = fq_ball_multiply(w, fq_scalar_box_level(w, p->box, p->box->half - 1),
                              fq_ball_double(w, p->perturbation.constant));
}

static void decrease(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball level = fq_scalar_box_level(w, p->box, p->box->half - 1);
    const fq_ball moved = fq_ball_subtract(w, mean_in_corner(w, p->box), level);
    const fq_ball weight = fq_ball_multiply(w, fq_ball_integer(w, 4 * p->d), corner_probability(w, p->box));
    *left = fq_ball_multiply(w, weight, fq_ball_multiply(w, moved, moved));
    *right = fq_ball_double(w, p->perturbation.constant - 1);
}

/* Only right sides are used: of numbers found by another route in doubles. */
static void corner_mean_of_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, mean_in_corner(w, p->box), fq_ball_double(w, p->perturbation.constant));
}

static void decrease_of_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    fq_ball by_step;
    decrease(w, p, &by_step, left);
    *right = fq_ball_multiply(w, by_step, fq_ball_double(w, p->perturbation.constant));
}

static void antiprism_of_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, fq_ball_antiprism_mean(w, p->height),
                              fq_ball_double(w, p->perturbation.constant));
}

/* Over a wide box off the optimum, and over a narrow one. */
static void corners_nest(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = mean_in_corner(w, p->wide);
    *right = fq_ball_multiply(w, mean_in_corner(w, p->box), fq_ball_double(w, p->perturbation.constant));
}

/* E[X_1 | X_1 > a, 0 < X_2 < c] against E[X_1 | X_1 > a], whatever a and c. */
static void any_corner(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball a = fq_ball_double(w, p->a), one = fq_ball_integer(w, 1);
    const fq_ball moment = fq_ball_corner_moment(w, p->d, a, fq_ball_double(w, p->c));
    *left = fq_ball_divide(w, moment, fq_ball_corner_probability(w, p->d, p->a, p->c));
    const fq_ball level =
        fq_ball_divide(w, fq_ball_cell_moment(w, p->d, a, one), fq_ball_cell_probability(w, p->d, a, one));
    *right = fq_ball_multiply(w, level, fq_ball_double(w, p->perturbation.constant));
}

/* E[Z/t | Z > t] for a coordinate Z of S^{d-2}: what the mean over a line at height y has over a. */
static fq_ball relative_mean(fq_balls *w, long d, double t) {
    const fq_ball height = fq_ball_double(w, t), one = fq_ball_integer(w, 1);
    const fq_ball mean = fq_ball_divide(w, fq_ball_cell_moment(w, d - 1, height, one),
                                        fq_ball_cell_probability(w, d - 1, height, one));
    return fq_ball_divide(w, mean, height);
}

/* It falls from a to c, a < c. */
static void relative_mean_falls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_multiply(w, relative_mean(w, p->d, p->c), fq_ball_double(w, p->perturbation.constant));
    *right = relative_mean(w, p->d, p->a);
}

/* Right sides for numbers by Gauss rules. */
static void any_corner_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const setting plain = {.d = p->d, .a = p->a, .c = p->c, .perturbation = {1, 0, 0}};
    fq_ball mean, level;
    any_corner(w, &plain, &mean, &level);
    *left = level;
    *right = fq_ball_multiply(w, fq_ball_divide(w, mean, level), fq_ball_double(w, p->perturbation.constant));
}

static void relative_mean_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, relative_mean(w, p->d, p->a), fq_ball_double(w, p->perturbation.constant));
}

/* b = 1: the mean over a quadrant against the level E|X_1|. */
static void quadrant(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball zero = fq_ball_integer(w, 0), one = fq_ball_integer(w, 1);
    *left = fq_ball_multiply(w, fq_ball_integer(w, 4), fq_ball_corner_moment(w, p->d, zero, one));
    const fq_ball level = fq_ball_multiply(w, fq_ball_integer(w, 2), fq_ball_cell_moment(w, p->d, zero, one));
    *right = fq_ball_multiply(w, level, fq_ball_double(w, p->perturbation.constant));
}

static void antiprism(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_antiprism_mean(w, p->height);
    const fq_ball square = fq_ball_divide(w, fq_ball_sqrt(w, fq_ball_integer(w, 3)), fq_ball_integer(w, 2));
    *right = fq_ball_multiply(w, square, fq_ball_double(w, p->perturbation.constant));
}

/* D in R^k with the antiprism for three coordinates and one bit for each of the others. */
static void one_bit_distortion(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball m = fq_ball_multiply(w, fq_ball_antiprism_mean(w, p->height), fq_ball_chi_mean(w, 3));
    const fq_ball three = fq_ball_equal_norm_distortion(w, p->d, 3, m);
    const fq_ball one = fq_ball_equal_norm_distortion(w, p->d, 1, fq_ball_chi_mean(w, 1));
    const fq_ball sum = fq_ball_add(w, fq_ball_multiply(w, fq_ball_integer(w, 3), three),
                                    fq_ball_multiply(w, fq_ball_integer(w, p->k - 3), one));
    *left = fq_ball_divide(w, sum, fq_ball_integer(w, p->k));
    *right = fq_ball_multiply(w, one, fq_ball_double(w, p->perturbation.constant));
}

static void one_bit_scalar(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball ends[2] = {fq_ball_integer(w, 0), fq_ball_integer(w, 1)};
    *left = fq_ball_equal_norm_distortion(w, p->d, 1, fq_ball_chi_mean(w, 1));
    *right = fq_ball_multiply(w, fq_ball_scalar_distortion(w, p->d, 1, ends),
                              fq_ball_double(w, p->perturbation.constant));
}

static void describe(fq_evidence *row, const char *series, long d, long k, size_t codewords) {
    fq_evidence_init(row, series, "d=%ld k=%ld N=%zu", d, k, codewords);
    row->dim = (double)d;
    row->block = (double)k;
    row->codewords = (double)codewords;
    row->rate = log2((double)codewords) / (double)k;
}

static void describe_height(fq_evidence *row, const char *series, double height) {
    fq_evidence_init(row, series, "k=3 N=8 height=%.6f", height);
    row->block = 3;
    row->codewords = 8;
    row->rate = 1;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p, size_t codewords) {
    fq_evidence row;
    if (sides == antiprism)
        describe_height(&row, series, p.height);
    else
        describe(&row, series, p.d, p.k, codewords);
    row.least = sides == margin ? -HUGE_VAL : 0; /* probabilities, means of cosines and distortions */
    row.most = 1;
    row.relation = relation;
    row.tolerance = 1e-10;
    row.seed = context->seed;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

enum { NODES = 64 };

/* Mean of X_1 over A = {X_1 > a, 0 < X_2 < c} by a product of Gauss-Legendre rules, and what D loses when the
 * words (level, other) of the eight cells like A move along X_1 to it: 8 (d/2) [E (X_1 - level)^2 - E (X_1 -
 * mean)^2; A]. */
static double corner_by_quadrature(double *decreased, long d, double a, double c, double level) {
    double mass = 0, moment = 0, x_of[NODES * NODES], f_of[NODES * NODES];
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(NODES);
    for (size_t i = 0; table && i < NODES; i++) {
        double y, wy;
        gsl_integration_glfixed_point(0, c, i, &y, &wy, table);
        const double top = sqrt(1 - y * y);
        for (size_t j = 0; j < NODES; j++) {
            double t, wt; /* x = top sin t removes the root at the end */
            gsl_integration_glfixed_point(asin(a / top), M_PI_2, j, &t, &wt, table);
            const double x = top * sin(t);
            const double f =
                wy * wt * top * cos(t) * exp(0.5 * (double)(d - 4) * log(fmax(1 - x * x - y * y, 1e-300)));
            mass += f;
            moment += f * x;
            x_of[i * NODES + j] = x;
            f_of[i * NODES + j] = f;
        }
    }
    gsl_integration_glfixed_table_free(table);
    if (!table)
        return *decreased = (double)NAN;
    double gain = 0;
    for (size_t i = 0; i < NODES * NODES; i++)
        gain += f_of[i] * (pow(x_of[i] - level, 2) - pow(x_of[i] - moment / mass, 2));
    /* f_{d,2} = (d-2)/(2 pi) (1 - r^2)^{(d-4)/2}. */
    *decreased = 8 * (double)d / 2 * (double)(d - 2) / (2 * M_PI) * gain;
    return moment / mass;
}

/* E max_i <U, v_i> for the antiprism's words, over the eighth 0 < phi < pi/4 of the sphere (the rest are its
 * images): for each phi a Gauss rule in the angle from the axis on either side of where the nearest word
 * changes faces. */
static double antiprism_by_quadrature(double height) {
    const double flat = 1 / sqrt(1 + height * height), high = height * flat;
    double word[8][3], sum = 0, mass = 0;
    for (int i = 0; i < 8; i++) {
        const double turn = M_PI / 2 * (i % 4) + (i < 4 ? 0 : M_PI / 4);
        word[i][0] = flat * cos(turn);
        word[i][1] = flat * sin(turn);
        word[i][2] = i < 4 ? high : -high;
    }
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(NODES);
    for (size_t i = 0; table && i < NODES; i++) {
        double phi, weight, ends[3] = {0, 0, M_PI};
        gsl_integration_glfixed_point(0, M_PI / 4, i, &phi, &weight, table);
        double low = 0, up = M_PI; /* the upper face's best word wins below the angle that this halves to */
        for (int step = 0; step < 60; step++) {
            const double at = 0.5 * (low + up);
            double best[2] = {-1, -1};
            for (int v = 0; v < 8; v++)
                best[v / 4] = fmax(best[v / 4], sin(at) * (cos(phi) * word[v][0] + sin(phi) * word[v][1]) +
                                                    cos(at) * word[v][2]);
            *(best[0] > best[1] ? &low : &up) = at;
        }
        ends[1] = low;
        for (int side = 0; side < 2; side++)
            for (size_t j = 0; j < NODES; j++) {
                double at, wa, best = -1;
                gsl_integration_glfixed_point(ends[side], ends[side + 1], j, &at, &wa, table);
                for (int v = 0; v < 8; v++)
                    best = fmax(best, sin(at) * (cos(phi) * word[v][0] + sin(phi) * word[v][1]) +
                                          cos(at) * word[v][2]);
                sum += weight * wa * sin(at) * best;
                mass += weight * wa * sin(at);
            }
    }
    gsl_integration_glfixed_table_free(table);
    return table ? sum / mass : (double)NAN;
}

/* The corner's mean and the step's decrease by other routes, between the thresholds that a box encloses: by
 * quadrature, by samples, and over a wide box off the optimum. */
static fq_status emit_agreement(fq_claim_context *context, const fq_scalar_box *box, uint64_t samples) {
    const size_t h = box->half, codewords = 4 * h * h;
    const double a = box->low[h - 1], c = box->low[1];
    const setting p = {.d = box->d, .k = 2, .box = box, .perturbation = context->perturbation};
    fq_scalar_quantizer quantizer = {0};
    FQ_TRY(fq_scalar_quantizer_init(&quantizer, (size_t)box->d, 2 * h));
    const double level = quantizer.level[2 * h - 1];
    fq_scalar_quantizer_clear(&quantizer);
    double decreased;
    const double numeric = corner_by_quadrature(&decreased, box->d, a, c, level);
    fq_evidence row;
    describe(&row, "corner_mean_by_quadrature", box->d, 2, codewords);
    row.tolerance = 1e-6;
    FQ_TRY(fq_ball_emit_value(context, &row, corner_mean_of_balls, &p, numeric, 1e-12 * numeric));
    describe(&row, "step_decrease_by_quadrature", box->d, 2, codewords);
    /* The level is good to 1e-12, and the decrease the square of its distance from the mean. */
    FQ_TRY(fq_ball_emit_value(context, &row, decrease_of_balls, &p, decreased,
                              1e-9 * decreased + 1e-12 * sqrt(decreased)));
    for (int side = -1; side <= 1; side += 2) {
        fq_scalar_box wide;
        FQ_TRY(fq_scalar_box_init_wide(&wide, (size_t)box->d, h, 2e-5, 0.95 * side));
        setting both = p;
        both.wide = &wide;
        describe(&row, "corner_enclosures_nest", box->d, 2, codewords);
        row.least = 0;
        row.most = 1;
        row.relation = FQ_RELATION_EQUAL;
        row.tolerance = 0.1;
        FQ_TRY(fq_ball_emit(context, &row, corners_nest, &both));
    }
    fq_source source;
    FQ_TRY(fq_source_init(&source, (size_t)box->d, 2));
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_CORNERS, (uint64_t)(box->d * 64) + h);
    double n = 0, sum = 0, squares = 0;
    for (uint64_t i = 0; i < samples; i++) {
        double x[2];
        fq_source_draw(&source, &stream, x);
        for (int j = 0; j < 2; j++) /* at most one of the two can be in A or its mirror images */
            if (fabs(x[j]) > a && fabs(x[1 - j]) < c) {
                n++;
                sum += fabs(x[j]);
                squares += x[j] * x[j];
            }
    }
    const double variance = squares / n - (sum / n) * (sum / n);
    describe(&row, "corner_mean_by_samples", box->d, 2, codewords);
    row.relation = FQ_RELATION_EQUAL;
    fq_evidence_measured(&row, context, sum / n, sqrt(variance / n), (uint64_t)n);
    /* |X_1| beyond a is skew. Log-concave, so that E (X_1 - a)^m <= m! e^m, e the mean excess: Bernstein. */
    fq_evidence_widen(&row, (numeric - a) * (FQ_LOG_FALSE_ALARM / n + 2 * sqrt(FQ_LOG_FALSE_ALARM / n)));
    row.right = numeric;
    row.right_error = 1e-12 * numeric;
    return fq_claim_emit(context, &row);
}

static void describe_corner(fq_evidence *row, const fq_claim_context *context, const char *series,
                            const setting *p) {
    fq_evidence_init(row, series, "d=%ld a=%.6f c=%.6f", p->d, p->a, p->c);
    row->dim = (double)p->d;
    row->block = 2;
    row->least = 0;
    row->seed = context->seed;
}

static fq_status emit_corner(fq_claim_context *context, const char *series, fq_ball_sides sides,
                             fq_relation relation, setting p) {
    fq_evidence row;
    describe_corner(&row, context, series, &p);
    row.relation = relation;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

/* A measured gain against zero. */
static fq_status emit_gain(fq_claim_context *context, const char *series, size_t d, size_t k,
                           size_t codewords, const fq_code_distortion *gain, const char *finding,
                           bool sometimes) {
    fq_evidence row;
    describe(&row, series, (long)d, (long)k, codewords);
    fq_evidence_measured(&row, context, gain->distortion, gain->se, gain->samples);
    row.relation = FQ_RELATION_GREATER;
    row.right = row.right_error = 0;
    snprintf(row.finding, sizeof row.finding, "%s", finding);
    row.sometimes = sometimes;
    return fq_claim_emit(context, &row);
}

static fq_status run_certified(fq_claim_context *context) {
    static const size_t dims[] = {8, 16, 32, 64, 80, 96, 128, 256, 512, 1024};
    enum { DIMS = sizeof dims / sizeof dims[0], RANDOM = 6 };
    const size_t random = context->quick ? 2 : RANDOM, step = context->quick ? 3 : 1;
    const size_t most = (size_t)fq_ball_reach(context->quick ? 8 : 32, 4);
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_IMPROVEMENT, 0);
    for (size_t i = 0; i < DIMS + random; i += i < DIMS ? step : 1) {
        const size_t d = i < DIMS ? dims[i] : 6 + (size_t)fq_stream_below(&stream, 1000);
        const setting one = {.d = (long)d, .k = 2};
        FQ_TRY(emit(context, "one_bit_fixed_point", quadrant, FQ_RELATION_EQUAL, one, 4));
        FQ_TRY(emit(context, "one_bit_scalar", one_bit_scalar, FQ_RELATION_EQUAL, one, 4));
        for (long k = 3; k <= 32 && (size_t)k < d; k += k < 8 ? 1 : 8)
            FQ_TRY(emit(context, "one_bit_not_optimal", one_bit_distortion, FQ_RELATION_LESS,
                        (setting){.d = (long)d, .k = k, .height = best_height}, (size_t)1 << k));
        for (size_t half = 2; half <= most; half *= 2) {
            fq_scalar_box box;
            FQ_TRY(fq_scalar_box_init(&box, d, half));
            const setting p = {.d = (long)d, .k = 2, .box = &box};
            const size_t codewords = 4 * half * half;
            FQ_TRY(emit(context, "thresholds_enclosed", margin, FQ_RELATION_GREATER, p, codewords));
            FQ_TRY(emit(context, "corner_mean", corner_mean, FQ_RELATION_GREATER, p, codewords));
            FQ_TRY(emit(context, "step_decrease", decrease, FQ_RELATION_GREATER, p, codewords));
            if (half <= 8 && (d == 64 || i >= DIMS))
                FQ_TRY(emit_agreement(context, &box, context->quick ? 100000 : 500000));
        }
    }
    const double heights[] = {best_height, M_SQRT1_2, best_height - 0.04, best_height + 0.04,
                              best_height - 0.08};
    for (size_t i = 0; i < sizeof heights / sizeof heights[0]; i++) {
        const setting p = {.d = 0, .k = 3, .height = heights[i], .perturbation = context->perturbation};
        fq_evidence row;
        FQ_TRY(emit(context, "antiprism_mean", antiprism, FQ_RELATION_GREATER, p, 8));
        describe_height(&row, "antiprism_by_quadrature", heights[i]);
        FQ_TRY(fq_ball_emit_value(context, &row, antiprism_of_balls, &p, antiprism_by_quadrature(heights[i]),
                                  1e-12));
    }
    return FQ_OK;
}

/* The antiprism in three coordinates and signs in the others, with words of the best length, on samples of
 * the source. */
static fq_status run_one_bit_samples(fq_claim_context *context, long d, long k) {
    const size_t codewords = (size_t)1 << k;
    const double flat = 1 / sqrt(1 + best_height * best_height), high = best_height * flat;
    /* E|X| of j coordinates is Gamma((j+1)/2) Gamma(d/2) / (Gamma(j/2) Gamma((d+1)/2)). */
    const double scale = exp(lgamma((double)d / 2) - lgamma((double)(d + 1) / 2));
    const double sign = scale / sqrt(M_PI),
                 length = antiprism_by_quadrature(best_height) * scale * 2 / sqrt(M_PI);
    const setting p = {.d = d, .k = k, .height = best_height, .perturbation = {1, 0, 0}};
    fq_code_distortion measured;
    fq_evidence row, exact;
    float *words;
    FQ_TRY(fq_alloc(&words, codewords * (size_t)k, sizeof *words));
    for (size_t i = 0; i < codewords; i++) {
        float *const word = words + i * (size_t)k;
        const double turn = M_PI / 2 * (double)(i % 4) + (i & 4 ? M_PI / 4 : 0);
        word[0] = (float)(length * flat * cos(turn));
        word[1] = (float)(length * flat * sin(turn));
        word[2] = (float)(length * (i & 4 ? -high : high));
        for (long j = 3; j < k; j++)
            word[j] = (float)(i >> j & 1 ? -sign : sign);
    }
    fq_status status = fq_code_distortion_of_words(&measured, (size_t)d, (size_t)k, codewords, words,
                                                   context->seed, context->quick ? 200000 : 1000000);
    fq_free(words);
    FQ_TRY(status);
    describe(&exact, "one_bit_by_samples", d, k, codewords);
    FQ_TRY(fq_ball_decide(&exact, one_bit_distortion, &p, context->precision_cap));
    describe(&row, "one_bit_by_samples", d, k, codewords);
    fq_evidence_measured(&row, context, measured.distortion, measured.se, measured.samples);
    row.relation = FQ_RELATION_EQUAL;
    row.right = exact.left * context->perturbation.constant;
    row.right_error = exact.left_error;
    return fq_claim_emit(context, &row);
}

/* The steps of the proof for any number of levels, at random corners. */
static fq_status run_corners(fq_claim_context *context) {
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_ANY_CORNER, 0);
    for (int i = 0; i < (context->quick ? 8 : 60); i++) {
        const long d = 4 + (long)fq_stream_below(&stream, 500);
        const double reach = fmin(0.6, 3 / sqrt((double)d));
        setting p = {.d = d, .k = 2};
        p.a = reach * (0.02 + fq_stream_uniform(&stream));
        p.c = reach * (0.02 + 0.98 * fq_stream_uniform(&stream));
        FQ_TRY(emit_corner(context, "any_corner_mean", any_corner, FQ_RELATION_GREATER, p));
        double decreased;
        const double mean = corner_by_quadrature(&decreased, d, p.a, p.c, 0);
        const double level = fq_mean_beyond_by_quadrature((size_t)d, p.a);
        const double relative = fq_mean_beyond_by_quadrature((size_t)d - 1, p.a) / p.a;
        fq_evidence row;
        describe_corner(&row, context, "any_corner_by_quadrature", &p);
        p.perturbation = context->perturbation;
        FQ_TRY(fq_ball_emit_value(context, &row, any_corner_in_balls, &p, mean / level, 1e-9));
        describe_corner(&row, context, "relative_mean_by_quadrature", &p);
        FQ_TRY(fq_ball_emit_value(context, &row, relative_mean_in_balls, &p, relative, 1e-12 * relative));
        p.c = p.a + (0.9 - p.a) * (0.01 + 0.99 * fq_stream_uniform(&stream));
        FQ_TRY(emit_corner(context, "relative_mean_falls", relative_mean_falls, FQ_RELATION_LESS, p));
    }
    return FQ_OK;
}

static fq_status run_step(fq_claim_context *context, size_t d, size_t k, size_t levels, uint64_t samples) {
    size_t codewords = 1;
    for (size_t j = 0; j < k; j++)
        codewords *= levels;
    fq_source source;
    float *before = NULL, *after = NULL;
    fq_code_distortion measured;
    fq_evidence row;
    fq_status status;
    FQ_TRY_GOTO(status, fq_source_init(&source, d, k), done);
    FQ_TRY_GOTO(status, fq_alloc(&before, codewords * k, sizeof *before), done);
    FQ_TRY_GOTO(status, fq_alloc(&after, codewords * k, sizeof *after), done);
    FQ_TRY_GOTO(status, fq_product_words(before, &source, codewords), done);
    FQ_TRY_GOTO(status, fq_code_step(after, d, k, codewords, context->seed, 2 * samples), done);
    FQ_TRY_GOTO(status,
                fq_code_distortion_of_words(&measured, d, k, codewords, before, context->seed, samples),
                done);
    describe(&row, "product_code", (long)d, (long)k, codewords);
    fq_evidence_measured(&row, context, measured.distortion, measured.se, measured.samples);
    row.relation = FQ_RELATION_EQUAL;
    FQ_TRY_GOTO(status, fq_scalar_code_distortion(&row.right, d, levels), done);
    row.right_error = 1e-7; /* words are kept in float32 */
    FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
    FQ_TRY_GOTO(status,
                fq_code_gain_of_words(&measured, d, k, codewords, before, after, context->seed, samples),
                done);
    status = emit_gain(context, "one_step", d, k, codewords, &measured, "", false);
done:
    fq_free(before);
    fq_free(after);
    return status;
}

static fq_status run_steps(fq_claim_context *context) {
    static const struct {
        size_t d, k, levels;
    } codes[] = {{16, 2, 4}, {16, 2, 3}, {64, 2, 4}, {64, 3, 4},
                 {16, 4, 3}, {16, 2, 8}, {32, 3, 3}, {64, 4, 4}};
    const size_t count = context->quick ? 2 : sizeof codes / sizeof codes[0];
    for (size_t i = 0; i < count; i++)
        FQ_TRY(run_step(context, codes[i].d, codes[i].k, codes[i].levels, context->quick ? 300000 : 1000000));
    return FQ_OK;
}

/* Gains of the paper's recipe over the product code and over its own start, for one seed. */
static fq_status recipe_gains(fq_code_distortion gain[2], size_t k, size_t codewords, uint64_t seed,
                              uint64_t samples) {
    static const fq_recipe recipes[] = {FQ_RECIPE_PAPER, FQ_RECIPE_PRODUCT, FQ_RECIPE_INITIAL};
    fq_codebook codebooks[3];
    fq_status status = FQ_OK;
    for (int i = 0; i < 3; i++)
        fq_codebook_init(&codebooks[i]);
    for (int i = 0; i < 3 && status == FQ_OK; i++) {
        const fq_train_options options = {
            .dim = RECIPE_DIM, .block = k, .codewords = codewords, .recipe = recipes[i], .seed = seed};
        status = fq_codebook_train(&codebooks[i], &options);
    }
    for (int i = 0; i < 2 && status == FQ_OK; i++)
        status = fq_code_gain_of_words(&gain[i], RECIPE_DIM, k, codewords, codebooks[i + 1].words,
                                       codebooks[0].words, seed, samples);
    for (int i = 0; i < 3; i++)
        fq_codebook_clear(&codebooks[i]);
    return status;
}

/* The outcome of training on so few samples varies: the worst of several seeds is what is judged. */
static fq_status run_recipes(fq_claim_context *context) {
    static const struct {
        size_t k, codewords;
        const char *finding[2]; /* over the product code, over the start */
        bool sometimes;         /* for some seeds */
    } codes[] = {{2, 4, {"F1", ""}, false}, {2, 256, {"", "F1"}, false}, {4, 16, {"F1", ""}, true},
                 {2, 16, {"F1", ""}, true}, {2, 64, {"", "F1"}, true},   {3, 8, {"F1", ""}, false},
                 {3, 64, {"", ""}, false},  {3, 512, {"", ""}, false},   {4, 256, {"", ""}, false},
                 {6, 64, {"", ""}, false},  {8, 256, {"", ""}, false},   {2, 1024, {"", "F1"}, false}};
    static const char *const series[2] = {"paper_recipe_over_product", "paper_recipe_over_start"};
    const size_t count = context->quick ? 2 : sizeof codes / sizeof codes[0];
    for (size_t i = 0; i < count; i++) {
        fq_code_distortion worst[2] = {{.distortion = HUGE_VAL}, {.distortion = HUGE_VAL}};
        for (uint64_t s = 0; s < (context->quick ? 1 : 3); s++) {
            fq_code_distortion gain[2];
            FQ_TRY(recipe_gains(gain, codes[i].k, codes[i].codewords, context->seed + s,
                                context->quick             ? 100000
                                : codes[i].codewords <= 64 ? 3000000
                                                           : 300000));
            for (int j = 0; j < 2; j++)
                if (gain[j].distortion < worst[j].distortion)
                    worst[j] = gain[j];
        }
        for (int j = 0; j < 2; j++)
            FQ_TRY(emit_gain(context, series[j], RECIPE_DIM, codes[i].k, codes[i].codewords, &worst[j],
                             codes[i].finding[j], codes[i].sometimes));
    }
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    FQ_TRY(run_certified(context));
    FQ_TRY(run_corners(context));
    FQ_TRY(run_one_bit_samples(context, 16, 3));
    FQ_TRY(run_one_bit_samples(context, 64, 5));
    FQ_TRY(run_steps(context));
    return run_recipes(context);
}

static const fq_series series[] = {
    {"one_bit_fixed_point", FQ_PART_STATEMENT,
     "E[X_1 | X_1 > 0, X_2 > 0] = E[X_1 | X_1 > 0]: at one bit a Lloyd step moves nothing"},
    {"one_bit_scalar", FQ_PART_CHECK, "D of the scalar code at one bit by kappa_d = by its cells"},
    {"one_bit_not_optimal", FQ_PART_STATEMENT,
     "D of a code with an antiprism in three coordinates, below that of the product code at one bit"},
    {"one_bit_by_samples", FQ_PART_CHECK,
     "D of the code with an antiprism in three coordinates by samples = in balls"},
    {"thresholds_enclosed", FQ_PART_STATEMENT,
     "least margin by which the optimal thresholds are enclosed, above 0"},
    {"corner_mean", FQ_PART_STATEMENT,
     "E[X_1 | X_1 > a, 0 < X_2 < c], a the outermost and c the innermost threshold, above the outermost "
     "level"},
    {"step_decrease", FQ_PART_STATEMENT,
     "what one Lloyd step takes off D at the eight corner cells, above 0"},
    {"corner_mean_by_quadrature", FQ_PART_CHECK, "corner mean by a product of Gauss rules = in balls"},
    {"corner_mean_by_samples", FQ_PART_CHECK, "corner mean by samples = in balls"},
    {"step_decrease_by_quadrature", FQ_PART_CHECK,
     "decrease of D summed over the eight corner cells by a product of Gauss rules = in balls"},
    {"corner_enclosures_nest", FQ_PART_CHECK,
     "corner mean over a wide box of thresholds = over a narrow one off its centre"},
    {"any_corner_mean", FQ_PART_STATEMENT,
     "E[X_1 | X_1 > a, 0 < X_2 < c] at random a and c, above E[X_1 | X_1 > a]"},
    {"relative_mean_falls", FQ_PART_STATEMENT,
     "E[Z/t | Z > t] of a coordinate of S^{d-2}, below that at a smaller t"},
    {"any_corner_by_quadrature", FQ_PART_CHECK,
     "corner mean over the level at random a and c by Gauss rules = in balls"},
    {"relative_mean_by_quadrature", FQ_PART_CHECK, "E[Z/t | Z > t] by Gauss rules = in balls"},
    {"antiprism_mean", FQ_PART_STATEMENT,
     "E max <U, v_i> of the square antiprism, above sqrt(3)/2 of the cube"},
    {"antiprism_by_quadrature", FQ_PART_CHECK,
     "the antiprism's mean by Gauss rules over its words = in balls"},
    {"product_code", FQ_PART_CHECK, "D of the product code by samples = by quadrature"},
    {"one_step", FQ_PART_PRACTICE,
     "D before less after one sampled Lloyd step from the product code, above 0"},
    {"paper_recipe_over_product", FQ_PART_PRACTICE,
     "D of the product code less that of the paper's recipe, worst of the seeds, above 0"},
    {"paper_recipe_over_start", FQ_PART_PRACTICE,
     "D of the recipe's closed-form start less that of what it ends with, worst of the seeds, above 0"},
    {0},
};

const fq_claim fq_claim_improvement = {
    .number = 5,
    .id = "improvement",
    .title = "Strict improvement over the scalar product code",
    .statement = "From the product code of L >= 3 levels a coordinate one Lloyd step strictly lowers the "
                 "distortion; at L = 2 (one bit) the product code is a fixed point, yet for k >= 3 not "
                 "optimal.",
    .domain = "k >= 2, d >= 3, L >= 3 by proof; enclosures for even L, d >= 4",
    .citation = "Lee and Kim 2026, section 4 and Appendix A",
    .checked = "The step's decrease for 4 to 64 levels and the better code at one bit in ball arithmetic; "
               "one step and the paper's recipe of 30 N training samples measured on fresh samples.",
    .not_covered = "Whether any four words beat the square at k = 2, b = 1: claim 15 leaves 1e-4 of its "
                   "distortion at most.",
    .series = series,
    .run = run,
};
