/* AVX-512: sixteen rows of a matrix at a time; the rest by AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "vector_kernels.h"
#include "vector_kernels_x86.h"

#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define VECTOR __m512
#define VECTOR_LANES 16
#define DENSE_VECTORS 12
#define DENSE_SUMS 12
#define v_set(value) _mm512_set1_ps(value)
#define v_load(from) _mm512_loadu_ps(from)
#define v_store(to, a) _mm512_storeu_ps(to, a)
#define v_broadcast(from) _mm512_set1_ps(*(from))
#define v_multiply_add(a, b, c) _mm512_fmadd_ps(a, b, c)

#include "dense_vector.h"

const fq_vector_kernels fq_vector_kernels_avx512 = {
    .name = "avx512",
    .dense = dense,
    .hadamard = fq_vector_hadamard_avx2,
    .dot = fq_vector_dot_avx2,
    .scale = fq_vector_scale_avx2,
    .expand_bytes = fq_vector_expand_bytes_avx2,
    .copy_beyond = fq_vector_copy_beyond_avx2,
    .fence = fq_vector_fence_x86,
    .expand = fq_vector_expand_avx2,
    .pack = fq_vector_pack_avx2,
};
#else
typedef int fq_vector_kernels_avx512_is_empty;
#endif
