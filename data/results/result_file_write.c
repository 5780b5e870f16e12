/* A results file built in memory by HDF5's core driver. HDF5 itself never touches the disk, so no
 * full disk and no kill can leave it in the middle of something. */
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "hdf5_util.h"
#include "result_digest.h"
#include "result_file.h"

static fq_status internal(const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: %s failed", what);
}

/* One text a column: what pick gives. */
static fq_status write_column_texts(hid_t dataset, const char *name, const fq_table *table,
                                    const char *(*pick)(const fq_value_column *column)) {
    const char *texts[FQ_TABLE_COLUMNS_MAX];
    for (size_t c = 0; c < table->column_count; c++)
        texts[c] = pick(&table->columns[c]);
    return fq_h5_write_texts(dataset, name, table->column_count, texts);
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
        const hid_t member =
            column->type == FQ_VALUE_TEXT
                ? fq_h5_text_type(column->width + 1)
                : H5Tcopy(column->type == FQ_VALUE_REAL ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64);
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

static fq_status write_table(hid_t file, const fq_table *table) {
    const hsize_t extent = table->count;
    const hid_t type = record_type(table), creation = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &extent, NULL);
    hid_t dataset = H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        dataset = H5Dcreate2(file, table->name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
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
        status = fq_h5_write_text(dataset, "axes", "row");
    fq_h5_close(dataset);
    fq_h5_close(space);
    fq_h5_close(creation);
    fq_h5_close(type);
    return status;
}

static fq_status write_run(hid_t parent, const fq_result_run *run, size_t number) {
    char name[32];
    hid_t group = H5I_INVALID_HID;
    snprintf(name, sizeof name, "run_%05zu", number);
    FQ_TRY(fq_h5_create_group(&group, parent, name));
    fq_status status = FQ_OK;
    for (size_t i = 0; status == FQ_OK && i < run->count; i++)
        status = strlen(run->texts[i].value) < FQ_H5_ATTRIBUTE_TEXT_MAX
                     ? fq_h5_write_text(group, run->texts[i].name, run->texts[i].value)
                     : fq_h5_write_long_text(group, run->texts[i].name, run->texts[i].value);
    fq_h5_close(group);
    return status;
}

static fq_status write_everything(hid_t file, const fq_results *results) {
    char schema[12], generation[24], digest[FQ_SHA256_HEX];
    hid_t parent = H5I_INVALID_HID;
    snprintf(schema, sizeof schema, "%d", FQ_RESULT_SCHEMA);
    snprintf(generation, sizeof generation, "%" PRIu64, results->generation);
    FQ_TRY(fq_h5_write_text(file, "format", "fibquant results"));
    FQ_TRY(fq_h5_write_text(file, "schema_version", schema));
    FQ_TRY(fq_h5_write_text(file, "journal_generation", generation));
    if (results->store[0])
        FQ_TRY(fq_h5_write_text(file, "store", results->store));
    fq_results_digest(digest, results);
    FQ_TRY(fq_h5_write_digest(file, digest));
    for (size_t t = 0; t < results->table_count; t++)
        FQ_TRY(write_table(file, &results->tables[t]));
    FQ_TRY(fq_h5_create_group(&parent, file, "provenance"));
    fq_status status = FQ_OK;
    for (size_t r = 0; status == FQ_OK && r < results->run_count; r++)
        status = write_run(parent, &results->runs[r], r + 1);
    fq_h5_close(parent);
    return status;
}

fq_status fq_result_file_write(const char *path, const fq_results *results) {
    hid_t file = H5I_INVALID_HID;
    FQ_TRY(fq_h5_create(&file));
    const fq_status status = write_everything(file, results);
    if (status == FQ_OK)
        return fq_h5_save(file, path);
    fq_h5_close(file);
    return status;
}
