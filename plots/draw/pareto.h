/* The points of a cloud that no other point beats. */
#ifndef FQ_PARETO_H
#define FQ_PARETO_H

#include <stddef.h>

/* More x is better, and more y is better; se belongs to y. */
typedef struct fq_curve_point {
    double x, y, se;
} fq_curve_point;

/* Going down from the greatest y, keeps a point if (1 - slack) times its x is more than the x of all kept
 * before it: with slack = 0 those that no other point beats (of equal points one), with a larger one not
 * those that pay y for a little x either. The kept ones stand in front, x rising and y falling; returns how
 * many. x >= 0, 0 <= slack < 1; NaN in x or y drops a point. */
size_t fq_pareto(fq_curve_point *points, size_t n, double slack);

#endif
