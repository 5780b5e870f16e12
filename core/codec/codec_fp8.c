/* fp8: every coordinate as a float of 8 bits without a scale, as inference servers store caches: e4m3
 * (largest 448, no infinities) or e5m2 (largest 57344). To nearest, ties to even; what is larger than the
 * largest becomes it.
 */
#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "text_builder.h"

enum { FORMAT };
enum { E4M3 = 0, E5M2 = 1 };
static const char *const format_words[] = {"e4m3", "e5m2", NULL};
static const fq_codec_key keys[] = {
    {.name = "format", .help = "exponent and mantissa bits", .type = FQ_TYPE_CHOICE, .words = format_words},
    {0}};

typedef struct layout {
    int mantissa, bias, largest_code; /* of finite numbers */
} layout;

static layout layout_of(const fq_codec *codec) {
    return codec->spec.value[FORMAT] == E4M3 ? (layout){3, 7, 0x7e} : (layout){2, 15, 0x7b};
}

/* Of a code without its sign. */
static float magnitude(layout l, int code) {
    const int exponent = code >> l.mantissa, fraction = code & ((1 << l.mantissa) - 1);
    if (exponent == 0)
        return ldexpf((float)fraction, 1 - l.bias - l.mantissa);
    return ldexpf((float)(fraction + (1 << l.mantissa)), exponent - l.bias - l.mantissa);
}

/* The code whose magnitude is nearest, of two equally near the even one. */
static int nearest(layout l, float x) {
    int low = 0, high = l.largest_code;
    if (x >= magnitude(l, high))
        return high;
    while (high - low > 1) { /* magnitude(low) <= x < magnitude(high) */
        const int middle = (low + high) / 2;
        if (magnitude(l, middle) <= x)
            low = middle;
        else
            high = middle;
    }
    const float below = x - magnitude(l, low), above = magnitude(l, high) - x;
    return below < above || (below == above && low % 2 == 0) ? low : high;
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    codec->cost.code_bytes = codec->cost.dim;
    codec->cost.index_bits = 8 * codec->cost.dim;
    codec->cost.rate = 8;
    return FQ_OK;
}

static fq_status encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n) {
    const layout l = layout_of(codec);
    for (size_t i = 0; i < n * codec->cost.dim; i++) {
        if (!isfinite(x[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", first * codec->cost.dim + i,
                                 "finite numbers; the value is the first other one's index");
        codes[i] = (uint8_t)(nearest(l, fabsf(x[i])) | (signbit(x[i]) ? 0x80 : 0));
    }
    return FQ_OK;
}

static fq_status decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t first, size_t n) {
    const layout l = layout_of(codec);
    for (size_t i = 0; i < n * codec->cost.dim; i++) {
        if ((codes[i] & 0x7f) > l.largest_code)
            return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", first + i / codec->cost.dim, "finite numbers");
        x[i] = (codes[i] & 0x80 ? -magnitude(l, codes[i] & 0x7f) : magnitude(l, codes[i])) + 0.0F;
    }
    return FQ_OK;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    about->operations = 20.0 * (double)dim;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, "fp8 ");
    fq_text_add(&label, format_words[(size_t)spec->value[FORMAT]]);
    fq_text_add(&series, "fp8 ");
    fq_text_add(&series, format_words[(size_t)spec->value[FORMAT]]);
}

static const fq_codec_example examples[] = {{"fp8", 64}, {"fp8:format=e5m2", 7}, {0}};

const fq_codec_family fq_codec_family_fp8 = {
    .name = "fp8",
    .summary = "each coordinate as a float of 8 bits, without a scale",
    .title = "fp8",
    .keys = keys,
    .examples = examples,
    .create = create,
    .describe = describe,
    .encode = encode,
    .decode = decode,
};
