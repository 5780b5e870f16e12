/* Claim 1. Whatever unit vector is rotated, a block of k coordinates of it has density f_{d,k}:
 * normalised; R^2 = |X|^2 ~ Beta(k/2, (d-k)/2) with mean k/d and variance 2k(d-k)/(d^2(d+2)); X/R uniform and
 * independent of R.
 *
 * Check: norm and moments of the density by rigorous quadrature. The law by Monte Carlo over independent Haar
 * rotations of fixed vectors: one-hot, constant, sparse, and keys of a cache if one is given: mean and
 * variance of R^2, Kolmogorov's distance of R^2 to its law (bound sqrt(ln(2e9)/(2n)) by Dvoretzky, Kiefer,
 * Wolfowitz and Massart: false alarm 1e-9, whatever the law; it judges the variance as well, whose mean is
 * too skew to say more), mean and second moment of a coordinate of the direction, its covariance with R^2.
 * All are skew, so that a mean over its standard error is no normal number at 1e-9: means are judged by
 * Chernoff's bound for the stated law itself. Randomised Hadamard: one round (signs, transform) maps a
 * coordinate vector to entries
 * +-1/sqrt(d), so every block has R^2 = k/d. After two rounds of independent signs
 * R^2 of a coordinate vector and of (0.8, ..., -0.6, ...) has a finite law, found exactly (hadamard_law.h):
 * (1) core's rotation draws from it (distance below the same bound); (2) its Kolmogorov distance to the Beta
 * law is positive, see F10, and lies between 2/d and 4/d for coordinate vectors. One entry is a sum of d
 * signs, its distance to f_{d,1} half the largest atom, about 1/sqrt(2 pi d): E y^4 = (3 - 2/d)/d^2 where the
 * sphere has 3/(d(d+2)). Constant vectors and keys are held to the Beta law itself; only constant ones at d =
 * 16 are expected to fail. Not covered: joint laws of several blocks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_integration.h>

#include "ball_formulas.h"
#include "cell_quadrature.h"
#include "claim_balls.h"
#include "hadamard.h"
#include "hadamard_law.h"
#include "memory.h"
#include "metrics.h"
#include "rotation.h"
#include "source.h"
#include "stream_ranges.h"

typedef struct setting {
    long d, k;
    fq_perturbation perturbation;
} setting;

/* S_k C integral_0^1 r^{k-1+power} (1-r^2)^m dr. */
static fq_ball radial_moment(fq_balls *w, const setting *p, long power) {
    const fq_ball m =
        fq_ball_add(w, fq_ball_ratio(w, p->d - p->k - 2, 2), fq_ball_double(w, p->perturbation.exponent));
    const fq_ball log_scale =
        fq_ball_add(w, fq_ball_log_constant(w, p->d, p->k), fq_ball_log_sphere_area(w, p->k));
    return fq_ball_multiply(w, fq_ball_exp(w, log_scale), fq_ball_radial_integral(w, p->k - 1 + power, m, 0));
}

static void normalised(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = radial_moment(w, p, 0);
    *right = fq_ball_double(w, p->perturbation.constant);
}

static void mean(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = radial_moment(w, p, 2);
    *right = fq_ball_multiply(w, fq_ball_ratio(w, p->k, p->d), fq_ball_double(w, p->perturbation.constant));
}

static void variance(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball first = radial_moment(w, p, 2);
    *left = fq_ball_subtract(w, radial_moment(w, p, 4), fq_ball_multiply(w, first, first));
    *right = fq_ball_multiply(w, fq_ball_ratio(w, 2 * p->k * (p->d - p->k), p->d * p->d * (p->d + 2)),
                              fq_ball_double(w, p->perturbation.constant));
}

/* Cov(X_1^2, X_2^2): E (X_1^2 + X_2^2)^2 is the fourth radial moment at k = 2, E X_1^4 that at k = 1. */
static void covariance(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const setting one = {p->d, 1, p->perturbation}, two = {p->d, 2, p->perturbation};
    const fq_ball fourth = radial_moment(w, &one, 4), second = radial_moment(w, &one, 2);
    const fq_ball mixed =
        fq_ball_subtract(w, fq_ball_divide(w, radial_moment(w, &two, 4), fq_ball_integer(w, 2)), fourth);
    *left = fq_ball_subtract(w, mixed, fq_ball_multiply(w, second, second));
    *right = fq_ball_multiply(w, fq_ball_ratio(w, -2, p->d * p->d * (p->d + 2)),
                              fq_ball_double(w, p->perturbation.constant));
}

/* d^2 E y^4 of a coordinate, 3 d/(d+2), against 3 of a normal number of the same variance. */
static void fourth_moment(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_multiply(w, fq_ball_integer(w, p->d * p->d), radial_moment(w, p, 4));
    *right = fq_ball_multiply(w, fq_ball_integer(w, 3), fq_ball_double(w, p->perturbation.constant));
}

