/* NF4: 4 bits that name a quantile of the normal law, and a half a 64 coordinates (QLoRA, arXiv 2305.14314).
 *
 * block: a (fp16), 64 numbers of 4 bits, two a byte, the first in the low half; x = a level[q], a = max |x|.
 */
#include <math.h>

#include "block_format.h"
#include "fp16.h"

/* Eight quantiles below zero and eight above it of the normal law, ends at -1 and 1: the published table. */
static const float level[16] = {-1.0F,
                                -0.6961928009986877F,
                                -0.5250730514526367F,
                                -0.39491748809814453F,
                                -0.28444138169288635F,
                                -0.18477343022823334F,
                                -0.09105003625154495F,
                                0.0F,
                                0.07958029955625534F,
                                0.16093020141124725F,
                                0.24611230194568634F,
                                0.33791524171829224F,
                                0.44070982933044434F,
                                0.5626170039176941F,
                                0.7229568362236023F,
                                1.0F};

static uint8_t nearest(float x) {
    uint8_t q = 0;
    while (q < 15 && x - level[q] > level[q + 1] - x)
        q++;
    return q;
}

static void encode_block(uint8_t *code, const float *x) {
    float most = 0.0F;
    for (size_t j = 0; j < 64; j++)
        most = fabsf(x[j]) > most ? fabsf(x[j]) : most;
    const float inverse = most > 0.0F ? 1.0F / most : 0.0F;
    fq_fp16_store(code, fq_fp16_from_float(most));
    for (size_t j = 0; j < 32; j++)
        code[2 + j] = (uint8_t)(nearest(x[2 * j] * inverse) | (unsigned)nearest(x[2 * j + 1] * inverse) << 4);
}

static void decode_block(float *x, const uint8_t *code) {
    const float a = fq_fp16_to_float(fq_fp16_load(code));
    for (size_t j = 0; j < 64; j++)
        x[j] = a * level[code[2 + j / 2] >> 4 * (j % 2) & 15];
}

static const fq_block_format format = {.elements = 64,
                                       .bytes = 34,
                                       .bits = 4,
                                       .most = FQ_FP16_MAX,
                                       .encode = encode_block,
                                       .decode = decode_block};

static const fq_codec_example examples[] = {{"nf4", 64}, {"nf4:rot=hadamard", 128}, {"nf4", 64}, {0}};

const fq_codec_family fq_codec_family_nf4 = {
    .name = "nf4",
    .summary = "NormalFloat: 4 bits of normal quantiles and a scale a 64 coordinates",
    .title = "NF4",
    .keys = fq_block_keys,
    .examples = examples,
    .create = fq_block_create,
    .describe = fq_block_describe,
    .encode = fq_block_encode,
    .decode = fq_block_decode,
    .block_format = &format,
};
