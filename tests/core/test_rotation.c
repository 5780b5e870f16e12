#include <math.h>
#include <string.h>

#include <lapacke.h>

#include "check.h"
#include "dense.h"
#include "hadamard.h"
#include "memory.h"
#include "rotation.h"
#include "stream.h"

static const size_t dims[] = {1, 2, 3, 4, 5, 7, 8, 16, 31, 33, 64, 80, 96, 100, 127, 128, 256};
enum { DIMS = sizeof dims / sizeof dims[0] };

static float *floats(size_t n) {
    float *x = NULL;
    FQ_CHECK_OK(fq_alloc_zero(&x, n, sizeof *x));
    return x;
}

static void fill_normal(float *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)fq_stream_normal(&s);
}

/* m[i][d] = Pi e_i: the columns of Pi as rows. */
static float *columns(const fq_rotation *rotation, size_t d) {
    float *identity = floats(d * d), *m = floats(d * d);
    for (size_t i = 0; i < d; i++)
        identity[i * d + i] = 1;
    fq_rotation_apply(rotation, m, identity, d);
    fq_free(identity);
    return m;
}

static void rotations_are_orthogonal_to_1e_6(void) {
    for (size_t c = 0; c < DIMS; c++) {
        for (int kind = 0; kind < 2; kind++) {
            const size_t d = dims[c];
            fq_rotation *rotation = NULL;
            if (!FQ_CHECK_OK(fq_rotation_create(&rotation, (fq_rotation_kind)kind, d, 1, 0)))
                return;
            float *m = columns(rotation, d), *back = floats(d * d);
            double worst = 0, worst_back = 0;
            for (size_t i = 0; i < d; i++) {
                for (size_t j = 0; j <= i; j++) {
                    double sum = 0;
                    for (size_t t = 0; t < d; t++)
                        sum += (double)m[i * d + t] * (double)m[j * d + t];
                    worst = fmax(worst, fabs(sum - (i == j)));
                }
            }
            fq_rotation_apply_transpose(rotation, back, m, d);
            for (size_t i = 0; i < d * d; i++)
                worst_back = fmax(worst_back, fabs((double)back[i] - (i % (d + 1) == 0)));
            FQ_CHECK(worst <= 1e-6);
            FQ_CHECK(worst_back <= 1e-6);
            fq_free(back);
            fq_free(m);
            fq_rotation_destroy(rotation);
        }
    }
}

/* <q, Pi^T y> = <Pi q, y>: the identity attention on codes stands on. */
static void transpose_is_the_adjoint(void) {
    for (size_t c = 0; c < DIMS; c++) {
        for (int kind = 0; kind < 2; kind++) {
            const size_t d = dims[c];
            fq_rotation *rotation = NULL;
            if (!FQ_CHECK_OK(fq_rotation_create(&rotation, (fq_rotation_kind)kind, d, 7, 3)))
                return;
            float *x = floats(4 * d);
            fill_normal(x, 2 * d, 10 + c);
            fq_rotation_apply(rotation, x + 2 * d, x, 1);
            fq_rotation_apply_transpose(rotation, x + 3 * d, x + d, 1);
            double left = 0, right = 0;
            for (size_t j = 0; j < d; j++) {
                left += (double)x[2 * d + j] * (double)x[d + j];
                right += (double)x[j] * (double)x[3 * d + j];
            }
            FQ_CHECK_NEAR(left, right, 1e-6 * (double)d);
            fq_free(x);
            fq_rotation_destroy(rotation);
        }
    }
}

static void results_do_not_depend_on_the_batch(void) {
    const size_t batches[] = {1, 2, 5, 6, 7, 64};
    for (size_t c = 0; c < DIMS; c++) {
        for (int kind = 0; kind < 2; kind++) {
            const size_t d = dims[c];
            enum { N = 67 };
            fq_rotation *rotation = NULL;
            if (!FQ_CHECK_OK(fq_rotation_create(&rotation, (fq_rotation_kind)kind, d, 1, 0)))
                return;
            float *x = floats(N * d), *whole = floats(N * d), *part = floats(N * d + 1);
            fill_normal(x, N * d, 40 + c);
            for (int transposed = 0; transposed < 2; transposed++) {
                void (*apply)(const fq_rotation *, float *, const float *, size_t) =
                    transposed ? fq_rotation_apply_transpose : fq_rotation_apply;
                apply(rotation, whole, x, N);
                for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
                    memset(part, 0xff, (N * d + 1) * sizeof *part);
                    for (size_t i = 0; i < N; i += batches[b]) {
                        const size_t n = N - i < batches[b] ? N - i : batches[b];
                        apply(rotation, part + 1 + i * d, x + i * d, n); /* 4-byte aligned only */
                    }
                    FQ_CHECK(memcmp(whole, part + 1, N * d * sizeof *x) == 0);
                }
            }
            fq_free(part);
            fq_free(whole);
            fq_free(x);
            fq_rotation_destroy(rotation);
        }
    }
}