static fq_status emit_moment(fq_claim_context *context, const char *series, fq_ball_sides sides,
                             fq_relation relation, long d, long k) {
    fq_evidence row;
    fq_evidence_init(&row, series, "d=%ld k=%ld", d, k);
    row.dim = (double)d;
    row.block = (double)k;
    row.relation = relation;
    row.tolerance = 1e-10;
    row.least = sides == covariance ? -1 : 0;
    row.most = sides == covariance ? 0 : HUGE_VAL;
    return fq_ball_emit(context, &row, sides, &(setting){d, k, context->perturbation});
}

/* P(|y| > t / sqrt(d)) for a coordinate y of a rotated unit vector, against a normal number's. */
static fq_status tails(fq_claim_context *context, long d) {
    for (int t = 2; t <= 6; t++) {
        fq_evidence row;
        fq_evidence_init(&row, "haar_tail_below_normal", "d=%ld k=1 t=%d", d, t);
        row.dim = (double)d;
        row.block = 1;
        row.relation = FQ_RELATION_LESS;
        row.left = 2 * fq_cell_by_quadrature((size_t)d, t / sqrt((double)d), 1).probability;
        row.left_error = 1e-11 * row.left;
        row.right = erfc(t * M_SQRT1_2) * context->perturbation.constant;
        row.right_error = 1e-14 * row.right;
        row.least = 0;
        row.most = 1;
        FQ_TRY(fq_claim_emit(context, &row));
    }
    return FQ_OK;
}

static fq_status moments(fq_claim_context *context) {
    static const long dims[] = {8, 64, 80, 128, 1024};
    static const struct {
        const char *series;
        fq_ball_sides sides;
    } checks[] = {
        {"normalisation", normalised}, {"mean_squared_radius", mean}, {"variance_squared_radius", variance}};
    for (size_t i = 0; i < 5; i++) {
        FQ_TRY(emit_moment(context, "covariance_of_squares", covariance, FQ_RELATION_EQUAL, dims[i], 2));
        FQ_TRY(emit_moment(context, "haar_fourth_moment_below_normal", fourth_moment, FQ_RELATION_LESS,
                           dims[i], 1));
        if (dims[i] >= 64)
            FQ_TRY(tails(context, dims[i]));
    }
    for (size_t i = 0; i < 5; i += context->quick ? 2 : 1)
        for (long k = 1; k <= 32 && k < dims[i]; k *= 2)
            for (size_t j = 0; j < 3; j++) {
                fq_evidence row;
                fq_evidence_init(&row, checks[j].series, "d=%ld k=%ld", dims[i], k);
                row.dim = (double)dims[i];
                row.block = (double)k;
                row.relation = FQ_RELATION_EQUAL;
                row.least = 0;
                row.most = checks[j].sides == normalised ? 2 : 1;
                row.tolerance = 1e-10;
                FQ_TRY(fq_ball_emit(context, &row, checks[j].sides,
                                    &(setting){dims[i], k, context->perturbation}));
            }
    return FQ_OK;
}

/* Sampling --------------------------------------------------------------------------------------------- */

/* Rotations by which a distance of 0.0155 is seen, which is what F10's sparse vector has at d = 64, whatever
 * the samples: the bound of the empirical distribution is half of it. Vectors of unknown law are judged by
 * fewer. */
enum { HADAMARD_SAMPLES = 180000, HADAMARD_OTHERS = 45000 };

enum { VECTORS_MAX = 7, FIXED = 3, BLOCK = FQ_HADAMARD_BLOCK, ONE_HOT = 0, CONSTANT = 1, SPARSE = 2 };

/* The vectors to be rotated: x[count][d], unit length. */
typedef struct vectors {
    size_t d, count;
    char names[VECTORS_MAX][40];
    float *x;
} vectors;

static fq_status make_vectors(vectors *v, const fq_claim_context *context, size_t d) {
    static const char *const names[FIXED] = {"one-hot", "constant", "sparse"};
    *v = (vectors){.d = d, .count = FIXED};
    FQ_TRY(fq_alloc_zero(&v->x, VECTORS_MAX * d, sizeof *v->x));
    for (size_t i = 0; i < FIXED; i++)
        snprintf(v->names[i], sizeof v->names[i], "%s", names[i]);
    v->x[1] = 1;
    for (size_t i = 0; i < d; i++)
        v->x[d + i] = (float)(1 / sqrt((double)d));
    v->x[2 * d] = 0.8F;
    v->x[2 * d + d / 2] = -0.6F;
    const size_t heads = context->data.head_count;
    for (size_t i = 0; i < heads && v->count < VECTORS_MAX; i += heads / 4 + 1) {
        const fq_claim_head *const h = &context->data.heads[i];
        const float *const key = h->key + h->tokens / 2 * d;
        double square = 0;
        for (size_t j = 0; j < d; j++)
            square += (double)key[j] * (double)key[j];
        if (h->dim != d || square == 0)
            continue;
        for (size_t j = 0; j < d; j++)
            v->x[v->count * d + j] = (float)((double)key[j] / sqrt(square));
        snprintf(v->names[v->count++], sizeof v->names[0], "key of %.30s", h->name);
    }
    return FQ_OK;
}

