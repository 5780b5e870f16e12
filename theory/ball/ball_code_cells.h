/* D of a codebook of any block from 3 on, enclosed from both sides by parts of the source's ball.
 *
 * With a_i(x) = 2 <x,w_i> - |w_i|^2 and phi = max_i a_i, D = 1 - (d/k) E phi(X). The ball is cut into
 * products of intervals of polar coordinates: x = r u; for u on S^{n-1}, n > 2, u = (sin g u', cos g u'')
 * with u', u'' on spheres of half the dimension each, sin^2 g of law Beta; an angle at n = 2, a sign at n
 * = 1. All of these are independent, so that mass P, mean m and second moments of a part are products of
 * incomplete betas of its ends. phi is convex, and so is (y)_+ = (y + |y|)/2:
 *
 *   E[phi; part] >= P max_i a_i(m)                                                                (Jensen),
 *   E[phi; part] <= P [a_w(m) + sum_{i != w} (y_i + sqrt(y_i^2 + V_i))/2],   a_w(m) = max_i a_i(m),
 *   y_i = a_i(m) - a_w(m),  V_i = variance of a_i(X) - a_w(X) in the part,
 *
 * in which a word that word w beats in the whole part counts nothing. Parts are halved where the two are
 * apart: both sides converge with the square of the parts' size. Moments of intervals are balls, rounded to
 * doubles with their errors; sums of doubles are covered by what the header of ball_code_cells.c adds.
 * Source: derived here. */
#ifndef FQ_BALL_CODE_CELLS_H
#define FQ_BALL_CODE_CELLS_H

#include <stdint.h>

#include "ball.h"

enum { FQ_CELLS_BLOCK_MAX = 8, FQ_CELLS_CODEWORDS_MAX = 4096 };

typedef struct fq_code_enclosure {
    double low, high; /* of D */
    uint64_t parts;
} fq_code_enclosure;

/* words[N][k], every word in the closed unit ball but for rounding, 2 <= k <= FQ_CELLS_BLOCK_MAX, k < d, 1 <=
 * N
 * <= FQ_CELLS_CODEWORDS_MAX, else FQ_ERR_ARGUMENT. Cuts until about `parts` parts are used. The result does
 * not depend on the number of threads. Without Arb an estimate from doubles. Cost about a microsecond a part
 * and word near it. */
FQ_MUST_CHECK fq_status fq_ball_code_cells(fq_code_enclosure *enclosure, size_t d, size_t k, size_t codewords,
                                           const float *words, double parts);

#endif
