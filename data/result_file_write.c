/* A results file built in memory by HDF5's core driver. HDF5 itself never touches the disk, so no
 * full disk and no kill can leave it in the middle of something. */
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atomic_file.h"
#include "failure.h"
#include "memory.h"
#include "result_file.h"

enum { IMAGE_STEP = 1 << 20, ATTRIBUTE_TEXT_MAX = 16384 };

static fq_status internal(const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: %s failed", what);
}

static hid_t text_type(size_t bytes) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, bytes ? bytes : 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* count texts of width bytes each, as an attribute (scalar if count is 0). */
static fq_status write_attribute(hid_t where, const char *name, size_t count, size_t width,
                                 const char *texts) {
    const hsize_t extent = count;
    const hid_t type = text_type(width);
    const hid_t space = count ? H5Screate_simple(1, &extent, NULL) : H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Awrite(attribute, type, texts) >= 0;
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return good ? FQ_OK : internal("writing an attribute");
}

static fq_status write_text(hid_t where, const char *name, const char *text) {
    return write_attribute(where, name, 0, strlen(text) + 1, text);
}

/* One text a column: what pick gives. */
static fq_status write_column_texts(hid_t dataset, const char *name, const fq_table *table,
                                    const char *(*pick)(const fq_value_column *column)) {
    size_t width = 1;
    char *texts = NULL;
    for (size_t c = 0; c < table->column_count; c++)
        if (strlen(pick(&table->columns[c])) + 1 > width)
            width = strlen(pick(&table->columns[c])) + 1;
    FQ_TRY(fq_alloc_zero(&texts, table->column_count, width));
    for (size_t c = 0; c < table->column_count; c++)
        strcpy(texts + c * width, pick(&table->columns[c]));
    const fq_status status = write_attribute(dataset, name, table->column_count, width, texts);
    fq_free(texts);
    return status;
}

static const char *pick_name(const fq_value_column *column) {
    return column->name;
}

static const char *pick_units(const fq_value_column *column) {
    return column->units;
}

static const char *pick_description(const fq_value_column *column) {
    return column->description;
}

static const char *pick_role(const fq_value_column *column) {
    return column->role == FQ_ROLE_VALUE       ? "value"
           : column->role == FQ_ROLE_PARAMETER ? "parameter"
                                               : "bookkeeping";
}

static hid_t record_type(const fq_table *table) {
    const hid_t type = H5Tcreate(H5T_COMPOUND, table->record_bytes);
    bool good = type >= 0;
    for (size_t c = 0; good && c < table->column_count; c++) {
        const fq_value_column *column = &table->columns[c];
        const hid_t member = column->type == FQ_VALUE_TEXT
                                 ? text_type(column->width + 1)
                                 : H5Tcopy(column->type == FQ_VALUE_REAL ? H5T_NATIVE_DOUBLE
                                                                         : H5T_NATIVE_INT64);
        good = member >= 0 && H5Tinsert(type, column->name, table->offsets[c], member) >= 0;
        if (member >= 0)
            H5Tclose(member);
    }
    if (!good && type >= 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static fq_status write_table(hid_t file, hid_t plain, const fq_table *table) {
    const hsize_t extent = table->count;
    const hid_t type = record_type(table);
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    const hid_t dataset = H5Dcreate2(file, table->name, type, space, H5P_DEFAULT, plain,
                                     H5P_DEFAULT);
    fq_status status = dataset >= 0 ? FQ_OK : internal("making a table");
    if (status == FQ_OK && table->count &&
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->records) < 0)
        status = internal("writing a table");
    if (status == FQ_OK)
        status = write_column_texts(dataset, "columns", table, pick_name);
    if (status == FQ_OK)
        status = write_column_texts(dataset, "units", table, pick_units);
    if (status == FQ_OK)
        status = write_column_texts(dataset, "descriptions", table, pick_description);
    if (status == FQ_OK)
        status = write_column_texts(dataset, "roles", table, pick_role);
    if (status == FQ_OK)
        status = write_text(dataset, "axes", "row");
    if (dataset >= 0)
        H5Dclose(dataset);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return status;
}

static fq_status write_long_text(hid_t group, hid_t plain, const char *name, const char *text) {
    const hid_t type = text_type(strlen(text) + 1);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plain, H5P_DEFAULT);
    const bool good = dataset >= 0 &&
                      H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    if (dataset >= 0)
        H5Dclose(dataset);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return good ? FQ_OK : internal("writing a text");
}

