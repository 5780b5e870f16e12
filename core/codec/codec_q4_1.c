/* q4_1: whole numbers of 4 bits, a scale and a least value a 32 coordinates, as llama.cpp stores caches.
 *
 * block: d, m (fp16), 32 numbers of 4 bits; x = d q + m, d = (max - min) / 15, m = min; bit for bit ggml's.
 */
#include "block_format.h"
#include "fp16.h"

static void encode_block(uint8_t *code, const float *x) {
    uint8_t q[32];
    float min;
    fq_fp16_store(code, fq_fp16_from_float(fq_block_quantise_range(q, x, 15, &min)));
    fq_fp16_store(code + 2, fq_fp16_from_float(min));
    fq_block_put_nibbles(code + 4, q);
}

static void decode_block(float *x, const uint8_t *code) {
    uint8_t q[32];
    const float d = fq_fp16_to_float(fq_fp16_load(code)), m = fq_fp16_to_float(fq_fp16_load(code + 2));
    fq_block_get_nibbles(q, code + 4);
    for (size_t j = 0; j < 32; j++)
        x[j] = d * (float)q[j] + m;
}

static const fq_block_format format = {.elements = 32,
                                       .bytes = 20,
                                       .bits = 4,
                                       .most = FQ_FP16_MAX,
                                       .encode = encode_block,
                                       .decode = decode_block};

static const fq_codec_example examples[] = {{"q4_1", 64}, {"q4_1:rot=hadamard", 96}, {"q4_1", 32}, {0}};

const fq_codec_family fq_codec_family_q4_1 = {
    .name = "q4_1",
    .summary = "llama.cpp's q4_1: 4 bits, a scale and a least value a 32 coordinates",
    .title = "q4_1",
    .keys = fq_block_keys,
    .examples = examples,
    .create = fq_block_create,
    .describe = fq_block_describe,
    .encode = fq_block_encode,
    .decode = fq_block_decode,
    .block_format = &format,
};
