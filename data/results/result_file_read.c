/* Results files read back, from a copy of their bytes. Sizes are believed only as far as the file is
 * long: tables must be stored in one piece (as we write them), so rows times record size is what the
 * file really holds. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "failure.h"
#include "hdf5_util.h"
#include "memory.h"
#include "result_digest.h"
#include "result_file.h"

static const size_t file_limit = (size_t)8 << 30;

typedef struct reader {
    fq_h5_file file;
    fq_results *results;
    fq_status status;
} reader;

static fq_status malformed(const reader *r, const char *part, const char *problem) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: /%.200s: %s", r->file.path, part, problem);
}

static fq_status keep_texts(const reader *r, char *texts, size_t width, size_t count,
                            fq_value_column *columns, int which) {
    static const char *const roles[] = {"value", "parameter", "bookkeeping"};
    for (size_t c = 0; c < count; c++) {
        const char *text = texts + c * width, *copy = NULL;
        FQ_TRY(fq_arena_text(&r->results->arena, &copy, text, strlen(text)));
        if (which == 0)
            columns[c].units = copy;
        else if (which == 1)
            columns[c].description = copy;
        else
            for (int role = 0; role < 3; role++)
                if (strcmp(text, roles[role]) == 0)
                    columns[c].role = (fq_column_role)role;
    }
    return FQ_OK;
}

/* What a compound type says about column c. */
static fq_status read_column(const reader *r, const char *table, hid_t type, unsigned c,
                             fq_value_column *column) {
    const H5T_class_t class = H5Tget_member_class(type, c);
    const hid_t member = H5Tget_member_type(type, c);
    char *name = H5Tget_member_name(type, c);
    fq_status status = FQ_OK;
    if (member < 0 || !name) {
        status = malformed(r, table, "a column cannot be read");
    } else if (class == H5T_STRING && H5Tis_variable_str(member) == 0 &&
               H5Tget_size(member) - 1 <= FQ_TABLE_TEXT_MAX) {
        column->type = FQ_VALUE_TEXT;
        column->width = H5Tget_size(member) > 1 ? H5Tget_size(member) - 1 : 1;
    } else if (class == H5T_FLOAT && H5Tget_size(member) <= 8) {
        column->type = FQ_VALUE_REAL;
    } else if (class == H5T_INTEGER && H5Tget_size(member) <= 8) {
        column->type = FQ_VALUE_INTEGER;
    } else {
        status = malformed(r, table, "a column is neither number nor text of fixed width");
    }
    if (status == FQ_OK)
        status = fq_arena_text(&r->results->arena, &column->name, name, strlen(name));
    if (name)
        H5free_memory(name);
    if (member >= 0)
        H5Tclose(member);
    return status;
}

