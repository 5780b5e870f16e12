#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_integration.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_gamma.h>

#include "check.h"
#include "memory.h"
#include "source.h"

static double radial_density(double r, void *source) {
    return fq_source_radial_density(source, r);
}

static double entropy_integrand(double r, void *source) {
    const double log_f = fq_source_log_density(source, r);
    return isfinite(log_f) ? -log_f * fq_source_radial_density(source, r) : 0;
}

static double integrate(double (*f)(double, void *), fq_source *source, double to) {
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(2000);
    gsl_function function = {f, source};
    double value = NAN, error;
    gsl_integration_qags(&function, 0, to, 1e-13, 1e-10, 2000, w, &value, &error);
    gsl_integration_workspace_free(w);
    return value;
}

/* Random (d, k) with k <= d-1, small cases often. */
static void random_source(fq_source *source, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    const size_t d = 2 + fq_stream_below(&s, fq_stream_below(&s, 2) ? 10 : 500);
    FQ_CHECK_OK(fq_source_init(source, d, 1 + fq_stream_below(&s, d - 1)));
}

static void density_integrates_to_one_and_to_the_cdf(void) {
    for (unsigned i = 0; i < 60 * fq_test_multiplier(); i++) {
        fq_source source;
        random_source(&source, 100 + i);
        if (source.block > source.dim - 2)
            continue; /* the endpoint singularity at k = d-1 needs its own quadrature */
        FQ_CHECK_NEAR(integrate(radial_density, &source, 1), 1, 1e-8);
        const double r = fq_source_radial_quantile(&source, 0.3);
        FQ_CHECK_NEAR(integrate(radial_density, &source, r), 0.3, 1e-8);
    }
}

static void entropy_is_the_integral_of_minus_log_density(void) {
    for (unsigned i = 0; i < 60 * fq_test_multiplier(); i++) {
        fq_source source;
        random_source(&source, 300 + i);
        if (source.block > source.dim - 2)
            continue;
        const double h = fq_source_entropy(&source);
        FQ_CHECK_NEAR(integrate(entropy_integrand, &source, 1), h, 1e-7 * fmax(1, fabs(h)));
    }
}

static void quantile_inverts_cdf(void) {
    for (unsigned i = 0; i < 200 * fq_test_multiplier(); i++) {
        fq_source source;
        random_source(&source, 500 + i);
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 900 + i);
        const double p = fq_stream_uniform(&s);
        FQ_CHECK_NEAR(fq_source_radial_cdf(&source, fq_source_radial_quantile(&source, p)), p, 1e-10);
    }
    fq_source source;
    for (size_t d = 3; d <= FQ_DIM_MAX; d = 2 * d - 1) /* wide shapes and far tails */
        for (size_t k = 1; k < d && k <= FQ_BLOCK_MAX; k = 3 * k + 1)
            for (double p = 1e-12; p < 1; p = p < 0.01 ? 1000 * p : p + 0.11) {
                FQ_CHECK_OK(fq_source_init(&source, d, k));
                const double r = fq_source_radial_quantile(&source, p);
                FQ_CHECK_NEAR(fq_source_radial_cdf(&source, r), p, 1e-10 * p + 1e-14);
            }
    FQ_CHECK_OK(fq_source_init(&source, 64, 4));
    FQ_CHECK(fq_source_radial_quantile(&source, 0) == 0);
    FQ_CHECK(fq_source_radial_quantile(&source, 1) == 1);
    FQ_CHECK(fq_source_radial_cdf(&source, 2) == 1);
    FQ_CHECK(fq_source_log_density(&source, 1.5) == -HUGE_VAL);
}

/* d = 4, k = 2 is uniform on the disc; d = 3, k = 1 uniform on [-1,1] (Archimedes). */
static void flat_cases_are_flat(void) {
    fq_source source;
    FQ_CHECK_OK(fq_source_init(&source, 4, 2));
    FQ_CHECK_NEAR(exp(fq_source_log_density(&source, 0.7)), 1 / M_PI, 1e-15);
    FQ_CHECK_OK(fq_source_init(&source, 3, 1));
    FQ_CHECK_NEAR(exp(fq_source_log_density(&source, 0.7)), 0.5, 1e-15);
    FQ_CHECK_NEAR(fq_source_entropy(&source), log(2), 1e-15);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov at false-alarm rate 1e-9: sqrt(n) D_n < 3.2726 (2 exp(-2 t^2) = 1e-9). */
static void check_ks(double *p, size_t n) {
    qsort(p, n, sizeof *p, by_value);
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fmax((double)(i + 1) / (double)n - p[i], p[i] - (double)i / (double)n));
    FQ_CHECK(sqrt((double)n) * worst < 3.2726);
}

