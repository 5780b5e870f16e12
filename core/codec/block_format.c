#include "block_format.h"

#include <math.h>
#include <string.h>

#include "hadamard.h"
#include "text_builder.h"

static const char *const rotation_words[] = {"none", "hadamard", NULL};
const fq_codec_key fq_block_keys[] = {{.name = "rot",
                                       .help = "what is done to a vector first",
                                       .type = FQ_TYPE_CHOICE,
                                       .words = rotation_words},
                                      {0}};

enum { RUN_MAX = 256 };

/* The largest power of two that divides d, up to 256. */
static size_t run_of(size_t d) {
    size_t run = 1;
    while (run < RUN_MAX && d % (2 * run) == 0)
        run *= 2;
    return run;
}

void fq_block_turn(float *x, size_t d) {
    const size_t run = run_of(d);
    for (size_t i = 0; i < d; i += run)
        fq_hadamard(x + i, run);
}

fq_status fq_block_create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const fq_block_format *format = codec->family->block_format;
    const size_t d = codec->cost.dim;
    if (d % format->elements != 0) {
        char allowed[FQ_ERROR_TEXT_MAX];
        fq_text text = fq_text_begin(allowed, sizeof allowed);
        fq_text_add(&text, "a multiple of ");
        fq_text_add_number(&text, format->elements);
        fq_text_add(&text, ", the format's block");
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "dim", d, allowed);
    }
    const size_t blocks = d / format->elements;
    codec->cost.code_bytes = blocks * format->bytes;
    codec->cost.index_bits = (size_t)((double)d * format->bits);
    codec->cost.norm_bits = 8 * codec->cost.code_bytes - codec->cost.index_bits;
    codec->cost.rate = format->bits;
    return FQ_OK;
}

fq_status fq_block_check(const float *x, size_t d, size_t at, double most) {
    for (size_t i = 0; i < d; i++) {
        if (!isfinite(x[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", at * d + i,
                                 "finite numbers; the value is the first other one's index");
        if (fabs((double)x[i]) > most)
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "x", (double)x[i], "magnitudes that the format's scale holds");
    }
    return FQ_OK;
}

/* One vector, turned if asked for. */
static fq_status encode_one(const fq_codec *codec, const fq_block_format *format, float *turned,
                            uint8_t *code, const float *x, size_t at) {
    const size_t d = codec->cost.dim, e = format->elements;
    FQ_TRY(fq_block_check(x, d, at, format->most));
    memcpy(turned, x, d * sizeof *x);
    if (codec->spec.value[0] != 0)
        fq_block_turn(turned, d);
    for (size_t b = 0; b < d / e; b++)
        format->encode(code + b * format->bytes, turned + b * e);
    return FQ_OK;
}

fq_status fq_block_encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n) {
    float turned[FQ_DIM_MAX];
    for (size_t i = 0; i < n; i++)
        FQ_TRY(encode_one(codec, codec->family->block_format, turned, codes + i * codec->cost.code_bytes,
                          x + i * codec->cost.dim, first + i));
    return FQ_OK;
}

fq_status fq_block_decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t first, size_t n) {
    const fq_block_format *format = codec->family->block_format;
    const size_t d = codec->cost.dim, e = format->elements;
    for (size_t i = 0; i < n; i++) {
        float *to = x + i * d;
        for (size_t b = 0; b < d / e; b++)
            format->decode(to + b * e, codes + i * codec->cost.code_bytes + b * format->bytes);
        for (size_t c = 0; c < d; c++)
            if (!isfinite(to[c]))
                return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", first + i, "finite scales");
        for (size_t c = 0; c < d; c++)
            to[c] += 0.0F; /* a scale of -0 makes no -0 */
        if (codec->spec.value[0] != 0)
            fq_block_turn(to, d);
    }
    return FQ_OK;
}

void fq_block_describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    about->operations = 8.0 * (double)dim;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, about->family);
    fq_text_add(&series, about->family);
    if (spec->value[0] != 0) {
        fq_text_add(&label, ", Hadamard");
        fq_text_add(&series, ", Hadamard");
    }
}

void fq_block_put_nibbles(uint8_t bytes[16], const uint8_t q[32]) {
    for (size_t j = 0; j < 16; j++)
        bytes[j] = (uint8_t)((q[j] & 15u) | (unsigned)q[j + 16] << 4);
}

void fq_block_get_nibbles(uint8_t q[32], const uint8_t bytes[16]) {
    for (size_t j = 0; j < 16; j++) {
        q[j] = bytes[j] & 15u;
        q[j + 16] = (uint8_t)(bytes[j] >> 4);
    }
}

static uint8_t cut(float value, int most) {
    const int q = (int)value;
    return (uint8_t)(q < 0 ? 0 : q > most ? most : q);
}

float fq_block_quantise_signed(uint8_t q[32], const float x[32], int low) {
    float largest = 0.0F, most = 0.0F;
    for (size_t j = 0; j < 32; j++)
        if (fabsf(x[j]) > most) {
            most = fabsf(x[j]);
            largest = x[j];
        }
    const float d = largest / (float)-low, inverse = d != 0.0F ? 1.0F / d : 0.0F;
    for (size_t j = 0; j < 32; j++)
        q[j] = cut(x[j] * inverse + ((float)low + 0.5F), 2 * low - 1);
    return d;
}

float fq_block_quantise_range(uint8_t q[32], const float x[32], int most, float *min) {
    float high = x[0];
    *min = x[0];
    for (size_t j = 1; j < 32; j++) {
        high = x[j] > high ? x[j] : high;
        *min = x[j] < *min ? x[j] : *min;
    }
    const float d = (high - *min) / (float)most, inverse = d != 0.0F ? 1.0F / d : 0.0F;
    for (size_t j = 0; j < 32; j++)
        q[j] = cut((x[j] - *min) * inverse + 0.5F, most);
    return d;
}
