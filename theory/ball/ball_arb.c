/* Ball arithmetic by Arb (in FLINT 3, or Arb 2 beside FLINT 2). */
#include "ball.h"

#if FQ_HAVE_ARB

#include <math.h>
#include <string.h>

#include <gsl/gsl_sf_gamma.h>

#include "ball_arb.h"
#include "ball_formulas.h"
#include "ball_impl.h"
#include "memory.h"

struct fq_balls {
    long precision;
    size_t count, room;
    arb_ptr value; /* [room], all initialised */
    fq_status status;
};

enum { FIRST_ROOM = 256 };

fq_verdict fq_ball_verdict(void) {
    return FQ_VERDICT_CERTIFIED;
}

static fq_status grow(fq_balls *w, size_t room) {
    arb_ptr value;
    FQ_TRY(fq_alloc(&value, room, sizeof *value));
    if (w->room) /* arb_struct holds no pointer to itself: moving its bytes is what Arb does too */
        memcpy(value, w->value, w->room * sizeof *value);
    for (size_t i = w->room; i < room; i++)
        arb_init(value + i);
    fq_free(w->value);
    w->value = value;
    w->room = room;
    return FQ_OK;
}

fq_status fq_balls_create(fq_balls **balls, long precision) {
    fq_balls *w;
    FQ_TRY(fq_alloc_zero(&w, 1, sizeof *w));
    const fq_status status = grow(w, FIRST_ROOM);
    if (status != FQ_OK) {
        fq_free(w);
        return status;
    }
    w->precision = precision;
    *balls = w;
    return FQ_OK;
}

void fq_balls_destroy(fq_balls *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->room; i++)
        arb_clear(w->value + i);
    fq_free(w->value);
    fq_free(w);
}

void fq_balls_reset(fq_balls *w, long precision) {
    w->count = 0;
    w->precision = precision;
    w->status = FQ_OK;
}

long fq_balls_precision(const fq_balls *w) {
    return w->precision;
}

/* A fresh value; after a failed allocation the last slot again, and the status says so. */
static fq_ball fresh(fq_balls *w) {
    if (w->count == w->room && w->status == FQ_OK)
        w->status = grow(w, 2 * w->room);
    if (w->count == w->room)
        return (fq_ball){w->room - 1};
    return (fq_ball){w->count++};
}

static arb_ptr at(const fq_balls *w, fq_ball a) {
    return w->value + a.index;
}

fq_ball fq_ball_fresh(fq_balls *w) {
    return fresh(w);
}

arb_ptr fq_ball_raw(const fq_balls *w, fq_ball a) {
    return at(w, a);
}

fq_ball fq_ball_integer(fq_balls *w, long n) {
    const fq_ball r = fresh(w);
    arb_set_si(at(w, r), n);
    return r;
}

fq_ball fq_ball_ratio(fq_balls *w, long numerator, long denominator) {
    const fq_ball r = fq_ball_integer(w, numerator);
    arb_div_si(at(w, r), at(w, r), denominator, w->precision);
    return r;
}

fq_ball fq_ball_double(fq_balls *w, double exact) {
    const fq_ball r = fresh(w);
    arb_set_d(at(w, r), exact);
    return r;
}

fq_ball fq_ball_pi(fq_balls *w) {
    const fq_ball r = fresh(w);
    arb_const_pi(at(w, r), w->precision);
    return r;
}

fq_ball fq_ball_e(fq_balls *w) {
    const fq_ball r = fresh(w);
    arb_const_e(at(w, r), w->precision);
    return r;
}

#define BINARY(name, function)                                                                               \
    fq_ball fq_ball_##name(fq_balls *w, fq_ball a, fq_ball b) {                                              \
        const fq_ball r = fresh(w);                                                                          \
        function(at(w, r), at(w, a), at(w, b), w->precision);                                                \
        return r;                                                                                            \
    }
#define UNARY(name, function)                                                                                \
    fq_ball fq_ball_##name(fq_balls *w, fq_ball a) {                                                         \
        const fq_ball r = fresh(w);                                                                          \
        function(at(w, r), at(w, a), w->precision);                                                          \
        return r;                                                                                            \
    }
