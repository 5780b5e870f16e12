/* AVX-512 with GFNI and VBMI: the payload's bytes go to 64 places by a permutation, labels come from them by
 * products of bit matrices, and permutations of bytes turn labels to levels and put them in order. */
#include "trellis_decode.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")))
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { CHUNK = FQ_TRELLIS_DECODE_CHUNK };

TARGET static ALWAYS_INLINE __m512i load(const void *from) {
    return _mm512_loadu_si512(from);
}

/* A mask of the first n of 64. */
static ALWAYS_INLINE __mmask64 first(size_t n) {
    return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

/* The levels of a chunk's coordinates in order, from a payload in two vectors. */
TARGET static ALWAYS_INLINE __m512i read_levels(const fq_trellis_places *places, size_t chunk,
                                                const __m512i payload[2], bool wide, unsigned bits) {
    __m512i label = _mm512_setzero_si512();
    for (size_t r = 0; r < places->reach; r++) {
        const __m512i from = load(places->byte[chunk][r]);
        const __m512i byte = wide ? _mm512_permutex2var_epi8(payload[0], from, payload[1])
                                  : _mm512_permutexvar_epi8(from, payload[0]);
        label = _mm512_xor_si512(label, _mm512_gf2p8affine_epi64_epi8(byte, load(places->matrix[r]), 0));
    }
    label = _mm512_permutexvar_epi8(load(places->order), label);
    const __m512i low = _mm512_permutex2var_epi8(load(places->level), label, load(places->level + 64));
    if (bits <= 7)
        return low;
    return _mm512_mask_blend_epi8(
        _mm512_movepi8_mask(label), low,
        _mm512_permutex2var_epi8(load(places->level + 128), label, load(places->level + 192)));
}

/* Up to 64 levels, times scale, to float32. */
TARGET static ALWAYS_INLINE void store_levels(float *y, size_t count, __m512i level, __m512 scale) {
    const __m128i part[4] = {_mm512_castsi512_si128(level), _mm512_extracti32x4_epi32(level, 1),
                             _mm512_extracti32x4_epi32(level, 2), _mm512_extracti32x4_epi32(level, 3)};
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        const __m512 number = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(part[i])), scale);
        if (count >= 16 * (i + 1))
            _mm512_storeu_ps(y + 16 * i, number);
        else if (count > 16 * i)
            _mm512_mask_storeu_ps(y + 16 * i, (__mmask16)first(count - 16 * i), number);
    }
}

TARGET void fq_trellis_decode_avx512(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                                     const uint8_t *payloads, size_t stride, const float *norms, size_t n) {
    const fq_trellis_places *const places = &decoder->places;
    const fq_trellis_code *const code = decoder->code;
    const size_t bytes = code->payload_bytes, d = code->dim;
    const __mmask64 low = first(bytes), high = bytes > 64 ? first(bytes - 64) : 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *const at = payloads + i * stride;
        const __m512i payload[2] = {_mm512_maskz_loadu_epi8(low, at),
                                    high ? _mm512_maskz_loadu_epi8(high, at + 64) : _mm512_setzero_si512()};
        const __m512 scale = _mm512_set1_ps(norms[i] * code->unit);
        for (size_t chunk = 0; chunk * CHUNK < d; chunk++)
            store_levels(y + i * y_stride + chunk * CHUNK, d - chunk * CHUNK,
                         read_levels(places, chunk, payload, bytes > 64, code->map.label_bits), scale);
    }
}
#endif
