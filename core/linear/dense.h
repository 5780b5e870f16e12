/* A small dense float32 matrix times many vectors, with a result defined to the last bit.
 *
 *   y_i = fma(A_{i,c-1}, x_{c-1}, ... fma(A_i1, x_1, fma(A_i0, x_0, 0)))      in float32,
 *
 * so it depends on the row and the vector alone, not on how many vectors are asked for, the number
 * of threads or the processor (a BLAS sgemm promises none of the three). x[n][cols] and y[n][rows]
 * row-major. Immutable after creation; calls are single-threaded, callers split the vectors.
 */
#ifndef FQ_DENSE_H
#define FQ_DENSE_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_dense {
    size_t rows, cols;
    size_t stride;    /* rows rounded up to a multiple of 16 */
    float *by_column; /* [cols][stride]: column j of A together, zeros beyond row rows-1 */
} fq_dense;

/* Room for a matrix of rows x cols zeros; both at least 1. */
FQ_MUST_CHECK fq_status fq_dense_init(fq_dense *matrix, size_t rows, size_t cols);
void fq_dense_clear(fq_dense *matrix); /* accepts a zeroed struct */

/* Sets A_{row,col}. */
void fq_dense_set(fq_dense *matrix, size_t row, size_t col, float value);

/* y[n][rows] = A x for x[n][cols]; no overlap, no alignment needed. n rows cols multiply-adds. */
void fq_dense_apply(const fq_dense *matrix, float *y, const float *x, size_t n);

/* Columns in parts of `part`, which divides cols, each vector times scale_v:
 *
 *   y_i = fma(scale, ((t_0 + t_1) + t_2) + ..., 0),    t_p the sum above over part p's columns alone, from 0,
 *
 * so a part's t_p may as well come from a table. The zero makes -0 plain. */
void fq_dense_apply_parts(const fq_dense *matrix, float *y, const float *x, size_t n, size_t part,
                          const float *scale);
void fq_dense_apply_parts_ref(const fq_dense *matrix, float *y, const float *x, size_t n, size_t part,
                              const float *scale);

/* The definition in plain loops, for tests and for processors without fused multiply-add. */
void fq_dense_apply_ref(const fq_dense *matrix, float *y, const float *x, size_t n);

#ifdef __cplusplus
}
#endif
#endif
