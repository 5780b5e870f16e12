/* TurboQuant, inner-product form (Zandieh et al., arXiv 2504.19874; QJL, arXiv 2406.03482): the
 * (b-1)-bit MSE code of the rotated direction y, and of the residual r = y - y^ the signs of S r for
 * a standard Gaussian d x d matrix S, and |r|:
 *     y~ = y^ + sqrt(pi/2)/d |r| S^T sign(S r),   E<q, y~> = <q, y> over S.
 * S is drawn once per codec from its seed; being Gaussian it may act on the rotated residual.
 *
 * Fractional b splits the channels as tq does, each group with its own norm, rotation, code and
 * sketch. Below one bit there is no MSE code and the sketch has round(b d) rows (at least 1), scaled
 * by their number: still unbiased.
 */
#include <math.h>

#include "codec_family.h"

static const fq_codec_key keys[] = {
    {.name = "b",
     .help = "bits a coordinate, the sketch's one included; fractions allowed",
     .type = FQ_TYPE_REAL,
     .required = true,
     .least = 0.25,
     .most = 8},
    {0},
};

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const double bits = codec->spec.value[0];
    const size_t d = codec->cost.dim;
    FQ_TRY(fq_codec_set_channel_order(codec, parts->channel_order));
    if (bits < 1) {
        const size_t rows = (size_t)fmax(1, rint(bits * (double)d));
        return fq_codec_add_scalar_group(codec, NULL, d, 0, rows);
    }
    const size_t finer = fq_codec_finer_channels(d, bits);
    const unsigned coarse = (unsigned)floor(bits) - 1;
    if (finer)
        FQ_TRY(fq_codec_add_scalar_group(codec, NULL, finer, coarse + 1, finer));
    if (finer < d)
        FQ_TRY(
            fq_codec_add_scalar_group(codec, finer ? NULL : parts->codebook, d - finer, coarse, d - finer));
    return FQ_OK;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    about->rate = spec->value[0];
    about->orders_channels = about->rate > 1 && about->rate != floor(about->rate);
    about->kind = FQ_CODE_VECTORS;
    about->block = 1;
    about->codewords = (size_t)exp2(floor(about->rate));
}

static const fq_codec_example examples[] = {
    {"tqprod:b=1", 64},
    {"tqprod:b=2", 64},
    {"tqprod:b=3.5", 40},
    {"tqprod:b=0.25", 64},
    {"tqprod:b=2,rot=hadamard,seed=3", 27},
    {0},
};

const fq_codec_family fq_codec_family_tqprod = {
    .name = "tqprod",
    .summary = "TurboQuant, inner-product form: (b-1)-bit MSE code and 1-bit sketch of the residual",
    .title = "TurboQuant (inner product)",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
};
