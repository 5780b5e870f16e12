/* Claim 13. No code of B bits for a uniform direction of R^d has D below that of 2^B disjoint caps of equal
 * measure: 1 - E[X_1 | X_1 > t]^2 with fixed words, 1 - E[X_1^2 | X_1 > t] where a gain is stored beside the
 * word, P(X_1 > t) = 2^-B (proof: caps_bound.h).
 *
 * Check: both bounds enclosed in ball arithmetic for every rate of the rate-distortion figure. t is an exact
 * double whose cap is shown to be no larger than 2^-B: the bound at it is then a bound, and within 1e-9 the
 * best of its kind. The proof's two steps at random caps: the mean excess E[X_1 - t | X_1 > t] falls in t,
 * and M(p)^2 <= 4 M(1/2)^2 p (1-p). Second routes: theory's doubles; two words and points on the circle,
 * which attain it; Gauss rules (claim 12). The scalar code, the best known in any block of one coordinate,
 * lies above it. Not covered: how near a code can come, for which see random codes (claim 9). */
#include <math.h>
#include <stdio.h>

#include "ball_averages.h"
#include "ball_formulas.h"
#include "ball_scalar.h"
#include "caps_bound.h"
#include "cell_quadrature.h"
#include "claim_balls.h"
#include "stream_ranges.h"

typedef struct setting {
    long d, bits;
    double t, u; /* heights, t < u */
    const fq_scalar_box *box;
    bool free_gain;
    fq_perturbation perturbation;
} setting;

static fq_ball cap_measure(fq_balls *w, long d, double t) {
    const fq_ball height = fq_ball_double(w, t);
    const fq_ball rest = fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, height, height));
    const fq_ball both = fq_ball_beta(w, fq_ball_ratio(w, d - 1, 2), fq_ball_ratio(w, 1, 2), rest);
    return fq_ball_divide(w, both, fq_ball_integer(w, 2));
}

/* E[X_1; X_1 > t]. */
static fq_ball cap_moment(fq_balls *w, long d, double t) {
    return fq_ball_cell_moment(w, d, fq_ball_double(w, t), fq_ball_integer(w, 1));
}

/* Of a cap of height t that is certainly no larger than 2^-B, else indeterminate. */
static fq_ball bound(fq_balls *w, const setting *p) {
    const fq_ball one = fq_ball_integer(w, 1), measure = cap_measure(w, p->d, p->t);
    const fq_ball most = fq_ball_power(w, fq_ball_integer(w, 2), fq_ball_integer(w, -p->bits));
    const fq_ball excess = fq_ball_subtract(w, most, measure);
    if (p->bits > 1 ? fq_ball_sign(w, excess) <= 0 : p->t != 0) /* at B = 1 the cap is half the sphere */
        return fq_ball_double(w, (double)NAN);
    const fq_ball mean = fq_ball_divide(w, cap_moment(w, p->d, p->t), measure);
    if (!p->free_gain)
        return fq_ball_subtract(w, one, fq_ball_multiply(w, mean, mean));
    const fq_ball product = fq_ball_multiply(w, fq_ball_double(w, p->t), mean);
    const fq_ball rest = fq_ball_subtract(w, one, product);
    return fq_ball_multiply(w, fq_ball_ratio(w, p->d - 1, p->d), rest);
}

/* Value in [0, 1] for figures; compared with what rate 0 has. */
static void bound_below_one(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = bound(w, p);
    *right = fq_ball_double(w, p->perturbation.constant);
}

/* Only the right side is used. */
static void bound_of_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, bound(w, p), fq_ball_double(w, p->perturbation.constant));
}

/* Two opposite words in R^d: 1 - kappa_d (2/pi)/d. */
static void half_spheres(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = bound(w, p);
    *right = fq_ball_multiply(w, fq_ball_equal_norm_distortion(w, p->d, p->d, fq_ball_chi_mean(w, 1)),
                              fq_ball_double(w, p->perturbation.constant));
}

/* d = 2, N = 2^B points evenly spaced: 1 - [(N/pi) sin(pi/N)]^2, sin and cos of pi/N by halving pi/4; the
 * cap's rim is at t = cos(pi/N), and its mean M/P by the law of one coordinate. */
