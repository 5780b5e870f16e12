/* AVX-512: sixteen points a vector. */
#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET                  __attribute__((target("avx512f,avx2,fma")))
#define VECTOR                  __m512
#define VECTOR_LANES            16
#define v_set(value)            _mm512_set1_ps(value)
#define v_load(from)            _mm512_load_ps(from)
#define v_broadcast(from)       _mm512_set1_ps(*(from))
#define v_store(to, a)          _mm512_storeu_ps(to, a)
#define v_store_bits(to, a)     _mm512_storeu_si512(to, _mm512_castps_si512(a))
#define v_multiply_add(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_max(a, b)             _mm512_max_ps(a, b)

#include <stdint.h>
TARGET static inline __attribute__((always_inline)) void v_keep(__m512 *best, __m512 *id, __m512 score,
                                                                int32_t g) {
    const __mmask16 better = _mm512_cmp_ps_mask(score, *best, _CMP_GT_OQ);
    *best = _mm512_max_ps(*best, score);
    *id = _mm512_mask_blend_ps(better, *id, _mm512_castsi512_ps(_mm512_set1_epi32(g)));
}

#include "cpu.h"
#include "search_kernel_vector.h"

const fq_search_kernels fq_search_kernels_avx512 = {
    .path = FQ_SEARCH_AVX512,
    .needs = FQ_CPU_AVX2 | FQ_CPU_AVX512F,
    .nearest = nearest_points,
};
#else
typedef int fq_search_kernel_avx512_is_empty;
#endif
