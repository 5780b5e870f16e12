/* Planar codebooks with their cells: table cells. A row of panels for each dimension and N, a column for each
 * recipe (and seed, where there are several). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "series.h"

typedef struct columns {
    size_t dim, codewords, recipe, cell, word_x, word_y, corner_x, corner_y, disc, seed, replicate;
    bool seeds; /* they differ */
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
    c->seed = fq_table_find(t, "seed");
    c->replicate = fq_table_find(t, "replicate");
    return fq_figure_column(&c->disc, t, "disc_radius", FQ_VALUE_REAL);
}

/* Seed and replicate as text; nothing for a table without them. */
static void seed_of(char text[80], const fq_table *t, const columns *c, size_t row) {
    char seed[FQ_TABLE_VALUE_TEXT], replicate[FQ_TABLE_VALUE_TEXT];
    text[0] = '\0';
    if (c->seed == t->column_count)
        return;
    const char *number =
        c->replicate < t->column_count ? fq_table_format(t, row, c->replicate, replicate) : "0";
    snprintf(text, 80, "seed %s%s%s", fq_table_format(t, row, c->seed, seed),
             strcmp(number, "0") != 0 ? "." : "", strcmp(number, "0") != 0 ? number : "");
}

/* Heading of the column of panels a row of the table belongs to, and of its row. */
static void column_of(char text[160], const fq_table *t, const columns *c, size_t row) {
    char seed[80];
    seed_of(seed, t, c, row);
    snprintf(text, 160, "%s%s%s", fq_table_text(t, row, c->recipe), c->seeds ? ", " : "",
             c->seeds ? seed : "");
}

static void row_of(char text[160], const fq_table *t, const columns *c, size_t row) {
    snprintf(text, 160, "d = %lld, N = %lld", (long long)fq_table_integer(t, row, c->dim),
             (long long)fq_table_integer(t, row, c->codewords));
}

static bool same_codebook(const fq_table *t, const columns *c, size_t a, size_t b) {
    char x[160], y[160], seed_x[80], seed_y[80];
    seed_of(seed_x, t, c, a);
    seed_of(seed_y, t, c, b);
    column_of(x, t, c, a);
    column_of(y, t, c, b);
    const bool same = strcmp(x, y) == 0 && strcmp(seed_x, seed_y) == 0;
    row_of(x, t, c, a);
    row_of(y, t, c, b);
    return same && strcmp(x, y) == 0;
}

/* Polygons closed by their first corner, a blank line between them; then the codewords. Returns the row
 * behind the codebook's last. */
static size_t panel(const fq_figure_job *job, const fq_table *t, const columns *c, size_t first) {
    size_t end = first, start = first;
    while (end < t->count && same_codebook(t, c, first, end))
        fq_figure_show(job, end++);
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

static fq_status write_panels(const fq_figure_job *job, const fq_table *t, const columns *c,
                              fq_labels *across, fq_labels *down) {
    char text[160];
    size_t panels = 0;
    for (size_t row = 0; row < t->count; panels++) {
        size_t place;
        column_of(text, t, c, row);
        FQ_TRY(fq_labels_add(across, text, &place));
        fq_figure_number_of(job, "column", panels, (double)place);
        row_of(text, t, c, row);
        FQ_TRY(fq_labels_add(down, text, &place));
        fq_figure_number_of(job, "row", panels, (double)place);
        fq_figure_number_of(job, "disc", panels, fq_table_real(t, row, c->disc));
        row = panel(job, t, c, row);
    }
    for (size_t i = 0; i < across->count; i++)
        fq_figure_text_of(job, "across", i, across->label[i]);
    for (size_t i = 0; i < down->count; i++)
        fq_figure_text_of(job, "down", i, down->label[i]);
    fq_figure_number(job, "panels", (double)panels);
    fq_figure_number(job, "columns", (double)across->count);
    fq_figure_number(job, "height", 1.25 + (8.1 / (double)across->count + 0.1) * (double)down->count);
    return FQ_OK;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    columns c = {.seeds = false};
    fq_labels across = {0}, down = {0};
    char first[80], other[80];
    FQ_TRY(find(&c, t));
    seed_of(first, t, &c, 0);
    for (size_t row = 1; row < t->count; row++) {
        seed_of(other, t, &c, row);
        c.seeds = c.seeds || strcmp(first, other) != 0;
    }
    const fq_status status = write_panels(job, t, &c, &across, &down);
    fq_labels_clear(&across);
    fq_labels_clear(&down);
    return status;
}

const fq_figure fq_figure_cells = {
    .name = "cells",
    .table = "cells",
    .script = "cells.gp",
    .shows =
        "Codebooks at k = 2 with their Voronoi cells inside the disc that holds 99.99 % of the source, a "
        "row for each N, a column for each recipe: before training (initial), the product of scalar "
        "codes, after training",
    .feed = feed,
};
