/* Error feedback with codecs and with the usual compressors: how fast distributed gradient methods converge
 * whose workers send compressed vectors, against rounds and against bits.
 *
 * n simulated workers minimise f = mean f_i (distributed_problem.h) by a method of error_feedback.h; a
 * worker's vector of `dim` coordinates is compressed in parts of `block`, each codec part through a rotation
 * of its own. Everything is repeated `repeats` times on one problem with other randomness of compressors and
 * gradients; errors are over these runs. gamma: as given, or, if 0, `step` times the largest that the
 * method's theorem allows (EF14 has none of its own here and takes EF21's; plain compression takes 1/(L (1 +
 * omega/n))).
 *
 * Stored at checkpoints: |grad f(x_t)|^2, f(x_t) - inf f (f itself where inf f is not known), the mean of
 * |grad f|^2 over x_0..x_{t-1} with the theorem's bound on it, and over the later half of them, and for EF21
 * on strongly convex problems the potential Psi with its bound (1 - gamma mu)^t Psi_0. Bits are those one
 * worker has sent, exactly; methods of the EF21 kind start with one uncompressed gradient (32 dim bits). The
 * target is |grad f|^2 <= target |grad f(x_0)|^2.
 *
 * Whose is what: methods and EF21's constants are the papers' (error_feedback.h); that codecs are compressors
 * and the constants with momentum are derived here. Step sizes of the EF21-SGDM paper could not be compared
 * with its text and are not used.
 */
#include <math.h>
#include <string.h>

#include "distributed_runs.h"
#include "error_feedback.h"
#include "failure.h"
#include "memory.h"

static const fq_parameter parameters[] = {
    {.name = "problem",
     .type = FQ_PARAMETER_TEXT,
     .allowed = FQ_PROBLEM_NAMES,
     .description = "what is minimised: see distributed_problem.h"},
    {.name = "method", .type = FQ_PARAMETER_TEXT, .allowed = FQ_FEEDBACK_NAMES, .description = "the method"},
    {.name = "compressor",
     .type = FQ_PARAMETER_TEXT,
     .description = "none, topk:K=1, randk:K=1, natural, sign, qsgd:s=4, or any codec, such as tq:b=1"},
    {.name = "workers",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 4096,
     .fallback = "4",
     .description = "n"},
    {.name = "dim",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 4096,
     .fallback = "64",
     .description = "unknowns; 256 for a network"},
    {.name = "block",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 4096,
     .fallback = "64",
     .description = "coordinates compressed together; divides dim"},
    {.name = "kappa",
     .type = FQ_PARAMETER_REAL,
     .least = 1,
     .most = 1e8,
     .fallback = "100",
     .description = "condition number of a quadratic, L/mu with L = 1"},
    {.name = "spread",
     .type = FQ_PARAMETER_REAL,
     .least = 0,
     .most = 1e6,
     .fallback = "1",
     .description = "of a quadratic: root mean square of grad f_i - grad f"},
    {.name = "noise",
     .type = FQ_PARAMETER_REAL,
     .least = 0,
     .most = 1e6,
     .fallback = "0",
     .description = "standard deviation of a stochastic gradient, all coordinates together"},
    {.name = "step",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-6,
     .most = 1e6,
     .fallback = "1",
     .description = "gamma over the largest that the theorem allows"},
    {.name = "gamma",
     .type = FQ_PARAMETER_REAL,
     .least = 0,
     .most = 1e6,
     .fallback = "0",
     .description = "step size; 0: by step"},
    {.name = "eta",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-9,
     .most = 1,
     .fallback = "0.1",
     .description = "weight of the newest gradient in ef21-sgdm's momentum"},
    {.name = "rounds",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 1e6,
     .fallback = "1000",
     .description = "T"},
    {.name = "repeats",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 255,
     .fallback = "4",
     .description = "runs with other randomness"},
    {.name = "target",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-20,
     .most = 1,
     .fallback = "1e-6",
     .description = "|grad f|^2 to reach, over that at the start"},
    {0}};

#define REAL(name, units, text)                                                                              \
    { name, FQ_VALUE_REAL, 0, units, text, FQ_ROLE_VALUE }
