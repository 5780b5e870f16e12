/* The uncompressed reference: each coordinate rounded to a half, 2 d bytes a vector, nothing else. */
#include <math.h>

#include "codec_family.h"
#include "fp16.h"
#include "text_builder.h"

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const size_t d = codec->cost.dim;
    codec->cost.code_bytes = 2 * d;
    codec->cost.index_bits = 16 * d;
    codec->cost.norm_bits = 0;
    codec->cost.rate = 16;
    return FQ_OK;
}

static fq_status encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n) {
    const size_t d = codec->cost.dim;
    for (size_t i = 0; i < n * d; i++) {
        if (!isfinite(x[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", first * d + i,
                                 "finite numbers; the value is the first other one's index");
        if (fabs((double)x[i]) > FQ_FP16_MAX)
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "x", (double)x[i], "magnitudes up to 65504");
    }
    fq_fp16_encode(codes, x, n * d);
    return FQ_OK;
}

static fq_status decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t first, size_t n) {
    const size_t d = codec->cost.dim;
    fq_fp16_decode(x, codes, n * d);
    for (size_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", first + i / d, "finite halves");
    return FQ_OK;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)spec;
    about->operations = (double)dim;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, about->family);
    fq_text_add(&series, about->family);
}

static const fq_codec_example examples[] = {{"fp16", 5}, {"fp16", 64}, {0}};

const fq_codec_family fq_codec_family_fp16 = {
    .name = "fp16",
    .summary = "each coordinate as a half: the uncompressed reference",
    .title = "uncompressed (fp16)",
    .examples = examples,
    .create = create,
    .describe = describe,
    .encode = encode,
    .decode = decode,
};
