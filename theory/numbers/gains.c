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

/* Every line of cells.def, k = 1 first. The second moment of a line is numerator/denominator base^(p/q). */
static const struct {
    size_t block;
    const char *name;
    double numerator, denominator, base, power;
    fq_cell_basis basis;
} cells[] = {
#define FQ_CELL(k, name, numerator, most, denominator, base, p, q, basis)                                    \
    {k, name, numerator, denominator, base, (double)(p) / (q), FQ_CELL_##basis},
#include "cells.def"
#undef FQ_CELL
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static double second_moment(size_t i) {
    return cells[i].numerator / cells[i].denominator * pow(cells[i].base, cells[i].power);
}

const char *fq_cell_basis_name(fq_cell_basis basis) {
    static const char *const names[] = {"proved", "closed form", "published", "sampled"};
    return (unsigned)basis < 4 ? names[basis] : "?";
}

/* A product of lattices, each scaled so that all have the same error per coordinate, has
 * G = prod G_i^{k_i/k}: the best one minimises a sum, found by dynamic programming. */
static size_t best_products(double *log_sum, size_t *last, size_t block, fq_cell_basis weakest) {
    log_sum[0] = 0;
    for (size_t k = 1; k <= block; k++) {
        log_sum[k] = HUGE_VAL;
        for (size_t i = 0; i < CELLS && cells[i].block <= k; i++) {
            if (cells[i].basis > weakest)
                continue;
            const double sum = log_sum[k - cells[i].block] + (double)cells[i].block * log(second_moment(i));
            if (sum <= log_sum[k]) {
                log_sum[k] = sum;
                last[k] = i;
            }
        }
    }
    return last[block];
}

fq_status fq_gains_cell_resting_on(fq_cell *cell, size_t *part, size_t block, fq_cell_basis weakest) {
    if (block < 1 || block > FQ_BLOCK_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "1 to 1024");
    double log_sum[FQ_BLOCK_MAX + 1];
    size_t last[FQ_BLOCK_MAX + 1];
    const size_t i = best_products(log_sum, last, block, weakest);
    *part = cells[i].block;
    if (*part == block) {
        *cell = (fq_cell){second_moment(i), cells[i].name, cells[i].basis};
        return FQ_OK;
    }
    *cell = (fq_cell){exp(log_sum[block] / (double)block), "product lattice", FQ_CELL_CLOSED};
    for (size_t left = block; left > 0; left -= cells[last[left]].block)
        if (cells[last[left]].basis > cell->basis)
            cell->basis = cells[last[left]].basis;
    return FQ_OK;
}

fq_status fq_gains_best_cell(fq_cell *cell, size_t block) {
    size_t part;
    return fq_gains_cell_resting_on(cell, &part, block, FQ_CELL_SAMPLED);
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
