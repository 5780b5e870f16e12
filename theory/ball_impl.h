/* Shared by ball_decide.c and the two arithmetics; nothing else includes it. */
#ifndef FQ_BALL_IMPL_H
#define FQ_BALL_IMPL_H

#include "ball.h"

/* Decimal digits that are certain, "[0.123456789012 +/- 3.2e-20]". */
void fq_ball_text(const fq_balls *w, fq_ball a, char *text, size_t size);

#endif
