#include "dense.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "vector_kernels.h"

enum { ROWS = 16 /* of which every kernel's tiles are made */ };

fq_status fq_dense_init(fq_dense *matrix, size_t rows, size_t cols) {
    if (rows < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "rows", rows, "at least 1");
    if (cols < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "cols", cols, "at least 1");
    fq_dense made = {.rows = rows, .cols = cols};
    made.stride = (rows + ROWS - 1) / ROWS * ROWS;
    size_t elements = 0;
    FQ_TRY(fq_size_multiply(&elements, made.stride, cols, "rows"));
    FQ_TRY(fq_alloc_zero(&made.by_column, elements, sizeof *made.by_column));
    *matrix = made;
    return FQ_OK;
}

void fq_dense_clear(fq_dense *matrix) {
    fq_free(matrix->by_column);
    memset(matrix, 0, sizeof *matrix);
}

void fq_dense_set(fq_dense *matrix, size_t row, size_t col, float value) {
    matrix->by_column[col * matrix->stride + row] = value;
}

void fq_dense_apply_ref(const fq_dense *matrix, float *y, const float *x, size_t n) {
    for (size_t v = 0; v < n; v++) {
        for (size_t i = 0; i < matrix->rows; i++) {
            float sum = 0;
            for (size_t j = 0; j < matrix->cols; j++)
                sum = fmaf(matrix->by_column[j * matrix->stride + i], x[v * matrix->cols + j], sum);
            y[v * matrix->rows + i] = sum;
        }
    }
}

void fq_dense_apply(const fq_dense *matrix, float *y, const float *x, size_t n) {
    fq_vector_kernels_best()->dense(matrix, y, x, n);
}

void fq_dense_apply_parts_ref(const fq_dense *matrix, float *y, const float *x, size_t n, size_t part,
                              const float *scale) {
    for (size_t v = 0; v < n; v++) {
        for (size_t i = 0; i < matrix->rows; i++) {
            float sum = 0;
            for (size_t first = 0; first < matrix->cols; first += part) {
                float chain = 0;
                for (size_t j = first; j < first + part; j++)
                    chain = fmaf(matrix->by_column[j * matrix->stride + i], x[v * matrix->cols + j], chain);
                sum = first ? sum + chain : chain;
            }
            y[v * matrix->rows + i] = fmaf(sum, scale[v], 0);
        }
    }
}

void fq_dense_apply_parts(const fq_dense *matrix, float *y, const float *x, size_t n, size_t part,
                          const float *scale) {
    fq_vector_kernels_best()->dense_parts(matrix, y, x, n, part, scale);
}
