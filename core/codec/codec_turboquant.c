/* Scalar TurboQuant, MSE form (Zandieh et al., arXiv 2504.19874): normalise, rotate, quantise every
 * coordinate with the Lloyd-Max code of f_{d,1}.
 *
 * At a fractional b the channels fall in two groups, the first (b - floor b) d of them (in the given
 * order of importance) at ceil b bits and the rest at floor b, each group with its own rotation, its
 * own norm and the Lloyd-Max code of its own dimension; a group at 0 bits stores nothing.
 */
#include <math.h>

#include "code_makers.h"
#include "codec_family.h"
#include "memory.h"

static const fq_codec_key keys[] = {
    {.name = "b",
     .help = "bits a coordinate, fractions allowed",
     .type = FQ_TYPE_REAL,
     .required = true,
     .least = 0.25,
     .most = 8},
    {0},
};

static fq_status add_group(fq_codec *codec, const fq_codebook *given, size_t dim, unsigned bits) {
    return bits == 0 ? fq_codec_add_empty_group(codec, dim)
                     : fq_codec_add_scalar_group(codec, given, dim, bits, 0);
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const double bits = codec->spec.value[0];
    const size_t d = codec->cost.dim, finer = fq_codec_finer_channels(d, bits);
    FQ_TRY(fq_codec_set_channel_order(codec, parts->channel_order));
    if (finer)
        FQ_TRY(add_group(codec, NULL, finer, (unsigned)floor(bits) + 1));
    if (finer < d)
        FQ_TRY(add_group(codec, finer ? NULL : parts->codebook, d - finer, (unsigned)floor(bits)));
    return FQ_OK;
}

/* Two groups at a fractional b, even where one of them takes all channels. */
static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    about->rate = spec->value[0];
    about->orders_channels = about->rate != floor(about->rate);
    about->kind = about->orders_channels ? FQ_CODE_VECTORS : FQ_CODE_SCALARS;
    about->block = 1;
    about->codewords = (size_t)exp2(floor(about->rate));
}

/* The Lloyd-Max code with its distortion, which is known by quadrature. */
static fq_status block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                            const fq_codec_parts *parts) {
    const double bits = spec->value[0];
    (void)parts;
    if (bits != floor(bits))
        return FQ_FAIL_VALUE(FQ_ERR_UNSUPPORTED, "b", bits, "a whole number: fractions are two codes");
    const size_t levels = (size_t)1 << (unsigned)bits;
    float *words = NULL;
    double distortion;
    fq_status status;
    FQ_TRY(fq_alloc(&words, levels, sizeof *words));
    FQ_TRY_GOTO(status, fq_code_makers_get()->scalar_levels(words, &distortion, dim, levels), done);
    FQ_TRY_GOTO(status, fq_codebook_set(code, dim, 1, levels, words, FQ_RECIPE_PRODUCT, spec->seed), done);
    code->distortion = distortion;
    code->distortion_se = 0;
done:
    fq_free(words);
    return status;
}

static const fq_codec_example examples[] = {
    {"tq:b=1", 64},
    {"tq:b=2", 64},
    {"tq:b=3,norm=ls", 48},
    {"tq:b=4,norm=match", 33},
    {"tq:b=8,rot=hadamard", 64},
    {"tq:b=2.5", 64},
    {"tq:b=2.5,norm=ls,normbits=8", 64},
    {"tq:b=3,normbits=8", 48},
    {"tq:b=0.25", 64},
    {"tq:b=1.3,rot=hadamard,norm=ls", 50},
    {"tq:b=2,pack=radix,seed=9", 2},
    {"tq:b=1.5", 3},
    {0},
};

const fq_codec_family fq_codec_family_tq = {
    .name = "tq",
    .summary = "scalar TurboQuant, MSE form, b bits a coordinate",
    .title = "TurboQuant",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
    .block_code = block_code,
};
