/* Blocks of 4 rotated coordinates by the nearest of N points of the lattice D4: see lattice_words.h. */
#include "lattice_words.h"

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    return fq_lattice_create(codec, FQ_LATTICE_D4);
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    fq_lattice_describe(about, spec, FQ_LATTICE_D4);
}

static const fq_codec_example examples[] = {
    {"d4:N=16,shape=nested", 64}, {"d4:N=256", 64}, {"d4:N=81,shape=nested,norm=ls", 20}, {0}};

const fq_codec_family fq_codec_family_d4 = {
    .name = "d4",
    .summary = "points of the lattice D4 in blocks of 4 rotated coordinates, scaled to the source",
    .title = "lattice D4",
    .keys = fq_lattice_keys_d4,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
};
