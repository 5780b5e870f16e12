/* q5_0: whole numbers of 5 bits and a half a 32 coordinates, as llama.cpp stores caches.
 *
 * block: d (fp16), the fifth bits (32), 32 numbers of 4 bits; x = d (q - 16), d = the coordinate of largest
 * magnitude / -16; bit for bit ggml's.
 */
#include "block_format.h"
#include "fp16.h"

static void encode_block(uint8_t *code, const float *x) {
    uint8_t q[32];
    fq_fp16_store(code, fq_fp16_from_float(fq_block_quantise_signed(q, x, 16)));
    for (size_t j = 0; j < 4; j++)
        code[2 + j] = 0;
    for (size_t j = 0; j < 32; j++)
        code[2 + j / 8] |= (uint8_t)((unsigned)(q[j] >> 4) << j % 8);
    fq_block_put_nibbles(code + 6, q);
}

static void decode_block(float *x, const uint8_t *code) {
    uint8_t q[32];
    const float d = fq_fp16_to_float(fq_fp16_load(code));
    fq_block_get_nibbles(q, code + 6);
    for (size_t j = 0; j < 32; j++)
        x[j] = d * (float)(q[j] + (code[2 + j / 8] >> j % 8 & 1) * 16 - 16);
}

static const fq_block_format format = {.elements = 32,
                                       .bytes = 22,
                                       .bits = 5,
                                       .most = FQ_FP16_MAX,
                                       .encode = encode_block,
                                       .decode = decode_block};

static const fq_codec_example examples[] = {{"q5_0", 64}, {"q5_0:rot=hadamard", 96}, {"q5_0", 32}, {0}};

const fq_codec_family fq_codec_family_q5_0 = {
    .name = "q5_0",
    .summary = "llama.cpp's q5_0: 5 bits and a scale a 32 coordinates",
    .title = "q5_0",
    .keys = fq_block_keys,
    .examples = examples,
    .create = fq_block_create,
    .describe = fq_block_describe,
    .encode = fq_block_encode,
    .decode = fq_block_decode,
    .block_format = &format,
};
