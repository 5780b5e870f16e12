/* fibquant sweep: from a manifest to a results file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"
#include "options.h"
#include "output_check.h"
#include "printable.h"
#include "progress_bar.h"
#include "sweep_cores.h"
#include "sweep_cost.h"
#include "sweep_engine.h"
#include "sweep_mpi.h"
#include "verb.h"
#include "verb_support.h"

static const char *output, *cache_folder;
static fq_option_list settings;
static bool dry_run, list, resume, retry_failed, force, mixed, json;
static size_t jobs;
static const char *shard;

static const fq_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &output,
     .argument = "RESULTS.h5",
     .help = "results file; default: the manifest's outputs: results"},
    {.name = "set",
     .kind = FQ_OPTION_LIST,
     .value = &settings,
     .argument = "KEY=VALUE",
     .help = "overrides a key or an axis, value as in YAML; repeatable"},
    {.name = "dry-run",
     .kind = FQ_OPTION_FLAG,
     .value = &dry_run,
     .help = "prints the points, the expected time and memory, and stops"},
    {.name = "list",
     .kind = FQ_OPTION_FLAG,
     .value = &list,
     .help = "prints experiments with their parameters and columns, and stops"},
    {.name = "jobs",
     .letter = 'j',
     .kind = FQ_OPTION_SIZE,
     .value = &jobs,
     .argument = "J",
     .least = 0,
     .most = 4096,
     .help = "worker processes, on each rank, at most as many as cores or points; 0: all cores, under MPI 1"},
    {.name = "shard",
     .kind = FQ_OPTION_TEXT,
     .value = &shard,
     .argument = "I/N",
     .help = "every N-th point from the I-th on (1..N), for job arrays; merge joins the results files"},
    {.name = "resume",
     .kind = FQ_OPTION_FLAG,
     .value = &resume,
     .help = "goes on with an existing results file; stored points are not computed again"},
    {.name = "retry-failed",
     .kind = FQ_OPTION_FLAG,
     .value = &retry_failed,
     .help = "like --resume, and computes failed points once more"},
    {.name = "force",
     .kind = FQ_OPTION_FLAG,
     .value = &force,
     .help = "computes every point of the manifest again"},
    {.name = "allow-mixed-build",
     .kind = FQ_OPTION_FLAG,
     .value = &mixed,
     .help = "keeps points that another build computed"},
    {.name = "cache-folder",
     .kind = FQ_OPTION_TEXT,
     .value = &cache_folder,
     .argument = "FOLDER",
     .help = "where codebooks are kept between runs"},
    FQ_OPTION_JSON(json),
    {0}};

static const fq_usage usage = {
    .verb = "sweep",
    .summary = "Runs the points of a manifest on all cores, or under mpirun on many machines.",
    .arguments = "MANIFEST.yaml",
    .least_arguments = 0,
    .most_arguments = 1,
    .options = options,
    .notes = "A manifest is YAML:\n"
             "  experiment: rate-distortion      (--list names experiments and their parameters)\n"
             "  seeds: [1, 2]                    (or seed: 1)\n"
             "  replicates: 3\n"
             "  codecs: [fp16, {family: fib, k: [2, 4], N: [16, 256]}]\n"
             "  grid:                            (one product of axes, or a list of products)\n"
             "    dim: [64, 128]                 (a value or a list)\n"
             "    samples: {from: 1000, to: 8000, factor: 2}    (a range: step, factor or count)\n"
             "    zip: {a: [1, 2], b: [x, y]}                   (axes walked together)\n"
             "  outputs: {results: rd.h5}\n"
             "Files in it are relative to its folder; experiments: [{experiment: ..., grid: ...}, ...] runs "
             "several.\n"
             "\n"
             "A killed sweep loses nothing: run it again with --resume. Ctrl-C stores what is "
             "finished and exits 130.\nfibquant status RESULTS.h5 shows a running sweep from another "
             "terminal.",
    .examples = "fibquant sweep experiments/manifests/rate_distortion.yaml -o rd.h5\n"
                "fibquant sweep rate_distortion.yaml -o rd.h5 --set samples=100000 --dry-run\n"
                "mpirun -n 8 fibquant sweep rate_distortion.yaml -o rd.h5 --resume\n"
                "fibquant sweep rate_distortion.yaml -o rd.3.h5 --shard 3/16",
    .exit_status = "5 some points failed; the rest is stored"};

/* The results file is neither the manifest nor a file that a point reads. */
static bool output_is_apart(const fq_plan *plan, const char *manifest_path, const char *results,
                            int *exit_code) {
    const fq_output file[] = {{"--output", results, fq_mpi_rank() == 0 ? FQ_OUTPUT_FILE : FQ_OUTPUT_PART},
                              {0}},
                    outputs[] = {{"--output", results, FQ_OUTPUT_PART}, {0}};
    const fq_input manifest[] = {{.option = "MANIFEST.yaml", .path = manifest_path}, {0}};
    const char *last = NULL;
    if (!fq_outputs_good(&usage, file, manifest, exit_code))
        return false;
    for (size_t i = 0; i < plan->count; i++)
        for (size_t p = 0; p < plan->points[i].parameter_count; p++) {
            const fq_parameter *parameter = &plan->points[i].experiment->parameters[p];
            const char *path = plan->points[i].values[p]->text;
            if (parameter->type != FQ_PARAMETER_FILE || (last && strcmp(last, path) == 0))
                continue;
            last = path;
            const fq_input input[] = {{.option = parameter->name, .path = path}, {0}};
            if (!fq_outputs_good(&usage, outputs, input, exit_code))
                return false;
        }
    return true;
}

