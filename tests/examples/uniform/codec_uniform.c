/* How to add a codec: this file, and the line FQ_CODEC_FAMILY(uni, codec_uniform) in
 * core/codec/codec_table.def. It quantises every rotated coordinate uniformly: 2^b levels in the middle of
 * equal cells over four standard deviations to each side. Name, keys, checks, packing, norm rules,
 * rotated decoding and the conformance of all that come with the table. */
#include <math.h>

#include "codec_family.h"

static const fq_codec_key keys[] = {
    {.name = "b",
     .help = "bits a coordinate",
     .type = FQ_TYPE_INTEGER,
     .required = true,
     .least = 1,
     .most = 8},
    {0},
};

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const size_t d = codec->cost.dim, levels = (size_t)1 << (unsigned)codec->spec.value[0];
    const double reach = fmin(1, 4 / sqrt((double)d));
    float words[256];
    for (size_t i = 0; i < levels; i++)
        words[i] = (float)(reach * ((2 * (double)i + 1) / (double)levels - 1));
    return fq_codec_add_group(codec, d, 1, levels, words, 0);
}

static const fq_codec_example examples[] = {{"uni:b=4", 64}, {"uni:b=1,norm=ls", 7}, {0}};

const fq_codec_family fq_codec_family_uni = {
    .name = "uni",
    .summary = "uniform scalar quantizer, 2^b levels over four standard deviations",
    .title = "uniform scalar",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
};
