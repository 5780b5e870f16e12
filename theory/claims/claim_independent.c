/* Claim 20. Independent unbiased compression. If n workers send one vector x through unbiased compressors
 * with E|C_i(x)
 * - x|^2 = omega |x|^2, the mean of what arrives has the variance omega/n |x|^2 where the compressors are
 * independent, and omega |x|^2 where they share their randomness and so err alike. Codecs with rotations of
 * their own are the first case; one rotation for all, which a cache has, is the second. What that does to
 * ADIANA on a quadratic whose f_i are equal (condition 30, d = 32, f - inf f down to 1e-6 of its start) is
 * measured: rounds with the best of the steps 64 and 512 times the theorem's, each variant tuned by
 * itself, against each other; at the best step of the independent ones the shared ones diverge where omega is
 * large. The extra rounds beyond the uncompressed method's are fitted by a power of omega/sqrt(n); the
 * paper's refined rate has them linear in it, which is not tested against a constant.
 *
 * Check: D of scalar codes from their quantizer; runs with Student's quantiles. A variant that does not reach
 * the target within the most rounds allowed counts as needing those. Not covered: lower bounds on rounds,
 * which come without constants. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>

#include "accelerated.h"
#include "claim.h"
#include "code_distortion.h"
#include "memory.h"
#include "metrics.h"

enum { DIM = 64, SMALL = 32, WORKERS = 16, DRAWS = 6000, MOST = 3000, RUNS = 32, QUICK_RUNS = 8 };

static fq_status emit(fq_claim_context *context, const char *series, const char *name, size_t dim,
                      const double *values, size_t count, fq_relation relation, double right,
                      double right_error) {
    const fq_estimate e = fq_estimate_of(values, count);
    const double student = count > 200 ? 1 : gsl_cdf_tdist_Qinv(5e-7, (double)count - 1) / 6.1;
    fq_evidence row;
    fq_evidence_init(&row, series, "%s", name);
    row.dim = (double)dim;
    fq_evidence_measured(&row, context, e.mean, e.se * student, count);
    row.relation = relation;
    row.right = right * context->perturbation.constant;
    row.right_error = right_error;
    return fq_claim_emit(context, &row);
}

/* |mean C_i(x) - x|^2/|x|^2 over draws, x with falling coordinates. */
static fq_status variance(fq_claim_context *context, const char *name, double omega, size_t n, bool shared,
                          double *values, size_t draws) {
    fq_compressor *c = NULL;
    double *in = NULL, *out = NULL, mean[DIM], square = 0;
    char text[96];
    fq_status status;
    FQ_TRY(fq_compressor_create(&c, name, DIM, NULL));
    FQ_TRY_GOTO(status, fq_alloc(&in, n, DIM * sizeof *in), done);
    FQ_TRY_GOTO(status, fq_alloc(&out, n, DIM * sizeof *out), done);
    for (size_t i = 0; i < n * DIM; i++)
        in[i] = 1.0 / (1.0 + (double)(i % DIM));
    for (size_t i = 0; i < DIM; i++)
        square += in[i] * in[i];
    const fq_messages messages = {.compressor = c,
                                  .form = FQ_COMPRESSOR_UNBIASED,
                                  .dim = DIM,
                                  .part = DIM,
                                  .workers = n,
                                  .shared = shared,
                                  .seed = context->seed,
                                  .team = {.count = n}};
    for (size_t r = 0; r < draws; r++) {
        FQ_TRY_GOTO(status, fq_messages_send(&messages, out, in, r, 0), done);
        memset(mean, 0, sizeof mean);
        fq_messages_add_mean(&messages, mean, 1.0, out);
        values[r] = 0;
        for (size_t i = 0; i < DIM; i++)
            values[r] += (mean[i] - in[i]) * (mean[i] - in[i]) / square;
    }
    snprintf(text, sizeof text, "%s, n=%zu", name, n);
    status = emit(context, shared ? "variance_shared" : "variance_independent", text, DIM, values, draws,
                  FQ_RELATION_EQUAL, shared ? omega : omega / (double)n, 1e-6 * omega);
done:
    fq_free(out);
    fq_free(in);
    fq_compressor_destroy(c);
    return status;
}

/* Rounds of ADIANA to the target, or `most`; the largest excess at the end. */
typedef struct effort {
    double kappa;
    size_t most, runs; /* rounds at most; runs */
    uint64_t seed;
} effort;