static void dense_kernel_equals_its_definition(void) {
    const size_t shapes[][2] = {{1, 1}, {1, 9}, {15, 3}, {16, 16}, {17, 64}, {64, 64}, {40, 33}, {130, 5}};
    for (size_t c = 0; c < sizeof shapes / sizeof shapes[0]; c++) {
        const size_t rows = shapes[c][0], cols = shapes[c][1];
        enum { N = 20 };
        fq_dense matrix;
        if (!FQ_CHECK_OK(fq_dense_init(&matrix, rows, cols)))
            return;
        float *a = floats(rows * cols), *x = floats(N * cols), *y = floats(N * rows + 1),
              *z = floats(N * rows);
        fill_normal(a, rows * cols, 70 + c);
        fill_normal(x, N * cols, 80 + c);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                fq_dense_set(&matrix, i, j, a[i * cols + j]);
        for (size_t n = 0; n <= N; n++) {
            y[n * rows] = 12345;
            fq_dense_apply(&matrix, y, x, n);
            fq_dense_apply_ref(&matrix, z, x, n);
            FQ_CHECK(memcmp(y, z, n * rows * sizeof *y) == 0);
            FQ_CHECK((double)y[n * rows] == 12345); /* nothing written beyond */
        }
        for (size_t i = 0; i < rows; i++) {
            double sum = 0;
            for (size_t j = 0; j < cols; j++)
                sum += (double)a[i * cols + j] * (double)x[j];
            FQ_CHECK_NEAR((double)y[i], sum, 1e-5 * (double)cols);
        }
        fq_free(z);
        fq_free(y);
        fq_free(x);
        fq_free(a);
        fq_dense_clear(&matrix);
    }
    fq_dense matrix;
    FQ_CHECK_FAILS(fq_dense_init(&matrix, 0, 3), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_dense_init(&matrix, 3, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_dense_init(&matrix, SIZE_MAX / 4, SIZE_MAX / 4), FQ_ERR_OVERFLOW);
}

/* Q with a positive diagonal of R is unique, so LAPACK's factorisation must give the same. */
static void haar_is_the_sign_corrected_q_of_the_gaussian_matrix(void) {
    for (size_t c = 0; c < DIMS; c++) {
        const size_t d = dims[c];
        fq_rotation *rotation = NULL;
        double *a = NULL, *tau = NULL;
        if (!FQ_CHECK_OK(fq_rotation_create(&rotation, FQ_ROTATION_HAAR, d, 42, 5)) ||
            !FQ_CHECK_OK(fq_alloc(&a, d * d, sizeof *a)) || !FQ_CHECK_OK(fq_alloc(&tau, 2 * d, sizeof *tau)))
            return;
        fq_stream s;
        fq_stream_init(&s, 42, FQ_PURPOSE_ROTATION, 5);
        for (size_t i = 0; i < d * d; i++)
            a[i] = fq_stream_normal(&s);
        const lapack_int n = (lapack_int)d;
        FQ_CHECK(LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, n, n, a, n, tau) == 0);
        for (size_t j = 0; j < d; j++)
            tau[d + j] = a[j * d + j] < 0 ? -1 : 1;
        FQ_CHECK(LAPACKE_dorgqr(LAPACK_ROW_MAJOR, n, n, n, a, n, tau) == 0);
        float *m = columns(rotation, d);
        double worst = 0;
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < d; j++)
                worst = fmax(worst, fabs((double)m[j * d + i] - tau[d + j] * a[i * d + j]));
        FQ_CHECK_NEAR(worst, 0, 1e-7);
        fq_free(m);
        fq_free(tau);
        fq_free(a);
        fq_rotation_destroy(rotation);
    }
}

/* Entries of a Haar matrix: E tr = 0 and E tr^2 = 1 over O(d). 4000 seeds of O(4): the mean trace
 * has standard error 1/sqrt(4000), tr^2 variance 2 (tr is near normal: fourth moment 3 exactly for
 * d >= 2); bounds at 6.2 standard errors, false alarms about 1e-9. */
static void haar_traces_have_their_moments(void) {
    enum { SEEDS = 4000 };
    double sum = 0, squares = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        fq_rotation *rotation = NULL;
        if (!FQ_CHECK_OK(fq_rotation_create(&rotation, FQ_ROTATION_HAAR, 4, seed, 0)))
            return;
        float *m = columns(rotation, 4);
        const double trace = (double)m[0] + (double)m[5] + (double)m[10] + (double)m[15];
        sum += trace;
        squares += trace * trace;
        fq_free(m);
        fq_rotation_destroy(rotation);
    }
    FQ_CHECK_NEAR(sum / SEEDS, 0, 6.2 / sqrt(SEEDS));
    FQ_CHECK_NEAR(squares / SEEDS, 1, 6.2 * sqrt(2.0 / SEEDS));
}

