/* The points of a cloud that no other point beats. */
#ifndef FQ_PARETO_H
#define FQ_PARETO_H

#include <stddef.h>

/* More x is better, and more y is better; se belongs to y. */
typedef struct fq_curve_point {
    double x, y, se;
} fq_curve_point;

/* Sorts points[n] by rising x and keeps, in front, those for which no other point has as much x and as much y
 * (of equal points one); returns how many. NaN in x or y drops a point. */
size_t fq_pareto(fq_curve_point *points, size_t n);

#endif
