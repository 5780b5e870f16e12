/* Runs benchmarks: verifies, warms up, times in turns, compares. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cblas.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "bench_limits.h"
#include "bench_report.h"
#include "failure.h"
#include "memory.h"
#include "progress_bar.h"
#include "stream_ranges.h"

enum { LEAST_ROUNDS = 5, LEAST_SAMPLE_NS = 10000000, REPEATS_MAX = 1 << 20 };

/* A variant of the case in hand, and what was found of it. */
typedef struct entry {
    fq_bench_variant variant;
    fq_bench_row row;
    double *wall, *cpu; /* [rounds] seconds of a run; in the session's arrays */
} entry;

struct fq_bench_session {
    const fq_bench_settings *settings;
    fq_bench_report *report; /* NULL: listing */
    const fq_bench *bench;
    const fq_bench_case *the_case;
    size_t count, first_row; /* variants; first row of the case */
    entry entries[FQ_BENCH_VARIANTS_MAX];
    double *samples; /* [2][FQ_BENCH_VARIANTS_MAX][FQ_BENCH_ROUNDS_MAX] */
    fq_limit_peak peak;
    fq_limit_memory copy;
    uint64_t cases; /* measured so far, and in all */
    bool matched[16];
    bool print_names; /* listing */
    fq_progress_bar bar;
};

