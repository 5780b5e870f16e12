/* AVX2 and FMA: eight lanes. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "vector_kernels.h"
#include "vector_kernels_x86.h"

#define TARGET __attribute__((target("avx2,fma")))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define VECTOR __m256
#define VECTOR_LANES 8
#define DENSE_VECTORS 6
#define DENSE_SUMS 12
#define HADAMARD_VECTORS 8
#define v_set(value) _mm256_set1_ps(value)
#define v_load(from) _mm256_loadu_ps(from)
#define v_store(to, a) _mm256_storeu_ps(to, a)
#define v_broadcast(from) _mm256_broadcast_ss(from)
#define v_multiply_add(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define fallback fq_vector_kernels_portable.hadamard

/* The partner plus or minus the lane itself. */
TARGET static ALWAYS_INLINE __m256 v_butterfly(__m256 x, size_t stride) {
    if (stride == 1)
        return _mm256_fmadd_ps(x, _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1), _mm256_permute_ps(x, 0xb1));
    if (stride == 2)
        return _mm256_fmadd_ps(x, _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1), _mm256_permute_ps(x, 0x4e));
    return _mm256_fmadd_ps(x, _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1), _mm256_permute2f128_ps(x, x, 1));
}

#include "dense_vector.h"
#include "hadamard_vector.h"

void fq_vector_hadamard_avx2(float *y, const float *x, size_t n, size_t p, const float *before,
                             const float *after) {
    hadamard(y, x, n, p, before, after);
}

TARGET static ALWAYS_INLINE __m256d doubles(const float *x) { return _mm256_cvtps_pd(_mm_loadu_ps(x)); }

TARGET double fq_vector_dot_avx2(const float *a, const float *b, size_t n) {
    __m256d low = _mm256_setzero_pd(), high = low;
    double lane[8];
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        low = _mm256_fmadd_pd(doubles(a + i), doubles(b + i), low); /* the products are exact: fused or not */
        high = _mm256_fmadd_pd(doubles(a + i + 4), doubles(b + i + 4), high);
    }
    _mm256_storeu_pd(lane, low);
    _mm256_storeu_pd(lane + 4, high);
    for (; i < n; i++)
        lane[i % 8] += (double)a[i] * (double)b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

TARGET void fq_vector_scale_avx2(float *y, const float *x, double factor, size_t n) {
    const __m256d by = _mm256_set1_pd(factor);
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        _mm_storeu_ps(y + i, _mm256_cvtpd_ps(_mm256_mul_pd(doubles(x + i), by)));
    for (; i < n; i++)
        y[i] = (float)((double)x[i] * factor);
}

/* Two rows of two numbers. */
TARGET static ALWAYS_INLINE __m128 row_pair(const float *table, size_t a, size_t b) {
    const __m128 low = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)(table + 2 * a)));
    return _mm_loadh_pi(low, (const __m64 *)(const void *)(table + 2 * b));
}

TARGET static ALWAYS_INLINE void row_of_four(float *y, const float *table, size_t index, __m256 by) {
    _mm_storeu_ps(y, _mm_mul_ps(_mm_loadu_ps(table + 4 * index), _mm256_castps256_ps128(by)));
}

TARGET static ALWAYS_INLINE void row_of_eights(float *y, const float *table, size_t index, size_t width, __m256 by) {
    for (size_t j = 0; j < width; j += 8)
        _mm256_storeu_ps(y + j, _mm256_mul_ps(_mm256_loadu_ps(table + width * index + j), by));
}

/* Four rows a turn. */
#define EXPAND_ROWS(WIDTH, ROW)                         \
    for (; count >= 4; count -= 4, index += 4) {        \
        ROW(y, index[0]);                               \
        ROW(y + (WIDTH), index[1]);                     \
        ROW(y + 2 * (WIDTH), index[2]);                 \
        ROW(y + 3 * (WIDTH), index[3]);                 \
        y += 4 * (WIDTH);                               \
    }                                                   \
    break
#define ROW_OF_FOUR(to, i) row_of_four(to, table, i, by)
#define ROW_OF_8(to, i) row_of_eights(to, table, i, 8, by)
#define ROW_OF_16(to, i) row_of_eights(to, table, i, 16, by)
#define ROW_OF_EIGHTS(to, i) row_of_eights(to, table, i, width, by)

/* Rows of 2, 4 or a multiple of 8 numbers; what is left as plain C has it. */
#define EXPAND(NAME, INDEX, REST)                                                                                  \
    TARGET void NAME(float *y, const INDEX *index, size_t count, const float *table, size_t width, float factor) { \
        const __m256 by = _mm256_set1_ps(factor);                                                                  \
        switch (width) {                                                                                           \
        case 2:                                                                                                    \
            for (; count >= 4; count -= 4, index += 4, y += 8) {                                                   \
                const __m128 low = row_pair(table, index[0], index[1]), high = row_pair(table, index[2], index[3]); \
                _mm_storeu_ps(y, _mm_mul_ps(low, _mm256_castps256_ps128(by)));                                     \
                _mm_storeu_ps(y + 4, _mm_mul_ps(high, _mm256_castps256_ps128(by)));                                \
            }                                                                                                      \
            break;                                                                                                 \
        case 4: EXPAND_ROWS(4, ROW_OF_FOUR);                                                                       \
        case 8: EXPAND_ROWS(8, ROW_OF_8);                                                                          \
        case 16: EXPAND_ROWS(16, ROW_OF_16);                                                                       \
        default:                                                                                                   \
            if (width % 8)                                                                                         \
                break;                                                                                             \
            EXPAND_ROWS(width, ROW_OF_EIGHTS);                                                                     \
        }                                                                                                          \
        if (count)                                                                                                 \
            fq_vector_kernels_portable.REST(y, index, count, table, width, factor);                                \
    }

EXPAND(fq_vector_expand_bytes_avx2, uint8_t, expand_bytes)
EXPAND(fq_vector_expand_avx2, uint32_t, expand)

const fq_vector_kernels fq_vector_kernels_avx2 = {
    .name = "avx2",
    .dense = dense,
    .hadamard = hadamard,
    .dot = fq_vector_dot_avx2,
    .scale = fq_vector_scale_avx2,
    .expand_bytes = fq_vector_expand_bytes_avx2,
    .expand = fq_vector_expand_avx2,
};
#else
typedef int fq_vector_kernels_avx2_is_empty;
#endif