static fq_status write_run(hid_t parent, hid_t plain, hid_t untimed, const fq_result_run *run,
                           size_t number) {
    char name[32];
    snprintf(name, sizeof name, "run_%05zu", number);
    const hid_t group = H5Gcreate2(parent, name, H5P_DEFAULT, untimed, H5P_DEFAULT);
    fq_status status = group >= 0 ? FQ_OK : internal("making a group");
    for (size_t i = 0; status == FQ_OK && i < run->count; i++)
        status = strlen(run->texts[i].value) < ATTRIBUTE_TEXT_MAX
                     ? write_text(group, run->texts[i].name, run->texts[i].value)
                     : write_long_text(group, plain, run->texts[i].name, run->texts[i].value);
    if (group >= 0)
        H5Gclose(group);
    return status;
}

static fq_status write_everything(hid_t file, const fq_results *results) {
    char schema[12], generation[24];
    const hid_t plain = H5Pcreate(H5P_DATASET_CREATE), untimed = H5Pcreate(H5P_GROUP_CREATE);
    fq_status status = plain >= 0 && untimed >= 0 && H5Pset_obj_track_times(plain, false) >= 0 &&
                               H5Pset_obj_track_times(untimed, false) >= 0
                           ? FQ_OK
                           : internal("making property lists");
    snprintf(schema, sizeof schema, "%d", FQ_RESULT_SCHEMA);
    if (status == FQ_OK)
        status = write_text(file, "format", "fibquant results");
    if (status == FQ_OK)
        status = write_text(file, "schema_version", schema);
    snprintf(generation, sizeof generation, "%" PRIu64, results->generation);
    if (status == FQ_OK)
        status = write_text(file, "journal_generation", generation);
    for (size_t t = 0; status == FQ_OK && t < results->table_count; t++)
        status = write_table(file, plain, &results->tables[t]);
    hid_t parent = H5I_INVALID_HID;
    if (status == FQ_OK) {
        parent = H5Gcreate2(file, "provenance", H5P_DEFAULT, untimed, H5P_DEFAULT);
        status = parent >= 0 ? FQ_OK : internal("making a group");
    }
    for (size_t r = 0; status == FQ_OK && r < results->run_count; r++)
        status = write_run(parent, plain, untimed, &results->runs[r], r + 1);
    if (parent >= 0)
        H5Gclose(parent);
    if (untimed >= 0)
        H5Pclose(untimed);
    if (plain >= 0)
        H5Pclose(plain);
    return status;
}

/* The file's bytes, as HDF5 would have written them. */
static fq_status take_image(hid_t file, unsigned char **bytes, size_t *length) {
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0)
        return internal("flushing");
    const ssize_t size = H5Fget_file_image(file, NULL, 0);
    if (size <= 0)
        return internal("measuring the image");
    FQ_TRY(fq_alloc(bytes, (size_t)size, 1));
    if (H5Fget_file_image(file, *bytes, (size_t)size) != size) {
        fq_free(*bytes);
        return internal("copying the image");
    }
    *length = (size_t)size;
    return FQ_OK;
}

fq_status fq_result_file_write(const char *path, const fq_results *results) {
    unsigned char *bytes = NULL;
    size_t length = 0;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, IMAGE_STEP, false) < 0)
        return internal("the memory driver");
    const hid_t file = H5Fcreate("results in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    fq_status status = file >= 0 ? write_everything(file, results) : internal("making the image");
    if (status == FQ_OK)
        status = take_image(file, &bytes, &length);
    if (file >= 0 && H5Fclose(file) < 0 && status == FQ_OK)
        status = internal("closing the image");
    H5Pclose(access);
    if (status == FQ_OK)
        status = fq_atomic_file_write(path, bytes, length);
    fq_free(bytes);
    return status;
}
