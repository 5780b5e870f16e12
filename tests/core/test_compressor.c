/* Compressors: names, bits, bounds, and that a vector's code depends on its address and on nothing else. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "compressor.h"
#include "random_reflections.h"

enum { D = 64, N = 40 };

/* Bits by hand: of indices, of a float32 for the length; alpha and omega of scalar codes from their D, which
 * is 0.358387 at one bit and 0.114526 at two (claim 8); 1e-6 is the digits given. */
static void bits_and_bounds(void) {
    static const struct {
        const char *name;
        double bits, alpha, omega;
    } rows[] = {{"none", 2048, 1, 0},
                {"topk:K=4", 4 * (32 + 6), 4.0 / 64, (double)NAN},
                {"randk:K=4", 4 * 32, 4.0 / 64, 15},
                {"natural", 9 * 64, 8.0 / 9, 0.125},
                {"sign", 64 + 32, 1.0 / 64, (double)NAN},
                {"qsgd:s=4", 32 + 203, 0.5, 1}, /* 64 log2 9 = 202.9 */
                {"qsgd:s=1", 32 + 102, 1.0 / 9, 8},
                {"tq:b=1", 64 + 32, 0.641613, 0.558573},
                {"tq:b=2", 128 + 32, 0.885474, 0.129338}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fq_compressor *c = NULL;
        if (!FQ_CHECK_OK(fq_compressor_create(&c, rows[i].name, D, NULL)))
            continue;
        const fq_compressor_about about = fq_compressor_get_about(c);
        FQ_CHECK_NEAR(about.bits, rows[i].bits, 0);
        FQ_CHECK_NEAR(about.alpha, rows[i].alpha, 1e-6);
        FQ_CHECK(isnan(rows[i].omega) ? isnan(about.omega) : fabs(about.omega - rows[i].omega) < 1e-6);
        fq_compressor_destroy(c);
    }
}

/* A code whose D is not known exactly is measured: against the D that its family states, 6 standard errors.
 */
static void a_measured_code_has_its_error(void) {
    static const struct {
        const char *name;
        double distortion, bits; /* trellis codes: README's table, on 4 million samples */
    } rows[] = {{"trellis:b=1", 0.271832, 64 + 32 + 16}, {"trellis:b=2", 0.068127, 128 + 32 + 16}};
    for (size_t i = 0; i < 2; i++) {
        fq_compressor *c = NULL;
        if (!FQ_CHECK_OK(fq_compressor_create(&c, rows[i].name, D, NULL)))
            continue;
        const fq_compressor_about about = fq_compressor_get_about(c);
        FQ_CHECK(about.omega_se > 0 && about.omega_se < 0.01 * about.omega);
        FQ_CHECK_NEAR(1 - about.alpha, rows[i].distortion, 6 * about.omega_se * about.alpha * about.alpha);
        FQ_CHECK_NEAR((1 + about.omega) * about.alpha, 1, 1e-12);
        FQ_CHECK(about.bits == rows[i].bits || about.bits == rows[i].bits - 16);
        fq_compressor_destroy(c);
    }
}

static void names(void) {
    char text[FQ_SPEC_TEXT_MAX];
    fq_codec_spec spec;
    static const char *const wrong[] = {"topk", "topk:K=0", "topk:K=2,K=3", "sign:s=1", "qsgd:s=x", "nosuch",
                                        "",     "tq"};
    FQ_CHECK_OK(fq_compressor_name(text, "topk:K=2"));
    FQ_CHECK(strcmp(text, "topk:K=2") == 0);
    FQ_CHECK_OK(fq_compressor_name(text, "fib:N=16,k=2,seed=1"));
    FQ_CHECK(strcmp(text, "fib:k=2,N=16") == 0);
    FQ_CHECK(fq_compressor_is_codec(&spec, "tq:b=2") && !fq_compressor_is_codec(&spec, "sign"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        FQ_CHECK_FAILS(fq_compressor_name(text, wrong[i]), FQ_ERR_SPEC);
    FQ_CHECK_OK(fq_compressor_check("topk:K=64", D));
    FQ_CHECK_FAILS(fq_compressor_check("topk:K=65", D), FQ_ERR_SPEC);
    FQ_CHECK_FAILS(fq_compressor_check("randk:K=65", D), FQ_ERR_SPEC);
    FQ_CHECK_FAILS(fq_compressor_check("fib:k=5,N=16", D), FQ_ERR_SPEC);
    FQ_CHECK_FAILS(fq_compressor_check("sign", 0), FQ_ERR_ARGUMENT);
    for (size_t i = 0; i < fq_compressor_family_count(); i++)
        FQ_CHECK(fq_compressor_family_name(i)[0] && fq_compressor_family_summary(i)[0]);
}

static void fill(double *x, size_t n) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 50);
    for (size_t i = 0; i < n; i++)
        x[i] = fq_stream_normal(&s);
}

