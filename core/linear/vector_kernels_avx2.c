/* AVX2 and FMA: eight lanes. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"
#include "vector_kernels.h"
#include "vector_kernels_x86.h"

#define TARGET                  __attribute__((target("avx2,fma")))
#define ALWAYS_INLINE           inline __attribute__((always_inline))
#define VECTOR                  __m256
#define VECTOR_LANES            8
#define PARTS_VECTORS           3
#define DENSE_VECTORS           6
#define DENSE_SUMS              12
#define HADAMARD_VECTORS        8
#define v_set(value)            _mm256_set1_ps(value)
#define v_load(from)            _mm256_loadu_ps(from)
#define v_store(to, a)          _mm256_storeu_ps(to, a)
#define v_stream(to, a)         _mm256_stream_ps(to, a)
#define v_broadcast(from)       _mm256_broadcast_ss(from)
#define v_multiply_add(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_add(a, b)             _mm256_add_ps(a, b)
#define v_sub(a, b)             _mm256_sub_ps(a, b)
#define v_mul(a, b)             _mm256_mul_ps(a, b)
#define fallback                fq_vector_kernels_portable.hadamard

/* The partner plus or minus the lane itself. */
TARGET static ALWAYS_INLINE __m256 v_butterfly(__m256 x, size_t stride) {
    if (stride == 1)
        return _mm256_fmadd_ps(x, _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1), _mm256_permute_ps(x, 0xb1));
    if (stride == 2)
        return _mm256_fmadd_ps(x, _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1), _mm256_permute_ps(x, 0x4e));
    return _mm256_fmadd_ps(x, _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1), _mm256_permute2f128_ps(x, x, 1));
}

#include "dense_parts_vector.h"
#include "dense_vector.h"
#include "hadamard_vector.h"

void fq_vector_hadamard_avx2(float *y, const float *x, size_t n, size_t p, const float *before,
                             const float *after) {
    hadamard(y, x, n, p, before, after);
}

TARGET static ALWAYS_INLINE __m256d doubles(const float *x) {
    return _mm256_cvtps_pd(_mm_loadu_ps(x));
}

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

TARGET static ALWAYS_INLINE void two_rows_of_four(float *y, const float *table, size_t a, size_t b,
                                                  __m256 by) {
    const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(table + 4 * a));
    _mm256_storeu_ps(y, _mm256_mul_ps(_mm256_insertf128_ps(low, _mm_loadu_ps(table + 4 * b), 1), by));
}

TARGET static ALWAYS_INLINE void row_of_eights(float *y, const float *table, size_t index, size_t width,
                                               __m256 by) {
    for (size_t j = 0; j < width; j += 8)
        _mm256_storeu_ps(y + j, _mm256_mul_ps(_mm256_loadu_ps(table + width * index + j), by));
}

/* Four rows of 4 or of a multiple of 8 numbers. */
#define FOUR_ROWS(y, table, index, width, by)                                                                \
    if ((width) == 4) {                                                                                      \
        two_rows_of_four(y, table, (index)[0], (index)[1], by);                                              \
        two_rows_of_four((y) + 8, table, (index)[2], (index)[3], by);                                        \
    } else {                                                                                                 \
        for (size_t r = 0; r < 4; r++)                                                                       \
            row_of_eights((y) + r * (width), table, (index)[r], width, by);                                  \
    }

TARGET static ALWAYS_INLINE size_t fours(float *y, const uint32_t *index, size_t count, const float *table,
                                         size_t width, __m256 by) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        FOUR_ROWS(y + i * width, table, index + i, width, by)
    }
    return i;
}

TARGET static ALWAYS_INLINE size_t twos(float *y, const uint32_t *index, size_t count, const float *table,
                                        __m256 by) {
    size_t i = 0;
    for (; i + 2 <= count; i += 2)
        _mm_storeu_ps(y + 2 * i,
                      _mm_mul_ps(row_pair(table, index[i], index[i + 1]), _mm256_castps256_ps128(by)));
    return i;
}

