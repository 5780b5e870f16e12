/* Blocks of 24 rotated coordinates by the nearest of N short points of the Leech lattice: see
 * lattice_words.h. */
#include "lattice_words.h"

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    return fq_lattice_create(codec, FQ_LATTICE_LEECH);
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    fq_lattice_describe(about, spec, FQ_LATTICE_LEECH);
}

/* Of any d above 24: measured block by block. */
static fq_status block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                            const fq_codec_parts *parts) {
    (void)parts;
    return fq_lattice_block_code(code, spec, dim, FQ_LATTICE_LEECH);
}

static const fq_codec_example examples[] = {{"leech:N=500", 48}, {0}};

const fq_codec_family fq_codec_family_leech = {
    .name = "leech",
    .summary = "short points of the Leech lattice in blocks of 24 rotated coordinates, scaled to the source",
    .title = "lattice Leech",
    .keys = fq_lattice_keys_leech,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
    .describe = describe,
    .block_code = block_code,
};
