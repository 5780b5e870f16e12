/* Claim 18. Error feedback with contractive compressors (error_feedback.h has the methods, theorems and
 * constants), and why it takes momentum where gradients are stochastic.
 *
 *   one step of EF21     E|g'-v'|^2 <= (1-theta)|g-v|^2 + beta|v'-v|^2: with u = v' - g = (v-g) + (v'-v),
 * E|g'-v'|^2 <= (1-alpha)|u|^2 and |a+b|^2 <= (1+t)|a|^2 + (1+1/t)|b|^2 at t = 1/sqrt(1-alpha) - 1; both are
 *                        equalities at b = t a for compressors that are (codecs, Rand-K)
 *   potential, mean gradient of EF21, lemmas and bound with momentum: as in error_feedback.h
 *   the stall            f = |x|^2/2 in R^2, Top-1, noise of three points: EF21-SGD's E|grad f|^2 does not
 * tend to 0 with the step, EF21-SGDM's (eta = 7 gamma) does, and so does EF21-SGD's with a rotated codec: no
 * floor is seen over the steps run
 *
 * Why a codec has no floor [derived]: in the frame of x - x*, the stationary law of EF21-SGD with an
 * isotropic compressor E C(u) = s u has mean x with mean g = 0 and mean v = mean x - x*; the mean of g' = g +
 * C(v' - g) gives s mean(v' - g) = 0, so that mean x = x*: linearity of E C is what Top-K lacks. The variance
 * is what is left, and falls with gamma.
 *
 * Check: the lemmas at random vectors, the theorems by runs on made problems, means over runs with Student's
 * quantiles. Not covered: EF14's rates; the step sizes of the EF21-SGDM paper, whose text was not at hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "claim.h"
#include "error_feedback.h"
#include "memory.h"
#include "metrics.h"
#include "stream_ranges.h"

enum { DIM = 64, WORKERS = 4, DRAWS_MOST = 6000, RUNS = 16 };

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series, size_t dim,
                     const char *name) {
    fq_evidence_init(row, series, "%s", name);
    row->dim = (double)dim;
    row->seed = context->seed;
}

/* Means over few runs: a normal comparison of 6.1 standard errors is widened to Student's two-sided 1e-6. */
static double widened(double se, size_t runs) {
    return runs > 1000 ? se : se * gsl_cdf_tdist_Qinv(5e-7, (double)runs - 1) / 6.1;
}

static fq_status emit(fq_claim_context *context, fq_evidence *row, const double *values, size_t count,
                      fq_relation relation, double right) {
    const fq_estimate e = fq_estimate_of(values, count);
    fq_evidence_measured(row, context, e.mean, widened(e.se, count), count);
    row->relation = relation;
    row->right = relation == FQ_RELATION_REPORT ? (double)NAN : right * context->perturbation.constant;
    row->right_error = 0;
    return fq_claim_emit(context, row);
}

/* |C(u) - u|^2 for u = v' - g, draws times, over the right side of the one-step inequality. */
static fq_status one_step(fq_claim_context *context, const char *name, bool tight, double *ratio,
                          size_t draws, fq_stream *stream) {
    fq_compressor *c = NULL;
    double a[DIM], b[DIM], u[DIM], sent[DIM], theta, beta, first = 0, second = 0;
    fq_status status = FQ_OK;
    FQ_TRY(fq_compressor_create(&c, name, DIM, NULL));
    const fq_compressor_about about = fq_compressor_get_about(c);
    fq_feedback_constants(about.alpha, &theta, &beta);
    for (size_t i = 0; i < DIM; i++) {
        a[i] = fq_stream_normal(stream);
        b[i] = tight ? a[i] * (1 / sqrt(1 - about.alpha) - 1) : fq_stream_normal(stream);
        u[i] = a[i] + b[i];
        first += a[i] * a[i];
        second += b[i] * b[i];
    }
    const double right = (1 - theta) * first + beta * second;
    for (uint64_t r = 0; status == FQ_OK && r < draws; r++) {
        status = fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, sent, u, 1, context->seed, &r);
        ratio[r] = 0;
        for (size_t i = 0; i < DIM; i++)
            ratio[r] += (sent[i] - u[i]) * (sent[i] - u[i]) / right;
    }
    fq_compressor_destroy(c);
    FQ_TRY(status);
    fq_evidence row;
    describe(&row, context, tight ? "one_step_attained" : "one_step", DIM, name);
    return emit(context, &row, ratio, draws, tight ? FQ_RELATION_EQUAL : FQ_RELATION_LESS, 1);
}