static const fq_value_column columns[] = {
    {"round", FQ_VALUE_INTEGER, 0, "1", "rounds done", FQ_ROLE_VALUE},
    REAL("bits", "bits", "sent by one worker so far"),
    REAL("gradient", "1", "|grad f(x)|^2, mean over runs; NaN once a run has diverged"),
    REAL("gradient_se", "1", "standard error over runs"),
    REAL("excess", "1", "f(x) - inf f, or f(x) where inf f is not known"),
    REAL("excess_se", "1", "standard error over runs"),
    REAL("mean_gradient", "1", "mean of |grad f|^2 over all x before this round's"),
    REAL("mean_gradient_se", "1", "standard error over runs"),
    REAL("late_gradient", "1", "the same over the later half of these rounds"),
    REAL("late_gradient_se", "1", "standard error over runs"),
    REAL("mean_gradient_bound", "1", "the theorem's bound on it; NaN where none applies"),
    REAL("potential", "1", "f - inf f + (gamma/theta) mean|g_i - grad f_i|^2 of EF21"),
    REAL("potential_se", "1", "standard error over runs"),
    REAL("potential_bound", "1", "(1 - gamma mu)^t times it at the start; NaN where no theorem applies"),
    REAL("step_size", "1", "gamma"),
    REAL("alpha", "1", "of the compressor"),
    REAL("omega", "1", "of the compressor's unbiased form; NaN if it has none"),
    REAL("bits_a_round", "bits", "of one worker's message"),
    REAL("target_rounds", "1", "rounds to the target, mean over runs; NaN if any does not reach it"),
    REAL("target_rounds_se", "1", "standard error over runs"),
    REAL("target_bits", "bits", "sent by one worker until then, mean over runs"),
    {"diverged", FQ_VALUE_INTEGER, 0, "1", "runs whose |grad f|^2 passed 1e12 times that at the start",
     FQ_ROLE_VALUE},
    {0}};

enum { GRADIENT, EXCESS, MEAN, LATE, POTENTIAL, SERIES };

typedef struct job {
    fq_problem problem;
    fq_compressor *compressor;
    fq_compressor_about about;
    fq_feedback_method method;
    double gamma, eta, target;
    size_t rounds, repeats, checkpoints, block, diverged;
    fq_runs runs[SERIES];
    double *reached, *reached_bits; /* [repeats] */
    double *full, *work;            /* [d] */
    double *bits;                   /* [checkpoints] */
    double *sum;                    /* [rounds + 1]: of |grad f|^2 over the x before */
    uint64_t seed;
} job;

static void job_clear(job *j) {
    fq_problem_clear(&j->problem);
    fq_compressor_destroy(j->compressor);
    for (int s = 0; s < SERIES; s++)
        fq_runs_clear(&j->runs[s]);
    fq_free(j->reached);
    fq_free(j->full);
    fq_free(j->bits);
    fq_free(j->sum);
}

static bool strongly(const job *j) {
    return (j->method == FQ_FEEDBACK_EF21 || j->method == FQ_FEEDBACK_EF21_SGD) && j->problem.convex > 0.0;
}

static fq_status job_make(job *j, const fq_point *point, fq_resources *resources) {
    const fq_problem_options options = {.kind = fq_problem_kind_of(fq_point_text(point, "problem")),
                                        .dim = fq_point_size(point, "dim"),
                                        .workers = fq_point_size(point, "workers"),
                                        .kappa = fq_point_real(point, "kappa"),
                                        .spread = fq_point_real(point, "spread"),
                                        .noise = fq_point_real(point, "noise"),
                                        .seed = fq_point_seed(point)};
    FQ_TRY(fq_problem_create(&j->problem, &options));
    j->seed = fq_point_seed(point);
    j->block = fq_point_size(point, "block");
    j->method = fq_feedback_method_of(fq_point_text(point, "method"));
    FQ_TRY(fq_point_compressor(&j->compressor, point, "compressor", resources, j->block));
    j->about = fq_compressor_get_about(j->compressor);
    j->eta = fq_point_real(point, "eta");
    j->target = fq_point_real(point, "target");
    j->rounds = fq_point_size(point, "rounds");
    j->repeats = fq_point_size(point, "repeats");
    j->gamma = fq_point_real(point, "gamma");
    if (j->gamma == 0.0)
        j->gamma = fq_point_real(point, "step") *
                   fq_feedback_step_size(&j->problem, j->method, &j->about, j->eta, strongly(j));
    j->checkpoints = fq_checkpoint_count(j->rounds);
    for (int s = 0; s < SERIES; s++)
        FQ_TRY(fq_runs_init(&j->runs[s], j->repeats, j->checkpoints));
    FQ_TRY(fq_alloc(&j->reached, 2 * j->repeats, sizeof *j->reached));
    j->reached_bits = j->reached + j->repeats;
    FQ_TRY(fq_alloc(&j->full, 2 * options.dim, sizeof *j->full));
    j->work = j->full + options.dim;
    FQ_TRY(fq_alloc(&j->sum, j->rounds + 1, sizeof *j->sum));
    return fq_alloc(&j->bits, j->checkpoints, sizeof *j->bits);
}

