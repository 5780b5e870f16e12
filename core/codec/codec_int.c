/* int: whole numbers of b bits, a scale and a least value a group of neighbouring coordinates, as KIVI
 * (arXiv 2402.02750) stores caches: its values group by group of a token's coordinates; its keys the same of
 * channels, which the treatment "channels" lays side by side.
 *
 * group: s, m (fp16), then its numbers of b bits, little-endian bit order, zero padding up to a byte;
 * x = s q + m, m = min rounded to a half, s = (max - m) / (2^b - 1) rounded likewise, q the nearest whole
 * number to (x - m) / s, ties to even, cut to 0..2^b - 1.
 *
 * Not bit for bit KIVI's own kernels, which compute in half precision throughout.
 */
#include <math.h>
#include <string.h>

#include "block_format.h"
#include "fp16.h"
#include "text_builder.h"

enum { BITS, GROUP, ROTATION };
static const char *const rotation_words[] = {"none", "hadamard", NULL};
static const fq_codec_key keys[] = {{.name = "b",
                                     .help = "bits of a number",
                                     .type = FQ_TYPE_INTEGER,
                                     .required = true,
                                     .least = 2,
                                     .most = 8},
                                    {.name = "group",
                                     .help = "neighbouring coordinates of a scale and a least value",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 32,
                                     .least = 2,
                                     .most = FQ_DIM_MAX},
                                    {.name = "rot",
                                     .help = "what is done to a vector first",
                                     .type = FQ_TYPE_CHOICE,
                                     .words = rotation_words},
                                    {0}};

enum { HEAD = 4 }; /* bytes of s and m */

static size_t group_of(const fq_codec *codec) {
    return (size_t)codec->spec.value[GROUP];
}

static unsigned bits_of(const fq_codec *codec) {
    return (unsigned)codec->spec.value[BITS];
}

static size_t group_bytes(const fq_codec *codec) {
    return HEAD + (group_of(codec) * bits_of(codec) + 7) / 8;
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const size_t d = codec->cost.dim, group = group_of(codec);
    if (d % group != 0)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "group", group, "a divisor of the dimension");
    codec->cost.code_bytes = d / group * group_bytes(codec);
    codec->cost.index_bits = d * bits_of(codec);
    codec->cost.norm_bits = d / group * 8 * HEAD;
    codec->cost.rate = bits_of(codec);
    return FQ_OK;
}

/* Codes of one group of finite numbers that halves can hold. */
static void encode_group(uint8_t *code, const float *x, size_t n, unsigned bits) {
    const int most = (1 << bits) - 1;
    float low = x[0], high = x[0];
    for (size_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    fq_fp16_store(code + 2, fq_fp16_from_float(low));
    const float m = fq_fp16_to_float(fq_fp16_load(code + 2));
    fq_fp16_store(code, fq_fp16_from_float(high > m ? (high - m) / (float)most : 0.0F));
    const float s = fq_fp16_to_float(fq_fp16_load(code));
    memset(code + HEAD, 0, (n * bits + 7) / 8);
    for (size_t i = 0; i < n; i++) {
        const float ratio = s > 0.0F ? nearbyintf((x[i] - m) / s) : 0.0F;
        const unsigned q = (unsigned)fminf(fmaxf(ratio, 0.0F), (float)most);
        const size_t at = i * bits;
        code[HEAD + at / 8] |= (uint8_t)(q << at % 8);
        if (at % 8 + bits > 8)
            code[HEAD + at / 8 + 1] |= (uint8_t)(q >> (8 - at % 8));
    }
}

/* False where no encoder writes such bytes: a scale that is negative or not finite, padding that is set. */
static bool decode_group(float *x, const uint8_t *code, size_t n, unsigned bits) {
    const float s = fq_fp16_to_float(fq_fp16_load(code)), m = fq_fp16_to_float(fq_fp16_load(code + 2));
    const size_t end = n * bits;
    if (!isfinite(s) || !isfinite(m) || signbit(s) || (end % 8 && code[HEAD + end / 8] >> end % 8))
        return false;
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * bits;
        unsigned q = (unsigned)code[HEAD + at / 8] >> at % 8;
        if (at % 8 + bits > 8)
            q |= (unsigned)code[HEAD + at / 8 + 1] << (8 - at % 8);
        x[i] = s * (float)(q & ((1u << bits) - 1)) + m + 0.0F; /* no -0 */
    }
    return true;
}

static fq_status encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n) {
    const size_t d = codec->cost.dim, group = group_of(codec), bytes = group_bytes(codec);
    float turned[FQ_DIM_MAX];
    for (size_t v = 0; v < n; v++) {
        FQ_TRY(fq_block_check(x + v * d, d, first + v, FQ_FP16_MAX));
        memcpy(turned, x + v * d, d * sizeof *x);
        if (codec->spec.value[ROTATION] != 0) {
            fq_block_turn(turned, d);
            FQ_TRY(fq_block_check(turned, d, first + v, FQ_FP16_MAX));
        }
        for (size_t g = 0; g < d / group; g++)
            encode_group(codes + v * codec->cost.code_bytes + g * bytes, turned + g * group, group,
                         bits_of(codec));
    }
    return FQ_OK;
}

static fq_status decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t first, size_t n) {
    const size_t d = codec->cost.dim, group = group_of(codec), bytes = group_bytes(codec);
    for (size_t v = 0; v < n; v++) {
        for (size_t g = 0; g < d / group; g++)
            if (!decode_group(x + v * d + g * group, codes + v * codec->cost.code_bytes + g * bytes, group,
                              bits_of(codec)))
                return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", first + v,
                                     "finite scales of at least 0 and no padding bits");
        if (codec->spec.value[ROTATION] != 0)
            fq_block_turn(x + v * d, d);
    }
    return FQ_OK;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    about->operations = 8.0 * (double)dim;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, "int");
    fq_text_add_number(&label, (uint64_t)spec->value[BITS]);
    fq_text_add(&series, "int");
    fq_text *const texts[] = {&label, &series};
    for (size_t i = 0; i < 2; i++) {
        fq_text_add(texts[i], ", groups of ");
        fq_text_add_number(texts[i], (uint64_t)spec->value[GROUP]);
        if (spec->value[ROTATION] != 0)
            fq_text_add(texts[i], ", Hadamard");
    }
}

static const fq_codec_example examples[] = {
    {"int:b=2", 64}, {"int:b=3,group=4", 12},  {"int:b=5,group=3,rot=hadamard", 24},
    {"int:b=4", 96}, {"int:b=8,group=64", 64}, {0}};

const fq_codec_family fq_codec_family_int = {
    .name = "int",
    .summary = "whole numbers, a scale and a least value a group, as KIVI's values (and keys: see treatment "
               "channels)",
    .title = "int",
    .keys = keys,
    .examples = examples,
    .create = create,
    .describe = describe,
    .encode = encode,
    .decode = decode,
};
