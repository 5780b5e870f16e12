/* Claim 15. No code of N words in R^k has D below the bound of every_code.h, which holds for every set of
 * words.
 *
 * Check: the bound enclosed in ball arithmetic for the (k, N) of the rate-distortion figure (each by a
 * function c that is found in doubles and need not be trusted); it is above the Shannon bound. Second routes:
 * theory's doubles, and the dual, which no c passes. What the best codes in closed form leave: two words, the
 * triangle and the square (claim 12) lie above it by less than 1e-4 of D, so that they are optimal to that.
 * At high rate it is a share of the limit with the sphere bound, hence of what the best code can have: the
 * convergence that claim 6 does not show from below. Trained codes on fresh samples, beside it. Not covered:
 * whether a code attains it; k = 1, where the optimum is known (claim 8). */
#include <math.h>
#include <stdio.h>

#include "ball_averages.h"
#include "ball_every_code.h"
#include "ball_formulas.h"
#include "claim_balls.h"
#include "code_distortion.h"
#include "gains.h"
#include "source.h"

/* Of the largest H: what the enclosure of the supremum may cost. */
static const double slack = 1e-5;

typedef struct setting {
    long d, k, n;
    const fq_every_code *code;
    double bound; /* its lower end, in rows that follow the enclosure */
    fq_perturbation perturbation;
} setting;

static void above_shannon(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball shannon = fq_ball_shannon_bound(w, p->d, p->k, p->n);
    *left = fq_ball_every_code_bound(w, p->code, slack);
    *right = fq_ball_multiply(w, shannon, fq_ball_double(w, p->perturbation.constant));
}

/* The best code of a few words in closed form, less 1e-4 of it: M = sqrt(2/pi) for two words, 3/(2 sqrt(pi))
 * sqrt(3/2) for the triangle, 2/sqrt(pi) for the square. */
static void nearly_attained(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball m =
        p->n == 2   ? fq_ball_chi_mean(w, 1)
        : p->n == 3 ? fq_ball_multiply(w, fq_ball_sqrt(w, fq_ball_ratio(w, 3, 2)), fq_ball_mean_maximum(w, 3))
                    : fq_ball_mean_largest(w, 2);
    const fq_ball distortion = fq_ball_equal_norm_distortion(w, p->d, p->k, m);
    *left = fq_ball_double(w, p->bound);
    *right = fq_ball_multiply(
        w, distortion,
        fq_ball_multiply(w, fq_ball_ratio(w, 9999, 10000), fq_ball_double(w, p->perturbation.constant)));
}