TARGET void fq_vector_expand_avx2(float *y, const uint32_t *index, size_t count, const float *table,
                                  size_t width, float factor) {
    const __m256 by = _mm256_set1_ps(factor);
    size_t done = 0;
    if (width == 2)
        done = twos(y, index, count, table, by);
    else if (width == 4)
        done = fours(y, index, count, table, 4, by);
    else if (width == 8)
        done = fours(y, index, count, table, 8, by);
    else if (width % 8 == 0)
        done = fours(y, index, count, table, width, by);
    if (done < count) /* what is left, and other widths */
        fq_vector_kernels_portable.expand(y + done * width, index + done, count - done, table, width, factor);
}

/* Of vectors of a multiple of four indices. */
TARGET static ALWAYS_INLINE void byte_rows(float *y, size_t y_stride, const uint8_t *index,
                                           size_t index_stride, const float *scale, size_t n, size_t count,
                                           const float *table, size_t width) {
    for (size_t v = 0; v < n; v++, y += y_stride, index += index_stride) {
        const __m256 by = _mm256_broadcast_ss(scale + v);
        for (size_t i = 0; i < count; i += 4) {
            FOUR_ROWS(y + i * width, table, index + i, width, by)
        }
    }
}

TARGET void fq_vector_expand_bytes_avx2(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                                        const float *scale, size_t n, size_t count, const float *table,
                                        size_t width) {
    if (count % 4 == 0 && width == 4)
        byte_rows(y, y_stride, index, index_stride, scale, n, count, table, 4);
    else if (count % 4 == 0 && width == 8)
        byte_rows(y, y_stride, index, index_stride, scale, n, count, table, 8);
    else if (count % 4 == 0 && width % 8 == 0)
        byte_rows(y, y_stride, index, index_stride, scale, n, count, table, width);
    else
        fq_vector_kernels_portable.expand_bytes(y, y_stride, index, index_stride, scale, n, count, table,
                                                width);
}

void fq_vector_fence_x86(void) {
    _mm_sfence();
}

/* Sixteen indices as bytes, in order. */
TARGET static ALWAYS_INLINE __m128i sixteen_bytes(const uint32_t *index) {
    const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)index);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(index + 8));
    const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
    return _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

/* Sixteen indices at a time, as bytes, then by pairs and fours. */
TARGET size_t fq_vector_pack_avx2(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width) {
    const __m128i fourth = _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    size_t i = 0;
    for (; i + 16 <= count; i += 16, bytes += 2 * (size_t)width) {
        const __m128i each = sixteen_bytes(index + i);
        if (width == 8) {
            _mm_storeu_si128((__m128i *)(void *)bytes, each);
        } else if (width == 4) { /* low + 16 high */
            const __m128i pairs = _mm_maddubs_epi16(each, _mm_set1_epi16(0x1001));
            _mm_storel_epi64((__m128i *)(void *)bytes, _mm_packus_epi16(pairs, pairs));
        } else if (width == 2) {
            const __m128i pairs = _mm_maddubs_epi16(each, _mm_set1_epi16(0x0401));
            const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00100001));
            const int word = _mm_cvtsi128_si32(_mm_shuffle_epi8(fours, fourth));
            memcpy(bytes, &word, 4);
        } else {
            const uint16_t bits = (uint16_t)_mm_movemask_epi8(_mm_slli_epi16(each, 7));
            memcpy(bytes, &bits, 2);
        }
    }
    return i;
}

const fq_vector_kernels fq_vector_kernels_avx2 = {
    .name = "avx2",
    .needs = FQ_CPU_AVX2,
    .dense = dense,
    .dense_parts = dense_parts,
    .sum_rows = sum_rows,
    .hadamard = hadamard,
    .hadamard_beyond = hadamard_beyond,
    .dot = fq_vector_dot_avx2,
    .scale = fq_vector_scale_avx2,
    .expand_bytes = fq_vector_expand_bytes_avx2,
    .expand = fq_vector_expand_avx2,
    .copy_beyond = copy_beyond,
    .fence = fq_vector_fence_x86,
    .pack = fq_vector_pack_avx2,
};
#else
typedef int fq_vector_kernels_avx2_is_empty;
#endif
