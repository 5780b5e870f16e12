/* Perplexity and divergence from the uncompressed model against compression: table perplexity. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "fidelity_series.h"
#include "figure.h"
#include "memory.h"
#include "pareto.h"

typedef struct columns {
    size_t family, codec, value_codec, keep_first, keep_recent, centre_keys, payload, stored, perplexity, se,
        kl, kl_se, reference, model, text, protocol;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->keep_first, t, "keep_first", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->keep_recent, t, "keep_recent", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->centre_keys, t, "centre_keys", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->payload, t, "compression_payload", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->stored, t, "compression_stored", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->perplexity, t, "perplexity", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "perplexity_change_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->kl, t, "kl", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->kl_se, t, "kl_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->reference, t, "perplexity_reference", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->protocol, t, "protocol", FQ_VALUE_TEXT);
}

/* Less of a gain in compression than 3 % is no reason for a curve to go up. */
#define SLACK 0.03

static fq_series series_of(const fq_table *t, const columns *c, size_t row) {
    const char *family = fq_table_text(t, row, c->family), *codec = fq_table_text(t, row, c->codec);
    const bool plain = strcmp(fq_table_text(t, row, c->value_codec), "same") == 0 &&
                       !strstr(codec, "norm=") && fq_table_integer(t, row, c->keep_first) == 0 &&
                       fq_table_integer(t, row, c->keep_recent) == 0 &&
                       fq_table_integer(t, row, c->centre_keys) == 0;
    if (strcmp(family, "fib") == 0)
        return !plain                          ? FQ_SERIES_BEYOND
               : strstr(codec, "recipe=paper") ? FQ_SERIES_PAPER
               : strstr(codec, "recipe=")      ? FQ_SERIES_NONE
                                               : FQ_SERIES_POPULATION;
    if (plain && strcmp(family, "tq") == 0)
        return FQ_SERIES_TQ;
    return plain && strcmp(family, "tqprod") == 0 ? FQ_SERIES_TQPROD : FQ_SERIES_NONE;
}

static bool belongs(const fq_table *t, const columns *c, size_t row) {
    return strcmp(fq_table_text(t, row, c->model), fq_table_text(t, 0, c->model)) == 0 &&
           strcmp(fq_table_text(t, row, c->text), fq_table_text(t, 0, c->text)) == 0 &&
           strcmp(fq_table_text(t, row, c->protocol), fq_table_text(t, 0, c->protocol)) == 0;
}

/* Least and greatest positive value of a column over the rows shown, as variables NAME_low and NAME_high. */
static void write_range(const fq_figure_job *job, const fq_table *t, const columns *c, const char *name,
                        size_t column) {
    double low = HUGE_VAL, high = 0.0;
    char variable[40];
    for (size_t row = 0; row < t->count; row++) {
        const double value = fq_table_real(t, row, column);
        if (!belongs(t, c, row) || series_of(t, c, row) == FQ_SERIES_NONE || !(value > 0.0))
            continue;
        low = fmin(low, value);
        high = fmax(high, value);
    }
    snprintf(variable, sizeof variable, "%s_low", name);
    fq_figure_number(job, variable, low <= high ? low : 1.0);
    snprintf(variable, sizeof variable, "%s_high", name);
    fq_figure_number(job, variable, low <= high ? high : 1.0);
}

/* A series by rising compression; smaller values are better. */
static void write_series(const fq_figure_job *job, const fq_table *t, const columns *c, int series, size_t x,
                         size_t y, size_t se, fq_curve_point *points) {
    size_t n = 0;
    for (size_t row = 0; row < t->count; row++)
        if (belongs(t, c, row) && (int)series_of(t, c, row) == series)
            points[n++] = (fq_curve_point){fq_table_real(t, row, x), -fq_table_real(t, row, y),
                                           fq_table_real(t, row, se)};
    n = fq_pareto(points, n, SLACK);
    fq_figure_begin_block(job, fq_series_title(series));
    for (size_t i = 0; i < n; i++)
        fq_figure_values(
            job, 3, (const double[]){points[i].x, -points[i].y, isnan(points[i].se) ? 0.0 : points[i].se});
    fq_figure_end_block(job);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    columns c;
    fq_curve_point *points = NULL;
    int shown[FQ_SERIES_COUNT], count = 0;
    char name[24];
    FQ_TRY(find(&c, t));
    FQ_TRY(fq_alloc(&points, t->count, sizeof *points));
    for (int series = 0; series < FQ_SERIES_COUNT; series++) {
        bool any = false;
        for (size_t row = 0; row < t->count; row++)
            any = any || (belongs(t, &c, row) && (int)series_of(t, &c, row) == series);
        if (any)
            shown[count++] = series;
    }
    const size_t x[] = {c.payload, c.stored, c.stored}, y[] = {c.perplexity, c.perplexity, c.kl},
                 se[] = {c.se, c.se, c.kl_se};
    for (size_t panel = 0; panel < 3; panel++)
        for (int i = 0; i < count; i++)
            write_series(job, t, &c, shown[i], x[panel], y[panel], se[panel], points);
    fq_free(points);
    if (count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no row of a codec that the figure shows", t->name);
    fq_figure_number(job, "series", count);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "style%d", i);
        fq_figure_number(job, name, shown[i] + 1);
    }
    write_range(job, t, &c, "payload", c.payload);
    write_range(job, t, &c, "stored", c.stored);
    write_range(job, t, &c, "perplexity", c.perplexity);
    write_range(job, t, &c, "kl", c.kl);
    fq_figure_number(job, "reference", fq_table_real(t, 0, c.reference));
    fq_figure_text(job, "model", fq_table_text(t, 0, c.model));
    fq_figure_text(job, "text", fq_table_text(t, 0, c.text));
    fq_figure_text(job, "protocol", fq_table_text(t, 0, c.protocol));
    return FQ_OK;
}

const fq_figure fq_figure_perplexity = {
    .name = "perplexity",
    .table = "perplexity",
    .script = "perplexity.gp",
    .shows = "Perplexity, and KL divergence from the uncompressed model, against compression of the KV "
             "cache, with "
             "standard errors over windows paired with the uncompressed model",
    .feed = feed,
};
