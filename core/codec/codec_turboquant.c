/* Scalar TurboQuant, MSE form (Zandieh et al., arXiv 2504.19874): normalise, rotate, quantise every
 * coordinate with the Lloyd-Max code of f_{d,1}.
 *
 * At a fractional b the channels fall in two groups, the first (b - floor b) d of them (in the given
 * order of importance) at ceil b bits and the rest at floor b, each group with its own rotation, its
 * own norm and the Lloyd-Max code of its own dimension; a group at 0 bits stores nothing.
 */
#include <math.h>

#include "codec_family.h"

static fq_status add_group(fq_codec *codec, size_t dim, unsigned bits) {
    return bits == 0 ? fq_codec_add_empty_group(codec, dim) : fq_codec_add_scalar_group(codec, dim, bits, 0);
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const double bits = codec->spec.bits;
    const size_t d = codec->cost.dim, finer = fq_codec_finer_channels(d, bits);
    FQ_TRY(fq_codec_set_channel_order(codec, parts->channel_order));
    if (finer)
        FQ_TRY(add_group(codec, finer, (unsigned)floor(bits) + 1));
    if (finer < d)
        FQ_TRY(add_group(codec, d - finer, (unsigned)floor(bits)));
    return FQ_OK;
}

const fq_codec_family fq_codec_family_tq = {
    .name = "tq",
    .summary = "scalar TurboQuant, MSE form, b bits a coordinate",
    .keys = FQ_KEY_BITS | FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_SEED,
    .required = FQ_KEY_BITS,
    .create = create,
};
