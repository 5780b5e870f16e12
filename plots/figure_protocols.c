/* One code's fidelity by the protocol that it is measured under: table fidelity. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

/* A cosine nearer to 1 than this is 1: the scale has no place for it but its edge. */
#define EXACT 1e-6

enum { LINE_NAME = 400 };

typedef struct columns {
    size_t codec, value_codec, treatment, query, mask, outputs, average, cache;
    size_t payload, cosine, se, model, text;
} columns;

typedef struct plan {
    const fq_table *table;
    columns c;
    bool *used;                /* [rows] */
    fq_labels lines, codecs;   /* protocols, and codecs with their compression */
    size_t *line_of, *code_of; /* [rows] */
    size_t *order;             /* [lines]: which stands where, from above */
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->query, t, "query", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->mask, t, "mask", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->outputs, t, "outputs", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->average, t, "average", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->cache, t, "cache_sha256", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->payload, t, "compression_payload", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->cosine, t, "attention_cosine", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "attention_cosine_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT);
}

static bool same(const plan *p, size_t a, size_t b, size_t column) {
    return strcmp(fq_table_text(p->table, a, column), fq_table_text(p->table, b, column)) == 0;
}

static bool same_protocol(const plan *p, size_t a, size_t b) {
    return same(p, a, b, p->c.query) && same(p, a, b, p->c.mask) && same(p, a, b, p->c.outputs) &&
           same(p, a, b, p->c.average);
}

/* A row is shown if its codes on its cache were measured under another protocol, too; or are under this one
 * with another treatment, as the values' mean kept apart is no other code. */
static bool is_used(const plan *p, size_t row) {
    if (!isfinite(fq_table_real(p->table, row, p->c.cosine)) ||
        strcmp(fq_table_text(p->table, row, p->c.value_codec), "same") != 0)
        return false;
    for (size_t other = 0; other < p->table->count; other++)
        if (!same_protocol(p, row, other) && same(p, row, other, p->c.codec) &&
            same(p, row, other, p->c.value_codec) && same(p, row, other, p->c.treatment) &&
            same(p, row, other, p->c.cache))
            return true;
    return false;
}

/* "standard normal queries, all tokens; mean:of=values" */
static void describe(char line[LINE_NAME], const plan *p, size_t row) {
    static const struct {
        const char *query, *words;
    } kinds[] = {{"model", "the model's queries"},
                 {"last", "the last query alone"},
                 {"normal_unit", "standard normal queries"},
                 {"normal_scale", "normal queries as long as the model's"},
                 {"normal_key_scale", "normal queries as long as keys"}};
    const fq_table *t = p->table;
    const char *query = fq_table_text(t, row, p->c.query), *words = query,
               *treatment = fq_table_text(t, row, p->c.treatment);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].query, query) == 0)
            words = kinds[i].words;
    const bool plain = strcmp(treatment, "none") == 0;
    snprintf(line, LINE_NAME, "%s%s%s%s%s%s", words,
             strcmp(fq_table_text(t, row, p->c.mask), "causal") == 0 ? "" : ", all tokens",
             strcmp(fq_table_text(t, row, p->c.outputs), "heads") == 0 ? "" : ", heads as one vector",
             strcmp(fq_table_text(t, row, p->c.average), "cosines") == 0 ? "" : ", queries as one vector",
             plain ? "" : "; ", plain ? "" : treatment);
}

static fq_status place(plan *p, size_t row) {
    char line[LINE_NAME], code[FQ_CODEC_LABEL_MAX], name[FQ_CODEC_LABEL_MAX + 40];
    describe(line, p, row);
    fq_codec_label(code, fq_table_text(p->table, row, p->c.codec), "");
    snprintf(name, sizeof name, "%s (%.3gx)", code, fq_table_real(p->table, row, p->c.payload));
    FQ_TRY(fq_labels_add(&p->lines, line, &p->line_of[row]));
    return fq_labels_add(&p->codecs, name, &p->code_of[row]);
}

/* What a line is sorted by: the cosine at its strongest compression. */
static double key_of(const plan *p, size_t line) {
    double most = 0.0, cosine = -2.0;
    for (size_t row = 0; row < p->table->count; row++)
        if (p->used[row] && p->line_of[row] == line && fq_table_real(p->table, row, p->c.payload) > most) {
            most = fq_table_real(p->table, row, p->c.payload);
            cosine = fq_table_real(p->table, row, p->c.cosine);
        }
    return cosine;
}