static const char *const every[] = {"none", "topk:K=4", "randk:K=4", "natural",
                                    "sign", "qsgd:s=2", "tq:b=1",    "e8:N=256"};

/* All at once, one by one, backwards, with one thread and with two: the same doubles. */
static void a_vector_depends_on_its_address_alone(void) {
    static double x[N * D], whole[N * D], part[N * D];
    uint64_t number[N];
    fill(x, N * D);
    for (size_t v = 0; v < N; v++)
        number[v] = 3 * v + 1;
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        fq_compressor *c = NULL;
        if (!FQ_CHECK_OK(fq_compressor_create(&c, every[i], D, NULL)))
            continue;
        fq_test_set_threads(2);
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, whole, x, N, 7, number));
        fq_test_set_threads(1);
        for (size_t v = N; v-- > 0;)
            FQ_CHECK_OK(
                fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, part + v * D, x + v * D, 1, 7, number + v));
        FQ_CHECK(memcmp(whole, part, sizeof whole) == 0);
        /* one address for two vectors: shared randomness; other seeds and numbers: other randomness */
        const fq_compressor_about about = fq_compressor_get_about(c);
        memcpy(part, x, D * sizeof *x);
        memcpy(part + D, x, D * sizeof *x);
        const uint64_t same[2] = {5, 5}, other[2] = {5, 6};
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, whole, part, 2, 7, same));
        FQ_CHECK(memcmp(whole, whole + D, D * sizeof *x) == 0);
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, whole + 2 * D, part, 2, 7, other));
        FQ_CHECK((memcmp(whole + 2 * D, whole + 3 * D, D * sizeof *x) == 0) == !about.random);
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, whole + 4 * D, part, 1, 8, same));
        FQ_CHECK((memcmp(whole, whole + 4 * D, D * sizeof *x) == 0) == !about.random);
        fq_compressor_destroy(c);
    }
}

/* Both forms are one up to a factor of 1 + omega, whatever the length of x; zeros stay. */
static void forms_and_lengths(void) {
    static double x[D], scaled[D], a[D], b[D];
    const uint64_t number[1] = {9};
    fill(x, D);
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        fq_compressor *c = NULL;
        if (!FQ_CHECK_OK(fq_compressor_create(&c, every[i], D, NULL)))
            continue;
        const fq_compressor_about about = fq_compressor_get_about(c);
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, a, x, 1, 7, number));
        if (isnan(about.omega))
            FQ_CHECK_FAILS(fq_compressor_apply(c, FQ_COMPRESSOR_UNBIASED, b, x, 1, 7, number),
                           FQ_ERR_UNSUPPORTED);
        else {
            FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_UNBIASED, b, x, 1, 7, number));
            for (size_t j = 0; j < D; j++)
                FQ_CHECK_NEAR(b[j], (1 + about.omega) * a[j], 1e-12 + 1e-12 * fabs(b[j]));
        }
        for (size_t j = 0; j < D; j++)
            scaled[j] = 0x1p-60 * x[j]; /* 1e-18: far below what halves hold */
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, b, scaled, 1, 7, number));
        for (size_t j = 0; j < D; j++)
            FQ_CHECK_NEAR(0x1p60 * b[j], a[j], 1e-6);
        memset(scaled, 0, sizeof scaled);
        FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, b, scaled, 1, 7, number));
        for (size_t j = 0; j < D; j++)
            FQ_CHECK_NEAR(b[j], 0, 0);
        scaled[3] = (double)NAN;
        FQ_CHECK_FAILS(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, b, scaled, 1, 7, number),
                       FQ_ERR_NONFINITE);
        scaled[3] = 1e200;
        FQ_CHECK_FAILS(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, b, scaled, 1, 7, number),
                       FQ_ERR_RANGE);
        fq_compressor_destroy(c);
    }
}

