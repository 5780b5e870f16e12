#include "ball_every_code.h"

#include <math.h>

#include "ball_impl.h"

enum { KNOTS = FQ_EVERY_CODE_KNOTS };

#if FQ_HAVE_ARB

#include "ball_arb.h"

/* Means of the hat functions as balls: from masses and moments of R below each knot, as place_knots has them.
 */
static void hat_means(fq_balls *w, const fq_every_code *code, fq_ball weight[KNOTS]) {
    const long d = (long)code->dim, k = (long)code->block;
    const fq_ball p = fq_ball_ratio(w, k, 2), q = fq_ball_ratio(w, d - k, 2),
                  more = fq_ball_ratio(w, k + 1, 2);
    /* E R = Gamma((k+1)/2) Gamma(d/2) / (Gamma(k/2) Gamma((d+1)/2)). */
    const fq_ball gammas = fq_ball_subtract(
        w, fq_ball_add(w, fq_ball_log_gamma(w, more), fq_ball_log_gamma(w, fq_ball_ratio(w, d, 2))),
        fq_ball_add(w, fq_ball_log_gamma(w, p), fq_ball_log_gamma(w, fq_ball_ratio(w, d + 1, 2))));
    const fq_ball mean = fq_ball_exp(w, gammas);
    fq_ball mass[KNOTS], moment[KNOTS];
    for (size_t j = 0; j < KNOTS; j++) {
        const fq_ball r = fq_ball_double(w, code->knot[j]), square = fq_ball_multiply(w, r, r);
        mass[j] = fq_ball_beta(w, p, q, square);
        moment[j] = fq_ball_multiply(w, mean, fq_ball_beta(w, more, q, square));
        weight[j] = fq_ball_integer(w, 0);
    }
    for (size_t j = 0; j + 1 < KNOTS; j++) {
        const fq_ball low = fq_ball_double(w, code->knot[j]), high = fq_ball_double(w, code->knot[j + 1]);
        const fq_ball m = fq_ball_subtract(w, mass[j + 1], mass[j]);
        const fq_ball x = fq_ball_subtract(w, moment[j + 1], moment[j]),
                      width = fq_ball_subtract(w, high, low);
        weight[j] = fq_ball_add(
            w, weight[j], fq_ball_divide(w, fq_ball_subtract(w, fq_ball_multiply(w, high, m), x), width));
        weight[j + 1] = fq_ball_add(
            w, weight[j + 1], fq_ball_divide(w, fq_ball_subtract(w, x, fq_ball_multiply(w, low, m)), width));
    }
}

/* What one call needs again and again. */
typedef struct work {
    const fq_every_code *code;
    slong precision;
    arb_ptr weight;     /* [KNOTS] */
    arb_t pi, constant; /* C_k/(k-1), of M */
    arb_t t, square, power, term, p, m, sum;
} work;

/* p = P(U > t), m = E[U; U > t]; t must lie in (-1, 1). */
static void cap(work *w) {
    const slong k = (slong)w->code->block, precision = w->precision;
    arb_mul(w->square, w->t, w->t, precision);
    arb_sub_si(w->square, w->square, 1, precision);
    arb_neg(w->square, w->square);
    if (k % 2) {
        arb_sub_si(w->p, w->t, 1, precision);
        arb_mul_2exp_si(w->p, w->p, -1);
        arb_neg(w->p, w->p);
        arb_set(w->power, w->square);
        arb_set_d(w->m, 0.5);
    } else {
        arb_acos(w->p, w->t, precision);
        arb_div(w->p, w->p, w->pi, precision);
        arb_sqrt(w->power, w->square, precision);
        arb_inv(w->m, w->pi, precision);
    }
    for (slong i = k % 2 ? 5 : 4; i <= k; i += 2) { /* m is C_i here */
        arb_mul_si(w->m, w->m, i - 2, precision);
        arb_div_si(w->m, w->m, i - 3, precision);
        arb_mul(w->term, w->m, w->t, precision);
        arb_mul(w->term, w->term, w->power, precision);
        arb_div_si(w->term, w->term, i - 2, precision);
        arb_sub(w->p, w->p, w->term, precision);
        arb_mul(w->power, w->power, w->square, precision);
    }
    /* power is (1-t^2)^{(k-1)/2} now for k >= 2: it began at the exponent of k = 2 or 3. */
    arb_mul(w->m, w->m, w->power, precision);
    arb_div_si(w->m, w->m, k - 1, precision);
}

