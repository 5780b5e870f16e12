/* How a cost grows: the exponent of a power law through measured points. */
#ifndef FQ_BENCH_SLOPE_H
#define FQ_BENCH_SLOPE_H

#include <stddef.h>

/* Least-squares slope of ln y on ln x for positive x[n], y[n]; NaN for fewer than two different x. */
double fq_bench_slope(const double *x, const double *y, size_t n);

#endif
