/* Plain C: what the other instruction sets are compared with, and what processors without them run. */
#include <math.h>
#include <string.h>

#include "hadamard.h"
#include "vector_kernels.h"

/* y may be x. */
static void flip(float *y, const float *x, const float *signs, size_t p) {
    for (size_t i = 0; i < p; i++)
        y[i] = x[i] * signs[i] + 0.0F;
}

static void hadamard(float *y, const float *x, size_t n, size_t p, const float *before, const float *after) {
    for (size_t i = 0; i < n; i++, x += p, y += p) {
        if (before)
            flip(y, x, before, p);
        else
            memmove(y, x, p * sizeof *y);
        fq_hadamard_ref(y, p);
        if (after)
            flip(y, y, after, p);
    }
}

static void hadamard_beyond(float *y, float *x, size_t n, size_t p, const float *after) {
    hadamard(y, x, n, p, NULL, after);
}

static double dot(const float *a, const float *b, size_t n) {
    double lane[8] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 8] += (double)a[i] * (double)b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

static void scale(float *y, const float *x, double factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((double)x[i] * factor);
}

static inline void rows(float *y, const uint32_t *index, size_t count, const float *table, size_t width,
                        float factor) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            y[i * width + j] = table[index[i] * width + j] * factor;
}

/* Small widths with loops of a fixed length, which compilers unroll. */
static void expand(float *y, const uint32_t *index, size_t count, const float *table, size_t width,
                   float factor) {
    switch (width) { /* sizes that the compiler knows are unrolled */
    case 1:
        rows(y, index, count, table, 1, factor);
        break;
    case 2:
        rows(y, index, count, table, 2, factor);
        break;
    case 4:
        rows(y, index, count, table, 4, factor);
        break;
    case 8:
        rows(y, index, count, table, 8, factor);
        break;
    default:
        rows(y, index, count, table, width, factor);
    }
}

static inline void rows_of_bytes(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                                 const float *scale_of, size_t n, size_t count, const float *table,
                                 size_t width) {
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < width; j++)
                y[v * y_stride + i * width + j] =
                    table[index[v * index_stride + i] * width + j] * scale_of[v];
}

static void expand_bytes(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                         const float *scale_of, size_t n, size_t count, const float *table, size_t width) {
    switch (width) {
    case 4:
        rows_of_bytes(y, y_stride, index, index_stride, scale_of, n, count, table, 4);
        break;
    case 8:
        rows_of_bytes(y, y_stride, index, index_stride, scale_of, n, count, table, 8);
        break;
    default:
        rows_of_bytes(y, y_stride, index, index_stride, scale_of, n, count, table, width);
    }
}

static void sum_rows(float *y, size_t y_stride, size_t width, const uint8_t *index, size_t index_stride,
                     const float *scale_of, size_t n, size_t count, const float *table, bool beyond) {
    (void)beyond;
    for (size_t v = 0; v < n; v++) {
        float sum[FQ_PANEL];
        for (size_t i = 0; i < count; i++) {
            const float *row = table + (i * 256 + index[v * index_stride + i]) * FQ_PANEL;
            for (size_t j = 0; j < FQ_PANEL; j++)
                sum[j] = i ? sum[j] + row[j] : row[j];
        }
        for (size_t j = 0; j < width; j++)
            y[v * y_stride + j] = fmaf(sum[j], scale_of[v], 0);
    }
}

static void copy_beyond(float *y, const float *x, size_t n) {
    memcpy(y, x, n * sizeof *y);
}

static void fence(void) {
} /* ordinary stores need none */

static size_t pack(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width) {
    (void)bytes, (void)index, (void)count, (void)width;
    return 0; /* packing.c packs */
}

const fq_vector_kernels fq_vector_kernels_portable = {
    .name = "portable",
    .dense = fq_dense_apply_ref,
    .dense_parts = fq_dense_apply_parts_ref,
    .sum_rows = sum_rows,
    .hadamard = hadamard,
    .hadamard_beyond = hadamard_beyond,
    .dot = dot,
    .scale = scale,
    .expand_bytes = expand_bytes,
    .expand = expand,
    .copy_beyond = copy_beyond,
    .fence = fence,
    .pack = pack,
};
