#include "codec_norm.h"

#include <math.h>

#include "fp16.h"

/* 2^(3 j / 32): after 32 steps the exponent is three higher. */
static const double step[32] = {
    1.0,
    1.0671404006768237,
    1.1387886347566916,
    1.215247359980469,
    1.2968395546510096,
    1.383909881963832,
    1.4768261459394993,
    1.5759808451078865,
    1.681792830507429,
    1.7947090750031072,
    1.9152065613971474,
    2.0437942973082333,
    2.1810154653305154,
    2.327449717555155,
    2.483715624146968,
    2.6504732863194826,
    2.8284271247461903,
    3.0183288551868457,
    3.2209806638985086,
    3.437238596244956,
    3.668016172818685,
    3.9142882483508004,
    4.177095129709655,
    4.45754697038357,
    4.756828460010884,
    5.076203828766933,
    5.417022187747571,
    5.780723227908187,
    6.168843301631763,
    6.58302191261586,
    7.025008641493198,
    7.4966705364412,
};

size_t fq_norm_bytes(fq_norm_format format) {
    return format == FQ_NORM_BYTE ? 1 : 2;
}

/* Of v = 1..255; 0 is the one that would be below. */
static double level(unsigned v) {
    return ldexp(step[v % 32], 3 * ((int)(v / 32) - 4));
}

double fq_norm_most(fq_norm_format format) {
    return format == FQ_NORM_BYTE ? level(255) : FQ_FP16_MAX;
}

/* The byte nearest in ratio; below the geometric mean of the lowest level and the one that would be below it:
 * 0. */
static uint8_t nearest_level(double norm) {
    unsigned low = 0, high = 255; /* boundaries below low are passed, those from high on are not */
    while (low < high) {
        const unsigned middle = (low + high) / 2; /* between middle and middle + 1 */
        if (norm * norm >= level(middle) * level(middle + 1))
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)low;
}

bool fq_norm_store(fq_norm_format format, uint8_t *code, double norm) {
    if (format == FQ_NORM_BYTE) {
        code[0] = nearest_level(norm);
        return code[0] != 0;
    }
    const uint16_t half = fq_fp16_from_float((float)norm);
    fq_fp16_store(code, half);
    return half != 0;
}

bool fq_norm_load(fq_norm_format format, float *norm, const uint8_t *code) {
    if (format == FQ_NORM_BYTE) {
        *norm = code[0] ? (float)level(code[0]) : 0.0F;
        return true;
    }
    const uint16_t half = fq_fp16_load(code);
    *norm = fq_fp16_to_float(half);
    return half < 0x7c00u; /* not infinite, NaN or negative */
}
