/* Change of perplexity against a constant that all keys share: table key-bias. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "series.h"
#include "sources.h"

typedef struct columns {
    size_t codec, value_codec, treatment, bias, change, se, reference, before, after, model, text, protocol;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->bias, t, "bias", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->change, t, "perplexity_change", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "perplexity_change_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->reference, t, "perplexity_reference", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->before, t, "shared_before", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->after, t, "shared_after", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->protocol, t, "protocol", FQ_VALUE_TEXT);
}

/* A zero stands at 0.5 of a logarithmic scale that has no place for it; smaller constants do as well. */
#define EDGE 0.5

static double place_of(double bias) {
    return fmax(fabs(bias), EDGE);
}

/* "tq:b=3; mean+first", with the values' codec and the source where these are to be told apart. */
static void name_of(char *text, size_t size, const fq_table *t, const columns *c, const fq_sources *s,
                    size_t row) {
    const char *value = fq_table_text(t, row, c->value_codec),
               *treatment = fq_table_text(t, row, c->treatment), *where = s->label[s->of_row[row]];
    const bool same = strcmp(value, "same") == 0, none = strcmp(treatment, "none") == 0;
    snprintf(text, size, "%s%s%s%s%s%s%s%s", fq_table_text(t, row, c->codec), same ? "" : " / ",
             same ? "" : value, none ? "" : "; ", none ? "" : treatment, where[0] ? " (" : "", where,
             where[0] ? ")" : "");
}

/* A block of the rows of one name by rising constant: place, change, its standard error. */
static void write_series(const fq_figure_job *job, const fq_table *t, const columns *c, const fq_sources *s,
                         const char *name) {
    char other[3 * FQ_VALUE_TEXT_WIDTH];
    double last = -1.0;
    fq_figure_begin_block(job, name);
    for (;;) {
        double next = HUGE_VAL;
        for (size_t row = 0; row < t->count; row++) {
            const double bias = fabs(fq_table_real(t, row, c->bias));
            name_of(other, sizeof other, t, c, s, row);
            if (strcmp(name, other) == 0 && bias > last)
                next = fmin(next, bias);
        }
        if (!(next < HUGE_VAL))
            break;
        for (size_t row = 0; row < t->count; row++) {
            const double se = fq_table_real(t, row, c->se);
            name_of(other, sizeof other, t, c, s, row);
            if (strcmp(name, other) == 0 && fabs(fq_table_real(t, row, c->bias)) == next)
                fq_figure_values(
                    job, 3,
                    (const double[]){place_of(next), fq_table_real(t, row, c->change), isnan(se) ? 0.0 : se});
        }
        last = next;
    }
    fq_figure_end_block(job);
}

/* The axes: the change has a scale that is linear near zero and logarithmic beyond. */
static void write_ranges(const fq_figure_job *job, const fq_table *t, const columns *c) {
    fq_range bias = FQ_RANGE_EMPTY, change = FQ_RANGE_EMPTY;
    fq_range_add(&change, 0.0);
    for (size_t row = 0; row < t->count; row++) {
        const double value = fq_table_real(t, row, c->change), se = fq_table_real(t, row, c->se);
        fq_range_add(&bias, place_of(fq_table_real(t, row, c->bias)));
        fq_range_add(&change, value + (isnan(se) ? 0.0 : 2.0 * se));
        fq_range_add(&change, value - (isnan(se) ? 0.0 : 2.0 * se));
        fq_figure_show(job, row);
    }
    fq_figure_range(job, "bias", bias, 0.06, true);
    fq_figure_number(job, "change_low", sinh(asinh(change.low) - 0.3));
    fq_figure_number(job, "change_high", sinh(asinh(change.high) + 0.3));
}

/* What the uncompressed model and its keys do, at the least and the greatest constant of every source. */
static void say_model(const fq_figure_job *job, const fq_table *t, const columns *c, const fq_sources *s) {
    for (size_t i = 0; i < s->count; i++) {
        size_t least = s->first[i], most = s->first[i];
        for (size_t row = 0; row < t->count; row++) {
            const double bias = fabs(fq_table_real(t, row, c->bias));
            if (s->of_row[row] != i)
                continue;
            least = bias < fabs(fq_table_real(t, least, c->bias)) ? row : least;
            most = bias > fabs(fq_table_real(t, most, c->bias)) ? row : most;
        }
        const char *where = s->label[i];
        fq_figure_say(
            job,
            "%s%sUncompressed perplexity %.3f at a constant of %g, %.3f at %g; share of the keys' energy "
            "that is their mean: %.3f and %.3f before the position encoding, %.3f and %.3f after.",
            where, where[0] ? ": " : "", fq_table_real(t, least, c->reference),
            fq_table_real(t, least, c->bias), fq_table_real(t, most, c->reference),
            fq_table_real(t, most, c->bias), fq_table_real(t, least, c->before),
            fq_table_real(t, most, c->before), fq_table_real(t, least, c->after),
            fq_table_real(t, most, c->after));
    }
}

static void write_words(const fq_figure_job *job, const fq_table *t, const columns *c, const fq_sources *s,
                        size_t keys) {
    char where[320], note[420];
    snprintf(where, sizeof where, "%s; %s", fq_table_text(t, 0, c->model), fq_table_text(t, 0, c->text));
    fq_figure_text(job, "where", s->count == 1 ? where : "several sources, see the key");
    snprintf(note, sizeof note,
             "%s; bars: 2 SE of the difference to the uncompressed model with the same constant",
             s->count == 1 ? fq_table_text(t, 0, c->protocol) : "protocols: see the side file");
    const size_t lines = fq_figure_wrapped(job, "note", note, 60);
    fq_figure_number(job, "height", 8.4 + 0.31 * (double)(keys + lines));
    if (s->count == 1)
        fq_figure_say(job, "%s. Protocol: %s.", where, fq_table_text(t, 0, c->protocol));
    for (size_t i = 0; i < s->notes.count; i++)
        fq_figure_say(job, "%s", s->notes.label[i]);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    char name[3 * FQ_VALUE_TEXT_WIDTH];
    fq_labels series = {0};
    size_t keys = 0;
    fq_sources s;
    columns c;
    FQ_TRY(find(&c, t));
    FQ_TRY(fq_sources_find(&s, t, FQ_PERPLEXITY_SOURCES));
    fq_status status = FQ_OK;
    for (size_t row = 0; status == FQ_OK && row < t->count; row++) {
        size_t number;
        name_of(name, sizeof name, t, &c, &s, row);
        status = fq_labels_add(&series, name, &number);
    }
    for (size_t i = 0; status == FQ_OK && i < series.count; i++) {
        write_series(job, t, &c, &s, series.label[i]);
        fq_figure_series_style(job, i);
        fq_figure_key(job, &keys, i, series.label[i]);
    }
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "series", (double)series.count);
    write_ranges(job, t, &c);
    write_words(job, t, &c, &s, keys);
    say_model(job, t, &c, &s);
    fq_labels_clear(&series);
    fq_sources_clear(&s);
    return status;
}

const fq_figure fq_figure_key_bias = {
    .name = "key_bias",
    .table = "key-bias",
    .script = "key_bias.gp",
    .shows = "Change of perplexity by compressing the KV cache where a constant is added to a coordinate of "
             "every key's slowest pair before the position encoding, which the model itself hardly sees; "
             "without the constant at the left edge; the scale of the change is linear near zero",
    .feed = feed,
};
