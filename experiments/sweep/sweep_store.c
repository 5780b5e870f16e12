#include "sweep_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "memory.h"
#include "row_writer.h"

enum { COLUMN_NAMES_ROOM = FQ_TABLE_COLUMNS_MAX };

typedef struct place {
    const char *id;
    size_t point;
} place;

struct fq_sweep_store {
    fq_store *store;
    const fq_plan *plan;
    place *places;         /* [plan->count], sorted by id */
    unsigned char *states; /* [plan->count], fq_point_state */
    size_t run;
};

static const fq_value_column bookkeeping[] = {
    {"point", FQ_VALUE_TEXT, 64, "", "identity: SHA-256 of all that determines the row", FQ_ROLE_BOOKKEEPING},
    {"seed", FQ_VALUE_TEXT, 20, "1", "the manifest's seed", FQ_ROLE_PARAMETER},
    {"replicate", FQ_VALUE_INTEGER, 0, "1", "replicate of the seed, from 0", FQ_ROLE_PARAMETER},
    {"row", FQ_VALUE_INTEGER, 0, "1", "number of the row within its point, from 0", FQ_ROLE_PARAMETER},
    {FQ_VERSION_COLUMN, FQ_VALUE_INTEGER, 0, "1", "version of the experiment's definition",
     FQ_ROLE_BOOKKEEPING},
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", FQ_ROLE_BOOKKEEPING},
    {"wall_seconds", FQ_VALUE_REAL, 0, "s", "elapsed time of the point", FQ_ROLE_BOOKKEEPING},
    {"cpu_seconds", FQ_VALUE_REAL, 0, "s", "processor time of the point", FQ_ROLE_BOOKKEEPING},
    {"peak_memory_bytes", FQ_VALUE_INTEGER, 0, "B", "largest resident set of the worker",
     FQ_ROLE_BOOKKEEPING},
    {"threads", FQ_VALUE_INTEGER, 0, "1", "OpenMP threads inside the point", FQ_ROLE_BOOKKEEPING},
    {"host", FQ_VALUE_TEXT, 64, "", "machine that computed it", FQ_ROLE_BOOKKEEPING},
};
enum { BOOKKEEPING = sizeof bookkeeping / sizeof bookkeeping[0] };

static const fq_value_column failure_columns[] = {
    {"point", FQ_VALUE_TEXT, 64, "", "identity of the point", FQ_ROLE_PARAMETER},
    {"experiment", FQ_VALUE_TEXT, 64, "", "its experiment", FQ_ROLE_PARAMETER},
    {"label", FQ_VALUE_TEXT, 512, "", "its parameters, for people", FQ_ROLE_PARAMETER},
    {"error", FQ_VALUE_TEXT, 1024, "", "why it failed", FQ_ROLE_VALUE},
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", FQ_ROLE_BOOKKEEPING},
    {"wall_seconds", FQ_VALUE_REAL, 0, "s", "elapsed time until then", FQ_ROLE_BOOKKEEPING},
    {"host", FQ_VALUE_TEXT, 64, "", "machine that tried", FQ_ROLE_BOOKKEEPING},
};
enum { FAILURE_COLUMNS = sizeof failure_columns / sizeof failure_columns[0] };

static int by_id(const void *a, const void *b) {
    return strcmp(((const place *)a)->id, ((const place *)b)->id);
}

/* Place in the plan of a point's id; SIZE_MAX if it is no point of it. */
static size_t find_point(const fq_sweep_store *s, const char *id) {
    const place wanted = {.id = id};
    const place *found =
        s->plan->count ? bsearch(&wanted, s->places, s->plan->count, sizeof *s->places, by_id) : NULL;
    return found ? found->point : SIZE_MAX;
}

/* Tables ------------------------------------------------------------------------------------- */

static fq_status experiment_columns(const fq_experiment *experiment, fq_value_column *columns,
                                    char names[][FQ_TABLE_NAME_MAX + 1], size_t *count) {
    size_t n = 0;
    for (const fq_parameter *p = experiment->parameters; p && p->name; p++) {
        if (n + 2 + BOOKKEEPING >= COLUMN_NAMES_ROOM)
            return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "experiment %s has too many columns", experiment->name);
        const bool real = p->type == FQ_PARAMETER_REAL, whole = p->type == FQ_PARAMETER_INTEGER;
        columns[n++] = (fq_value_column){
            p->name,          real ? FQ_VALUE_REAL : whole ? FQ_VALUE_INTEGER : FQ_VALUE_TEXT,
            FQ_SPEC_TEXT_MAX, real || whole ? "1" : "",
            p->description,   p->type == FQ_PARAMETER_FILE ? FQ_ROLE_BOOKKEEPING : FQ_ROLE_PARAMETER};
        if (p->type != FQ_PARAMETER_FILE)
            continue;
        snprintf(names[n], FQ_TABLE_NAME_MAX + 1, "%.55s_sha256", p->name);
        columns[n] =
            (fq_value_column){names[n], FQ_VALUE_TEXT, 64, "", "SHA-256 of that file", FQ_ROLE_PARAMETER};
        n++;
    }
    const size_t values = fq_column_count(experiment);
    if (n + values + BOOKKEEPING > COLUMN_NAMES_ROOM)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "experiment %s has too many columns", experiment->name);
    memcpy(columns + n, experiment->columns, values * sizeof *columns);
    memcpy(columns + n + values, bookkeeping, sizeof bookkeeping);
    *count = n + values + BOOKKEEPING;
    return FQ_OK;
}

