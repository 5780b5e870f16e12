/* Comparisons decided in ball arithmetic, as rows of evidence. */
#ifndef FQ_CLAIM_BALLS_H
#define FQ_CLAIM_BALLS_H

#include "ball.h"
#include "claim.h"

/* A comparison to decide: makes both sides at the workspace's precision. */
typedef void (*fq_ball_sides)(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right);

/* Fills row (relation set by the caller; for EQUAL also tolerance, relative to the right side) with
 * both sides, enclosure and verdict, raising the precision from 64 bits by factors of two until the
 * relation is decided or cap is passed. The decision is taken on the balls, not on their doubles. */
FQ_MUST_CHECK fq_status fq_ball_decide(fq_evidence *row, fq_ball_sides sides, const void *parameters,
                                       long cap);

/* For figures: a row "enclosure_width" for each precision of 64, 96, 128, 192, ... bits up to 512 (without
 * Arb one row, of 53): left is the radius of the left side over its magnitude, parameters name the
 * quantity. row has dim, block and rate set; it is used up. */
FQ_MUST_CHECK fq_status fq_ball_emit_widths(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                                            const void *parameters);

/* An equality of a number found in doubles by another route, value with its error estimate, with the right
 * side that sides makes (its left side is not used): computed, emitted. */
FQ_MUST_CHECK fq_status fq_ball_emit_value(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                                           const void *parameters, double value, double error);

/* Decide, then emit. */
FQ_MUST_CHECK fq_status fq_ball_emit(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                                     const void *parameters);

#endif
