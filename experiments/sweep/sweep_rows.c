#include "sweep_rows.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "memory.h"

size_t fq_column_count(const fq_experiment *experiment) {
    size_t n = 0;
    while (experiment->columns[n].name)
        n++;
    return n;
}

size_t fq_rows_offset(const fq_experiment *experiment, size_t c) {
    size_t offset = 0;
    for (size_t i = 0; i < c; i++)
        offset += fq_column_stored_bytes(&experiment->columns[i]);
    return offset;
}

void fq_rows_init(fq_rows *rows, const fq_experiment *experiment) {
    *rows = (fq_rows){.experiment = experiment};
    rows->record_bytes = fq_rows_offset(experiment, fq_column_count(experiment));
}

void fq_rows_clear(fq_rows *rows) {
    fq_free(rows->records);
    rows->records = NULL;
    rows->count = rows->room = 0;
}

static fq_status reserve(fq_rows *rows, size_t room) {
    unsigned char *larger = NULL;
    if (room <= rows->room)
        return FQ_OK;
    if (room > FQ_ROWS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "rows of a point", room, "up to 16777216");
    FQ_TRY(fq_alloc(&larger, room, rows->record_bytes));
    if (rows->count)
        memcpy(larger, rows->records, rows->count * rows->record_bytes);
    fq_free(rows->records);
    rows->records = larger;
    rows->room = room;
    return FQ_OK;
}

fq_status fq_rows_add(fq_rows *rows) {
    if (rows->count == rows->room)
        FQ_TRY(reserve(rows, rows->room ? 2 * rows->room : 1));
    unsigned char *record = rows->records + rows->count * rows->record_bytes;
    memset(record, 0, rows->record_bytes);
    const double unset = (double)NAN;
    for (size_t c = 0; rows->experiment->columns[c].name; c++)
        if (rows->experiment->columns[c].type == FQ_VALUE_REAL)
            memcpy(record + fq_rows_offset(rows->experiment, c), &unset, sizeof unset);
    rows->count++;
    return FQ_OK;
}

static unsigned char *place(fq_rows *rows, const char *name, fq_value_type type,
                            const fq_value_column **column) {
    const fq_value_column *columns = rows->experiment->columns;
    assert(rows->count > 0);
    for (size_t c = 0; columns[c].name; c++)
        if (strcmp(columns[c].name, name) == 0) {
            assert(columns[c].type == type);
            *column = &columns[c];
            return rows->records + (rows->count - 1) * rows->record_bytes +
                   fq_rows_offset(rows->experiment, c);
        }
    (void)type;
    assert(false && "a column of the experiment");
    return NULL;
}

void fq_rows_real(fq_rows *rows, const char *name, double value) {
    const fq_value_column *column = NULL;
    fq_column_put_real(place(rows, name, FQ_VALUE_REAL, &column), value);
}

void fq_rows_integer(fq_rows *rows, const char *name, int64_t value) {
    const fq_value_column *column = NULL;
    memcpy(place(rows, name, FQ_VALUE_INTEGER, &column), &value, sizeof value);
}

void fq_rows_text(fq_rows *rows, const char *name, const char *value) {
    const fq_value_column *column = NULL;
    unsigned char *at = place(rows, name, FQ_VALUE_TEXT, &column);
    fq_column_put_text(at, column, value);
}

void fq_rows_progress(fq_rows *rows, double fraction) {
    if (rows->progress)
        rows->progress(rows->context, fraction);
}

fq_status fq_rows_set(fq_rows *rows, const unsigned char *records, size_t count, size_t bytes) {
    size_t wanted = 0;
    FQ_TRY(fq_size_multiply(&wanted, count, rows->record_bytes, "rows"));
    if (wanted != bytes)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "rows", bytes, "whole records");
    rows->count = 0;
    FQ_TRY(reserve(rows, count));
    if (bytes)
        memcpy(rows->records, records, bytes);
    rows->count = count;
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; rows->experiment->columns[c].name; c++) {
            const fq_value_column *column = &rows->experiment->columns[c];
            if (column->type == FQ_VALUE_TEXT &&
                fq_rows_get_text(rows, r, c)[fq_column_width(column)] != '\0')
                return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "text in row", r, "terminated");
        }
    return FQ_OK;
}

static const unsigned char *locate(const fq_rows *rows, size_t r, size_t c) {
    return rows->records + r * rows->record_bytes + fq_rows_offset(rows->experiment, c);
}

double fq_rows_get_real(const fq_rows *rows, size_t r, size_t c) {
    double value;
    memcpy(&value, locate(rows, r, c), sizeof value);
    return value;
}

int64_t fq_rows_get_integer(const fq_rows *rows, size_t r, size_t c) {
    int64_t value;
    memcpy(&value, locate(rows, r, c), sizeof value);
    return value;
}

const char *fq_rows_get_text(const fq_rows *rows, size_t r, size_t c) {
    return (const char *)locate(rows, r, c);
}
