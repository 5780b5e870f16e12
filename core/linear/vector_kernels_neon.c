/* NEON: four lanes, which compilers also make of the plain loops for looking words up. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <stdbool.h>

#include "cpu.h"
#include "memory.h"
#include "vector_kernels.h"

#define TARGET
#define ALWAYS_INLINE           inline __attribute__((always_inline))
#define VECTOR                  float32x4_t
#define VECTOR_LANES            4
#define PARTS_VECTORS           3
#define DENSE_VECTORS           6
#define DENSE_SUMS              24
#define HADAMARD_VECTORS        16
#define v_set(value)            vdupq_n_f32(value)
#define v_load(from)            vld1q_f32(from)
#define v_store(to, a)          vst1q_f32(to, a)
#define v_stream(to, a)         vst1q_f32(to, a)
#define v_broadcast(from)       vld1q_dup_f32(from)
#define v_multiply_add(a, b, c) vfmaq_f32(c, a, b)
#define v_add(a, b)             vaddq_f32(a, b)
#define v_sub(a, b)             vsubq_f32(a, b)
#define v_mul(a, b)             vmulq_f32(a, b)
#define fallback                fq_vector_kernels_portable.hadamard

/* The partner plus or minus the lane itself. */
static ALWAYS_INLINE float32x4_t v_butterfly(float32x4_t x, size_t stride) {
    static const float one[4] = {1, -1, 1, -1}, two[4] = {1, 1, -1, -1};
    return stride == 1 ? vfmaq_f32(vrev64q_f32(x), x, vld1q_f32(one))
                       : vfmaq_f32(vextq_f32(x, x, 2), x, vld1q_f32(two));
}

#include "dense_parts_vector.h"
#include "dense_vector.h"
#include "hadamard_vector.h"

static double dot(const float *a, const float *b, size_t n) {
    float64x2_t sum[4] = {vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0)};
    double lane[8];
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t l = 0; l < 4; l++)
            sum[l] = vaddq_f64(sum[l], vmulq_f64(vcvt_f64_f32(vld1_f32(a + i + 2 * l)),
                                                 vcvt_f64_f32(vld1_f32(b + i + 2 * l))));
    for (size_t l = 0; l < 4; l++)
        vst1q_f64(lane + 2 * l, sum[l]);
    for (; i < n; i++)
        lane[i % 8] += (double)a[i] * (double)b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

static void scale(float *y, const float *x, double factor, size_t n) {
    size_t i = 0;
    for (; i + 2 <= n; i += 2)
        vst1_f32(y + i, vcvt_f32_f64(vmulq_n_f64(vcvt_f64_f32(vld1_f32(x + i)), factor)));
    for (; i < n; i++)
        y[i] = (float)((double)x[i] * factor);
}

static void expand_bytes(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                         const float *scale_of, size_t n, size_t count, const float *table, size_t width) {
    if (width % 4) {
        fq_vector_kernels_portable.expand_bytes(y, y_stride, index, index_stride, scale_of, n, count, table,
                                                width);
        return;
    }
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < width; j += 4)
                vst1q_f32(
                    y + v * y_stride + i * width + j,
                    vmulq_n_f32(vld1q_f32(table + width * index[v * index_stride + i] + j), scale_of[v]));
}

static void expand(float *y, const uint32_t *index, size_t count, const float *table, size_t width,
                   float factor) {
    size_t i = 0;
    for (; width % 4 == 0 && i < count; i++)
        for (size_t j = 0; j < width; j += 4)
            vst1q_f32(y + width * i + j, vmulq_n_f32(vld1q_f32(table + width * index[i] + j), factor));
    fq_vector_kernels_portable.expand(y + width * i, index + i, count - i, table, width, factor);
}

static void fence(void) {
} /* ordinary stores need none */

static size_t pack(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width) {
    return fq_vector_kernels_portable.pack(bytes, index, count, width);
}

const fq_vector_kernels fq_vector_kernels_neon = {
    .name = "neon",
    .needs = FQ_CPU_NEON,
    .dense = dense,
    .dense_parts = dense_parts,
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
#else
typedef int fq_vector_kernels_neon_is_empty;
#endif
