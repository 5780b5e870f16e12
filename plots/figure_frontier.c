/* The memory-fidelity frontier: table fidelity. Left payload compression, right everything counted. */
#include <math.h>
#include <stdio.h>

#include "failure.h"
#include "fidelity_series.h"
#include "figure.h"
#include "memory.h"
#include "pareto.h"

enum { AXES = 2 };

/* Less of a gain in compression than 3 % is no reason for a curve to go down. */
#define SLACK 0.03

static void write_points(const fq_figure_job *job, const fq_curve_point *points, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const double loss = 1.0 - points[i].y, se = isnan(points[i].se) ? 0.0 : points[i].se;
        if (loss > 0.0)
            fq_figure_values(
                job, 4,
                (const double[]){points[i].x, loss, fmax(loss - 2.0 * se, loss * 0.1), loss + 2.0 * se});
    }
}

/* Two blocks: all points of a series, and what no other of them beats. */
static void write_series(const fq_figure_job *job, const fq_fidelity_view *v, int series, size_t compression,
                         fq_curve_point *points) {
    size_t n = 0;
    for (size_t row = 0; row < v->table->count; row++)
        if ((int)fq_fidelity_series(v, row) == series)
            points[n++] = (fq_curve_point){fq_table_real(v->table, row, compression),
                                           fq_table_real(v->table, row, v->cosine),
                                           fq_table_real(v->table, row, v->se)};
    fq_figure_begin_block(job, fq_series_title(series));
    for (size_t i = 0; i < n; i++)
        write_points(job, points + i, 1);
    fq_figure_end_block(job);
    fq_figure_begin_block(job, fq_series_title(series));
    write_points(job, points, fq_pareto(points, n, SLACK));
    fq_figure_end_block(job);
}

/* Whether a series has a point that can be drawn. */
static bool shows(const fq_fidelity_view *v, int series) {
    for (size_t row = 0; row < v->table->count; row++)
        if ((int)fq_fidelity_series(v, row) == series && fq_table_real(v->table, row, v->cosine) < 1.0)
            return true;
    return false;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    fq_fidelity_view v;
    fq_curve_point *points = NULL;
    int shown[FQ_SERIES_COUNT], count = 0;
    char name[24];
    FQ_TRY(fq_fidelity_view_of(&v, t));
    FQ_TRY(fq_alloc(&points, t->count, sizeof *points));
    for (int series = 0; series < FQ_SERIES_COUNT; series++)
        if (shows(&v, series))
            shown[count++] = series;
    for (int axis = 0; axis < AXES; axis++)
        for (int i = 0; i < count; i++)
            write_series(job, &v, shown[i], axis == 0 ? v.payload : v.stored, points);
    fq_free(points);
    if (count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no row of a codec that the frontier shows", t->name);
    fq_figure_number(job, "series", count);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "style%d", i);
        fq_figure_number(job, name, shown[i] + 1);
    }
    fq_figure_text(job, "model", fq_table_text(t, 0, v.model));
    fq_figure_text(job, "text", fq_table_text(t, 0, v.text));
    fq_figure_text(job, "protocol", fq_table_text(t, 0, v.protocol));
    return FQ_OK;
}

const fq_figure fq_figure_frontier = {
    .name = "frontier",
    .table = "fidelity",
    .script = "frontier.gp",
    .shows = "Attention-output cosine against compression of the KV cache, payload alone and everything "
             "counted: the "
             "best points of TurboQuant, of FibQuant by training recipe, and of what goes beyond the paper, "
             "with the "
             "paper's headline points",
    .feed = feed,
};
