/* The memory-fidelity frontier: table fidelity. Above payload compression, below everything counted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "fidelity_series.h"
#include "figure.h"
#include "memory.h"
#include "pareto.h"

enum { AXES = 2 };

/* Less of a gain in compression than 3 % is no reason for a curve to go down. */
#define SLACK 0.03

/* A cosine nearer to 1 than this is 1: the scale has no place for it but its edge. */
#define EXACT 1e-6

/* Neither compressed nor changed: beside other rows only a corner far away. */
static bool is_reference(const fq_fidelity_view *v, size_t row) {
    return fq_table_real(v->table, row, v->payload) <= 1.0 &&
           1.0 - fq_table_real(v->table, row, v->cosine) < EXACT;
}

static bool is_measured(const fq_fidelity_view *v, size_t row) {
    return fq_table_real(v->table, row, v->payload) > 0.0 && fq_table_real(v->table, row, v->stored) > 0.0 &&
           isfinite(fq_table_real(v->table, row, v->cosine));
}

typedef struct plan {
    fq_fidelity_view v;
    bool compressed; /* some row is no reference */
    size_t *shown;   /* [series]: which have a point, */
    size_t count;    /* so many */
    size_t panels;   /* sources with a point */
} plan;

static bool is_point(const plan *p, size_t row) {
    return p->v.used[row] && is_measured(&p->v, row) && !(p->compressed && is_reference(&p->v, row));
}

/* The series that have a point. */
static void choose(plan *p) {
    const fq_fidelity_view *v = &p->v;
    for (size_t row = 0; row < v->table->count; row++)
        p->compressed = p->compressed || (v->used[row] && is_measured(v, row) && !is_reference(v, row));
    for (size_t series = 0; series < v->series.count; series++) {
        bool any = false;
        for (size_t row = 0; row < v->table->count; row++)
            any = any || (v->series_of[row] == series && is_point(p, row));
        if (any)
            p->shown[p->count++] = series;
    }
}

/* Compression, 1 - cosine and the ends of its 2 SE, the lower one within the scale. */
static void write_points(const fq_figure_job *job, const fq_curve_point *points, size_t n, double edge) {
    for (size_t i = 0; i < n; i++) {
        const double loss = fmax(1.0 - points[i].y, edge), se = isnan(points[i].se) ? 0.0 : points[i].se;
        fq_figure_values(job, 4,
                         (const double[]){points[i].x, loss, fmax(loss - 2.0 * se, edge), loss + 2.0 * se});
    }
}

/* Two blocks: all points of a series, and of the means of its configurations those that no other beats. */
static void write_series(const fq_figure_job *job, const plan *p, size_t series, size_t compression,
                         fq_curve_point *points, double edge) {
    const fq_fidelity_view *v = &p->v;
    size_t n = 0, rows;
    fq_figure_begin_block(job, v->series.label[series]);
    for (size_t row = 0; row < v->table->count; row++) {
        if (v->series_of[row] != series || !is_point(p, row))
            continue;
        const fq_curve_point one = {fq_table_real(v->table, row, compression),
                                    fq_table_real(v->table, row, v->cosine),
                                    fq_table_real(v->table, row, v->se)};
        write_points(job, &one, 1, edge);
        if (fq_fidelity_first(v, row)) {
            points[n].x = one.x;
            points[n].y = fq_fidelity_config_cosine(v, v->config_of[row], &points[n].se, &rows);
            n++;
        }
    }
    fq_figure_end_block(job);
    fq_figure_begin_block(job, v->series.label[series]);
    write_points(job, points, fq_pareto(points, n, SLACK), edge);
    fq_figure_end_block(job);
}

/* Marks what is shown, says what is special, and writes ranges. Returns the upper edge of the scale. */
static double write_ranges(const fq_figure_job *job, const plan *p) {
    const fq_fidelity_view *v = &p->v;
    static const double claims[2][2] = {{5.0, 0.01}, {34.0, 0.05}}; /* the paper's, for GPT-2 small */
    fq_range x = FQ_RANGE_EMPTY, y = FQ_RANGE_EMPTY;
    size_t exact = 0, odd = 0, uncompressed = 0, seeds = 1;
    for (size_t row = 0; row < v->table->count; row++) {
        const double loss = 1.0 - fq_table_real(v->table, row, v->cosine);
        size_t rows;
        double se;
        if (!v->used[row])
            continue;
        if (!is_point(p, row)) {
            odd += !is_measured(v, row);
            uncompressed += is_measured(v, row);
            continue;
        }
        fq_figure_show(job, row);
        fq_range_add(&x, fq_table_real(v->table, row, v->payload));
        fq_range_add(&x, fq_table_real(v->table, row, v->stored));
        fq_fidelity_config_cosine(v, v->config_of[row], &se, &rows);
        seeds = rows > seeds ? rows : seeds;
        exact += loss < EXACT;
        if (loss >= EXACT) {
            fq_range_add(&y, loss);
            fq_range_add(&y, loss + 2.0 * (isnan(se) ? 0.0 : se));
        }
    }
    for (size_t i = 0; i < 2; i++) {
        fq_range_add(&x, claims[i][0]);
        fq_range_add(&y, claims[i][1]);
    }
    const double edge = exact ? 0.5 * y.low : 0.0;
    fq_range_add(&y, exact ? edge : y.low / 1.1);
    fq_figure_number(job, "edge", exact ? edge : (double)NAN);
    fq_figure_range(job, "x", x, 0.03, true);
    fq_figure_range(job, "y", y, 0.03, true);
    if (exact)
        fq_figure_say(job, "%zu points have cosine 1 within 10^-6 and stand at the upper edge.", exact);
    if (seeds > 1)
        fq_figure_say(job,
                      "Up to %zu rows differ by their seeds alone: all are marked, curves go through "
                      "their means.",
                      seeds);
    if (uncompressed)
        fq_figure_say(job, "Left out: %zu rows at 1x with cosine 1, the uncompressed reference.",
                      uncompressed);
    if (v->left_out)
        fq_figure_say(job, "Left out: %zu rows of other protocols.", v->left_out);
    if (odd)
        fq_figure_say(job, "Left out: %zu rows without a cosine.", odd);
    return fmax(edge, 0.05 * y.low);
}

