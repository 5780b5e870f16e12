/* A lower bound on D that holds for EVERY code of N words in R^k on the source f_{d,k}.
 *
 * For any words w_i and any function c, with a_i = 2 <X,w_i> - |w_i|^2,
 *   max a_i <= c(|X|) + sum_i (a_i - c(|X|))_+,
 * and the law of X is isotropic, so that the i-th term depends on rho = |w_i| alone:
 *   D = 1 - (d/k) E max a_i >= 1 - (d/k) [ E c(R) + N sup_rho H(rho) ],   H(rho) = E (2 rho R U - rho^2 -
 * c(R))_+, R = |X|, U a coordinate of a uniform point of S^{k-1}, 0 <= rho <= 1. Take c piecewise linear
 * between knots r_j. (2 rho r u - rho^2 - c(r))_+ is convex in r on each piece, so its chord is above it, and
 * with the hat functions' means W_j = E hat_j(R) E c(R) = sum W_j c_j,   H(rho) <= sum_j W_j g_j(rho),   g =
 * a M(s/a) - s P(s/a),  a = 2 rho r_j, s = rho^2 + c_j, P(t) = P(U > t), M(t) = E[U; U > t] (g = -s for s <=
 * -a, 0 for s >= a).
 *
 * The best c comes from the dual: for a distribution mu of radii let c_j be such that caps of heights s/a
 * share the sphere, N sum_i mu_i P(s_i/a_j) = 1; then sum W c + N sum mu_i H(rho_i) is below every E c + N
 * sup H, and equal where mu charges only the largest H. mu is found by an interior-point method (Newton steps
 * along barriers). The bound does not rest on mu being best: any c is valid, and ball_every_code.h encloses
 * the supremum for the c found here. As N grows it tends to the high-rate formula with the sphere bound.
 * Source: derived here. */
#ifndef FQ_EVERY_CODE_H
#define FQ_EVERY_CODE_H

#include <stddef.h>

#include "status.h"

enum { FQ_EVERY_CODE_KNOTS = 257, FQ_EVERY_CODE_BLOCK_MAX = 32 };

typedef struct fq_every_code {
    size_t dim, block, codewords;
    double knot[FQ_EVERY_CODE_KNOTS];   /* r_0 = 0 < r_1 < ... < 1 */
    double level[FQ_EVERY_CODE_KNOTS];  /* c_j */
    double weight[FQ_EVERY_CODE_KNOTS]; /* W_j; their sum is 1 */
    double supremum;                    /* largest H found */
    double bound;                       /* D of every code is at least this; error about 1e-9 */
    double dual;                        /* with these knots no c gives more */
} fq_every_code;

/* 2 <= block <= FQ_EVERY_CODE_BLOCK_MAX, block < dim, 2 <= codewords <= 2^20, else FQ_ERR_ARGUMENT. Cost:
 * a third of a second. */
FQ_MUST_CHECK fq_status fq_every_code_init(fq_every_code *code, size_t dim, size_t block, size_t codewords);

/* The bound alone; NaN, and no error, for sizes that fq_every_code_init refuses. */
FQ_MUST_CHECK fq_status fq_every_code_bound(double *bound, size_t dim, size_t block, size_t codewords);

/* P(U > t) and E[U; U > t] for a coordinate of S^{k-1}, k >= 2, |t| <= 1; errors about 1e-15. */
double fq_cap_probability(size_t block, double t);
double fq_cap_moment(size_t block, double t);

/* H at rho with the code's c, by the chords. */
double fq_every_code_excess(const fq_every_code *code, double rho);

#endif