typedef enum statistic {
    SQUARED_RADIUS,
    SQUARED_DEVIATION,
    DIRECTION,
    DIRECTION_SQUARED,
    COVARIANCE,
    STATISTICS
} statistic;

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov's distance of sorted squared radii to their law. */
static double distance(const fq_source *source, const double *sorted, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        const double p = fq_source_radial_cdf(source, sqrt(fmin(sorted[i], 1)));
        most = fmax(most, fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return most;
}

static void init_row(fq_evidence *row, const fq_claim_context *context, const char *series, size_t d,
                     size_t k, const char *name, size_t n) {
    fq_evidence_init(row, series, "d=%zu k=%zu %s", d, k, name);
    row->dim = (double)d;
    row->block = (double)k;
    row->verdict = FQ_VERDICT_MEASURED;
    row->samples = n;
    row->seed = context->seed;
}

static fq_status emit_distance(fq_claim_context *context, const char *series, const fq_source *source,
                               const char *name, const double *sorted, size_t n, const char *finding) {
    fq_evidence row;
    init_row(&row, context, series, source->dim, source->block, name, n);
    row.left = distance(source, sorted, n);
    row.left_error = 0;
    row.right = sqrt(log(2e9) / (2 * (double)n));
    row.right_error = 0;
    row.relation = strcmp(series, "hadamard_seen_from_haar") == 0 ? FQ_RELATION_GREATER : FQ_RELATION_LESS;
    snprintf(row.finding, sizeof row.finding, "%s", finding);
    return fq_claim_emit(context, &row);
}

/* The stated law of (R^2, u), u a coordinate of the direction: Gauss rules in R = sin s and u = sin t, whose
 * densities are cos^{d-k-1} s sin^{k-1} s and cos^{k-2} t. */
enum { NODES = 48 };
typedef struct stated_law {
    double squared_radius[NODES], u[NODES];
    double radius_weight[NODES], u_weight[NODES]; /* each sums to 1 */
} stated_law;

static fq_status stated_law_init(stated_law *law, size_t d, size_t k) {
    double radius_sum = 0, u_sum = 0;
    gsl_integration_glfixed_table *const table = gsl_integration_glfixed_table_alloc(NODES);
    if (!table)
        return FQ_FAIL(FQ_ERR_MEMORY, "quadrature", "enough memory");
    for (size_t i = 0; i < NODES; i++) {
        double s, t, ws, wt;
        gsl_integration_glfixed_point(0, M_PI_2, i, &s, &ws, table);
        gsl_integration_glfixed_point(-M_PI_2, M_PI_2, i, &t, &wt, table);
        law->squared_radius[i] = sin(s) * sin(s);
        law->u[i] = sin(t);
        law->radius_weight[i] = ws * pow(cos(s), (double)(d - k) - 1) * pow(sin(s), (double)k - 1);
        law->u_weight[i] = wt * pow(cos(t), (double)k - 2);
        radius_sum += law->radius_weight[i];
        u_sum += law->u_weight[i];
    }
    gsl_integration_glfixed_table_free(table);
    for (size_t i = 0; i < NODES; i++) {
        law->radius_weight[i] /= radius_sum;
        law->u_weight[i] /= u_sum;
    }
    return FQ_OK;
}

/* A statistic of one vector less its mean. */
static double centred(const fq_source *source, statistic which, double squared_radius, double u) {
    const double deviation = squared_radius - fq_source_mean_squared_radius(source);
    const double share = 1 / (double)source->block;
    switch (which) {
    case SQUARED_RADIUS:
        return deviation;
    case SQUARED_DEVIATION:
        return deviation * deviation - fq_source_variance_squared_radius(source);
    case DIRECTION:
        return u;
    case DIRECTION_SQUARED:
        return u * u - share;
    default:
        return deviation * (u * u - share);
    }
}

/* (ln(2/1e-9)/n + ln E e^{t Y}) / |t| for Y a centred statistic: by Chernoff's bound its mean over n vectors
 * is beyond that, on the side of t's sign, with probability 1e-9 / 2 at most. */
static double chernoff(const stated_law *law, const fq_source *source, statistic which, size_t n, double t) {
    double sum = 0;
    for (size_t i = 0; i < NODES; i++)
        for (size_t j = 0; j < NODES; j++)
            sum += law->radius_weight[i] * law->u_weight[j] *
                   expm1(t * centred(source, which, law->squared_radius[i], law->u[j]));
    return (FQ_LOG_FALSE_ALARM / (double)n + log1p(sum)) / fabs(t);
}

/* What the mean over n vectors stays within with probability 1 - 1e-9: the larger side, least over t. */
static double law_radius(const stated_law *law, const fq_source *source, statistic which, size_t n) {
    double most = 0;
    for (int side = -1; side <= 1; side += 2) {
        double low = log(1e-2), high = log(1e5); /* of |t|; the function falls, then rises */
        for (int i = 0; i < 30; i++) {
            const double a = low + (high - low) / 3, b = high - (high - low) / 3;
            const bool left = chernoff(law, source, which, n, side * exp(a)) <
                              chernoff(law, source, which, n, side * exp(b));
            *(left ? &high : &low) = left ? b : a;
        }
        most = fmax(most, chernoff(law, source, which, n, side * exp((low + high) / 2)));
    }
    return most;
}

/* For tests: a biased sampler. */
static void shift(const fq_claim_context *context, double *values, size_t n) {
    const double by = context->perturbation.bias * fq_estimate_of(values, n).se * sqrt((double)n);
    for (size_t i = 0; by != 0 && i < n; i++)
        values[i] += by;
}

/* values[STATISTICS][n] of one vector against what the law says; within[STATISTICS]: law_radius. */
static fq_status emit_statistics(fq_claim_context *context, const fq_source *source, const char *name,
                                 const double *within, double *values, size_t n) {
    static const char *const series[STATISTICS] = {"haar_mean", "haar_variance", "haar_direction_mean",
                                                   "haar_direction_square", "haar_independence"};
    const double k = (double)source->block;
    const double stated[STATISTICS] = {fq_source_mean_squared_radius(source),
                                       fq_source_variance_squared_radius(source), 0, 1 / k, 0};
    for (size_t s = 0; s < STATISTICS; s++) {
        shift(context, values + s * n, n);
        const fq_estimate e = fq_estimate_of(values + s * n, n);
        fq_evidence row;
        init_row(&row, context, series[s], source->dim, source->block, name, n);
        row.left = e.mean;
        row.left_error = e.se;
        row.right = stated[s];
        row.right_error = 0;
        row.tolerance = 0.1;
        fq_evidence_widen(&row, within[s]);
        row.relation = s == SQUARED_DEVIATION ? FQ_RELATION_REPORT : FQ_RELATION_EQUAL;
        FQ_TRY(fq_claim_emit(context, &row));
    }
    qsort(values, n, sizeof *values, by_value);
    return emit_distance(context, "haar_radius_distance", source, name, values, n, "");
}

static void measure(const fq_source *source, const float *y, double *values, size_t n, size_t i) {
    double square = 0;
    for (size_t j = 0; j < source->block; j++)
        square += (double)y[j] * (double)y[j];
    const double deviation = square - fq_source_mean_squared_radius(source);
    const double u = square > 0 ? (double)y[0] / sqrt(square) : 0;
    values[SQUARED_RADIUS * n + i] = square;
    values[SQUARED_DEVIATION * n + i] = deviation * deviation;
    values[DIRECTION * n + i] = u;
    values[DIRECTION_SQUARED * n + i] = u * u;
    values[COVARIANCE * n + i] = deviation * (u * u - 1 / (double)source->block);
}

/* y = H S x, one round, in the place of a rotation. */
static void one_round(const fq_claim_context *context, const vectors *v, float *y, uint64_t number) {
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_ONE_ROUND, number);
    for (size_t j = 0; j < v->d; j++) {
        const float sign = fq_stream_u32(&stream) & 1 ? 1.0F : -1.0F;
        for (size_t i = 0; i < v->count; i++)
            y[i * v->d + j] = sign * v->x[i * v->d + j];
    }
    for (size_t i = 0; i < v->count; i++)
        fq_hadamard(y + i * v->d, v->d);
}

