#include "fidelity_series.h"

#include <string.h>

#include "failure.h"
#include "figure.h"

const char *fq_series_title(int series) {
    static const char *const titles[FQ_SERIES_COUNT] = {"TurboQuant (scalar)", "TurboQuant (inner product)",
                                                        "FibQuant, the paper's training",
                                                        "FibQuant, population training", "beyond the paper"};
    return series >= 0 && series < FQ_SERIES_COUNT ? titles[series] : "";
}

fq_status fq_fidelity_view_of(fq_fidelity_view *v, const fq_table *t) {
    v->table = t;
    if (t->count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no rows", t->name);
    FQ_TRY(fq_figure_column(&v->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->keep_first, t, "keep_first", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&v->centre, t, "centre", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->recipe, t, "recipe", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->plain, t, "plain", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&v->payload, t, "compression_payload", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->stored, t, "compression_stored", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->cosine, t, "attention_cosine", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->se, t, "attention_cosine_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->centre_tokens, t, "centre_tokens", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&v->key, t, "attention_cosine_key", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->value, t, "attention_cosine_value", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&v->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&v->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&v->protocol, t, "protocol", FQ_VALUE_TEXT);
}

static bool same(const fq_fidelity_view *v, size_t row, size_t column) {
    return strcmp(fq_table_text(v->table, row, column), fq_table_text(v->table, 0, column)) == 0;
}

bool fq_fidelity_belongs(const fq_fidelity_view *v, size_t row) {
    return same(v, row, v->model) && same(v, row, v->text) && same(v, row, v->protocol);
}

fq_series fq_fidelity_series(const fq_fidelity_view *v, size_t row) {
    const char *family = fq_table_text(v->table, row, v->family),
               *recipe = fq_table_text(v->table, row, v->recipe);
    const bool plain = fq_table_integer(v->table, row, v->plain) != 0, fib = strcmp(family, "fib") == 0;
    if (!fq_fidelity_belongs(v, row))
        return FQ_SERIES_NONE;
    if (!plain)
        return fib ? FQ_SERIES_BEYOND : FQ_SERIES_NONE;
    if (fib)
        return strcmp(recipe, "population") == 0 ? FQ_SERIES_POPULATION
               : strcmp(recipe, "paper") == 0    ? FQ_SERIES_PAPER
                                                 : FQ_SERIES_NONE;
    return strcmp(family, "tq") == 0       ? FQ_SERIES_TQ
           : strcmp(family, "tqprod") == 0 ? FQ_SERIES_TQPROD
                                           : FQ_SERIES_NONE;
}