static void circle(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball one = fq_ball_integer(w, 1), two = fq_ball_integer(w, 2);
    fq_ball cosine = fq_ball_divide(w, one, fq_ball_sqrt(w, two)), sine_squared = fq_ball_ratio(w, 1, 2);
    for (long i = 2; i < p->bits; i++) {
        sine_squared = fq_ball_divide(w, fq_ball_subtract(w, one, cosine), two);
        cosine = fq_ball_sqrt(w, fq_ball_divide(w, fq_ball_add(w, one, cosine), two));
    }
    const fq_ball inner = fq_ball_half_probability(w, 2, cosine);
    const fq_ball measure = fq_ball_subtract(w, fq_ball_ratio(w, 1, 2), inner);
    const fq_ball mean = fq_ball_divide(w, fq_ball_cell_moment(w, 2, cosine, one), measure);
    *left = fq_ball_subtract(w, one, fq_ball_multiply(w, mean, mean));
    const fq_ball scale = fq_ball_divide(w, fq_ball_integer(w, 1L << p->bits), fq_ball_pi(w));
    const fq_ball shrink = fq_ball_multiply(w, fq_ball_multiply(w, scale, scale), sine_squared);
    *right =
        fq_ball_multiply(w, fq_ball_subtract(w, one, shrink), fq_ball_double(w, p->perturbation.constant));
}

/* E[X_1 - t | X_1 > t] falls from t to u. */
static fq_ball mean_excess(fq_balls *w, long d, double t) {
    const fq_ball mean = fq_ball_divide(w, cap_moment(w, d, t), cap_measure(w, d, t));
    return fq_ball_subtract(w, mean, fq_ball_double(w, t));
}

static void excess_falls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_multiply(w, mean_excess(w, p->d, p->u), fq_ball_double(w, p->perturbation.constant));
    *right = mean_excess(w, p->d, p->t);
}

/* Only the right side is used. */
static void excess_in_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, mean_excess(w, p->d, p->t), fq_ball_double(w, p->perturbation.constant));
}

/* M(p)^2 < 4 M(1/2)^2 p (1-p) for the cap at height t > 0. */
static void tangent_above(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball moment = cap_moment(w, p->d, p->t), half = cap_moment(w, p->d, 0),
                  measure = cap_measure(w, p->d, p->t);
    const fq_ball rest = fq_ball_subtract(w, fq_ball_integer(w, 1), measure);
    const fq_ball product =
        fq_ball_multiply(w, fq_ball_multiply(w, half, half), fq_ball_multiply(w, measure, rest));
    *left =
        fq_ball_multiply(w, fq_ball_multiply(w, moment, moment), fq_ball_double(w, p->perturbation.constant));
    *right = fq_ball_multiply(w, fq_ball_integer(w, 4), product);
}

static void scalar_above(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_distortion(w, p->box);
    *right = fq_ball_multiply(w, bound(w, p), fq_ball_double(w, p->perturbation.constant));
}

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series,
                     const setting *p) {
    const double rate = p->bits ? (double)p->bits / (double)p->d : (double)NAN;
    if (p->bits)
        fq_evidence_init(row, series, "d=%ld b=%.10g", p->d, rate);
    else
        fq_evidence_init(row, series, "d=%ld t=%.6f", p->d, p->t);
    row->dim = (double)p->d;
    row->block = (double)p->d;
    row->rate = rate;
    row->seed = context->seed;
    row->tolerance = 1e-10;
    row->least = 0;
    row->most = 1;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p) {
    fq_evidence row;
    describe(&row, context, series, &p);
    row.relation = relation;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

/* Both bounds at one rate, and core's doubles for them. */
static fq_status run_rate(fq_claim_context *context, long d, long bits) {
    static const struct {
        const char *series, *in_doubles;
    } names[2] = {{"equal_caps", "equal_caps_in_doubles"}, {"equal_caps_free_gain", "free_gain_in_doubles"}};
    fq_caps_bound caps;
    FQ_TRY(fq_caps_bound_init(&caps, (size_t)d, (double)bits));
    for (int i = 0; i < 2; i++) {
        const setting p = {.d = d,
                           .bits = bits,
                           .t = bits > 1 ? caps.height * (1 + 1e-12) : 0,
                           .free_gain = i == 1,
                           .perturbation = context->perturbation};
        fq_evidence row;
        FQ_TRY(emit(context, names[i].series, bound_below_one, FQ_RELATION_LESS, p));
        describe(&row, context, names[i].in_doubles, &p);
        /* The height that balls use is larger by 1e-12: the bounds move by less than the cap's mean does. */
        FQ_TRY(fq_ball_emit_value(context, &row, bound_of_balls, &p, i ? caps.free_gain : caps.fixed_words,
                                  caps.error + 4e-12));
    }
    return FQ_OK;
}

static fq_status run_steps(fq_claim_context *context) {
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_CAPS, 0);
    for (int i = 0; i < (context->quick ? 10 : 100); i++) {
        const long d = 4 + (long)fq_stream_below(&stream, 1000);
        const double reach = fmin(0.8, 4 / sqrt((double)d));
        const double t = reach * fq_stream_uniform(&stream), u = t + (0.95 - t) * fq_stream_uniform(&stream);
        const setting p = {.d = d, .t = t, .u = u};
        FQ_TRY(emit(context, "mean_excess_falls", excess_falls, FQ_RELATION_LESS, p));
        const setting q = {.d = d, .t = t, .perturbation = context->perturbation};
        fq_evidence row;
        describe(&row, context, "mean_excess_by_quadrature", &q);
        FQ_TRY(fq_ball_emit_value(context, &row, excess_in_balls, &q,
                                  fq_mean_beyond_by_quadrature((size_t)d, t) - t, 1e-13));
        FQ_TRY(emit(context, "beyond_half_below_tangent", tangent_above, FQ_RELATION_LESS, p));
    }
    return FQ_OK;
}

