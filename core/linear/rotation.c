#include "rotation.h"

#include <math.h>
#include <string.h>

#include "dense.h"
#include "memory.h"
#include "rotation_inverse.h"
#include "stream.h"
#include "vector_kernels.h"

enum { ROUNDS = 2, BATCH_FLOATS = 2048 };

struct fq_rotation {
    fq_rotation_kind kind;
    size_t dim;
    /* haar */
    fq_dense forward, backward;
    /* hadamard */
    size_t power;          /* the largest power of two not above dim */
    float *signs;          /* [ROUNDS][2][dim], +-1: before the first and the second transform */
    uint32_t *permutation; /* [ROUNDS][dim]: where a round's result i comes from; NULL if power = dim */
};

/* Factors a[d][d] = Q R in place by Householder reflections, R's diagonal in diagonal[d], the
 * reflection vectors below it; then overwrites q[d][d] with Q. Every sum runs in one fixed order. */
static void householder_q(double *a, double *q, double *beta, double *diagonal, double *work, size_t d) {
    for (size_t c = 0; c < d; c++) {
        double squared = 0;
        for (size_t r = c; r < d; r++)
            squared += a[r * d + c] * a[r * d + c];
        const double norm = sqrt(squared);
        diagonal[c] = a[c * d + c] > 0 ? -norm : norm; /* the sign that avoids cancellation */
        a[c * d + c] -= diagonal[c];
        const double length = squared - diagonal[c] * (a[c * d + c] + diagonal[c]);
        beta[c] = length > 0 ? 1 / length : 0; /* 2/|v|^2, |v|^2 = 2 length */
        memset(work, 0, d * sizeof *work);
        for (size_t r = c; r < d; r++)
            for (size_t t = c + 1; t < d; t++)
                work[t] += a[r * d + c] * a[r * d + t];
        for (size_t r = c; r < d; r++) {
            const double factor = beta[c] * a[r * d + c];
            for (size_t t = c + 1; t < d; t++)
                a[r * d + t] -= factor * work[t];
        }
    }
    memset(q, 0, d * d * sizeof *q);
    for (size_t c = 0; c < d; c++)
        q[c * d + c] = 1;
    for (size_t c = d; c-- > 0;) { /* Q = H_0 (H_1 (... H_{d-1} I)) */
        memset(work, 0, d * sizeof *work);
        for (size_t r = c; r < d; r++)
            for (size_t t = c; t < d; t++)
                work[t] += a[r * d + c] * q[r * d + t];
        for (size_t r = c; r < d; r++) {
            const double factor = beta[c] * a[r * d + c];
            for (size_t t = c; t < d; t++)
                q[r * d + t] -= factor * work[t];
        }
    }
}

/* Q of a Gaussian matrix by Householder, its columns' signs those of R's diagonal: Haar's law. */
static fq_status make_haar(fq_rotation *rotation, fq_stream *stream) {
    const size_t d = rotation->dim;
    double *a = NULL, *q = NULL, *vectors = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&a, d * d, sizeof *a), done);
    FQ_TRY_GOTO(status, fq_alloc(&q, d * d, sizeof *q), done);
    FQ_TRY_GOTO(status, fq_alloc(&vectors, 3 * d, sizeof *vectors), done);
    FQ_TRY_GOTO(status, fq_dense_init(&rotation->forward, d, d), done);
    FQ_TRY_GOTO(status, fq_dense_init(&rotation->backward, d, d), done);
    for (size_t i = 0; i < d * d; i++)
        a[i] = fq_stream_normal(stream);
    double *diagonal = vectors + d;
    householder_q(a, q, vectors, diagonal, vectors + 2 * d, d);
    for (size_t r = 0; r < d; r++) {
        for (size_t c = 0; c < d; c++) {
            const float value = (float)(diagonal[c] < 0 ? -q[r * d + c] : q[r * d + c]);
            fq_dense_set(&rotation->forward, r, c, value);
            fq_dense_set(&rotation->backward, c, r, value);
        }
    }
done:
    fq_free(vectors);
    fq_free(q);
    fq_free(a);
    return status;
}

/* Random signs before each transform, and where d is no power of two a permutation between rounds. */
static fq_status make_hadamard(fq_rotation *rotation, fq_stream *stream) {
    const size_t d = rotation->dim;
    rotation->power = 1;
    while (rotation->power * 2 <= d)
        rotation->power *= 2;
    FQ_TRY(fq_alloc(&rotation->signs, 2 * ROUNDS * d, sizeof *rotation->signs));
    if (rotation->power < d)
        FQ_TRY(fq_alloc(&rotation->permutation, ROUNDS * d, sizeof *rotation->permutation));
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < 2 * d; i++)
            rotation->signs[2 * round * d + i] = fq_stream_u32(stream) & 1 ? -1.0f : 1.0f;
        if (!rotation->permutation)
            continue;
        uint32_t *from = rotation->permutation + round * d;
        for (size_t i = 0; i < d; i++) { /* Fisher-Yates, inside out */
            const size_t other = (size_t)fq_stream_below(stream, i + 1);
            from[i] = from[other];
            from[other] = (uint32_t)i;
        }
    }
    return FQ_OK;
}

fq_status fq_rotation_check(fq_rotation_kind kind, size_t dim) {
    if (kind != FQ_ROTATION_HAAR && kind != FQ_ROTATION_HADAMARD)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "rotation kind", kind, "haar or hadamard");
    if (kind == FQ_ROTATION_HAAR && (dim < 1 || dim > FQ_ROTATION_HAAR_MAX))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim,
                             "1 to 4096 with a Haar rotation; rot=hadamard allows up to 16384");
    FQ_TRY(fq_check_size("dim", dim, 1, FQ_ROTATION_HADAMARD_MAX));
    return FQ_OK;
}

