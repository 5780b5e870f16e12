/* Blocks of 8 rotated coordinates by the nearest of N points of the lattice E8: see lattice_words.h. */
#include "lattice_words.h"

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    return fq_lattice_create(codec, FQ_LATTICE_E8);
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    fq_lattice_describe(about, spec, FQ_LATTICE_E8);
}

static const fq_codec_example examples[] = {
    {"e8:N=241", 64}, {"e8:N=256,shape=nested,norm=match", 32}, {"e8:N=1000,rot=hadamard", 24}, {0}};

const fq_codec_family fq_codec_family_e8 = {
    .name = "e8",
    .summary = "points of the lattice E8 in blocks of 8 rotated coordinates, scaled to the source",
    .title = "lattice E8",
    .keys = fq_lattice_keys_e8,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
};
