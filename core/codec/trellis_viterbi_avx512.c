/* AVX-512: thirty-two vectors at a time. */
#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET             __attribute__((target("avx512f,avx512bw")))
#define NEEDS              FQ_CPU_AVX512F | FQ_CPU_AVX512BW
#define LANES              32
#define SPREAD             0
#define VECTOR             __m512i
#define v_load(from)       _mm512_load_si512((const void *)(from))
#define v_store(to, a)     _mm512_store_si512((void *)(to), a)
#define v_set(a)           _mm512_set1_epi16(a)
#define v_add(a, b)        _mm512_adds_epi16(a, b)
#define v_sub(a, b)        _mm512_subs_epi16(a, b)
#define v_min(a, b)        _mm512_min_epi16(a, b)
#define v_max(a, b)        _mm512_max_epi16(a, b)
#define v_shift_left(a, h) _mm512_sll_epi16(a, _mm_cvtsi32_si128((int)(h)))
#define v_square_high(a)   _mm512_mulhi_epi16(a, a)
#define v_less(a, b)       _mm512_cmplt_epi16_mask(a, b)
#define KERNELS            fq_trellis_kernels_avx512
#define NAME               "avx512"

#include "trellis_viterbi_vector.h"
#else
typedef int fq_trellis_viterbi_avx512_is_empty;
#endif
