/* Planar codebooks with their cells: table cells. */
#include <stdio.h>
#include <string.h>

#include "figure.h"

typedef struct columns {
    size_t dim, codewords, recipe, cell, word_x, word_y, corner_x, corner_y, disc;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->codewords, t, "codewords", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->recipe, t, "recipe", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->cell, t, "cell", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->word_x, t, "word_x", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->word_y, t, "word_y", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->corner_x, t, "corner_x", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->corner_y, t, "corner_y", FQ_VALUE_REAL));
    return fq_figure_column(&c->disc, t, "disc_radius", FQ_VALUE_REAL);
}

static bool same_codebook(const fq_table *t, const columns *c, size_t a, size_t b) {
    return fq_table_integer(t, a, c->dim) == fq_table_integer(t, b, c->dim) &&
           fq_table_integer(t, a, c->codewords) == fq_table_integer(t, b, c->codewords) &&
           strcmp(fq_table_text(t, a, c->recipe), fq_table_text(t, b, c->recipe)) == 0;
}

/* Polygons closed by their first corner, a blank line between them; then the codewords. */
static size_t panel(const fq_figure_job *job, const fq_table *t, const columns *c, size_t first) {
    size_t end = first, start = first;
    while (end < t->count && same_codebook(t, c, first, end))
        end++;
    for (size_t row = first; row < end; row++) {
        fq_figure_values(
            job, 2, (const double[]){fq_table_real(t, row, c->corner_x), fq_table_real(t, row, c->corner_y)});
        if (row + 1 < end && fq_table_integer(t, row + 1, c->cell) == fq_table_integer(t, start, c->cell))
            continue;
        fq_figure_values(
            job, 2,
            (const double[]){fq_table_real(t, start, c->corner_x), fq_table_real(t, start, c->corner_y)});
        fputc('\n', job->data);
        start = row + 1;
    }
    fputc('\n', job->data);
    for (size_t row = first; row < end; row++)
        if (row == first || fq_table_integer(t, row, c->cell) != fq_table_integer(t, row - 1, c->cell))
            fq_figure_values(
                job, 2, (const double[]){fq_table_real(t, row, c->word_x), fq_table_real(t, row, c->word_y)});
    fq_figure_end_block(job);
    return end;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    columns c;
    FQ_TRY(find(&c, t));
    int panels = 0;
    for (size_t row = 0; row < t->count; panels++) {
        char name[32], title[96];
        snprintf(name, sizeof name, "title%d", panels);
        snprintf(title, sizeof title, "d = %lld, N = %lld, %s", (long long)fq_table_integer(t, row, c.dim),
                 (long long)fq_table_integer(t, row, c.codewords), fq_table_text(t, row, c.recipe));
        fq_figure_text(job, name, title);
        if (panels == 0)
            fq_figure_number(job, "disc", fq_table_real(t, row, c.disc));
        row = panel(job, t, &c, row);
    }
    fq_figure_number(job, "panels", panels);
    return FQ_OK;
}

const fq_figure fq_figure_cells = {
    .name = "cells",
    .table = "cells",
    .script = "cells.gp",
    .shows = "Codebooks at k = 2 with their Voronoi cells, before and after training",
    .feed = feed,
};