/* term = an upper bound of E (a U - s)_+, a > 0, for balls a and s: term is overwritten, a and s are kept. */
static void excess(arb_t result, work *w, const arb_t a, const arb_t s) {
    const slong precision = w->precision;
    arb_t t, one;
    arb_init(t);
    arb_init(one);
    arb_div(t, s, a, precision);
    arb_sub_si(one, t, 1, precision);
    if (arb_is_nonnegative(one)) {
        arb_zero(result);
    } else if (!arb_is_negative(one)) { /* at the rim: a (1 - t)_+ is more */
        arb_get_abs_ubound_arf(arb_midref(result), one, precision);
        mag_zero(arb_radref(result));
        arb_mul(result, result, a, precision);
    } else {
        arb_add_si(one, t, 1, precision);
        if (arb_is_positive(one)) {
            arb_set(w->t, t);
            cap(w);
            arb_mul(result, a, w->m, precision);
            arb_mul(one, s, w->p, precision);
            arb_sub(result, result, one, precision);
        } else { /* -s + E (s - a U)_+, the last at most a (1 + t)_+ */
            arb_neg(result, s);
            if (!arb_is_nonpositive(one)) {
                arb_get_abs_ubound_arf(arb_midref(t), one, precision);
                mag_zero(arb_radref(t));
                arb_addmul(result, t, a, precision);
            }
        }
    }
    arb_clear(t);
    arb_clear(one);
}

/* sum = sum W_j g(a = 2 u r_j, s = l^2 + c_j), which bounds H on [l, u]; l = u gives H there. */
static void excess_sum(work *w, double l, double u) {
    const slong precision = w->precision;
    arb_t a, s, g, square;
    arb_init(a);
    arb_init(s);
    arb_init(g);
    arb_init(square);
    arb_set_d(square, l);
    arb_mul(square, square, square, precision);
    arb_zero(w->sum);
    for (size_t j = 0; j < KNOTS; j++) {
        arb_set_d(s, w->code->level[j]);
        arb_add(s, s, square, precision);
        arb_set_d(a, w->code->knot[j]);
        arb_mul_2exp_si(a, a, 1);
        arb_set_d(g, u);
        arb_mul(a, a, g, precision);
        if (arb_is_positive(a)) {
            excess(g, w, a, s);
        } else { /* at radius 0 every a_i is -rho^2 */
            arb_neg(g, s);
            if (arb_is_nonpositive(g))
                arb_zero(g);
        }
        arb_addmul(w->sum, w->weight + j, g, precision);
    }
    arb_clear(a);
    arb_clear(s);
    arb_clear(g);
    arb_clear(square);
}

/* p and m at a double t, whose place in or beyond (-1, 1) is known. */
static void cap_at(work *w, double t) {
    if (t >= 1 || t <= -1) {
        arb_set_si(w->p, t <= -1);
        arb_zero(w->m);
        return;
    }
    arb_set_d(w->t, t);
    cap(w);
}

/* sum = an upper bound of |H'| on [l, u], l > 0. Ends of t are doubles rounded outwards: each of three
 * operations is off by half a unit of its last place at most, which a part in 2^50 of the terms' sizes
 * covers. */
