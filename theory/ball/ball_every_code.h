/* The lower bound of every_code.h with its supremum enclosed. */
#ifndef FQ_BALL_EVERY_CODE_H
#define FQ_BALL_EVERY_CODE_H

#include "ball.h"
#include "every_code.h"

/* 1 - (d/k) [ sum W_j c_j + N S ] with S = code->supremum (1 + slack), a double: a lower bound on D of every
 * code, provided that H(rho) <= S for all 0 <= rho <= 1, which is shown by bisection of [0, 1]; where it
 * cannot be (slack too small) the value decides nothing. W_j are enclosed, knots and levels exact. On an
 * interval [l, u] about m g(rho, r, c) <= g with a = 2 u r, s = l^2 + c,      or, nearer to S, H(rho) <= H(m)
 * + (u - l)/2 max |H'|,   H' = sum W_j (2 r_j M(t) - 2 rho P(t)),  t = (rho + c_j/rho)/(2 r_j), P falling in
 * t and M in |t|. Without Arb an estimate from doubles. slack about 1e-5; cost about a second. */
fq_ball fq_ball_every_code_bound(fq_balls *w, const fq_every_code *code, double slack);

#endif
