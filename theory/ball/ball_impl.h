/* Shared by the files that make balls; nothing else includes it. */
#ifndef FQ_BALL_IMPL_H
#define FQ_BALL_IMPL_H

#include "ball.h"

#if !FQ_HAVE_ARB
/* A value with a given error estimate. */
fq_ball fq_ball_with_error(fq_balls *w, double value, double error);
#endif

#endif