static fq_status ensure_tables(fq_sweep_store *s) {
    fq_results *results = fq_store_results(s->store);
    const fq_experiment *last = NULL;
    fq_table *table = NULL;
    for (size_t i = 0; i < s->plan->count; i++) {
        const fq_experiment *experiment = s->plan->points[i].experiment;
        if (experiment == last)
            continue;
        last = experiment;
        fq_value_column columns[COLUMN_NAMES_ROOM];
        char names[COLUMN_NAMES_ROOM][FQ_TABLE_NAME_MAX + 1];
        size_t count = 0;
        FQ_TRY(experiment_columns(experiment, columns, names, &count));
        FQ_TRY(fq_row_table(&table, results, experiment->name, columns, count));
    }
    return fq_row_table(&table, results, FQ_FAILURES_TABLE, failure_columns, FAILURE_COLUMNS);
}

/* Order and removal -------------------------------------------------------------------------- */

typedef struct sortable {
    size_t key, row; /* key 0: of another manifest; else place in the plan + 1 */
} sortable;

static int by_key(const void *a, const void *b) {
    const sortable *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Puts rows in the plan's order, leaving out those of points for which drop says so. */
static fq_status arrange(fq_sweep_store *s, fq_table *table, bool drop_plan_points) {
    sortable *rows = NULL;
    unsigned char *records = NULL;
    const size_t id = fq_table_find(table, "point");
    if (id == table->column_count || table->columns[id].type != FQ_VALUE_TEXT || table->count == 0)
        return FQ_OK; /* no sweep's table */
    FQ_TRY(fq_alloc(&rows, table->count, sizeof *rows));
    const fq_status status = fq_alloc(&records, table->room, table->record_bytes);
    if (status != FQ_OK) {
        fq_free(rows);
        return status;
    }
    size_t kept = 0;
    for (size_t r = 0; r < table->count; r++) {
        const size_t point = find_point(s, fq_table_text(table, r, id));
        if (point == SIZE_MAX || !drop_plan_points)
            rows[kept++] = (sortable){point == SIZE_MAX ? 0 : point + 1, r};
    }
    qsort(rows, kept, sizeof *rows, by_key);
    for (size_t r = 0; r < kept; r++)
        memcpy(records + r * table->record_bytes, table->records + rows[r].row * table->record_bytes,
               table->record_bytes);
    fq_free(table->records);
    fq_free(rows);
    table->records = records;
    table->count = kept;
    return FQ_OK;
}

static fq_status arrange_all(fq_sweep_store *s) {
    fq_results *results = fq_store_results(s->store);
    for (size_t t = 0; t < results->table_count; t++)
        FQ_TRY(arrange(s, &results->tables[t], false));
    return FQ_OK;
}

/* Which code computed something: the hash of its sources decides, the commit is for people. */
typedef struct build {
    const char *sources, *git; /* NULL: not recorded */
} build;

static bool same_build(const build *a, const build *b) {
    if (a->sources && b->sources)
        return strcmp(a->sources, b->sources) == 0;
    /* A commit alone says what was built only if nothing was changed in it. */
    return a->git && b->git && strcmp(a->git, b->git) == 0 && !strstr(a->git, "-dirty") &&
           strcmp(a->git, "no git") != 0;
}

static void build_text(char text[120], const build *b) {
    snprintf(text, 120, "%.60s (sources %.12s)", b->git ? b->git : "unknown",
             b->sources ? b->sources : "unknown");
}

static fq_status refuse_build(const char *path, const build *writer, const build *ours) {
    char theirs[120], mine[120];
    build_text(theirs, writer);
    build_text(mine, ours);
    return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                        "%s: has points computed by build %s, this is %s; allowed: --allow-mixed-build (keep "
                        "them), --force (compute them again)",
                        path, theirs, mine);
}

/* Who wrote a row; nothing known if the table does not say. */
static build writer_of(const fq_results *results, const fq_table *table, size_t row, size_t run) {
    if (run == table->column_count || table->columns[run].type != FQ_VALUE_INTEGER)
        return (build){NULL, NULL};
    const size_t number = (size_t)fq_table_integer(table, row, run);
    return (build){fq_results_run_text(results, number, "sources"),
                   fq_results_run_text(results, number, "git")};
}

