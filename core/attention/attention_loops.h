/* Loops over a chunk of float32 numbers, for each instruction set's kernel to include: TARGET is its function
 * attribute, and the compiler makes the vectors. Sums go by 32 lanes, since a lane's additions wait for one
 * another, then over the lanes in order: every kernel rounds alike.
 *
 * The exponential, for x <= 0: x = n ln 2 + r, |r| <= ln 2 / 2, ln 2 in two parts; exp r by its Taylor
 * polynomial of degree 7, whose remainder is below 5e-9; 2^n by its exponent bits. Written with fmaf.
 */
#include <math.h>
#include <string.h>

enum { SUM_LANES = 32 };

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

/* Positive float32 numbers are ordered as their bits are; zero's, less one, are the largest. */
TARGET static bool positive(const float *x, float bound, size_t n) {
    uint32_t bits, most = 0, limit;
    memcpy(&limit, &bound, sizeof limit);
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &x[i], sizeof bits);
        most = bits - 1 > most ? bits - 1 : most;
    }
    return most < limit;
}

TARGET static void add_scores(float *restrict score, const int16_t *restrict sum, const float *restrict norm,
                              float unit) {
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++)
        score[i] += (float)sum[i] * (norm[i] * unit);
}

TARGET static void add_long_scores(float *restrict score, const int32_t *restrict sum,
                                   const float *restrict norm, float unit) {
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++)
        score[i] += (float)sum[i] * (norm[i] * unit);
}

/* By the numbers' bits, as maxima of whole numbers need no order: magnitudes below infinity's are finite, and
 * turning the magnitude's bits of negative numbers makes an order of all. */
TARGET static bool largest(float *most, const float *x) {
    int32_t greatest = INT32_MIN, magnitude = 0;
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
        int32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const int32_t size = bits & INT32_MAX, place = bits < 0 ? bits ^ INT32_MAX : bits;
        magnitude = size > magnitude ? size : magnitude;
        greatest = place > greatest ? place : greatest;
    }
    greatest = greatest < 0 ? greatest ^ INT32_MAX : greatest;
    memcpy(most, &greatest, sizeof greatest);
    return magnitude < 0x7f800000;
}

/* Fours of positive numbers, in float32, then 128 sums in double. */
TARGET static double total(const float *x) {
    enum { QUARTER = FQ_ATTENTION_CHUNK / 4 };
    double lane[SUM_LANES] = {0}, sum = 0;
    for (size_t i = 0; i < QUARTER; i += SUM_LANES)
        for (size_t l = 0; l < SUM_LANES; l++) {
            const float *const at = x + i + l;
            lane[l] += (double)((at[0] + at[QUARTER]) + (at[2 * QUARTER] + at[3 * QUARTER]));
        }
    for (size_t l = 0; l < SUM_LANES; l++)
        sum += lane[l];
    return sum;
}

/* Each number's share of the mean is added, since a sum of large norms could be infinite. */
TARGET static void weights(float *restrict to, float *mean, float *most, const float *restrict p,
                           const float *restrict norm) {
    float lane[SUM_LANES] = {0}, sum = 0;
    int32_t greatest = 0;
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i += SUM_LANES)
        for (size_t l = 0; l < SUM_LANES; l++) {
            to[i + l] = p[i + l] * norm[i + l];
            lane[l] += to[i + l] * (1.0F / FQ_ATTENTION_CHUNK);
        }
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++) {
        int32_t bits;
        memcpy(&bits, &to[i], sizeof bits);
        greatest = bits > greatest ? bits : greatest;
    }
    for (size_t l = 0; l < SUM_LANES; l++)
        sum += lane[l];
    memcpy(most, &greatest, sizeof greatest);
    *mean = sum;
}

TARGET static void units(int16_t *restrict to, const float *restrict x, float scale) {
    for (size_t i = 0; i < FQ_ATTENTION_CHUNK; i++)
        to[i] = (int16_t)(int32_t)(x[i] * scale + 0.5F);
}

TARGET static void add_turned(float *restrict score, const float *restrict table,
                              const float *restrict factor, size_t pairs) {
    float sum[FQ_ATTENTION_TURN];
    memcpy(sum, score, sizeof sum);
    for (size_t j = 0; j < pairs; j++)
        for (size_t i = 0; i < FQ_ATTENTION_TURN; i++)
            sum[i] = fmaf(
                factor[2 * j], table[2 * FQ_ATTENTION_TURN * j + i],
                fmaf(factor[2 * j + 1], table[2 * FQ_ATTENTION_TURN * j + FQ_ATTENTION_TURN + i], sum[i]));
    memcpy(score, sum, sizeof sum);
}