typedef enum transform { HAAR, ONE_ROUND, TWO_ROUNDS } transform;

static fq_status rotate_all(fq_claim_context *context, transform kind, const vectors *v,
                            const fq_source *source, float *y, double *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (kind == ONE_ROUND) {
            one_round(context, v, y, i);
        } else {
            fq_rotation *rotation;
            FQ_TRY(fq_rotation_create(&rotation, kind == HAAR ? FQ_ROTATION_HAAR : FQ_ROTATION_HADAMARD, v->d,
                                      context->seed, fq_stream_number(FQ_RANGE_CLAIM_ROTATIONS, i)));
            fq_rotation_apply(rotation, y, v->x, v->count);
            fq_rotation_destroy(rotation);
        }
        for (size_t j = 0; j < v->count; j++)
            measure(source, y + j * v->d, values + j * STATISTICS * n, n, i);
    }
    return FQ_OK;
}

/* How far the exact law is from Haar's; with samples, that core's rotation follows it. */
static fq_status emit_law(fq_claim_context *context, size_t d, bool sparse, const double *sorted, size_t n) {
    const char *const name = sparse ? "sparse" : "one-hot";
    fq_hadamard_law law = {0};
    fq_source source;
    fq_evidence row;
    fq_status status;
    FQ_TRY(fq_source_init(&source, d, BLOCK));
    FQ_TRY_GOTO(status, fq_hadamard_law_init(&law, d, sparse ? FQ_HADAMARD_TWO_HOT : FQ_HADAMARD_ONE_HOT),
                done);
    const double away = fq_hadamard_law_distance(&law, &source);
    const struct {
        const char *series;
        fq_relation relation;
        double right;
        const char *finding;
    } rows[] = {{"hadamard_law_is_haar", FQ_RELATION_EQUAL, 0, "F10"},
                {"hadamard_law_at_least", FQ_RELATION_GREATER, 2 / (double)d, ""},
                {"hadamard_law_at_most", FQ_RELATION_LESS, 4 / (double)d, ""}};
    for (size_t i = 0; i < (sparse ? 1 : 3); i++) {
        init_row(&row, context, rows[i].series, d, BLOCK, name, 0);
        row.verdict = FQ_VERDICT_COMPUTED;
        row.seed = 0;
        row.left = away;
        row.left_error = 1e-10; /* log-gammas and incomplete beta functions, and sums of up to 10^6 terms */
        row.right = rows[i].right * pow((double)d, -context->perturbation.exponent);
        row.right_error = 0;
        row.relation = rows[i].relation;
        snprintf(row.finding, sizeof row.finding, "%s", rows[i].finding);
        FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
    }
    if (sorted) {
        init_row(&row, context, "hadamard_follows_its_law", d, BLOCK, name, n);
        row.left = fq_hadamard_law_distance_of(&law, sorted, n);
        row.left_error = 0;
        row.right = sqrt(log(2e9) / (2 * (double)n));
        row.right_error = 0;
        row.relation = FQ_RELATION_LESS;
        FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
    }
done:
    fq_hadamard_law_clear(&law);
    return status;
}