fq_status fq_rotation_create(fq_rotation **rotation, fq_rotation_kind kind, size_t dim, uint64_t seed,
                             uint64_t number) {
    FQ_TRY(fq_rotation_check(kind, dim));
    fq_rotation *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->kind = kind;
    made->dim = dim;
    fq_stream stream;
    fq_stream_init(&stream, seed, FQ_PURPOSE_ROTATION, number);
    const fq_status status =
        kind == FQ_ROTATION_HAAR ? make_haar(made, &stream) : make_hadamard(made, &stream);
    if (status != FQ_OK) {
        fq_rotation_destroy(made);
        return status;
    }
    *rotation = made;
    return FQ_OK;
}

void fq_rotation_destroy(fq_rotation *rotation) {
    if (!rotation)
        return;
    fq_dense_clear(&rotation->forward);
    fq_dense_clear(&rotation->backward);
    fq_free(rotation->signs);
    fq_free(rotation->permutation);
    fq_free(rotation);
}

/* y may be x. Adding zero turns -0 into 0, so that a zero vector stays plain zeros. */
static void flip(float *y, const float *x, const float *signs, size_t d) {
    for (size_t i = 0; i < d; i++)
        y[i] = x[i] * signs[i] + 0.0f;
}

/* One vector of a dimension that is no power of two. */
static void overlapping_forward(const fq_rotation *rotation, const fq_vector_kernels *kernels, float *y,
                                const float *x) {
    const size_t d = rotation->dim, p = rotation->power;
    float other[FQ_ROTATION_HADAMARD_MAX];
    for (size_t round = 0; round < ROUNDS; round++) {
        const float *signs = rotation->signs + 2 * round * d;
        const uint32_t *from = rotation->permutation + round * d;
        flip(other, round ? y : x, signs, d);
        kernels->hadamard(other, other, 1, p, NULL, NULL);
        flip(other, other, signs + d, d); /* or the second transform would undo most of the first */
        kernels->hadamard(other + (d - p), other + (d - p), 1, p, NULL, NULL);
        for (size_t i = 0; i < d; i++)
            y[i] = other[from[i]];
    }
}

static void overlapping_backward(const fq_rotation *rotation, const fq_vector_kernels *kernels, float *y,
                                 const float *x) {
    const size_t d = rotation->dim, p = rotation->power;
    float other[FQ_ROTATION_HADAMARD_MAX];
    for (size_t round = ROUNDS; round-- > 0;) {
        const float *signs = rotation->signs + 2 * round * d;
        const uint32_t *from = rotation->permutation + round * d;
        const float *source = round == ROUNDS - 1 ? x : y;
        for (size_t i = 0; i < d; i++)
            other[from[i]] = source[i];
        kernels->hadamard(other + (d - p), other + (d - p), 1, p, NULL, NULL);
        flip(other, other, signs + d, d);
        kernels->hadamard(other, other, 1, p, NULL, NULL);
        flip(y, other, signs, d);
    }
}

/* Both rounds over as many vectors as stay in the first-level cache between them. */
static void hadamard(const fq_rotation *rotation, float *y, const float *x, size_t n, bool back) {
    const fq_vector_kernels *kernels = fq_vector_kernels_best();
    const size_t d = rotation->dim, most = d < BATCH_FLOATS ? BATCH_FLOATS / d : 1;
    const float *first = rotation->signs, *second = first + 2 * d;
    for (size_t i = 0; i < n; i += most) {
        const size_t count = n - i < most ? n - i : most;
        const float *from = x + i * d;
        float *to = y + i * d;
        if (rotation->permutation) {
            for (size_t v = 0; v < count; v++)
                (back ? overlapping_backward : overlapping_forward)(rotation, kernels, to + v * d,
                                                                    from + v * d);
        } else if (back) {
            kernels->hadamard(to, from, count, d, NULL, second);
            kernels->hadamard(to, to, count, d, NULL, first);
        } else {
            kernels->hadamard(to, from, count, d, first, NULL);
            kernels->hadamard(to, to, count, d, second, NULL);
        }
    }
}

void fq_rotation_apply(const fq_rotation *rotation, float *y, const float *x, size_t n) {
    if (rotation->kind == FQ_ROTATION_HAAR) {
        fq_dense_apply(&rotation->forward, y, x, n);
        return;
    }
    hadamard(rotation, y, x, n, false);
}

void fq_rotation_apply_transpose(const fq_rotation *rotation, float *y, const float *x, size_t n) {
    if (rotation->kind == FQ_ROTATION_HAAR) {
        fq_dense_apply(&rotation->backward, y, x, n);
        return;
    }
    hadamard(rotation, y, x, n, true);
}

void fq_rotation_apply_transpose_beyond(const fq_rotation *rotation, float *y, float *x, float *work,
                                        size_t n) {
    const fq_vector_kernels *kernels = fq_vector_kernels_best();
    const size_t d = rotation->dim;
    if (rotation->kind == FQ_ROTATION_HAAR || rotation->permutation) {
        fq_rotation_apply_transpose(rotation, work, x, n);
        kernels->copy_beyond(y, work, n * d);
        return;
    }
    kernels->hadamard(x, x, n, d, NULL, rotation->signs + 2 * d);
    kernels->hadamard_beyond(y, x, n, d, rotation->signs);
}

const fq_dense *fq_rotation_get_transpose(const fq_rotation *rotation) {
    return rotation->kind == FQ_ROTATION_HAAR ? &rotation->backward : NULL;
}
