/* AVX-512: sixteen rows of a matrix, or coordinates of a transform, at a time; the rest by AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"
#include "vector_kernels.h"
#include "vector_kernels_x86.h"

#define TARGET                  __attribute__((target("avx512f,avx2,fma")))
#define ALWAYS_INLINE           inline __attribute__((always_inline))
#define VECTOR                  __m512
#define VECTOR_LANES            16
#define PARTS_VECTORS           12
#define DENSE_VECTORS           12
#define DENSE_SUMS              12
#define HADAMARD_VECTORS        16
#define v_set(value)            _mm512_set1_ps(value)
#define v_load(from)            _mm512_loadu_ps(from)
#define v_store(to, a)          _mm512_storeu_ps(to, a)
#define v_stream(to, a)         _mm512_stream_ps(to, a)
#define v_broadcast(from)       _mm512_set1_ps(*(from))
#define v_multiply_add(a, b, c) _mm512_fmadd_ps(a, b, c)

#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define fallback    fq_vector_hadamard_avx2

/* The partner plus or minus the lane itself: a lane with the stride's bit set is subtracted. */
TARGET static ALWAYS_INLINE __m512 v_butterfly(__m512 x, size_t stride) {
    if (stride == 1)
        return _mm512_fmadd_ps(x, _mm512_setr_ps(1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1),
                               _mm512_permute_ps(x, 0xb1));
    if (stride == 2)
        return _mm512_fmadd_ps(x, _mm512_setr_ps(1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1),
                               _mm512_permute_ps(x, 0x4e));
    if (stride == 4)
        return _mm512_fmadd_ps(x, _mm512_setr_ps(1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1),
                               _mm512_shuffle_f32x4(x, x, 0xb1));
    return _mm512_fmadd_ps(x, _mm512_setr_ps(1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1),
                           _mm512_shuffle_f32x4(x, x, 0x4e));
}

#include "dense_parts_vector.h"
#include "dense_vector.h"
#include "hadamard_vector.h"

const fq_vector_kernels fq_vector_kernels_avx512 = {
    .name = "avx512",
    .needs = FQ_CPU_AVX2 | FQ_CPU_AVX512F,
    .dense = dense,
    .dense_parts = dense_parts,
    .sum_rows = sum_rows,
    .hadamard = hadamard,
    .hadamard_beyond = hadamard_beyond,
    .dot = fq_vector_dot_avx2,
    .scale = fq_vector_scale_avx2,
    .expand_bytes = fq_vector_expand_bytes_avx2,
    .copy_beyond = copy_beyond,
    .fence = fq_vector_fence_x86,
    .expand = fq_vector_expand_avx2,
    .pack = fq_vector_pack_avx2,
};
#else
typedef int fq_vector_kernels_avx512_is_empty;
#endif
