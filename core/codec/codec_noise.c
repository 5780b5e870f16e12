/* noise: no code at all, but what an experiment compares codes with: x plus independent normal noise of
 * length sigma |x| in expectation (sigma |x| / sqrt d a coordinate), kept as single precision. The noise is
 * that of stream (seed, NOISE, hash of the vector's bytes): equal vectors get equal noise, whatever stands
 * beside them.
 */
#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "fp16.h"
#include "stream.h"
#include "text_builder.h"

enum { SIGMA };
static const fq_codec_key keys[] = {{.name = "sigma",
                                     .help = "expected length of the noise over that of the vector",
                                     .type = FQ_TYPE_REAL,
                                     .required = true,
                                     .least = 0,
                                     .most = 100},
                                    {0}};

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const size_t d = codec->cost.dim;
    codec->cost.code_bytes = 2 * d;
    codec->cost.index_bits = 16 * d;
    codec->cost.norm_bits = 0;
    codec->cost.rate = 16;
    return FQ_OK;
}

/* FNV-1a over the bits of x[d], lowest byte first. */
static uint64_t hash(const float *x, size_t d) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < d; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        for (int byte = 0; byte < 4; byte++)
            h = (h ^ (bits >> (8 * byte) & 0xff)) * UINT64_C(0x100000001b3);
    }
    return h;
}

static fq_status encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n) {
    const size_t d = codec->cost.dim;
    for (size_t i = 0; i < n; i++) {
        fq_stream s;
        double square = 0.0;
        for (size_t j = 0; j < d; j++) {
            const float value = x[i * d + j];
            if (!isfinite(value))
                return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", (first + i) * d + j,
                                     "finite numbers; the value is the first other one's index");
            square += (double)value * (double)value;
        }
        const double scale = codec->spec.value[SIGMA] * sqrt(square / (double)d);
        fq_stream_init(&s, codec->spec.seed, FQ_PURPOSE_NOISE, hash(x + i * d, d));
        for (size_t j = 0; j < d; j++) {
            const double value = (double)x[i * d + j] + scale * fq_stream_normal(&s);
            if (fabs(value) > FQ_FP16_MAX)
                return FQ_FAIL_VALUE(FQ_ERR_RANGE, "x", value, "magnitudes up to 65504, noise included");
            const float rounded = (float)value;
            fq_fp16_encode(codes + (i * d + j) * 2, &rounded, 1);
        }
    }
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
    about->operations = 30.0 * (double)dim;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, about->family);
    fq_text_add(&series, about->family);
}

static const fq_codec_example examples[] = {{"noise:sigma=0.1", 64}, {"noise:sigma=0,seed=5", 7}, {0}};

const fq_codec_family fq_codec_family_noise = {
    .name = "noise",
    .summary = "normal noise in place of a code, for experiments: nothing is compressed",
    .title = "noise",
    .keys = keys,
    .common = FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
    .encode = encode,
    .decode = decode,
};
