/* NEON: four points a vector. */
#if defined(__aarch64__)
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET
#define VECTOR                  float32x4_t
#define VECTOR_LANES            4
#define v_set(value)            vdupq_n_f32(value)
#define v_load(from)            vld1q_f32(from)
#define v_broadcast(from)       vld1q_dup_f32(from)
#define v_store(to, a)          vst1q_f32(to, a)
#define v_store_bits(to, a)     vst1q_u32(to, vreinterpretq_u32_f32(a))
#define v_multiply_add(a, b, c) vfmaq_f32(c, a, b)
#define v_max(a, b)             vmaxq_f32(a, b)

static inline __attribute__((always_inline)) void v_keep(float32x4_t *best, float32x4_t *id,
                                                         float32x4_t score, int32_t g) {
    const uint32x4_t better = vcgtq_f32(score, *best);
    *best = vmaxq_f32(*best, score);
    *id = vbslq_f32(better, vreinterpretq_f32_s32(vdupq_n_s32(g)), *id);
}

static inline __attribute__((always_inline)) uint32_t
first_of_eight(const float *lanes, const float *offset, const float *x, float most, size_t block) {
    float score[8];
    uint32_t w = 0;
    for (size_t i = 0; i < 8; i += 4) {
        float32x4_t s = vld1q_f32(offset + i);
        for (size_t j = 0; j < block; j++)
            s = vfmaq_f32(s, vld1q_dup_f32(x + j), vld1q_f32(lanes + 8 * j + i));
        vst1q_f32(score + i, s);
    }
    while (w < 7 && score[w] != most)
        w++;
    return w;
}

#include "cpu.h"
#include "search_kernel_vector.h"

const fq_search_kernels fq_search_kernels_neon = {
    .path = FQ_SEARCH_NEON,
    .needs = FQ_CPU_NEON,
    .nearest = nearest_points,
};
#else
typedef int fq_search_kernel_neon_is_empty;
#endif
