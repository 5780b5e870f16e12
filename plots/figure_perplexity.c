/* Perplexity, its change, the divergence from the uncompressed model and the agreement with it against
 * compression: table perplexity. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "pareto.h"
#include "series.h"
#include "sources.h"

typedef struct columns {
    size_t codec, value_codec, treatment, payload, stored, perplexity, se, change, kl, kl_se, agreement,
        agreement_se, reference, model, text, protocol;
} columns;

typedef struct plan {
    const fq_table *table;
    columns c;
    fq_sources sources;
    fq_labels kinds, series, configs;
    size_t *series_of, *config_of, *kind_of, *source_of; /* [rows], [rows], [series], [series] */
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->payload, t, "compression_payload", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->stored, t, "compression_stored", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->perplexity, t, "perplexity", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->change, t, "perplexity_change", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "perplexity_change_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->kl, t, "kl", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->kl_se, t, "kl_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->agreement, t, "agreement", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->agreement_se, t, "agreement_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->reference, t, "perplexity_reference", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->protocol, t, "protocol", FQ_VALUE_TEXT);
}

/* Less of a gain in compression than 3 % is no reason for a curve to go up. */
#define SLACK 0.03

/* A divergence below this is none: the scale has no place for it but its edge. */
#define EXACT 1e-7

static bool as_published(const plan *p, size_t row) {
    const char *codec = fq_table_text(p->table, row, p->c.codec);
    return strcmp(fq_table_text(p->table, row, p->c.value_codec), "same") == 0 && !strstr(codec, "norm=") &&
           !strstr(codec, "rot=") && strcmp(fq_table_text(p->table, row, p->c.treatment), "none") == 0;
}

/* Neither compressed nor changed: the line of the uncompressed model says as much. */
static bool is_reference(const plan *p, size_t row) {
    return fq_table_real(p->table, row, p->c.payload) <= 1.0 && fq_table_real(p->table, row, p->c.kl) < EXACT;
}

static bool is_measured(const plan *p, size_t row) {
    return fq_table_real(p->table, row, p->c.payload) > 0.0 &&
           fq_table_real(p->table, row, p->c.stored) > 0.0 &&
           fq_table_real(p->table, row, p->c.perplexity) > 0.0 &&
           isfinite(fq_table_real(p->table, row, p->c.perplexity));
}

#define NONE SIZE_MAX

static bool is_point(const plan *p, size_t row) {
    return p->series_of[row] != NONE;
}

/* Series of every row, and its configuration: everything but seeds. */
static fq_status place(plan *p, size_t row) {
    const fq_table *t = p->table;
    char kind[FQ_CODEC_LABEL_MAX], label[FQ_CODEC_LABEL_MAX + 450], key[FQ_CODEC_LABEL_MAX],
        value[FQ_CODEC_LABEL_MAX], config[2 * FQ_CODEC_LABEL_MAX + FQ_VALUE_TEXT_WIDTH + 100];
    const size_t source = p->sources.of_row[row], before = p->series.count;
    const char *where = p->sources.label[source];
    size_t of_kind;
    fq_codec_treated_kind(kind, fq_table_text(t, row, p->c.codec), as_published(p, row),
                          fq_table_text(t, row, p->c.treatment));
    FQ_TRY(fq_labels_add(&p->kinds, kind, &of_kind));
    snprintf(label, sizeof label, "%s%s%s%s", kind, where[0] ? " (" : "", where, where[0] ? ")" : "");
    FQ_TRY(fq_labels_add(&p->series, label, &p->series_of[row]));
    if (p->series.count > before) {
        p->kind_of[before] = of_kind;
        p->source_of[before] = source;
    }
    fq_codec_without(key, fq_table_text(t, row, p->c.codec), "seed");
    fq_codec_without(value, fq_table_text(t, row, p->c.value_codec), "seed");
    snprintf(config, sizeof config, "%zu|%s|%s|%s", p->series_of[row], key, value,
             fq_table_text(t, row, p->c.treatment));
    return fq_labels_add(&p->configs, config, &p->config_of[row]);
}

/* The mean of a column over a row's configuration; 0 rows before this one tell that it is the first. */
static double config_mean(const plan *p, size_t row, size_t column, size_t *before, size_t *rows) {
    double sum = 0.0;
    *before = *rows = 0;
    for (size_t other = 0; other < p->table->count; other++)
        if (p->config_of[other] == p->config_of[row]) {
            sum += fq_table_real(p->table, other, column);
            *before += other < row;
            ++*rows;
        }
    return sum / (double)*rows;
}

/* What a row of panels shows: columns of the value and its error, the least value that its scale has, and
 * whether more of it is better (1) or less (-1). */
typedef struct quantity {
    size_t y, se;
    double edge, better;
} quantity;

