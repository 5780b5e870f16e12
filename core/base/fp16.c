#include "fp16.h"

#include <string.h>

#include "cpu.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define FQ_FP16_F16C 1
#include <immintrin.h>
#else
#define FQ_FP16_F16C 0
#endif

uint16_t fq_fp16_from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) /* NaN: made quiet, as the hardware does */
        return (uint16_t)(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
    if (magnitude >= 0x477ff000u) /* 65520, halfway to 2^16: rounds up to infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {    /* below 2^-14: a multiple of 2^-24 */
        if (magnitude <= 0x33000000u) /* 2^-25, tie with the even zero */
            return (uint16_t)sign;
        const uint32_t exponent = magnitude >> 23;
        const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
        const uint32_t shift = 126 - exponent; /* 14..24: mantissa 2^(exponent-150) in 2^-24 */
        const uint32_t half = mantissa >> shift;
        const uint32_t rest = mantissa & ((1u << shift) - 1);
        const uint32_t middle = 1u << (shift - 1);
        return (uint16_t)(sign | (half + (rest > middle || (rest == middle && (half & 1)))));
    }
    /* A carry out of the mantissa steps the exponent, which is what rounding up should do. */
    const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1);
    return (uint16_t)(sign | ((rounded - 0x38000000u) >> 13));
}

float fq_fp16_to_float(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t magnitude = half & 0x7fffu;
    uint32_t bits;
    if (magnitude >= 0x7c00u) { /* infinity or NaN, made quiet */
        bits = sign | 0x7f800000u | (magnitude & 0x3ffu) << 13;
        if (magnitude > 0x7c00u)
            bits |= 0x400000u;
    } else if (magnitude >= 0x400u) {
        bits = sign | ((magnitude << 13) + 0x38000000u);
    } else if (magnitude == 0) {
        bits = sign;
    } else { /* subnormal: shift the leading one into place */
        uint32_t exponent = 113;
        while (!(magnitude & 0x400u)) {
            magnitude <<= 1;
            exponent--;
        }
        bits = sign | exponent << 23 | (magnitude & 0x3ffu) << 13;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void fq_fp16_store(uint8_t bytes[2], uint16_t half) {
    bytes[0] = (uint8_t)half;
    bytes[1] = (uint8_t)(half >> 8);
}

uint16_t fq_fp16_load(const uint8_t bytes[2]) {
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

#if FQ_FP16_F16C
__attribute__((target("avx,f16c"))) static size_t encode_f16c(uint8_t *bytes, const float *values, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m128i halves =
            _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        memcpy(bytes + 2 * i, &halves, sizeof halves);
    }
    return i;
}

__attribute__((target("avx,f16c"))) static size_t decode_f16c(float *values, const uint8_t *bytes, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i halves;
        memcpy(&halves, bytes + 2 * i, sizeof halves);
        _mm256_storeu_ps(values + i, _mm256_cvtph_ps(halves));
    }
    return i;
}
#endif

/* Kernels convert as many of n as they take, the first ones; the rest is plain C. */
typedef struct fp16_kernels {
    unsigned needs; /* of cpu.h */
    size_t (*encode)(uint8_t *bytes, const float *values, size_t n);
    size_t (*decode)(float *values, const uint8_t *bytes, size_t n);
} fp16_kernels;

static const fp16_kernels kernels[] = {
#if FQ_FP16_F16C
    {.needs = FQ_CPU_AVX2, .encode = encode_f16c, .decode = decode_f16c},
#endif
    {.needs = 0},
};

static const fp16_kernels *best_kernels(void) {
    const fp16_kernels *best = kernels;
    while (!fq_cpu_has(best->needs))
        best++;
    return best;
}

void fq_fp16_encode(uint8_t *bytes, const float *values, size_t n) {
    const fp16_kernels *best = best_kernels();
    for (size_t i = best->encode ? best->encode(bytes, values, n) : 0; i < n; i++)
        fq_fp16_store(bytes + 2 * i, fq_fp16_from_float(values[i]));
}

void fq_fp16_decode(float *values, const uint8_t *bytes, size_t n) {
    const fp16_kernels *best = best_kernels();
    for (size_t i = best->decode ? best->decode(values, bytes, n) : 0; i < n; i++)
        values[i] = fq_fp16_to_float(fq_fp16_load(bytes + 2 * i));
}
