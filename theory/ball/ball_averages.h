/* Averages of the largest of several numbers, as balls: what codes with words of equal length gain.
 *
 * For unit vectors v_1..v_N of R^k and U uniform on S^{k-1} let G = E max_i <U, v_i>. Words s v_i with the
 * best s, s = E|X| G, have on a source of law f_{d,k} the distortion
 *   D = 1 - (d/k) (E|X|)^2 G^2 = 1 - kappa_d M^2 / k,
 * M = E max_i <g, v_i> for g standard normal in R^k, kappa_d = d / (E chi_d)^2 > 1: X is k coordinates of
 * U_d, and g is the same of chi_d U_d. M does not depend on d. */
#ifndef FQ_BALL_AVERAGES_H
#define FQ_BALL_AVERAGES_H

#include "ball.h"

/* E max of n independent standard normals, 1 <= n <= 2^20, by rigorous integration of
 * 1 - Phi^n - (1-Phi)^n over x > 0. */
fq_ball fq_ball_mean_maximum(fq_balls *w, long n);

/* E max_{j <= k} |g_j|, k >= 1, by rigorous integration of 1 - erf(x/sqrt 2)^k. */
fq_ball fq_ball_mean_largest(fq_balls *w, long k);

/* G of the square antiprism: the cube with its upper face turned by 45 degrees; height > 0 is the ratio
 * of |z| to the distance from the axis (sqrt(1/2) keeps the cube's heights). In polar coordinates the
 * inner integral is elementary and the outer analytic. */
fq_ball fq_ball_antiprism_mean(fq_balls *w, double height);

/* kappa_d = (d/2) Gamma(d/2)^2 / Gamma((d+1)/2)^2. */
fq_ball fq_ball_kappa(fq_balls *w, long d);

/* E|g| = sqrt(2) Gamma((k+1)/2) / Gamma(k/2) for g standard normal in R^k. */
fq_ball fq_ball_chi_mean(fq_balls *w, long k);

/* D = 1 - kappa_d M^2 / k. */
fq_ball fq_ball_equal_norm_distortion(fq_balls *w, long d, long k, fq_ball m);

#endif
