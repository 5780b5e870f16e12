#include "sources.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

enum { COLUMNS = 12, NAME = 64, LONG = 40, LABEL = 400 };

typedef struct finder {
    const fq_table *table;
    size_t column[COLUMNS], columns;
    bool varies[COLUMNS], hash[COLUMNS], name[COLUMNS];
    bool wordy[COLUMNS]; /* some text is too long for a label: all are told by letters */
} finder;

static const char *value_of(const finder *f, size_t row, size_t i, char buffer[FQ_TABLE_VALUE_TEXT]) {
    return fq_table_format(f->table, row, f->column[i], buffer);
}

static bool same_value(const finder *f, size_t a, size_t b, size_t i) {
    char x[FQ_TABLE_VALUE_TEXT], y[FQ_TABLE_VALUE_TEXT];
    return strcmp(value_of(f, a, i, x), value_of(f, b, i, y)) == 0;
}

/* Whether the files behind a row are known by their contents: then names are for labels alone. */
static bool is_hashed(const finder *f, size_t row) {
    char value[FQ_TABLE_VALUE_TEXT];
    bool any = false;
    for (size_t i = 0; i < f->columns; i++) {
        if (f->hash[i] && value_of(f, row, i, value)[0] == '\0')
            return false;
        any = any || f->hash[i];
    }
    return any;
}

static bool same_source(const finder *f, size_t a, size_t b) {
    const bool hashed = is_hashed(f, a) && is_hashed(f, b);
    for (size_t i = 0; i < f->columns; i++)
        if (!(f->name[i] && hashed) && !same_value(f, a, b, i))
            return false;
    return true;
}

/* The columns of the list that the table has. */
static void find_columns(finder *f, const char *columns) {
    char name[NAME];
    for (const char *at = columns; *at && f->columns < COLUMNS;) {
        const size_t length = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const size_t column = fq_table_find(f->table, name);
        if (column < f->table->column_count) {
            f->hash[f->columns] = strstr(name, "sha256") != NULL;
            f->name[f->columns] = strstr(name, "_name") != NULL;
            f->column[f->columns++] = column;
        }
        at += length + (at[length] == ' ');
    }
}

/* Adds a part of two words to a label, after a comma. */
static void add_part(char label[LABEL], const char *name, const char *value) {
    const size_t used = strlen(label);
    snprintf(label + used, LABEL - used, "%s%s%s%s", used ? ", " : "", name, name[0] ? " " : "", value);
}

/* Values of the columns that vary, files' hashes aside; long texts as a letter with a note. */
static fq_status describe(fq_sources *s, const finder *f, size_t source, char label[LABEL]) {
    char value[FQ_TABLE_VALUE_TEXT], note[600];
    label[0] = '\0';
    for (size_t i = 0; i < f->columns; i++) {
        const size_t row = s->first[source];
        const fq_value_column *c = &f->table->columns[f->column[i]];
        if (!f->varies[i] || f->hash[i])
            continue;
        const char *text = value_of(f, row, i, value);
        size_t number = 0;
        for (size_t before = 0; before < source; before++) { /* which distinct value this is */
            bool is_new = true;
            for (size_t earlier = 0; earlier < before; earlier++)
                is_new = is_new && !same_value(f, s->first[earlier], s->first[before], i);
            if (same_value(f, s->first[before], row, i))
                break;
            number += is_new;
        }
        if (f->wordy[i]) {
            const char letter[] = {(char)('A' + number % 26), '\0'};
            add_part(label, c->name, letter);
            snprintf(note, sizeof note, "%.*s %s: %s.", NAME, c->name, letter, text);
            note[0] = (char)(note[0] >= 'a' && note[0] <= 'z' ? note[0] - 'a' + 'A' : note[0]);
            size_t unused;
            FQ_TRY(fq_labels_add(&s->notes, note, &unused));
        } else if (f->name[i]) {
            add_part(label, "", text);
        } else {
            add_part(label, strcmp(c->name, "text_first") == 0 ? "text from token" : c->name, text);
        }
    }
    return FQ_OK;
}

/* Labels; where two are the same, with the hashes that tell them apart. */
static fq_status write_labels(fq_sources *s, const finder *f) {
    char label[LABEL], other[LABEL], value[FQ_TABLE_VALUE_TEXT], digits[16];
    for (size_t source = 0; source < s->count; source++) {
        bool same = false;
        for (size_t i = 0; i < s->count && !same; i++) {
            FQ_TRY(describe(s, f, i, other));
            FQ_TRY(describe(s, f, source, label));
            same = i != source && strcmp(label, other) == 0;
        }
        for (size_t i = 0; i < f->columns && same; i++)
            if (f->hash[i] && f->varies[i]) {
                snprintf(digits, sizeof digits, "#%.8s", value_of(f, s->first[source], i, value));
                add_part(label, "", digits);
            }
        const size_t bytes = strlen(label) + 1;
        FQ_TRY(fq_alloc(&s->label[source], bytes, 1));
        memcpy(s->label[source], label, bytes);
    }
    return FQ_OK;
}

fq_status fq_sources_find(fq_sources *s, const fq_table *table, const char *columns) {
    return fq_sources_find_among(s, table, columns, NULL);
}

fq_status fq_sources_find_among(fq_sources *s, const fq_table *table, const char *columns,
                                const bool *among) {
    finder f = {.table = table};
    memset(s, 0, sizeof *s);
    find_columns(&f, columns);
    FQ_TRY(fq_alloc(&s->of_row, table->count, sizeof *s->of_row));
    fq_status status = fq_alloc(&s->first, table->count, sizeof *s->first);
    for (size_t row = 0; status == FQ_OK && row < table->count; row++) {
        size_t source = 0;
        if (among && !among[row]) {
            s->of_row[row] = SIZE_MAX;
            continue;
        }
        while (source < s->count && !same_source(&f, s->first[source], row))
            source++;
        if (source == s->count) {
            s->first[s->count++] = row;
            for (size_t i = 0; i < f.columns; i++) {
                char value[FQ_TABLE_VALUE_TEXT];
                f.varies[i] = f.varies[i] || !same_value(&f, s->first[0], row, i);
                f.wordy[i] = f.wordy[i] || strlen(value_of(&f, row, i, value)) > LONG;
            }
        }
        s->of_row[row] = source;
    }
    if (status == FQ_OK)
        status = fq_alloc_zero(&s->label, s->count, sizeof *s->label);
    if (status == FQ_OK)
        status = write_labels(s, &f);
    if (status != FQ_OK)
        fq_sources_clear(s);
    return status;
}

void fq_sources_clear(fq_sources *s) {
    for (size_t i = 0; s->label && i < s->count; i++)
        fq_free(s->label[i]);
    fq_free(s->label);
    fq_free(s->of_row);
    fq_free(s->first);
    fq_labels_clear(&s->notes);
    memset(s, 0, sizeof *s);
}