static void hadamard_transform_is_the_sign_table(void) {
    for (size_t p = 1; p <= 256; p *= 2) {
        float x[256];
        for (size_t i = 0; i < p; i++) {
            memset(x, 0, sizeof x);
            x[i] = 1;
            fq_hadamard(x, p);
            for (size_t j = 0; j < p; j++) {
                const double sign = __builtin_popcountll(i & j) % 2 ? -1 : 1;
                FQ_CHECK_NEAR((double)x[j], sign / sqrt((double)p), 1e-7);
            }
        }
    }
}

/* Coordinate vectors are the hardest input for a Hadamard rotation: their images must be spread like
 * a random direction. Fourth moment of d coordinates over all e_i and 40 seeds; a Haar column has
 * E d y^4 = 3 d/(d+2) a coordinate. One round would give exactly 1. The bounds are loose: the
 * images are random sums of 1/d at least, for odd d mixed in two overlapping halves. */
static void hadamard_spreads_coordinate_vectors(void) {
    const size_t some[] = {32, 64, 65, 96, 100, 127, 128};
    for (size_t c = 0; c < sizeof some / sizeof some[0]; c++) {
        const size_t d = some[c];
        double fourth = 0, largest = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            fq_rotation *rotation = NULL;
            if (!FQ_CHECK_OK(fq_rotation_create(&rotation, FQ_ROTATION_HADAMARD, d, seed, 0)))
                return;
            float *m = columns(rotation, d);
            for (size_t i = 0; i < d * d; i++) {
                const double y = (double)m[i];
                fourth += y * y * y * y;
                largest = fmax(largest, fabs(y));
            }
            fq_free(m);
            fq_rotation_destroy(rotation);
        }
        const double moment = fourth * (double)d / 40 / (double)d; /* d E y^4 d over d^2 entries */
        FQ_CHECK_NEAR(moment / (3 * (double)d / ((double)d + 2)), 1, 0.25);
        FQ_CHECK(largest < 0.9);
    }
}

static void seeds_and_numbers_give_different_rotations(void) {
    for (int kind = 0; kind < 2; kind++) {
        float y[3][64], x[64];
        fill_normal(x, 64, 99);
        const uint64_t address[3][2] = {{1, 0}, {1, 1}, {2, 0}};
        for (int i = 0; i < 3; i++) {
            fq_rotation *rotation = NULL;
            if (!FQ_CHECK_OK(
                    fq_rotation_create(&rotation, (fq_rotation_kind)kind, 64, address[i][0], address[i][1])))
                return;
            fq_rotation_apply(rotation, y[i], x, 1);
            fq_rotation_destroy(rotation);
        }
        FQ_CHECK(memcmp(y[0], y[1], sizeof x) != 0);
        FQ_CHECK(memcmp(y[0], y[2], sizeof x) != 0);
        FQ_CHECK(memcmp(y[1], y[2], sizeof x) != 0);
    }
}

static void bad_rotations_are_refused(void) {
    fq_rotation *rotation = NULL;
    FQ_CHECK_FAILS(fq_rotation_create(&rotation, FQ_ROTATION_HAAR, 0, 1, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_rotation_create(&rotation, FQ_ROTATION_HADAMARD, 0, 1, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_rotation_create(&rotation, FQ_ROTATION_HAAR, 4097, 1, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_rotation_create(&rotation, FQ_ROTATION_HADAMARD, 16385, 1, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_rotation_create(&rotation, (fq_rotation_kind)2, 8, 1, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK(rotation == NULL);
    fq_rotation_destroy(NULL);
    for (size_t fail = 1; fail <= 6; fail++) { /* every allocation in turn */
        for (int kind = 0; kind < 2; kind++) {
            const size_t allocations = kind ? 3 : 6;
            fq_alloc_fail_at(fail);
            const fq_status status = fq_rotation_create(&rotation, (fq_rotation_kind)kind, 12, 1, 0);
            fq_alloc_fail_at(0);
            FQ_CHECK(status == (fail <= allocations ? FQ_ERR_MEMORY : FQ_OK));
            if (status == FQ_OK)
                fq_rotation_destroy(rotation);
            rotation = NULL;
        }
    }
}

static const fq_test tests[] = {
    {"orthogonal to 1e-6", rotations_are_orthogonal_to_1e_6},
    {"transpose is the adjoint", transpose_is_the_adjoint},
    {"results do not depend on the batch", results_do_not_depend_on_the_batch},
    {"dense kernel equals its definition", dense_kernel_equals_its_definition},
    {"haar is the sign-corrected Q", haar_is_the_sign_corrected_q_of_the_gaussian_matrix},
    {"haar traces have their moments", haar_traces_have_their_moments},
    {"hadamard transform is the sign table", hadamard_transform_is_the_sign_table},
    {"hadamard spreads coordinate vectors", hadamard_spreads_coordinate_vectors},
    {"seeds and numbers give different rotations", seeds_and_numbers_give_different_rotations},
    {"bad rotations are refused", bad_rotations_are_refused},
    {0},
};
const fq_suite fq_suite_rotation = {"rotation", tests};
