/* AVX2, two vectors at a time, one in each half of a register: byte shuffles take a payload's bytes to 16
 * places and labels from them (trellis_avx2.h), and pairs of bytes side by side bring places in order. */
#include "trellis_decode.h"

#if defined(__x86_64__)
#include <string.h>

#include "trellis_avx2.h"

enum {
    CHUNK = FQ_TRELLIS_DECODE_CHUNK,
    GROUP = 16,
    GROUPS = CHUNK / GROUP,
    SEGMENTS_MAX = FQ_TRELLIS_DECODE_PAYLOAD_MAX / 16
};

/* Two payloads, sixteen bytes of each side by side. */
typedef struct payloads {
    size_t segments;
    __m256i segment[SEGMENTS_MAX];
} payloads;

/* The payloads' bytes that 16 places name. */
TARGET static ALWAYS_INLINE __m256i gather(const payloads *p, const uint8_t *place) {
    const __m256i at = sixteen(place);
    if (p->segments == 1)
        return _mm256_shuffle_epi8(p->segment[0], at);
    __m256i byte = _mm256_setzero_si256();
    for (size_t s = 0; s < p->segments; s++) {
        /* Of this segment: 0x70 to 0x7f, which shuffles; of another: 0x80 or more, which gives zero. */
        const __m256i here =
            _mm256_add_epi8(_mm256_xor_si256(at, _mm256_set1_epi8((char)(16 * s))), _mm256_set1_epi8(0x70));
        byte = _mm256_or_si256(byte, _mm256_shuffle_epi8(p->segment[s], here));
    }
    return byte;
}

/* The labels of the 16 places of a group, whose first and last eight may be of two functions. */
TARGET static ALWAYS_INLINE __m256i read_labels(const fq_trellis_places *places, const payloads *p,
                                                size_t chunk, size_t group, bool two) {
    __m256i label = _mm256_setzero_si256();
    for (size_t r = 0; r < places->reach; r++) {
        const nibbles byte = nibbles_of(gather(p, places->byte[chunk][r] + GROUP * group));
        __m256i product = multiply(byte, places->nibble[r][2 * group]);
        if (two)
            product = _mm256_blend_epi32(product, multiply(byte, places->nibble[r][2 * group + 1]), 0xcc);
        label = _mm256_xor_si256(label, product);
    }
    return label;
}

/* Sixteens of bytes a, b, c, d of each vector become those of a and c, then of b and d, side by side: places'
 * numbers turn left by a bit. */
TARGET static ALWAYS_INLINE void riffle(__m256i x[GROUPS]) {
    const __m256i a = x[0], b = x[1], c = x[2], d = x[3];
    x[0] = _mm256_unpacklo_epi8(a, c);
    x[1] = _mm256_unpackhi_epi8(a, c);
    x[2] = _mm256_unpacklo_epi8(b, d);
    x[3] = _mm256_unpackhi_epi8(b, d);
}

/* Up to 16 levels, times scale, to float32. */
TARGET static ALWAYS_INLINE void store_levels(float *y, size_t count, __m128i level, __m256 scale) {
    const __m256 low = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(level)), scale),
                 high =
                     _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(level, 8))), scale);
    if (count >= GROUP) {
        _mm256_storeu_ps(y, low);
        _mm256_storeu_ps(y + 8, high);
        return;
    }
    float part[GROUP];
    _mm256_storeu_ps(part, low);
    _mm256_storeu_ps(part + 8, high);
    memcpy(y, part, count * sizeof *y);
}

/* A chunk of two vectors. */
TARGET static ALWAYS_INLINE void decode_chunk(const fq_trellis_decoder *decoder, const payloads *p,
                                              size_t chunk, float *const y[2], const __m256 scale[2],
                                              unsigned bits) {
    const fq_trellis_places *const places = &decoder->places;
    const size_t functions = places->functions, left = decoder->code->dim - CHUNK * chunk;
    __m256i level[GROUPS];
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++)
        level[g] = look_up(places->level, read_labels(places, p, chunk, g, functions == 8), bits);
    for (size_t f = 1; f < functions; f *= 2)
        riffle(level);
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++) {
        const size_t at = GROUP * g;
        if (at >= left)
            break;
        store_levels(y[0] + CHUNK * chunk + at, left - at, _mm256_castsi256_si128(level[g]), scale[0]);
        store_levels(y[1] + CHUNK * chunk + at, left - at, _mm256_extracti128_si256(level[g], 1), scale[1]);
    }
}

#define DECODE(bits) decode_chunk(decoder, p, chunk, y, scale, bits)

TARGET static void decode_pair(const fq_trellis_decoder *decoder, const payloads *p, float *const y[2],
                               const __m256 scale[2]) {
    for (size_t chunk = 0; chunk * CHUNK < decoder->code->dim; chunk++)
        if (decoder->code->map.label_bits <= 6)
            DECODE(6);
        else if (decoder->code->map.label_bits == 7)
            DECODE(7);
        else
            DECODE(8);
}

TARGET static ALWAYS_INLINE __m256i side_by_side(const uint8_t *a, const uint8_t *b) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)a)),
                                   _mm_loadu_si128((const __m128i *)(const void *)b), 1);
}

TARGET void fq_trellis_decode_avx2(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                                   const uint8_t *codes, size_t stride, const float *norms, size_t n) {
    const size_t bytes = decoder->code->payload_bytes, segments = (bytes + 15) / 16;
    for (size_t i = 0; i < n; i += 2) {
        const size_t second = i + 1 < n ? i + 1 : i; /* a last one alone is done twice */
        const uint8_t *from[2] = {codes + i * stride, codes + second * stride};
        uint8_t copy[2][FQ_TRELLIS_DECODE_PAYLOAD_MAX];
        payloads p = {.segments = segments};
        if ((n - 1 - second) * stride + bytes < 16 * segments) /* nothing behind the last one is read */
            for (size_t k = 0; k < 2; k++)
                from[k] = memcpy(copy[k], from[k], bytes);
        for (size_t s = 0; s < segments; s++)
            p.segment[s] = side_by_side(from[0] + 16 * s, from[1] + 16 * s);
        float *const to[2] = {y + i * y_stride, y + second * y_stride};
        const __m256 scale[2] = {_mm256_set1_ps(norms[i] * decoder->code->unit),
                                 _mm256_set1_ps(norms[second] * decoder->code->unit)};
        decode_pair(decoder, &p, to, scale);
    }
}
#endif