static double gradient_square(const job *j, const double *x) {
    double sum = 0.0;
    fq_problem_full_gradient(&j->problem, x, j->full, j->work);
    for (size_t c = 0; c < j->problem.of.dim; c++)
        sum += j->full[c] * j->full[c];
    return sum;
}

static double potential(const job *j, const fq_feedback *f, double excess) {
    double theta, beta;
    fq_feedback_constants(j->about.alpha, &theta, &beta);
    return j->method == FQ_FEEDBACK_EF21
               ? excess + j->gamma / theta * fq_feedback_measure(f, j->work).compression
               : (double)NAN;
}

/* One run: the quantities at the checkpoints, and when the target is first reached. */
static fq_status run_once(job *j, size_t run) {
    const fq_messages messages = {.compressor = j->compressor,
                                  .dim = j->problem.of.dim,
                                  .part = j->block,
                                  .workers = j->problem.of.workers,
                                  .seed = j->seed,
                                  .run = run,
                                  .team = {.count = j->problem.of.workers}};
    fq_feedback f = {0};
    double first = 0.0;
    size_t checkpoint = 0, due = 0;
    fq_status status = fq_feedback_create(&f, &j->problem, &messages, j->method, j->gamma, j->eta);
    j->reached[run] = j->reached_bits[run] = (double)NAN;
    j->sum[0] = 0.0;
    for (size_t t = 0; status == FQ_OK; t++) {
        const double square = gradient_square(j, f.x);
        first = t == 0 ? square : first;
        if (!(square <= 1e12 * first)) {
            j->diverged++;
            break;
        }
        if (isnan(j->reached[run]) && square <= j->target * first) {
            j->reached[run] = (double)t;
            j->reached_bits[run] = f.bits;
        }
        if (t == due) {
            const double excess = fq_problem_value(&j->problem, f.x) - j->problem.least;
            fq_runs_set(&j->runs[GRADIENT], checkpoint, run, square);
            fq_runs_set(&j->runs[EXCESS], checkpoint, run, excess);
            fq_runs_set(&j->runs[MEAN], checkpoint, run, t > 0 ? j->sum[t] / (double)t : (double)NAN);
            fq_runs_set(&j->runs[LATE], checkpoint, run,
                        t > 0 ? (j->sum[t] - j->sum[t / 2]) / (double)(t - t / 2) : (double)NAN);
            fq_runs_set(&j->runs[POTENTIAL], checkpoint, run, potential(j, &f, excess));
            j->bits[checkpoint] = f.bits;
            checkpoint++;
            due = fq_checkpoint_next(t, j->rounds);
        }
        if (t == j->rounds)
            break;
        j->sum[t + 1] = j->sum[t] + square;
        status = fq_feedback_step(&f);
    }
    fq_feedback_clear(&f);
    return status;
}

/* The bound on the mean of |grad f|^2 over t rounds; NaN where gamma is beyond the theorem's, or there is
 * none. */
static double mean_bound(const job *j, double excess, double t) {
    const double n = (double)j->problem.of.workers, a = j->about.alpha, eta = j->eta,
                 noise = j->problem.of.noise * j->problem.of.noise,
                 most = fq_feedback_step_size(&j->problem, j->method, &j->about, eta, false) * (1.0 + 1e-12);
    if (!(j->gamma <= most) || t == 0.0)
        return (double)NAN;
    if (j->method == FQ_FEEDBACK_EF21) /* G_0 = 0 */
        return 2.0 * excess / (j->gamma * t);
    if (j->method != FQ_FEEDBACK_EF21_SGDM)
        return (double)NAN;
    const double start = excess + j->gamma / eta * noise / n + 8.0 * j->gamma * eta / (a * a) * noise;
    return 2.0 * start / (j->gamma * t) +
           noise * eta * (2.0 / n + 4.0 * eta / a + 16.0 * eta * eta / (a * a));
}

static void set_estimate(fq_rows *rows, const char *name, const char *se_name, fq_estimate e) {
    fq_rows_real(rows, name, e.mean);
    fq_rows_real(rows, se_name, e.se);
}

