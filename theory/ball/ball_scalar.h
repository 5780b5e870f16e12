/* Certified Lloyd-Max quantizers of f_{d,1} with an even number L = 2h of levels.
 *
 * Positive thresholds 0 = p_0 < p_1 < ... < p_h = 1, levels c_i = mean of [p_i, p_{i+1}]. The map T that
 * replaces each inner threshold by the mid-point of the means beside it is monotone: larger thresholds
 * give larger means. If T(low) > low and T(high) < high in every component (certified at exact doubles)
 * then, by Tarski, a fixed point lies in [low, high]; for d >= 3 f_{d,1} is log-concave and the fixed
 * point is the one optimum (Fleischer 1964; d = 3, the uniform law, is log-concave but not strictly: Trushkin
 * 1982). What is said of the optimum below is indeterminate, and decides nothing, for a box that is not
 * certified. */
#ifndef FQ_BALL_SCALAR_H
#define FQ_BALL_SCALAR_H

#include <stdbool.h>

#include "ball.h"

enum { FQ_BALL_HALF_MAX = 128 };

typedef struct fq_scalar_box {
    long d;
    size_t half;                      /* h, 1..FQ_BALL_HALF_MAX */
    double low[FQ_BALL_HALF_MAX + 1]; /* p_0 = 0, ..., p_h = 1 exactly in both */
    double high[FQ_BALL_HALF_MAX + 1];
    bool certified; /* T(low) > low and T(high) < high, both rising: set by the two below; clear it on any
                       change */
} fq_scalar_box;

/* A box of relative width about 1e-9 (1e-7 in a build without Arb) around core's quantizer, certified if its
 * margin is shown to be positive with at most 512 bits. d >= 3. */
FQ_MUST_CHECK fq_status fq_scalar_box_init(fq_scalar_box *box, size_t dim, size_t half);

/* The same with half width `width` (relative to the largest level) about a centre that lies off the quantizer
 * by the part `off` of it, |off| < 1: for showing that enclosures over a wide box hold those over a narrow
 * one. */
FQ_MUST_CHECK fq_status fq_scalar_box_init_wide(fq_scalar_box *box, size_t dim, size_t half, double width,
                                                double off);

/* min over components of T(low) - low and of high - T(high): positive certifies the box. A constant 1
 * if there is no inner threshold. shift is added to every threshold (a wrong statement). */
fq_ball fq_scalar_box_margin(fq_balls *w, const fq_scalar_box *box, double shift);

/* P(p < X < q) and mean of a cell with balls for ends. */
fq_ball fq_ball_cell_probability(fq_balls *w, long d, fq_ball p, fq_ball q);

/* Threshold i and level i as balls that hold the optimal ones. */
fq_ball fq_scalar_box_threshold(fq_balls *w, const fq_scalar_box *box, size_t i);
fq_ball fq_scalar_box_level(fq_balls *w, const fq_scalar_box *box, size_t i);

/* D = 1 - 2d sum M_i^2 / P_i for cells with thresholds p[0..half] and their means as levels. */
fq_ball fq_ball_scalar_distortion(fq_balls *w, long d, size_t half, const fq_ball *p);

/* The optimal D, far narrower than from balls for thresholds: with m a point
 * of the box and t the optimum, D(t) = D(m) + grad D(xi) (t - m) for some xi of the box, and the gradient
 *   dD/dp_i = 2d f(p_i) (c_i - c_{i-1}) (2 p_i - c_{i-1} - c_i)
 * vanishes at the optimum: the width is of second order in the box's. */
fq_ball fq_scalar_box_distortion(fq_balls *w, const fq_scalar_box *box);

#endif
