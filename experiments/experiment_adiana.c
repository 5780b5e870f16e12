/* Independent unbiased compression: rounds and bits to a target accuracy on a quadratic, of DIANA, ADIANA,
 * compressed and accelerated gradient descent, with compressors that are independent from worker to worker or
 * share their randomness.
 *
 * The quadratic has condition kappa and n workers (distributed_problem.h); spread = 0 makes all f_i equal,
 * which is where sharing hurts most: the variance of the mean is then omega in place of omega/n. A cache that
 * is coded in one shared rotation is the shared case. Step sizes are `step` times the theorem's, within its
 * caps: with the theorem's own (1) all variants are slow and alike, so that steps must be tuned over a grid
 * before rounds are compared. The target is f(x) - inf f <= target (f(x_0) - inf f). Runs are repeated with
 * other randomness; a run that passes 1e12 times its start has diverged, one that has not reached the target
 * within `rounds` gives NaN.
 *
 * Whose is what: methods and ADIANA's rate are the papers' (accelerated.h; its step sizes as recalled); that
 * codecs are unbiased compressors with omega = D/(1-D) is derived here.
 */
#include <math.h>
#include <string.h>

#include "accelerated.h"
#include "distributed_runs.h"
#include "failure.h"
#include "memory.h"

static const fq_parameter parameters[] = {
    {.name = "method",
     .type = FQ_PARAMETER_TEXT,
     .allowed = FQ_ACCELERATED_NAMES,
     .description = "the method"},
    {.name = "compressor",
     .type = FQ_PARAMETER_TEXT,
     .description =
         "one with an unbiased form: none, randk:K=1, natural, qsgd:s=4, or any codec, such as tq:b=1"},
    {.name = "randomness",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "independent|shared",
     .fallback = "independent",
     .description = "of the workers' compressors in a round"},
    {.name = "workers",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 4096,
     .fallback = "16",
     .description = "n"},
    {.name = "dim",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 4096,
     .fallback = "32",
     .description = "unknowns, compressed together"},
    {.name = "kappa",
     .type = FQ_PARAMETER_REAL,
     .least = 1,
     .most = 1e8,
     .fallback = "300",
     .description = "L/mu"},
    {.name = "spread",
     .type = FQ_PARAMETER_REAL,
     .least = 0,
     .most = 1e6,
     .fallback = "0",
     .description = "root mean square of grad f_i - grad f"},
    {.name = "step",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-6,
     .most = 1e6,
     .fallback = "1",
     .description = "steps over the theorem's"},
    {.name = "rounds",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 1e6,
     .fallback = "6000",
     .description = "at most so many"},
    {.name = "repeats",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 255,
     .fallback = "3",
     .description = "runs with other randomness"},
    {.name = "target",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-20,
     .most = 1,
     .fallback = "1e-6",
     .description = "f - inf f to reach, over that at the start"},
    {0}};

#define REAL(name, units, text)                                                                              \
    { name, FQ_VALUE_REAL, 0, units, text, FQ_ROLE_VALUE }
static const fq_value_column columns[] = {
    REAL("target_rounds", "1", "rounds to the target, mean over runs; NaN if any does not reach it"),
    REAL("target_rounds_se", "1", "standard error over runs"),
    REAL("target_bits", "bits", "sent by one worker until then, mean over runs"),
    REAL("target_bits_se", "bits", "standard error over runs"),
    REAL("omega", "1", "of the compressor; 0 for agd"),
    REAL("bits_a_round", "bits", "sent by one worker in a round"),
    REAL("step_size", "1", "gamma; of adiana eta"),
    REAL("rate", "1", "ADIANA's published rate without constants and logarithms"),
    REAL("last_excess", "1",
         "f - inf f at the end over that at the start, mean over runs; NaN if any diverged"),
    {"reached", FQ_VALUE_INTEGER, 0, "1", "runs that reach the target", FQ_ROLE_VALUE},
    {"diverged", FQ_VALUE_INTEGER, 0, "1", "runs whose f - inf f passed 1e12 times that at the start",
     FQ_ROLE_VALUE},
    {0}};

typedef struct job {
    fq_problem problem;
    fq_compressor *compressor;
    size_t rounds, repeats, reached, diverged;
    double target, omega, step_size, bits_a_round;
    double *at, *bits, *last; /* [repeats] */
} job;

static fq_status run_once(job *j, const fq_point *point, size_t run) {
    const fq_messages messages = {.compressor = j->compressor,
                                  .dim = j->problem.of.dim,
                                  .part = j->problem.of.dim,
                                  .workers = j->problem.of.workers,
                                  .shared = fq_point_text(point, "randomness")[0] == 's',
                                  .seed = fq_point_seed(point),
                                  .run = run,
                                  .team = {.count = j->problem.of.workers}};
    fq_accelerated_run r;
    FQ_TRY(fq_accelerated_run_to(&r, &j->problem, &messages,
                                 fq_accelerated_method_of(fq_point_text(point, "method")),
                                 fq_point_real(point, "step"), j->target, j->rounds));
    const bool diverged = !(r.excess <= FQ_ACCELERATED_DIVERGED);
    j->step_size = r.step_size;
    j->bits_a_round = r.bits / (double)r.rounds;
    j->at[run] = r.reached ? (double)r.rounds : (double)NAN;
    j->bits[run] = r.reached ? r.bits : (double)NAN;
    j->last[run] = diverged ? (double)NAN : r.excess;
    j->reached += r.reached ? 1 : 0;
    j->diverged += diverged ? 1 : 0;
    return FQ_OK;
}

