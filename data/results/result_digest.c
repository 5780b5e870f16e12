/* Parts are taken in an order of their names, because HDF5 lists them so and memory need not. */
#include <string.h>

#include "result_digest.h"

static void add_text(fq_sha256 *hash, const char *text) {
    fq_sha256_add(hash, text, strlen(text) + 1);
}

static void add_u64(fq_sha256 *hash, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    fq_sha256_add(hash, bytes, sizeof bytes);
}

static void add_table(fq_sha256 *hash, const fq_table *table) {
    add_text(hash, table->name);
    add_u64(hash, table->column_count);
    for (size_t c = 0; c < table->column_count; c++) {
        const fq_value_column *column = &table->columns[c];
        add_text(hash, column->name);
        add_text(hash, column->units);
        add_text(hash, column->description);
        add_u64(hash, (uint64_t)column->type);
        add_u64(hash, (uint64_t)column->role);
    }
    add_u64(hash, table->count);
    for (size_t row = 0; row < table->count; row++)
        for (size_t c = 0; c < table->column_count; c++) {
            const unsigned char *at = table->records + row * table->record_bytes + table->offsets[c];
            if (table->columns[c].type == FQ_VALUE_TEXT) {
                add_text(hash, fq_table_text(table, row, c));
                continue;
            }
            uint64_t bits;
            memcpy(&bits, at, sizeof bits);
            add_u64(hash, bits);
        }
}

static void add_run(fq_sha256 *hash, const fq_result_run *run) {
    add_u64(hash, run->count);
    const char *last = NULL;
    for (size_t done = 0; done < run->count; done++) {
        const fq_result_text *next = NULL;
        for (size_t i = 0; i < run->count; i++)
            if ((!last || strcmp(run->texts[i].name, last) > 0) &&
                (!next || strcmp(run->texts[i].name, next->name) < 0))
                next = &run->texts[i];
        if (!next)
            return; /* a name stands twice: no file can hold that */
        add_text(hash, next->name);
        add_text(hash, next->value);
        last = next->name;
    }
}

void fq_results_digest(char hex[FQ_SHA256_HEX], const fq_results *results) {
    fq_sha256 hash;
    fq_sha256_init(&hash);
    add_u64(&hash, results->generation);
    if (results->store[0])
        add_text(&hash, results->store);
    add_u64(&hash, results->table_count);
    const char *last = "";
    for (size_t done = 0; done < results->table_count; done++) {
        const fq_table *next = NULL;
        for (size_t t = 0; t < results->table_count; t++)
            if (strcmp(results->tables[t].name, last) > 0 &&
                (!next || strcmp(results->tables[t].name, next->name) < 0))
                next = &results->tables[t];
        add_table(&hash, next); /* names are unique and not empty */
        last = next->name;
    }
    add_u64(&hash, results->run_count);
    for (size_t r = 0; r < results->run_count; r++)
        add_run(&hash, &results->runs[r]);
    fq_sha256_final(&hash, hex);
}
