/* iq4_nl: 4 bits that name one of sixteen unevenly spaced values, and a half a 32 coordinates, as llama.cpp
 * stores caches.
 *
 * block: d (fp16), 32 numbers of 4 bits; x = d value[q]. Values nearest to x / (largest / -127), then d by
 * least squares weighted by x^2, as ggml's quantiser without an importance matrix does it.
 */
#include <math.h>

#include "block_format.h"
#include "fp16.h"

static const int8_t level[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* The nearest level; halfway the higher one. */
static uint8_t nearest(float x) {
    uint8_t q = 0;
    while (q < 15 && x - (float)level[q] >= (float)level[q + 1] - x)
        q++;
    return q;
}

static void encode_block(uint8_t *code, const float *x) {
    uint8_t q[32];
    float largest = 0.0F, most = 0.0F, cross = 0.0F, square = 0.0F;
    for (size_t j = 0; j < 32; j++)
        if (fabsf(x[j]) > most) {
            most = fabsf(x[j]);
            largest = x[j];
        }
    const float first = largest / (float)level[0], inverse = first != 0.0F ? 1.0F / first : 0.0F;
    for (size_t j = 0; j < 32; j++) {
        q[j] = nearest(x[j] * inverse);
        const float weight = x[j] * x[j], value = (float)level[q[j]];
        cross += weight * value * x[j];
        square += weight * value * value;
    }
    fq_fp16_store(code, fq_fp16_from_float(square > 0.0F ? cross / square : 0.0F));
    fq_block_put_nibbles(code + 2, q);
}

static void decode_block(float *x, const uint8_t *code) {
    uint8_t q[32];
    const float d = fq_fp16_to_float(fq_fp16_load(code));
    fq_block_get_nibbles(q, code + 2);
    for (size_t j = 0; j < 32; j++)
        x[j] = d * (float)level[q[j]];
}

static const fq_block_format format = {.elements = 32,
                                       .bytes = 18,
                                       .bits = 4,
                                       .most = FQ_FP16_MAX,
                                       .encode = encode_block,
                                       .decode = decode_block};

static const fq_codec_example examples[] = {{"iq4_nl", 64}, {"iq4_nl:rot=hadamard", 96}, {"iq4_nl", 32}, {0}};

const fq_codec_family fq_codec_family_iq4_nl = {
    .name = "iq4_nl",
    .summary = "llama.cpp's iq4_nl: 4 bits of uneven levels and a scale a 32 coordinates",
    .title = "iq4_nl",
    .keys = fq_block_keys,
    .examples = examples,
    .create = fq_block_create,
    .describe = fq_block_describe,
    .encode = fq_block_encode,
    .decode = fq_block_decode,
    .block_format = &format,
};