/* The number of a kind among those with a point, in the order of their series. */
static size_t kind_number(const plan *p, size_t kind) {
    size_t number = 0;
    for (size_t i = 0; i < p->count && p->v.kind_of[p->shown[i]] != kind; i++) {
        bool is_new = true;
        for (size_t before = 0; before < i; before++)
            is_new = is_new && p->v.kind_of[p->shown[before]] != p->v.kind_of[p->shown[i]];
        number += is_new;
    }
    return number;
}

/* A panel a source, with what tells it from the others, and a style and a line of the key a kind. Returns the
 * key's lines. */
static size_t write_series_labels(const fq_figure_job *job, plan *p) {
    const fq_fidelity_view *v = &p->v;
    size_t lines = 0, kinds = 0;
    fq_figure_number(job, "series", (double)p->count);
    for (size_t i = 0; i < p->count; i++) {
        const size_t kind = kind_number(p, v->kind_of[p->shown[i]]), source = v->source_of[p->shown[i]];
        fq_figure_number_of(job, "panel", i, (double)source);
        fq_figure_number_of(job, "style", i, (double)(FQ_STYLE_FIRST + kind));
        if (kind < kinds)
            continue;
        fq_figure_series_style(job, kinds++);
        fq_figure_key(job, &lines, kind, v->kinds.label[v->kind_of[p->shown[i]]]);
    }
    fq_figure_end_key(job, lines);
    p->panels = v->sources.count;
    fq_figure_number(job, "panels", (double)p->panels);
    for (size_t i = 0; i < p->panels; i++)
        fq_figure_text_of(job, "panel_label", i, v->sources.label[i]);
    return lines;
}

static void write_labels(const fq_figure_job *job, plan *p) {
    const fq_fidelity_view *v = &p->v;
    const size_t first = v->sources.first[0];
    char where[320];
    const size_t keys = write_series_labels(job, p);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(v->table, first, v->model),
             fq_table_text(v->table, first, v->text));
    fq_figure_text(job, "where", v->sources.count == 1 ? where : "a row of panels for each source");
    const char *note = v->sources.count == 1 || v->sources.notes.count == 0
                           ? fq_table_text(v->table, first, v->protocol)
                           : "protocols A, B, ...: see the side file";
    const size_t lines = fq_figure_wrapped(job, "note", note, 60);
    const double top = p->panels > 1 ? 2.2 + 5.2 * (double)p->panels : 11.0;
    fq_figure_number(job, "key_top", top);
    fq_figure_number(job, "height", top + 0.15 + 0.31 * (double)(keys + 1) + 0.31 * (double)lines);
    if (v->sources.count == 1)
        fq_figure_say(job, "%s. Protocol: %s.", where, fq_table_text(v->table, first, v->protocol));
    for (size_t i = 0; i < v->sources.notes.count; i++)
        fq_figure_say(job, "%s", v->sources.notes.label[i]);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.count = 0};
    fq_curve_point *points = NULL;
    FQ_TRY(fq_fidelity_view_of(&p.v, t));
    fq_status status = fq_alloc(&points, t->count, sizeof *points);
    if (status == FQ_OK)
        status = fq_alloc(&p.shown, p.v.series.count, sizeof *p.shown);
    if (status == FQ_OK) {
        choose(&p);
        const double edge = write_ranges(job, &p);
        for (int axis = 0; axis < AXES; axis++)
            for (size_t i = 0; i < p.count; i++)
                write_series(job, &p, p.shown[i], axis == 0 ? p.v.payload : p.v.stored, points, edge);
        write_labels(job, &p);
        if (p.count == 0)
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no row with a compression and a cosine", t->name);
    }
    fq_free(points);
    fq_free(p.shown);
    fq_fidelity_view_clear(&p.v);
    return status;
}

const fq_figure fq_figure_frontier = {
    .name = "frontier",
    .table = "fidelity",
    .script = "frontier.gp",
    .shows = "Attention-output cosine against compression of the KV cache, payload alone and everything "
             "stored counted, on a logarithmic scale of 1 - cosine; small marks: everything measured, with "
             "bars of 2 SE over heads and blocks of positions; curves: the best of a kind; crosses: the "
             "paper's headline points, claimed for GPT-2 small",
    .feed = feed,
};
