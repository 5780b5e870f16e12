#include "gains.h"

#include <math.h>

#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_gamma.h>

fq_status fq_gains_log_norm(double *log_norm, const fq_source *source) {
    if (source->block >= source->dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", source->block, "1 to dim-1");
    const double k = (double)source->block, m = source->exponent, a = k / (k + 2);
    const double log_integral = a * source->log_constant + k / 2 * log(M_PI) +
                                gsl_sf_lngamma(m * a + 1) - gsl_sf_lngamma(m * a + 1 + k / 2);
    *log_norm = log_integral / a;
    return FQ_OK;
}

/* Best known cells. Sources: Conway and Sloane, table 2.3, for the classical lattices and their
 * duals. */
static const struct {
    size_t block;
    fq_cell cell;
} cells[] = {
    {1, {1.0 / 12, "interval", true}},      {2, {0.080187537387448, "hexagon", true}},
    {3, {0.078543281005938, "BCC", false}}, {4, {0.0766032, "D4", false}},
    {5, {0.0756254, "D5*", false}},         {6, {0.0742437, "E6*", false}},
    {7, {0.0731165, "E7*", false}},         {8, {0.0716821, "E8", false}},
    {12, {0.0701003, "K12", false}},        {16, {0.0682985, "BW16", false}},
    {24, {0.0657709, "Leech", false}},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

fq_status fq_gains_best_cell(fq_cell *cell, size_t block) {
    if (block < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "1 or more");
    /* A product of lattices with cells of equal volume has G equal to the mean of its parts weighted
     * by dimension. Take the largest listed cell as often as it fits, then the best for the rest. */
    double weighted = 0;
    size_t left = block;
    const fq_cell *first = NULL;
    for (size_t i = CELLS; i-- > 0 && left > 0;) {
        const size_t times = left / cells[i].block;
        if (times && !first)
            first = &cells[i].cell;
        weighted += (double)(times * cells[i].block) * cells[i].cell.second_moment;
        left -= times * cells[i].block;
        if (times && left == 0 && times * cells[i].block == block && times == 1) {
            *cell = cells[i].cell;
            return FQ_OK;
        }
    }
    cell->second_moment = weighted / (double)block;
    cell->name = "product lattice";
    cell->proved_optimal = false;
    return FQ_OK;
}

double fq_gains_sphere_bound(size_t block) {
    const double k = (double)block;
    return exp(2 / k * gsl_sf_lngamma(k / 2 + 1)) / ((k + 2) * M_PI);
}

double fq_gains_zador_bound(size_t block) {
    const double k = (double)block;
    return exp(2 / k * gsl_sf_lngamma(k / 2 + 1) + gsl_sf_lngamma(1 + 2 / k)) / (k * M_PI);
}

fq_status fq_gains_high_rate_distortion(double *distortion, const fq_source *source, double rate,
                                        double second_moment) {
    double log_norm;
    FQ_TRY(fq_gains_log_norm(&log_norm, source));
    *distortion = (double)source->dim * second_moment * exp(log_norm) * exp2(-2 * rate);
    return FQ_OK;
}

double fq_gains_shannon_bound(const fq_source *source, double rate) {
    const double d = (double)source->dim, k = (double)source->block;
    return d * exp(2 * fq_source_entropy(source) / k) / (2 * M_PI * M_E) * exp2(-2 * rate);
}

fq_status fq_gains_over_product(fq_gain *gain, size_t dim, size_t block, double second_moment) {
    fq_source scalar, vector;
    double log_scalar, log_vector;
    FQ_TRY(fq_source_init(&scalar, dim, 1));
    FQ_TRY(fq_source_init(&vector, dim, block));
    FQ_TRY(fq_gains_log_norm(&log_scalar, &scalar));
    FQ_TRY(fq_gains_log_norm(&log_vector, &vector));
    gain->shaping = 1.0 / 12 / second_moment;
    gain->density = exp(log_scalar - log_vector);
    gain->total = gain->shaping * gain->density;
    return FQ_OK;
}
