#include "dequantize.h"

#include <assert.h>
#include <string.h>

#include "fp16.h"

static const fq_element_layout layouts[FQ_ELEMENTS] = {
#define FQ_ELEMENT_ROW(name, text, number, elements, bytes) {text, number, elements, bytes},
    FQ_ELEMENT_LIST(FQ_ELEMENT_ROW)
#undef FQ_ELEMENT_ROW
};

const fq_element_layout *fq_element_about(fq_element element) {
    return &layouts[element];
}

fq_element fq_element_of_gguf(uint32_t number) {
    for (int i = 0; i < FQ_ELEMENTS; i++)
        if (layouts[i].gguf_number == number)
            return (fq_element)i;
    return FQ_ELEMENTS;
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float fq_bfloat_to_float(uint16_t bits) {
    return float_of_bits((uint32_t)bits << 16);
}

static uint16_t u16(const unsigned char *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float half_at(const unsigned char *p) {
    return fq_fp16_to_float(u16(p));
}

static int i8(unsigned char byte) {
    return byte < 128 ? byte : (int)byte - 256;
}

static void block_q4_0(float *out, const unsigned char *b) {
    const float d = half_at(b);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)((b[2 + i] & 15) - 8) * d;
        out[i + 16] = (float)((b[2 + i] >> 4) - 8) * d;
    }
}

static void block_q4_1(float *out, const unsigned char *b) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)(b[4 + i] & 15) * d + m;
        out[i + 16] = (float)(b[4 + i] >> 4) * d + m;
    }
}

/* The fifth bit of element i is bit i of the word high. */
static int five_bits(uint32_t high, int i, int low) {
    return low | (int)((high >> i & 1u) << 4);
}

static void block_q5_0(float *out, const unsigned char *b) {
    const float d = half_at(b);
    const uint32_t high = u32(b + 2);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)(five_bits(high, i, b[6 + i] & 15) - 16) * d;
        out[i + 16] = (float)(five_bits(high, i + 16, b[6 + i] >> 4) - 16) * d;
    }
}

static void block_q5_1(float *out, const unsigned char *b) {
    const float d = half_at(b), m = half_at(b + 2);
    const uint32_t high = u32(b + 4);
    for (int i = 0; i < 16; i++) {
        out[i] = (float)five_bits(high, i, b[8 + i] & 15) * d + m;
        out[i + 16] = (float)five_bits(high, i + 16, b[8 + i] >> 4) * d + m;
    }
}

static void block_q8_0(float *out, const unsigned char *b) {
    const float d = half_at(b);
    for (int i = 0; i < 32; i++)
        out[i] = (float)i8(b[2 + i]) * d;
}

/* 256 elements in two halves of 128; a half's 32 bytes hold four planes of two bits, a plane's 32
 * elements are two runs of 16 with a scale each. */
static void block_q2_k(float *out, const unsigned char *b) {
    const unsigned char *scales = b, *quants = b + 16;
    const float d = half_at(b + 80), dmin = half_at(b + 82);
    for (int i = 0; i < 256; i++) {
        const int half = i / 128, plane = i % 128 / 32, scale = scales[i / 16];
        const int q = quants[32 * half + i % 32] >> 2 * plane & 3;
        out[i] = d * (float)(scale & 15) * (float)q - dmin * (float)(scale >> 4);
    }
}

static void block_q3_k(float *out, const unsigned char *b) {
    const unsigned char *high = b, *quants = b + 32, *packed = b + 96;
    const float d = half_at(b + 108);
    int scales[16]; /* six bits each: four in the first eight bytes, two in the last four */
    for (int j = 0; j < 16; j++) {
        const int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
        scales[j] = (low | (packed[8 + j % 4] >> 2 * (j / 4) & 3) << 4) - 32;
    }
    for (int i = 0; i < 256; i++) {
        const int half = i / 128, plane = i % 128 / 32;
        const int low = quants[32 * half + i % 32] >> 2 * plane & 3;
        const int top = high[i % 32] >> (4 * half + plane) & 1;
        out[i] = d * (float)scales[i / 16] * (float)(low - (top ? 0 : 4));
    }
}

