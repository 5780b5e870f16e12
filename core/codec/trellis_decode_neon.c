/* NEON: table look-ups take a payload's bytes to 16 places and labels from them (trellis_neon.h), and pairs
 * of bytes side by side bring places in order. */
#include "trellis_decode.h"

#if defined(__aarch64__)
#include <string.h>

#include "trellis_neon.h"

enum { CHUNK = FQ_TRELLIS_DECODE_CHUNK, GROUP = 16, GROUPS = CHUNK / GROUP };
_Static_assert((int)FQ_TRELLIS_DECODE_PAYLOAD_MAX == 128, "a payload is two tables of 64 bytes");

/* The payload's bytes that 16 places name. */
static ALWAYS_INLINE uint8x16_t gather(const uint8_t *payload, const uint8_t *place, bool wide) {
    const uint8x16_t at = vld1q_u8(place), low = vqtbl4q_u8(vld1q_u8_x4(payload), at);
    return wide ? vqtbx4q_u8(low, vld1q_u8_x4(payload + 64), vsubq_u8(at, vdupq_n_u8(64))) : low;
}

/* The labels of the 16 places of a group, whose first and last eight may be of two functions. */
static ALWAYS_INLINE uint8x16_t read_labels(const fq_trellis_places *places, const uint8_t *payload,
                                            size_t chunk, size_t group, bool wide) {
    uint8x16_t label = vdupq_n_u8(0);
    for (size_t r = 0; r < places->reach; r++) {
        const uint8x16_t byte = gather(payload, places->byte[chunk][r] + GROUP * group, wide);
        uint8x16_t product = multiply(byte, places->nibble[r][2 * group]);
        if (places->functions == 8)
            product = vcombine_u8(vget_low_u8(product),
                                  vget_high_u8(multiply(byte, places->nibble[r][2 * group + 1])));
        label = veorq_u8(label, product);
    }
    return label;
}

/* Sixteens of bytes a, b, c, d become those of a and c, then of b and d, side by side: places' numbers turn
 * left by a bit. */
static ALWAYS_INLINE void riffle(uint8x16_t x[GROUPS]) {
    const uint8x16_t a = x[0], b = x[1], c = x[2], d = x[3];
    x[0] = vzip1q_u8(a, c);
    x[1] = vzip2q_u8(a, c);
    x[2] = vzip1q_u8(b, d);
    x[3] = vzip2q_u8(b, d);
}

/* Up to 16 levels, times scale, to float32. */
static ALWAYS_INLINE void store_levels(float *y, size_t count, int8x16_t level, float scale) {
    const int16x8_t half[2] = {vmovl_s8(vget_low_s8(level)), vmovl_s8(vget_high_s8(level))};
    float part[GROUP];
    float *const to = count >= GROUP ? y : part;
    for (size_t h = 0; h < 2; h++) {
        vst1q_f32(to + 8 * h, vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(half[h]))), scale));
        vst1q_f32(to + 8 * h + 4, vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_high_s16(half[h]))), scale));
    }
    if (count < GROUP)
        memcpy(y, part, count * sizeof *y);
}

static ALWAYS_INLINE void decode_chunk(const fq_trellis_decoder *decoder, const uint8_t *payload,
                                       size_t chunk, float *y, float scale, bool wide, unsigned bits) {
    const fq_trellis_places *const places = &decoder->places;
    const size_t left = decoder->code->dim - CHUNK * chunk;
    uint8_t table[FQ_TRELLIS_LEVELS_MAX];
    uint8x16_t level[GROUPS];
    memcpy(table, places->level, sizeof table);
    for (size_t g = 0; g < GROUPS; g++)
        level[g] = look_up(table, read_labels(places, payload, chunk, g, wide), bits);
    for (size_t f = 1; f < places->functions; f *= 2)
        riffle(level);
    for (size_t g = 0; g < GROUPS && GROUP * g < left; g++)
        store_levels(y + GROUP * g, left - GROUP * g, vreinterpretq_s8_u8(level[g]), scale);
}

void fq_trellis_decode_neon(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                            const uint8_t *payloads, size_t stride, const float *norms, size_t n) {
    const size_t bytes = decoder->code->payload_bytes;
    const unsigned bits = decoder->code->map.label_bits;
    uint8_t payload[FQ_TRELLIS_DECODE_PAYLOAD_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        const float scale = norms[i] * decoder->code->unit;
        memcpy(payload, payloads + i * stride, bytes);
        for (size_t chunk = 0; chunk * CHUNK < decoder->code->dim; chunk++) {
            float *const to = y + i * y_stride + chunk * CHUNK;
            if (bits <= 6)
                decode_chunk(decoder, payload, chunk, to, scale, bytes > 64, 6);
            else if (bits == 7)
                decode_chunk(decoder, payload, chunk, to, scale, bytes > 64, 7);
            else
                decode_chunk(decoder, payload, chunk, to, scale, bytes > 64, 8);
        }
    }
}
#else
typedef int fq_trellis_decode_neon_is_empty;
#endif
