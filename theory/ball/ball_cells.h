/* Cell constants of the best known lattices as balls, from numbers/cells.def: closed forms where they are
 * known; else published decimals rounded up, which certify a comparison only as far as the literature does
 * (gains.h says which is which). */
#ifndef FQ_BALL_CELLS_H
#define FQ_BALL_CELLS_H

#include "ball.h"
#include "gains.h"

/* Zador's bound is below 1/12, so that some cell beats the cube by it alone, from this k on. */
enum { FQ_ZADOR_GAINS_FROM = 7 };

/* G_k as fq_gains_cell_resting_on chooses it, 1 <= k <= FQ_BLOCK_MAX; a value that decides nothing for other
 * k. */
fq_ball fq_ball_cell(fq_balls *w, long k, fq_cell_basis weakest);

/* Closed forms, from the lattices' definitions and not from the table:
 *   A_n   (1/12 + 1/(6(n+1))) / (n+1)^{1/n}
 *   D_n   (1/12 + 1/(2n(n+1))) / 2^{2/n}: rounding, and where the sum is odd (half of the volume) 1 - 2 E max
 * of n uniform distances D_n*  2^{2/n} [1/12 - E(S - n/2)_+ / (2n)], S a sum of n uniform numbers of [0,1],
 * E(S - n/2)_+ = sum_{j < n/2} (-1)^j C(n,j) (n/2 - j)^{n+1} / (n+1)!, 2 <= n <= 12 */
fq_ball fq_ball_cell_of_a(fq_balls *w, long n);
fq_ball fq_ball_cell_of_d(fq_balls *w, long n);
fq_ball fq_ball_cell_of_d_dual(fq_balls *w, long n);

#endif
