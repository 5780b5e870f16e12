#include <math.h>
#include <string.h>

#include "check.h"
#include "fp16.h"
#include "stream.h"

/* The value of a half straight from the standard's formula. */
static double half_value(unsigned half) {
    const int exponent = (int)(half >> 10 & 31);
    const double mantissa = half & 1023;
    const double sign = half & 0x8000u ? -1 : 1;
    if (exponent == 31)
        return mantissa != 0 ? (double)NAN : sign * HUGE_VAL;
    if (exponent == 0)
        return sign * ldexp(mantissa, -24);
    return sign * ldexp(1024 + mantissa, exponent - 25);
}

static uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void every_half_has_its_value(void) {
    for (unsigned half = 0; half < 65536; half++) {
        const double value = (double)fq_fp16_to_float((uint16_t)half);
        const double expected = half_value(half);
        if (isnan(expected))
            FQ_CHECK(isnan(value) && !signbit(value) == !(half & 0x8000u));
        else
            FQ_CHECK(value == expected && !signbit(value) == !(half & 0x8000u));
    }
}

static void every_half_survives_the_round_trip(void) {
    for (unsigned half = 0; half < 65536; half++) {
        const unsigned back = fq_fp16_from_float(fq_fp16_to_float((uint16_t)half));
        const bool is_nan = (half & 0x7fffu) > 0x7c00u;
        FQ_CHECK(back == (is_nan ? half | 0x200u : half));
    }
}

/* Between two neighbouring halves everything below the middle goes down, above it up, and the
 * middle to the even one. */
static void rounding_is_to_nearest_even(void) {
    for (unsigned half = 0; half < 0x7c00u; half++) {
        const float low = (float)half_value(half);
        const float high = half == 0x7bffu ? 65536.0f : (float)half_value(half + 1);
        const float middle = (low + high) / 2; /* exact */
        for (unsigned sign = 0; sign <= 1; sign++) {
            const unsigned bit = sign << 15;
            const float s = sign ? -1.0f : 1.0f;
            FQ_CHECK(fq_fp16_from_float(s * nextafterf(middle, 0)) == (bit | half));
            FQ_CHECK(fq_fp16_from_float(s * nextafterf(middle, high)) == (bit | (half + 1)));
            FQ_CHECK(fq_fp16_from_float(s * middle) == (bit | (half + (half & 1))));
        }
    }
}

static void extremes_are_defined(void) {
    FQ_CHECK(fq_fp16_from_float(HUGE_VALF) == 0x7c00u);
    FQ_CHECK(fq_fp16_from_float(-HUGE_VALF) == 0xfc00u);
    FQ_CHECK(fq_fp16_from_float(3e38f) == 0x7c00u);
    FQ_CHECK(fq_fp16_from_float(1e-45f) == 0);
    FQ_CHECK(fq_fp16_from_float(-1e-45f) == 0x8000u);
    FQ_CHECK(fq_fp16_from_float(0x1p-25f) == 0);
    FQ_CHECK(fq_fp16_from_float(nextafterf(0x1p-25f, 1)) == 1);
    FQ_CHECK((fq_fp16_from_float((float)NAN) & 0x7fffu) > 0x7c00u);
    uint8_t bytes[3] = {7, 7, 7};
    fq_fp16_store(bytes + 1, 0x1234);
    FQ_CHECK(bytes[0] == 7 && bytes[1] == 0x34 && bytes[2] == 0x12);
    FQ_CHECK(fq_fp16_load(bytes + 1) == 0x1234);
}

/* clang has the type on x86 from version 15 on */
#if defined(__FLT16_MANT_DIG__) && (!defined(__clang__) || __clang_major__ >= 15)
#define HAVE_FLOAT16 1
__extension__ typedef _Float16 native_half;
#else
#define HAVE_FLOAT16 0
#endif

#if HAVE_FLOAT16
static void the_compiler_agrees(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 0);
    for (unsigned i = 0; i < 300000 * fq_test_multiplier(); i++) {
        const uint32_t bits = fq_stream_u32(&s);
        float value;
        memcpy(&value, &bits, sizeof value);
        const native_half half = (native_half)value;
        uint16_t expected;
        memcpy(&expected, &half, sizeof expected);
        FQ_CHECK(fq_fp16_from_float(value) == expected);
    }
}
#endif

/* The batch functions against the single ones, all halves, random floats, odd addresses, tails. */
static void batches_agree_with_singles(void) {
    enum { N = 65536 };
    static uint8_t bytes[2 * N + 1], back[2 * N + 1];
    static float values[N + 1];
    for (unsigned half = 0; half < N; half++)
        fq_fp16_store(bytes + 1 + 2 * half, (uint16_t)half);
    fq_fp16_decode(values, bytes + 1, N);
    for (unsigned half = 0; half < N; half++)
        FQ_CHECK(float_bits(values[half]) == float_bits(fq_fp16_to_float((uint16_t)half)));
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 1);
    for (size_t i = 0; i < N; i++) {
        uint32_t bits = fq_stream_u32(&s);
        if (i % 2) /* exponents around the halves' range */
            bits = (bits & 0x807fffffu) | (uint32_t)(100 + fq_stream_below(&s, 45)) << 23;
        memcpy(values + i, &bits, sizeof bits);
    }
    for (size_t n = 0; n < N; n = n < 40 ? n + 1 : n * 3 + 1) {
        memset(back, 0xee, sizeof back);
        fq_fp16_encode(back + 1, values, n);
        for (size_t i = 0; i < n; i++)
            FQ_CHECK(fq_fp16_load(back + 1 + 2 * i) == fq_fp16_from_float(values[i]));
        FQ_CHECK(back[2 * n + 1] == 0xee);
    }
}

static const fq_test tests[] = {
    {"every half has its value", every_half_has_its_value},
    {"every half survives the round trip", every_half_survives_the_round_trip},
    {"rounding is to nearest even", rounding_is_to_nearest_even},
    {"extremes are defined", extremes_are_defined},
#if HAVE_FLOAT16
    {"the compiler agrees", the_compiler_agrees},
#endif
    {"batches agree with singles", batches_agree_with_singles},
    {0},
};
const fq_suite fq_suite_fp16 = {"fp16", tests};
