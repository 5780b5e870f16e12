/* Codebooks at k = 2 with their Voronoi cells: one row a corner of a cell, for drawing. */
#include "experiment.h"
#include "planar_cells.h"
#include "source.h"

static const fq_parameter parameters[] = {{.name = "dim",
                                           .type = FQ_PARAMETER_INTEGER,
                                           .least = 3,
                                           .most = FQ_DIM_MAX,
                                           .description = "vector dimension d"},
                                          {.name = "codewords",
                                           .type = FQ_PARAMETER_INTEGER,
                                           .least = 1,
                                           .most = 4096,
                                           .description = "codewords N"},
                                          {.name = "recipe",
                                           .type = FQ_PARAMETER_TEXT,
                                           .allowed = "population|paper|initial|product|shell|lattice",
                                           .fallback = "population",
                                           .description = "how the codebook is made"},
                                          {0}};

static const fq_value_column columns[] = {
    {.name = "cell", .type = FQ_VALUE_INTEGER, .units = "1", .description = "index of the codeword"},
    {.name = "word_x", .type = FQ_VALUE_REAL, .units = "1", .description = "the codeword"},
    {.name = "word_y", .type = FQ_VALUE_REAL, .units = "1", .description = "the codeword"},
    {.name = "corner_x",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "a corner of its cell, counter-clockwise"},
    {.name = "corner_y",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "a corner of its cell, counter-clockwise"},
    {.name = "disc_radius",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "cells are cut to this disc: the 0.9999 quantile of the radius"},
    {0}};

static fq_status add_cell(fq_rows *rows, const fq_codebook *codebook, size_t which, double radius) {
    fq_planar_cell cell;
    FQ_TRY(fq_planar_cell_make(&cell, codebook->words, codebook->codewords, which, radius));
    fq_status status = FQ_OK;
    for (size_t i = 0; i < cell.corners && status == FQ_OK; i++) {
        status = fq_rows_add(rows);
        if (status != FQ_OK)
            break;
        fq_rows_integer(rows, "cell", (int64_t)which);
        fq_rows_real(rows, "word_x", (double)codebook->words[2 * which]);
        fq_rows_real(rows, "word_y", (double)codebook->words[2 * which + 1]);
        fq_rows_real(rows, "corner_x", cell.corner[i][0]);
        fq_rows_real(rows, "corner_y", cell.corner[i][1]);
        fq_rows_real(rows, "disc_radius", radius);
    }
    fq_planar_cell_clear(&cell);
    return status;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    const size_t dim = fq_point_size(point, "dim");
    fq_recipe recipe;
    FQ_TRY(fq_recipe_parse(&recipe, fq_point_text(point, "recipe")));
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, 2));
    const fq_codebook *codebook = NULL;
    const fq_train_options training = {.dim = dim,
                                       .block = 2,
                                       .codewords = fq_point_size(point, "codewords"),
                                       .recipe = recipe,
                                       .seed = fq_point_seed(point)};
    FQ_TRY(fq_resources_codebook(resources, &codebook, &training));
    const double radius = fq_source_radial_quantile(&source, 0.9999);
    for (size_t which = 0; which < codebook->codewords; which++)
        FQ_TRY(add_cell(rows, codebook, which, radius));
    return FQ_OK;
}

static fq_point_cost cost(const fq_point *point) {
    fq_point_cost cost = {.seconds = 0.1, .memory_bytes = 1e7, .training_count = 1};
    fq_recipe recipe = FQ_RECIPE_POPULATION;
    if (fq_recipe_parse(&recipe, fq_point_text(point, "recipe")) == FQ_OK)
        cost.training[0] = (fq_train_options){.dim = fq_point_size(point, "dim"),
                                              .block = 2,
                                              .codewords = fq_point_size(point, "codewords"),
                                              .recipe = recipe,
                                              .seed = fq_point_seed(point)};
    return cost;
}

const fq_experiment fq_experiment_cells = {
    .name = "cells",
    .summary = "codebooks at k = 2 with their Voronoi cells",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .cost = cost,
    .run = run,
};
