#include "fidelity_series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"

static fq_status find(fq_fidelity_view *v, const fq_table *t) {
    FQ_TRY(fq_figure_column(&v->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->plain, t, "plain", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&v->payload, t, "compression_payload", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->stored, t, "compression_stored", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->cosine, t, "attention_cosine", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->se, t, "attention_cosine_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->key, t, "attention_cosine_key", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->value, t, "attention_cosine_value", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&v->protocol, t, "protocol", FQ_VALUE_TEXT);
}

/* Whether a row is of the usual protocol; a table without such a column knows no other. */
static bool is_usual(const fq_table *t, size_t row) {
    static const struct {
        const char *column, *usual;
    } protocol[] = {{"query", "model"}, {"mask", "causal"}, {"outputs", "heads"}, {"average", "cosines"}};
    char value[FQ_TABLE_VALUE_TEXT];
    for (size_t i = 0; i < sizeof protocol / sizeof protocol[0]; i++) {
        const size_t column = fq_table_find(t, protocol[i].column);
        if (column < t->column_count &&
            strcmp(fq_table_format(t, row, column, value), protocol[i].usual) != 0)
            return false;
    }
    return true;
}

/* Which rows are used. */
static fq_status choose(fq_fidelity_view *v) {
    bool any = false;
    FQ_TRY(fq_alloc(&v->used, v->table->count, sizeof *v->used));
    for (size_t row = 0; row < v->table->count; row++)
        any = any || is_usual(v->table, row);
    for (size_t row = 0; row < v->table->count; row++) {
        v->used[row] = !any || is_usual(v->table, row);
        v->left_out += !v->used[row];
    }
    return FQ_OK;
}

/* A row's kind and, with its source where there are several, its series. */
static fq_status place(fq_fidelity_view *v, size_t row) {
    char kind[FQ_CODEC_LABEL_MAX], label[FQ_CODEC_LABEL_MAX + 480];
    const char *spec = fq_table_text(v->table, row, v->codec);
    const bool plain = fq_table_integer(v->table, row, v->plain) != 0;
    size_t of_kind;
    fq_codec_treated_kind(kind, spec, plain, fq_table_text(v->table, row, v->treatment));
    FQ_TRY(fq_labels_add(&v->kinds, kind, &of_kind));
    const size_t source = v->sources.of_row[row], before = v->series.count;
    const char *where = v->sources.label[source];
    snprintf(label, sizeof label, "%s%s%s%s", kind, where[0] ? " (" : "", where, where[0] ? ")" : "");
    FQ_TRY(fq_labels_add(&v->series, label, &v->series_of[row]));
    if (v->series.count > before) {
        v->kind_of[before] = of_kind;
        v->source_of[before] = source;
    }
    return FQ_OK;
}

/* A row's configuration: everything but seeds. */
static fq_status configure(fq_fidelity_view *v, size_t row) {
    char key[FQ_CODEC_LABEL_MAX], value[FQ_CODEC_LABEL_MAX],
        text[2 * FQ_CODEC_LABEL_MAX + FQ_VALUE_TEXT_WIDTH + 100];
    fq_codec_without(key, fq_table_text(v->table, row, v->codec), "seed");
    fq_codec_without(value, fq_table_text(v->table, row, v->value_codec), "seed");
    snprintf(text, sizeof text, "%zu|%s|%s|%s|%.17g", v->series_of[row], key, value,
             fq_table_text(v->table, row, v->treatment), fq_table_real(v->table, row, v->stored));
    return fq_labels_add(&v->configs, text, &v->config_of[row]);
}

fq_status fq_fidelity_view_of(fq_fidelity_view *v, const fq_table *t) {
    memset(v, 0, sizeof *v);
    v->table = t;
    if (t->count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no rows", t->name);
    FQ_TRY(find(v, t));
    FQ_TRY(choose(v));
    fq_status status = fq_sources_find_among(&v->sources, t, FQ_FIDELITY_SOURCES, v->used);
    if (status == FQ_OK)
        status = fq_alloc(&v->series_of, t->count, sizeof *v->series_of);
    if (status == FQ_OK)
        status = fq_alloc(&v->config_of, t->count, sizeof *v->config_of);
    if (status == FQ_OK)
        status = fq_alloc(&v->kind_of, t->count, sizeof *v->kind_of);
    if (status == FQ_OK)
        status = fq_alloc(&v->source_of, t->count, sizeof *v->source_of);
    for (size_t row = 0; row < t->count && status == FQ_OK; row++) {
        v->series_of[row] = v->config_of[row] = FQ_NO_SERIES;
        if (v->used[row])
            status = place(v, row);
        if (v->used[row] && status == FQ_OK)
            status = configure(v, row);
    }
    if (status != FQ_OK)
        fq_fidelity_view_clear(v);
    return status;
}

void fq_fidelity_view_clear(fq_fidelity_view *v) {
    fq_sources_clear(&v->sources);
    fq_labels_clear(&v->kinds);
    fq_labels_clear(&v->series);
    fq_labels_clear(&v->configs);
    fq_free(v->series_of);
    fq_free(v->config_of);
    fq_free(v->kind_of);
    fq_free(v->source_of);
    fq_free(v->used);
    memset(v, 0, sizeof *v);
}

double fq_fidelity_config_cosine(const fq_fidelity_view *v, size_t config, double *se, size_t *rows) {
    double sum = 0.0, errors = 0.0;
    *rows = 0;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->config_of[row] == config) {
            sum += fq_table_real(v->table, row, v->cosine);
            errors += fq_table_real(v->table, row, v->se);
            ++*rows;
        }
    *se = errors / (double)*rows;
    return sum / (double)*rows;
}

bool fq_fidelity_first(const fq_fidelity_view *v, size_t row) {
    if (!v->used[row])
        return false;
    for (size_t before = 0; before < row; before++)
        if (v->config_of[before] == v->config_of[row])
            return false;
    return true;
}