static void print_experiments(void) {
    static const char *const types[] = {"whole number", "number", "text", "codec", "file"};
    for (size_t i = 0; i < fq_experiment_count(); i++) {
        const fq_experiment *e = fq_experiment_get(i);
        printf("%s (version %d): %s\n  parameters\n", e->name, e->version, e->summary);
        for (const fq_parameter *p = e->parameters; p && p->name; p++) {
            printf("    %-14s %s", p->name, p->allowed ? p->allowed : types[p->type]);
            if (p->type == FQ_PARAMETER_INTEGER || p->type == FQ_PARAMETER_REAL)
                printf(" in %.15g..%.15g", p->least, p->most);
            printf("; %s%s. %s\n", p->fallback ? "default " : "required", p->fallback ? p->fallback : "",
                   p->description);
        }
        puts("  columns");
        for (const fq_value_column *c = e->columns; c->name; c++)
            printf("    %-22s %s%s%s%s\n", c->name, c->description, c->units[0] ? " [" : "", c->units,
                   c->units[0] ? "]" : "");
    }
}

/* Names, what each takes and gives, for programs. */
static fq_status print_experiments_as_json(void) {
    json_t *experiments = json_array();
    for (size_t i = 0; i < fq_experiment_count(); i++) {
        const fq_experiment *e = fq_experiment_get(i);
        json_t *parameters = json_array(), *columns = json_array();
        for (const fq_parameter *p = e->parameters; p && p->name; p++) {
            const bool number = p->type == FQ_PARAMETER_INTEGER || p->type == FQ_PARAMETER_REAL;
            json_array_append_new(
                parameters,
                json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:o, s:o}", "name", p->name, "description",
                          p->description, "required", json_boolean(!p->fallback), "default", p->fallback,
                          "allowed", p->allowed, "least", number ? fq_json_number(p->least) : json_null(),
                          "most", number ? fq_json_number(p->most) : json_null()));
        }
        for (const fq_value_column *c = e->columns; c->name; c++)
            json_array_append_new(columns, json_pack("{s:s, s:s, s:s}", "name", c->name, "description",
                                                     c->description, "units", c->units));
        json_array_append_new(experiments,
                              json_pack("{s:s, s:i, s:s, s:o, s:o}", "name", e->name, "version", e->version,
                                        "summary", e->summary, "parameters", parameters, "columns", columns));
    }
    return fq_verb_print_json(
        json_pack("{s:s, s:o}", "schema", "fibquant experiments 1", "experiments", experiments));
}

