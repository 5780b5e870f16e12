/* Decisions on top of either arithmetic. */
#include "claim_balls.h"

#include <math.h>

fq_status fq_ball_decide(fq_evidence *row, fq_ball_sides sides, const void *parameters, long cap) {
    fq_balls *w = NULL;
    FQ_TRY(fq_balls_create(&w, 64));
    fq_status status = FQ_OK;
    for (long precision = 64;; precision *= 2) {
        fq_balls_reset(w, precision);
        fq_ball left, right;
        sides(w, parameters, &left, &right);
        const bool compared = row->relation != FQ_RELATION_REPORT;
        FQ_TRY_GOTO(status, fq_ball_get(w, left, &row->left, &row->left_error), done);
        if (compared)
            FQ_TRY_GOTO(status, fq_ball_get(w, right, &row->right, &row->right_error), done);
        fq_ball_text(w, left, row->enclosure, sizeof row->enclosure);
        row->precision = fq_ball_verdict() == FQ_VERDICT_CERTIFIED ? precision : 53;
        row->verdict = FQ_VERDICT_UNDECIDED;
        /* Doubles cannot be as narrow as balls. */
        const double tolerance =
            fq_ball_verdict() == FQ_VERDICT_CERTIFIED ? row->tolerance : fmax(row->tolerance, 1e-8);
        const double scale = compared ? fabs(row->right) : fabs(row->left);
        const bool narrow =
            row->left_error <= tolerance * scale && (!compared || row->right_error <= tolerance * scale);
        const int sign = compared ? fq_ball_sign(w, fq_ball_subtract(w, left, right)) : 0;
        const bool usable = isfinite(row->left) && isfinite(row->left_error);
        if (usable && !fq_claim_in_range(row, row->left_error))
            break;
        if (row->relation == FQ_RELATION_REPORT || row->relation == FQ_RELATION_EQUAL) {
            if (sign != 0)
                row->verdict = FQ_VERDICT_REFUTED;
            else if (usable && narrow)
                row->verdict = fq_ball_verdict();
        } else if (sign != 0) {
            const int wanted = row->relation == FQ_RELATION_LESS ? -1 : 1;
            row->verdict = sign == wanted ? fq_ball_verdict() : FQ_VERDICT_REFUTED;
        }
        if (row->verdict != FQ_VERDICT_UNDECIDED || 2 * precision > cap ||
            fq_ball_verdict() != FQ_VERDICT_CERTIFIED)
            break;
    }
done:
    fq_balls_destroy(w);
    return status;
}

fq_status fq_ball_emit(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                       const void *parameters) {
    FQ_TRY(fq_ball_decide(row, sides, parameters, context->precision_cap));
    return fq_claim_emit_decided(context, row);
}

fq_status fq_ball_emit_value(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                             const void *parameters, double value, double error) {
    fq_balls *w = NULL;
    FQ_TRY(fq_balls_create(&w, 128));
    fq_ball left, right;
    sides(w, parameters, &left, &right);
    const fq_status status = fq_ball_get(w, right, &row->right, &row->right_error);
    fq_balls_destroy(w);
    FQ_TRY(status);
    row->left = value;
    row->left_error = error;
    row->relation = FQ_RELATION_EQUAL;
    row->verdict = FQ_VERDICT_COMPUTED;
    return fq_claim_emit(context, row);
}

fq_status fq_ball_emit_widths(fq_claim_context *context, fq_evidence *row, fq_ball_sides sides,
                              const void *parameters) {
    static const long precisions[] = {64, 96, 128, 192, 256, 384, 512};
    const bool balls = fq_ball_verdict() == FQ_VERDICT_CERTIFIED;
    fq_balls *w = NULL;
    FQ_TRY(fq_balls_create(&w, 64));
    fq_status status = FQ_OK;
    for (size_t i = 0; status == FQ_OK && i < (balls ? sizeof precisions / sizeof precisions[0] : 1); i++) {
        fq_ball left, right;
        double value, error;
        fq_balls_reset(w, precisions[i]);
        sides(w, parameters, &left, &right);
        status = fq_ball_get(w, left, &value, &error);
        if (status != FQ_OK)
            break;
        row->relation = FQ_RELATION_REPORT;
        row->left = fq_ball_radius(w, left) / fabs(value);
        row->left_error = 0;
        row->precision = balls ? precisions[i] : 53;
        row->verdict = isfinite(row->left) ? fq_ball_verdict() : FQ_VERDICT_UNDECIDED;
        fq_ball_text(w, left, row->enclosure, sizeof row->enclosure);
        status = fq_claim_emit_decided(context, row);
    }
    fq_balls_destroy(w);
    return status;
}
