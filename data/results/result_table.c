#include "result_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "result_file.h"

size_t fq_column_width(const fq_value_column *column) {
    if (column->type != FQ_VALUE_TEXT)
        return 8;
    return column->width ? column->width : FQ_VALUE_TEXT_WIDTH;
}

size_t fq_column_stored_bytes(const fq_value_column *column) {
    const size_t bytes = fq_column_width(column) + (column->type == FQ_VALUE_TEXT);
    return (bytes + 7) / 8 * 8;
}

void fq_column_put_real(unsigned char *at, double value) {
    const double stored = isnan(value) ? (double)NAN : value; /* one bit pattern for "no value" */
    memcpy(at, &stored, sizeof stored);
}

void fq_column_put_text(unsigned char *at, const fq_value_column *column, const char *value) {
    const size_t width = fq_column_width(column);
    size_t length = strlen(value);
    if (length > width) {
        length = width;
        while (length > 0 && ((unsigned char)value[length] & 0xc0) == 0x80)
            length--;
    }
    memset(at, 0, fq_column_stored_bytes(column));
    memcpy(at, value, length);
}

static bool good_name(const char *name) {
    const size_t length = strlen(name);
    if (length == 0 || length > FQ_TABLE_NAME_MAX)
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '/' || *c == '.')
            return false;
    return true;
}

static fq_status copy_text(fq_arena *arena, const char **to, const char *from) {
    return fq_arena_text(arena, to, from ? from : "", from ? strlen(from) : 0);
}

static fq_status copy_columns(fq_table *t, const fq_value_column *columns, size_t count) {
    FQ_TRY(fq_arena_alloc(&t->arena, &t->columns, count, sizeof *t->columns));
    FQ_TRY(fq_arena_alloc(&t->arena, &t->offsets, count, sizeof *t->offsets));
    for (size_t c = 0; c < count; c++) {
        fq_value_column *column = &t->columns[c];
        if (!good_name(columns[c].name) || fq_table_find(t, columns[c].name) < t->column_count)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "name of column", c,
                                 "unique printable names of up to 63 bytes");
        if (columns[c].type > FQ_VALUE_TEXT || columns[c].width > FQ_TABLE_TEXT_MAX)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "type of column", c, "a type of fq_value_type");
        *column = columns[c];
        column->width = fq_column_width(column);
        FQ_TRY(copy_text(&t->arena, &column->name, columns[c].name));
        FQ_TRY(copy_text(&t->arena, &column->units, columns[c].units));
        FQ_TRY(copy_text(&t->arena, &column->description, columns[c].description));
        t->offsets[c] = t->record_bytes;
        t->record_bytes += fq_column_stored_bytes(column);
        t->column_count++;
    }
    return FQ_OK;
}

fq_status fq_table_init(fq_table *table, const char *name, const fq_value_column *columns, size_t count) {
    fq_table t = {0};
    if (count == 0 || count > FQ_TABLE_COLUMNS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "columns", count, "1..200");
    if (!good_name(name))
        return FQ_FAIL(FQ_ERR_ARGUMENT, "table name", "printable, up to 63 bytes");
    strcpy(t.name, name);
    const fq_status status = copy_columns(&t, columns, count);
    if (status == FQ_OK)
        *table = t;
    else
        fq_arena_clear(&t.arena);
    return status;
}

void fq_table_clear(fq_table *table) {
    fq_free(table->records);
    fq_arena_clear(&table->arena);
    memset(table, 0, sizeof *table);
}

static fq_status reserve(fq_table *table, size_t wanted) {
    unsigned char *larger = NULL;
    if (wanted <= table->room)
        return FQ_OK;
    const size_t room = wanted > 2 * table->room ? wanted : 2 * table->room;
    FQ_TRY(fq_alloc(&larger, room, table->record_bytes));
    if (table->count)
        memcpy(larger, table->records, table->count * table->record_bytes);
    fq_free(table->records);
    table->records = larger;
    table->room = room;
    return FQ_OK;
}

