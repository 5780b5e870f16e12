/* Functions of small symmetric matrices, in double, row-major. */
#ifndef FQ_SYMMETRIC_H
#define FQ_SYMMETRIC_H

#include "status.h"

/* power[n][n] = V diag(max(w_i, 10^-12 max w)^p) V^T of a = V diag(w) V^T, symmetric, not all zero or below;
 * Jacobi's method, relative errors of some 1e-13 of the largest. power may be a. Cost about 50 n^3 flops. */
FQ_MUST_CHECK fq_status fq_symmetric_power(double *power, const double *a, size_t n, double p);

/* The geometric mean a # b = a^(1/2) (a^(-1/2) b a^(-1/2))^(1/2) a^(1/2) of two positive definite matrices:
 * the one solution P of P a^(-1) P = b. */
FQ_MUST_CHECK fq_status fq_symmetric_mean(double *mean, const double *a, const double *b, size_t n);

#endif
