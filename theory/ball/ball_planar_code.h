/* D of a planar codebook, enclosed from both sides to the working precision.
 *
 * With a_i(x) = 2 <x,w_i> - |w_i|^2 and phi = max_i a_i, D = 1 - (d/2) E phi(X) for X of law f_{d,2}. phi is
 * linear on each word's cell; on a piece of line between the cells of w_i and w_j, at distance h from 0, its
 * gradient jumps by 2 |w_i - w_j|. The divergence theorem on every cell, with the fields whose divergences
 * are f and x f, gives for d even or odd
 *
 *   E phi = -min_i |w_i|^2 + sum over pieces 2 |w_i - w_j| integral g(r) l^2 / r^2 dl,
 *   g(r) = (1 - r^2)^{(d-2)/2} / (2 pi),   r^2 = h^2 + l^2,
 *
 * l along the line from its foot point. The piece of a pair of words is an interval whose ends are quotients
 * of numbers exact in the words; a pair whose piece cannot be shown to be empty counts with what it may have
 * at most, so that nothing rests on a list of cells. The integral from 0 to l is, with p = sqrt(1 - r^2),
 * s^2 = 1 - h^2 and c_m = integral of (1 - h^2 - l^2)^{(m-1)/2} dl,
 *   [c_{d-1} - h atan2(l, h) + h^2 sum_{m=1,3..d-3} c_m] / (2 pi)                  for even d,
 *   [c_{d-1} - h atan2(l, h p) + h^2 sum_{m=0,2..d-3} c_m] / (2 pi)               for odd d,
 *   m c_m = p^{m-1} l + (m-1) s^2 c_{m-2},  c_0 = atan2(l, p),  c_1 = l.
 * Source: derived here. */
#ifndef FQ_BALL_PLANAR_CODE_H
#define FQ_BALL_PLANAR_CODE_H

#include "ball.h"

enum { FQ_PLANAR_CODEWORDS_MAX = 4096 };

/* words[N][2], 1 <= N <= FQ_PLANAR_CODEWORDS_MAX, every word in the closed unit ball but for rounding; d
 * >= 3. Two words may be equal. At 128 bits the radius is about 1e-35. Cost about N^2 microseconds. A build
 * without Arb gives a value that decides nothing. */
fq_ball fq_ball_planar_code_distortion(fq_balls *w, long d, size_t codewords, const float *words);

#endif
