/* Tables and runs of one results file, in memory. */
#include <string.h>

#include "memory.h"
#include "result_file.h"

void fq_results_clear(fq_results *results) {
    for (size_t t = 0; t < results->table_count; t++)
        fq_table_clear(&results->tables[t]);
    fq_free(results->tables);
    fq_arena_clear(&results->arena);
    memset(results, 0, sizeof *results);
}

fq_table *fq_results_table(const fq_results *results, const char *name) {
    for (size_t t = 0; t < results->table_count; t++)
        if (strcmp(results->tables[t].name, name) == 0)
            return &results->tables[t];
    return NULL;
}

static size_t keep_newest(fq_table *t) {
    const size_t column = fq_table_find(t, FQ_VERSION_COLUMN);
    int64_t newest = INT64_MIN;
    size_t kept = 0;
    if (column == t->column_count || t->columns[column].type != FQ_VALUE_INTEGER)
        return 0;
    for (size_t row = 0; row < t->count; row++)
        if (fq_table_integer(t, row, column) > newest)
            newest = fq_table_integer(t, row, column);
    for (size_t row = 0; row < t->count; row++)
        if (fq_table_integer(t, row, column) == newest) {
            if (kept != row)
                memcpy(t->records + kept * t->record_bytes, t->records + row * t->record_bytes,
                       t->record_bytes);
            kept++;
        }
    const size_t gone = t->count - kept;
    t->count = kept;
    return gone;
}

size_t fq_results_keep_newest(fq_results *results) {
    size_t gone = 0;
    for (size_t i = 0; i < results->table_count; i++)
        gone += keep_newest(&results->tables[i]);
    return gone;
}

fq_status fq_results_add_table(fq_results *results, fq_table **table, const char *name,
                               const fq_value_column *columns, size_t count) {
    if (results->table_count == FQ_RESULT_TABLES_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tables", results->table_count, "up to 256");
    if (fq_results_table(results, name))
        return FQ_FAIL(FQ_ERR_ARGUMENT, "table name", "a new name");
    if (!results->tables) /* all at once, so that tables never move */
        FQ_TRY(fq_alloc_zero(&results->tables, FQ_RESULT_TABLES_MAX, sizeof *results->tables));
    FQ_TRY(fq_table_init(&results->tables[results->table_count], name, columns, count));
    *table = &results->tables[results->table_count++];
    return FQ_OK;
}

fq_status fq_results_add_run(fq_results *results, const fq_result_text *texts, size_t count, size_t *number) {
    fq_result_run run = {.count = count};
    if (results->run_count == FQ_RESULT_RUNS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "runs", results->run_count, "up to 99999");
    if (results->run_count == results->run_room) {
        fq_result_run *larger = NULL;
        const size_t room = results->run_room ? 2 * results->run_room : 4;
        FQ_TRY(fq_arena_alloc(&results->arena, &larger, room, sizeof *larger));
        if (results->run_count)
            memcpy(larger, results->runs, results->run_count * sizeof *larger);
        results->runs = larger;
        results->run_room = room;
    }
    FQ_TRY(fq_arena_alloc(&results->arena, &run.texts, count, sizeof *run.texts));
    for (size_t i = 0; i < count; i++) {
        FQ_TRY(fq_arena_text(&results->arena, &run.texts[i].name, texts[i].name, strlen(texts[i].name)));
        FQ_TRY(fq_arena_text(&results->arena, &run.texts[i].value, texts[i].value, strlen(texts[i].value)));
    }
    results->runs[results->run_count++] = run;
    *number = results->run_count;
    return FQ_OK;
}

const char *fq_results_run_text(const fq_results *results, size_t run, const char *name) {
    if (run == 0 || run > results->run_count)
        return NULL;
    const fq_result_run *r = &results->runs[run - 1];
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->texts[i].name, name) == 0)
            return r->texts[i].value;
    return NULL;
}

fq_status fq_results_set_run_text(fq_results *results, size_t run, const char *name, const char *value) {
    if (run == 0 || run > results->run_count)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "run", run, "a run of the results");
    fq_result_run *r = &results->runs[run - 1];
    size_t at = 0;
    while (at < r->count && strcmp(r->texts[at].name, name) != 0)
        at++;
    fq_result_text text = {0};
    FQ_TRY(fq_arena_text(&results->arena, &text.name, name, strlen(name)));
    FQ_TRY(fq_arena_text(&results->arena, &text.value, value, strlen(value)));
    if (at == r->count) {
        fq_result_text *larger = NULL;
        FQ_TRY(fq_arena_alloc(&results->arena, &larger, r->count + 1, sizeof *larger));
        if (r->count)
            memcpy(larger, r->texts, r->count * sizeof *larger);
        r->texts = larger;
        r->count++;
    }
    r->texts[at] = text;
    return FQ_OK;
}
