/* Recall of what stands far back in a compressed cache: table key-recall. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "metrics.h"
#include "series.h"

enum { NAME = 3 * FQ_VALUE_TEXT_WIDTH + 40 };

typedef struct columns {
    size_t codec, value_codec, treatment, length, trial, needle, depth, loss, loss_reference, recalled;
    size_t recalled_reference, stored, model, text;
} columns;

typedef struct plan {
    const fq_table *table;
    columns c;
    fq_labels lengths, series;     /* lengths as texts; settings */
    size_t *length_of, *series_of; /* [rows] */
    size_t trials, needles;        /* one more than the largest number */
    double *value;                 /* [trials] to work in */
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->length, t, "length", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->trial, t, "trial", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->needle, t, "needle", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->depth, t, "depth", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->loss, t, "loss", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->loss_reference, t, "loss_reference", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->recalled, t, "recalled", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->recalled_reference, t, "recalled_reference", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->stored, t, "compression_stored", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT);
}

/* "tq:b=2", "fib:k=4,N=256 / tq:b=2; mean+window" */
static fq_status place(plan *p, size_t row) {
    const fq_table *t = p->table;
    const char *value = fq_table_text(t, row, p->c.value_codec),
               *treatment = fq_table_text(t, row, p->c.treatment);
    const bool same = strcmp(value, "same") == 0, none = strcmp(treatment, "none") == 0;
    const int64_t trial = fq_table_integer(t, row, p->c.trial),
                  needle = fq_table_integer(t, row, p->c.needle);
    char name[NAME], length[FQ_TABLE_VALUE_TEXT];
    snprintf(name, sizeof name, "%s%s%s%s%s", fq_table_text(t, row, p->c.codec), same ? "" : " / ",
             same ? "" : value, none ? "" : "; ", none ? "" : treatment);
    FQ_TRY(fq_labels_add(&p->series, name, &p->series_of[row]));
    if (trial < 0 || trial >= (int64_t)t->count || needle < 0 || needle >= (int64_t)t->count)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: trial or needle of row %zu is out of range", t->name,
                            row);
    p->trials = (size_t)trial + 1 > p->trials ? (size_t)trial + 1 : p->trials;
    p->needles = (size_t)needle + 1 > p->needles ? (size_t)needle + 1 : p->needles;
    return fq_labels_add(&p->lengths, fq_table_format(t, row, p->c.length, length), &p->length_of[row]);
}

/* Means over needles of each trial of a setting at a length, into p->value; of a needle alone where it is
 * below the number of needles. column, less what minus holds where it is no SIZE_MAX. Returns the trials. */
static size_t by_trial(const plan *p, size_t series, size_t length, size_t needle, size_t column,
                       size_t minus) {
    size_t n = 0;
    for (size_t trial = 0; trial < p->trials; trial++) {
        double sum = 0.0;
        size_t count = 0;
        for (size_t row = 0; row < p->table->count; row++) {
            if (p->series_of[row] != series || p->length_of[row] != length ||
                (size_t)fq_table_integer(p->table, row, p->c.trial) != trial ||
                (needle < p->needles && (size_t)fq_table_integer(p->table, row, p->c.needle) != needle))
                continue;
            sum += fq_table_real(p->table, row, column) -
                   (minus == SIZE_MAX ? 0.0 : fq_table_real(p->table, row, minus));
            count++;
        }
        if (count)
            p->value[n++] = sum / (double)count;
    }
    return n;
}

static double depth_of(const plan *p, size_t length, size_t needle) {
    for (size_t row = 0; row < p->table->count; row++)
        if (p->length_of[row] == length && (size_t)fq_table_integer(p->table, row, p->c.needle) == needle)
            return fq_table_real(p->table, row, p->c.depth);
    return (double)NAN;
}

/* A block of depth, share recalled, its standard error over trials. */
static void write_block(const fq_figure_job *job, const plan *p, size_t series, size_t length, size_t column,
                        const char *title) {
    fq_figure_begin_block(job, title);
    for (size_t needle = 0; needle < p->needles; needle++) {
        const size_t n = by_trial(p, series, length, needle, column, SIZE_MAX);
        if (n == 0)
            continue;
        const fq_estimate e = fq_estimate_of(p->value, n);
        fq_figure_values(job, 3, (const double[]){depth_of(p, length, needle), e.mean, n > 1 ? e.se : 0.0});
    }
    fq_figure_end_block(job);
}

