/* A table of results in memory: named, typed columns and fixed-size records.
 *
 * A record holds the columns in order: reals (float64) and integers (int64) in the machine's byte
 * order, texts as width bytes and at least one zero; every value starts at a multiple of 8. The
 * HDF5 files hold the same records. Not thread-safe.
 */
#ifndef FQ_RESULT_TABLE_H
#define FQ_RESULT_TABLE_H

#include <stdint.h>

#include "arena.h"
#include "status.h"

typedef enum fq_value_type {
    FQ_VALUE_REAL = 0, /* float64; NaN where there is no value */
    FQ_VALUE_INTEGER,  /* int64 */
    FQ_VALUE_TEXT      /* up to width bytes of UTF-8 */
} fq_value_type;

typedef enum fq_column_role {
    FQ_ROLE_VALUE = 0,      /* what was computed: equal for equal points, on any machine of a kind */
    FQ_ROLE_PARAMETER = 1,  /* what was asked for: identifies the row */
    FQ_ROLE_BOOKKEEPING = 2 /* time, memory, host, run: differs from run to run */
} fq_column_role;

typedef struct fq_value_column {
    const char *name; /* lower case, digits and underscores; a standard error is NAME_se */
    fq_value_type type;
    size_t width;      /* texts: bytes kept; 0 means FQ_VALUE_TEXT_WIDTH */
    const char *units; /* "1" for pure numbers, "bits per coordinate", "s"; "" for texts */
    const char *description;
    fq_column_role role;
} fq_value_column;

enum {
    FQ_VALUE_TEXT_WIDTH = 64,
    FQ_TABLE_COLUMNS_MAX = 200,
    FQ_TABLE_TEXT_MAX = 65536, /* widest text column */
    FQ_TABLE_NAME_MAX = 63     /* bytes of table and column names */
};

/* Bytes a text column keeps (8 for numbers), and what a value takes in a record. */
size_t fq_column_width(const fq_value_column *column);
size_t fq_column_stored_bytes(const fq_value_column *column);

/* Writes a value at its place in a record, which need not be aligned. Texts are cut to the column's
 * width at a character boundary; every NaN is stored as the same bits. */
void fq_column_put_real(unsigned char *at, double value);
void fq_column_put_text(unsigned char *at, const fq_value_column *column, const char *value);

typedef struct fq_table {
    char name[FQ_TABLE_NAME_MAX + 1];
    fq_value_column *columns; /* [column_count], texts and all in arena */
    size_t *offsets;          /* of the columns in a record */
    size_t column_count, record_bytes;
    size_t count, room;
    unsigned char *records; /* [count][record_bytes] */
    fq_arena arena;
} fq_table;

/* An empty table with copies of the columns. FQ_ERR_ARGUMENT for no column, too many, a bad or
 * repeated name. clear accepts a table of zeros. */
FQ_MUST_CHECK fq_status fq_table_init(fq_table *table, const char *name, const fq_value_column *columns,
                                      size_t count);
void fq_table_clear(fq_table *table);

/* Appends copies of records; with records NULL blank ones: NaN, 0, "". */
FQ_MUST_CHECK fq_status fq_table_append(fq_table *table, const unsigned char *records, size_t count);

/* Column of a name, or column_count. Whether two tables have the same columns (name, type, width).*/
size_t fq_table_find(const fq_table *table, const char *name);

/* The standard error of a column: the real column NAME_se beside a real column NAME, or column_count. */
size_t fq_table_find_error(const fq_table *table, size_t column);

bool fq_table_same_columns(const fq_table *a, const fq_table *b);

/* One value; the column's type must be the function's. Texts are terminated. */
double fq_table_real(const fq_table *table, size_t row, size_t column);
int64_t fq_table_integer(const fq_table *table, size_t row, size_t column);
const char *fq_table_text(const fq_table *table, size_t row, size_t column);

/* The same for setting; texts are cut to the column's width at a character boundary. */
void fq_table_set_real(fq_table *table, size_t row, size_t column, double value);
void fq_table_set_integer(fq_table *table, size_t row, size_t column, int64_t value);
void fq_table_set_text(fq_table *table, size_t row, size_t column, const char *value);

/* A value as text for people and machines: shortest decimal that reads back the same; "nan". */
enum { FQ_TABLE_VALUE_TEXT = 40 };
const char *fq_table_format(const fq_table *table, size_t row, size_t column,
                            char buffer[FQ_TABLE_VALUE_TEXT]);

#endif