const char *fq_bench_kind_name(fq_bench_kind kind) {
    static const char *const names[] = {"limit", "naive", "library", "ours", "stage"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

/* An item of --only is BENCH or BENCH:CASE. */
static bool matches(const char *item, const char *bench, const char *case_name) {
    const size_t length = strlen(bench);
    if (strncmp(item, bench, length) != 0)
        return false;
    return item[length] == '\0' || (item[length] == ':' && strcmp(item + length + 1, case_name) == 0);
}

static bool chosen(fq_bench_session *session, const char *case_name) {
    const fq_bench_settings *const s = session->settings;
    bool yes = s->only_count == 0 && session->bench->scaling == s->scaling;
    for (size_t i = 0; i < s->only_count; i++)
        if (matches(s->only[i], session->bench->name, case_name)) {
            session->matched[i] = true;
            yes = true;
        }
    return yes;
}

bool fq_bench_wanted(fq_bench_session *session, const char *case_name) {
    const bool yes = chosen(session, case_name);
    if (!session->report) {
        if (session->print_names)
            printf("    %s:%s\n", session->bench->name, case_name);
        session->cases += yes;
        return false;
    }
    return yes;
}

size_t fq_bench_size(const fq_bench_session *session, size_t full, size_t small) {
    return session->settings->quick ? small : full;
}

uint64_t fq_bench_seed(const fq_bench_session *session) {
    return session->settings->seed;
}

size_t fq_bench_threads(const fq_bench_session *session) {
    return session->settings->threads;
}

void fq_bench_begin(fq_bench_session *session, const fq_bench_case *the_case) {
    session->the_case = the_case;
    session->count = 0;
    session->first_row = session->report->row_count;
}

static void set_row_case(fq_bench_row *row, const fq_bench_session *session) {
    const fq_bench_case *const c = session->the_case;
    memset(row, 0, sizeof *row);
    snprintf(row->bench, sizeof row->bench, "%s", session->bench->name);
    snprintf(row->name, sizeof row->name, "%s", c->name);
    snprintf(row->work, sizeof row->work, "%s", c->work);
    snprintf(row->unit, sizeof row->unit, "%s", c->unit);
    snprintf(row->axis, sizeof row->axis, "%s", c->axis ? c->axis : "");
    row->axis_value = c->axis ? c->axis_value : (double)NAN;
    row->axis_slope = c->axis ? c->axis_slope : (double)NAN;
    const fq_bench_ratio none = {(double)NAN, (double)NAN, (double)NAN};
    row->times_naive = row->times_library = row->times_other = row->share = none;
    row->of_peak = row->of_copy = none;
    row->seconds = fq_bench_summarise(NULL, 0);
    row->of_limit = row->target_of_limit = row->busy = row->rate = (double)NAN;
    row->good = true;
    row->met = -1;
}

/* What the target says, for the table. */
static void describe_target(char text[FQ_BENCH_TARGET_MAX], const fq_bench_target *t, const char *unit) {
    const double v = t->value;
    switch (t->goal) {
    case FQ_GOAL_NONE:
        text[0] = '\0';
        break;
    case FQ_GOAL_OF_PEAK:
        snprintf(text, FQ_BENCH_TARGET_MAX, ">= %.3g %% of peak", 100 * v);
        break;
    case FQ_GOAL_OF_COPY:
        snprintf(text, FQ_BENCH_TARGET_MAX, ">= %.3g %% of copy", 100 * v);
        break;
    case FQ_GOAL_RATE:
        snprintf(text, FQ_BENCH_TARGET_MAX, ">= %.3g M%s/s at 3.4 GHz", v / 1e6, unit);
        break;
    case FQ_GOAL_TIMES:
        snprintf(text, FQ_BENCH_TARGET_MAX, ">= %.3g x %s", v, t->other);
        break;
    case FQ_GOAL_SHARE:
        snprintf(text, FQ_BENCH_TARGET_MAX, "<= %.3g %% of the whole", 100 * v);
        break;
    case FQ_GOAL_SECONDS:
        snprintf(text, FQ_BENCH_TARGET_MAX, "<= %.3g s", v);
        break;
    case FQ_GOAL_VALUE:
        if (strcmp(unit, "B") == 0)
            snprintf(text, FQ_BENCH_TARGET_MAX, "<= %.0f KiB", v / 1024);
        else
            snprintf(text, FQ_BENCH_TARGET_MAX, "<= %.4g%s%s", v, strcmp(unit, "1") ? " " : "",
                     strcmp(unit, "1") ? unit : "");
        break;
    }
}

void fq_bench_add(fq_bench_session *session, const fq_bench_variant *variant) {
    if (session->count == FQ_BENCH_VARIANTS_MAX)
        return; /* measure refuses: see there */
    entry *const e = &session->entries[session->count++];
    const fq_bench_case *const c = session->the_case;
    e->variant = *variant;
    set_row_case(&e->row, session);
    snprintf(e->row.variant, sizeof e->row.variant, "%s", variant->name);
    e->row.kind = variant->kind;
    e->row.threads = variant->threads ? variant->threads : 1;
    const double share = variant->share > 0 ? variant->share : 1;
    const bool limit = variant->kind == FQ_BENCH_LIMIT;
    e->row.amount = limit ? variant->flops + variant->bytes : share * c->amount;
    e->row.flops = limit ? variant->flops : share * c->flops;
    e->row.bytes = limit ? variant->bytes : share * c->bytes;
    const char *const unit = !limit               ? c->unit
                             : variant->flops > 0 ? "flop"
                             : variant->bytes > 0 ? "B"
                                                  : c->unit;
    snprintf(e->row.unit, sizeof e->row.unit, "%s", unit);
    if (limit && !(e->row.amount > 0))
        e->row.amount = c->amount;
    snprintf(e->row.rate_unit, sizeof e->row.rate_unit, "%.21s/s", unit);
    describe_target(e->row.target, &variant->target, c->unit);
    const size_t there = strlen(e->row.target);
    if (variant->also.goal == FQ_GOAL_TIMES)
        snprintf(e->row.target + there, sizeof e->row.target - there, " and %.3g x %s", variant->also.value,
                 variant->also.other);
}

void fq_bench_add_peak(fq_bench_session *session) {
    fq_bench_add(session, &(fq_bench_variant){.name = "FMA peak",
                                              .kind = FQ_BENCH_LIMIT,
                                              .run = fq_limit_peak_run,
                                              .check = fq_limit_peak_check,
                                              .context = &session->peak,
                                              .output = session->peak.last,
                                              .output_bytes = sizeof session->peak.last,
                                              .flops = session->peak.flops});
}

void fq_bench_add_copy(fq_bench_session *session) {
    fq_bench_add(session, &(fq_bench_variant){
                              .name = "copy",
                              .kind = FQ_BENCH_LIMIT,
                              .run = fq_limit_copy_run,
                              .check = fq_limit_copy_check,
                              .context = &session->copy,
                              .bytes = (double)fq_bench_size(session, fq_limit_beyond_caches(), 1 << 20)});
}

static int64_t now_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* OpenBLAS keeps to one: no library variant has more, and its idle threads would spin beside ours. */
static void set_threads(size_t threads) {
#ifdef _OPENMP
    omp_set_num_threads((int)threads);
#else
    (void)threads;
#endif
}

static void spoil(const entry *e) {
    if (e->variant.output)
        memset(e->variant.output, 0xa5, e->variant.output_bytes);
}

static void judge(entry *e) {
    if (e->variant.check && !e->variant.check(e->variant.context, e->row.why)) {
        e->row.good = false;
        if (!e->row.why[0])
            snprintf(e->row.why, sizeof e->row.why, "output differs from the reference");
    }
}

/* A sample: repeats runs. */
static fq_status time_runs(const entry *e, size_t repeats, double *wall, double *cpu) {
    const int64_t cpu_start = now_ns(CLOCK_PROCESS_CPUTIME_ID), start = now_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < repeats; i++)
        FQ_TRY(e->variant.run(e->variant.context));
    const int64_t stop = now_ns(CLOCK_MONOTONIC), cpu_stop = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    *wall = (double)(stop - start) * 1e-9 / (double)repeats;
    *cpu = (double)(cpu_stop - cpu_start) * 1e-9 / (double)repeats;
    return FQ_OK;
}

static fq_status verify(entry *e) {
    set_threads(e->row.threads);
    spoil(e);
    FQ_TRY(e->variant.run(e->variant.context));
    judge(e);
    return FQ_OK;
}

/* Warms up, and finds how many runs a sample takes: doubled until it lasts long enough. */
static fq_status calibrate(entry *e) {
    double wall, cpu;
    set_threads(e->row.threads);
    for (e->row.repeats = 1; e->row.repeats < REPEATS_MAX; e->row.repeats *= 2) {
        FQ_TRY(time_runs(e, e->row.repeats, &wall, &cpu));
        if (wall * (double)e->row.repeats * 1e9 >= LEAST_SAMPLE_NS)
            break;
    }
    return FQ_OK;
}

static void shuffle(size_t *order, size_t n, fq_stream *stream) {
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)fq_stream_below(stream, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static fq_status time_round(fq_bench_session *session, size_t round, bool last, fq_stream *stream) {
    size_t order[FQ_BENCH_VARIANTS_MAX];
    shuffle(order, session->count, stream);
    for (size_t i = 0; i < session->count; i++) {
        entry *const e = &session->entries[order[i]];
        if (!e->row.good)
            continue;
        set_threads(e->row.threads);
        if (e->row.threads > 1 &&
            !session->the_case->once) /* the others sleep: a sample untimed wakes them */
            FQ_TRY(time_runs(e, e->row.repeats, &e->wall[round], &e->cpu[round]));
        if (last)
            spoil(e);
        FQ_TRY(time_runs(e, e->row.repeats, &e->wall[round], &e->cpu[round]));
        e->row.rounds = round + 1;
        if (last)
            judge(e);
    }
    return FQ_OK;
}

static fq_status time_rounds(fq_bench_session *session) {
    const fq_bench_settings *const s = session->settings;
    const bool once = session->the_case->once;
    fq_stream stream;
    fq_stream_init_in(&stream, s->seed, FQ_RANGE_BENCH_ORDER, session->cases);
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    for (size_t v = 0; v < session->count && !once; v++)
        if (session->entries[v].row.good)
            FQ_TRY(calibrate(&session->entries[v]));
    const size_t most = once ? 1 : s->rounds;
    bool last = false;
    for (size_t round = 0; !last; round++) {
        const double spent = (double)(now_ns(CLOCK_MONOTONIC) - start) * 1e-9;
        last = round + 1 >= most || (round + 1 >= LEAST_ROUNDS && spent > s->seconds);
        FQ_TRY(time_round(session, round, last, &stream));
    }
    return FQ_OK;
}

/* a's seconds over b's, each for as much of the work: by rounds. */
static fq_bench_ratio ratio(const entry *a, const entry *b, double scale) {
    double each[FQ_BENCH_ROUNDS_MAX];
    const bool both = a && b && a->row.good && b->row.good;
    const size_t rounds = both ? (a->row.rounds < b->row.rounds ? a->row.rounds : b->row.rounds) : 0;
    for (size_t r = 0; r < rounds; r++)
        each[r] = scale * a->wall[r] / b->wall[r];
    const fq_bench_summary s = fq_bench_summarise(each, rounds);
    return (fq_bench_ratio){s.median, s.median_low, s.median_high};
}

static const entry *first_of(const fq_bench_session *session, fq_bench_kind kind, const char *name) {
    for (size_t v = 0; v < session->count; v++)
        if (session->entries[v].row.kind == kind && (!name || !strcmp(session->entries[v].row.variant, name)))
            return &session->entries[v];
    return NULL;
}

static const entry *named(const fq_bench_session *session, const char *name) {
    for (size_t v = 0; v < session->count; v++)
        if (name && !strcmp(session->entries[v].row.variant, name))
            return &session->entries[v];
    return NULL;
}

/* How many times as fast e is as other on the same work. */
static fq_bench_ratio times(const entry *other, const entry *e) {
    return ratio(other, e, other ? e->row.amount / other->row.amount : 1);
}

static fq_bench_ratio of_limit(const entry *limit, const entry *e, double limit_work, double work) {
    return limit && work > 0 && limit_work > 0 ? ratio(limit, e, work / limit_work / (double)e->row.threads)
                                               : ratio(NULL, e, 1);
}

static bool reached(const fq_bench_report *report, const entry *e, double *value) {
    const fq_bench_row *const r = &e->row;
    const double wanted = e->variant.target.value;
    switch (e->variant.target.goal) {
    case FQ_GOAL_OF_PEAK:
        *value = r->of_peak.median;
        return *value >= wanted;
    case FQ_GOAL_OF_COPY:
        *value = r->of_copy.median;
        return *value >= wanted;
    case FQ_GOAL_RATE:
        *value = r->rate * (3.4e9 / report->clock);
        return *value >= wanted;
    case FQ_GOAL_TIMES:
        *value = r->times_other.median;
        return *value >= wanted;
    case FQ_GOAL_SHARE:
        *value = r->share.median;
        return *value <= wanted;
    case FQ_GOAL_SECONDS:
        *value = r->seconds.median;
        return *value <= wanted;
    case FQ_GOAL_VALUE:
    case FQ_GOAL_NONE:
        break;
    }
    *value = (double)NAN;
    return false;
}

static void compare(fq_bench_session *session, entry *e) {
    fq_bench_row *const r = &e->row;
    double copy[FQ_BENCH_ROUNDS_MAX];
    memcpy(copy, e->wall, r->rounds * sizeof *copy);
    r->seconds = fq_bench_summarise(copy, r->rounds);
    r->rate = r->amount / r->seconds.median;
    for (size_t i = 0; i < r->rounds; i++)
        copy[i] = e->cpu[i] / (e->wall[i] * (double)r->threads);
    r->busy = fq_bench_summarise(copy, r->rounds).median;
    if (r->kind == FQ_BENCH_LIMIT)
        return;
    if (r->kind == FQ_BENCH_STAGE) {
        r->share = ratio(e, first_of(session, FQ_BENCH_OURS, NULL), 1);
    } else {
        r->times_naive = times(first_of(session, FQ_BENCH_NAIVE, NULL), e);
        r->times_library = times(first_of(session, FQ_BENCH_LIBRARY, NULL), e);
    }
    const entry *const other = named(session, e->variant.target.other);
    r->times_other = times(other, e);
    const entry *const peak = first_of(session, FQ_BENCH_LIMIT, "FMA peak");
    const entry *const memory = first_of(session, FQ_BENCH_LIMIT, "copy");
    r->of_peak = of_limit(peak, e, peak ? peak->row.flops : 0, r->flops);
    r->of_copy = of_limit(memory, e, memory ? memory->row.bytes : 0, r->bytes);
    r->of_limit = fmax(r->of_peak.median, r->of_copy.median);
    snprintf(r->limit, sizeof r->limit, "%s",
             isnan(r->of_limit)                 ? ""
             : r->of_limit == r->of_peak.median ? "peak"
                                                : "copy");
    double value;
    bool met = reached(session->report, e, &value);
    if (e->variant.also.goal == FQ_GOAL_TIMES)
        met = met && times(named(session, e->variant.also.other), e).median >= e->variant.also.value;
    r->met = isnan(value) ? -1 : met;
    if (r->of_limit > 0 && e->variant.target.goal != FQ_GOAL_SHARE &&
        e->variant.target.goal != FQ_GOAL_SECONDS)
        r->target_of_limit = r->of_limit * e->variant.target.value / value; /* where the target would stand */
}

/* Room for one row and its samples more. */
static fq_status grow(fq_bench_report *report, size_t samples) {
    if (report->row_count == report->row_room) {
        const size_t room = report->row_room ? 2 * report->row_room : 64;
        fq_bench_row *rows;
        FQ_TRY(fq_alloc(&rows, room, sizeof *rows));
        if (report->row_count)
            memcpy(rows, report->rows, report->row_count * sizeof *rows);
        fq_free(report->rows);
        report->rows = rows;
        report->row_room = room;
    }
    if (report->sample_count + samples > report->sample_room) {
        const size_t room = 2 * report->sample_room + samples + 1024;
        double *wall, *cpu;
        FQ_TRY(fq_alloc(&wall, room, 2 * sizeof *wall));
        cpu = wall + room; /* one block for both */
        if (report->sample_count) {
            memcpy(wall, report->wall, report->sample_count * sizeof *wall);
            memcpy(cpu, report->cpu, report->sample_count * sizeof *cpu);
        }
        fq_free(report->wall);
        report->wall = wall;
        report->cpu = cpu;
        report->sample_room = room;
    }
    return FQ_OK;
}

static fq_status keep_row(fq_bench_report *report, const fq_bench_row *row, const double *wall,
                          const double *cpu) {
    FQ_TRY(grow(report, row->rounds));
    fq_bench_row *const kept = &report->rows[report->row_count++];
    *kept = *row;
    kept->first = report->sample_count;
    if (row->rounds && wall && cpu) {
        memcpy(report->wall + report->sample_count, wall, row->rounds * sizeof *wall);
        memcpy(report->cpu + report->sample_count, cpu, row->rounds * sizeof *cpu);
    }
    report->sample_count += row->rounds;
    return FQ_OK;
}

static void case_finished(fq_bench_session *session) {
    session->cases++;
    fq_progress_bar_finish(&session->bar);
    if (session->settings->finished)
        session->settings->finished(session->report, session->first_row);
    fq_progress_bar_update(&session->bar, session->cases);
}

static fq_status run_case(fq_bench_session *session) {
    const bool once = session->the_case->once;
    for (size_t v = 0; v < session->count; v++) {
        entry *const e = &session->entries[v];
        e->row.repeats = 1;
        e->wall = session->samples + v * FQ_BENCH_ROUNDS_MAX;
        e->cpu = session->samples + (FQ_BENCH_VARIANTS_MAX + v) * FQ_BENCH_ROUNDS_MAX;
        if (!once)
            FQ_TRY(verify(e));
    }
    return time_rounds(session);
}

fq_status fq_bench_measure(fq_bench_session *session) {
    if (session->count == FQ_BENCH_VARIANTS_MAX)
        return FQ_FAIL(FQ_ERR_OVERFLOW, "variants", "fewer than 24 in a case");
    const entry *const copy = first_of(session, FQ_BENCH_LIMIT, "copy");
    if (copy && copy->variant.context == &session->copy) /* two large arrays, for as long as they are used */
        FQ_TRY(fq_limit_memory_init(&session->copy, (size_t)copy->variant.bytes, true));
    fq_status status = run_case(session);
    set_threads(1);
    fq_limit_memory_clear(&session->copy);
    for (size_t v = 0; v < session->count && status == FQ_OK; v++) {
        entry *const e = &session->entries[v];
        if (e->row.good)
            compare(session, e);
        else
            e->row.rounds = 0; /* no time of wrong work */
    }
    for (size_t v = 0; v < session->count && status == FQ_OK; v++)
        status = keep_row(session->report, &session->entries[v].row, session->entries[v].wall,
                          session->entries[v].cpu);
    if (status == FQ_OK)
        case_finished(session);
    session->count = 0;
    return status;
}

fq_status fq_bench_note(fq_bench_session *session, const char *variant, double value, const char *unit,
                        const fq_bench_target *target, bool good, const char *why) {
    fq_bench_row row;
    set_row_case(&row, session);
    snprintf(row.variant, sizeof row.variant, "%s", variant);
    snprintf(row.unit, sizeof row.unit, "%s", unit);
    snprintf(row.rate_unit, sizeof row.rate_unit, "%s", unit);
    snprintf(row.why, sizeof row.why, "%s", good ? "" : why);
    row.kind = FQ_BENCH_OURS;
    row.threads = 1;
    row.rate = value;
    row.good = good;
    if (target) {
        describe_target(row.target, target, unit);
        if (target->goal == FQ_GOAL_VALUE)
            row.met = value <= target->value;
    }
    return keep_row(session->report, &row, NULL, NULL);
}

static fq_status measure_clock(double *clock) {
    double best = HUGE_VAL;
    *clock = (double)NAN;
    for (int i = 0; i < 20 && fq_limit_clock_known(); i++) {
        uint64_t cycles = 0;
        const int64_t start = now_ns(CLOCK_MONOTONIC);
        FQ_TRY(fq_limit_clock_run(&cycles));
        const double seconds = (double)(now_ns(CLOCK_MONOTONIC) - start) * 1e-9;
        if (cycles == FQ_LIMIT_CYCLES && seconds < best) {
            best = seconds;
            *clock = FQ_LIMIT_CYCLES / seconds;
        }
    }
    return FQ_OK;
}

/* All benchmarks' cases: counts those wanted, and prints their names if asked. Sees that each item of
 * --only names something. */
static fq_status look_through(const fq_bench_settings *settings, bool print_names, uint64_t *wanted) {
    fq_bench_session *session;
    FQ_TRY(fq_alloc_zero(&session, 1, sizeof *session));
    session->settings = settings;
    session->print_names = print_names;
    fq_status status = FQ_OK;
    for (size_t i = 0; i < fq_bench_count() && status == FQ_OK; i++) {
        session->bench = fq_bench_get(i);
        if (print_names)
            printf("%s: %s%s\n", session->bench->name, session->bench->summary,
                   session->bench->scaling ? " (with --scaling)" : "");
        status = session->bench->run(session);
    }
    for (size_t i = 0; i < settings->only_count && status == FQ_OK; i++) {
        if (session->matched[i])
            continue;
        char names[512] = "";
        for (size_t b = 0, at = 0; b < fq_bench_count() && at < sizeof names; b++)
            at +=
                (size_t)snprintf(names + at, sizeof names - at, "%s%s", b ? ", " : "", fq_bench_get(b)->name);
        status = FQ_FAIL_TEXT(FQ_ERR_USAGE,
                              "--only %.80s: no such benchmark; allowed are %s, each alone or with :CASE "
                              "(--list shows the cases)",
                              settings->only[i], names);
    }
    *wanted = session->cases;
    fq_free(session);
    return status;
}

fq_status fq_bench_list(const fq_bench_settings *settings) {
    uint64_t wanted;
    return look_through(settings, true, &wanted);
}

static fq_status run_all(fq_bench_session *session) {
    for (size_t i = 0; i < fq_bench_count(); i++) {
        session->bench = fq_bench_get(i);
        FQ_TRY(session->bench->run(session));
    }
    return FQ_OK;
}

fq_status fq_bench_report_run(fq_bench_report *report, const fq_bench_settings *settings) {
    uint64_t wanted = 0;
    fq_bench_session *session;
    *report = (fq_bench_report){.quick = settings->quick, .seed = settings->seed};
    FQ_TRY(look_through(settings, false, &wanted));
    FQ_TRY(measure_clock(&report->clock));
    FQ_TRY(fq_alloc_zero(&session, 1, sizeof *session));
    fq_status status = fq_alloc(&session->samples, (size_t)2 * FQ_BENCH_VARIANTS_MAX * FQ_BENCH_ROUNDS_MAX,
                                sizeof *session->samples);
    if (status == FQ_OK) {
        session->settings = settings;
        session->report = report;
        fq_limit_peak_init(&session->peak);
        fq_progress_bar_start(&session->bar, "bench", "cases", wanted, settings->quiet, false);
        status = run_all(session);
        fq_progress_bar_finish(&session->bar);
    }
    fq_free(session->samples);
    fq_free(session);
    return status;
}

void fq_bench_report_clear(fq_bench_report *report) {
    fq_free(report->rows);
    fq_free(report->wall);
    *report = (fq_bench_report){0};
}

int fq_bench_report_exit_code(const fq_bench_report *report) {
    for (size_t i = 0; i < report->row_count; i++)
        if (!report->rows[i].good)
            return 1;
    return 0;
}
