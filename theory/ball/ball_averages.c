#include "ball_averages.h"

#include <math.h>

#include "ball_impl.h"

fq_ball fq_ball_chi_mean(fq_balls *w, long k) {
    const fq_ball log_ratio = fq_ball_subtract(w, fq_ball_log_gamma(w, fq_ball_ratio(w, k + 1, 2)),
                                               fq_ball_log_gamma(w, fq_ball_ratio(w, k, 2)));
    return fq_ball_multiply(w, fq_ball_sqrt(w, fq_ball_integer(w, 2)), fq_ball_exp(w, log_ratio));
}

fq_ball fq_ball_kappa(fq_balls *w, long d) {
    const fq_ball mean = fq_ball_chi_mean(w, d);
    return fq_ball_divide(w, fq_ball_integer(w, d), fq_ball_multiply(w, mean, mean));
}

fq_ball fq_ball_equal_norm_distortion(fq_balls *w, long d, long k, fq_ball m) {
    const fq_ball gain = fq_ball_multiply(w, fq_ball_kappa(w, d), fq_ball_multiply(w, m, m));
    return fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_divide(w, gain, fq_ball_integer(w, k)));
}

#if FQ_HAVE_ARB

#include "ball_arb.h"

typedef struct power {
    ulong n;
    int both; /* subtract the n-th power of 1 - Phi as well, and use Phi in place of erf */
} power;

static int power_integrand(acb_ptr result, const acb_t x, void *parameters, slong order, slong precision) {
    const power *const p = parameters;
    acb_t erf, t;
    (void)order; /* entire */
    acb_init(erf);
    acb_init(t);
    acb_set_ui(t, 2);
    acb_rsqrt(t, t, precision);
    acb_mul(t, t, x, precision);
    acb_hypgeom_erf(erf, t, precision);
    acb_one(result);
    if (p->both) {
        for (int sign = 0; sign < 2; sign++) {
            if (sign)
                acb_neg(erf, erf);
            acb_add_ui(t, erf, 1, precision);
            acb_mul_2exp_si(t, t, -1);
            acb_pow_ui(t, t, p->n, precision);
            acb_sub(result, result, t, precision);
        }
    } else {
        acb_pow_ui(t, erf, p->n, precision);
        acb_sub(result, result, t, precision);
    }
    acb_clear(erf);
    acb_clear(t);
    return 0;
}

/* Beyond T the integrand is below 2 n Q(x) <= 2 n exp(-x^2/2) / (x sqrt(2 pi)): its integral is below
 * n exp(-T^2/2) for T >= 1. */
static fq_ball integrate_power(fq_balls *w, long n, int both) {
    const fq_ball r = fq_ball_fresh(w);
    const slong precision = fq_balls_precision(w);
    const slong end = (slong)ceil(sqrt(2 * (((double)precision + 4) * M_LN2 + log((double)n) + 1)));
    power p = {(ulong)n, both};
    acb_t from, to, value;
    arb_t tail;
    mag_t tolerance;
    acb_init(from);
    acb_init(to);
    acb_init(value);
    arb_init(tail);
    mag_init(tolerance);
    mag_set_ui_2exp_si(tolerance, 1, -precision);
    acb_set_si(to, end);
    acb_calc_integrate(value, power_integrand, &p, from, to, precision, tolerance, NULL, precision);
    arb_set(fq_ball_raw(w, r), acb_realref(value));
    arb_set_si(tail, end * end);
    arb_mul_2exp_si(tail, tail, -1);
    arb_neg(tail, tail);
    arb_exp(tail, tail, precision);
    arb_mul_si(tail, tail, n, precision);
    arb_add_error(fq_ball_raw(w, r), tail);
    acb_clear(from);
    acb_clear(to);
    acb_clear(value);
    arb_clear(tail);
    mag_clear(tolerance);
    return r;
}

/* With t = cot(theta) at the edge towards the other face, theta the angle from the axis:
 * rho cos(phi) (theta - sin theta cos theta)/2 + z sin^2(theta)/2. */