static void top_k_by_hand(void) {
    const double x[6] = {1, -3, 3, 0.5, -2, 3}, wanted[6] = {0, -3, 3, 0, 0, 3};
    const uint64_t number[1] = {0};
    double y[6];
    fq_compressor *c = NULL;
    FQ_CHECK_OK(fq_compressor_create(&c, "topk:K=3", 6, NULL));
    FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, y, x, 1, 1, number));
    FQ_CHECK(memcmp(y, wanted, sizeof y) == 0);
    fq_compressor_destroy(c);
    FQ_CHECK_OK(fq_compressor_create(&c, "topk:K=2", 6, NULL)); /* of equal ones the first */
    FQ_CHECK_OK(fq_compressor_apply(c, FQ_COMPRESSOR_CONTRACTIVE, y, x, 1, 1, number));
    FQ_CHECK(y[1] == -3 && y[2] == 3 && y[5] == 0);
    fq_compressor_destroy(c);
}

/* Q^T Q = 1, and entries of Q as a uniform orthogonal matrix has them: E Q_ij = 0, E Q_ij^2 = 1/d, E Q_ij^4 =
 * 3/(d (d+2)), E Q_11 Q_12 Q_21 Q_22 = -1/((d-1) d (d+2)). 6 standard errors over 20000 draws. */
static void reflections_are_a_uniform_rotation(void) {
    enum { DIM = 5, DRAWS = 20000 };
    double r[DIM * (DIM + 1) / 2 + DIM], q[DIM][DIM], mean = 0, square = 0, fourth = 0, mixed = 0;
    FQ_CHECK(fq_reflections_size(DIM) == sizeof r / sizeof r[0]);
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 51);
    for (int draw = 0; draw < DRAWS; draw++) {
        fq_reflections_draw(r, DIM, &s);
        for (size_t i = 0; i < DIM; i++) {
            double back[DIM];
            memset(q[i], 0, sizeof q[i]);
            q[i][i] = 1;
            fq_reflections_apply(r, q[i], DIM, false); /* column i of Q */
            memcpy(back, q[i], sizeof back);
            fq_reflections_apply(r, back, DIM, true);
            for (size_t j = 0; draw < 20 && j < DIM; j++)
                FQ_CHECK_NEAR(back[j], i == j ? 1 : 0, 1e-14);
        }
        mean += q[0][0] / DRAWS; /* the entry that a wrong choice of signs shows in */
        square += q[4][0] * q[4][0] / DRAWS;
        fourth += pow(q[2][2], 4) / DRAWS;
        mixed += q[0][0] * q[0][1] * q[1][0] * q[1][1] / DRAWS;
    }
    FQ_CHECK_NEAR(mean, 0, 6 * sqrt(1.0 / DIM / DRAWS));
    FQ_CHECK_NEAR(square, 1.0 / DIM, 6 * sqrt(2.0 / 35 / DRAWS));
    FQ_CHECK_NEAR(fourth, 3.0 / 35, 6 * sqrt(0.05 / DRAWS));
    FQ_CHECK_NEAR(mixed, -1.0 / (4 * 5 * 7), 6 * sqrt(0.003 / DRAWS));
}

static const fq_test tests[] = {
    {"bits and bounds", bits_and_bounds},
    {"a measured code has its error", a_measured_code_has_its_error},
    {"names", names},
    {"a vector depends on its address alone", a_vector_depends_on_its_address_alone},
    {"forms and lengths", forms_and_lengths},
    {"Top-K by hand", top_k_by_hand},
    {"reflections are a uniform rotation", reflections_are_a_uniform_rotation},
    {0},
};
const fq_suite fq_suite_compressor = {"compressor", tests};
