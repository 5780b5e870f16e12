/* q8_0: whole numbers of 8 bits and a half a 32 coordinates, as llama.cpp stores caches.
 *
 * block: d (fp16), q[32] (int8); x = d q, d = max |x| / 127; bit for bit ggml's.
 */
#include <math.h>

#include "block_format.h"
#include "fp16.h"

static void encode_block(uint8_t *code, const float *x) {
    float most = 0.0F;
    for (size_t j = 0; j < 32; j++)
        most = fabsf(x[j]) > most ? fabsf(x[j]) : most;
    const float d = most / 127.0F, inverse = d != 0.0F ? 1.0F / d : 0.0F;
    fq_fp16_store(code, fq_fp16_from_float(d));
    for (size_t j = 0; j < 32; j++)
        code[2 + j] = (uint8_t)(int8_t)roundf(x[j] * inverse);
}

static void decode_block(float *x, const uint8_t *code) {
    const float d = fq_fp16_to_float(fq_fp16_load(code));
    for (size_t j = 0; j < 32; j++)
        x[j] = (float)(int8_t)code[2 + j] * d;
}

static const fq_block_format format = {.elements = 32,
                                       .bytes = 34,
                                       .bits = 8,
                                       .most = FQ_FP16_MAX,
                                       .encode = encode_block,
                                       .decode = decode_block};

static const fq_codec_example examples[] = {{"q8_0", 64}, {"q8_0:rot=hadamard", 96}, {"q8_0", 32}, {0}};

const fq_codec_family fq_codec_family_q8_0 = {
    .name = "q8_0",
    .summary = "llama.cpp's q8_0: 8 bits and a scale a 32 coordinates",
    .title = "q8_0",
    .keys = fq_block_keys,
    .examples = examples,
    .create = fq_block_create,
    .describe = fq_block_describe,
    .encode = fq_block_encode,
    .decode = fq_block_decode,
    .block_format = &format,
};