/* A plan's points and what they will cost. */
static fq_status print_plan_as_json(const fq_plan *plan, const fq_plan_cost *cost, const double *seconds,
                                    size_t workers) {
    json_t *points = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        char label[FQ_POINT_LABEL_MAX];
        const fq_experiment *experiment = plan->points[i].experiment;
        fq_point_label(label, &plan->points[i]);
        json_array_append_new(points,
                              json_pack("{s:s, s:s, s:o, s:o}", "point", plan->points[i].id, "experiment",
                                        experiment->name, "label", fq_json_text(label), "seconds",
                                        experiment->cost ? fq_json_number(seconds[i]) : json_null()));
    }
    return fq_verb_print_json(
        json_pack("{s:s, s:o, s:I, s:I, s:o, s:o, s:I, s:I, s:o}", "schema", "fibquant plan 1", "points",
                  points, "duplicates", (json_int_t)plan->duplicates, "workers", (json_int_t)workers,
                  "core_seconds", fq_json_number(cost->seconds), "seconds",
                  fq_json_number(fmax(cost->longest_seconds, cost->seconds / (double)workers)), "codebooks",
                  (json_int_t)cost->codebooks, "codebooks_to_train", (json_int_t)cost->untrained,
                  "memory_bytes", fq_json_number(cost->memory_bytes * (double)workers)));
}

static fq_status print_summary_as_json(const fq_sweep_summary *s, const char *results) {
    return fq_verb_print_json(
        json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "schema", "fibquant sweep 1",
                  "output", fq_json_text(results), "points", (json_int_t)s->total, "stored_before",
                  (json_int_t)s->stored_before, "failed_before", (json_int_t)s->failed_before, "done",
                  (json_int_t)s->done, "failed", (json_int_t)s->failed, "interrupted", s->interrupted != 0,
                  "seconds", fq_json_number(s->seconds), "cpu_seconds", fq_json_number(s->cpu_seconds)));
}

static fq_status print_plan(const fq_plan *plan, size_t workers) {
    fq_plan_cost cost;
    double *seconds = NULL;
    char text[FQ_DURATION_TEXT], training[FQ_DURATION_TEXT];
    FQ_TRY(fq_alloc(&seconds, plan->count, sizeof *seconds));
    const fq_status status = fq_plan_costs(&cost, seconds, plan, cache_folder);
    if (status == FQ_OK && json) {
        const fq_status printed = print_plan_as_json(plan, &cost, seconds, workers);
        fq_free(seconds);
        return printed;
    }
    for (size_t i = 0; status == FQ_OK && i < plan->count; i++) {
        char label[FQ_POINT_LABEL_MAX];
        const fq_experiment *experiment = plan->points[i].experiment;
        fq_point_label(label, &plan->points[i]);
        printf("%.12s  %s", plan->points[i].id, label);
        if (experiment->cost)
            printf("  (about %.2g s, %.3g MB)", seconds[i],
                   experiment->cost(&plan->points[i]).memory_bytes / 1e6);
        putchar('\n');
    }
    fq_free(seconds);
    FQ_TRY(status);
    if (cost.codebooks) {
        fq_duration_text(training, cost.training_seconds);
        printf("%zu codebooks, %zu of them to be trained first: %s of one core, counted below\n",
               cost.codebooks, cost.untrained, cost.untrained ? training : "nothing");
    }
    fq_duration_text(text, fmax(cost.longest_seconds, cost.seconds / (double)workers));
    printf("%zu points", plan->count);
    if (plan->duplicates)
        printf(" (%zu equal ones left out)", plan->duplicates);
    printf("; about %s on %zu workers, %.3g core hours, %.3g GB of memory", text, workers,
           cost.seconds / 3600, cost.memory_bytes * (double)workers / 1e9);
    if (cost.unknown)
        printf("; %zu of unknown cost counted as a second", cost.unknown);
    putchar('\n');
    return FQ_OK;
}

static void print_summary(const fq_sweep_summary *s, const char *results) {
    char took[FQ_DURATION_TEXT], slowest[FQ_DURATION_TEXT], before[48] = "";
    char name[FQ_FAILURE_LINE_MAX];
    if (s->failed_before)
        snprintf(before, sizeof before, "%zu failed before, ", s->failed_before);
    fq_duration_text(took, s->seconds);
    fq_duration_text(slowest, s->slowest_seconds);
    fq_printable(name, sizeof name, results);
    fprintf(stderr,
            "sweep: %zu points: %zu stored before, %s%zu done, %zu failed in %s (%.1f s of processor time, "
            "slowest point %s, up to %.0f MB a worker); %s\n",
            s->total, s->stored_before, before, s->done, s->failed, took, s->cpu_seconds, slowest,
            (double)s->peak_memory_bytes / 1e6, name);
    if (s->failed_before)
        fprintf(stderr, "sweep: %zu points failed before and were not computed again; --retry-failed does\n",
                s->failed_before);
    if (s->failed + s->failed_before)
        fprintf(stderr, "sweep: why points failed: fibquant results %s --table failures\n", name);
    if (s->interrupted)
        fprintf(stderr, "sweep: interrupted; go on with --resume\n");
}

