#include "sweep_rows.h"

#include <assert.h>
#include <string.h>

#include "memory.h"

size_t fq_column_count(const fq_experiment *experiment) {
    size_t n = 0;
    while (experiment->columns[n].name)
        n++;
    return n;
}

void fq_rows_init(fq_rows *rows, const fq_experiment *experiment) {
    *rows = (fq_rows){.experiment = experiment};
}

void fq_rows_clear(fq_rows *rows) {
    fq_table_clear(&rows->table);
}

/* The table, made with the first row. */
static fq_status ready(fq_rows *rows) {
    const fq_experiment *experiment = rows->experiment;
    if (rows->table.column_count)
        return FQ_OK;
    return fq_table_init(&rows->table, experiment->name, experiment->columns, fq_column_count(experiment));
}

fq_status fq_rows_add(fq_rows *rows) {
    if (rows->table.count == FQ_ROWS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "rows of a point", rows->table.count, "up to 16777216");
    FQ_TRY(ready(rows));
    return fq_table_append(&rows->table, NULL, 1);
}

/* Column of a name in the newest row, which there must be, and of that type. */
static size_t column_of(const fq_rows *rows, const char *name, fq_value_type type) {
    assert(rows->table.count > 0);
    const size_t column = fq_table_find(&rows->table, name);
    assert(column < rows->table.column_count && "a column of the experiment");
    assert(rows->table.columns[column].type == type);
    (void)type;
    return column;
}

void fq_rows_real(fq_rows *rows, const char *name, double value) {
    const size_t column = column_of(rows, name, FQ_VALUE_REAL);
    fq_table_set_real(&rows->table, rows->table.count - 1, column, value);
}

void fq_rows_integer(fq_rows *rows, const char *name, int64_t value) {
    const size_t column = column_of(rows, name, FQ_VALUE_INTEGER);
    fq_table_set_integer(&rows->table, rows->table.count - 1, column, value);
}

void fq_rows_text(fq_rows *rows, const char *name, const char *value) {
    const size_t column = column_of(rows, name, FQ_VALUE_TEXT);
    fq_table_set_text(&rows->table, rows->table.count - 1, column, value);
}

void fq_rows_progress(fq_rows *rows, double fraction) {
    if (rows->progress)
        rows->progress(rows->context, fraction);
}

fq_status fq_rows_set(fq_rows *rows, const unsigned char *records, size_t count, size_t bytes) {
    size_t wanted = 0;
    if (count == 0 && bytes == 0)
        return FQ_OK;
    FQ_TRY(ready(rows));
    const fq_table *t = &rows->table;
    FQ_TRY(fq_size_multiply(&wanted, count, t->record_bytes, "rows"));
    if (wanted != bytes || count > FQ_ROWS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "rows", bytes, "whole records");
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < t->column_count; c++)
            if (t->columns[c].type == FQ_VALUE_TEXT &&
                records[r * t->record_bytes + t->offsets[c] + t->columns[c].width] != '\0')
                return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "text in row", r, "terminated");
    rows->table.count = 0;
    return fq_table_append(&rows->table, records, count);
}
