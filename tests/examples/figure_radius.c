/* How to add a figure: this file with radius.gp in plots, and the line FQ_FIGURE(radius, figure_radius) in
 * plots/figures.def. It shows the table that experiment_radius.c writes. */
#include "figure.h"

static fq_status feed(const fq_figure_job *job, const fq_table *table) {
    size_t block, mean, se, exact;
    FQ_TRY(fq_figure_column(&block, table, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&mean, table, "mean", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&se, table, "mean_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&exact, table, "exact", FQ_VALUE_REAL));
    fq_figure_begin_block(job, "measured");
    for (size_t row = 0; row < table->count; row++)
        fq_figure_values(job, 4,
                         (const double[]){(double)fq_table_integer(table, row, block),
                                          fq_table_real(table, row, mean), fq_table_real(table, row, se),
                                          fq_table_real(table, row, exact)});
    fq_figure_end_block(job);
    return FQ_OK;
}

const fq_figure fq_figure_radius = {
    .name = "radius",
    .table = "radius",
    .script = "radius.gp",
    .shows = "Mean squared radius of a block, measured and exact",
    .feed = feed,
};