/* Two blocks: every row as compression, value, standard error; then the configurations that none beats. */
static void write_series(const fq_figure_job *job, const plan *p, size_t series, size_t x, const quantity *q,
                         fq_curve_point *points) {
    const size_t y = q->y, se = q->se;
    const double edge = q->edge;
    size_t n = 0, before, rows;
    fq_figure_begin_block(job, p->series.label[series]);
    for (size_t row = 0; row < p->table->count; row++) {
        if (p->series_of[row] != series || !is_point(p, row))
            continue;
        const double error = fq_table_real(p->table, row, se), at = fq_table_real(p->table, row, x);
        fq_figure_values(
            job, 3,
            (const double[]){at, fmax(fq_table_real(p->table, row, y), edge), isnan(error) ? 0.0 : error});
        const double mean = config_mean(p, row, y, &before, &rows);
        if (before == 0)
            points[n++] = (fq_curve_point){at, q->better * mean, error};
    }
    fq_figure_end_block(job);
    n = fq_pareto(points, n, SLACK);
    fq_figure_begin_block(job, p->series.label[series]);
    for (size_t i = 0; i < n; i++)
        fq_figure_values(job, 2, (const double[]){points[i].x, fmax(q->better * points[i].y, edge)});
    fq_figure_end_block(job);
}

/* Ranges of the axes; returns where a divergence of nothing stands. The change has a scale that is linear
 * near zero, up to the smallest error bar, and logarithmic beyond. */
static double write_ranges(const fq_figure_job *job, const plan *p, size_t *shown) {
    fq_range payload = FQ_RANGE_EMPTY, stored = FQ_RANGE_EMPTY, perplexity = FQ_RANGE_EMPTY,
             change = FQ_RANGE_EMPTY, kl = FQ_RANGE_EMPTY, agreement = FQ_RANGE_EMPTY;
    double linear = 1.0;
    size_t exact = 0, odd = 0, uncompressed = 0, seeds = 1;
    fq_range_add(&change, 0.0);
    for (size_t row = 0; row < p->table->count; row++) {
        size_t before, rows;
        if (!is_point(p, row)) {
            odd += !is_measured(p, row);
            uncompressed += is_measured(p, row);
            continue;
        }
        const double c = fq_table_real(p->table, row, p->c.change),
                     se = fq_table_real(p->table, row, p->c.se), k = fq_table_real(p->table, row, p->c.kl);
        fq_figure_show(job, row);
        ++*shown;
        fq_range_add(&payload, fq_table_real(p->table, row, p->c.payload));
        fq_range_add(&stored, fq_table_real(p->table, row, p->c.stored));
        fq_range_add(&perplexity, fq_table_real(p->table, row, p->c.perplexity));
        if (se > 0.0)
            fq_range_add(&perplexity, fq_table_real(p->table, row, p->c.perplexity) + 2.0 * se);
        fq_range_add(&perplexity, fq_table_real(p->table, row, p->c.reference));
        fq_range_add(&change, c + (isnan(se) ? 0.0 : 2.0 * se));
        fq_range_add(&change, c - (isnan(se) ? 0.0 : 2.0 * se));
        if (se > 0.0)
            linear = fmin(linear, 2.0 * se);
        fq_range_add(&agreement, fq_table_real(p->table, row, p->c.agreement));
        exact += k < EXACT;
        if (k >= EXACT) {
            fq_range_add(&kl, k);
            fq_range_add(&kl, k + 2.0 * fq_table_real(p->table, row, p->c.kl_se));
        }
        config_mean(p, row, p->c.kl, &before, &rows);
        seeds = rows > seeds ? rows : seeds;
    }
    if (fq_range_is_empty(&kl))
        fq_range_add(&kl, EXACT);
    const double edge = 0.3 * kl.low;
    if (exact)
        fq_range_add(&kl, edge);
    fq_figure_number(job, "edge", exact ? edge : (double)NAN);
    linear = fmax(linear, 0.01);
    fq_figure_number(job, "linear", linear);
    fq_figure_range(job, "payload", payload, 0.06, true);
    fq_figure_range(job, "stored", stored, 0.06, true);
    fq_figure_range(job, "perplexity", perplexity, 0.06, true);
    fq_figure_number(job, "change_low", linear * sinh(asinh(change.low / linear) - 0.3));
    fq_figure_number(job, "change_high", linear * sinh(asinh(change.high / linear) + 0.3));
    fq_figure_range(job, "kl", kl, 0.06, true);
    fq_range_add(&agreement, 1.0);
    fq_figure_range(job, "agreement", agreement, 0.06, false);
    if (exact)
        fq_figure_say(job, "%zu points with a divergence below 10^-7 stand at the lower edge.", exact);
    if (seeds > 1)
        fq_figure_say(job,
                      "Up to %zu rows differ by their seeds alone: all are marked, curves go through "
                      "their means.",
                      seeds);
    if (uncompressed)
        fq_figure_say(job,
                      "Left out: %zu rows at 1x without any change, which the line of the uncompressed model "
                      "stands for.",
                      uncompressed);
    if (odd)
        fq_figure_say(job, "Left out: %zu rows without a perplexity.", odd);
    return edge;
}

