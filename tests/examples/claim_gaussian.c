/* How to add a claim: this file, and the line FQ_CLAIM(gaussian) in theory/claims/claims.def.
 *
 * Claim 99. Of all laws of variance 1/d the Gaussian has the largest entropy, so a coordinate of a random
 * unit vector has less: h(f_{d,1}) < ln(2 pi e / d) / 2.
 *
 * Check: both sides in ball arithmetic. Not covered: d off the grid. */
#include "ball_formulas.h"
#include "claim_balls.h"

typedef struct parameters {
    long d;
    double constant; /* 1; tests make the statement wrong by another */
} parameters;

static void entropies(fq_balls *w, const void *given, fq_ball *left, fq_ball *right) {
    const parameters *const p = given;
    const fq_ball circle = fq_ball_multiply(w, fq_ball_integer(w, 2), fq_ball_pi(w));
    const fq_ball inside =
        fq_ball_divide(w, fq_ball_multiply(w, circle, fq_ball_e(w)), fq_ball_integer(w, p->d));
    *left = fq_ball_entropy(w, p->d, 1);
    *right = fq_ball_multiply(w, fq_ball_divide(w, fq_ball_log(w, inside), fq_ball_integer(w, 2)),
                              fq_ball_double(w, p->constant));
}

static fq_status run(fq_claim_context *context) {
    for (long d = 4; d <= 256; d *= 2) {
        fq_evidence row;
        fq_evidence_init(&row, "entropy_below_gaussian", "d=%ld", d);
        row.dim = (double)d;
        row.block = 1;
        row.relation = FQ_RELATION_LESS;
        FQ_TRY(fq_ball_emit(context, &row, entropies, &(parameters){d, context->perturbation.constant}));
    }
    return FQ_OK;
}

const fq_claim fq_claim_gaussian = {
    .number = 99,
    .id = "gaussian",
    .title = "A coordinate has less entropy than a Gaussian",
    .statement = "h(f_{d,1}) < ln(2 pi e / d) / 2.",
    .domain = "d >= 3",
    .citation = "Cover and Thomas, Elements of Information Theory, theorem 8.6.5",
    .checked = "The inequality for d = 4, 8, ..., 256, in ball arithmetic.",
    .not_covered = "Other d.",
    .run = run,
};