/* Rotations by core's randomised Hadamard transform: one-hot and sparse vectors against their exact laws,
 * others against the Haar law; values[v->count][STATISTICS][n]. */
static fq_status sampled_hadamard(fq_claim_context *context, const vectors *v, const fq_source *source,
                                  float *y, double *values, size_t n) {
    const size_t d = v->d;
    /* A biased sampler here is one that is a round short. */
    const transform rounds = context->perturbation.bias != 0 ? ONE_ROUND : TWO_ROUNDS;
    FQ_TRY(rotate_all(context, rounds, v, source, y, values, n));
    for (size_t i = 0; i < v->count; i++) {
        double *const squares = values + i * STATISTICS * n;
        const size_t judged = i == ONE_HOT || i == SPARSE || n < HADAMARD_OTHERS ? n : HADAMARD_OTHERS;
        qsort(squares, judged, sizeof *squares, by_value);
        if (i == ONE_HOT || i == SPARSE) {
            FQ_TRY(emit_law(context, d, i == SPARSE, squares, n));
            if (n >= HADAMARD_SAMPLES)
                FQ_TRY(
                    emit_distance(context, "hadamard_seen_from_haar", source, v->names[i], squares, n, ""));
            continue;
        }
        shift(context, squares, judged); /* one round alone follows another vector's law as well */
        FQ_TRY(emit_distance(context, "hadamard_radius_distance", source, v->names[i], squares, judged,
                             i == CONSTANT && d == 16 ? "F10" : ""));
    }
    return FQ_OK;
}

static fq_status sampled(fq_claim_context *context, size_t d, size_t n, size_t hadamard) {
    const size_t most = n > hadamard ? n : hadamard;
    vectors v = {0};
    fq_source source;
    float *y = NULL;
    double *values = NULL, within[STATISTICS] = {0};
    stated_law law;
    fq_status status;
    FQ_TRY(fq_source_init(&source, d, BLOCK));
    FQ_TRY_GOTO(status, make_vectors(&v, context, d), done);
    FQ_TRY_GOTO(status, fq_alloc(&y, VECTORS_MAX * d, sizeof *y), done);
    FQ_TRY_GOTO(status, fq_alloc(&values, VECTORS_MAX * STATISTICS * most, sizeof *values), done);
    FQ_TRY_GOTO(status, rotate_all(context, HAAR, &v, &source, y, values, n), done);
    FQ_TRY_GOTO(status, stated_law_init(&law, d, BLOCK), done);
    for (statistic s = 0; s < STATISTICS; s++)
        within[s] = s == SQUARED_DEVIATION ? 0 : law_radius(&law, &source, s, n);
    for (size_t i = 0; i < v.count; i++)
        FQ_TRY_GOTO(status,
                    emit_statistics(context, &source, v.names[i], within, values + i * STATISTICS * n, n),
                    done);
    status = sampled_hadamard(context, &v, &source, y, values, hadamard);
done:
    fq_free(values);
    fq_free(y);
    fq_free(v.x);
    return status;
}