BINARY(add, arb_add)
BINARY(subtract, arb_sub)
BINARY(multiply, arb_mul)
BINARY(divide, arb_div)
BINARY(power, arb_pow)
BINARY(union, arb_union)
UNARY(exp, arb_exp)
UNARY(log, arb_log)
UNARY(sqrt, arb_sqrt)
UNARY(log_gamma, arb_lgamma)
UNARY(digamma, arb_digamma)

fq_ball fq_ball_beta(fq_balls *w, fq_ball a, fq_ball b, fq_ball x) {
    const fq_ball r = fresh(w);
    if (arb_is_zero(at(w, x)) || arb_is_one(at(w, x)))
        arb_set(at(w, r), at(w, x));
    else
        arb_hypgeom_beta_lower(at(w, r), at(w, a), at(w, b), at(w, x), 1, w->precision);
    return r;
}

/* With r = tanh u: integral_0^inf tanh^p u exp(-(q+1) L) (-L)^s du, L = ln cosh^2 u, analytic around
 * the real axis and of exponential decay, so that no end point needs care. */
typedef struct radial {
    slong p;
    arb_srcptr q;
    int s;
} radial;

static int radial_integrand(acb_ptr result, const acb_t u, void *parameters, slong order, slong precision) {
    const radial *const g = parameters;
    acb_t l, t;
    acb_init(l);
    acb_init(t);
    acb_cosh(l, u, precision);
    acb_log_analytic(l, l, order != 0, precision);
    acb_mul_si(l, l, -2, precision);
    acb_set_arb(result, g->q);
    acb_add_si(result, result, 1, precision);
    acb_mul(result, result, l, precision);
    acb_exp(result, result, precision);
    if (g->s)
        acb_mul(result, result, l, precision);
    acb_tanh(t, u, precision);
    acb_pow_ui(t, t, (ulong)g->p, precision);
    acb_mul(result, result, t, precision);
    acb_clear(l);
    acb_clear(t);
    return 0;
}

fq_ball fq_ball_radial_integral(fq_balls *w, long p, fq_ball q, int s) {
    const fq_ball r = fresh(w);
    const slong precision = w->precision;
    const double q_double = arf_get_d(arb_midref(at(w, q)), ARF_RND_NEAR);
    const double log_value = gsl_sf_lnbeta(0.5 * (double)(p + 1), q_double + 1);
    /* Beyond u = end the integrand is below (4 e^{-2u})^{q+1} (2u)^s: end makes that negligible. */
    const double end = ceil(M_LN2 + ((double)precision * M_LN2 + 10 - log_value) / (2 * (q_double + 1)));
    radial g = {p, at(w, q), s};
    acb_t from, to, value;
    arb_t tail, rate;
    mag_t tolerance;
    acb_init(from);
    acb_init(to);
    acb_init(value);
    arb_init(tail);
    arb_init(rate);
    mag_init(tolerance);
    acb_set_d(to, end);
    acb_calc_integrate(value, radial_integrand, &g, from, to, precision, tolerance, NULL, precision);
    arb_set(at(w, r), acb_realref(value));
    /* Tail: 4^{q+1} e^{-2(q+1) end} / (2(q+1)) [2 end + 1/(q+1)]^s. */
    arb_add_si(rate, at(w, q), 1, precision);
    arb_const_log2(tail, precision);
    arb_sub_si(tail, tail, (slong)end, precision);
    arb_mul_2exp_si(tail, tail, 1);
    arb_mul(tail, tail, rate, precision);
    arb_exp(tail, tail, precision);
    arb_div(tail, tail, rate, precision);
    if (s) {
        arb_inv(rate, rate, precision);
        arb_add_si(rate, rate, (slong)(2 * end), precision);
        arb_mul(tail, tail, rate, precision);
    }
    arb_mul_2exp_si(tail, tail, -1);
    arb_add_error(at(w, r), tail);
    acb_clear(from);
    acb_clear(to);
    acb_clear(value);
    arb_clear(tail);
    arb_clear(rate);
    mag_clear(tolerance);
    return r;
}

