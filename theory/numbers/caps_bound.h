/* What no code of B bits can beat on a uniform direction x of S^{d-1}, whatever its words and decoder: the
 * value that 2^B disjoint caps of equal measure would have, if there were such.
 *
 * Let t be the height of a cap of measure 2^-B, P(X_1 > t) = 2^-B for X_1 ~ f_{d,1}.
 *   fixed words   E|x - w_i|^2 over a cell of measure p with <x, w_i/|w_i|> = c in the mean is 1 - 2 |w_i| c
 * + |w_i|^2
 *                 >= 1 - c^2. Of all sets of measure p a cap about w_i has the largest moment M(p) (bathtub
 * principle), so D >= 1 - sum phi(p_i), phi(p) = M(p)^2/p. dM/dp = t, so phi' = 2 s t - s^2 = t^2 - (s -
 * t)^2, s = M/p: the mean excess s - t of a log-concave law falls in t (d >= 3; at d = 2 phi = sin^2(pi
 * p)/(pi^2 p)), hence phi is concave on [0, 1/2]; beyond it lies below its tangent there, M(p)^2 <= 4
 * M(1/2)^2 p (1-p), which is that no half-space but the centred one makes the best two cells (claim 12). So
 * the sum is largest for equal cells:    D >= 1 - m^2,   m = E[X_1 | X_1 > t]. free gain     the decoder also
 * knows <x, u_i> exactly: |x - g u_i|^2 >= 1 - <x,u_i>^2 with a gain that is not negative. The second moment
 * S(p) of the positive part over a cap has dS/dp = max(t, 0)^2, is concave, and in the same way    D >= 1 -
 * E[X_1^2 | X_1 > t],   which is below the former by the variance over a cap. With y = 1 - t^2, a = (d-1)/2
 * and F = 2F1(a + 1/2, 1; a + 1; y): P(X_1 > t) = C_{d,1} y^a t F / (2 a),   m = 1/(t F),   E[X_1^2 | X_1 >
 * t] = (1 + (d-1) t m)/d. Attained by B = 1 (half-spheres), and at d = 2 by evenly spaced words. Source:
 * derived here; for fixed words the argument is Shannon's of 1959 for codes on a sphere. */
#ifndef FQ_CAPS_BOUND_H
#define FQ_CAPS_BOUND_H

#include <stddef.h>

#include "status.h"

typedef struct fq_caps_bound {
    double height;      /* t */
    double fixed_words; /* 1 - m^2 */
    double free_gain;   /* 1 - E[X_1^2 | X_1 > t] */
    double error;       /* of both bounds, an estimate, absolute */
} fq_caps_bound;

/* dim 2 to FQ_DIM_MAX, bits B >= 1 and at most 64 dim (FQ_ERR_ARGUMENT otherwise). D is of unit vectors,
 * which is the program's normalised D. Cost: 100 series of at most 4000 terms. */
FQ_MUST_CHECK fq_status fq_caps_bound_init(fq_caps_bound *bound, size_t dim, double bits);

/* D of the best of all codes of 2^B unit directions and one common length, at most: with independent uniform
 * directions the largest of 2^B cosines has mean 1 - e, e = integral_0^2 (1 - P(X_1 > 1 - u))^{2^B} du, and
 * some code is as good as the mean, so D <= 1 - (1 - e)^2. dim 3 to FQ_DIM_MAX, 1 <= bits <= 64 dim; relative
 * error about 1e-8. */
FQ_MUST_CHECK fq_status fq_random_code_distortion(double *distortion, size_t dim, double bits);

#endif
