/* Distortion of every layer and head over that of the canonical source: table universality. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"

enum { KINDS = 2, CODECS_MAX = 3 };
static const char *const kinds[KINDS] = {"key", "value"};

typedef struct columns {
    size_t cache, codec, kind, layer, head, ratio, low, high, t, threshold, deviates, rotations, tokens,
        model, text, family_error;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->cache, t, "cache_sha256", FQ_VALUE_TEXT));
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
    FQ_TRY(fq_figure_column(&c->rotations, t, "rotations", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->tokens, t, "tokens", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->family_error, t, "family_error", FQ_VALUE_REAL);
}

/* Rows of one point: a cache, a codec and the sizes of the test. */
static bool same_point(const fq_table *t, const columns *c, size_t a, size_t b) {
    return strcmp(fq_table_text(t, a, c->cache), fq_table_text(t, b, c->cache)) == 0 &&
           strcmp(fq_table_text(t, a, c->codec), fq_table_text(t, b, c->codec)) == 0 &&
           fq_table_integer(t, a, c->rotations) == fq_table_integer(t, b, c->rotations) &&
           fq_table_integer(t, a, c->tokens) == fq_table_integer(t, b, c->tokens);
}

static bool is_first(const fq_table *t, const columns *c, size_t row) {
    for (size_t before = 0; before < row; before++)
        if (same_point(t, c, before, row))
            return false;
    return true;
}

/* Blocks of position (layer, and the head as a fraction), ratio, low, high: heads in line, then deviating
 * ones. */
static void panel(const fq_figure_job *job, const fq_table *t, const columns *c, size_t first, int kind,
                  int number) {
    double heads = 1.0, most = 0.0;
    int tests = 0, deviating = 0;
    char name[24], title[240];
    for (size_t row = first; row < t->count; row++)
        if (same_point(t, c, first, row))
            heads = fmax(heads, 1.0 + (double)fq_table_integer(t, row, c->head));
    for (int deviates = 0; deviates < 2; deviates++) {
        fq_figure_begin_block(job, deviates ? "deviates" : "in line");
        for (size_t row = first; row < t->count; row++) {
            if (!same_point(t, c, first, row) || strcmp(fq_table_text(t, row, c->kind), kinds[kind]) != 0 ||
                (fq_table_integer(t, row, c->deviates) != 0) != (deviates != 0))
                continue;
            const double x = (double)fq_table_integer(t, row, c->layer) +
                             (double)fq_table_integer(t, row, c->head) / heads;
            fq_figure_values(job, 4,
                             (const double[]){x, fq_table_real(t, row, c->ratio),
                                              fq_table_real(t, row, c->low), fq_table_real(t, row, c->high)});
            most = fmax(most, fabs(fq_table_real(t, row, c->t)));
            tests++;
            deviating += deviates;
        }
        fq_figure_end_block(job);
    }
    snprintf(title, sizeof title, "%ss, %s: %d of %d deviate, |t| to %.1f (threshold %.1f)", kinds[kind],
             fq_table_text(t, first, c->codec), deviating, tests, most,
             fq_table_real(t, first, c->threshold));
    snprintf(name, sizeof name, "title%d", number);
    fq_figure_text(job, name, title);
    snprintf(name, sizeof name, "deviating%d", number);
    fq_figure_number(job, name, deviating);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    columns c;
    int panels = 0;
    char caption[400];
    FQ_TRY(find(&c, t));
    for (size_t row = 0; row < t->count && panels < KINDS * CODECS_MAX; row++)
        for (int kind = 0; kind < KINDS && is_first(t, &c, row); kind++)
            panel(job, t, &c, row, kind, panels++);
    fq_figure_number(job, "panels", panels);
    snprintf(caption, sizeof caption,
             "%s; %s; %lld tokens a head, %lld rotations; bars: 95 %% intervals over rotations; the tests of "
             "a codec together raise a false "
             "alarm with probability %g",
             fq_table_text(t, 0, c.model), fq_table_text(t, 0, c.text),
             (long long)fq_table_integer(t, 0, c.tokens), (long long)fq_table_integer(t, 0, c.rotations),
             fq_table_real(t, 0, c.family_error));
    fq_figure_text(job, "caption", caption);
    return FQ_OK;
}

const fq_figure fq_figure_universality = {
    .name = "universality",
    .table = "universality",
    .script = "universality.gp",
    .shows = "Measured distortion of every layer and head of a KV cache over the canonical source's, with "
             "confidence "
             "intervals over rotations; heads that deviate significantly are marked",
    .feed = feed,
};