/* Scale and minimum j (0..7) of Q4_K and Q5_K: six bits each in twelve bytes. */
static void scale_and_minimum(const unsigned char *packed, int j, int *scale, int *minimum) {
    if (j < 4) {
        *scale = packed[j] & 63;
        *minimum = packed[j + 4] & 63;
    } else {
        *scale = (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
        *minimum = packed[j + 4] >> 4 | packed[j] >> 6 << 4;
    }
}

/* Eight runs of 32; runs 2c and 2c+1 are the low and high nibbles of bytes 32c to 32c+31. high: bit
 * `run` of byte i is the fifth bit, or NULL. */
static void block_four_or_five(float *out, const unsigned char *b, const unsigned char *high,
                               const unsigned char *quants) {
    const float d = half_at(b), dmin = half_at(b + 2);
    for (int run = 0; run < 8; run++) {
        int scale, minimum;
        scale_and_minimum(b + 4, run, &scale, &minimum);
        const float step = d * (float)scale, offset = dmin * (float)minimum;
        for (int i = 0; i < 32; i++) {
            int q = quants[32 * (run / 2) + i] >> 4 * (run % 2) & 15;
            if (high)
                q |= (high[i] >> run & 1) << 4;
            out[32 * run + i] = step * (float)q - offset;
        }
    }
}

static void block_q4_k(float *out, const unsigned char *b) {
    block_four_or_five(out, b, NULL, b + 16);
}

static void block_q5_k(float *out, const unsigned char *b) {
    block_four_or_five(out, b, b + 16, b + 48);
}

/* Two halves of 128 as four planes of 32: low nibbles of bytes 0-31, of bytes 32-63, high nibbles of the
 * same; two more bits from plane p of `high`. */
static void block_q6_k(float *out, const unsigned char *b) {
    const unsigned char *low = b, *high = b + 128, *scales = b + 192;
    const float d = half_at(b + 208);
    for (int i = 0; i < 256; i++) {
        const int half = i / 128, plane = i % 128 / 32, j = i % 32;
        const int nibble = low[64 * half + 32 * (plane % 2) + j] >> 4 * (plane / 2) & 15;
        const int top = high[32 * half + j] >> 2 * plane & 3;
        out[i] = d * (float)i8(scales[i / 16]) * (float)((nibble | top << 4) - 32);
    }
}

static void block_q8_k(float *out, const unsigned char *b) {
    const float d = float_of_bits(u32(b));
    for (int i = 0; i < 256; i++)
        out[i] = d * (float)i8(b[4 + i]);
}

typedef void expand_block(float *out, const unsigned char *block);

static expand_block *expander(fq_element element) {
    switch (element) {
    case FQ_ELEMENT_Q4_0:
        return block_q4_0;
    case FQ_ELEMENT_Q4_1:
        return block_q4_1;
    case FQ_ELEMENT_Q5_0:
        return block_q5_0;
    case FQ_ELEMENT_Q5_1:
        return block_q5_1;
    case FQ_ELEMENT_Q8_0:
        return block_q8_0;
    case FQ_ELEMENT_Q2_K:
        return block_q2_k;
    case FQ_ELEMENT_Q3_K:
        return block_q3_k;
    case FQ_ELEMENT_Q4_K:
        return block_q4_k;
    case FQ_ELEMENT_Q5_K:
        return block_q5_k;
    case FQ_ELEMENT_Q6_K:
        return block_q6_k;
    case FQ_ELEMENT_Q8_K:
        return block_q8_k;
    case FQ_ELEMENT_F32:
    case FQ_ELEMENT_F16:
    case FQ_ELEMENT_BF16:
    case FQ_ELEMENTS:
        break;
    }
    return NULL;
}

void fq_dequantize(float *out, fq_element element, const unsigned char *bytes, size_t count) {
    assert(element < FQ_ELEMENTS && count % layouts[element].block_elements == 0);
    expand_block *expand = expander(element);
    if (expand) {
        const fq_element_layout *layout = &layouts[element];
        for (size_t i = 0; i < count / layout->block_elements; i++)
            expand(out + i * layout->block_elements, bytes + i * layout->block_bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (element == FQ_ELEMENT_F32)
            out[i] = float_of_bits(u32(bytes + 4 * i));
        else if (element == FQ_ELEMENT_F16)
            out[i] = half_at(bytes + 2 * i);
        else
            out[i] = fq_bfloat_to_float(u16(bytes + 2 * i));
    }
}
