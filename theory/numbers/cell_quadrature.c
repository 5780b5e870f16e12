#include "cell_quadrature.h"

#include <math.h>

#include <gsl/gsl_integration.h>

enum { NODES = 16 };

/* Of cos^{d-2} s over cos^{d-2} of the start, so that far cells keep their digits. */
static fq_cell_moments unscaled(const gsl_integration_glfixed_table *table, size_t dim, double a, double b) {
    const double from = asin(a), unit = 1 / sqrt((double)dim), to = fmin(asin(b), from + 16 * unit);
    const size_t panels = (size_t)ceil((to - from) / unit);
    const double width = (to - from) / (double)panels, base = log(cos(from));
    fq_cell_moments sum = {0, 0, 0};
    for (size_t p = 0; p < panels; p++)
        for (size_t i = 0; i < NODES; i++) {
            double s, weight;
            const double left = from + (double)p * width;
            gsl_integration_glfixed_point(left, left + width, i, &s, &weight, table);
            const double x = sin(s), f = weight * exp(((double)dim - 2) * (log(cos(s)) - base));
            sum.probability += f;
            sum.first += f * x;
            sum.second += f * x * x;
        }
    return sum;
}

fq_cell_moments fq_cell_by_quadrature(size_t dim, double a, double b) {
    gsl_integration_glfixed_table *const table = gsl_integration_glfixed_table_alloc(NODES);
    if (!table)
        return (fq_cell_moments){(double)NAN, (double)NAN, (double)NAN};
    fq_cell_moments cell = unscaled(table, dim, a, b);
    const double scale =
        exp(((double)dim - 2) * log(cos(asin(a)))) / (2 * unscaled(table, dim, 0, 1).probability);
    gsl_integration_glfixed_table_free(table);
    cell.probability *= scale;
    cell.first *= scale;
    cell.second *= scale;
    return cell;
}

double fq_mean_beyond_by_quadrature(size_t dim, double t) {
    gsl_integration_glfixed_table *const table = gsl_integration_glfixed_table_alloc(NODES);
    if (!table)
        return (double)NAN;
    const fq_cell_moments cap = unscaled(table, dim, t, 1);
    gsl_integration_glfixed_table_free(table);
    return cap.first / cap.probability;
}

double fq_distortion_by_quadrature(size_t dim, size_t half, const double *t) {
    double sum = 0;
    for (size_t i = 0; i < half; i++) {
        const fq_cell_moments cell = fq_cell_by_quadrature(dim, t[i], t[i + 1]);
        const double level = cell.first / cell.probability;
        sum += cell.second - 2 * level * cell.first + level * level * cell.probability;
    }
    return 2 * (double)dim * sum;
}
