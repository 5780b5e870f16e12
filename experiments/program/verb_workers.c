/* fibquant workers: one run of a distributed method with its workers shared out to the ranks of an MPI job.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "accelerated.h"
#include "error_feedback.h"
#include "failure.h"
#include "memory.h"
#include "sha256.h"
#include "verb.h"
#include "verb_support.h"
#include "worker_exchange.h"

static const char *problem_name = "quadratic", *method_name, *compressor_name;
static size_t workers = 8, dim = 64, block = 64, rounds = 100;
static double kappa = 100.0, spread = 1.0, noise, step = 1.0, gamma_given, eta = 0.1;
static uint64_t seed = 1;
static bool json, shared;

static const fq_option options[] = {
    {.name = "method",
     .kind = FQ_OPTION_CHOICE,
     .value = &method_name,
     .argument = "METHOD",
     .required = true,
     .choices = FQ_FEEDBACK_NAMES "|" FQ_ACCELERATED_NAMES,
     .help = "the method"},
    {.name = "compressor",
     .kind = FQ_OPTION_TEXT,
     .value = &compressor_name,
     .argument = "NAME",
     .required = true,
     .help = "none, topk:K=1, randk:K=1, natural, sign, qsgd:s=4, or any codec"},
    {.name = "problem",
     .kind = FQ_OPTION_CHOICE,
     .value = &problem_name,
     .argument = "PROBLEM",
     .choices = FQ_PROBLEM_NAMES,
     .help = "what is minimised"},
    {.name = "workers",
     .kind = FQ_OPTION_SIZE,
     .value = &workers,
     .argument = "N",
     .least = 1,
     .most = 4096,
     .help = "workers, at least one for each rank"},
    {.name = "dim",
     .kind = FQ_OPTION_SIZE,
     .value = &dim,
     .argument = "D",
     .least = 2,
     .most = 4096,
     .help = "unknowns; 256 for a network"},
    {.name = "block",
     .kind = FQ_OPTION_SIZE,
     .value = &block,
     .argument = "B",
     .least = 2,
     .most = 4096,
     .help = "coordinates compressed together; divides D"},
    {.name = "rounds",
     .kind = FQ_OPTION_SIZE,
     .value = &rounds,
     .argument = "T",
     .least = 1,
     .most = 1000000,
     .help = "rounds"},
    {.name = "kappa",
     .kind = FQ_OPTION_REAL,
     .value = &kappa,
     .argument = "K",
     .least = 1,
     .most = 1e8,
     .help = "condition number of a quadratic"},
    {.name = "spread",
     .kind = FQ_OPTION_REAL,
     .value = &spread,
     .argument = "S",
     .least = 0,
     .most = 1e6,
     .help = "how far a quadratic's gradients differ from worker to worker"},
    {.name = "noise",
     .kind = FQ_OPTION_REAL,
     .value = &noise,
     .argument = "S",
     .least = 0,
     .most = 1e6,
     .help = "standard deviation of stochastic gradients; not for ef21 and accelerated methods"},
    {.name = "step",
     .kind = FQ_OPTION_REAL,
     .value = &step,
     .argument = "F",
     .least = 1e-6,
     .most = 1e6,
     .help = "step size over the largest that the theorem allows"},
    {.name = "gamma",
     .kind = FQ_OPTION_REAL,
     .value = &gamma_given,
     .argument = "G",
     .least = 0,
     .most = 1e6,
     .help = "step size itself, of the methods with error feedback; 0: by --step"},
    {.name = "eta",
     .kind = FQ_OPTION_REAL,
     .value = &eta,
     .argument = "E",
     .least = 1e-9,
     .most = 1,
     .help = "momentum of ef21-sgdm"},
    {.name = "shared",
     .kind = FQ_OPTION_FLAG,
     .value = &shared,
     .help = "one randomness for all workers' compressors in a round"},
    {.name = "seed",
     .kind = FQ_OPTION_UINT64,
     .value = &seed,
     .argument = "S",
     .help = "of the problem and of all randomness"},
    FQ_OPTION_JSON(json),
    {0}};

static const fq_usage usage = {
    .verb = "workers",
    .summary = "Runs one distributed gradient method whose workers send compressed vectors, the workers "
               "shared out to the "
               "ranks of an MPI job, and prints where it ends: the same bytes for any number of ranks.",
    .options = options,
    .notes =
        "Ranks exchange decoded messages as doubles; the bits printed are those of the codes. A sweep of the "
        "experiments error-feedback and adiana computes the same on one rank a point.",
    .examples = "fibquant workers --method ef21-sgdm --compressor tq:b=1 --noise 0.1\n"
                "mpirun -n 4 fibquant workers --method adiana --compressor tq:b=0.25 --step 64 --json"};

typedef struct outcome {
    double gradient, excess, bits, step_size;
    char point[FQ_SHA256_HEX]; /* SHA-256 of the doubles of x */
} outcome;

/* What is printed of a point x. */
static fq_status measure(outcome *o, const fq_problem *problem, const double *x) {
    double *full = NULL;
    FQ_TRY(fq_alloc(&full, 2 * dim, sizeof *full));
    fq_problem_full_gradient(problem, x, full, full + dim);
    o->gradient = 0.0;
    for (size_t c = 0; c < dim; c++)
        o->gradient += full[c] * full[c];
    o->excess = fq_problem_value(problem, x) - problem->least;
    fq_sha256_bytes(o->point, x, dim * sizeof *x);
    fq_free(full);
    return FQ_OK;
}