/* One round on a coordinate vector: |y_j| = 1/sqrt(d) for every j, so R^2 = k/d whatever the signs. */
static fq_status check_one_round(fq_claim_context *context, size_t d, size_t n) {
    fq_source source;
    float *y = NULL;
    fq_status status;
    vectors v = {0};
    double most = 0;
    fq_evidence row;
    FQ_TRY(fq_source_init(&source, d, BLOCK));
    FQ_TRY_GOTO(status, make_vectors(&v, context, d), done);
    FQ_TRY_GOTO(status, fq_alloc(&y, VECTORS_MAX * d, sizeof *y), done);
    const double stated = (double)BLOCK / (double)d * context->perturbation.constant;
    for (size_t i = 0; i < n; i++) {
        double square = 0;
        one_round(context, &v, y, i);
        for (size_t j = 0; j < BLOCK; j++)
            square += (double)y[j] * (double)y[j];
        most = fmax(most, fabs(square / stated - 1));
    }
    init_row(&row, context, "one_round_fixes_radius", d, BLOCK, "one-hot", n);
    row.verdict = FQ_VERDICT_COMPUTED;
    row.left = most;
    row.left_error = 0;
    row.right = 4e-7; /* float32 */
    row.right_error = 0;
    row.relation = FQ_RELATION_LESS;
    FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
    const double f = fq_source_radial_cdf(&source, sqrt((double)BLOCK / (double)d));
    init_row(&row, context, "one_round_is_haar", d, BLOCK, "one-hot", 0);
    row.verdict = FQ_VERDICT_COMPUTED;
    row.left = fmax(f, 1 - f); /* distance of a constant */
    row.left_error = 1e-12;
    row.right = row.right_error = 0;
    row.relation = FQ_RELATION_EQUAL;
    memcpy(row.finding, "F10", 4);
    status = fq_claim_emit(context, &row);
done:
    fq_free(y);
    fq_free(v.x);
    return status;
}

/* One entry after two rounds on a coordinate vector, s/d with s a sum of d signs: P(s) = binom(d, (d+s)/2) /
 * 2^d, from s = -d on by the ratio of neighbours. */
typedef struct entry_law {
    fq_ball fourth, distance, atom; /* d^2 E y^4; Kolmogorov's distance from f_{d,1}; the largest atom */
} entry_law;

static fq_ball larger(fq_balls *w, fq_ball a, fq_ball b) {
    const int sign = fq_ball_sign(w, fq_ball_subtract(w, a, b));
    return sign > 0 ? a : sign < 0 ? b : fq_ball_union(w, a, b);
}

static fq_ball magnitude(fq_balls *w, fq_ball a) {
    return larger(w, a, fq_ball_subtract(w, fq_ball_integer(w, 0), a));
}

static entry_law entry_law_of(fq_balls *w, long d) {
    fq_ball p = fq_ball_power(w, fq_ball_integer(w, 2), fq_ball_integer(w, -d));
    entry_law law = {fq_ball_integer(w, 0), fq_ball_integer(w, 0), p};
    fq_ball below = fq_ball_integer(w, 0);
    const fq_ball half = fq_ball_ratio(w, 1, 2);
    for (long s = -d; s <= d; s += 2) {
        const fq_ball at = fq_ball_ratio(w, s, d), square = fq_ball_multiply(w, at, at);
        /* P(X > |s|/d), from its own end where it is small. */
        const fq_ball rest = fq_ball_subtract(w, fq_ball_integer(w, 1), square);
        const fq_ball beyond =
            s * s < d ? fq_ball_subtract(w, half, fq_ball_half_probability(w, d, at))
                      : fq_ball_multiply(w, half, fq_ball_beta(w, fq_ball_ratio(w, d - 1, 2), half, rest));
        const fq_ball f = s < 0 ? beyond : fq_ball_subtract(w, fq_ball_integer(w, 1), beyond);
        law.fourth = fq_ball_add(w, law.fourth, fq_ball_multiply(w, p, fq_ball_multiply(w, square, square)));
        law.distance = larger(w, law.distance, magnitude(w, fq_ball_subtract(w, f, below)));
        below = fq_ball_add(w, below, p);
        law.distance = larger(w, law.distance, magnitude(w, fq_ball_subtract(w, f, below)));
        if (s <= 0) /* they rise to the middle */
            law.atom = p;
        p = fq_ball_multiply(w, p, fq_ball_ratio(w, d - s, d + s + 2));
    }
    law.fourth = fq_ball_multiply(w, law.fourth, fq_ball_integer(w, d * d));
    return law;
}