/* What is there already, and whether this build wrote it: ours NULL takes points of any build. */
static fq_status read_states(fq_sweep_store *s, const char *path, const build *ours) {
    const fq_results *results = fq_store_results(s->store);
    memset(s->states, FQ_POINT_ABSENT, s->plan->count);
    for (size_t t = 0; t < results->table_count; t++) {
        const fq_table *table = &results->tables[t];
        const bool failures = strcmp(table->name, FQ_FAILURES_TABLE) == 0;
        const size_t id = fq_table_find(table, "point"), run = fq_table_find(table, "run");
        if (id == table->column_count || table->columns[id].type != FQ_VALUE_TEXT)
            continue;
        for (size_t r = 0; r < table->count; r++) {
            const size_t point = find_point(s, fq_table_text(table, r, id));
            if (point == SIZE_MAX)
                continue;
            if (!failures || s->states[point] != FQ_POINT_DONE)
                s->states[point] = failures ? FQ_POINT_FAILED : FQ_POINT_DONE;
            const build writer = writer_of(results, table, r, run);
            if (!failures && ours && !same_build(&writer, ours))
                return refuse_build(path, &writer, ours);
        }
    }
    return FQ_OK;
}

static fq_status drop(fq_sweep_store *s, const fq_sweep_store_options *options) {
    fq_results *results = fq_store_results(s->store);
    for (size_t t = 0; t < results->table_count; t++) {
        fq_table *table = &results->tables[t];
        const bool failures = strcmp(table->name, FQ_FAILURES_TABLE) == 0;
        if (options->force || (failures && options->retry_failed))
            FQ_TRY(arrange(s, table, true));
    }
    return FQ_OK;
}

static fq_status set_up(fq_sweep_store *s, const char *path, const fq_provenance *provenance,
                        const fq_sweep_store_options *options) {
    FQ_TRY(fq_alloc(&s->places, s->plan->count, sizeof *s->places));
    FQ_TRY(fq_alloc_zero(&s->states, s->plan->count, 1));
    for (size_t i = 0; i < s->plan->count; i++)
        s->places[i] = (place){s->plan->points[i].id, i};
    if (s->plan->count)
        qsort(s->places, s->plan->count, sizeof *s->places, by_id);
    FQ_TRY(fq_store_open(&s->store, path));
    FQ_TRY(drop(s, options));
    const build ours = {fq_provenance_get(provenance, "sources"), fq_provenance_get(provenance, "git")};
    FQ_TRY(read_states(s, path, options->allow_mixed_build ? NULL : &ours));
    FQ_TRY(ensure_tables(s));
    FQ_TRY(arrange_all(s));
    fq_result_text texts[FQ_PROVENANCE_MAX + 1];
    char points[24];
    for (size_t i = 0; i < provenance->count; i++)
        texts[i] = (fq_result_text){provenance->entries[i].name, provenance->entries[i].value};
    snprintf(points, sizeof points, "%zu", s->plan->count);
    texts[provenance->count] = (fq_result_text){FQ_RUN_POINTS, points};
    return fq_store_begin(s->store, texts, provenance->count + 1, &s->run);
}

fq_status fq_sweep_store_open(fq_sweep_store **store, const char *path, const fq_plan *plan,
                              const fq_provenance *provenance, const fq_sweep_store_options *options) {
    struct stat about;
    fq_sweep_store *s = NULL;
    if (stat(path, &about) == 0 && !options->resume && !options->retry_failed && !options->force)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "%s: exists; allowed: --resume (go on with it), --retry-failed, --force "
                            "(compute everything again), or another file",
                            path);
    FQ_TRY(fq_alloc_zero(&s, 1, sizeof *s));
    s->plan = plan;
    const fq_status status = set_up(s, path, provenance, options);
    if (status == FQ_OK)
        *store = s;
    else
        fq_sweep_store_close(s);
    return status;
}

void fq_sweep_store_close(fq_sweep_store *store) {
    if (!store)
        return;
    fq_store_close(store->store);
    fq_free(store->places);
    fq_free(store->states);
    fq_free(store);
}

const char *fq_sweep_store_set_aside(const fq_sweep_store *store) {
    return fq_store_set_aside(store->store);
}

fq_point_state fq_sweep_store_state(const fq_sweep_store *store, size_t point) {
    return (fq_point_state)store->states[point];
}

/* Rows --------------------------------------------------------------------------------------- */

