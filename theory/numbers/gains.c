#include "gains.h"

#include <math.h>

#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_gamma.h>

fq_status fq_gains_log_norm(double *log_norm, const fq_source *source) {
    if (source->block >= source->dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", source->block, "1 to dim-1");
    const double k = (double)source->block, m = source->exponent, a = k / (k + 2);
    const double log_integral = a * source->log_constant + k / 2 * log(M_PI) + gsl_sf_lngamma(m * a + 1) -
                                gsl_sf_lngamma(m * a + 1 + k / 2);
    *log_norm = log_integral / a;
    return FQ_OK;
}

/* Best known cells. Closed forms: Conway and Sloane, Sphere Packings, chapter 21. Decimals: 9 (Allen and
 * Agrell 2021), 10, 11, 15, 16 (table I of Agrell and Allen 2023), 12 (Agrell, Pook-Kolb and Allen
 * 2024), 24 (Conway and Sloane's estimate, +- 0.000074). Those for 9, 10, 11, 16 and 24 were measured anew by
 * Monte Carlo and agree (lattice_moment.h, verify finite_rate); 12 and 15 rest on the literature alone. */
static const struct {
    size_t block;
    fq_cell cell;
} cells[] = {
    {1, {1.0 / 12, "interval", true}},         {2, {0.0801875373874480, "hexagon", true}},
    {3, {0.0785432810059376, "BCC", false}},   {4, {0.0766032346285440, "D4", false}},
    {5, {0.075625443, "D5*", false}},          {6, {0.074243697, "E6*", false}},
    {7, {0.073116493, "E7*", false}},          {8, {929.0 / 12960, "E8", false}},
    {9, {0.071622594, "AE9", false}},          {10, {0.070813818, "D10+", false}},
    {11, {0.070426259, "A11^3", false}},       {12, {0.070034, "glued D6 x D6", false}},
    {15, {0.068871726, "dual of L15", false}}, {16, {0.068297622, "BW16", false}},
    {24, {0.065771, "Leech", false}},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

/* A product of lattices, each scaled so that all have the same error per coordinate, has
 * G = prod G_i^{k_i/k}: the best one minimises a sum, found by dynamic programming. */
static size_t best_products(double *log_sum, size_t *last, size_t block) {
    log_sum[0] = 0;
    for (size_t k = 1; k <= block; k++) {
        log_sum[k] = HUGE_VAL;
        for (size_t i = 0; i < CELLS && cells[i].block <= k; i++) {
            const double sum =
                log_sum[k - cells[i].block] + (double)cells[i].block * log(cells[i].cell.second_moment);
            if (sum <= log_sum[k]) {
                log_sum[k] = sum;
                last[k] = i;
            }
        }
    }
    return last[block];
}

fq_status fq_gains_cell_part(fq_cell *cell, size_t *part, size_t block) {
    if (block < 1 || block > FQ_BLOCK_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "1 to 1024");
    double log_sum[FQ_BLOCK_MAX + 1];
    size_t last[FQ_BLOCK_MAX + 1];
    const size_t i = best_products(log_sum, last, block);
    *part = cells[i].block;
    *cell = cells[i].block == block
                ? cells[i].cell
                : (fq_cell){exp(log_sum[block] / (double)block), "product lattice", false};
    return FQ_OK;
}

fq_status fq_gains_best_cell(fq_cell *cell, size_t block) {
    size_t part;
    return fq_gains_cell_part(cell, &part, block);
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
