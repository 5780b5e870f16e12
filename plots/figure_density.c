/* Radial densities beside sampled histograms: table source-law. */
#include <stdio.h>

#include "figure.h"

typedef struct columns {
    size_t dim, block, radius, density, histogram, histogram_se;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->radius, t, "radius", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->density, t, "density", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->histogram, t, "histogram", FQ_VALUE_REAL));
    return fq_figure_column(&c->histogram_se, t, "histogram_se", FQ_VALUE_REAL);
}

static void block_of(const fq_figure_job *job, const fq_table *t, const columns *c, int64_t dim,
                     int64_t block, const char *title) {
    fq_figure_begin_block(job, title);
    for (size_t row = 0; row < t->count; row++) {
        if (fq_table_integer(t, row, c->dim) != dim || fq_table_integer(t, row, c->block) != block)
            continue;
        const double values[] = {fq_table_real(t, row, c->radius), fq_table_real(t, row, c->density),
                                 fq_table_real(t, row, c->histogram), fq_table_real(t, row, c->histogram_se)};
        fq_figure_values(job, 4, values);
    }
    fq_figure_end_block(job);
}

/* Whether row is the first of its (dim, block). */
static bool first_of_pair(const fq_table *t, const columns *c, size_t row) {
    for (size_t before = 0; before < row; before++)
        if (fq_table_integer(t, before, c->dim) == fq_table_integer(t, row, c->dim) &&
            fq_table_integer(t, before, c->block) == fq_table_integer(t, row, c->block))
            return false;
    return true;
}

/* Left panel: d = 64 and every block; right panel: k = 4 and every dimension. */
static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    enum { DIM = 64, BLOCK = 4 };
    columns c;
    FQ_TRY(find(&c, t));
    int panel_blocks[2] = {0, 0};
    for (int panel = 0; panel < 2; panel++)
        for (size_t row = 0; row < t->count; row++) {
            const int64_t dim = fq_table_integer(t, row, c.dim);
            const int64_t block = fq_table_integer(t, row, c.block);
            if ((panel == 0 ? dim != DIM : block != BLOCK) || !first_of_pair(t, &c, row))
                continue;
            char title[32];
            snprintf(title, sizeof title, panel == 0 ? "k = %lld" : "d = %lld",
                     (long long)(panel == 0 ? block : dim));
            block_of(job, t, &c, dim, block, title);
            panel_blocks[panel]++;
        }
    fq_figure_number(job, "left_blocks", panel_blocks[0]);
    fq_figure_number(job, "right_blocks", panel_blocks[1]);
    return FQ_OK;
}

const fq_figure fq_figure_density = {
    .name = "density",
    .table = "source-law",
    .script = "density.gp",
    .shows = "The density of a block's radius R = |X| under f_{d,k} and histograms of drawn samples",
    .feed = feed,
};