static void set_parameters(fq_row_writer *w, const fq_point *point) {
    for (size_t p = 0; p < point->parameter_count; p++) {
        const fq_point_value *value = point->values[p];
        const char *slash = strrchr(value->text, '/');
        switch (point->experiment->parameters[p].type) {
        case FQ_PARAMETER_INTEGER:
            fq_row_integer(w, value->integer);
            break;
        case FQ_PARAMETER_REAL:
            fq_row_real(w, value->real);
            break;
        case FQ_PARAMETER_FILE:
            fq_row_text(w, slash ? slash + 1 : value->text);
            fq_row_text(w, value->identity[0] ? value->identity + strlen("sha256:") : "");
            break;
        case FQ_PARAMETER_TEXT:
        case FQ_PARAMETER_CODEC:
            fq_row_text(w, value->text);
            break;
        }
    }
}

static void set_values(fq_row_writer *w, const fq_table *values, size_t r) {
    for (size_t c = 0; c < values->column_count; c++)
        switch (values->columns[c].type) {
        case FQ_VALUE_REAL:
            fq_row_real(w, fq_table_real(values, r, c));
            break;
        case FQ_VALUE_INTEGER:
            fq_row_integer(w, fq_table_integer(values, r, c));
            break;
        case FQ_VALUE_TEXT:
            fq_row_text(w, fq_table_text(values, r, c));
            break;
        }
}

static fq_status add_row(fq_table *t, size_t r, const fq_sweep_store *s, const fq_outcome *o) {
    const fq_point *point = &s->plan->points[o->point];
    fq_row_writer w;
    FQ_TRY(fq_row_begin(&w, t));
    set_parameters(&w, point);
    set_values(&w, &o->rows.table, r);
    fq_row_text(&w, point->id);
    fq_row_seed(&w, point->manifest_seed);
    fq_row_integer(&w, (int64_t)point->replicate);
    fq_row_integer(&w, (int64_t)r);
    fq_row_integer(&w, point->experiment->version);
    fq_row_integer(&w, (int64_t)s->run);
    fq_row_real(&w, o->wall_seconds);
    fq_row_real(&w, o->cpu_seconds);
    fq_row_integer(&w, o->peak_memory_bytes);
    fq_row_integer(&w, o->threads);
    fq_row_text(&w, o->host);
    return FQ_OK;
}

static fq_status add_failure(fq_table *t, const fq_sweep_store *s, const fq_outcome *o) {
    char label[FQ_POINT_LABEL_MAX];
    const fq_point *point = &s->plan->points[o->point];
    fq_row_writer w;
    FQ_TRY(fq_row_begin(&w, t));
    fq_point_label(label, point);
    fq_row_text(&w, point->id);
    fq_row_text(&w, point->experiment->name);
    fq_row_text(&w, label);
    fq_row_text(&w, o->error);
    fq_row_integer(&w, (int64_t)s->run);
    fq_row_real(&w, o->wall_seconds);
    fq_row_text(&w, o->host);
    return FQ_OK;
}

fq_status fq_sweep_store_put(fq_sweep_store *s, const fq_outcome *outcome) {
    const fq_point *point = &s->plan->points[outcome->point];
    const bool failed = outcome->status != FQ_OK;
    fq_table *table =
        fq_results_table(fq_store_results(s->store), failed ? FQ_FAILURES_TABLE : point->experiment->name);
    fq_table rows = {0};
    const size_t count = failed ? 1 : outcome->rows.table.count;
    FQ_TRY(fq_table_init(&rows, table->name, table->columns, table->column_count));
    fq_status status = failed ? add_failure(&rows, s, outcome) : FQ_OK;
    for (size_t r = 0; status == FQ_OK && !failed && r < count; r++)
        status = add_row(&rows, r, s, outcome);
    if (status == FQ_OK)
        status = fq_store_append(s->store, table, rows.records, count);
    if (status == FQ_OK)
        s->states[outcome->point] = failed ? FQ_POINT_FAILED : FQ_POINT_DONE;
    fq_table_clear(&rows);
    return status;
}

fq_status fq_sweep_store_fold(fq_sweep_store *store) {
    FQ_TRY(arrange_all(store));
    return fq_store_fold(store->store);
}

static fq_status set_count(fq_sweep_store *s, const char *name, fq_point_state state) {
    char text[24];
    size_t count = 0;
    for (size_t i = 0; i < s->plan->count; i++)
        count += s->states[i] == state;
    snprintf(text, sizeof text, "%zu", count);
    return fq_results_set_run_text(fq_store_results(s->store), s->run, name, text);
}

fq_status fq_sweep_store_finish(fq_sweep_store *store, bool interrupted) {
    FQ_TRY(arrange_all(store));
    FQ_TRY(set_count(store, FQ_RUN_DONE, FQ_POINT_DONE));
    FQ_TRY(set_count(store, FQ_RUN_FAILED, FQ_POINT_FAILED));
    FQ_TRY(fq_results_set_run_text(fq_store_results(store->store), store->run, FQ_RUN_ENDED,
                                   interrupted ? "interrupted" : "finished"));
    return fq_store_finish(store->store);
}