/* Codes that attain the bound, and the scalar code, which does not. */
static fq_status run_codes(fq_claim_context *context) {
    static const long dims[] = {8, 64, 128, 16, 80, 256, 1024};
    for (size_t i = 0; i < (context->quick ? 2 : sizeof dims / sizeof dims[0]); i++) {
        const long d = dims[i];
        FQ_TRY(emit(context, "attained_by_half_spheres", half_spheres, FQ_RELATION_EQUAL,
                    (setting){.d = d, .bits = 1}));
        for (long b = 1; b <= 4; b++) {
            fq_caps_bound caps;
            fq_scalar_box box;
            FQ_TRY(fq_caps_bound_init(&caps, (size_t)d, (double)(b * d)));
            FQ_TRY(fq_scalar_box_init(&box, (size_t)d, (size_t)1 << (b - 1)));
            FQ_TRY(emit(context, "scalar_code_above", scalar_above, FQ_RELATION_GREATER,
                        (setting){.d = d, .bits = b * d, .t = caps.height * (1 + 1e-12), .box = &box}));
        }
    }
    for (long bits = 2; bits <= 8; bits++)
        FQ_TRY(emit(context, "attained_on_the_circle", circle, FQ_RELATION_EQUAL,
                    (setting){.d = 2, .bits = bits}));
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    static const long dims[] = {64, 128, 16, 32, 80, 96, 256, 512};
    static const long quarters[] = {1, 2, 3, 4, 6, 8, 10, 12, 16}; /* of a bit a coordinate */
    for (size_t i = 0; i < (context->quick ? 2 : sizeof dims / sizeof dims[0]); i++)
        for (size_t j = 0; j < sizeof quarters / sizeof quarters[0]; j++)
            FQ_TRY(run_rate(context, dims[i], dims[i] * quarters[j] / 4));
    FQ_TRY(run_steps(context));
    return run_codes(context);
}

static const fq_series series[] = {
    {"equal_caps", FQ_PART_STATEMENT,
     "D that no code of fixed words goes below: 1 - E[X_1 | X_1 > t]^2, below 1"},
    {"equal_caps_free_gain", FQ_PART_STATEMENT,
     "D that no code goes below whose decoder also knows the gain: 1 - E[X_1^2 | X_1 > t], below 1"},
    {"equal_caps_in_doubles", FQ_PART_CHECK, "the bound for fixed words in doubles = in balls"},
    {"free_gain_in_doubles", FQ_PART_CHECK, "the bound with a gain in doubles = in balls"},
    {"mean_excess_falls", FQ_PART_STATEMENT, "E[X_1 - u | X_1 > u], below that at a smaller height t"},
    {"mean_excess_by_quadrature", FQ_PART_CHECK,
     "E[X_1 - t | X_1 > t] at random heights by Gauss rules = in balls"},
    {"beyond_half_below_tangent", FQ_PART_STATEMENT,
     "squared moment of a cap of measure p, below 4 M(1/2)^2 p (1-p)"},
    {"attained_by_half_spheres", FQ_PART_CHECK, "the bound at one bit a vector = D of two opposite words"},
    {"attained_on_the_circle", FQ_PART_CHECK, "the bound at d = 2 = D of 2^B points evenly spaced"},
    {"scalar_code_above", FQ_PART_CHECK,
     "D of the scalar code of b bits a coordinate, above the bound for fixed words"},
    {0},
};

const fq_claim fq_claim_caps = {
    .number = 13,
    .id = "caps",
    .title = "What no code of B bits a vector can beat",
    .statement = "No code of B bits for a uniform direction has D below that of 2^B equal caps: "
                 "1 - E[X_1 | X_1 > t]^2, and 1 - E[X_1^2 | X_1 > t] if a gain is stored beside the word, "
                 "P(X_1 > t) = 2^-B.",
    .domain = "every code, encoder and decoder; d >= 2, B >= 1",
    .citation = "own proof (caps_bound.h), after Shannon 1959",
    .checked =
        "Both bounds for b = 0.25 to 4 in ball arithmetic, the steps of the proof at random caps, the codes "
        "that attain it, and the scalar code, which lies above.",
    .not_covered = "How near a code can come to it.",
    .series = series,
    .run = run,
};