static void entry_fourth_moment(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = entry_law_of(w, p->d).fourth;
    *right = fq_ball_multiply(w, fq_ball_subtract(w, fq_ball_integer(w, 3), fq_ball_ratio(w, 2, p->d)),
                              fq_ball_double(w, p->perturbation.constant));
}

static void entry_over_sphere(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_multiply(w, entry_law_of(w, p->d).fourth, fq_ball_ratio(w, p->d + 2, 3 * p->d));
    *right = fq_ball_integer(w, 1);
}

/* An atom makes a distance of half of it at least; the slack is for that being all, which it is at even d. */
static void entry_above_half_atom(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const entry_law law = entry_law_of(w, p->d);
    *left = law.distance;
    *right = fq_ball_multiply(w, law.atom, fq_ball_double(w, (0.5 - 1e-9) * p->perturbation.constant));
}

static void entry_below_atom(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const entry_law law = entry_law_of(w, p->d);
    *left = law.distance;
    *right = fq_ball_multiply(w, law.atom, fq_ball_double(w, 0.6 * p->perturbation.constant));
}

/* Only the right side is used. */
static void entry_distance_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, entry_law_of(w, p->d).distance, fq_ball_double(w, p->perturbation.constant));
}

/* Its fourth moment, and its Kolmogorov distance to f_{d,1}: in balls, and the latter in doubles. */
static fq_status check_entry(fq_claim_context *context, size_t d) {
    static const struct {
        const char *series;
        fq_ball_sides sides;
        fq_relation relation;
        const char *finding;
    } rows[] = {{"hadamard_entry_fourth_moment", entry_fourth_moment, FQ_RELATION_EQUAL, ""},
                {"hadamard_entry_is_haar", entry_over_sphere, FQ_RELATION_EQUAL, "F10"},
                {"hadamard_entry_distance", entry_above_half_atom, FQ_RELATION_GREATER, ""},
                {"hadamard_entry_distance_at_most", entry_below_atom, FQ_RELATION_LESS, ""}};
    const setting p = {.d = (long)d, .k = 1, .perturbation = context->perturbation};
    fq_source source;
    fq_evidence row;
    FQ_TRY(fq_source_init(&source, d, 1));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        init_row(&row, context, rows[i].series, d, 1, "one-hot", 0);
        row.seed = 0;
        row.relation = rows[i].relation;
        row.tolerance = 1e-9;
        row.least = 0;
        snprintf(row.finding, sizeof row.finding, "%s", rows[i].finding);
        FQ_TRY(fq_ball_emit(context, &row, rows[i].sides, &p));
    }
    double below = 0, away = 0;
    for (long s = -(long)d; s <= (long)d; s += 2) {
        const double half = fq_source_radial_cdf(&source, fabs((double)s / (double)d)) / 2;
        const double f = s < 0 ? 0.5 - half : 0.5 + half;
        away = fmax(away, fabs(f - below));
        below += fq_sign_sum_probability((long)d, s);
        away = fmax(away, fabs(f - below));
    }
    init_row(&row, context, "hadamard_entry_in_doubles", d, 1, "one-hot", 0);
    row.seed = 0;
    return fq_ball_emit_value(context, &row, entry_distance_in_balls, &p, away, 1e-11);
}

static fq_status run(fq_claim_context *context) {
    const size_t n = context->quick ? 400 : 6000;
    FQ_TRY(moments(context));
    FQ_TRY(sampled(context, 64, n, context->quick ? n : HADAMARD_SAMPLES));
    if (!context->quick)
        FQ_TRY(sampled(context, 16, 10000, 10000));
    FQ_TRY(check_one_round(context, 64, n));
    for (size_t d = 16; d <= 1024; d *= 2) {
        if (!context->quick || d <= 64)
            FQ_TRY(check_entry(context, d));
        if (d != 64)
            FQ_TRY(emit_law(context, d, false, NULL, 0));
    }
    return FQ_OK;
}