static void slope_bound(work *w, double l, double u) {
    const slong precision = w->precision;
    arb_t most, least, m[2], p[2], term;
    arb_init(most);
    arb_init(least);
    arb_init(term);
    for (int i = 0; i < 2; i++) {
        arb_init(m[i]);
        arb_init(p[i]);
    }
    for (size_t j = 0; j < KNOTS; j++) {
        const double r = w->code->knot[j], c = w->code->level[j];
        if (r == 0) { /* M = 0, 0 <= P <= 1 */
            arb_zero(m[0]);
            arb_zero(m[1]);
            arb_zero(p[1]);
            arb_one(p[0]);
        } else {
            const double low = c > 0 ? c / u : c / l, high = c > 0 ? c / l : c / u;
            const double slack = 0x1p-50 * (u + fabs(low) + fabs(high)) / (2 * r);
            const double t[2] = {(l + low) / (2 * r) - slack, (u + high) / (2 * r) + slack};
            for (int i = 0; i < 2; i++) {
                cap_at(w, t[i]);
                arb_set(p[i], w->p); /* p[0] is the larger */
                arb_set(m[i], w->m);
            }
            if (arb_gt(m[0], m[1]))
                arb_swap(m[0], m[1]); /* m[0] the smaller, where they can be told apart */
            arb_union(m[0], m[0], m[1], precision);
            arb_set(m[1], m[0]);
            if (t[0] < 0 && t[1] > 0) { /* M is largest at 0 */
                cap_at(w, 0);
                arb_union(m[1], m[1], w->m, precision);
            }
        }
        /* 2 W (r M - rho P) */
        arb_set_d(term, r);
        arb_mul(m[0], m[0], term, precision);
        arb_mul(m[1], m[1], term, precision);
        arb_set_d(term, u);
        arb_mul(p[0], p[0], term, precision);
        arb_set_d(term, l);
        arb_mul(p[1], p[1], term, precision);
        arb_sub(m[0], m[0], p[0], precision);
        arb_sub(m[1], m[1], p[1], precision);
        arb_addmul(least, w->weight + j, m[0], precision);
        arb_addmul(most, w->weight + j, m[1], precision);
    }
    arb_union(most, most, least, precision);
    arb_mul_2exp_si(most, most, 1);
    arb_get_abs_ubound_arf(arb_midref(w->sum), most, precision);
    mag_zero(arb_radref(w->sum));
    arb_clear(most);
    arb_clear(least);
    arb_clear(term);
    for (int i = 0; i < 2; i++) {
        arb_clear(m[i]);
        arb_clear(p[i]);
    }
}

/* Whether H <= limit on [l, u], by halving where neither bound shows it; l and u are exact doubles. */
static bool below(work *w, double l, double u, const arb_t limit, int depth) {
    excess_sum(w, l, u);
    if (arb_lt(w->sum, limit))
        return true;
    const double m = 0.5 * (l + u);
    if (depth == 0 || !(l < m && m < u))
        return false;
    if (l > 0) {
        arb_t slope, half;
        bool shown = false;
        arb_init(slope);
        arb_init(half);
        slope_bound(w, l, u);
        arb_set_d(half, u - m); /* exact: m is half-way between neighbours of one binade or nearly so */
        arb_set_d(slope, m - l);
        arb_max(half, half, slope, w->precision);
        arb_mul(slope, w->sum, half, w->precision);
        excess_sum(w, m, m);
        arb_add(slope, slope, w->sum, w->precision);
        shown = arb_lt(slope, limit);
        arb_clear(slope);
        arb_clear(half);
        if (shown)
            return true;
    }
    return below(w, l, m, limit, depth - 1) && below(w, m, u, limit, depth - 1);
}

fq_ball fq_ball_every_code_bound(fq_balls *w, const fq_every_code *code, double slack) {
    fq_ball weight[KNOTS];
    hat_means(w, code, weight);
    work k = {.code = code, .precision = fq_balls_precision(w)};
    arb_ptr const all[] = {k.pi, k.constant, k.t, k.square, k.power, k.term, k.p, k.m, k.sum};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        arb_init(all[i]);
    arb_const_pi(k.pi, k.precision);
    k.weight = _arb_vec_init(KNOTS);
    for (size_t j = 0; j < KNOTS; j++)
        arb_set(k.weight + j, fq_ball_raw(w, weight[j]));
    const double supremum = code->supremum * (1 + slack);
    arb_t limit;
    arb_init(limit);
    arb_set_d(limit, supremum);
    bool shown = true;
    for (int i = 0; i < 64 && shown; i++)
        shown = below(&k, i / 64.0, (i + 1) / 64.0, limit, 24);
    arb_clear(limit);
    _arb_vec_clear(k.weight, KNOTS);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        arb_clear(all[i]);
    if (!shown)
        return fq_ball_double(w, (double)NAN);
    fq_ball sum = fq_ball_multiply(w, fq_ball_integer(w, (long)code->codewords), fq_ball_double(w, supremum));
    for (size_t j = 0; j < KNOTS; j++)
        sum = fq_ball_add(w, sum, fq_ball_multiply(w, weight[j], fq_ball_double(w, code->level[j])));
    return fq_ball_subtract(w, fq_ball_integer(w, 1),
                            fq_ball_multiply(w, fq_ball_ratio(w, (long)code->dim, (long)code->block), sum));
}

#else

fq_ball fq_ball_every_code_bound(fq_balls *w, const fq_every_code *code, double slack) {
    const double scale = (double)code->dim / (double)code->block * (double)code->codewords;
    return fq_ball_with_error(w, code->bound - scale * slack * code->supremum, 1e-8);
}

#endif
