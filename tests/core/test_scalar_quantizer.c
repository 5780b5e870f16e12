#include <math.h>

#include <gsl/gsl_integration.h>

#include "check.h"
#include "memory.h"
#include "scalar_quantizer.h"
#include "source.h"

/* The published table. One unit in the last digit is allowed: its 0.00932 for d = 128, b = 4 is 0.009315
 * here, and the smaller value is the one whose optimality conditions are checked below. */
static void published_distortions(void) {
    static const struct {
        size_t dim;
        double distortion[4];
    } table[] = {{64, {0.35839, 0.11453, 0.03339, 0.00913}}, {128, {0.36089, 0.11600, 0.03397, 0.00932}}};
    for (int row = 0; row < 2; row++)
        for (int b = 1; b <= 4; b++) {
            fq_scalar_quantizer q;
            if (!FQ_CHECK_OK(fq_scalar_quantizer_init(&q, table[row].dim, (size_t)1 << b)))
                return;
            FQ_CHECK_NEAR(q.distortion, table[row].distortion[b - 1], 1e-5);
            fq_scalar_quantizer_clear(&q);
        }
}

static double first_moment(double x, void *source) {
    return x * exp(fq_source_log_density(source, fabs(x)));
}

static double second_moment(double x, void *source) {
    return x * first_moment(x, source);
}

static double integrate(double (*f)(double, void *), void *argument, double a, double b) {
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(1000);
    gsl_function function = {f, argument};
    double value = (double)NAN, error;
    gsl_integration_qags(&function, a, b, 1e-15, 1e-12, 1000, w, &value, &error);
    gsl_integration_workspace_free(w);
    return value;
}

/* Levels are means of their cells and thresholds midpoints, by independent quadrature; D agrees. */
static void conditions_hold_by_quadrature(void) {
    static const size_t dims[] = {3, 4, 5, 16, 64, 127, 1000};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        for (size_t levels = 1; levels <= 21; levels += 1 + levels / 6) {
            fq_scalar_quantizer q;
            fq_source source;
            FQ_CHECK_OK(fq_source_init(&source, dims[i], 1));
            if (!FQ_CHECK_OK(fq_scalar_quantizer_init(&q, dims[i], levels)))
                return;
            double error = 0; /* E (X - Q)^2, cell by cell */
            for (size_t c = 0; c < levels; c++) {
                const double a = c == 0 ? -1 : q.threshold[c - 1];
                const double b = c == levels - 1 ? 1 : q.threshold[c];
                const double low = fq_source_radial_cdf(&source, fabs(a)) * (a < 0 ? -0.5 : 0.5);
                const double high = fq_source_radial_cdf(&source, fabs(b)) * (b < 0 ? -0.5 : 0.5);
                const double mean = integrate(first_moment, &source, a, b) / (high - low);
                FQ_CHECK_NEAR(q.level[c], mean, 1e-10);
                FQ_CHECK(q.level[c] == -q.level[levels - 1 - c]);
                error += integrate(second_moment, &source, a, b) -
                         2 * q.level[c] * integrate(first_moment, &source, a, b) +
                         q.level[c] * q.level[c] * (high - low);
            }
            FQ_CHECK_NEAR(q.distortion, (double)dims[i] * error, 1e-10);
            fq_scalar_quantizer_clear(&q);
        }
}

/* d = 3 is uniform on [-1,1], where the optimum is the uniform quantizer: D = 1/L^2. */
static void uniform_law_gives_the_uniform_quantizer(void) {
    for (size_t levels = 1; levels <= 4096; levels = 2 * levels + 1) {
        fq_scalar_quantizer q;
        if (!FQ_CHECK_OK(fq_scalar_quantizer_init(&q, 3, levels)))
            return;
        for (size_t i = 0; i < levels; i++)
            FQ_CHECK_NEAR(q.level[i], (2 * (double)i + 1) / (double)levels - 1, 1e-12);
        FQ_CHECK_NEAR(q.distortion, 1 / ((double)levels * (double)levels), 1e-12);
        fq_scalar_quantizer_clear(&q);
    }
}

static void more_levels_never_hurt_and_many_work(void) {
    double last = HUGE_VAL;
    for (size_t levels = 1; levels <= FQ_LEVELS_MAX; levels *= 4) {
        fq_scalar_quantizer q;
        if (!FQ_CHECK_OK(fq_scalar_quantizer_init(&q, 64, levels)))
            return;
        FQ_CHECK(q.distortion < last);
        last = q.distortion;
        for (size_t i = 0; i + 1 < levels; i++)
            if (!(q.level[i] < q.threshold[i] && q.threshold[i] < q.level[i + 1])) {
                FQ_CHECK(false); /* levels and thresholds alternate */
                break;
            }
        fq_scalar_quantizer_clear(&q);
    }
}

static void index_counts_thresholds(void) {
    fq_scalar_quantizer q;
    if (!FQ_CHECK_OK(fq_scalar_quantizer_init(&q, 64, 13)))
        return;
    for (size_t i = 0; i < 13; i++)
        FQ_CHECK(fq_scalar_quantizer_index(&q, q.level[i]) == i);
    for (size_t i = 0; i < 12; i++)
        FQ_CHECK(fq_scalar_quantizer_index(&q, q.threshold[i]) == i);
    FQ_CHECK(fq_scalar_quantizer_index(&q, -2) == 0 && fq_scalar_quantizer_index(&q, 2) == 12);
    fq_scalar_quantizer_clear(&q);
    FQ_CHECK_FAILS(fq_scalar_quantizer_init(&q, 1, 4), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_scalar_quantizer_init(&q, 64, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_scalar_quantizer_init(&q, 64, FQ_LEVELS_MAX + 1), FQ_ERR_ARGUMENT);
    for (size_t n = 1; n <= 3; n++) {
        fq_alloc_fail_at(n);
        FQ_CHECK_FAILS(fq_scalar_quantizer_init(&q, 64, 8), FQ_ERR_MEMORY);
    }
    fq_alloc_fail_at(0);
}

static const fq_test tests[] = {
    {"published distortions", published_distortions},
    {"conditions hold by quadrature", conditions_hold_by_quadrature},
    {"uniform law", uniform_law_gives_the_uniform_quantizer},
    {"more levels never hurt", more_levels_never_hurt_and_many_work},
    {"index and errors", index_counts_thresholds},
    {0},
};
const fq_suite fq_suite_scalar_quantizer = {"scalar_quantizer", tests};
