/* fibquant status: how far a sweep is, seen from another terminal. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "options.h"
#include "result_store.h"
#include "sweep_lock.h"
#include "sweep_progress.h"
#include "sweep_store.h"
#include "verb.h"

static bool json;

static const fq_option options[] = {
    {.name = "json", .kind = FQ_OPTION_FLAG, .value = &json, .help = "one JSON document"}, {0}};

static const fq_usage usage = {
    .verb = "status",
    .summary = "Shows how far a sweep is: its results file and, if it is running, its progress.",
    .arguments = "RESULTS.h5",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .examples = "fibquant status results.h5"};

/* Points a second since the sweep began. */
static double rate_of(const fq_sweep_state *s) {
    return s->elapsed_seconds > 0.0 ? (double)(s->done + s->failed) / s->elapsed_seconds : 0.0;
}

static void print_text(const fq_results *results, const fq_sweep_state *s, bool running, bool stale) {
    char left[FQ_DURATION_TEXT], elapsed[FQ_DURATION_TEXT];
    fq_duration_text(left, s->eta_seconds);
    fq_duration_text(elapsed, s->elapsed_seconds);
    if (running || stale)
        printf("%s on %s, pid %lld: %llu of %llu points (%llu stored before, %llu failed), %llu "
               "running on %llu workers of %llu ranks; %.3g points/s, %s elapsed, %s left\n",
               running ? "running" : "killed or crashed; go on with --resume", s->host, (long long)s->pid,
               (unsigned long long)(s->stored_before + s->done + s->failed), (unsigned long long)s->total,
               (unsigned long long)s->stored_before, (unsigned long long)s->failed,
               (unsigned long long)s->running, (unsigned long long)s->workers, (unsigned long long)s->ranks,
               rate_of(s), elapsed, running ? left : "?");
    else
        puts("no sweep is running");
    for (size_t t = 0; t < results->table_count; t++)
        printf("%-24s %zu rows\n", results->tables[t].name, results->tables[t].count);
}

static void print_json(const fq_results *results, const fq_sweep_state *s, bool running, bool stale) {
    printf("{\"version\": 1, \"state\": \"%s\"", running ? "running" : stale ? "killed" : "idle");
    if (running || stale)
        printf(", \"host\": \"%s\", \"pid\": %lld, \"total\": %llu, \"stored_before\": %llu, "
               "\"done\": %llu, \"failed\": %llu, \"running\": %llu, \"points_per_second\": %.6g, "
               "\"elapsed_seconds\": %.3f",
               s->host, (long long)s->pid, (unsigned long long)s->total, (unsigned long long)s->stored_before,
               (unsigned long long)s->done, (unsigned long long)s->failed, (unsigned long long)s->running,
               rate_of(s), s->elapsed_seconds);
    if (running && isfinite(s->eta_seconds))
        printf(", \"left_seconds\": %.3f", s->eta_seconds);
    printf(", \"rows\": {");
    for (size_t t = 0; t < results->table_count; t++)
        printf("%s\"%s\": %zu", t ? ", " : "", results->tables[t].name, results->tables[t].count);
    printf("}}\n");
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_results results = {0};
    fq_sweep_state state = {.eta_seconds = (double)NAN};
    bool alive = false;
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    const fq_status locked = fq_sweep_lock_read(arguments.items[0], &state, &alive);
    if (fq_store_read(arguments.items[0], &results) != FQ_OK)
        return fq_verb_fail("status");
    (json ? print_json : print_text)(&results, &state, alive, !alive && locked == FQ_OK);
    fq_results_clear(&results);
    return 0;
}

const fq_verb fq_verb_status = {"status", "how far a sweep is, from another terminal", run};
