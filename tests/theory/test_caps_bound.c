/* The bound of equal caps against closed forms: the circle, the sphere in space, half-spheres; and as
 * tabulated. */
#include <math.h>

#include "caps_bound.h"
#include "check.h"

static fq_caps_bound caps_of(size_t dim, double bits) {
    fq_caps_bound caps = {0};
    FQ_CHECK_OK(fq_caps_bound_init(&caps, dim, bits));
    return caps;
}

/* d = 2: caps are arcs of half width pi/N; d = 3: the height of a cap is uniform. */
static void closed_forms(void) {
    for (double bits = 1; bits <= 12; bits += 0.7) {
        const double n = exp2(bits), arc = M_PI / n;
        const fq_caps_bound circle = caps_of(2, bits), sphere = caps_of(3, bits);
        FQ_CHECK_NEAR(circle.height, cos(arc), 1e-12);
        FQ_CHECK_NEAR(circle.fixed_words, 1 - pow(sin(arc) / arc, 2), 1e-13);
        FQ_CHECK_NEAR(circle.free_gain, 0.5 - sin(2 * arc) / (4 * arc), 1e-13);
        const double t = 1 - 2 / n;
        FQ_CHECK_NEAR(sphere.height, t, 1e-13);
        FQ_CHECK_NEAR(sphere.fixed_words, 1 - pow(1 - 1 / n, 2), 1e-13);
        FQ_CHECK_NEAR(sphere.free_gain, 1 - (1 + t + t * t) / 3, 1e-13);
    }
    for (size_t d = 2; d <= 4096; d *= 4) { /* one bit: E|X_1| = Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)) */
        const double mean = exp(lgamma((double)d / 2) - lgamma((double)(d + 1) / 2)) / sqrt(M_PI);
        FQ_CHECK_NEAR(caps_of(d, 1).fixed_words, 1 - mean * mean, 1e-11);
        FQ_CHECK_NEAR(caps_of(d, 1).free_gain, 1 - 1 / (double)d, 1e-11);
    }
}

static void as_tabulated(void) {
    static const double rates[] = {0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4};
    static const double printed[] = {0.7352, 0.5214, 0.3681, 0.2595, 0.1286, 0.0637, 0.0315, 0.0156, 0.0038};
    double before = 1;
    for (size_t i = 0; i < 9; i++) {
        const fq_caps_bound caps = caps_of(64, 64 * rates[i]);
        FQ_CHECK_NEAR(caps.fixed_words, printed[i], 0.5e-4);
        FQ_CHECK(caps.free_gain < caps.fixed_words && caps.free_gain > 0.999 * caps.fixed_words);
        FQ_CHECK(caps.fixed_words < before && caps.error < 1e-12);
        before = caps.fixed_words;
    }
    /* As ball arithmetic encloses them, at a height larger by 1e-12. */
    FQ_CHECK_NEAR(caps_of(64, 16).fixed_words, 0.735211357209, 3e-12);
    FQ_CHECK_NEAR(caps_of(64, 16).free_gain, 0.734789821514, 3e-12);
    FQ_CHECK_NEAR(caps_of(128, 512).fixed_words, 0.00388027283426, 3e-12);
    /* Far beyond the range of doubles, P = 2^-16384: 4^{-b d/(d-1)} and a factor for the volume. */
    const fq_caps_bound far = caps_of(1024, 16384);
    FQ_CHECK(far.fixed_words > 0.9 * exp2(-32. * 1024 / 1023) &&
             far.fixed_words < 1.1 * exp2(-32. * 1024 / 1023));
}

/* No jump where the way of computing the tail changes. */
static void smooth_across_the_change_of_method(void) {
    double before = 1, step_before = 0;
    for (int i = 0; i < 60; i++) {
        const double bound = caps_of(64, 1.5 + 0.02 * i).fixed_words, step = before - bound;
        FQ_CHECK(i < 2 || (step > 0 && fabs(step / step_before - 1) < 0.05));
        before = bound;
        step_before = step;
    }
}

/* 4^b D as an independent program has it to five digits; at d = 3 cosines are uniform. */
static void random_codes(void) {
    static const struct {
        size_t d;
        double b, scaled;
    } cases[] = {{64, 2, 1.03308},  {64, 3, 1.01137}, {64, 4, 0.98953}, {128, 3, 1.01095}, {128, 4, 1.00007},
                 {128, 5, 0.98923}, {16, 2, 1.055},   {16, 3, 0.9646},  {4, 1, 1.435},     {4, 2, 0.99356}};
    double distortion;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FQ_CHECK_OK(fq_random_code_distortion(&distortion, cases[i].d, cases[i].b * (double)cases[i].d));
        FQ_CHECK_NEAR(distortion * exp2(2 * cases[i].b), cases[i].scaled, cases[i].d < 64 ? 5e-4 : 6e-6);
        FQ_CHECK(distortion > caps_of(cases[i].d, cases[i].b * (double)cases[i].d).fixed_words);
    }
    for (double bits = 1; bits <= 30; bits++) {
        const double mean = (exp2(bits) - 1) / (exp2(bits) + 1);
        FQ_CHECK_OK(fq_random_code_distortion(&distortion, 3, bits));
        FQ_CHECK_NEAR(distortion / (1 - mean * mean), 1, 1e-6);
    }
    FQ_CHECK_FAILS(fq_random_code_distortion(&distortion, 2, 8), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_random_code_distortion(&distortion, 64, 0), FQ_ERR_ARGUMENT);
}

static void bad_arguments(void) {
    fq_caps_bound caps;
    FQ_CHECK_FAILS(fq_caps_bound_init(&caps, 1, 4), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_caps_bound_init(&caps, 64, 0.5), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_caps_bound_init(&caps, 64, (double)NAN), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_caps_bound_init(&caps, 64, 1e9), FQ_ERR_ARGUMENT);
}

static const fq_test tests[] = {
    {"closed forms", closed_forms},
    {"as tabulated", as_tabulated},
    {"smooth across the change of method", smooth_across_the_change_of_method},
    {"random codes", random_codes},
    {"bad arguments", bad_arguments},
    {0},
};
const fq_suite fq_suite_caps_bound = {"caps_bound", tests};
