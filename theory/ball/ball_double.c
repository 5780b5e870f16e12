/* The stand-in for ball arithmetic in a build without Arb: doubles with a first-order estimate of the
 * error, inflated twofold. It certifies nothing. */
#include "ball.h"

#if !FQ_HAVE_ARB

#include <float.h>
#include <math.h>
#include <stdio.h>

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf.h>

#include "ball_impl.h"
#include "beta_quantile.h"
#include "memory.h"

typedef struct number {
    double value, error;
} number;

struct fq_balls {
    size_t count, room;
    number *value;
    fq_status status;
};

fq_verdict fq_ball_verdict(void) {
    return FQ_VERDICT_COMPUTED;
}

fq_status fq_balls_create(fq_balls **balls, long precision) {
    (void)precision;
    fq_balls *w;
    FQ_TRY(fq_alloc_zero(&w, 1, sizeof *w));
    const fq_status status = fq_alloc(&w->value, 256, sizeof *w->value);
    if (status != FQ_OK) {
        fq_free(w);
        return status;
    }
    w->room = 256;
    *balls = w;
    return FQ_OK;
}

void fq_balls_destroy(fq_balls *w) {
    if (!w)
        return;
    fq_free(w->value);
    fq_free(w);
}

void fq_balls_reset(fq_balls *w, long precision) {
    (void)precision;
    w->count = 0;
    w->status = FQ_OK;
}

long fq_balls_precision(const fq_balls *w) {
    (void)w;
    return DBL_MANT_DIG;
}

/* Stores a value with propagated error, plus the rounding of this operation. */
static fq_ball put(fq_balls *w, double value, double error) {
    if (w->count == w->room && w->status == FQ_OK) {
        number *larger;
        w->status = fq_alloc(&larger, 2 * w->room, sizeof *larger);
        if (w->status == FQ_OK) {
            for (size_t i = 0; i < w->room; i++)
                larger[i] = w->value[i];
            fq_free(w->value);
            w->value = larger;
            w->room *= 2;
        }
    }
    const size_t i = w->count < w->room ? w->count++ : w->room - 1;
    w->value[i] = (number){value, error};
    return (fq_ball){i};
}

static fq_ball put_rounded(fq_balls *w, double value, double error) {
    return put(w, value, error + 2 * DBL_EPSILON * fabs(value));
}

fq_ball fq_ball_with_error(fq_balls *w, double value, double error) {
    return put_rounded(w, value, error);
}

static number at(const fq_balls *w, fq_ball a) {
    return w->value[a.index];
}

fq_ball fq_ball_integer(fq_balls *w, long n) {
    return put(w, (double)n, 0);
}

fq_ball fq_ball_ratio(fq_balls *w, long numerator, long denominator) {
    return put_rounded(w, (double)numerator / (double)denominator, 0);
}

fq_ball fq_ball_double(fq_balls *w, double exact) {
    return put(w, exact, 0);
}

fq_ball fq_ball_pi(fq_balls *w) {
    return put_rounded(w, M_PI, 0);
}

fq_ball fq_ball_e(fq_balls *w) {
    return put_rounded(w, M_E, 0);
}

fq_ball fq_ball_add(fq_balls *w, fq_ball a, fq_ball b) {
    return put_rounded(w, at(w, a).value + at(w, b).value, at(w, a).error + at(w, b).error);
}

fq_ball fq_ball_subtract(fq_balls *w, fq_ball a, fq_ball b) {
    return put_rounded(w, at(w, a).value - at(w, b).value, at(w, a).error + at(w, b).error);
}

fq_ball fq_ball_multiply(fq_balls *w, fq_ball a, fq_ball b) {
    const number x = at(w, a), y = at(w, b);
    return put_rounded(w, x.value * y.value,
                       fabs(x.value) * y.error + fabs(y.value) * x.error + x.error * y.error);
}

fq_ball fq_ball_divide(fq_balls *w, fq_ball a, fq_ball b) {
    const number x = at(w, a), y = at(w, b);
    const double quotient = x.value / y.value, least = fabs(y.value) - y.error;
    return put_rounded(w, quotient, least > 0 ? (x.error + fabs(quotient) * y.error) / least : HUGE_VAL);
}

fq_ball fq_ball_power(fq_balls *w, fq_ball base, fq_ball exponent) {
    return fq_ball_exp(w, fq_ball_multiply(w, exponent, fq_ball_log(w, base)));
}

fq_ball fq_ball_exp(fq_balls *w, fq_ball a) {
    const double value = exp(at(w, a).value);
    return put_rounded(w, value, value * expm1(at(w, a).error));
}

fq_ball fq_ball_log(fq_balls *w, fq_ball a) {
    return put_rounded(w, log(at(w, a).value), at(w, a).error / fabs(at(w, a).value));
}

fq_ball fq_ball_sqrt(fq_balls *w, fq_ball a) {
    const double value = sqrt(at(w, a).value);
    return put_rounded(w, value, value > 0 ? at(w, a).error / (2 * value) : sqrt(at(w, a).error));
}

static fq_ball from_gsl(fq_balls *w, gsl_sf_result result, int code, double slope_error) {
    return put_rounded(w, code ? (double)NAN : result.val, 2 * result.err + slope_error);
}

