/* Claim 3. The best point density is proportional to f^{k/(k+2)}; its radial law is
 * R^2 ~ Beta(k/2, beta), beta = (k/(k+2)) (d-k-2)/2 + 1; at k = 2 the radii are
 * r_n = sqrt(1 - (1 - q_n)^{4/d}).
 *
 * Check: (a) Bennett's functional J(lambda) = integral f lambda^{-2/k} over densities proportional to
 * f^t is J(t) = (integral f^t)^{2/k} integral f^{1 - 2t/k}; J(t) > J(k/(k+2)) for t on either side.
 * (By Hoelder's inequality no density at all does better; the family is the check of the exponent.)
 * (b) ||f||_{k/(k+2)} and integrals of other powers by gamma functions against rigorous quadrature. (c) With
 * q uniform the stated radii at k = 2 invert the stated Beta law: I_{r^2}(1, beta) = q. (d) Mean of R^2 under
 * the density by quadrature = (k/2) / (k/2 + beta). The functional needs an integral that exists:
 * 1 - 2t/k > -1/m.
 * Not covered: densities outside the family (that is Hoelder's inequality, proved). */
#include "ball_formulas.h"
#include "claim_balls.h"
#include "stream_ranges.h"

typedef struct setting {
    long d, k;
    double t; /* offset of the exponent, or a probability */
    fq_perturbation perturbation;
} setting;

static fq_ball log_functional(fq_balls *w, long d, long k, fq_ball t) {
    const fq_ball two_over_k = fq_ball_ratio(w, 2, k);
    const fq_ball other = fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, two_over_k, t));
    return fq_ball_add(w, fq_ball_multiply(w, two_over_k, fq_ball_log_power_integral(w, d, k, t)),
                       fq_ball_log_power_integral(w, d, k, other));
}

static void exponent_is_best(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball best =
        fq_ball_add(w, fq_ball_ratio(w, p->k, p->k + 2), fq_ball_double(w, p->perturbation.exponent));
    const fq_ball shifted = fq_ball_add(w, fq_ball_ratio(w, p->k, p->k + 2), fq_ball_double(w, p->t));
    *left = log_functional(w, p->d, p->k, shifted);
    *right = log_functional(w, p->d, p->k, best);
}

static void norm_by_integral(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball a = fq_ball_ratio(w, p->k, p->k + 2);
    const fq_ball exponent = fq_ball_multiply(w, fq_ball_ratio(w, p->d - p->k - 2, 2), a);
    const fq_ball integral = fq_ball_log(w, fq_ball_radial_integral(w, p->k - 1, exponent, 0));
    const fq_ball log_whole = fq_ball_add(w, fq_ball_add(w, integral, fq_ball_log_sphere_area(w, p->k)),
                                          fq_ball_multiply(w, a, fq_ball_log_constant(w, p->d, p->k)));
    *left = fq_ball_exp(w, fq_ball_divide(w, log_whole, a));
    *right = fq_ball_multiply(w, fq_ball_exp(w, fq_ball_log_norm(w, p->d, p->k)),
                              fq_ball_double(w, p->perturbation.constant));
}

/* integral f^t, t = k/(k+2) + offset, both ways. */
static void functional_by_integral(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball t = fq_ball_add(w, fq_ball_ratio(w, p->k, p->k + 2), fq_ball_double(w, p->t));
    const fq_ball exponent = fq_ball_multiply(w, fq_ball_ratio(w, p->d - p->k - 2, 2), t);
    const fq_ball radial = fq_ball_radial_integral(w, p->k - 1, exponent, 0);
    const fq_ball log_scale = fq_ball_add(w, fq_ball_log_sphere_area(w, p->k),
                                          fq_ball_multiply(w, t, fq_ball_log_constant(w, p->d, p->k)));
    *left = fq_ball_multiply(w, radial, fq_ball_exp(w, log_scale));
    *right = fq_ball_multiply(w, fq_ball_exp(w, fq_ball_log_power_integral(w, p->d, p->k, t)),
                              fq_ball_double(w, p->perturbation.constant));
}

static fq_ball beta_parameter(fq_balls *w, const setting *p) {
    const fq_ball scaled =
        fq_ball_multiply(w, fq_ball_ratio(w, p->k, p->k + 2), fq_ball_ratio(w, p->d - p->k - 2, 2));
    return fq_ball_multiply(w, fq_ball_add(w, scaled, fq_ball_integer(w, 1)),
                            fq_ball_double(w, p->perturbation.constant));
}

