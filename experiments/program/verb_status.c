/* fibquant status: how far a sweep is, seen from another terminal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "options.h"
#include "printable.h"
#include "progress_bar.h"
#include "result_store.h"
#include "sweep_lock.h"
#include "sweep_store.h"
#include "verb.h"
#include "verb_support.h"

static bool json;

static const fq_option options[] = {FQ_OPTION_JSON(json), {0}};

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

/* What the last sweep of the store left about itself; points NULL: there was none. */
typedef struct past {
    const char *points, *stored, *failed, *ended; /* ended NULL: it was killed */
} past;

static past last_sweep(const fq_results *results) {
    past p = {0};
    for (size_t run = results->run_count; run > 0 && !p.points; run--) {
        p.points = fq_results_run_text(results, run, FQ_RUN_POINTS);
        p.stored = fq_results_run_text(results, run, FQ_RUN_DONE);
        p.failed = fq_results_run_text(results, run, FQ_RUN_FAILED);
        p.ended = p.stored && p.failed ? fq_results_run_text(results, run, FQ_RUN_ENDED) : NULL;
    }
    return p;
}

static void print_state(const fq_sweep_state *s, bool running) {
    char left[FQ_DURATION_TEXT], elapsed[FQ_DURATION_TEXT], host[4 * sizeof s->host];
    const unsigned long long stored = s->stored_before + s->done + s->failed, total = s->total;
    fq_duration_text(left, s->eta_seconds);
    fq_duration_text(elapsed, s->elapsed_seconds);
    fq_printable(host, sizeof host, s->host);
    if (running)
        printf(
            "running on %s, pid %lld: %llu of %llu points (%llu stored before, %llu failed), %llu running on "
            "%llu workers of %llu ranks; %.3g points/s, %s elapsed, %s left\n",
            host, (long long)s->pid, stored, total, (unsigned long long)s->stored_before,
            (unsigned long long)s->failed, (unsigned long long)s->running, (unsigned long long)s->workers,
            (unsigned long long)s->ranks, rate_of(s), elapsed, left);
    else
        printf("interrupted, %llu of %llu points, %llu failed: killed or crashed on %s, pid %lld; go on with "
               "--resume\n",
               stored, total, (unsigned long long)s->failed, host, (long long)s->pid);
}

static void print_past(const past *p) {
    if (!p->points)
        puts("no sweep is running");
    else if (!p->ended)
        printf("interrupted (killed or crashed), of %s points; go on with --resume\n", p->points);
    else
        printf("%s, %s of %s points, %s failed%s\n", p->ended, p->stored, p->points, p->failed,
               strcmp(p->ended, "finished") == 0 ? "" : "; go on with --resume");
}

static fq_status print_text(const fq_results *results, const fq_sweep_state *s, bool running, bool stale) {
    const past p = last_sweep(results);
    if (running || stale)
        print_state(s, running);
    else
        print_past(&p);
    for (size_t t = 0; t < results->table_count; t++) {
        char name[4 * FQ_TABLE_NAME_MAX];
        fq_printable(name, sizeof name, results->tables[t].name);
        printf("%-24s %zu rows\n", name, results->tables[t].count);
    }
    return FQ_OK;
}

static void set_count(json_t *document, const char *name, uint64_t value) {
    json_object_set_new(document, name, json_integer((json_int_t)value));
}

static void set_text_count(json_t *document, const char *name, const char *text) {
    set_count(document, name, strtoull(text, NULL, 10));
}

static fq_status print_json(const fq_results *results, const fq_sweep_state *s, bool running, bool stale) {
    const past p = last_sweep(results);
    const bool interrupted = p.points && (!p.ended || strcmp(p.ended, "finished") != 0);
    json_t *document = json_object(), *rows = json_object();
    set_count(document, "version", 1);
    json_object_set_new(document, "state",
                        json_string(running       ? "running"
                                    : stale       ? "killed"
                                    : interrupted ? "interrupted"
                                                  : "idle"));
    if (running || stale) {
        json_object_set_new(document, "host", json_string(s->host));
        set_count(document, "pid", (uint64_t)s->pid);
        set_count(document, "total", s->total);
        set_count(document, "stored_before", s->stored_before);
        set_count(document, "done", s->done);
        set_count(document, "failed", s->failed);
        set_count(document, "running", s->running);
        json_object_set_new(document, "points_per_second", json_real(rate_of(s)));
        json_object_set_new(document, "elapsed_seconds", fq_json_number(s->elapsed_seconds));
    } else if (p.points) {
        set_text_count(document, "total", p.points);
        if (p.ended) {
            set_text_count(document, "stored", p.stored);
            set_text_count(document, "failed", p.failed);
        }
    }
    if (running && isfinite(s->eta_seconds))
        json_object_set_new(document, "left_seconds", json_real(s->eta_seconds));
    for (size_t t = 0; t < results->table_count; t++)
        set_count(rows, results->tables[t].name, results->tables[t].count);
    json_object_set_new(document, "rows", rows);
    return fq_verb_print_json(document);
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
    const fq_status status =
        (json ? print_json : print_text)(&results, &state, alive, !alive && locked == FQ_OK);
    fq_results_clear(&results);
    return status == FQ_OK ? 0 : fq_verb_fail("status");
}

const fq_verb fq_verb_status = {"status", "how far a sweep is, from another terminal", run};
