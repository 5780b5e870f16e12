/* Ball arithmetic written as formulas.
 *
 * A workspace holds values; every operation makes a new one and returns its handle, so formulas read
 * as they are written. With Arb (FQ_HAVE_ARB = 1) a value is a ball that provably contains the real
 * number; without it, a double with a running first-order error estimate, and verdicts say
 * "computed" in place of "certified". Errors (out of memory) are kept in the workspace and reported
 * by fq_ball_get; values made after one are meaningless. A workspace serves one
 * thread.
 *
 * Every integer, ratio and double put in is exact.
 */
#ifndef FQ_BALL_H
#define FQ_BALL_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"
#include "verdict.h"

typedef struct fq_balls fq_balls;
typedef struct fq_ball {
    size_t index;
} fq_ball;

/* precision in bits, 32 or more. destroy accepts NULL. reset forgets all values. */
FQ_MUST_CHECK fq_status fq_balls_create(fq_balls **balls, long precision);
void fq_balls_destroy(fq_balls *balls);
void fq_balls_reset(fq_balls *balls, long precision);
long fq_balls_precision(const fq_balls *balls);

/* "certified" with Arb, "computed" without. */
fq_verdict fq_ball_verdict(void);

/* The first with Arb, the second without: ends of grids that doubles cannot follow to the end, because
 * differences cancel to nothing. */
long fq_ball_reach(long with_balls, long with_doubles);

/* Constants. */
fq_ball fq_ball_integer(fq_balls *w, long n);
fq_ball fq_ball_ratio(fq_balls *w, long numerator, long denominator);
fq_ball fq_ball_double(fq_balls *w, double exact);
fq_ball fq_ball_pi(fq_balls *w);
fq_ball fq_ball_e(fq_balls *w);

/* Arithmetic and functions of real arguments within their domains; outside: a value that decides
 * nothing. power takes a base > 0. */
fq_ball fq_ball_add(fq_balls *w, fq_ball a, fq_ball b);
fq_ball fq_ball_subtract(fq_balls *w, fq_ball a, fq_ball b);
fq_ball fq_ball_multiply(fq_balls *w, fq_ball a, fq_ball b);
fq_ball fq_ball_divide(fq_balls *w, fq_ball a, fq_ball b);
fq_ball fq_ball_power(fq_balls *w, fq_ball base, fq_ball exponent);
fq_ball fq_ball_exp(fq_balls *w, fq_ball a);
fq_ball fq_ball_log(fq_balls *w, fq_ball a);
fq_ball fq_ball_sqrt(fq_balls *w, fq_ball a);
fq_ball fq_ball_log_gamma(fq_balls *w, fq_ball a);
fq_ball fq_ball_digamma(fq_balls *w, fq_ball a);

/* Regularised incomplete beta I_x(a,b), 0 <= x <= 1, a, b > 0. */
fq_ball fq_ball_beta(fq_balls *w, fq_ball a, fq_ball b, fq_ball x);

/* The smallest ball that holds both (for a monotone function of an interval's ends). */
fq_ball fq_ball_union(fq_balls *w, fq_ball a, fq_ball b);

/* integral_0^1 r^p (1-r^2)^q [ln(1-r^2)]^s dr for integer p >= 0, real q > -1, s in {0, 1}: rigorous
 * numerical integration to about the workspace's precision, independent of gamma functions. */
fq_ball fq_ball_radial_integral(fq_balls *w, long p, fq_ball q, int s);

/* P(X_1 > a, 0 < X_2 < c) for two coordinates of a uniform point on S^{d-1}, d >= 4, a, c > 0,
 * a^2 + c^2 < 1, by rigorous integration. */
fq_ball fq_ball_corner_probability(fq_balls *w, long d, double a, double c);

/* +1, -1 if the value is certainly positive, negative; 0 if not known. */
int fq_ball_sign(const fq_balls *w, fq_ball a);

/* Whether the value is exactly zero (without Arb: zero within its error). */
bool fq_ball_is_zero(const fq_balls *w, fq_ball a);

/* Mid-point and half width (the double interval [value - error, value + error] holds the ball). */
FQ_MUST_CHECK fq_status fq_ball_get(const fq_balls *w, fq_ball a, double *value, double *error);

/* The ball's own radius, rounded up: what a double's interval above cannot show below 1e-16. Without Arb the
 * error estimate. */
double fq_ball_radius(const fq_balls *w, fq_ball a);

/* Decimal digits that are certain, "[0.123456789012 +/- 3.2e-20]", cut to size - 1 characters. */
void fq_ball_text(const fq_balls *w, fq_ball a, char *text, size_t size);

#endif