static fq_status job_make(job *j, const fq_point *point, fq_resources *resources) {
    const fq_problem_options options = {.dim = fq_point_size(point, "dim"),
                                        .workers = fq_point_size(point, "workers"),
                                        .kappa = fq_point_real(point, "kappa"),
                                        .spread = fq_point_real(point, "spread"),
                                        .seed = fq_point_seed(point)};
    FQ_TRY(fq_problem_create(&j->problem, &options));
    FQ_TRY(fq_point_compressor(&j->compressor, point, "compressor", resources, options.dim));
    j->omega = fq_compressor_get_about(j->compressor).omega;
    j->rounds = fq_point_size(point, "rounds");
    j->repeats = fq_point_size(point, "repeats");
    j->target = fq_point_real(point, "target");
    FQ_TRY(fq_alloc(&j->at, 3 * j->repeats, sizeof *j->at));
    j->bits = j->at + j->repeats;
    j->last = j->bits + j->repeats;
    return FQ_OK;
}

static fq_status report(const job *j, fq_rows *rows) {
    const fq_estimate at = fq_estimate_of(j->at, j->repeats), bits = fq_estimate_of(j->bits, j->repeats);
    FQ_TRY(fq_rows_add(rows));
    fq_rows_real(rows, "target_rounds", at.mean);
    fq_rows_real(rows, "target_rounds_se", at.se);
    fq_rows_real(rows, "target_bits", bits.mean);
    fq_rows_real(rows, "target_bits_se", bits.se);
    fq_rows_real(rows, "omega", j->omega);
    fq_rows_real(rows, "bits_a_round", j->bits_a_round);
    fq_rows_real(rows, "step_size", j->step_size);
    fq_rows_real(rows, "rate",
                 fq_accelerated_rate(j->omega, (double)j->problem.of.workers, j->problem.of.kappa));
    fq_rows_real(rows, "last_excess", fq_estimate_of(j->last, j->repeats).mean);
    fq_rows_integer(rows, "reached", (int64_t)j->reached);
    fq_rows_integer(rows, "diverged", (int64_t)j->diverged);
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    job j = {0};
    fq_status status = job_make(&j, point, resources);
    for (size_t r = 0; status == FQ_OK && r < j.repeats; r++) {
        status = run_once(&j, point, r);
        fq_rows_progress(rows, (double)(r + 1) / (double)j.repeats);
    }
    if (status == FQ_OK)
        status = report(&j, rows);
    fq_problem_clear(&j.problem);
    fq_compressor_destroy(j.compressor);
    fq_free(j.at);
    return status;
}

static fq_status check(const fq_point *point) {
    const char *name = fq_point_text(point, "compressor");
    const size_t dim = fq_point_size(point, "dim");
    fq_codec_spec spec;
    fq_compressor *c = NULL;
    FQ_TRY(fq_point_check_compressor(point, "compressor", dim));
    if (fq_accelerated_method_of(fq_point_text(point, "method")) == FQ_ACCELERATED_AGD &&
        strcmp(name, "none") != 0)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT,
                            "key \"compressor\": %s; method agd sends vectors as they are; allowed: none",
                            name);
    if (fq_compressor_is_codec(&spec, name))
        return FQ_OK;
    FQ_TRY(fq_compressor_create(&c, name, dim, NULL));
    const bool biased = isnan(fq_compressor_get_about(c).omega);
    fq_compressor_destroy(c);
    if (biased)
        return FQ_FAIL_TEXT(
            FQ_ERR_ARGUMENT,
            "key \"compressor\": %s is biased; allowed: none, randk, natural, qsgd and codecs", name);
    return FQ_OK;
}

static fq_point_cost cost(const fq_point *point) {
    const double d = (double)fq_point_size(point, "dim"),
                 messages = 2.0 * (double)fq_point_size(point, "rounds") *
                            (double)fq_point_size(point, "workers") * (double)fq_point_size(point, "repeats");
    fq_point_cost cost = {.memory_bytes = 1e7 + 40.0 * d * (double)fq_point_size(point, "workers")};
    cost.seconds = messages * 3e-9 * d * d;
    fq_cost_add_compressor(&cost, point, "compressor", fq_point_size(point, "dim"), messages);
    return cost;
}

const fq_experiment fq_experiment_adiana = {
    .name = "adiana",
    .summary = "accelerated distributed methods with independent and with shared compression",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