/* f_{d,1}(y) P(X_1 > a | X_2 = y): given y, X_1 / sqrt(1-y^2) has density f_{d-1,1}. */
typedef struct corner {
    slong d;
    double a;
    arb_t log_constant;
} corner;

static int corner_integrand(acb_ptr result, const acb_t y, void *parameters, slong order, slong precision) {
    const corner *const g = parameters;
    acb_t rest, ratio, p, q;
    acb_init(rest);
    acb_init(ratio);
    acb_init(p);
    acb_init(q);
    acb_mul(rest, y, y, precision);
    acb_sub_si(rest, rest, 1, precision);
    acb_neg(rest, rest);
    acb_set_d(ratio, g->a);
    acb_mul(ratio, ratio, ratio, precision);
    acb_div(ratio, ratio, rest, precision);
    acb_one(q);
    acb_sub(q, q, ratio, precision);
    /* Analytic off the cuts ratio <= 0 and ratio >= 1: stay in the strip between. */
    if (!acb_is_finite(ratio) || !arb_is_positive(acb_realref(ratio)) || !arb_is_positive(acb_realref(q))) {
        acb_indeterminate(result);
    } else {
        acb_set_d(p, 0.5);
        acb_set_si(q, g->d - 2);
        acb_mul_2exp_si(q, q, -1);
        acb_hypgeom_beta_lower(result, p, q, ratio, 1, precision);
        acb_sub_si(result, result, 1, precision);
        acb_neg(result, result);
        acb_mul_2exp_si(result, result, -1);
        acb_log_analytic(p, rest, order != 0, precision);
        acb_mul_si(p, p, g->d - 3, precision);
        acb_mul_2exp_si(p, p, -1);
        acb_add_arb(p, p, g->log_constant, precision);
        acb_exp(p, p, precision);
        acb_mul(result, result, p, precision);
    }
    acb_clear(rest);
    acb_clear(ratio);
    acb_clear(p);
    acb_clear(q);
    return 0;
}

fq_ball fq_ball_corner_probability(fq_balls *w, long d, double a, double c) {
    const fq_ball log_constant = fq_ball_log_constant(w, d, 1);
    const fq_ball r = fresh(w);
    corner g = {d, a, {*at(w, log_constant)}}; /* borrowed, not cleared */
    acb_t from, to, value;
    mag_t tolerance;
    acb_init(from);
    acb_init(to);
    acb_init(value);
    mag_init(tolerance);
    acb_set_d(to, c);
    acb_calc_integrate(value, corner_integrand, &g, from, to, w->precision, tolerance, NULL, w->precision);
    arb_set(at(w, r), acb_realref(value));
    acb_clear(from);
    acb_clear(to);
    acb_clear(value);
    mag_clear(tolerance);
    return r;
}

int fq_ball_sign(const fq_balls *w, fq_ball a) {
    return arb_is_positive(at(w, a)) ? 1 : arb_is_negative(at(w, a)) ? -1 : 0;
}

bool fq_ball_is_zero(const fq_balls *w, fq_ball a) {
    return arb_is_zero(at(w, a));
}

fq_status fq_ball_get(const fq_balls *w, fq_ball a, double *value, double *error) {
    if (w->status != FQ_OK)
        return w->status;
    arf_srcptr middle = arb_midref(at(w, a));
    *value = arf_get_d(middle, ARF_RND_NEAR);
    arf_t rounded;
    mag_t radius;
    arf_init(rounded);
    mag_init(radius);
    arf_set_d(rounded, *value);
    arf_sub(rounded, rounded, middle, 30, ARF_RND_UP);
    arf_get_mag(radius, rounded);
    mag_add(radius, radius, arb_radref(at(w, a)));
    *error = mag_get_d(radius) * (1 + 1e-15);
    arf_clear(rounded);
    mag_clear(radius);
    return FQ_OK;
}

double fq_ball_radius(const fq_balls *w, fq_ball a) {
    return mag_get_d(arb_radref(at(w, a)));
}

void fq_ball_text(const fq_balls *w, fq_ball a, char *text, size_t size) {
    char *const whole = arb_get_str(at(w, a), 30, 0);
    strncpy(text, whole, size - 1);
    text[size - 1] = '\0';
    flint_free(whole);
}

#endif