/* Unused bytes are zero and every text ends within its room, whoever wrote the records. */
static void tidy(fq_table *table, size_t row, bool blank) {
    for (size_t c = 0; c < table->column_count; c++) {
        const fq_value_column *column = &table->columns[c];
        if (column->type == FQ_VALUE_REAL && blank)
            fq_table_set_real(table, row, c, (double)NAN);
        if (column->type != FQ_VALUE_TEXT)
            continue;
        char *text = (char *)table->records + row * table->record_bytes + table->offsets[c];
        size_t length = 0;
        while (length < column->width && text[length])
            length++;
        memset(text + length, 0, fq_column_stored_bytes(column) - length);
    }
}

fq_status fq_table_append(fq_table *table, const unsigned char *records, size_t count) {
    if (count > SIZE_MAX / 2 - table->count)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "rows", count, "rows that fit in memory");
    FQ_TRY(reserve(table, table->count + count));
    if (count && records)
        memcpy(table->records + table->count * table->record_bytes, records, count * table->record_bytes);
    else if (count)
        memset(table->records + table->count * table->record_bytes, 0, count * table->record_bytes);
    table->count += count;
    for (size_t r = table->count - count; r < table->count; r++)
        tidy(table, r, !records);
    return FQ_OK;
}

size_t fq_table_find(const fq_table *table, const char *name) {
    size_t c = 0;
    while (c < table->column_count && strcmp(table->columns[c].name, name) != 0)
        c++;
    return c;
}

size_t fq_table_find_error(const fq_table *table, size_t column) {
    char name[FQ_TABLE_NAME_MAX + sizeof "_se"];
    snprintf(name, sizeof name, "%s_se", table->columns[column].name);
    const size_t error = fq_table_find(table, name);
    return error < table->column_count && table->columns[column].type == FQ_VALUE_REAL &&
                   table->columns[error].type == FQ_VALUE_REAL
               ? error
               : table->column_count;
}

bool fq_table_same_columns(const fq_table *a, const fq_table *b) {
    if (a->column_count != b->column_count)
        return false;
    for (size_t c = 0; c < a->column_count; c++)
        if (strcmp(a->columns[c].name, b->columns[c].name) != 0 || a->columns[c].type != b->columns[c].type ||
            a->columns[c].width != b->columns[c].width)
            return false;
    return true;
}

static unsigned char *place(const fq_table *table, size_t row, size_t column) {
    return table->records + row * table->record_bytes + table->offsets[column];
}

double fq_table_real(const fq_table *table, size_t row, size_t column) {
    double value;
    memcpy(&value, place(table, row, column), sizeof value);
    return value;
}

int64_t fq_table_integer(const fq_table *table, size_t row, size_t column) {
    int64_t value;
    memcpy(&value, place(table, row, column), sizeof value);
    return value;
}

const char *fq_table_text(const fq_table *table, size_t row, size_t column) {
    return (const char *)place(table, row, column);
}

void fq_table_set_real(fq_table *table, size_t row, size_t column, double value) {
    fq_column_put_real(place(table, row, column), value);
}

void fq_table_set_integer(fq_table *table, size_t row, size_t column, int64_t value) {
    memcpy(place(table, row, column), &value, sizeof value);
}

void fq_table_set_text(fq_table *table, size_t row, size_t column, const char *value) {
    fq_column_put_text(place(table, row, column), &table->columns[column], value);
}

const char *fq_table_format(const fq_table *table, size_t row, size_t column,
                            char buffer[FQ_TABLE_VALUE_TEXT]) {
    if (table->columns[column].type == FQ_VALUE_TEXT)
        return fq_table_text(table, row, column);
    if (table->columns[column].type == FQ_VALUE_INTEGER) {
        snprintf(buffer, FQ_TABLE_VALUE_TEXT, "%" PRId64, fq_table_integer(table, row, column));
        return buffer;
    }
    const double value = fq_table_real(table, row, column);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, FQ_TABLE_VALUE_TEXT, "%.*g", digits, value);
        if (!(value == value) || strtod(buffer, NULL) == value)
            break;
    }
    if (isnan(value))
        strcpy(buffer, "nan");
    return buffer;
}

/* Tables and runs of one results file --------------------------------------------------------- */

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
