/* The two formats of a stored norm. */
#include <math.h>

#include "check.h"
#include "codec_norm.h"

static void bytes_are_a_geometric_ladder(void) {
    float before = 0.0F;
    for (unsigned v = 0; v < 256; v++) {
        uint8_t code = (uint8_t)v, again = 0;
        float norm = -1.0F;
        FQ_CHECK(fq_norm_load(FQ_NORM_BYTE, &norm, &code));
        FQ_CHECK_NEAR((double)norm, v ? exp2(3.0 * ((double)v - 128.0) / 32.0) : 0.0, 1e-7 * (double)norm);
        FQ_CHECK(v == 0 || norm > before);
        FQ_CHECK(fq_norm_store(FQ_NORM_BYTE, &again, (double)norm) == (v != 0) && again == code);
        before = norm;
    }
    FQ_CHECK_NEAR(fq_norm_most(FQ_NORM_BYTE), exp2(3.0 * 127.0 / 32.0), 1e-9);
    FQ_CHECK(fq_norm_bytes(FQ_NORM_BYTE) == 1 && fq_norm_bytes(FQ_NORM_HALF) == 2);
}

/* Norms spread evenly in ratio: the error in ratio is uniform within half a step, whose root mean square is a
 * step over the root of twelve, 1.9 %. */
static void errors_are_those_of_half_a_step(void) {
    enum { N = 20000 };
    double worst = 0.0, square = 0.0;
    for (size_t i = 0; i < N; i++) {
        const double norm = exp2(-11.0 + 22.0 * ((double)i + 0.5) / N);
        uint8_t code;
        float back = (float)NAN;
        FQ_CHECK(fq_norm_store(FQ_NORM_BYTE, &code, norm) && fq_norm_load(FQ_NORM_BYTE, &back, &code));
        const double ratio = log2((double)back / norm);
        worst = fmax(worst, fabs(ratio));
        square += ratio * ratio / N;
    }
    FQ_CHECK(worst <= 3.0 / 64.0 + 1e-6 && worst > 3.0 / 64.0 - 1e-3);
    FQ_CHECK_NEAR(sqrt(square), 3.0 / 32.0 / sqrt(12.0), 1e-4);
}

static void what_is_too_small_is_zero_and_bad_halves_are_refused(void) {
    const uint8_t infinite[2] = {0x00, 0x7c}, negative[2] = {0x00, 0xbc};
    uint8_t code[2];
    float norm;
    FQ_CHECK(!fq_norm_store(FQ_NORM_BYTE, code, exp2(-12.0)) && code[0] == 0);
    FQ_CHECK(fq_norm_store(FQ_NORM_BYTE, code, exp2(-11.95)) && code[0] == 1);
    FQ_CHECK(!fq_norm_store(FQ_NORM_HALF, code, ldexp(1.0, -26)));
    FQ_CHECK(fq_norm_store(FQ_NORM_HALF, code, 1.5) && fq_norm_load(FQ_NORM_HALF, &norm, code) &&
             norm == 1.5F);
    FQ_CHECK(!fq_norm_load(FQ_NORM_HALF, &norm, infinite));
    FQ_CHECK(!fq_norm_load(FQ_NORM_HALF, &norm, negative));
}

static const fq_test tests[] = {
    {"bytes are a geometric ladder", bytes_are_a_geometric_ladder},
    {"errors are those of half a step", errors_are_those_of_half_a_step},
    {"what is too small is zero, and bad halves are refused",
     what_is_too_small_is_zero_and_bad_halves_are_refused},
    {0},
};
const fq_suite fq_suite_codec_norm = {"codec_norm", tests};