/* One random state and step of EF21-SGDM for the three lemmas. */
typedef struct state {
    const fq_problem *problem;
    double x[DIM], next[DIM], moved;                              /* R */
    double v[WORKERS * DIM], g[WORKERS * DIM], to[WORKERS * DIM]; /* v_i, g_i, grad f_i(x') */
    double compression, mean, workers;                            /* V, P, P~ at x */
} state;

static double square_of(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* |mean a_i - mean b_i|^2. */
static double mean_square(const double *a, const double *b) {
    double sum = 0;
    for (size_t i = 0; i < DIM; i++) {
        double mean = 0;
        for (size_t w = 0; w < WORKERS; w++)
            mean += (a[w * DIM + i] - b[w * DIM + i]) / WORKERS;
        sum += mean * mean;
    }
    return sum;
}

static void draw_state(state *s, fq_stream *stream) {
    double at[WORKERS * DIM];
    const double step = exp(2 * fq_stream_normal(stream)), off = exp(2 * fq_stream_normal(stream));
    for (size_t i = 0; i < DIM; i++) {
        s->x[i] = fq_stream_normal(stream);
        s->next[i] = s->x[i] + 0.1 * step * fq_stream_normal(stream);
    }
    for (size_t w = 0; w < WORKERS; w++) {
        fq_problem_gradient(s->problem, w, s->x, at + w * DIM);
        fq_problem_gradient(s->problem, w, s->next, s->to + w * DIM);
        for (size_t i = w * DIM; i < (w + 1) * DIM; i++) {
            s->v[i] = at[i] + 0.1 * off * fq_stream_normal(stream);
            s->g[i] = s->v[i] + 0.1 * fq_stream_normal(stream);
        }
    }
    s->moved = square_of(s->x, s->next, DIM);
    s->compression = square_of(s->g, s->v, WORKERS * DIM) / WORKERS;
    s->mean = mean_square(s->v, at);
    s->workers = square_of(s->v, at, WORKERS * DIM) / WORKERS;
}

/* V' of one draw of noise and compressors over its bound. */
static fq_status momentum_step(double *ratio, const state *s, const fq_messages *messages, double eta,
                               double alpha, fq_stream *stream, size_t round) {
    double v[WORKERS * DIM], change[WORKERS * DIM], sent[WORKERS * DIM], noisy[DIM];
    const fq_problem *p = s->problem;
    const double noise = p->of.noise * p->of.noise;
    for (size_t w = 0; w < WORKERS; w++) {
        memcpy(noisy, s->to + w * DIM, sizeof noisy);
        fq_problem_add_noise(p, noisy, stream);
        for (size_t i = 0; i < DIM; i++) {
            v[w * DIM + i] = (1 - eta) * s->v[w * DIM + i] + eta * noisy[i];
            change[w * DIM + i] = v[w * DIM + i] - s->g[w * DIM + i];
        }
    }
    FQ_TRY(fq_messages_send(messages, sent, change, round, 0));
    *ratio = square_of(sent, change, WORKERS * DIM) / WORKERS /
             ((1 - alpha / 2) * s->compression + 4 * eta * eta / alpha * s->workers +
              4 * p->smooth_mean * p->smooth_mean * eta * eta / alpha * s->moved + eta * eta * noise);
    return FQ_OK;
}

/* The noise adds eta^2 sigma^2/n and eta^2 sigma^2 to both sides of the lemmas on P and P~; what is left of
 * them is of vectors that are given: P' and P~' without noise over their bounds. */
static void momentum_without_noise(double ratio[2], const state *s, double eta) {
    const fq_problem *p = s->problem;
    const double stays = (1 - eta) * (1 - eta);
    ratio[0] =
        stays * mean_square(s->v, s->to) / ((1 - eta) * s->mean + p->smooth * p->smooth / eta * s->moved);
    ratio[1] = stays * square_of(s->v, s->to, WORKERS * DIM) / WORKERS /
               ((1 - eta) * s->workers + p->smooth_mean * p->smooth_mean / eta * s->moved);
}

static fq_status run_lemmas(fq_claim_context *context, double *values, size_t draws, fq_stream *stream) {
    static const char *const series[] = {"momentum_compression", "momentum_mean", "momentum_workers"};
    static const double etas[] = {0.05, 0.3, 1};
    const fq_problem_options options = {
        .dim = DIM, .workers = WORKERS, .kappa = 100, .spread = 1, .noise = 1, .seed = context->seed};
    fq_problem problem;
    fq_compressor *c = NULL;
    fq_status status;
    state *s = NULL;
    FQ_TRY(fq_problem_create(&problem, &options));
    FQ_TRY_GOTO(status, fq_alloc(&s, 1, sizeof *s), done);
    FQ_TRY_GOTO(status, fq_compressor_create(&c, "tq:b=1", DIM, NULL), done);
    s->problem = &problem;
    const fq_messages messages = {.compressor = c,
                                  .dim = DIM,
                                  .part = DIM,
                                  .workers = WORKERS,
                                  .seed = context->seed,
                                  .team = {.count = WORKERS}};
    const double alpha = fq_compressor_get_about(c).alpha;
    for (size_t i = 0; i < (context->quick ? 3 : 12); i++) {
        const double eta = etas[i % 3];
        draw_state(s, stream);
        for (size_t r = 0; r < draws; r++)
            FQ_TRY_GOTO(status, momentum_step(&values[r], s, &messages, eta, alpha, stream, r), done);
        double ratio[2];
        momentum_without_noise(ratio, s, eta);
        for (size_t k = 0; k < 3; k++) {
            char name[64];
            fq_evidence row;
            snprintf(name, sizeof name, "tq:b=1, eta=%g, state %zu", eta, i);
            describe(&row, context, series[k], DIM, name);
            if (k == 0) {
                FQ_TRY_GOTO(status, emit(context, &row, values, draws, FQ_RELATION_LESS, 1), done);
                continue;
            }
            row.verdict = FQ_VERDICT_COMPUTED;
            row.relation = FQ_RELATION_LESS;
            row.left = ratio[k - 1];
            row.left_error = 1e-12;
            row.right = context->perturbation.constant;
            row.right_error = 0;
            FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
        }
    }
done:
    fq_compressor_destroy(c);
    fq_free(s);
    fq_problem_clear(&problem);
    return status;
}

/* What a run is, and what it gives: the mean of |grad f|^2 over all rounds, over the later half, Psi at the
 * end. */
typedef struct trial {
    fq_problem_options problem;
    fq_feedback_method method;
    const char *compressor;
    double gamma, eta; /* gamma 0: the theorem's */
    bool strongly;
    size_t rounds;
} trial;

typedef struct trial_result {
    double all[RUNS], late[RUNS], potential[RUNS];
    double gamma, alpha, start, convex; /* start: f(x_0) - inf f */
} trial_result;

static fq_status run_trial(trial_result *result, const trial *t, uint64_t seed, size_t runs) {
    fq_problem problem;
    fq_compressor *c = NULL;
    fq_feedback f = {0};
    const size_t d = t->problem.dim;
    double full[DIM], work[DIM], theta, beta;
    fq_status status = FQ_OK;
    FQ_TRY(fq_problem_create(&problem, &t->problem));
    FQ_TRY_GOTO(status, fq_compressor_create(&c, t->compressor, d, NULL), done);
    const fq_compressor_about about = fq_compressor_get_about(c);
    result->alpha = about.alpha;
    result->convex = problem.convex;
    result->start = fq_problem_value(&problem, problem.start) - problem.least;
    result->gamma =
        t->gamma > 0 ? t->gamma : fq_feedback_step_size(&problem, t->method, &about, t->eta, t->strongly);
    fq_feedback_constants(about.alpha, &theta, &beta);
    for (size_t r = 0; r < runs; r++) {
        const fq_messages messages = {.compressor = c,
                                      .dim = d,
                                      .part = d,
                                      .workers = t->problem.workers,
                                      .seed = seed,
                                      .run = r,
                                      .team = {.count = t->problem.workers}};
        double sum = 0, late = 0;
        FQ_TRY_GOTO(status, fq_feedback_create(&f, &problem, &messages, t->method, result->gamma, t->eta),
                    done);
        for (size_t round = 0; round < t->rounds; round++) {
            fq_problem_full_gradient(&problem, f.x, full, work);
            double square = 0;
            for (size_t i = 0; i < d; i++)
                square += full[i] * full[i];
            sum += square;
            late += round >= t->rounds / 2 ? square : 0;
            FQ_TRY_GOTO(status, fq_feedback_step(&f), done);
        }
        result->all[r] = sum / (double)t->rounds;
        result->late[r] = late / (double)(t->rounds - t->rounds / 2);
        result->potential[r] = fq_problem_value(&problem, f.x) - problem.least +
                               result->gamma / theta * fq_feedback_measure(&f, work).compression;
        fq_feedback_clear(&f);
    }
done:
    fq_feedback_clear(&f);
    fq_compressor_destroy(c);
    fq_problem_clear(&problem);
    return status;
}

static fq_status run_theorems(fq_claim_context *context, trial_result *result) {
    static const char *const compressors[] = {"tq:b=1", "topk:K=4", "tq:b=2", "randk:K=8", "sign"};
    static const size_t rounds[] = {1, 10, 100, 300};
    static const double etas[] = {0.05, 0.2};
    fq_evidence row;
    char name[96];
    for (size_t i = 0; i < (context->quick ? 2 : 5); i++) {
        for (size_t j = 0; j < (context->quick ? 2 : 4); j++) {
            const trial t = {
                .problem = {.dim = DIM, .workers = WORKERS, .kappa = 100, .spread = 1, .seed = context->seed},
                .method = FQ_FEEDBACK_EF21,
                .compressor = compressors[i],
                .strongly = true,
                .rounds = rounds[j]};
            FQ_TRY(run_trial(result, &t, context->seed, RUNS));
            const double fall = pow(1 - result->gamma * result->convex, (double)rounds[j]);
            snprintf(name, sizeof name, "%s, kappa=100, t=%zu", compressors[i], rounds[j]);
            describe(&row, context, "potential_falls", DIM, name);
            FQ_TRY(emit(context, &row, result->potential, RUNS, FQ_RELATION_LESS, fall * result->start));
        }
        const trial t = {
            .problem = {.kind = FQ_PROBLEM_LOGISTIC, .dim = DIM, .workers = WORKERS, .seed = context->seed},
            .method = FQ_FEEDBACK_EF21,
            .compressor = compressors[i],
            .rounds = context->quick ? 50 : 400};
        FQ_TRY(run_trial(result, &t, context->seed, context->quick ? 8 : RUNS));
        snprintf(name, sizeof name, "%s, logistic, T=%zu", compressors[i], t.rounds);
        describe(&row, context, "mean_gradient_bound", DIM, name);
        FQ_TRY(emit(context, &row, result->all, context->quick ? 8 : RUNS, FQ_RELATION_LESS,
                    2 * result->start / (result->gamma * (double)t.rounds)));
    }
    for (size_t i = 0; i < 2; i++) {
        const trial t = {.problem = {.dim = DIM,
                                     .workers = WORKERS,
                                     .kappa = 100,
                                     .spread = 1,
                                     .noise = 1,
                                     .seed = context->seed},
                         .method = FQ_FEEDBACK_EF21_SGDM,
                         .compressor = "tq:b=1",
                         .eta = etas[i],
                         .rounds = context->quick ? 100 : 1500};
        const size_t runs = context->quick ? 6 : RUNS;
        FQ_TRY(run_trial(result, &t, context->seed, runs));
        const double a = result->alpha, eta = etas[i], gamma = result->gamma,
                     start = result->start + gamma / eta / WORKERS + 8 * gamma * eta / (a * a),
                     bound = 2 * start / (gamma * (double)t.rounds) + 2 * eta / WORKERS + 4 * eta * eta / a +
                             16 * eta * eta * eta / (a * a);
        snprintf(name, sizeof name, "tq:b=1, eta=%g, gamma=%.4f, T=%zu", eta, gamma, t.rounds);
        describe(&row, context, "momentum_bound", DIM, name);
        FQ_TRY(emit(context, &row, result->all, runs, FQ_RELATION_LESS, bound));
    }
    return FQ_OK;
}

/* E|grad f|^2 once stationary, of one method and compressor on the three points. */
static fq_status run_floor(trial_result *result, const char *compressor, bool momentum, double gamma,
                           size_t rounds, uint64_t seed) {
    const trial t = {
        .problem = {.kind = FQ_PROBLEM_THREE_POINTS, .dim = 2, .workers = 1, .noise = 1, .seed = seed},
        .method = momentum ? FQ_FEEDBACK_EF21_SGDM : FQ_FEEDBACK_EF21_SGD,
        .compressor = compressor,
        .gamma = gamma,
        .eta = 7 * gamma,
        .rounds = rounds};
    return run_trial(result, &t, seed, RUNS);
}

/* The floor: above 0.004 at every step size for EF21-SGD and Top-1 (0.0046 is the prototype's square of the
 * mean); momentum and the codec fall by more than half when the step falls to three tenths. */
static fq_status run_stall(fq_claim_context *context, trial_result *result) {
    static const double gammas[] = {0.03, 0.01, 0.003, 0.001};
    static const struct {
        const char *series, *compressor;
        bool momentum;
        size_t first, last, time; /* of gammas, one fewer where quick; rounds are time/gamma */
    } cases[] = {{"top_1_stalls", "topk:K=1", false, 1, 3, 200},
                 {"momentum_has_no_floor", "topk:K=1", true, 1, 3, 200},
                 {"codec_has_no_floor", "tq:b=1", false, 0, 2, 100}};
    for (size_t k = 0; k < 3; k++) {
        double before = 0;
        for (size_t i = cases[k].first; i + (context->quick ? 1 : 0) <= cases[k].last; i++) {
            fq_evidence row;
            char name[96];
            FQ_TRY(run_floor(result, cases[k].compressor, cases[k].momentum, gammas[i],
                             (size_t)((double)cases[k].time / gammas[i]), context->seed));
            snprintf(name, sizeof name, "%s, %s, gamma=%g", cases[k].momentum ? "ef21-sgdm" : "ef21-sgd",
                     cases[k].compressor, gammas[i]);
            describe(&row, context, cases[k].series, 2, name);
            if (k == 0)
                FQ_TRY(emit(context, &row, result->late, RUNS, FQ_RELATION_GREATER, 0.004));
            else if (i > cases[k].first)
                FQ_TRY(emit(context, &row, result->late, RUNS, FQ_RELATION_LESS, before / 2));
            before = fq_estimate_of(result->late, RUNS).mean;
        }
    }
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    static const char *const compressors[] = {"tq:b=1", "randk:K=4", "topk:K=4", "tq:b=2",
                                              "sign",   "natural",   "e8:N=256"};
    double *values = NULL;
    trial_result *result = NULL;
    fq_status status;
    fq_stream stream;
    const size_t draws = context->quick ? 600 : DRAWS_MOST;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_ERROR_FEEDBACK, 0);
    FQ_TRY(fq_alloc(&values, DRAWS_MOST, sizeof *values));
    FQ_TRY_GOTO(status, fq_alloc(&result, 1, sizeof *result), done);
    for (size_t i = 0; i < (context->quick ? 3 : 7); i++) {
        FQ_TRY_GOTO(status, one_step(context, compressors[i], false, values, draws, &stream), done);
        if (i < 2 || i == 3)
            FQ_TRY_GOTO(status, one_step(context, compressors[i], true, values, draws, &stream), done);
    }
    FQ_TRY_GOTO(status, run_lemmas(context, values, context->quick ? 300 : 1500, &stream), done);
    FQ_TRY_GOTO(status, run_theorems(context, result), done);
    status = run_stall(context, result);
done:
    fq_free(result);
    fq_free(values);
    return status;
}

