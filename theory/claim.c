#include "claim.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FQ_CLAIM(name) extern const fq_claim fq_claim_##name;
#include "claims/claims.def"
#undef FQ_CLAIM

static const fq_claim *const claims[] = {
#define FQ_CLAIM(name) &fq_claim_##name,
#include "claims/claims.def"
#undef FQ_CLAIM
};
enum { CLAIMS = sizeof claims / sizeof claims[0] };

/* Two-sided normal quantile of 1e-9. */
#define STANDARD_ERRORS 6.1

size_t fq_claim_count(void) {
    return CLAIMS;
}

const fq_claim *fq_claim_get(size_t i) {
    return i < CLAIMS ? claims[i] : NULL;
}

const fq_claim *fq_claim_find(const char *id) {
    char *end;
    const long number = strtol(id, &end, 10);
    for (size_t i = 0; i < CLAIMS; i++)
        if (strcmp(claims[i]->id, id) == 0 || (*id && !*end && claims[i]->number == number))
            return claims[i];
    return NULL;
}

const char *fq_relation_sign(fq_relation relation) {
    static const char *const signs[] = {"<", ">", "=", "value"};
    return (unsigned)relation < 4 ? signs[relation] : "?";
}

const char *fq_part_name(fq_part part) {
    static const char *const names[] = {"statement", "check", "practice"};
    return (unsigned)part < FQ_PARTS ? names[part] : "?";
}

const fq_series *fq_claim_series(const fq_claim *claim, const char *name) {
    for (const fq_series *s = claim->series; s && s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void fq_claim_context_init(fq_claim_context *context, uint64_t seed,
                           fq_status (*sink)(void *sink_context, const fq_evidence *row),
                           void *sink_context) {
    *context = (fq_claim_context){.seed = seed,
                                  .precision_cap = 2048,
                                  .perturbation = {1, 0, 0},
                                  .sink = sink,
                                  .sink_context = sink_context,
                                  .last_emit_s = now_s()};
}

void fq_evidence_init(fq_evidence *row, const char *series, const char *parameters_format, ...) {
    const double none = (double)NAN;
    *row = (fq_evidence){.dim = none,
                         .block = none,
                         .codewords = none,
                         .rate = none,
                         .left = none,
                         .right = none,
                         .verdict = FQ_VERDICT_COMPUTED,
                         .relation = FQ_RELATION_REPORT,
                         .tolerance = HUGE_VAL,
                         .least = -HUGE_VAL,
                         .most = HUGE_VAL};
    snprintf(row->series, sizeof row->series, "%s", series);
    va_list arguments;
    va_start(arguments, parameters_format);
    vsnprintf(row->parameters, sizeof row->parameters, parameters_format, arguments);
    va_end(arguments);
}

void fq_evidence_measured(fq_evidence *row, const fq_claim_context *context, double mean, double se,
                          uint64_t samples) {
    row->left = mean + context->perturbation.bias * se * sqrt((double)samples);
    row->left_error = se;
    row->samples = samples;
    row->seed = context->seed;
    row->verdict = FQ_VERDICT_MEASURED;
}

void fq_evidence_widen(fq_evidence *row, double radius) {
    row->left_error = fmax(row->left_error, radius / STANDARD_ERRORS);
}

static fq_verdict compare_order(double gap, double error, fq_verdict holds) {
    if (gap > error)
        return holds;
    /* Equal exact sides refute a strict inequality; equal measurements do not. */
    return gap < -error || (gap <= 0 && error == 0) ? FQ_VERDICT_REFUTED : FQ_VERDICT_UNDECIDED;
}

bool fq_claim_in_range(fq_evidence *row, double error) {
    if (!(row->left - error > row->most || row->left + error < row->least))
        return true;
    row->verdict = FQ_VERDICT_REFUTED;
    row->finding[0] = '\0';
    return false;
}

void fq_claim_compare(fq_evidence *row) {
    const bool measured = row->verdict == FQ_VERDICT_MEASURED;
    const double error = measured ? STANDARD_ERRORS * hypot(row->left_error, row->right_error)
                                  : row->left_error + row->right_error;
    if (!isfinite(row->left) || !isfinite(row->left_error) || row->left_error < 0) {
        row->verdict = FQ_VERDICT_UNDECIDED;
        return;
    }
    if (!fq_claim_in_range(row, measured ? STANDARD_ERRORS * row->left_error : row->left_error))
        return;
    if (row->relation == FQ_RELATION_REPORT)
        return;
    if (!isfinite(row->right) || !isfinite(error)) {
        row->verdict = FQ_VERDICT_UNDECIDED;
        return;
    }
    const double gap = row->right - row->left;
    switch (row->relation) {
    case FQ_RELATION_LESS:
        row->verdict = compare_order(gap, error, row->verdict);
        break;
    case FQ_RELATION_GREATER:
        row->verdict = compare_order(-gap, error, row->verdict);
        break;
    case FQ_RELATION_EQUAL:
        if (fabs(gap) > error)
            row->verdict = FQ_VERDICT_REFUTED;
        else if (row->left_error > row->tolerance || row->right_error > row->tolerance)
            row->verdict = FQ_VERDICT_UNDECIDED;
        break;
    case FQ_RELATION_REPORT:
        break;
    }
}

fq_status fq_claim_emit_decided(fq_claim_context *context, fq_evidence *row) {
    const double now = now_s();
    row->seconds = now - context->last_emit_s;
    context->last_emit_s = now;
    return context->sink(context->sink_context, row);
}

fq_status fq_claim_emit(fq_claim_context *context, fq_evidence *row) {
    fq_claim_compare(row);
    return fq_claim_emit_decided(context, row);
}

void fq_claim_summary_init(fq_claim_summary *summary) {
    *summary = (fq_claim_summary){.verdict = FQ_VERDICT_UNDECIDED};
    for (int part = 0; part < FQ_PARTS; part++)
        summary->part_verdict[part] = FQ_VERDICT_UNDECIDED;
}

/* The verdict on the whole claim from those on its parts. */
static fq_verdict overall(const fq_claim_summary *s) {
    const bool stated = s->part_rows[FQ_PART_STATEMENT] > 0;
    bool any = false;
    fq_verdict verdict = FQ_VERDICT_UNDECIDED;
    for (int part = 0; part < FQ_PARTS; part++) {
        const fq_verdict of_part = s->part_verdict[part];
        if (s->part_rows[part] == 0 ||
            (stated && part != FQ_PART_STATEMENT && of_part < FQ_VERDICT_UNDECIDED))
            continue;
        verdict = any ? fq_verdict_weaker(verdict, of_part) : of_part;
        any = true;
    }
    return verdict;
}

void fq_claim_summary_add(fq_claim_summary *summary, const fq_evidence *row, fq_part part) {
    size_t *const counts[] = {&summary->certified, &summary->computed, &summary->measured,
                              &summary->undecided, &summary->refuted};
    summary->seconds += row->seconds;
    if (row->verdict == FQ_VERDICT_REFUTED && row->finding[0]) {
        summary->exceptions++;
        return;
    }
    if (row->relation == FQ_RELATION_REPORT && row->verdict < FQ_VERDICT_UNDECIDED) {
        summary->values++;
        return;
    }
    summary->unexpected += row->finding[0] && !row->sometimes && row->verdict < FQ_VERDICT_UNDECIDED;
    ++*counts[row->verdict];
    fq_verdict *const verdict = &summary->part_verdict[part];
    *verdict = summary->part_rows[part]++ ? fq_verdict_weaker(*verdict, row->verdict) : row->verdict;
    summary->verdict = overall(summary);
}