static void samples_follow_the_law(void) {
    enum { N = 50000 };
    const size_t cases[][2] = {{2, 1}, {3, 2}, {4, 3}, {64, 1}, {64, 2}, {64, 8}, {128, 32}, {16, 15}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        fq_source source;
        const size_t k = cases[c][1];
        FQ_CHECK_OK(fq_source_init(&source, cases[c][0], k));
        float *x = NULL;
        double *p = NULL;
        if (!FQ_CHECK_OK(fq_alloc(&x, N * k, sizeof *x)) || !FQ_CHECK_OK(fq_alloc(&p, N, sizeof *p)))
            return;
        fq_source_sample(&source, fq_test_seed(), FQ_PURPOSE_TEST, 0, N, x);
        for (size_t i = 0; i < N; i++) {
            double rr = 0;
            for (size_t j = 0; j < k; j++)
                rr += (double)x[i * k + j] * (double)x[i * k + j];
            p[i] = fq_source_radial_cdf(&source, sqrt(rr));
        }
        check_ks(p, N);
        fq_source line; /* one coordinate, and one coordinate's sign-folded law */
        FQ_CHECK_OK(fq_source_init(&line, cases[c][0], 1));
        for (size_t i = 0; i < N; i++)
            p[i] = fq_source_radial_cdf(&line, fabs((double)x[i * k + k - 1]));
        check_ks(p, N);
        fq_free(p);
        fq_free(x);
    }
}

static void sphere_itself_has_radius_one(void) {
    fq_source source;
    float x[100 * 8];
    FQ_CHECK_OK(fq_source_init(&source, 8, 8));
    fq_source_sample(&source, 1, FQ_PURPOSE_TEST, 0, 100, x);
    for (int i = 0; i < 100; i++) {
        double rr = 0;
        for (int j = 0; j < 8; j++)
            rr += (double)x[i * 8 + j] * (double)x[i * 8 + j];
        FQ_CHECK_NEAR(rr, 1, 1e-6);
    }
    FQ_CHECK(isnan(fq_source_entropy(&source)));
    FQ_CHECK(isnan(fq_source_log_density(&source, 0.5)));
}

static void a_split_gives_the_same_samples(void) {
    fq_source source;
    float whole[50 * 3], part[20 * 3];
    FQ_CHECK_OK(fq_source_init(&source, 10, 3));
    fq_source_sample(&source, 4, FQ_PURPOSE_TEST, 5, 50, whole);
    fq_source_sample(&source, 4, FQ_PURPOSE_TEST, 25, 20, part);
    for (int i = 0; i < 60; i++)
        FQ_CHECK(whole[60 + i] == part[i]);
}

static void bad_parameters_are_named(void) {
    fq_source source;
    FQ_CHECK_FAILS(fq_source_init(&source, 1, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_source_init(&source, 16385, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_source_init(&source, 8, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_source_init(&source, 8, 9), FQ_ERR_ARGUMENT);
    FQ_CHECK(fq_error_last()->value == 9 && fq_error_last()->argument[0] == 'b');
}

static const fq_test tests[] = {
    {"density integrates to one and to the cdf", density_integrates_to_one_and_to_the_cdf},
    {"entropy", entropy_is_the_integral_of_minus_log_density},
    {"quantile inverts cdf", quantile_inverts_cdf},
    {"flat cases", flat_cases_are_flat},
    {"samples follow the law", samples_follow_the_law},
    {"sphere itself", sphere_itself_has_radius_one},
    {"split gives the same samples", a_split_gives_the_same_samples},
    {"bad parameters", bad_parameters_are_named},
    {0},
};
const fq_suite fq_suite_source = {"source", tests};
