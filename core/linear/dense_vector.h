/* fq_dense_apply over vectors of rows, and copying by whole vectors: the one source of every instruction
 * set's kernels.
 *
 * A tile is some rows of the matrix by some vectors, all sums in registers: each column of the matrix meets
 * one coordinate of each vector, broadcast, so that lanes are rows and every sum runs over the columns in
 * order.
 *
 * The including file defines TARGET (a function attribute), ALWAYS_INLINE, VECTOR, VECTOR_LANES, v_load and
 * v_store (any address), v_broadcast, v_set(value), v_multiply_add(a, b, c) = a b + c in one rounding;
 * DENSE_SUMS, the number of sums that stay in registers, and DENSE_VECTORS, the vectors of a full tile;
 * DENSE_SUMS / DENSE_VECTORS * VECTOR_LANES divides 16. And v_stream, a store at an address that is a
 * multiple of a vector's size, past the caches where the processor can.
 */
#include <stdint.h>
#include <string.h>

#include "dense.h"

/* y[v][0..width) for row_vectors * VECTOR_LANES rows of a, of which width are there, and `vectors` of x. */
TARGET static ALWAYS_INLINE void dense_tile(float *y, size_t y_stride, size_t width, const float *a,
                                            size_t stride, const float *x, size_t cols, size_t vectors,
                                            size_t row_vectors) {
    VECTOR sum[DENSE_SUMS];
    for (size_t v = 0; v < vectors; v++) /* the first column */
        for (size_t r = 0; r < row_vectors; r++)
            sum[v * row_vectors + r] =
                v_multiply_add(v_load(a + r * VECTOR_LANES), v_broadcast(x + v * cols), v_set(0.0F));
    for (size_t j = 1; j < cols; j++) {
        VECTOR column[DENSE_SUMS];
        a += stride;
        for (size_t r = 0; r < row_vectors; r++)
            column[r] = v_load(a + r * VECTOR_LANES);
        for (size_t v = 0; v < vectors; v++) {
            const VECTOR value = v_broadcast(x + v * cols + j);
            for (size_t r = 0; r < row_vectors; r++)
                sum[v * row_vectors + r] = v_multiply_add(column[r], value, sum[v * row_vectors + r]);
        }
    }
    if (width == row_vectors * VECTOR_LANES) {
        for (size_t v = 0; v < vectors; v++)
            for (size_t r = 0; r < row_vectors; r++)
                v_store(y + v * y_stride + r * VECTOR_LANES, sum[v * row_vectors + r]);
        return;
    }
    for (size_t v = 0; v < vectors; v++) {
        float rows[DENSE_SUMS * VECTOR_LANES];
        for (size_t r = 0; r < row_vectors; r++)
            v_store(rows + r * VECTOR_LANES, sum[v * row_vectors + r]);
        memcpy(y + v * y_stride, rows, width * sizeof *y);
    }
}

/* All rows for a fixed number of vectors, in tiles as high as the registers allow, then in narrower ones. */
TARGET static ALWAYS_INLINE void dense_rows(const fq_dense *m, float *y, const float *x, size_t vectors) {
    const size_t low = DENSE_SUMS / DENSE_VECTORS, wide = 64 / VECTOR_LANES, half = 32 / VECTOR_LANES;
    const size_t high = wide * vectors <= DENSE_SUMS ? wide : half * vectors <= DENSE_SUMS ? half : low;
    size_t i = 0;
    for (; i + high * VECTOR_LANES <= m->rows; i += high * VECTOR_LANES)
        dense_tile(y + i, m->rows, high * VECTOR_LANES, m->by_column + i, m->stride, x, m->cols, vectors,
                   high);
    for (; i < m->rows; i += low * VECTOR_LANES) {
        const size_t left = m->rows - i, width = left < low * VECTOR_LANES ? left : low * VECTOR_LANES;
        dense_tile(y + i, m->rows, width, m->by_column + i, m->stride, x, m->cols, vectors, low);
    }
}

TARGET static void dense(const fq_dense *m, float *y, const float *x, size_t n) {
    size_t v = 0;
    for (; v + DENSE_VECTORS <= n; v += DENSE_VECTORS)
        dense_rows(m, y + v * m->rows, x + v * m->cols, DENSE_VECTORS);
    for (; v + 3 <= n; v += 3)
        dense_rows(m, y + v * m->rows, x + v * m->cols, 3);
    for (; v < n; v++)
        dense_rows(m, y + v * m->rows, x + v * m->cols, 1);
}

/* copy_beyond of vector_kernels.h. */
TARGET static void copy_beyond(float *y, const float *x, size_t n) {
    const size_t into = (uintptr_t)y % sizeof(VECTOR);
    const size_t before = into % sizeof *y ? n : into ? (sizeof(VECTOR) - into) / sizeof *y : 0;
    size_t i = before < n ? before : n;
    memcpy(y, x, i * sizeof *y);
    for (; i + VECTOR_LANES <= n; i += VECTOR_LANES)
        v_stream(y + i, v_load(x + i));
    memcpy(y + i, x + i, (n - i) * sizeof *y);
}
