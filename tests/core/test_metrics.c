#include <math.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "metrics.h"
#include "stream.h"

static void a_worked_example_comes_out_exactly(void) {
    /* x = (3,4), y = (3,0); x = (2,0), y = (2,1); a zero vector is left out. q = (0,2). */
    const float x[] = {3, 4, 2, 0, 0, 0}, y[] = {3, 0, 2, 1, 5, 5}, q[] = {0, 2};
    fq_metrics m;
    FQ_CHECK_OK(fq_metrics_measure(&m, 2, x, y, 3, q, 1));
    FQ_CHECK(m.vectors == 2 && m.zero_vectors == 1);
    FQ_CHECK_NEAR(m.distortion.mean, (16.0 / 25 + 1.0 / 4) / 2, 1e-15);
    FQ_CHECK_NEAR(m.distortion.se, (16.0 / 25 - 1.0 / 4) / 2, 1e-15);
    FQ_CHECK_NEAR(m.cosine.mean, (9.0 / 15 + 4 / (2 * sqrt(5))) / 2, 1e-15);
    FQ_CHECK_NEAR(m.gain.mean, (9.0 / 25 + 1) / 2, 1e-15);
    FQ_CHECK_NEAR(m.product_bias.mean, (-4.0 / 5 + 1.0 / 2) / 2, 1e-15);
    FQ_CHECK_NEAR(m.product_squared_error.mean, (16.0 / 25 + 1.0 / 4) / 2, 1e-15);
}

static float *noise(size_t n, uint64_t index) {
    float *x = NULL;
    FQ_CHECK_OK(fq_alloc(&x, n, sizeof *x));
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)fq_stream_normal(&s);
    return x;
}

/* y = x; y = a x; y = 0: closed forms. For every y, D = 1 - 2 gain + |y|^2/|x|^2. */
static void simple_reconstructions_have_their_values(void) {
    enum { N = 50, D = 16, M = 4 };
    float *x = noise(N * D, 1), *y = noise(N * D, 2), *q = noise(M * D, 3);
    fq_metrics m;
    FQ_CHECK_OK(fq_metrics_measure(&m, D, x, x, N, q, M));
    FQ_CHECK_NEAR(m.distortion.mean, 0, 0);
    FQ_CHECK_NEAR(m.cosine.mean, 1, 1e-15);
    FQ_CHECK_NEAR(m.product_squared_error.mean, 0, 0);
    memset(y, 0, N * D * sizeof *y);
    FQ_CHECK_OK(fq_metrics_measure(&m, D, x, y, N, NULL, 0));
    FQ_CHECK_NEAR(m.distortion.mean, 1, 1e-15);
    FQ_CHECK_NEAR(m.distortion.se, 0, 1e-15);
    FQ_CHECK(m.cosine.mean == 0 && m.gain.mean == 0);
    FQ_CHECK(isnan(m.product_bias.mean) && isnan(m.product_squared_error.mean));
    for (size_t i = 0; i < N * D; i++)
        y[i] = 0.5f * x[i];
    FQ_CHECK_OK(fq_metrics_measure(&m, D, x, y, N, x, 1));
    FQ_CHECK_NEAR(m.distortion.mean, 0.25, 1e-15);
    FQ_CHECK_NEAR(m.cosine.mean, 1, 1e-15);
    FQ_CHECK_NEAR(m.gain.mean, 0.5, 1e-15);
    fq_free(q);
    fq_free(y);
    fq_free(x);
}

/* Independent noise of variance s^2 on vectors of equal norm: D has mean s^2 d/|x|^2 and the product
 * error mean 0; both within 6.2 of the standard errors reported (false alarms about 1e-9), and those
 * are what they should be. */
