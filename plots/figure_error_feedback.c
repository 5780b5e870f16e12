/* Convergence of distributed methods that send codes, against rounds and against bits: table error-feedback.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

typedef struct columns {
    size_t point, problem, method, compressor, workers, dim, kappa, noise, round, bits, gradient, gradient_se,
        late, late_se, step;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->point, t, "point", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->problem, t, "problem", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->method, t, "method", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->compressor, t, "compressor", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->workers, t, "workers", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->kappa, t, "kappa", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->noise, t, "noise", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->round, t, "round", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->bits, t, "bits", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->gradient, t, "gradient", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->gradient_se, t, "gradient_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->late, t, "late_gradient", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->late_se, t, "late_gradient_se", FQ_VALUE_REAL));
    return fq_figure_column(&c->step, t, "step_size", FQ_VALUE_REAL);
}

/* Rows by what they are: a panel (problem and its settings), a series (method and compressor), and which of
 * the step sizes tried a series shows. */
typedef struct groups {
    fq_labels panels, series;
    size_t *panel, *of_series, *last; /* [rows]; last row of the row's point */
} groups;

static void groups_clear(groups *g) {
    fq_labels_clear(&g->panels);
    fq_labels_clear(&g->series);
    fq_free(g->panel);
    fq_free(g->of_series);
    fq_free(g->last);
}

static bool is_floor(const fq_table *t, const columns *c, size_t row) {
    return strcmp(fq_table_text(t, row, c->problem), "three-points") == 0;
}

static void panel_label(char *text, size_t size, const fq_table *t, const columns *c, size_t row) {
    const char *problem = fq_table_text(t, row, c->problem);
    const double noise = fq_table_real(t, row, c->noise);
    const int used = snprintf(text, size, "%s", problem);
    size_t at = used < 0 ? 0 : (size_t)used;
    if (strcmp(problem, "quadratic") == 0)
        at += (size_t)snprintf(text + at, size - at, ", condition %g", fq_table_real(t, row, c->kappa));
    if (noise > 0.0)
        at += (size_t)snprintf(text + at, size - at, ", noise %g", noise);
    snprintf(text + at, size - at, ", d = %lld, n = %lld", (long long)fq_table_integer(t, row, c->dim),
             (long long)fq_table_integer(t, row, c->workers));
}

static void series_label(char *text, size_t size, const fq_table *t, const columns *c, size_t row) {
    char name[FQ_CODEC_LABEL_MAX];
    fq_codec_label(name, fq_table_text(t, row, c->compressor), NULL);
    snprintf(text, size, "%s, %s", fq_table_text(t, row, c->method), name);
}

static fq_status group_rows(groups *g, const fq_table *t, const columns *c) {
    char text[2 * FQ_CODEC_LABEL_MAX];
    FQ_TRY(fq_alloc(&g->panel, t->count, sizeof *g->panel));
    FQ_TRY(fq_alloc(&g->of_series, t->count, sizeof *g->of_series));
    FQ_TRY(fq_alloc(&g->last, t->count, sizeof *g->last));
    for (size_t row = 0; row < t->count; row++) {
        g->panel[row] = SIZE_MAX;
        if (!is_floor(t, c, row)) {
            panel_label(text, sizeof text, t, c, row);
            FQ_TRY(fq_labels_add(&g->panels, text, &g->panel[row]));
        }
        series_label(text, sizeof text, t, c, row);
        FQ_TRY(fq_labels_add(&g->series, text, &g->of_series[row]));
        g->last[row] = row;
        for (size_t other = 0; other < t->count; other++)
            if (strcmp(fq_table_text(t, row, c->point), fq_table_text(t, other, c->point)) == 0 &&
                fq_table_integer(t, other, c->round) > fq_table_integer(t, g->last[row], c->round))
                g->last[row] = other;
    }
    return FQ_OK;
}

/* The last row of the point that the series shows in the panel: of the step sizes tried the one with the
 * smallest gradient over the later half; SIZE_MAX if the series is not in it. tried: how many. */
static size_t best_point(const groups *g, const fq_table *t, const columns *c, size_t panel, size_t series,
                         size_t *tried) {
    size_t best = SIZE_MAX;
    *tried = 0;
    for (size_t row = 0; row < t->count; row++) {
        if (g->panel[row] != panel || g->of_series[row] != series || g->last[row] != row)
            continue;
        ++*tried;
        const double value = fq_table_real(t, row, c->late);
        if (best == SIZE_MAX || !(fq_table_real(t, best, c->late) <= value))
            best = isnan(value) && best != SIZE_MAX ? best : row;
    }
    return best;
}

