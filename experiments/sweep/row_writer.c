#include "row_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "sweep_lock.h"

fq_status fq_row_table(fq_table **table, fq_results *results, const char *name,
                       const fq_value_column *columns, size_t count) {
    fq_table wanted = {0};
    *table = fq_results_table(results, name);
    if (!*table)
        return fq_results_add_table(results, table, name, columns, count);
    FQ_TRY(fq_table_init(&wanted, name, columns, count));
    const bool same = fq_table_same_columns(*table, &wanted);
    fq_table_clear(&wanted);
    return same ? FQ_OK
                : FQ_FAIL_TEXT(FQ_ERR_USAGE,
                               "table %s has other columns than this program writes: take another "
                               "results file with -o",
                               name);
}

void fq_row_table_drop(fq_table *table, bool (*drop)(const fq_table *table, size_t row, const void *context),
                       const void *context) {
    size_t kept = 0;
    for (size_t row = 0; row < table->count; row++)
        if (!drop(table, row, context))
            memmove(table->records + kept++ * table->record_bytes, table->records + row * table->record_bytes,
                    table->record_bytes);
    table->count = kept;
}

fq_status fq_row_begin(fq_row_writer *writer, fq_table *table) {
    FQ_TRY(fq_table_append(table, NULL, 1));
    *writer = (fq_row_writer){.table = table, .row = table->count - 1};
    return FQ_OK;
}

/* The next column, which must be of that type. */
static size_t next(fq_row_writer *w, fq_value_type type) {
    assert(w->column < w->table->column_count && w->table->columns[w->column].type == type);
    (void)type;
    return w->column++;
}

void fq_row_text(fq_row_writer *writer, const char *value) {
    const size_t column = next(writer, FQ_VALUE_TEXT);
    fq_table_set_text(writer->table, writer->row, column, value);
}

void fq_row_real(fq_row_writer *writer, double value) {
    const size_t column = next(writer, FQ_VALUE_REAL);
    fq_table_set_real(writer->table, writer->row, column, value);
}

void fq_row_integer(fq_row_writer *writer, int64_t value) {
    const size_t column = next(writer, FQ_VALUE_INTEGER);
    fq_table_set_integer(writer->table, writer->row, column, value);
}

void fq_row_seed(fq_row_writer *writer, uint64_t seed) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, seed);
    fq_row_text(writer, text);
}

fq_status fq_row_run(fq_results *results, const fq_provenance *provenance, size_t *run) {
    fq_result_text texts[FQ_PROVENANCE_MAX];
    for (size_t i = 0; i < provenance->count; i++)
        texts[i] = (fq_result_text){provenance->entries[i].name, provenance->entries[i].value};
    return fq_results_add_run(results, texts, provenance->count, run);
}

fq_status fq_row_store_write(const char *path, const fq_provenance *provenance,
                             fq_status (*add)(fq_results *results, size_t run, const void *context),
                             const void *context) {
    fq_sweep_lock lock;
    fq_store *store = NULL;
    size_t run = 0;
    FQ_TRY(fq_sweep_lock_take(&lock, path));
    fq_status status = fq_store_open(&store, path);
    if (status == FQ_OK)
        status = fq_row_run(fq_store_results(store), provenance, &run);
    if (status == FQ_OK)
        status = add(fq_store_results(store), run, context);
    if (status == FQ_OK)
        status = fq_store_finish(store);
    fq_store_close(store);
    fq_sweep_lock_release(&lock);
    return status;
}
