/* exp for x <= 0, for each instruction set's kernel to include: TARGET is its function attribute.
 *
 * x = n ln 2 + r, |r| <= ln 2 / 2, ln 2 in two parts; exp r by its Taylor polynomial of degree 7, whose remainder
 * is below 5e-9; 2^n by its exponent bits. Written with fmaf, so that every kernel rounds alike.
 */
#include <math.h>
#include <string.h>

TARGET static inline __attribute__((always_inline)) float exponential(float x) {
    static const float shift = 0x1.8p23F; /* adding and taking it away rounds to a whole number */
    const float bounded = x < -87.0F ? -87.0F : x;
    const float n = fmaf(bounded, 0x1.715476p0F, shift) - shift;
    const float r = fmaf(n, -0x1.7f7d1cp-20F, fmaf(n, -0x1.62e4p-1F, bounded));
    float e = fmaf(r, 1.0F / 5040, 1.0F / 720);
    e = fmaf(e, r, 1.0F / 120);
    e = fmaf(e, r, 1.0F / 24);
    e = fmaf(e, r, 1.0F / 6);
    e = fmaf(e, r, 0.5F);
    e = fmaf(e, r, 1.0F);
    e = fmaf(e, r, 1.0F);
    const int32_t bits = ((int32_t)n + 127) * (1 << 23); /* n >= -126: bounded */
    float power;
    memcpy(&power, &bits, sizeof power);
    return x < -87.0F ? 0.0F : e * power;
}

TARGET static void exponentials(float *p, const float *score, float most) {
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++)
        p[i] = exponential(score[i] - most);
}