static fq_status run_feedback(outcome *o, const fq_problem *problem, const fq_messages *messages) {
    const fq_feedback_method method = fq_feedback_method_of(method_name);
    const fq_compressor_about about = fq_compressor_get_about(messages->compressor);
    const bool strongly =
        (method == FQ_FEEDBACK_EF21 || method == FQ_FEEDBACK_EF21_SGD) && problem->convex > 0.0;
    fq_feedback f = {0};
    if (gamma_given == 0.0 && isnan(problem->smooth))
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--gamma 0; a network's smoothness is not known, so that a step must be given");
    o->step_size = gamma_given > 0.0 ? gamma_given
                                     : step * fq_feedback_step_size(problem, method, &about, eta, strongly);
    fq_status status = fq_feedback_create(&f, problem, messages, method, o->step_size, eta);
    while (status == FQ_OK && f.round < rounds)
        status = fq_feedback_step(&f);
    if (status == FQ_OK)
        status = measure(o, problem, f.x);
    o->bits = f.bits;
    fq_feedback_clear(&f);
    return status;
}

static fq_status run_accelerated(outcome *o, const fq_problem *problem, const fq_messages *messages) {
    fq_accelerated m = {0};
    fq_status status =
        fq_accelerated_create(&m, problem, messages, fq_accelerated_method_of(method_name), step);
    o->step_size = m.steps.eta > 0.0 ? m.steps.eta : m.steps.gamma;
    while (status == FQ_OK && m.round < rounds)
        status = fq_accelerated_step(&m);
    if (status == FQ_OK)
        status = measure(o, problem, fq_accelerated_point(&m));
    o->bits = m.bits;
    fq_accelerated_clear(&m);
    return status;
}

static bool is_accelerated(void) {
    return strcmp(method_name, "agd") == 0 || strcmp(method_name, "cgd") == 0 ||
           strstr(method_name, "diana") != NULL;
}

static fq_status run_method(outcome *o, fq_exchange *exchange) {
    const fq_problem_options made = {.kind = fq_problem_kind_of(problem_name),
                                     .dim = dim,
                                     .workers = workers,
                                     .kappa = kappa,
                                     .spread = spread,
                                     .noise = noise,
                                     .seed = seed};
    fq_problem problem = {0};
    fq_compressor *compressor = NULL;
    fq_status status = fq_problem_create(&problem, &made);
    if (status == FQ_OK)
        status = fq_compressor_create(&compressor, compressor_name, block, NULL);
    if (status == FQ_OK && is_accelerated() && isnan(fq_compressor_get_about(compressor).omega))
        status = FQ_FAIL_TEXT(
            FQ_ERR_USAGE, "--compressor %s is biased; allowed with %s: none, randk, natural, qsgd and codecs",
            compressor_name, method_name);
    if (status == FQ_OK) {
        const fq_messages messages = {.compressor = compressor,
                                      .dim = dim,
                                      .part = block,
                                      .workers = workers,
                                      .shared = shared,
                                      .seed = seed,
                                      .team = fq_exchange_team(exchange, workers)};
        status =
            is_accelerated() ? run_accelerated(o, &problem, &messages) : run_feedback(o, &problem, &messages);
    }
    fq_compressor_destroy(compressor);
    fq_problem_clear(&problem);
    return status;
}

static fq_status print(const outcome *o, const fq_exchange *exchange) {
    if (json)
        return fq_verb_print_json(json_pack(
            "{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:s}", "schema", "fibquant workers 1",
            "problem", problem_name, "method", method_name, "compressor", compressor_name, "ranks",
            exchange->size, "workers", (json_int_t)workers, "rounds", (json_int_t)rounds, "step_size",
            fq_json_number(o->step_size), "bits_a_worker", fq_json_number(o->bits), "gradient",
            fq_json_number(o->gradient), "excess", fq_json_number(o->excess), "point_sha256", o->point));
    printf("%s by %s with %s, %zu workers on %d rank%s, %zu rounds, step size %.6g\n", problem_name,
           method_name, compressor_name, workers, exchange->size, exchange->size == 1 ? "" : "s", rounds,
           o->step_size);
    printf("bits sent by a worker  %.0f\n|grad f|^2             %.17g\nf - inf f              %.17g\nx "
           "(SHA-256)            %s\n",
           o->bits, o->gradient, o->excess, o->point);
    return FQ_OK;
}

static int run(int argc, const char **argv) {
    fq_exchange exchange;
    outcome o = {0};
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (dim % block != 0)
        return fq_options_refuse(&usage, "--block %zu does not divide --dim %zu", block, dim);
    if (noise > 0.0 && (is_accelerated() || strcmp(method_name, "ef21") == 0))
        return fq_options_refuse(&usage, "--noise %g: %s takes exact gradients; allowed: 0", noise,
                                 method_name);
    if (is_accelerated() && strcmp(problem_name, "quadratic") != 0 &&
        strcmp(problem_name, "three-points") != 0)
        return fq_options_refuse(&usage, "--problem %s is not strongly convex; allowed with %s: quadratic",
                                 problem_name, method_name);
    fq_status status = fq_exchange_start(&exchange, workers);
    if (status != FQ_OK) { /* on all ranks alike: one says so */
        exit_code = exchange.rank == 0 ? fq_verb_fail("workers") : fq_failure_exit_code(status);
        fq_exchange_end(&exchange, true, exit_code);
        return exit_code;
    }
    status = run_method(&o, &exchange);
    if (status == FQ_OK && exchange.rank == 0)
        status = print(&o, &exchange);
    exit_code = status == FQ_OK ? 0 : fq_verb_fail("workers");
    fq_exchange_end(&exchange, status == FQ_OK, exit_code);
    return exit_code;
}

const fq_verb fq_verb_workers = {"workers", "one distributed run, its workers on the ranks of an MPI job",
                                 run};