/* Probability, with a fair coin, of at most as many of the rarer side among n throws, both sides counted. */
static double sign_test(size_t a, size_t b) {
    const size_t n = a + b, least = a < b ? a : b;
    double p = 0.0, term = pow(0.5, (double)n);
    for (size_t i = 0; i <= least; i++) {
        p += term;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return fmin(2.0 * p, 1.0);
}

/* What the trials of a setting say, all needles together, beside the uncompressed model. */
static void say_setting(const fq_figure_job *job, const plan *p, size_t series, size_t length) {
    size_t n = by_trial(p, series, length, p->needles, p->c.recalled, SIZE_MAX), worse = 0, better = 0,
           row = 0;
    if (n < 2)
        return;
    const fq_estimate recalled = fq_estimate_of(p->value, n);
    n = by_trial(p, series, length, p->needles, p->c.recalled_reference, SIZE_MAX);
    const fq_estimate reference = fq_estimate_of(p->value, n);
    n = by_trial(p, series, length, p->needles, p->c.loss, p->c.loss_reference);
    const fq_estimate change = fq_estimate_of(p->value, n);
    for (size_t i = 0; i < n; i++) {
        worse += p->value[i] > 0.0;
        better += p->value[i] < 0.0;
    }
    while (p->series_of[row] != series || p->length_of[row] != length)
        row++;
    fq_figure_say(
        job,
        "%s at %s tokens, %.2fx stored: %.3f +- %.3f recalled (uncompressed %.3f +- %.3f), loss %+.3f +- "
        "%.3f nat a token, worse in %zu of %zu contexts, sign test p = %.2g.",
        p->series.label[series], p->lengths.label[length], fq_table_real(p->table, row, p->c.stored),
        recalled.mean, recalled.se, reference.mean, reference.se, change.mean, change.se, worse,
        worse + better, sign_test(worse, better));
}

static void write_all(const fq_figure_job *job, const plan *p) {
    char where[320];
    size_t keys = 0;
    for (size_t length = 0; length < p->lengths.count; length++) {
        size_t any = 0;
        for (size_t row = p->table->count; row-- > 0;)
            any = p->length_of[row] == length ? p->series_of[row] : any;
        write_block(job, p, any, length, p->c.recalled_reference, "uncompressed");
        for (size_t series = 0; series < p->series.count; series++)
            write_block(job, p, series, length, p->c.recalled, p->series.label[series]);
        fq_figure_text_of(job, "length", length, p->lengths.label[length]);
    }
    fq_figure_style(job, 0, 6, 2, 0);
    fq_figure_key(job, &keys, 0, "uncompressed");
    for (size_t series = 0; series < p->series.count; series++) {
        fq_figure_style(job, series + 1, series + (series > 5), series, series);
        fq_figure_key(job, &keys, series + 1, p->series.label[series]);
    }
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "series", (double)p->series.count + 1.0);
    fq_figure_number(job, "panels", (double)p->lengths.count);
    fq_figure_number(job, "key_top", 1.9 + 3.3 * (double)p->lengths.count);
    fq_figure_number(job, "height", 2.1 + 3.3 * (double)p->lengths.count + 0.31 * (double)keys);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(p->table, 0, p->c.model),
             fq_table_text(p->table, 0, p->c.text));
    fq_figure_text(job, "where", where);
    fq_figure_say(job, "%s.", where);
    for (size_t length = 0; length < p->lengths.count; length++)
        for (size_t series = 0; series < p->series.count; series++)
            say_setting(job, p, series, length);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    FQ_TRY(find(&p.c, t));
    fq_status status = fq_alloc(&p.length_of, t->count, sizeof *p.length_of);
    if (status == FQ_OK)
        status = fq_alloc(&p.series_of, t->count, sizeof *p.series_of);
    for (size_t row = 0; status == FQ_OK && row < t->count; row++) {
        status = place(&p, row);
        fq_figure_show(job, row);
    }
    if (status == FQ_OK)
        status = fq_alloc(&p.value, p.trials, sizeof *p.value);
    if (status == FQ_OK)
        write_all(job, &p);
    fq_labels_clear(&p.lengths);
    fq_labels_clear(&p.series);
    fq_free(p.length_of);
    fq_free(p.series_of);
    fq_free(p.value);
    return status;
}

const fq_figure fq_figure_key_recall = {
    .name = "key_recall",
    .table = "key-recall",
    .script = "key_recall.gp",
    .shows = "Share of an answer's tokens that a model with a compressed KV cache recalls, by where key and "
             "answer "
             "stand in a context of other text, a panel a length; bars: 2 SE over contexts",
    .feed = feed,
};