static fq_status rounds_of(double rounds[RUNS], double *least_excess, const char *name, size_t n, bool shared,
                           double step, const effort *e) {
    const fq_problem_options options = {.dim = SMALL, .workers = n, .kappa = e->kappa, .seed = e->seed};
    fq_problem problem;
    fq_compressor *c = NULL;
    fq_status status;
    FQ_TRY(fq_problem_create(&problem, &options));
    FQ_TRY_GOTO(status, fq_compressor_create(&c, name, SMALL, NULL), done);
    *least_excess = HUGE_VAL;
    for (size_t r = 0; r < e->runs; r++) {
        const fq_messages messages = {.compressor = c,
                                      .dim = SMALL,
                                      .part = SMALL,
                                      .workers = n,
                                      .shared = shared,
                                      .seed = e->seed,
                                      .run = r,
                                      .team = {.count = n}};
        fq_accelerated_run run;
        FQ_TRY_GOTO(
            status,
            fq_accelerated_run_to(&run, &problem, &messages, FQ_ACCELERATED_ADIANA, step, 1e-6, e->most),
            done);
        rounds[r] = run.reached ? (double)run.rounds : (double)e->most;
        *least_excess = fmin(*least_excess, run.excess);
    }
done:
    fq_compressor_destroy(c);
    fq_problem_clear(&problem);
    return status;
}

/* The better of two steps: rounds of all runs, and the step. */
static fq_status tuned(double best[RUNS], double *step, const char *name, size_t n, bool shared,
                       const effort *e) {
    static const double steps[] = {64, 512};
    double least = HUGE_VAL, excess;
    for (size_t i = 0; i < 2; i++) {
        double rounds[RUNS];
        FQ_TRY(rounds_of(rounds, &excess, name, n, shared, steps[i], e));
        const double mean = fq_estimate_of(rounds, e->runs).mean;
        if (mean < least) {
            least = mean;
            *step = steps[i];
            memcpy(best, rounds, e->runs * sizeof *best);
        }
    }
    return FQ_OK;
}

static fq_status compare(fq_claim_context *context, const char *name, const effort *e) {
    double independent[RUNS], shared[RUNS], step = 0, other = 0;
    char text[96];
    FQ_TRY(tuned(independent, &step, name, WORKERS, false, e));
    FQ_TRY(tuned(shared, &other, name, WORKERS, true, e));
    const fq_estimate other_mean = fq_estimate_of(shared, e->runs);
    snprintf(text, sizeof text, "%s, n=%d, steps %g and %g of the theorem's", name, WORKERS, step, other);
    FQ_TRY(emit(context, "independent_needs_fewer", text, SMALL, independent, e->runs, FQ_RELATION_LESS,
                other_mean.mean, other_mean.se * gsl_cdf_tdist_Qinv(5e-7, (double)e->runs - 1) / 6.1));
    return FQ_OK;
}

/* At 512 times the theorem's step, where independent compressors do best. */
static fq_status diverge(fq_claim_context *context, const char *name, const effort *e) {
    double rounds[RUNS], excess = 0;
    fq_evidence row;
    FQ_TRY(rounds_of(rounds, &excess, name, WORKERS, true, 512, e));
    fq_evidence_init(&row, "shared_diverges", "%s, n=%d, step 512", name, WORKERS);
    row.dim = SMALL;
    row.seed = context->seed;
    row.verdict = FQ_VERDICT_COMPUTED;
    row.relation = FQ_RELATION_GREATER;
    row.left = log10(excess);
    row.left_error = 0;
    row.right = 2 * context->perturbation.constant;
    row.right_error = 0;
    return fq_claim_emit(context, &row);
}

/* log(rounds - rounds at omega = 0) against log(omega/sqrt n), by least squares: the exponent and its error.
 */
