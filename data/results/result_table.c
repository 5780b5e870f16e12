#include "result_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

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