static const fq_series series[] = {
    {"one_step", FQ_PART_STATEMENT,
     "mean of |g'-v'|^2 over (1-theta)|g-v|^2 + beta|v'-v|^2 at random vectors, below 1"},
    {"one_step_attained", FQ_PART_STATEMENT, "that ratio at v'-v = (1/sqrt(1-alpha) - 1)(v-g) = 1"},
    {"potential_falls", FQ_PART_STATEMENT,
     "Psi of EF21 after t rounds on a quadratic, below (1 - gamma mu)^t Psi_0"},
    {"mean_gradient_bound", FQ_PART_STATEMENT,
     "mean |grad f|^2 of EF21 over T rounds of logistic regression, below 2 delta_0/(gamma T)"},
    {"momentum_compression", FQ_PART_STATEMENT,
     "mean of V' over its bound after a step with momentum, below 1"},
    {"momentum_mean", FQ_PART_STATEMENT,
     "P' without noise over its bound after a step with momentum, below 1"},
    {"momentum_workers", FQ_PART_STATEMENT,
     "P~' without noise over its bound after a step with momentum, below 1"},
    {"momentum_bound", FQ_PART_STATEMENT,
     "mean |grad f|^2 of EF21-SGDM over T rounds, below the theorem's bound"},
    {"top_1_stalls", FQ_PART_STATEMENT,
     "stationary |grad f|^2 of EF21-SGD with Top-1 on the three points, above 0.004 at every step"},
    {"momentum_has_no_floor", FQ_PART_STATEMENT,
     "stationary |grad f|^2 of EF21-SGDM with Top-1, below half of that at three times the step"},
    {"codec_has_no_floor", FQ_PART_STATEMENT,
     "stationary |grad f|^2 of EF21-SGD with a rotated codec, below half of that at three times the step"},
    {0},
};

const fq_claim fq_claim_error_feedback = {
    .number = 18,
    .id = "error_feedback",
    .title = "Error feedback, and what momentum mends",
    .statement =
        "EF21 with an alpha-contractive compressor: E|g'-v'|^2 <= (1-theta)|g-v|^2 + beta|v'-v|^2, Psi falls "
        "by 1 - "
        "gamma mu; with momentum E|grad f|^2 <= 2 Lambda_0/(gamma T) + noise terms in eta. On three points "
        "EF21-SGD with Top-1 stalls at any step, with momentum or a rotated codec it does not.",
    .domain = "L-smooth f_i, unbiased noise; gamma as the theorems allow",
    .citation =
        "Richtarik, Sokolov, Fatkhullin 2021 (EF21; constants as in the authors' code); Fatkhullin, Tyurin, "
        "Richtarik 2023 (momentum; counterexample as recalled); constants with momentum: own derivation",
    .checked =
        "Lemmas at random vectors, theorems by runs on made quadratics and logistic regression, the stall at "
        "three step sizes.",
    .not_covered = "EF14's rates, and the published step sizes with momentum.",
    .series = series,
    .run = run,
};