/* N^{2/k} times the bound over the high-rate limit with the ball for a cell. */
static void share_of_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball limit = fq_ball_high_rate_limit(w, p->d, p->k, fq_ball_sphere_bound(w, p->k));
    const fq_ball power = fq_ball_power(w, fq_ball_integer(w, p->n), fq_ball_ratio(w, 2, p->k));
    *left = fq_ball_divide(w, fq_ball_multiply(w, power, fq_ball_double(w, p->bound)), limit);
    *right = fq_ball_double(w, p->perturbation.constant);
}

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series,
                     const setting *p) {
    fq_evidence_init(row, series, "d=%ld k=%ld N=%ld", p->d, p->k, p->n);
    row->dim = (double)p->d;
    row->block = (double)p->k;
    row->codewords = (double)p->n;
    row->rate = log2((double)p->n) / (double)p->k;
    row->seed = context->seed;
    row->least = 0;
    row->most = 1;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p) {
    fq_evidence row;
    describe(&row, context, series, &p);
    row.relation = relation;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

static fq_status emit_doubles(fq_claim_context *context, const char *series, const setting *p, double left,
                              double left_error, fq_relation relation, double right, double right_error) {
    fq_evidence row;
    describe(&row, context, series, p);
    row.relation = relation;
    row.left = left * context->perturbation.constant;
    row.left_error = left_error;
    row.right = right;
    row.right_error = right_error;
    return fq_claim_emit(context, &row);
}

/* The enclosure, its lower end for the rows that follow, and the numbers it is made of in doubles. */
static fq_status bound_one(fq_claim_context *context, setting *p, fq_every_code *code) {
    FQ_TRY(fq_every_code_init(code, (size_t)p->d, (size_t)p->k, (size_t)p->n));
    fq_evidence row;
    describe(&row, context, "every_code", p);
    row.relation = FQ_RELATION_GREATER;
    p->code = code;
    p->perturbation = context->perturbation;
    FQ_TRY(fq_ball_decide(&row, above_shannon, p, context->precision_cap));
    p->bound = row.left - row.left_error;
    const double error = row.left_error;
    FQ_TRY(fq_claim_emit_decided(context, &row));
    /* What the doubles have, less what the slack costs; sums of a hundred terms, times d N/k. */
    const double scale = (double)p->d / (double)p->k * (double)p->n;
    FQ_TRY(emit_doubles(context, "every_code_in_doubles", p, code->bound - scale * slack * code->supremum,
                        1e-9 + 1e-14 * scale, FQ_RELATION_EQUAL, p->bound, 2 * error));
    return emit_doubles(context, "dual_above", p, code->dual, 1e-9, FQ_RELATION_GREATER, p->bound, 0);
}

static fq_status trained(fq_claim_context *context, const setting *p) {
    fq_code_distortion measured;
    fq_evidence row;
    FQ_TRY(fq_code_distortion_of(&measured, (size_t)p->d, (size_t)p->k, (size_t)p->n, FQ_RECIPE_POPULATION,
                                 0.05, context->seed, context->quick ? 200000 : 1000000));
    describe(&row, context, "trained_above", p);
    fq_evidence_measured(&row, context, measured.distortion, measured.se, measured.samples);
    row.relation = FQ_RELATION_GREATER;
    row.right = p->bound;
    row.right_error = 0;
    FQ_TRY(fq_claim_emit(context, &row));
    describe(&row, context, "trained_gap", p);
    row.verdict = FQ_VERDICT_MEASURED;
    row.samples = measured.samples;
    row.left = measured.distortion / p->bound - 1;
    row.left_error = measured.se / p->bound;
    row.least = -HUGE_VAL;
    return fq_claim_emit(context, &row);
}

static fq_status run(fq_claim_context *context) {
    static const struct {
        long d, k, n;
        bool train;
    } codes[] = {{64, 3, 8, true},      {64, 2, 2, false},   {64, 2, 4, false},    {64, 2, 8, false},
                 {64, 2, 16, true},     {64, 2, 32, false},  {64, 2, 64, true},    {64, 2, 128, false},
                 {64, 2, 256, false},   {64, 3, 2, false},   {64, 3, 64, true},    {64, 3, 512, false},
                 {64, 4, 4, false},     {64, 4, 16, true},   {64, 4, 64, false},   {64, 4, 256, true},
                 {64, 4, 1024, false},  {64, 8, 16, true},   {64, 8, 256, true},   {64, 8, 4096, false},
                 {64, 8, 65536, false}, {64, 16, 16, false}, {64, 16, 256, false}, {128, 2, 16, false},
                 {128, 4, 256, false},  {128, 8, 256, false}};
    static const long small[][2] = {{4, 3}, {8, 3}, {64, 3}, {1024, 3}, {4, 4}, {8, 4}, {64, 4}, {64, 2}};
    fq_every_code code;
    for (size_t i = 0; i < (context->quick ? 1 : sizeof codes / sizeof codes[0]); i++) {
        setting p = {.d = codes[i].d, .k = codes[i].k, .n = codes[i].n};
        FQ_TRY(bound_one(context, &p, &code));
        FQ_TRY(emit(context, "share_of_limit", share_of_limit, FQ_RELATION_LESS, p));
        if (codes[i].train)
            FQ_TRY(trained(context, &p));
    }
    for (size_t i = 0; i < (context->quick ? 1 : sizeof small / sizeof small[0]); i++) {
        setting p = {.d = small[i][0], .k = 2, .n = small[i][1]};
        FQ_TRY(bound_one(context, &p, &code));
        FQ_TRY(emit(context, "nearly_attained", nearly_attained, FQ_RELATION_GREATER, p));
    }
    return FQ_OK;
}

static const fq_series series[] = {
    {"every_code", FQ_PART_STATEMENT, "D that no code of N words in R^k goes below, above the Shannon bound"},
    {"every_code_in_doubles", FQ_PART_CHECK, "the bound in doubles = in balls"},
    {"dual_above", FQ_PART_CHECK,
     "the dual, which no bound of this kind with these knots passes, above the bound"},
    {"share_of_limit", FQ_PART_STATEMENT,
     "N^{2/k} times the bound over the high-rate limit with the sphere bound, below 1"},
    {"nearly_attained", FQ_PART_STATEMENT,
     "the bound, above 0.9999 of D of two words, the triangle or the square: these are optimal to 1e-4"},
    {"trained_above", FQ_PART_PRACTICE, "D of a trained code on fresh samples, above the bound"},
    {"trained_gap", FQ_PART_PRACTICE,
     "D of a trained code over the bound, less 1: what any other code can still gain"},
    {0},
};

const fq_claim fq_claim_every_code = {
    .number = 15,
    .id = "every_code",
    .title = "What no code of N words in a block can beat",
    .statement = "For every code of N words in R^k and every c, D >= 1 - (d/k)[E c(R) + N sup_rho "
                 "E(2 rho X_1 - rho^2 - c(R))_+], which is above the Shannon bound.",
    .domain = "2 <= k < d, N >= 2, every code",
    .citation = "own derivation (numbers/every_code.h)",
    .checked = "The bound for the (k, N) of the rate-distortion figure at d = 64 and some at 128 in ball "
               "arithmetic; that "
               "two words, the triangle and the square are optimal to 1e-4; trained codes beside it.",
    .not_covered = "Whether a code attains it.",
    .series = series,
    .run = run,
};
