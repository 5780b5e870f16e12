/* Normalised second moments of lattices by Monte Carlo: E |x - nearest|^2 / (n V^{2/n}) for x uniform over a
 * fundamental region, V its volume. An independent check of constants taken from the literature.
 *
 * Nearest points are found exactly, by cosets of Z^n, D_n or A_n (Conway and Sloane, Sphere Packings,
 * chapters 20 and 21):
 *   D_n     whole vectors of even sum: round; if the sum is odd move the coordinate that is least sure
 *   A_n     whole vectors of R^{n+1} of sum zero: round, then correct the sum where it costs least
 *   A_n^r   r cosets of A_n by the glue vectors [t (n+1)/r]; E7* = A_7^4
 *   D_n+    D_n and D_n + (1/2, ..., 1/2), n even; E8 = D_8+.  D_n* = Z^n and Z^n + (1/2, ..., 1/2)
 *   AE9     layers of D_8 and D_8 + (1/2, ..., 1/2) in turn, a = 0.573 apart (Allen and Agrell 2021)
 *   E6*     [g_1] + A_2, [g_2] + A_2, [g_3] + A_2 side by side for the nine glues with g_1 + g_2 + g_3 = 0
 * mod 3 D6 D6   [i] + D_6 beside [j] + D_6 for (i, j) = (0,0), (1,2), (2,3), (3,1); D_6*'s glues: [1] halves
 * of even, [3] of odd sum, [2] whole numbers of odd sum (after Agrell, Pook-Kolb and Allen 2024) L15*    BW16
 * projected along (2, -2, 0, ..., 0), which is shortest: ((c_1 + c_2 + 2 s)/sqrt 2, c_3 + 2 z_3, ...) with s
 * + sum z even BW16    c + 2 z, c in the Reed-Muller code RM(1,4), z in D_16 Leech   m (1, ..., 1) + 2 c + 4
 * z, m = 0 or 1, c in the binary Golay code, sum z of the parity of m
 */
#ifndef FQ_LATTICE_MOMENT_H
#define FQ_LATTICE_MOMENT_H

#include <stdint.h>

#include "status.h"

typedef enum fq_lattice {
    FQ_LATTICE_D,      /* D_n, n >= 2 */
    FQ_LATTICE_D_PLUS, /* n even */
    FQ_LATTICE_D_STAR,
    FQ_LATTICE_COXETER, /* A_n^r */
    FQ_LATTICE_AE9,
    FQ_LATTICE_BW16,
    FQ_LATTICE_LEECH,
    FQ_LATTICE_E6_STAR, /* x[9]: three triples of sum zero */
    FQ_LATTICE_D6_PAIR,
    FQ_LATTICE_L15_DUAL
} fq_lattice;

enum { FQ_LATTICE_DIM_MAX = 24 };

/* |x - nearest|^2 for x[n] (x[n+1] of sum zero for A_n^r, x[9] for E6*). cosets is r for A_n^r, else not
 * used. Cost a few n operations; 32 n for BW16, 8192 n for the Leech lattice. */
double fq_lattice_distance(fq_lattice lattice, size_t n, size_t cosets, const double *x);

/* Estimate and standard error over samples 0..count-1 of (seed, claims). n is 9, 16, 24, 6, 12, 15 from AE9
 * on; at most FQ_LATTICE_DIM_MAX. */
void fq_lattice_moment(double *moment, double *se, fq_lattice lattice, size_t n, size_t cosets, uint64_t seed,
                       uint64_t count);

#endif
