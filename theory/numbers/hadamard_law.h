/* The exact laws of vectors under two rounds of signs and Hadamard transform, y = H S' H S x / d, d a power
 * of two, S and S' independent diagonal matrices of independent signs.
 *
 * One entry, x a coordinate vector: H S x has entries +-1, so y_i is a sum of d independent signs over d.
 *
 * Squared radius of four neighbouring entries (4i, ..., 4i+3). z = H S x / sqrt(d); these rows of H take
 * their signs from the last two bits of the column times a common sign, and |H_4 t|^2 = 4 |t|^2, so R^2 =
 * (4/d) sum_{c=0..3} T_c^2,   T_c the sum of the d/4 entries +-z_j with j = c modulo 4. A coordinate vector
 * has |z_j| = 1/sqrt(d). x = (0.8, 0, ..., -0.6, 0, ...) with both entries d/2 apart has |z_j| = 1.4/sqrt(d)
 * for half of each class and 0.2/sqrt(d) for the other. Hence R^2 is a whole multiple of `unit` with a
 * probability found by convolution. Source: derived here (FINDINGS F10). */
#ifndef FQ_HADAMARD_LAW_H
#define FQ_HADAMARD_LAW_H

#include <stdbool.h>

#include "source.h"
#include "status.h"

enum { FQ_HADAMARD_BLOCK = 4 };

typedef enum fq_hadamard_input {
    FQ_HADAMARD_ONE_HOT, /* a coordinate vector */
    FQ_HADAMARD_TWO_HOT  /* 0.8 and -0.6, d/2 apart */
} fq_hadamard_input;

/* R^2 = unit m with probability p[m], m = 0..top. Owned: clear it. */
typedef struct fq_hadamard_law {
    size_t top;
    double unit, *p;
} fq_hadamard_law;

/* dim a power of two, 8 to 4096 (ONE_HOT) or 16 to 256 (TWO_HOT), else FQ_ERR_ARGUMENT. Cost: the square of
 * the number of attained values of a pair of classes, about (d/8)^4 at worst. Errors of p: 1e-13 relative. */
FQ_MUST_CHECK fq_status fq_hadamard_law_init(fq_hadamard_law *law, size_t dim, fq_hadamard_input input);
void fq_hadamard_law_clear(fq_hadamard_law *law);

/* sup_r |P(R <= r) - F(r)|, F the radial distribution function of source (block 4). Error about 1e-10. */
double fq_hadamard_law_distance(const fq_hadamard_law *law, const fq_source *source);

/* Kolmogorov's distance of sorted squared radii, in float32 arithmetic, to the law; 1 if one of them is
 * farther than a twentieth of a unit from every multiple of it. */
double fq_hadamard_law_distance_of(const fq_hadamard_law *law, const double *sorted, size_t count);

/* P(s = sum) for s a sum of n independent signs, |sum| <= n of n's parity; relative error 1e-12. */
double fq_sign_sum_probability(long n, long sum);

#endif
