/* AVX2 and FMA: eight points a vector. */
#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET                  __attribute__((target("avx2,fma")))
#define VECTOR                  __m256
#define VECTOR_LANES            8
#define v_set(value)            _mm256_set1_ps(value)
#define v_load(from)            _mm256_load_ps(from)
#define v_broadcast(from)       _mm256_broadcast_ss(from)
#define v_store(to, a)          _mm256_storeu_ps(to, a)
#define v_store_bits(to, a)     _mm256_storeu_si256((__m256i *)(void *)(to), _mm256_castps_si256(a))
#define v_multiply_add(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_max(a, b)             _mm256_max_ps(a, b)

#include <stdint.h>
TARGET static inline __attribute__((always_inline)) void v_keep(__m256 *best, __m256 *id, __m256 score,
                                                                int32_t g) {
    const __m256 better = _mm256_cmp_ps(score, *best, _CMP_GT_OQ);
    *best = _mm256_max_ps(*best, score);
    *id = _mm256_blendv_ps(*id, _mm256_castsi256_ps(_mm256_set1_epi32(g)), better);
}

#include "cpu.h"
#include "search_kernel_vector.h"

const fq_search_kernels fq_search_kernels_avx2 = {
    .path = FQ_SEARCH_AVX2,
    .needs = FQ_CPU_AVX2,
    .nearest = nearest_points,
};
#else
typedef int fq_search_kernel_avx2_is_empty;
#endif
