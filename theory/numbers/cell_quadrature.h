/* Moments of one coordinate X of a uniform point on S^{d-1} over an interval, by Gauss rules alone: a second
 * route to what incomplete beta functions and closed forms give.
 *
 * With X = sin s the density is cos^{d-2} s over its integral; panels of width 1/sqrt(d) at most have 16
 * nodes each, as far as 16/sqrt(d) beyond the end nearer to 0, where the rest is below 1e-50 of the interval.
 */
#ifndef FQ_CELL_QUADRATURE_H
#define FQ_CELL_QUADRATURE_H

#include <stddef.h>

typedef struct fq_cell_moments {
    double probability, first, second; /* P(a < X < b), E[X; a < X < b], E[X^2; a < X < b] */
} fq_cell_moments;

/* 0 <= a < b <= 1, dim >= 2; relative error about 1e-13. NaN if memory is short. */
fq_cell_moments fq_cell_by_quadrature(size_t dim, double a, double b);

/* E[X | X > t], 0 <= t < 1. */
double fq_mean_beyond_by_quadrature(size_t dim, double t);

/* D = E (X - Q)^2 / E X^2 of the code with thresholds 0 = t[0] < ... < t[half] = 1 and their mirror images
 * whose levels are the cells' means, summed over the cells. */
double fq_distortion_by_quadrature(size_t dim, size_t half, const double *t);

#endif