static fq_status fit(fq_claim_context *context, const effort *e) {
    static const struct {
        const char *name;
        double omega;
        size_t n;
    } points[] = {{"randk:K=8", 3, 16},  {"randk:K=4", 7, 16}, {"randk:K=2", 15, 16}, {"randk:K=1", 31, 16},
                  {"randk:K=1", 31, 64}, {"randk:K=4", 7, 4},  {"randk:K=8", 3, 4}};
    double x[7], y[7], rounds[RUNS], step = 0, excess = 0, c0, c1, cov00, cov01, cov11, sum;
    const size_t count = context->quick ? 4 : 7;
    FQ_TRY(rounds_of(rounds, &excess, "none", 1, false, 1, e));
    const double plain = rounds[0];
    for (size_t i = 0; i < count; i++) {
        FQ_TRY(tuned(rounds, &step, points[i].name, points[i].n, false, e));
        x[i] = log(points[i].omega / sqrt((double)points[i].n));
        y[i] = log(fq_estimate_of(rounds, e->runs).mean - plain);
    }
    gsl_fit_linear(x, 1, y, 1, count, &c0, &c1, &cov00, &cov01, &cov11, &sum);
    fq_evidence row;
    fq_evidence_init(&row, "extra_rounds_exponent",
                     "%zu points, omega/sqrt(n) from %.2g to %.2g, plain %g rounds", count, exp(x[0]),
                     exp(x[3]), plain);
    row.dim = SMALL;
    fq_evidence_measured(&row, context, c1, sqrt(cov11), count);
    row.relation = FQ_RELATION_REPORT;
    return fq_claim_emit(context, &row);
}

static fq_status run(fq_claim_context *context) {
    static const struct {
        const char *name;
        size_t levels;
    } codes[] = {{"tq:b=1", 2}, {"randk:K=4", 0}, {"tq:b=2", 4}};
    const size_t draws = context->quick ? 400 : DRAWS;
    effort e = {.kappa = 30,
                .most = context->quick ? 1200 : MOST,
                .runs = context->quick ? QUICK_RUNS : RUNS,
                .seed = context->seed};
    double *values = NULL;
    fq_status status = FQ_OK;
    FQ_TRY(fq_alloc(&values, DRAWS, sizeof *values));
    for (size_t i = 0; status == FQ_OK && i < (context->quick ? 2 : 3); i++)
        for (size_t n = 4; status == FQ_OK && n <= 16; n *= 4) {
            double d = 0;
            if (codes[i].levels)
                status = fq_scalar_code_distortion(&d, DIM, codes[i].levels);
            const double omega = codes[i].levels ? d / (1 - d) : DIM / 4.0 - 1;
            for (int shared = 0; status == FQ_OK && shared < 2; shared++)
                status = variance(context, codes[i].name, omega, n, shared != 0, values, draws);
        }
    fq_free(values);
    FQ_TRY(status);
    if (!context->quick)
        FQ_TRY(compare(context, "tq:b=0.25", &e));
    FQ_TRY(compare(context, "randk:K=2", &e));
    FQ_TRY(diverge(context, "randk:K=1", &e));
    e.runs = context->quick ? 1 : 3;
    return fit(context, &e);
}

static const fq_series series[] = {
    {"variance_independent", FQ_PART_STATEMENT,
     "|mean C_i(x) - x|^2/|x|^2 over independent compressors = omega/n"},
    {"variance_shared", FQ_PART_STATEMENT,
     "|mean C_i(x) - x|^2/|x|^2 over compressors that share randomness = omega"},
    {"independent_needs_fewer", FQ_PART_STATEMENT,
     "rounds of ADIANA to 1e-6 with independent compressors, below those with shared ones, each at its best "
     "step"},
    {"shared_diverges", FQ_PART_STATEMENT,
     "log10 of how far f - inf f grows with shared compressors at the independent ones' best step, above 2"},
    {"extra_rounds_exponent", FQ_PART_PRACTICE,
     "exponent s of rounds - plain rounds ~ (omega/sqrt n)^s, least squares"},
    {0},
};

const fq_claim fq_claim_independent = {
    .number = 20,
    .id = "independent",
    .title = "Independent compressors average out, shared ones do not",
    .statement =
        "The mean of n equal vectors sent through unbiased compressors has variance omega/n if these are "
        "independent and omega if they share their randomness; ADIANA then needs more rounds, or diverges.",
    .domain =
        "compressors with E|C(x)-x|^2 = omega|x|^2; rounds: a quadratic of condition 30, d = 32, n = 16",
    .citation = "He, Huang, Yuan 2023 (arXiv 2305.16297); Li, Kovalev, Qian, Richtarik 2020; on codecs: own "
                "derivation",
    .checked = "Variances by samples; rounds by runs, steps tuned over a grid for each variant.",
    .not_covered = "Lower bounds on rounds; the refined rate's constants.",
    .series = series,
    .run = run,
};