static fq_status report(const job *j, fq_rows *rows) {
    const double start = fq_runs_mean(&j->runs[EXCESS], 0).mean,
                 first = fq_runs_mean(&j->runs[POTENTIAL], 0).mean;
    const double most =
        strongly(j) ? fq_feedback_step_size(&j->problem, j->method, &j->about, j->eta, true) : 0.0;
    const fq_estimate reached = fq_estimate_of(j->reached, j->repeats);
    size_t round = 0;
    for (size_t i = 0; i < j->checkpoints; i++) {
        FQ_TRY(fq_rows_add(rows));
        fq_rows_integer(rows, "round", (int64_t)round);
        fq_rows_real(rows, "bits", j->bits[i]);
        set_estimate(rows, "gradient", "gradient_se", fq_runs_mean(&j->runs[GRADIENT], i));
        set_estimate(rows, "excess", "excess_se", fq_runs_mean(&j->runs[EXCESS], i));
        set_estimate(rows, "mean_gradient", "mean_gradient_se", fq_runs_mean(&j->runs[MEAN], i));
        set_estimate(rows, "late_gradient", "late_gradient_se", fq_runs_mean(&j->runs[LATE], i));
        fq_rows_real(rows, "mean_gradient_bound", mean_bound(j, start, (double)round));
        set_estimate(rows, "potential", "potential_se", fq_runs_mean(&j->runs[POTENTIAL], i));
        fq_rows_real(rows, "potential_bound",
                     j->gamma <= most * (1.0 + 1e-12)
                         ? first * pow(1.0 - j->gamma * j->problem.convex, (double)round)
                         : (double)NAN);
        fq_rows_real(rows, "step_size", j->gamma);
        fq_rows_real(rows, "alpha", j->about.alpha);
        fq_rows_real(rows, "omega", j->about.omega);
        fq_rows_real(rows, "bits_a_round", j->about.bits * (double)(j->problem.of.dim / j->block));
        set_estimate(rows, "target_rounds", "target_rounds_se", reached);
        fq_rows_real(rows, "target_bits", fq_estimate_of(j->reached_bits, j->repeats).mean);
        fq_rows_integer(rows, "diverged", (int64_t)j->diverged);
        round = fq_checkpoint_next(round, j->rounds);
    }
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    job j = {0};
    fq_status status = job_make(&j, point, resources);
    for (size_t i = 0; status == FQ_OK && i < j.checkpoints; i++)
        j.bits[i] = (double)NAN;
    for (size_t r = 0; status == FQ_OK && r < j.repeats; r++) {
        status = run_once(&j, r);
        fq_rows_progress(rows, (double)(r + 1) / (double)j.repeats);
    }
    if (status == FQ_OK)
        status = report(&j, rows);
    job_clear(&j);
    return status;
}

static fq_status check(const fq_point *point) {
    const size_t dim = fq_point_size(point, "dim"), block = fq_point_size(point, "block");
    const fq_problem_kind kind = fq_problem_kind_of(fq_point_text(point, "problem"));
    const fq_feedback_method method = fq_feedback_method_of(fq_point_text(point, "method"));
    if (dim % block != 0)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"block\": %zu does not divide dim = %zu", block, dim);
    if (kind == FQ_PROBLEM_NETWORK && dim != FQ_PROBLEM_NETWORK_DIM)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"dim\": %zu; allowed with problem network: %d", dim,
                            FQ_PROBLEM_NETWORK_DIM);
    if (kind == FQ_PROBLEM_NETWORK && !(fq_point_real(point, "gamma") > 0.0))
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT,
                            "key \"gamma\": 0; a network's smoothness is not known, so that a step "
                            "size must be given");
    if (method == FQ_FEEDBACK_EF21 && fq_point_real(point, "noise") > 0.0)
        return FQ_FAIL_TEXT(
            FQ_ERR_ARGUMENT,
            "key \"noise\": method ef21 takes exact gradients; allowed: 0, or method ef21-sgd");
    return fq_point_check_compressor(point, "compressor", block);
}

static fq_point_cost cost(const fq_point *point) {
    const double d = (double)fq_point_size(point, "dim"), block = (double)fq_point_size(point, "block"),
                 gradients = (double)fq_point_size(point, "rounds") *
                             (double)fq_point_size(point, "workers") *
                             (double)fq_point_size(point, "repeats");
    fq_point_cost cost = {.memory_bytes = 1e7 + 8.0 * (double)fq_point_size(point, "rounds") +
                                          48.0 * d * (double)fq_point_size(point, "workers")};
    const bool quadratic = fq_problem_kind_of(fq_point_text(point, "problem")) == FQ_PROBLEM_QUADRATIC;
    cost.seconds = 2.0 * gradients * 1e-9 * d * (quadratic ? 3.0 * d : 2.0 * FQ_PROBLEM_SAMPLES);
    fq_cost_add_compressor(&cost, point, "compressor", fq_point_size(point, "block"), gradients * d / block);
    return cost;
}

const fq_experiment fq_experiment_error_feedback = {
    .name = "error-feedback",
    .summary = "distributed methods with error feedback whose workers send codes",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