/* The harshest protocol first. */
static void sort_lines(plan *p) {
    for (size_t i = 0; i < p->lines.count; i++) {
        size_t at = i;
        for (; at > 0 && key_of(p, p->order[at - 1]) > key_of(p, i); at--)
            p->order[at] = p->order[at - 1];
        p->order[at] = i;
    }
}

/* A block a code: 1 - cosine, the ends of its 2 SE, the place of the protocol. */
static void write_code(const fq_figure_job *job, const plan *p, size_t code, fq_range *x) {
    fq_figure_begin_block(job, p->codecs.label[code]);
    for (size_t at = 0; at < p->lines.count; at++)
        for (size_t row = 0; row < p->table->count; row++) {
            if (!p->used[row] || p->code_of[row] != code || p->line_of[row] != p->order[at])
                continue;
            const double loss = fmax(1.0 - fq_table_real(p->table, row, p->c.cosine), EXACT),
                         error = fq_table_real(p->table, row, p->c.se), se = isnan(error) ? 0.0 : error;
            fq_figure_values(
                job, 4,
                (const double[]){loss, fmax(loss - 2.0 * se, 0.5 * loss), loss + 2.0 * se, -(double)at});
            fq_range_add(x, loss);
            fq_range_add(x, loss + 2.0 * se);
            fq_figure_show(job, row);
        }
    fq_figure_end_block(job);
}

static void write_all(const fq_figure_job *job, plan *p, size_t first) {
    fq_range x = FQ_RANGE_EMPTY;
    size_t keys = 0;
    char where[320];
    fq_range_add(&x, 0.01); /* the paper's two cosines */
    fq_range_add(&x, 0.05);
    for (size_t code = 0; code < p->codecs.count; code++) {
        write_code(job, p, code, &x);
        fq_figure_series_style(job, code);
        fq_figure_key(job, &keys, code, p->codecs.label[code]);
    }
    for (size_t at = 0; at < p->lines.count; at++)
        fq_figure_text_of(job, "line", at, p->lines.label[p->order[at]]);
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "series", (double)p->codecs.count);
    fq_figure_number(job, "lines", (double)p->lines.count);
    fq_figure_range(job, "x", x, 0.04, true);
    fq_figure_number(job, "key_top", 1.9 + 0.62 * (double)p->lines.count);
    fq_figure_number(job, "height", 2.1 + 0.62 * (double)p->lines.count + 0.31 * (double)keys);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(p->table, first, p->c.model),
             fq_table_text(p->table, first, p->c.text));
    fq_figure_text(job, "where", where);
    fq_figure_say(job, "%s.", where);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    FQ_TRY(find(&p.c, t));
    size_t *numbers = NULL, first = t->count;
    fq_status status = fq_alloc(&p.used, t->count, sizeof *p.used);
    if (status == FQ_OK)
        status = fq_alloc_zero(&numbers, t->count, 3 * sizeof *numbers);
    p.line_of = numbers;
    for (size_t row = 0; status == FQ_OK && row < t->count; row++) {
        p.code_of = numbers + t->count;
        p.order = numbers + 2 * t->count;
        p.used[row] = is_used(&p, row);
        if (p.used[row]) {
            first = first == t->count ? row : first;
            status = place(&p, row);
        }
    }
    if (status == FQ_OK && first == t->count)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no code under two protocols", t->name);
    if (status == FQ_OK) {
        sort_lines(&p);
        write_all(job, &p, first);
    }
    fq_labels_clear(&p.lines);
    fq_labels_clear(&p.codecs);
    fq_free(numbers);
    fq_free(p.used);
    return status;
}

const fq_figure fq_figure_protocols = {
    .name = "protocols",
    .table = "fidelity",
    .script = "protocols.gp",
    .shows =
        "Attention-output cosine of the same codes of one cache by the protocol of the comparison, on a "
        "logarithmic scale of 1 - cosine, with bars of 2 SE; queries are causal and cosines are of a query "
        "head's output, averaged over queries, unless a line says otherwise; broken lines: the cosines that "
        "the paper claims at 5x and at 34x",
    .feed = feed,
};
