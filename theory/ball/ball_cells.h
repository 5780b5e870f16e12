/* Cell constants of the best known lattices as balls, from numbers/cells.def: closed forms where they are
 * known; else published decimals rounded up, which certify a comparison only as far as the literature does
 * (fq_gains_best_cell says which is which). */
#ifndef FQ_BALL_CELLS_H
#define FQ_BALL_CELLS_H

#include "ball.h"

/* Zador's bound is below 1/12, so that some cell beats the cube by it alone, from this k on. */
enum { FQ_ZADOR_GAINS_FROM = 7 };

/* G_k as fq_gains_best_cell chooses it, 1 <= k <= FQ_BLOCK_MAX; a value that decides nothing for
 * other k. */
fq_ball fq_ball_best_cell(fq_balls *w, long k);

#endif
