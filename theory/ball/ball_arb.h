/* Arb's headers, and the Arb value behind a handle. Only for files that add integrals to ball.h. */
#ifndef FQ_BALL_ARB_H
#define FQ_BALL_ARB_H

#include "ball.h"

#if FQ_ARB_IN_FLINT
#include <flint/acb.h>
#include <flint/acb_calc.h>
#include <flint/acb_hypgeom.h>
#include <flint/arb.h>
#include <flint/arb_hypgeom.h>
#else
#include <acb.h>
#include <acb_calc.h>
#include <acb_hypgeom.h>
#include <arb.h>
#include <arb_hypgeom.h>
#endif

/* A new value, zero or what it was before a reset: set it. */
fq_ball fq_ball_fresh(fq_balls *w);

/* Good until the next value is made. */
arb_ptr fq_ball_raw(const fq_balls *w, fq_ball a);

#endif
