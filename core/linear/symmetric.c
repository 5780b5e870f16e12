#include "symmetric.h"

#include <math.h>
#include <string.h>

#include "memory.h"

enum { SWEEPS_MAX = 60 };

/* a <- J^T a J and v <- v J for the rotation J in the plane (p, q) that makes a_pq zero. */
static void rotate(double *a, double *v, size_t n, size_t p, size_t q) {
    const double apq = a[p * n + q];
    if (apq == 0.0)
        return;
    const double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    const double t = copysign(1.0, theta) / (fabs(theta) + sqrt(theta * theta + 1.0));
    const double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (size_t k = 0; k < n; k++) {
        const double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        const double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        const double x = v[k * n + p], y = v[k * n + q];
        v[k * n + p] = c * x - s * y;
        v[k * n + q] = s * x + c * y;
    }
}

/* Turns a into its diagonal of eigenvalues, v into the eigenvectors, by columns. */
static void diagonalise(double *a, double *v, size_t n) {
    double total = 0.0;
    for (size_t i = 0; i < n * n; i++) {
        total += a[i] * a[i];
        v[i] = i % (n + 1) == 0 ? 1.0 : 0.0;
    }
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double off = 0.0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                off += a[p * n + q] * a[p * n + q];
        if (off <= 1e-30 * total)
            return;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                rotate(a, v, n, p, q);
    }
}

fq_status fq_symmetric_power(double *power, const double *a, size_t n, double p) {
    double *work = NULL, most = 0.0;
    FQ_TRY(fq_alloc(&work, 2 * n * n, sizeof *work));
    double *const w = work, *const v = work + n * n;
    memcpy(w, a, n * n * sizeof *w);
    diagonalise(w, v, n);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, w[i * n + i]);
    fq_status status = most > 0.0 && isfinite(most)
                           ? FQ_OK
                           : FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "matrix", most, "an eigenvalue above 0");
    for (size_t i = 0; status == FQ_OK && i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < n; k++)
                sum += v[i * n + k] * pow(fmax(w[k * n + k], 1e-12 * most), p) * v[j * n + k];
            power[i * n + j] = power[j * n + i] = sum;
        }
    fq_free(work);
    return status;
}

/* c = a b for symmetric a. */
static void multiply(double *c, const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        memset(c + i * n, 0, n * sizeof *c);
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < n; j++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
}

/* c b c for symmetric c; rounding is taken out of its symmetry. room: n n doubles. */
static void sandwich(double *result, const double *c, const double *b, size_t n, double *room) {
    multiply(room, c, b, n);
    multiply(result, room, c, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            result[i * n + j] = result[j * n + i] = 0.5 * (result[i * n + j] + result[j * n + i]);
}

fq_status fq_symmetric_mean(double *mean, const double *a, const double *b, size_t n) {
    double *work = NULL;
    FQ_TRY(fq_alloc(&work, 3 * n * n, sizeof *work));
    double *const root = work, *const inner = work + n * n, *const room = work + 2 * n * n;
    fq_status status = fq_symmetric_power(root, a, n, -0.5);
    if (status == FQ_OK) {
        sandwich(inner, root, b, n, room);
        status = fq_symmetric_power(inner, inner, n, 0.5);
    }
    if (status == FQ_OK)
        status = fq_symmetric_power(root, a, n, 0.5);
    if (status == FQ_OK)
        sandwich(mean, root, inner, n, room);
    fq_free(work);
    return status;
}