static fq_status read_plan(fq_manifest *manifest, fq_plan *plan, const char *path) {
    FQ_TRY(fq_manifest_load(manifest, path));
    for (size_t i = 0; i < settings.count; i++)
        FQ_TRY(fq_manifest_set(manifest, settings.items[i], fq_plan_accepts, NULL));
    FQ_TRY(fq_plan_create(plan, manifest));
    if (!shard)
        return FQ_OK;
    size_t part = 0, parts = 0;
    char rest = 0;
    if (strspn(shard, "0123456789/") != strlen(shard) ||
        sscanf(shard, "%zu/%zu%c", &part, &parts, &rest) != 2 || part < 1 || part > parts ||
        parts > FQ_PLAN_SHARDS_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--shard %.60s: not allowed; allowed: I/N with 1 <= I <= N <= %d",
                            shard, FQ_PLAN_SHARDS_MAX);
    fq_plan_shard(plan, part, parts);
    return FQ_OK;
}

static fq_status sweep(const fq_plan *plan, const fq_manifest *manifest, int argc, const char *const *argv,
                       fq_sweep_summary *summary) {
    fq_sweep_options o = {.results = output ? output : manifest->results,
                          .cache_folder = cache_folder,
                          .jobs = jobs,
                          .quiet = fq_options_quiet(),
                          .no_bar = fq_options_no_progress(),
                          .part = shard != NULL,
                          .store = {resume, retry_failed, force, mixed}};
    fq_provenance provenance;
    if (!o.results)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "no results file; allowed: -o RESULTS.h5, or outputs: "
                                          "{results: ...} in the manifest");
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, plan->count ? plan->points[0].manifest_seed : 0));
    fq_status status = fq_provenance_set(&provenance, "manifest", manifest->text);
    if (status == FQ_OK)
        status = fq_sweep_run(plan, &provenance, &o, summary);
    if (status == FQ_OK && summary->writer && !fq_options_quiet())
        print_summary(summary, o.results);
    if (status == FQ_OK && summary->writer && json)
        status = print_summary_as_json(summary, o.results);
    fq_provenance_clear(&provenance);
    return status;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_manifest manifest = {0};
    fq_plan plan = {0};
    fq_sweep_summary summary = {0};
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    const bool speaks = fq_mpi_rank() == 0;
    if (list) {
        if (speaks && json)
            return print_experiments_as_json() == FQ_OK ? 0 : fq_verb_fail("sweep");
        if (speaks)
            print_experiments();
        return 0;
    }
    if (arguments.count != 1)
        return fq_options_refuse(&usage, "needs a manifest; allowed: MANIFEST.yaml, or --list");
    fq_status status = read_plan(&manifest, &plan, arguments.items[0]);
    if (status == FQ_OK && dry_run) {
        if (speaks)
            status = print_plan(&plan, fq_sweep_workers(plan.count, jobs));
    } else if (status == FQ_OK) {
        const char *results = output ? output : manifest.results;
        if (results && !output_is_apart(&plan, arguments.items[0], results, &exit_code)) {
            fq_plan_clear(&plan);
            fq_manifest_clear(&manifest);
            return exit_code;
        }
        status = sweep(&plan, &manifest, argc, argv, &summary);
    }
    /* the rank once more: MPI may have started meanwhile and know it better */
    exit_code = status == FQ_OK      ? 0
                : fq_mpi_rank() == 0 ? fq_verb_fail("sweep")
                                     : fq_failure_exit_code(status);
    fq_plan_clear(&plan);
    fq_manifest_clear(&manifest);
    if (exit_code == 0 && summary.interrupted)
        return fq_verb_interrupted(summary.interrupted);
    return exit_code == 0 && summary.failed + summary.failed_before ? 5 : exit_code;
}

const fq_verb fq_verb_sweep = {"sweep", "run a grid of experiments from a manifest", run};
