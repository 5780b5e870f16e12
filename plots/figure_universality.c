/* Distortion of every layer and head over that of the canonical source: table universality. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "sources.h"

enum { KINDS = 2 };
static const char *const kinds[KINDS] = {"key", "value"};

typedef struct columns {
    size_t codec, kind, layer, head, ratio, low, high, t, threshold, deviates, model, text;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->kind, t, "kind", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->layer, t, "layer", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->head, t, "head", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->ratio, t, "ratio", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->low, t, "ratio_low", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->high, t, "ratio_high", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->t, t, "t", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->threshold, t, "threshold", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->deviates, t, "deviates", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT);
}

/* Rows of one point: a source (cache and sizes of the test) and a codec. */
static bool same_point(const fq_table *t, const columns *c, const fq_sources *s, size_t a, size_t b) {
    return s->of_row[a] == s->of_row[b] &&
           strcmp(fq_table_text(t, a, c->codec), fq_table_text(t, b, c->codec)) == 0;
}

static bool is_first(const fq_table *t, const columns *c, const fq_sources *s, size_t row) {
    for (size_t before = 0; before < row; before++)
        if (same_point(t, c, s, before, row))
            return false;
    return true;
}

typedef struct counts {
    int tests, deviating;
    double most; /* greatest |t| */
} counts;

/* Blocks of position (layer, and the head as a fraction), ratio, low, high: heads in line, then deviating
 * ones. */
static counts panel(const fq_figure_job *job, const fq_table *t, const columns *c, const fq_sources *s,
                    size_t first, int kind, fq_range *range) {
    counts n = {0, 0, 0.0};
    double heads = 1.0;
    for (size_t row = first; row < t->count; row++)
        if (same_point(t, c, s, first, row))
            heads = fmax(heads, 1.0 + (double)fq_table_integer(t, row, c->head));
    for (int deviates = 0; deviates < 2; deviates++) {
        fq_figure_begin_block(job, deviates ? "deviates" : "in line");
        for (size_t row = first; row < t->count; row++) {
            if (!same_point(t, c, s, first, row) ||
                strcmp(fq_table_text(t, row, c->kind), kinds[kind]) != 0 ||
                (fq_table_integer(t, row, c->deviates) != 0) != (deviates != 0))
                continue;
            const double x = (double)fq_table_integer(t, row, c->layer) +
                             (double)fq_table_integer(t, row, c->head) / heads;
            fq_figure_values(job, 4,
                             (const double[]){x, fq_table_real(t, row, c->ratio),
                                              fq_table_real(t, row, c->low), fq_table_real(t, row, c->high)});
            fq_range_add(range, fq_table_real(t, row, c->low));
            fq_range_add(range, fq_table_real(t, row, c->high));
            n.most = fmax(n.most, fabs(fq_table_real(t, row, c->t)));
            n.tests++;
            n.deviating += deviates;
            fq_figure_show(job, row);
        }
        fq_figure_end_block(job);
    }
    return n;
}

/* A pair of panels, keys and values, for a codec on a source, with what it shows in words. */
static void pair(const fq_figure_job *job, const fq_table *t, const columns *c, const fq_sources *s,
                 size_t first, size_t number, fq_range ranges[KINDS]) {
    const char *codec = fq_table_text(t, first, c->codec), *where = s->label[s->of_row[first]];
    char title[600], summary[200];
    snprintf(title, sizeof title, "%s%s%s", codec, where[0] ? "; " : "", where);
    fq_figure_text_of(job, "title", number, title);
    for (int kind = 0; kind < KINDS; kind++) {
        const counts n = panel(job, t, c, s, first, kind, &ranges[kind]);
        snprintf(summary, sizeof summary, "%d of %d deviate", n.deviating, n.tests);
        fq_figure_text_of(job, "summary", (size_t)KINDS * number + (size_t)kind, summary);
        fq_figure_number_of(job, "deviating", (size_t)KINDS * number + (size_t)kind, n.deviating);
        fq_figure_say(job, "%s, %ss: %d of %d deviate, |t| to %.1f (threshold %.1f).", title, kinds[kind],
                      n.deviating, n.tests, n.most, fq_table_real(t, first, c->threshold));
    }
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    static const struct {
        const char *column, *words;
    } settings[] = {{"tokens", "tokens a head"},
                    {"rotations", "rotations"},
                    {"sphere_vectors", "vectors of the canonical source"},
                    {"family_error", "the probability of any false alarm"}};
    fq_range ranges[KINDS] = {FQ_RANGE_EMPTY, FQ_RANGE_EMPTY}, layers = FQ_RANGE_EMPTY;
    char note[400] = "", value[FQ_TABLE_VALUE_TEXT], where[320];
    size_t pairs = 0;
    columns c;
    fq_sources s;
    FQ_TRY(find(&c, t));
    FQ_TRY(fq_sources_find(&s, t, FQ_UNIVERSALITY_SOURCES));
    for (size_t row = 0; row < t->count; row++) {
        fq_range_add(&layers, (double)fq_table_integer(t, row, c.layer));
        if (is_first(t, &c, &s, row))
            pair(job, t, &c, &s, row, pairs++, ranges);
    }
    fq_figure_number(job, "pairs", (double)pairs);
    fq_figure_range(job, "key", ranges[0], 0.05, false);
    fq_figure_range(job, "value", ranges[1], 0.05, false);
    fq_figure_number(job, "layers", layers.high);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(t, 0, c.model), fq_table_text(t, 0, c.text));
    fq_figure_text(job, "where", s.count == 1 ? where : "several caches or settings, see the titles");
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const size_t column = fq_table_find(t, settings[i].column), used = strlen(note);
        if (column < t->column_count && s.count == 1)
            snprintf(note + used, sizeof note - used, "%s%s %s", used ? ", " : "",
                     fq_table_format(t, 0, column, value), settings[i].words);
    }
    const size_t used = strlen(note);
    snprintf(note + used, sizeof note - used,
             "%sbars: 95 %% intervals over rotations; squares: significant, all tests of a codec together",
             used ? "; " : "");
    const size_t lines = fq_figure_wrapped(job, "note", note, 60);
    fq_figure_number(job, "height", 1.1 + 3.5 * (double)pairs + 0.75 + 0.31 * (double)lines);
    fq_figure_say(job, "%s.", s.count == 1 ? where : "Several caches or settings");
    fq_sources_clear(&s);
    return FQ_OK;
}

const fq_figure fq_figure_universality = {
    .name = "universality",
    .table = "universality",
    .script = "universality.gp",
    .shows = "Measured distortion of every layer and head of a KV cache over the canonical source's, keys "
             "left and values right, each with one scale for all codecs, with 95 % confidence intervals over "
             "rotations; heads that deviate significantly are marked",
    .feed = feed,
};
