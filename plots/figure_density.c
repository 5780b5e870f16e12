/* Radial densities beside sampled histograms: table source-law. Each panel holds one dimension and all its k,
 * or one k and all its dimensions. */
#include <math.h>
#include <stdio.h>

#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

typedef struct columns {
    size_t dim, block, radius, density, histogram, histogram_se, point;
} columns;

/* Number of the point a row belongs to: the curves. */
typedef struct plan {
    const fq_table *table;
    columns c;
    fq_labels points;
    size_t *of_row, *first; /* [rows], [points] */
    bool *done;             /* [points] */
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->radius, t, "radius", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->density, t, "density", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->histogram, t, "histogram", FQ_VALUE_REAL));
    c->point = fq_table_find(t, "point");
    return fq_figure_column(&c->histogram_se, t, "histogram_se", FQ_VALUE_REAL);
}

static int64_t value_of(const plan *p, size_t point, bool by_dim) {
    return fq_table_integer(p->table, p->first[point], by_dim ? p->c.dim : p->c.block);
}

/* How many points not yet drawn have this dimension (or block). */
static size_t not_drawn(const plan *p, bool by_dim, int64_t value) {
    size_t n = 0;
    for (size_t i = 0; i < p->points.count; i++)
        n += !p->done[i] && value_of(p, i, by_dim) == value;
    return n;
}

static void write_point(const fq_figure_job *job, const plan *p, size_t point, const char *title, fq_range *x,
                        fq_range *y) {
    fq_figure_begin_block(job, title);
    for (size_t row = 0; row < p->table->count; row++) {
        if (p->of_row[row] != point)
            continue;
        const double values[] = {
            fq_table_real(p->table, row, p->c.radius), fq_table_real(p->table, row, p->c.density),
            fq_table_real(p->table, row, p->c.histogram), fq_table_real(p->table, row, p->c.histogram_se)};
        fq_figure_values(job, 4, values);
        fq_range_add(x, values[0]);
        fq_range_add(y, values[1]);
        fq_range_add(y, values[2]);
        fq_figure_show(job, row);
    }
    fq_figure_end_block(job);
}

/* The next point with this dimension (or block): the one with the least other number at or above the last
 * one's, the points in order where it is the same. Returns their number if there is none. */
static size_t next_point(const plan *p, bool by_dim, int64_t value, size_t last) {
    size_t next = p->points.count;
    for (size_t i = 0; i < p->points.count; i++) {
        const int64_t other = value_of(p, i, !by_dim);
        const bool after = last == p->points.count || other > value_of(p, last, !by_dim) ||
                           (other == value_of(p, last, !by_dim) && i > last);
        if (value_of(p, i, by_dim) == value && after &&
            (next == p->points.count || other < value_of(p, next, !by_dim)))
            next = i;
    }
    return next;
}

/* A panel of all points with this dimension (or block): curves of equal label share a style. */
static fq_status write_panel(const fq_figure_job *job, plan *p, size_t panel, bool by_dim, int64_t value,
                             size_t *curves) {
    fq_range x = FQ_RANGE_EMPTY, y = FQ_RANGE_EMPTY;
    fq_labels labels = {0};
    fq_status status = FQ_OK;
    char title[48];
    fq_figure_number_of(job, "first", panel, (double)*curves);
    for (size_t i = next_point(p, by_dim, value, p->points.count); i < p->points.count && status == FQ_OK;
         i = next_point(p, by_dim, value, i)) {
        const size_t before = labels.count;
        size_t number;
        snprintf(title, sizeof title, by_dim ? "k = %lld" : "d = %lld", (long long)value_of(p, i, !by_dim));
        status = fq_labels_add(&labels, title, &number);
        fq_figure_text_of(job, "label", *curves, labels.count > before ? title : "");
        fq_figure_number_of(job, "style", *curves, (double)(FQ_STYLE_FIRST + number));
        fq_figure_series_style(job, number);
        write_point(job, p, i, title, &x, &y);
        p->done[i] = true;
        ++*curves;
    }
    fq_figure_number_of(job, "last", panel, (double)*curves - 1.0);
    snprintf(title, sizeof title, by_dim ? "d = %lld" : "k = %lld", (long long)value);
    fq_figure_text_of(job, "title", panel, title);
    fq_figure_number_of(job, "x_high", panel, x.high > 0.0 ? 1.02 * x.high : 1.0);
    fq_figure_number_of(job, "y_high", panel, y.high > 0.0 ? 1.08 * y.high : 1.0);
    fq_labels_clear(&labels);
    return status;
}

/* Always the dimension or block with the most points that no panel has; of equally good ones the first. */
static fq_status write_panels(const fq_figure_job *job, plan *p) {
    size_t curves = 0, panels = 0;
    for (;; panels++) {
        size_t most = 0;
        bool by_dim = true;
        int64_t value = 0;
        for (size_t i = 0; i < p->points.count; i++)
            for (int way = 0; way < 2; way++) {
                const size_t n = not_drawn(p, way == 0, value_of(p, i, way == 0));
                if (n > most) {
                    most = n;
                    by_dim = way == 0;
                    value = value_of(p, i, by_dim);
                }
            }
        if (most == 0)
            break;
        FQ_TRY(write_panel(job, p, panels, by_dim, value, &curves));
    }
    fq_figure_number(job, "panels", (double)panels);
    fq_figure_number(job, "height", 0.8 + 4.9 * (double)panels + 0.3);
    return FQ_OK;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    size_t *numbers = NULL;
    FQ_TRY(find(&p.c, t));
    FQ_TRY(fq_alloc(&numbers, t->count, 2 * sizeof *numbers));
    fq_status status = fq_alloc_zero(&p.done, t->count, sizeof *p.done);
    p.of_row = numbers;
    p.first = numbers + t->count;
    for (size_t row = 0; row < t->count && status == FQ_OK; row++) {
        const size_t before = p.points.count;
        char name[160], id[FQ_TABLE_VALUE_TEXT];
        snprintf(name, sizeof name, "%lld %lld %.100s", (long long)fq_table_integer(t, row, p.c.dim),
                 (long long)fq_table_integer(t, row, p.c.block),
                 p.c.point < t->column_count ? fq_table_format(t, row, p.c.point, id) : "");
        status = fq_labels_add(&p.points, name, &p.of_row[row]);
        if (status == FQ_OK && p.points.count > before)
            p.first[before] = row;
    }
    if (status == FQ_OK)
        status = write_panels(job, &p);
    fq_labels_clear(&p.points);
    fq_free(p.done);
    fq_free(numbers);
    return status;
}

const fq_figure fq_figure_density = {
    .name = "density",
    .table = "source-law",
    .script = "density.gp",
    .shows = "The density of a block's radius R = |X| under f_{d,k} (lines) and histograms of drawn samples "
             "(marks, with bars of 2 SE)",
    .feed = feed,
};