/* A block of the point's rows from round 1 on: round, bits, gradient, standard error. */
static void write_point(const fq_figure_job *job, const groups *g, const fq_table *t, const columns *c,
                        size_t last, fq_range ranges[3]) {
    fq_figure_begin_block(job, g->series.label[g->of_series[last]]);
    for (size_t row = 0; row < t->count; row++) {
        const double round = (double)fq_table_integer(t, row, c->round),
                     value = fq_table_real(t, row, c->gradient), bits = fq_table_real(t, row, c->bits);
        if (g->last[row] != last || round < 1.0)
            continue;
        fq_figure_values(job, 4, (const double[]){round, bits, value, fq_table_real(t, row, c->gradient_se)});
        fq_figure_show(job, row);
        if (!(value > 0.0))
            continue;
        fq_range_add(&ranges[0], round);
        fq_range_add(&ranges[1], bits);
        fq_range_add(&ranges[2], value);
    }
    fq_figure_end_block(job);
}

static size_t write_panels(const fq_figure_job *job, const groups *g, const fq_table *t, const columns *c) {
    size_t block = 0;
    char name[32];
    for (size_t panel = 0; panel < g->panels.count; panel++) {
        fq_range ranges[3] = {FQ_RANGE_EMPTY, FQ_RANGE_EMPTY, FQ_RANGE_EMPTY};
        fq_figure_text_of(job, "panel", panel, g->panels.label[panel]);
        fq_figure_number_of(job, "first", panel, (double)block);
        for (size_t series = 0; series < g->series.count; series++) {
            size_t tried;
            const size_t last = best_point(g, t, c, panel, series, &tried);
            if (last == SIZE_MAX)
                continue;
            write_point(job, g, t, c, last, ranges);
            fq_figure_number_of(job, "series_of", block++, (double)series);
            if (tried > 1)
                fq_figure_say(job, "%s, %s: gamma = %.4g, the best of %zu.", g->panels.label[panel],
                              g->series.label[series], fq_table_real(t, last, c->step), tried);
        }
        fq_figure_number_of(job, "behind", panel, (double)block);
        static const char *const axes[] = {"rounds", "bits", "gradient"};
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%s%zu", axes[i], panel);
            fq_figure_range(job, name, ranges[i], 0.04, true);
        }
    }
    return block;
}

/* The stationary gradient on the three points against the step size: a block a series, by rising step. */
static size_t write_floor(const fq_figure_job *job, const groups *g, const fq_table *t, const columns *c,
                          size_t block) {
    fq_range steps = FQ_RANGE_EMPTY, values = FQ_RANGE_EMPTY;
    fq_figure_number(job, "floor_first", (double)block);
    for (size_t series = 0; series < g->series.count; series++) {
        double before = 0.0;
        bool any = false;
        for (;;) {
            size_t next = SIZE_MAX;
            for (size_t row = 0; row < t->count; row++)
                if (is_floor(t, c, row) && g->of_series[row] == series && g->last[row] == row &&
                    fq_table_real(t, row, c->step) > before &&
                    (next == SIZE_MAX || fq_table_real(t, row, c->step) < fq_table_real(t, next, c->step)))
                    next = row;
            if (next == SIZE_MAX)
                break;
            if (!any)
                fq_figure_begin_block(job, g->series.label[series]);
            any = true;
            before = fq_table_real(t, next, c->step);
            const double value = fq_table_real(t, next, c->late);
            fq_figure_values(job, 3, (const double[]){before, value, fq_table_real(t, next, c->late_se)});
            fq_figure_show(job, next);
            fq_range_add(&steps, before);
            fq_range_add(&values, value);
        }
        if (any) {
            fq_figure_end_block(job);
            fq_figure_number_of(job, "series_of", block++, (double)series);
        }
    }
    fq_figure_number(job, "floor_behind", (double)block);
    fq_figure_range(job, "steps", steps, 0.06, true);
    fq_figure_range(job, "floor", values, 0.06, true);
    return block;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    groups g = {0};
    columns c;
    FQ_TRY(find(&c, t));
    const fq_status status = group_rows(&g, t, &c);
    if (status == FQ_OK) {
        const size_t blocks = write_panels(job, &g, t, &c), all = write_floor(job, &g, t, &c, blocks);
        for (size_t i = 0; i < g.series.count; i++) {
            fq_figure_text_of(job, "label", i, g.series.label[i]);
            fq_figure_series_style(job, i);
        }
        const double panels = (double)g.panels.count + (all > blocks ? 1.0 : 0.0);
        fq_figure_number(job, "series", (double)g.series.count);
        fq_figure_number(job, "panels", (double)g.panels.count);
        fq_figure_number(job, "with_floor", all > blocks);
        fq_figure_number(job, "height", 1.0 + 5.2 * panels + 0.31 * (double)g.series.count);
        fq_figure_say(job, "Bits are those one worker has sent.");
        if (all > blocks)
            fq_figure_say(job, "Three points: |grad f|^2 over the later half of the rounds, by step size.");
    }
    groups_clear(&g);
    return status;
}

const fq_figure fq_figure_error_feedback = {
    .name = "error_feedback",
    .table = "error-feedback",
    .script = "error_feedback.gp",
    .shows =
        "Squared norm of the gradient in distributed methods whose workers send compressed vectors, against "
        "rounds on the left and bits on the right; of several step sizes each series shows its best",
    .feed = feed,
};
