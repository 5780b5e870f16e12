/* Attention to tokens of some age and older alone: table fidelity, rows that differ by their age. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "fidelity_series.h"
#include "figure.h"
#include "memory.h"

enum { NAME = 3 * FQ_VALUE_TEXT_WIDTH + 480 };

typedef struct plan {
    fq_fidelity_view v;
    size_t age, cosine, se; /* columns */
    fq_labels names;        /* settings: codecs, treatment, source */
    size_t *name_of;        /* [rows] */
} plan;

/* "tq:b=2; first+window (context 1024): 7.1x" */
static fq_status place(plan *p, size_t row) {
    const fq_table *t = p->v.table;
    const char *value = fq_table_text(t, row, p->v.value_codec),
               *treatment = fq_table_text(t, row, p->v.treatment),
               *where = p->v.sources.label[p->v.sources.of_row[row]];
    const bool same = strcmp(value, "same") == 0, none = strcmp(treatment, "none") == 0;
    char name[NAME];
    snprintf(name, sizeof name, "%s%s%s%s%s%s%s%s: %.2fx", fq_table_text(t, row, p->v.codec),
             same ? "" : " / ", same ? "" : value, none ? "" : "; ", none ? "" : treatment,
             where[0] ? " (" : "", where, where[0] ? ")" : "", fq_table_real(t, row, p->v.stored));
    return fq_labels_add(&p->names, name, &p->name_of[row]);
}

/* Whether a setting was measured at two ages or more. */
static bool has_curve(const plan *p, size_t name) {
    int64_t first = -1;
    for (size_t row = 0; row < p->v.table->count; row++) {
        if (!p->v.used[row] || p->name_of[row] != name)
            continue;
        if (first >= 0 && fq_table_integer(p->v.table, row, p->age) != first)
            return true;
        first = fq_table_integer(p->v.table, row, p->age);
    }
    return false;
}

/* A block of age, 1 - cosine, the ends of its 2 SE, by rising age. */
static void write_curve(const fq_figure_job *job, const plan *p, size_t name, fq_range *x, fq_range *y) {
    int64_t last = -1;
    fq_figure_begin_block(job, p->names.label[name]);
    for (;;) {
        size_t next = p->v.table->count;
        for (size_t row = 0; row < p->v.table->count; row++)
            if (p->v.used[row] && p->name_of[row] == name &&
                fq_table_integer(p->v.table, row, p->age) > last &&
                (next == p->v.table->count ||
                 fq_table_integer(p->v.table, row, p->age) < fq_table_integer(p->v.table, next, p->age)))
                next = row;
        if (next == p->v.table->count)
            break;
        last = fq_table_integer(p->v.table, next, p->age);
        const double cosine = fq_table_real(p->v.table, next, p->cosine),
                     error = fq_table_real(p->v.table, next, p->se), se = isnan(error) ? 0.0 : error,
                     loss = fmax(1.0 - cosine, 1e-6);
        if (isnan(cosine))
            continue;
        fq_figure_show(job, next);
        fq_figure_values(
            job, 4, (const double[]){(double)last, loss, fmax(loss - 2.0 * se, 0.3 * loss), loss + 2.0 * se});
        fq_range_add(x, (double)last);
        fq_range_add(y, loss);
        fq_range_add(y, loss + 2.0 * se);
    }
    fq_figure_end_block(job);
}

static size_t write_all(const fq_figure_job *job, const plan *p) {
    fq_range x = FQ_RANGE_EMPTY, y = FQ_RANGE_EMPTY;
    const size_t first = p->v.sources.first[0];
    size_t keys = 0, curves = 0;
    char where[320];
    for (size_t name = 0; name < p->names.count; name++) {
        if (!has_curve(p, name))
            continue;
        write_curve(job, p, name, &x, &y);
        fq_figure_series_style(job, curves);
        fq_figure_key(job, &keys, curves++, p->names.label[name]);
    }
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "series", (double)curves);
    fq_figure_range(job, "x", x, 0.05, true);
    fq_figure_range(job, "y", y, 0.05, true);
    fq_figure_number(job, "height", 7.9 + 0.31 * (double)keys);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(p->v.table, first, p->v.model),
             fq_table_text(p->v.table, first, p->v.text));
    fq_figure_text(job, "where", where);
    fq_figure_say(job, "%s. Protocol: %s.", where, fq_table_text(p->v.table, first, p->v.protocol));
    return curves;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.age = 0};
    fq_status status = fq_figure_column(&p.age, t, "age", FQ_VALUE_INTEGER);
    if (status == FQ_OK)
        status = fq_figure_column(&p.cosine, t, "attention_cosine_old", FQ_VALUE_REAL);
    if (status == FQ_OK)
        status = fq_figure_column(&p.se, t, "attention_cosine_old_se", FQ_VALUE_REAL);
    if (status == FQ_OK)
        status = fq_fidelity_view_of(&p.v, t);
    if (status == FQ_OK)
        status = fq_alloc_zero(&p.name_of, t->count, sizeof *p.name_of);
    for (size_t row = 0; status == FQ_OK && row < t->count; row++)
        if (p.v.used[row])
            status = place(&p, row);
    if (status == FQ_OK && write_all(job, &p) == 0)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no setting measured at two ages", t->name);
    fq_labels_clear(&p.names);
    fq_free(p.name_of);
    fq_fidelity_view_clear(&p.v);
    return status;
}

const fq_figure fq_figure_distance = {
    .name = "distance",
    .table = "fidelity",
    .script = "distance.gp",
    .shows =
        "Attention-output cosine of attention restricted to tokens of some age and older, weights summing to "
        "one, against that age, on logarithmic scales of age and of 1 - cosine; bars: 2 SE; behind a name "
        "how "
        "many times less is stored",
    .feed = feed,
};