static void standard_errors_are_honest(void) {
    enum { N = 4000, D = 16, M = 3 };
    float *x = noise(N * D, 10), *y = noise(N * D, 11), *q = noise(M * D, 12);
    for (size_t i = 0; i < N; i++) {
        double norm = 0;
        for (size_t j = 0; j < D; j++)
            norm += (double)x[i * D + j] * (double)x[i * D + j];
        for (size_t j = 0; j < D; j++) {
            x[i * D + j] = (float)((double)x[i * D + j] / sqrt(norm));
            y[i * D + j] = x[i * D + j] + 0.125f * y[i * D + j];
        }
    }
    fq_metrics m;
    FQ_CHECK_OK(fq_metrics_measure(&m, D, x, y, N, q, M));
    const double d = D / 64.0;
    FQ_CHECK_NEAR(m.distortion.mean, d, 6.2 * m.distortion.se);
    FQ_CHECK_NEAR(m.product_bias.mean, 0, 6.2 * m.product_bias.se);
    FQ_CHECK_NEAR(m.product_squared_error.mean, 1 / 64.0, 6.2 * m.product_squared_error.se);
    FQ_CHECK_NEAR(m.distortion.se / (d * sqrt(2.0 / D / N)), 1, 0.15); /* chi-squared's variance */
    fq_free(q);
    fq_free(y);
    fq_free(x);
}

static void results_do_not_depend_on_threads(void) {
    enum { N = 777, D = 9 };
    float *x = noise(N * D, 20), *y = noise(N * D, 21);
    fq_metrics first, other;
    memset(&first, 0, sizeof first);
    memset(&other, 0, sizeof other);
#ifdef _OPENMP
    fq_test_set_threads(1);
#endif
    FQ_CHECK_OK(fq_metrics_measure(&first, D, x, y, N, x, 5));
#ifdef _OPENMP
    fq_test_set_threads(3);
#endif
    FQ_CHECK_OK(fq_metrics_measure(&other, D, x, y, N, x, 5));
    FQ_CHECK(memcmp(&first, &other, sizeof first) == 0);
#ifdef _OPENMP
    fq_test_set_threads(1);
#endif
    fq_free(y);
    fq_free(x);
}

static void what_cannot_be_measured_is_refused(void) {
    float x[] = {1, 2, 3, 4}, y[] = {1, 2, 3, 4}, zero[] = {0, 0};
    fq_metrics m, before;
    memset(&m, 0x3c, sizeof m);
    before = m;
    y[2] = (float)NAN;
    FQ_CHECK_FAILS(fq_metrics_measure(&m, 2, x, y, 2, NULL, 0), FQ_ERR_NONFINITE);
    FQ_CHECK(fq_error_last()->value == 2 && strcmp(fq_error_last()->argument, "y") == 0);
    FQ_CHECK_FAILS(fq_metrics_measure(&m, 2, y, x, 2, NULL, 0), FQ_ERR_NONFINITE);
    y[2] = HUGE_VALF;
    FQ_CHECK_FAILS(fq_metrics_measure(&m, 2, x, x, 2, y, 2), FQ_ERR_NONFINITE);
    FQ_CHECK_FAILS(fq_metrics_measure(&m, 2, x, x, 2, zero, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK(memcmp(&m, &before, sizeof m) == 0);
    for (size_t fail = 1; fail <= 4; fail++) {
        fq_alloc_fail_at(fail);
        FQ_CHECK_FAILS(fq_metrics_measure(&m, 2, x, x, 2, NULL, 0), FQ_ERR_MEMORY);
        fq_alloc_fail_at(0);
    }
    FQ_CHECK_OK(fq_metrics_measure(&m, 2, x, x, 0, NULL, 0));
    FQ_CHECK(m.vectors == 0 && isnan(m.distortion.mean) && isnan(m.distortion.se));
    FQ_CHECK_OK(fq_metrics_measure(&m, 2, x, x, 1, NULL, 0));
    FQ_CHECK(m.vectors == 1 && m.distortion.mean == 0 && isnan(m.distortion.se));
}

static const fq_test tests[] = {
    {"a worked example comes out exactly", a_worked_example_comes_out_exactly},
    {"simple reconstructions have their values", simple_reconstructions_have_their_values},
    {"standard errors are honest", standard_errors_are_honest},
    {"results do not depend on threads", results_do_not_depend_on_threads},
    {"what cannot be measured is refused", what_cannot_be_measured_is_refused},
    {0},
};
const fq_suite fq_suite_metrics = {"metrics", tests};