static void write_labels(const fq_figure_job *job, const plan *p) {
    const fq_table *t = p->table;
    char where[320], note[420];
    size_t keys = 0;
    fq_figure_number(job, "series", (double)p->series.count);
    for (size_t i = 0; i < p->series.count; i++) {
        fq_figure_key(job, &keys, i, p->series.label[i]);
        /* colour by kind; the dash says the source, or the kind once more if there is but one */
        fq_figure_style(job, i, p->kind_of[i], p->sources.count > 1 ? p->source_of[i] : p->kind_of[i],
                        p->kind_of[i] + 9 * p->source_of[i]);
    }
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "references", (double)p->sources.count);
    for (size_t i = 0; i < p->sources.count; i++) {
        const double reference = fq_table_real(t, p->sources.first[i], p->c.reference);
        char label[FQ_CODEC_LABEL_MAX + 450];
        fq_figure_number_of(job, "reference", i, reference);
        snprintf(label, sizeof label, "uncompressed: %.3f%s%s%s", reference,
                 p->sources.label[i][0] ? " (" : "", p->sources.label[i], p->sources.label[i][0] ? ")" : "");
        fq_figure_text_of(job, "reference_label", i, label);
    }
    snprintf(where, sizeof where, "%s; %s", fq_table_text(t, 0, p->c.model), fq_table_text(t, 0, p->c.text));
    fq_figure_text(job, "where", p->sources.count == 1 ? where : "several sources, see the key");
    snprintf(note, sizeof note, "%s; bars: 2 SE of the difference to the uncompressed model",
             p->sources.count == 1 || p->sources.notes.count == 0 ? fq_table_text(t, 0, p->c.protocol)
                                                                  : "protocols A, B, ...: see the side file");
    const size_t lines = fq_figure_wrapped(job, "note", note, 60);
    fq_figure_number(job, "height",
                     15.05 + 0.31 * (double)(keys + p->sources.count) + 0.31 * (double)lines + 0.3);
    if (p->sources.count == 1)
        fq_figure_say(job, "%s. Protocol: %s.", where, fq_table_text(t, 0, p->c.protocol));
    for (size_t i = 0; i < p->sources.notes.count; i++)
        fq_figure_say(job, "%s", p->sources.notes.label[i]);
}

static fq_status draw(const fq_figure_job *job, plan *p, fq_curve_point *points) {
    const columns *c = &p->c;
    const size_t x[] = {c->payload, c->stored};
    size_t shown = 0;
    bool others = false;
    for (size_t row = 0; row < p->table->count; row++)
        others = others || (is_measured(p, row) && !is_reference(p, row));
    for (size_t row = 0; row < p->table->count; row++) {
        p->series_of[row] = p->config_of[row] = NONE;
        if (is_measured(p, row) && !(others && is_reference(p, row)))
            FQ_TRY(place(p, row));
    }
    const double edge = write_ranges(job, p, &shown);
    if (shown == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no row with a compression and a perplexity",
                            p->table->name);
    const quantity quantities[] = {{c->perplexity, c->se, -HUGE_VAL, -1.0},
                                   {c->change, c->se, -HUGE_VAL, -1.0},
                                   {c->kl, c->kl_se, edge, -1.0},
                                   {c->agreement, c->agreement_se, -HUGE_VAL, 1.0}};
    for (size_t q = 0; q < sizeof quantities / sizeof quantities[0]; q++)
        for (size_t axis = 0; axis < 2; axis++)
            for (size_t i = 0; i < p->series.count; i++)
                write_series(job, p, i, x[axis], &quantities[q], points);
    write_labels(job, p);
    return FQ_OK;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    fq_curve_point *points = NULL;
    size_t *numbers = NULL;
    FQ_TRY(find(&p.c, t));
    FQ_TRY(fq_sources_find(&p.sources, t, FQ_PERPLEXITY_SOURCES));
    fq_status status = fq_alloc(&numbers, t->count, 4 * sizeof *numbers);
    if (status == FQ_OK)
        status = fq_alloc(&points, t->count, sizeof *points);
    if (status == FQ_OK) {
        p.series_of = numbers;
        p.config_of = numbers + t->count;
        p.kind_of = numbers + 2 * t->count;
        p.source_of = numbers + 3 * t->count;
        status = draw(job, &p, points);
    }
    fq_free(points);
    fq_free(numbers);
    fq_labels_clear(&p.kinds);
    fq_labels_clear(&p.series);
    fq_labels_clear(&p.configs);
    fq_sources_clear(&p.sources);
    return status;
}

const fq_figure fq_figure_perplexity = {
    .name = "perplexity",
    .table = "perplexity",
    .script = "perplexity.gp",
    .shows =
        "Perplexity, its change, the KL divergence from the uncompressed model and the share of positions "
        "with the same most likely token against compression of the KV cache, payload alone (left) and "
        "everything stored counted (right), with bars of 2 "
        "SE over windows paired with the uncompressed model; marks: everything measured; curves: the "
        "best of a kind",
    .feed = feed,
};