static int antiprism_integrand(acb_ptr result, const acb_t phi, void *parameters, slong order,
                               slong precision) {
    arb_srcptr const height = parameters;
    acb_t c, t, rest, sum;
    (void)order;
    acb_init(c);
    acb_init(t);
    acb_init(rest);
    acb_init(sum);
    acb_cos(c, phi, precision);
    arb_const_pi(acb_realref(t), precision);
    acb_mul_2exp_si(t, t, -2);
    acb_sub(t, phi, t, precision);
    acb_cos(t, t, precision);
    acb_sub(t, t, c, precision);
    acb_mul_2exp_si(t, t, -1);
    acb_div_arb(t, t, height, precision);
    acb_mul(rest, t, t, precision);
    acb_add_ui(rest, rest, 1, precision);
    if (!arb_is_positive(acb_realref(rest))) { /* near the cuts of the arc tangent */
        acb_indeterminate(result);
    } else {
        acb_atan(sum, t, precision);
        acb_div(t, t, rest, precision);
        acb_add(t, t, sum, precision);
        arb_const_pi(acb_realref(sum), precision);
        arb_zero(acb_imagref(sum));
        acb_mul_2exp_si(sum, sum, -1);
        acb_sub(t, sum, t, precision);
        acb_mul(t, t, c, precision);
        acb_inv(rest, rest, precision);
        acb_mul_arb(rest, rest, height, precision);
        acb_add(result, t, rest, precision);
        acb_mul_2exp_si(result, result, -1);
    }
    acb_clear(c);
    acb_clear(t);
    acb_clear(rest);
    acb_clear(sum);
    return 0;
}

static fq_ball antiprism_integral(fq_balls *w, double height) {
    const fq_ball r = fq_ball_fresh(w);
    const slong precision = fq_balls_precision(w);
    arb_t ratio;
    acb_t from, to, value;
    mag_t tolerance;
    arb_init(ratio);
    acb_init(from);
    acb_init(to);
    acb_init(value);
    mag_init(tolerance);
    mag_set_ui_2exp_si(tolerance, 1, -precision);
    arb_set_d(ratio, height);
    arb_const_pi(acb_realref(to), precision);
    acb_mul_2exp_si(to, to, -2);
    acb_calc_integrate(value, antiprism_integrand, ratio, from, to, precision, tolerance, NULL, precision);
    arb_set(fq_ball_raw(w, r), acb_realref(value));
    arb_clear(ratio);
    acb_clear(from);
    acb_clear(to);
    acb_clear(value);
    mag_clear(tolerance);
    return r;
}

#else

#include <gsl/gsl_integration.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_erf.h>

typedef struct power {
    double n;
    int both;
} power;

static double power_integrand(double x, void *parameters) {
    const power *const p = parameters;
    const double beyond = 0.5 * erfc(x * M_SQRT1_2);
    return p->both ? -expm1(p->n * log1p(-beyond)) - pow(beyond, p->n) : -expm1(p->n * log1p(-2 * beyond));
}

static double antiprism_integrand(double phi, void *parameters) {
    const double height = *(const double *)parameters;
    const double t = (cos(phi - M_PI_4) - cos(phi)) / (2 * height), rest = 1 + t * t;
    return 0.5 * (cos(phi) * (M_PI_2 - atan(t) - t / rest) + height / rest);
}

static fq_ball integrate(fq_balls *w, gsl_function f, double to) {
    gsl_integration_workspace *space = gsl_integration_workspace_alloc(400);
    double value = (double)NAN, error = (double)NAN;
    if (space)
        gsl_integration_qag(&f, 0, to, 0, 1e-13, 400, GSL_INTEG_GAUSS31, space, &value, &error);
    gsl_integration_workspace_free(space);
    return fq_ball_with_error(w, value, error + 1e-13 * fabs(value));
}

static fq_ball integrate_power(fq_balls *w, long n, int both) {
    power p = {(double)n, both};
    return integrate(w, (gsl_function){power_integrand, &p}, sqrt(2 * log((double)n) + 80));
}

static fq_ball antiprism_integral(fq_balls *w, double height) {
    return integrate(w, (gsl_function){antiprism_integrand, &height}, M_PI_4);
}

#endif

fq_ball fq_ball_mean_maximum(fq_balls *w, long n) {
    return integrate_power(w, n, 1);
}

fq_ball fq_ball_mean_largest(fq_balls *w, long k) {
    return integrate_power(w, k, 0);
}

fq_ball fq_ball_antiprism_mean(fq_balls *w, double height) {
    /* Sixteen equal pieces of the sphere, 16/(4 pi); rho = 1 / sqrt(1 + height^2). */
    const fq_ball h = fq_ball_double(w, height);
    const fq_ball length = fq_ball_sqrt(w, fq_ball_add(w, fq_ball_integer(w, 1), fq_ball_multiply(w, h, h)));
    const fq_ball scaled = fq_ball_multiply(w, fq_ball_integer(w, 4), antiprism_integral(w, height));
    return fq_ball_divide(w, scaled, fq_ball_multiply(w, fq_ball_pi(w), length));
}