static const fq_series series[] = {
    {"normalisation", FQ_PART_STATEMENT, "integral of f_{d,k} over the unit ball = 1"},
    {"mean_squared_radius", FQ_PART_STATEMENT, "E R^2 under f_{d,k} = k/d"},
    {"variance_squared_radius", FQ_PART_STATEMENT, "variance of R^2 under f_{d,k} = 2k(d-k)/(d^2(d+2))"},
    {"covariance_of_squares", FQ_PART_STATEMENT,
     "Cov(X_1^2, X_2^2) of two coordinates by rigorous quadrature = -2/(d^2(d+2))"},
    {"haar_fourth_moment_below_normal", FQ_PART_STATEMENT,
     "d^2 E y^4 of a coordinate of a rotated unit vector, below 3, that of a normal number"},
    {"haar_tail_below_normal", FQ_PART_STATEMENT,
     "P(|y| > t/sqrt(d)) of such a coordinate, below a normal number's beyond t standard deviations"},
    {"haar_mean", FQ_PART_STATEMENT, "mean of R^2 of a vector under random Haar rotations = k/d"},
    {"haar_variance", FQ_PART_STATEMENT,
     "variance of R^2 under random Haar rotations, beside its stated value; its law is judged by "
     "haar_radius_distance"},
    {"haar_direction_mean", FQ_PART_STATEMENT,
     "mean of a coordinate of the direction X/R under random Haar rotations = 0"},
    {"haar_direction_square", FQ_PART_STATEMENT, "mean square of that coordinate = 1/k"},
    {"haar_independence", FQ_PART_STATEMENT,
     "covariance of R^2 and the squared coordinate of the direction = 0"},
    {"haar_radius_distance", FQ_PART_STATEMENT,
     "Kolmogorov distance of sampled R^2 from Beta(k/2,(d-k)/2), below the bound of Dvoretzky, Kiefer and "
     "Wolfowitz at 1e-9"},
    {"hadamard_law_is_haar", FQ_PART_STATEMENT,
     "Kolmogorov distance of the exact law of R^2 under two rounds of signs and Hadamard transform from the "
     "Haar law = 0"},
    {"hadamard_law_at_least", FQ_PART_STATEMENT, "that distance is above 2/d for a coordinate vector"},
    {"hadamard_law_at_most", FQ_PART_STATEMENT, "that distance is below 4/d for a coordinate vector"},
    {"hadamard_follows_its_law", FQ_PART_PRACTICE,
     "Kolmogorov distance of R^2 under this program's Hadamard rotations from their exact law"},
    {"hadamard_seen_from_haar", FQ_PART_PRACTICE,
     "Kolmogorov distance of R^2 under this program's Hadamard rotations from the Haar law, above the bound "
     "for samples of that law"},
    {"hadamard_radius_distance", FQ_PART_STATEMENT,
     "Kolmogorov distance of R^2 under this program's Hadamard rotations from the Haar law, for vectors "
     "whose exact law is not known"},
    {"one_round_fixes_radius", FQ_PART_STATEMENT,
     "relative deviation of R^2 from k/d after one round of signs and Hadamard transform of a coordinate "
     "vector"},
    {"one_round_is_haar", FQ_PART_STATEMENT, "Kolmogorov distance of that constant from the Haar law = 0"},
    {"hadamard_entry_fourth_moment", FQ_PART_STATEMENT,
     "d^2 E y^4 of an entry after two rounds on a coordinate vector = 3 - 2/d"},
    {"hadamard_entry_is_haar", FQ_PART_STATEMENT, "that fourth moment over the sphere's, 3/(d(d+2)) = 1"},
    {"hadamard_entry_distance", FQ_PART_STATEMENT,
     "Kolmogorov distance of such an entry from f_{d,1}, above half its largest atom"},
    {"hadamard_entry_in_doubles", FQ_PART_CHECK,
     "that distance in doubles, by log-gamma functions and the source's distribution function = in balls"},
    {"hadamard_entry_distance_at_most", FQ_PART_STATEMENT, "that distance, below 0.6 of the largest atom"},
    {0},
};

const fq_claim fq_claim_source = {
    .number = 1,
    .id = "source",
    .title = "The law of a rotated block",
    .statement = "Rotated by a Haar-random matrix, k coordinates of any unit vector have density f_{d,k}: "
                 "R^2 ~ Beta(k/2, (d-k)/2) with mean k/d and variance 2k(d-k)/(d^2(d+2)), and a uniform "
                 "direction independent of R.",
    .domain = "1 <= k <= d-1; exactly for Haar rotations, approximately for randomised Hadamard transforms",
    .citation = "Lee and Kim 2026, Theorem 1",
    .checked =
        "Norm and moments of the density in ball arithmetic; the law of rotated one-hot, constant, sparse "
        "and real vectors over independent rotations; the exact law of Hadamard transforms of one-hot and "
        "sparse vectors, that core's follow it, and its distance from the Haar law.",
    .not_covered = "Joint laws of several blocks.",
    .series = series,
    .run = run,
};
