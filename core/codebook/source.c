#include "source.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>

#include "beta_quantile.h"
#include "threads.h"

fq_status fq_source_init(fq_source *source, size_t dim, size_t block) {
    FQ_TRY(fq_check_size("dim", dim, 2, FQ_DIM_MAX));
    if (block < 1 || block > dim || block > FQ_BLOCK_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "1 to dim, at most 1024");
    const double d = (double)dim, k = (double)block;
    source->dim = dim;
    source->block = block;
    source->exponent = (d - k - 2) / 2;
    source->log_constant =
        block == dim ? (double)NAN : gsl_sf_lngamma(d / 2) - gsl_sf_lngamma((d - k) / 2) - k / 2 * log(M_PI);
    return FQ_OK;
}

double fq_source_log_density(const fq_source *source, double radius) {
    if (source->block == source->dim)
        return NAN;
    if (radius > 1)
        return -INFINITY;
    if (source->exponent == 0)
        return source->log_constant;
    return source->log_constant + source->exponent * log1p(-radius * radius);
}

double fq_source_radial_density(const fq_source *source, double radius) {
    if (radius < 0 || radius > 1)
        return 0;
    const double k = (double)source->block;
    const double log_area = log(2) + k / 2 * log(M_PI) - gsl_sf_lngamma(k / 2);
    const double power = source->block == 1 ? 0 : (k - 1) * log(radius);
    return exp(log_area + power + fq_source_log_density(source, radius));
}

double fq_source_radial_cdf(const fq_source *source, double radius) {
    if (radius <= 0)
        return 0;
    if (radius >= 1)
        return 1;
    if (source->block == source->dim)
        return 0;
    const double d = (double)source->dim, k = (double)source->block;
    return gsl_cdf_beta_P(radius * radius, k / 2, (d - k) / 2);
}

double fq_source_radial_quantile(const fq_source *source, double probability) {
    if (source->block == source->dim || probability >= 1)
        return 1;
    if (probability <= 0)
        return 0;
    const double d = (double)source->dim, k = (double)source->block;
    if (source->block == 2) /* closed form: P(R <= r) = 1 - (1 - r^2)^{(d-2)/2} */
        return sqrt(-expm1(2 / (d - 2) * log1p(-probability)));
    return sqrt(fq_beta_quantile(probability, k / 2, (d - k) / 2));
}

double fq_source_mean_squared_radius(const fq_source *source) {
    return (double)source->block / (double)source->dim;
}

double fq_source_variance_squared_radius(const fq_source *source) {
    const double d = (double)source->dim, k = (double)source->block;
    return 2 * k * (d - k) / (d * d * (d + 2));
}

double fq_source_entropy(const fq_source *source) {
    if (source->block == source->dim)
        return NAN;
    const double d = (double)source->dim, k = (double)source->block;
    return -source->log_constant - source->exponent * (gsl_sf_psi((d - k) / 2) - gsl_sf_psi(d / 2));
}

/* The stream seen as a GSL generator, so that GSL's samplers run on it. */
static void gsl_view_set(void *state, unsigned long seed) {
    fq_stream_init(state, seed, FQ_PURPOSE_TEST, 0);
}

static unsigned long gsl_view_get(void *state) {
    return fq_stream_u32(state);
}

static double gsl_view_get_double(void *state) {
    return fq_stream_u32(state) * 0x1p-32;
}

static const gsl_rng_type gsl_view_type = {
    .name = "philox4x32-10",
    .max = 0xffffffffUL,
    .min = 0,
    .size = sizeof(fq_stream),
    .set = gsl_view_set,
    .get = gsl_view_get,
    .get_double = gsl_view_get_double,
};

double fq_stream_chi_squared(fq_stream *s, double nu) {
    const gsl_rng view = {&gsl_view_type, s};
    return gsl_ran_chisq(&view, nu);
}

void fq_source_draw(const fq_source *source, fq_stream *stream, double *x) {
    double squared_norm = 0;
    for (size_t j = 0; j < source->block; j++) {
        x[j] = fq_stream_normal(stream);
        squared_norm += x[j] * x[j];
    }
    if (source->block < source->dim)
        squared_norm += fq_stream_chi_squared(stream, (double)(source->dim - source->block));
    const double scale = 1 / sqrt(squared_norm);
    for (size_t j = 0; j < source->block; j++)
        x[j] *= scale;
}

static void sample(const fq_source *source, uint64_t seed, fq_purpose purpose, uint64_t number, float *x) {
    double draw[FQ_BLOCK_MAX];
    fq_stream stream;
    fq_stream_init(&stream, seed, purpose, number);
    fq_source_draw(source, &stream, draw);
    for (size_t j = 0; j < source->block; j++)
        x[j] = (float)draw[j];
}

void fq_source_sample_serial(const fq_source *source, uint64_t seed, fq_purpose purpose, uint64_t first,
                             size_t n, float *x) {
    for (size_t i = 0; i < n; i++)
        sample(source, seed, purpose, first + i, x + i * source->block);
}

void fq_source_sample(const fq_source *source, uint64_t seed, fq_purpose purpose, uint64_t first, size_t n,
                      float *x) {
#pragma omp parallel for schedule(static) num_threads(fq_threads_get())
    for (size_t i = 0; i < n; i++)
        sample(source, seed, purpose, first + i, x + i * source->block);
}
