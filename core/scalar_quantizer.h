/* The Lloyd-Max quantizer of f_{d,1}, the law of one coordinate of a uniform point on S^{d-1}.
 *
 * L levels c_0 < ... < c_{L-1} in (-1,1), thresholds t_i = (c_i + c_{i+1})/2, each level the mean of
 * its cell. f_{d,1} is log-concave for d >= 3, so the stationary point is unique and optimal
 * (Fleischer 1964); at d = 2 the law (arcsine) is log-convex and what is found is stationary only.
 * Masses and means of cells come from Gauss-Legendre quadrature, those of the outermost cell from
 * closed forms. Source: TurboQuant, arXiv 2504.19874.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_SCALAR_QUANTIZER_H
#define FQ_SCALAR_QUANTIZER_H

#include "size_limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_scalar_quantizer {
    size_t dim, levels;
    double *level;     /* [levels], rising, symmetric about 0; owned */
    double *threshold; /* [levels-1], rising; owned; NULL if levels = 1 */
    double distortion; /* D = d E(X - Q(X))^2, so D = 1 at one level */
} fq_scalar_quantizer;

/* 2 <= dim <= FQ_DIM_MAX, 1 <= levels <= FQ_LEVELS_MAX. Newton's method on the thresholds from
 * Bennett's companding start, safeguarded by Lloyd steps; levels accurate to 1e-12 of their spacing's
 * scale. Cost about 10 tridiagonal solves of size levels/2. FQ_ERR_CONVERGENCE should never be seen. */
FQ_MUST_CHECK fq_status fq_scalar_quantizer_init(fq_scalar_quantizer *quantizer, size_t dim, size_t levels);
void fq_scalar_quantizer_clear(fq_scalar_quantizer *quantizer); /* accepts one that is all zero */

/* The index of x's cell: the number of thresholds below x (a value on a threshold goes down). */
size_t fq_scalar_quantizer_index(const fq_scalar_quantizer *quantizer, double x);

/* P(a < X < b) and E[X; a < X < b] for 0 <= a <= b <= 1, without cancellation in the tail. */
double fq_scalar_cell_probability(size_t dim, double a, double b);
double fq_scalar_cell_moment(size_t dim, double a, double b);

#ifdef __cplusplus
}
#endif
#endif