static hid_t memory_type(const fq_table *table) {
    const hid_t type = H5Tcreate(H5T_COMPOUND, table->record_bytes);
    bool good = type >= 0;
    for (size_t c = 0; good && c < table->column_count; c++) {
        const fq_value_column *column = &table->columns[c];
        const hid_t member =
            column->type == FQ_VALUE_TEXT
                ? fq_h5_text_type(fq_column_stored_bytes(column))
                : H5Tcopy(column->type == FQ_VALUE_REAL ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64);
        good = member >= 0 && H5Tinsert(type, column->name, table->offsets[c], member) >= 0;
        fq_h5_close(member);
    }
    if (!good && type >= 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static fq_status read_records(const reader *r, hid_t dataset, size_t rows, fq_table *table) {
    unsigned char *records = NULL;
    FQ_TRY(fq_alloc_zero(&records, rows, table->record_bytes));
    const hid_t type = memory_type(table);
    fq_status status = FQ_OK;
    if (type < 0 || (rows && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, records) < 0))
        status = malformed(r, table->name, "the rows cannot be read");
    if (type >= 0)
        H5Tclose(type);
    if (status == FQ_OK)
        status = fq_table_append(table, records, rows);
    fq_free(records);
    return status;
}

static fq_status read_columns(const reader *r, const char *name, hid_t dataset, hid_t type,
                              fq_value_column *columns, size_t count) {
    static const char *const attributes[] = {"units", "descriptions", "roles"};
    for (size_t c = 0; c < count; c++)
        FQ_TRY(read_column(r, name, type, (unsigned)c, &columns[c]));
    for (int which = 0; which < 3; which++) {
        char *texts = NULL;
        size_t width = 0;
        FQ_TRY(fq_h5_read_texts(&r->file, dataset, name, attributes[which], count, &texts, &width));
        const fq_status status = keep_texts(r, texts, width, count, columns, which);
        fq_free(texts);
        FQ_TRY(status);
    }
    return FQ_OK;
}

static fq_status read_dataset(const reader *r, const char *name, hid_t dataset, hid_t type, hid_t space) {
    fq_value_column columns[FQ_TABLE_COLUMNS_MAX];
    memset(columns, 0, sizeof columns);
    hsize_t rows = 0;
    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_COMPOUND)
        return malformed(r, name, "no table");
    const int members = H5Tget_nmembers(type);
    const size_t record = H5Tget_size(type);
    if (members < 1 || members > FQ_TABLE_COLUMNS_MAX)
        return malformed(r, name, "too many columns; allowed: 1 to 200");
    if (H5Sget_simple_extent_ndims(space) != 1 || H5Sget_simple_extent_dims(space, &rows, NULL) != 1)
        return malformed(r, name, "not one row after another");
    if (record == 0 || rows > r->file.length / record ||
        (rows && H5Dget_storage_size(dataset) != rows * record))
        return malformed(r, name, "more rows than the file holds, or not stored in one piece");
    fq_table *table = NULL;
    FQ_TRY(read_columns(r, name, dataset, type, columns, (size_t)members));
    const fq_status status = fq_results_add_table(r->results, &table, name, columns, (size_t)members);
    if (status == FQ_ERR_ARGUMENT)
        return malformed(r, name, "bad name of the table or a column");
    FQ_TRY(status);
    return read_records(r, dataset, (size_t)rows, table);
}

static fq_status read_table(const reader *r, hid_t file, const char *name) {
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        return malformed(r, name, "no table");
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const fq_status status = read_dataset(r, name, dataset, type, space);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Dclose(dataset);
    return status;
}

/* Links of the root: tables, and the provenance. Soft and external links lead elsewhere and are no
 * part of a results file. */
static herr_t visit_table(hid_t file, const char *name, const H5L_info_t *info, void *context) {
    reader *r = context;
    if (info->type != H5L_TYPE_HARD)
        r->status = malformed(r, name, "a link that leads elsewhere");
    else if (strcmp(name, "provenance") != 0)
        r->status = read_table(r, file, name);
    return r->status == FQ_OK ? 0 : 1;
}

/* Runs ------------------------------------------------------------------------------------- */

enum { RUN_TEXTS_MAX = 100 };

typedef struct run_reader {
    reader *r;
    hid_t group;
    fq_result_text texts[RUN_TEXTS_MAX];
    size_t count;
    char room[65537]; /* an attribute has less than 64 KiB */
} run_reader;

static fq_status keep_run_text(run_reader *run, const char *name, const char *text) {
    fq_arena *arena = &run->r->results->arena;
    if (run->count == RUN_TEXTS_MAX)
        return malformed(run->r, "provenance", "too many attributes; allowed: up to 100 a run");
    FQ_TRY(fq_arena_text(arena, &run->texts[run->count].name, name, strlen(name)));
    FQ_TRY(fq_arena_text(arena, &run->texts[run->count].value, text, strlen(text)));
    run->count++;
    return FQ_OK;
}

static herr_t visit_attribute(hid_t group, const char *name, const H5A_info_t *info, void *context) {
    run_reader *run = context;
    (void)info;
    fq_status status = fq_h5_read_text(&run->r->file, group, "provenance", name, run->room, sizeof run->room);
    if (status == FQ_OK)
        status = keep_run_text(run, name, run->room);
    run->r->status = status;
    return status == FQ_OK ? 0 : 1;
}

static herr_t visit_long_text(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    run_reader *run = context;
    char *text = NULL;
    fq_status status = info->type == H5L_TYPE_HARD
                           ? fq_h5_read_long_text(&run->r->file, group, "provenance", name, &text)
                           : malformed(run->r, "provenance", "a link that leads elsewhere");
    if (status == FQ_OK)
        status = keep_run_text(run, name, text);
    fq_free(text);
    run->r->status = status;
    return status == FQ_OK ? 0 : 1;
}