static void mean_of_beta_law(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball exponent =
        fq_ball_multiply(w, fq_ball_ratio(w, p->d - p->k - 2, 2), fq_ball_ratio(w, p->k, p->k + 2));
    const fq_ball half = fq_ball_ratio(w, p->k, 2), beta = beta_parameter(w, p);
    *left = fq_ball_divide(w, fq_ball_radial_integral(w, p->k + 1, exponent, 0),
                           fq_ball_radial_integral(w, p->k - 1, exponent, 0));
    *right = fq_ball_divide(w, half, fq_ball_add(w, half, beta));
}

static void planar_radii(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball one = fq_ball_integer(w, 1), q = fq_ball_double(w, p->t);
    const fq_ball stated =
        fq_ball_add(w, fq_ball_ratio(w, 4, p->d), fq_ball_double(w, p->perturbation.exponent));
    const fq_ball rest = fq_ball_power(w, fq_ball_subtract(w, one, q), stated);
    *left = fq_ball_beta(w, one, beta_parameter(w, p), fq_ball_subtract(w, one, rest));
    *right = q;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, long d, long k, double t) {
    fq_evidence row;
    fq_evidence_init(&row, series, "d=%ld k=%ld offset=%.4g", d, k, t);
    row.dim = (double)d;
    row.block = (double)k;
    row.relation = relation;
    if (sides != exponent_is_best) /* integrals of densities, means and probabilities */
        row.least = 0;
    if (sides == mean_of_beta_law || sides == planar_radii)
        row.most = 1;
    row.tolerance = 1e-12;
    row.seed = context->seed;
    return fq_ball_emit(context, &row, sides, &(setting){d, k, t, context->perturbation});
}

static fq_status run(fq_claim_context *context) {
    static const long dims[] = {16, 64, 128, 256, 1024};
    static const double offsets[] = {-0.125, -0x1p-6, -0x1p-12, 0x1p-12, 0x1p-6, 0.125};
    const size_t step = context->quick ? 2 : 1;
    for (size_t i = 0; i < 5; i += step)
        for (long k = 1; k <= 32 && k + 2 < dims[i]; k *= 2)
            for (size_t j = 0; j < 6; j++)
                FQ_TRY(emit(context, "bennett_functional", exponent_is_best, FQ_RELATION_GREATER, dims[i], k,
                            offsets[j]));
    for (size_t i = 0; i < 5; i += step)
        for (long k = 1; k <= 32 && k + 2 < dims[i]; k += context->quick ? 10 : 3) {
            FQ_TRY(emit(context, "norm_by_integral", norm_by_integral, FQ_RELATION_EQUAL, dims[i], k, 0));
            FQ_TRY(emit(context, "functional_by_integral", functional_by_integral, FQ_RELATION_EQUAL, dims[i],
                        k, offsets[(size_t)k % 6]));
            FQ_TRY(emit(context, "radial_mean", mean_of_beta_law, FQ_RELATION_EQUAL, dims[i], k, 0));
        }
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_DENSITY, 0);
    for (int i = 0; i < (context->quick ? 10 : 100); i++) {
        const long d = 5 + (long)fq_stream_below(&stream, 1020);
        FQ_TRY(
            emit(context, "planar_radii", planar_radii, FQ_RELATION_EQUAL, d, 2, fq_stream_uniform(&stream)));
    }
    return FQ_OK;
}

static const fq_series series[] = {
    {"bennett_functional", FQ_PART_STATEMENT,
     "logarithm of Bennett's functional at exponent k/(k+2) + offset, above that at k/(k+2)"},
    {"functional_by_integral", FQ_PART_CHECK,
     "integral of f^t by rigorous quadrature = by gamma functions, t = k/(k+2) + offset"},
    {"norm_by_integral", FQ_PART_CHECK, "||f||_{k/(k+2)} by rigorous quadrature = its closed form"},
    {"radial_mean", FQ_PART_STATEMENT, "E R^2 under the density f^{k/(k+2)} = that of Beta(k/2, beta)"},
    {"planar_radii", FQ_PART_STATEMENT,
     "the stated Beta law at the stated radius of quantile q = q, at k = 2"},
    {0},
};

const fq_claim fq_claim_density = {
    .number = 3,
    .id = "density",
    .title = "Best point density and its radial law",
    .statement = "Code points should have density proportional to f^{k/(k+2)}, so that "
                 "R^2 ~ Beta(k/2, (k/(k+2))(d-k-2)/2 + 1); at k = 2 the radii are "
                 "sqrt(1 - (1-q_n)^{4/d}).",
    .domain = "1 <= k <= d-3 (for k = d-2 the density is flat, for k = d-1 it diverges at the edge)",
    .citation = "Lee and Kim 2026, section 3; Bennett 1948, Gersho 1979",
    .checked = "The exponent is the minimum of Bennett's functional among powers of f, the radial law "
               "follows from it, and the planar radii invert it, in ball arithmetic.",
    .not_covered = "High-rate optimality says nothing about a finite N: see the finite-rate claims.",
    .series = series,
    .run = run,
};