fq_ball fq_ball_log_gamma(fq_balls *w, fq_ball a) {
    gsl_sf_result result = {0, 0};
    const number x = at(w, a);
    const int code = gsl_sf_lngamma_e(x.value, &result);
    return from_gsl(w, result, code, x.error > 0 ? fabs(gsl_sf_psi(x.value)) * x.error : 0);
}

fq_ball fq_ball_digamma(fq_balls *w, fq_ball a) {
    gsl_sf_result result = {0, 0};
    const number x = at(w, a);
    const int code = gsl_sf_psi_e(x.value, &result);
    return from_gsl(w, result, code, x.error > 0 ? gsl_sf_psi_1(x.value) * x.error : 0);
}

fq_ball fq_ball_beta(fq_balls *w, fq_ball a, fq_ball b, fq_ball x) {
    const number p = at(w, a), q = at(w, b), z = at(w, x);
    if (!(z.value > 0 && z.value < 1))
        return put(w, z.value <= 0 ? 0 : 1, z.error);
    gsl_sf_result result = {0, 0};
    const int code = gsl_sf_beta_inc_e(p.value, q.value, z.value, &result);
    const double density =
        exp((p.value - 1) * log(z.value) + (q.value - 1) * log1p(-z.value) - gsl_sf_lnbeta(p.value, q.value));
    /* GSL's own estimate is optimistic for large parameters: 1e-12 is what its tests reach. */
    return from_gsl(w, result, code, density * z.error + 1e-12 * result.val);
}

fq_ball fq_ball_union(fq_balls *w, fq_ball a, fq_ball b) {
    const double low = fmin(at(w, a).value - at(w, a).error, at(w, b).value - at(w, b).error);
    const double high = fmax(at(w, a).value + at(w, a).error, at(w, b).value + at(w, b).error);
    return put_rounded(w, 0.5 * (low + high), 0.5 * (high - low));
}

typedef struct radial {
    double p, q;
    int s;
} radial;

static double radial_integrand(double u, void *parameters) {
    const radial *const g = parameters;
    const double l = -2 * (u + log1p(exp(-2 * u)) - M_LN2); /* ln sech^2 u */
    return pow(tanh(u), g->p) * exp((g->q + 1) * l) * (g->s ? l : 1);
}

fq_ball fq_ball_radial_integral(fq_balls *w, long p, fq_ball q, int s) {
    radial g = {(double)p, at(w, q).value, s};
    const double peak = exp(gsl_sf_lnbeta(0.5 * (g.p + 1), g.q + 1));
    const double end = M_LN2 + (45 - log(peak)) / (2 * (g.q + 1));
    gsl_integration_workspace *space = gsl_integration_workspace_alloc(400);
    double value = (double)NAN, error = (double)NAN;
    if (!space)
        w->status = FQ_FAIL(FQ_ERR_MEMORY, "integration workspace", "enough memory");
    else
        gsl_integration_qag(&(gsl_function){radial_integrand, &g}, 0, end, 0, 1e-13, 400, GSL_INTEG_GAUSS31,
                            space, &value, &error);
    gsl_integration_workspace_free(space);
    return put_rounded(w, value, error + 1e-13 * fabs(value));
}

typedef struct tail {
    double d, a;
} tail;

static double tail_integrand(double y, void *parameters) {
    const tail *const t = parameters;
    const double rest = 1 - y * y;
    const double beyond = gsl_sf_beta_inc((t->d - 2) / 2, 0.5, 1 - t->a * t->a / rest);
    return 0.5 * beyond * exp((t->d - 3) / 2 * log(rest) - gsl_sf_lnbeta(0.5, (t->d - 1) / 2));
}

fq_ball fq_ball_corner_probability(fq_balls *w, long d, double a, double c) {
    tail t = {(double)d, a};
    gsl_integration_workspace *space = gsl_integration_workspace_alloc(400);
    double value = (double)NAN, error = (double)NAN;
    if (!space)
        w->status = FQ_FAIL(FQ_ERR_MEMORY, "integration workspace", "enough memory");
    else
        gsl_integration_qag(&(gsl_function){tail_integrand, &t}, 0, c, 0, 1e-12, 400, GSL_INTEG_GAUSS31,
                            space, &value, &error);
    gsl_integration_workspace_free(space);
    return put_rounded(w, value, error + 1e-12 * fabs(value));
}

int fq_ball_sign(const fq_balls *w, fq_ball a) {
    const number x = at(w, a);
    return x.value > 2 * x.error ? 1 : x.value < -2 * x.error ? -1 : 0;
}

bool fq_ball_is_zero(const fq_balls *w, fq_ball a) {
    return fabs(at(w, a).value) <= 2 * at(w, a).error;
}

fq_status fq_ball_get(const fq_balls *w, fq_ball a, double *value, double *error) {
    if (w->status != FQ_OK)
        return w->status;
    *value = at(w, a).value;
    *error = 2 * at(w, a).error;
    return FQ_OK;
}

double fq_ball_radius(const fq_balls *w, fq_ball a) {
    return 2 * at(w, a).error;
}

void fq_ball_text(const fq_balls *w, fq_ball a, char *text, size_t size) {
    snprintf(text, size, "%.15g (estimated error %.1e)", at(w, a).value, 2 * at(w, a).error);
}

#endif