static herr_t visit_run(hid_t parent, const char *name, const H5L_info_t *info, void *context) {
    reader *r = context;
    run_reader *run = NULL;
    size_t number = 0;
    char expected[32];
    snprintf(expected, sizeof expected, "run_%05zu", r->results->run_count + 1);
    if (info->type != H5L_TYPE_HARD || strcmp(name, expected) != 0) {
        r->status = malformed(r, "provenance", "runs that are not numbered one by one");
        return 1;
    }
    const hid_t group = H5Gopen2(parent, name, H5P_DEFAULT);
    if (group < 0) {
        r->status = malformed(r, "provenance", "a run that is no group");
        return 1;
    }
    r->status = fq_alloc_zero(&run, 1, sizeof *run);
    if (r->status == FQ_OK) {
        run->r = r;
        if (H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, run) < 0)
            r->status = malformed(r, "provenance", "attributes cannot be read");
        if (r->status == FQ_OK &&
            H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_long_text, run) < 0)
            r->status = malformed(r, "provenance", "texts cannot be read");
        if (r->status == FQ_OK)
            r->status = fq_results_add_run(r->results, run->texts, run->count, &number);
    }
    fq_free(run);
    H5Gclose(group);
    return r->status == FQ_OK ? 0 : 1;
}

static fq_status check_format(const reader *r, hid_t file) {
    char text[80];
    char *end = NULL;
    FQ_TRY(fq_h5_read_text(&r->file, file, "/", "format", text, sizeof text));
    if (strcmp(text, "fibquant results") != 0)
        return malformed(r, "", "no results file: attribute \"format\" says something else");
    FQ_TRY(fq_h5_read_text(&r->file, file, "/", "schema_version", text, sizeof text));
    if (strcmp(text, "1") != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: schema version %.20s; this program reads: 1", r->file.path,
                            text);
    FQ_TRY(fq_h5_read_text(&r->file, file, "/", "journal_generation", text, sizeof text));
    r->results->generation = strtoull(text, &end, 10);
    if (end == text || *end)
        return malformed(r, "", "attribute \"journal_generation\" is no whole number");
    if (!fq_h5_has_attribute(file, "store"))
        return FQ_OK;
    FQ_TRY(fq_h5_read_text(&r->file, file, "/", "store", r->results->store, FQ_STORE_ID_TEXT));
    if (strspn(r->results->store, "0123456789abcdef") != FQ_STORE_ID_TEXT - 1)
        return malformed(r, "", "attribute \"store\" is not 32 hexadecimal digits");
    return FQ_OK;
}

static fq_status read_file(reader *r, hid_t file) {
    FQ_TRY(check_format(r, file));
    if (H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_table, r) < 0)
        return malformed(r, "", "the tables cannot be listed");
    FQ_TRY(r->status);
    const hid_t parent = H5Gopen2(file, "provenance", H5P_DEFAULT);
    if (parent < 0)
        return malformed(r, "provenance", "missing");
    if (H5Literate(parent, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_run, r) < 0)
        r->status = malformed(r, "provenance", "the runs cannot be listed");
    H5Gclose(parent);
    FQ_TRY(r->status);
    char digest[FQ_SHA256_HEX];
    fq_results_digest(digest, r->results);
    return fq_h5_check_digest(&r->file, file, "/", digest);
}

static fq_status read_from_path(const char *path, fq_results *results) {
    unsigned char *bytes = NULL;
    size_t length = 0;
    fq_results read = {0};
    reader r = {.results = &read};
    FQ_TRY(fq_file_read(path, file_limit, &bytes, &length));
    fq_status status = fq_h5_open_bytes(&r.file, path, bytes, length);
    if (status == FQ_OK) {
        status = read_file(&r, r.file.id);
        fq_h5_file_close(&r.file);
    }
    fq_free(bytes);
    if (status == FQ_OK)
        *results = read;
    else
        fq_results_clear(&read);
    return status;
}

static fq_status try_reading(void *context) {
    fq_results results = {0};
    const fq_status status = read_from_path(context, &results);
    if (status == FQ_OK)
        fq_results_clear(&results);
    return status;
}

/* The library crashes on some damaged files: they are read by a process that may, first. */
fq_status fq_result_file_read(const char *path, fq_results *results) {
    char name[FQ_PATH_MAX];
    if ((size_t)snprintf(name, sizeof name, "%s", path) >= sizeof name)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%.200s...: name too long", path);
    FQ_TRY(fq_h5_guard(path, try_reading, name));
    return read_from_path(path, results);
}
