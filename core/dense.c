#include "dense.h"

#include <math.h>
#include <string.h>

#include "memory.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define FQ_DENSE_AVX2 1
#include <immintrin.h>
#else
#define FQ_DENSE_AVX2 0
#endif

enum { TILE_ROWS = 16, TILE_VECTORS = 6 };

fq_status fq_dense_init(fq_dense *matrix, size_t rows, size_t cols) {
    if (rows < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "rows", rows, "at least 1");
    if (cols < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "cols", cols, "at least 1");
    fq_dense made = {.rows = rows, .cols = cols};
    made.stride = (rows + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
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

#if FQ_DENSE_AVX2
/* One tile: 16 rows of A by VECTORS vectors, all sums in registers. */
#define FQ_DENSE_TILE(VECTORS)                                                                     \
    __attribute__((target("avx2,fma"))) static void tile_##VECTORS(                                \
        const float *a, size_t stride, size_t cols, const float *x, float *out) {                  \
        __m256 low[VECTORS], high[VECTORS];                                                        \
        for (int v = 0; v < VECTORS; v++)                                                          \
            low[v] = high[v] = _mm256_setzero_ps();                                                \
        for (size_t j = 0; j < cols; j++, a += stride) {                                           \
            const __m256 a_low = _mm256_loadu_ps(a), a_high = _mm256_loadu_ps(a + 8);              \
            for (int v = 0; v < VECTORS; v++) {                                                    \
                const __m256 value = _mm256_broadcast_ss(x + (size_t)v * cols + j);                \
                low[v] = _mm256_fmadd_ps(a_low, value, low[v]);                                    \
                high[v] = _mm256_fmadd_ps(a_high, value, high[v]);                                 \
            }                                                                                      \
        }                                                                                          \
        for (int v = 0; v < VECTORS; v++) {                                                        \
            _mm256_storeu_ps(out + TILE_ROWS * v, low[v]);                                         \
            _mm256_storeu_ps(out + TILE_ROWS * v + 8, high[v]);                                    \
        }                                                                                          \
    }
FQ_DENSE_TILE(1)
FQ_DENSE_TILE(6)
#undef FQ_DENSE_TILE

static void apply_avx2(const fq_dense *matrix, float *y, const float *x, size_t n) {
    const size_t rows = matrix->rows, cols = matrix->cols;
    for (size_t v = 0; v < n;) {
        const size_t vectors = n - v >= TILE_VECTORS ? TILE_VECTORS : 1;
        for (size_t i = 0; i < rows; i += TILE_ROWS) {
            float out[TILE_ROWS * TILE_VECTORS];
            if (vectors == TILE_VECTORS)
                tile_6(matrix->by_column + i, matrix->stride, cols, x + v * cols, out);
            else
                tile_1(matrix->by_column + i, matrix->stride, cols, x + v * cols, out);
            const size_t width = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
            for (size_t t = 0; t < vectors; t++)
                memcpy(y + (v + t) * rows + i, out + TILE_ROWS * t, width * sizeof *y);
        }
        v += vectors;
    }
}
#endif

void fq_dense_apply(const fq_dense *matrix, float *y, const float *x, size_t n) {
#if FQ_DENSE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        apply_avx2(matrix, y, x, n);
        return;
    }
#endif
    fq_dense_apply_ref(matrix, y, x, n);
}
