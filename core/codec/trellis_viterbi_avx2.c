/* AVX2: sixteen vectors at a time. A comparison's mask has two bits for each lane. */
#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET             __attribute__((target("avx2")))
#define NEEDS              FQ_CPU_AVX2
#define LANES              16
#define SPREAD             1
#define VECTOR             __m256i
#define v_load(from)       _mm256_load_si256((const __m256i *)(const void *)(from))
#define v_store(to, a)     _mm256_store_si256((__m256i *)(void *)(to), a)
#define v_set(a)           _mm256_set1_epi16(a)
#define v_add(a, b)        _mm256_adds_epi16(a, b)
#define v_sub(a, b)        _mm256_subs_epi16(a, b)
#define v_min(a, b)        _mm256_min_epi16(a, b)
#define v_max(a, b)        _mm256_max_epi16(a, b)
#define v_shift_left(a, h) _mm256_sll_epi16(a, _mm_cvtsi32_si128((int)(h)))
#define v_square_high(a)   _mm256_mulhi_epi16(a, a)
#define v_less(a, b)       (uint32_t) _mm256_movemask_epi8(_mm256_cmpgt_epi16(b, a))
#define KERNELS            fq_trellis_kernels_avx2
#define NAME               "avx2"

#include "trellis_viterbi_vector.h"
#else
typedef int fq_trellis_viterbi_avx2_is_empty;
#endif
