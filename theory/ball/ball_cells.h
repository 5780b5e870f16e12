/* Cell constants of the best known lattices as balls: closed forms where they are known, else the
 * published decimal as an exact upper bound (rounded up; the Leech lattice's is a Monte Carlo
 * estimate, 0.065771 + 0.000074). */
#ifndef FQ_BALL_CELLS_H
#define FQ_BALL_CELLS_H

#include "ball.h"

/* Zador's bound is below 1/12, so that some cell beats the cube by it alone, from this k on. */
enum { FQ_ZADOR_GAINS_FROM = 7 };

/* G_k as fq_gains_best_cell chooses it, 1 <= k <= FQ_BLOCK_MAX; a value that decides nothing for
 * other k. */
fq_ball fq_ball_best_cell(fq_balls *w, long k);

#endif
