/* The closed forms of the theory in ball arithmetic: what gains.h and core/source.h give in doubles.
 * Notation: d dim, k block; a = k/(k+2), m = (d-k-2)/2; 1 <= k <= d-1. */
#ifndef FQ_BALL_FORMULAS_H
#define FQ_BALL_FORMULAS_H

#include "ball.h"

/* ln C of f_{d,k}, C = Gamma(d/2) / (pi^{k/2} Gamma((d-k)/2)). */
fq_ball fq_ball_log_constant(fq_balls *w, long d, long k);

/* ln of the area of the unit sphere in R^k, 2 pi^{k/2} / Gamma(k/2). */
fq_ball fq_ball_log_sphere_area(fq_balls *w, long k);

/* h(f_{d,k}) = -ln C - m [psi((d-k)/2) - psi(d/2)], nats. */
fq_ball fq_ball_entropy(fq_balls *w, long d, long k);

/* k h(f_{d,1}) - h(f_{d,k}). */
fq_ball fq_ball_total_correlation(fq_balls *w, long d, long k);

/* ln integral f_{d,k}^t for exponent t with m t > -1, by gamma functions. */
fq_ball fq_ball_log_power_integral(fq_balls *w, long d, long k, fq_ball t);

/* ln ||f_{d,k}||_{k/(k+2)}. */
fq_ball fq_ball_log_norm(fq_balls *w, long d, long k);

/* Sphere bound and Zador's bound on the cell constant G_k. */
fq_ball fq_ball_sphere_bound(fq_balls *w, long k);
fq_ball fq_ball_zador_bound(fq_balls *w, long k);

/* P(X_1 <= x) - 1/2 for 0 <= x <= 1, X_1 ~ f_{d,1}; and E[X_1; a < X_1 < b], 0 <= a <= b <= 1. */
fq_ball fq_ball_half_probability(fq_balls *w, long d, fq_ball x);
fq_ball fq_ball_cell_moment(fq_balls *w, long d, fq_ball a, fq_ball b);

/* E[X_1; X_1 > a, 0 < X_2 < c] for two coordinates of a uniform point on S^{d-1}, d >= 4, 0 <= a < 1,
 * 0 < c and a^2 + c^2 <= 1: C_{d,2}/(d-2) times the integral of (1-a^2-y^2)^{(d-2)/2} over 0 < y < c. */
fq_ball fq_ball_corner_moment(fq_balls *w, long d, fq_ball a, fq_ball c);

/* d exp(2 h/k) / (2 pi e) N^{-2/k}: Shannon's lower bound on D of N words a block. */
fq_ball fq_ball_shannon_bound(fq_balls *w, long d, long k, long n);

/* d G ||f_{d,k}||_{k/(k+2)}: what N^{2/k} D tends to for cells of normalised second moment G. */
fq_ball fq_ball_high_rate_limit(fq_balls *w, long d, long k, fq_ball cell);

#endif
