/* Tail-biting trellis codes over whole vectors: normalise, rotate, and code all d coordinates as one path
 * round a circle of b d bits (trellis_code.h). Every vector stands alone in b d bits and its gain, at a fixed
 * address. */
#include <math.h>

#include "codec_family.h"
#include "text_builder.h"
#include "trellis_maps.h"

enum { BITS, WINDOW, LABELS, SEARCH };

static const char *const search_words[] = {"passes", "exact", NULL};

static double usual_window(const double *value) {
    return fq_trellis_usual_window(value[BITS]);
}

static double usual_labels(const double *value) {
    return fq_trellis_usual_labels(value[BITS], (unsigned)value[WINDOW]);
}

static const fq_codec_key keys[] = {
    [BITS] = {.name = "b",
              .help = "bits a coordinate, K bits for V coordinates: K = 1 to 8, V = 1, 2 or 4",
              .type = FQ_TYPE_REAL,
              .required = true,
              .least = 0.25,
              .most = 8},
    [WINDOW] = {.name = "window",
                .help = "bits that a coordinate depends on, 12 by default for b above 2 up to 4, else 10",
                .type = FQ_TYPE_INTEGER,
                .fallback_of = usual_window,
                .least = FQ_TRELLIS_WINDOW_MIN,
                .most = FQ_TRELLIS_WINDOW_MAX},
    [LABELS] =
        {.name = "labels",
         .help =
             "bits of a label, of 2^labels levels; 8 by default for b above 2 or windows above 10, else 7",
         .type = FQ_TYPE_INTEGER,
         .fallback_of = usual_labels,
         .least = FQ_TRELLIS_LABEL_BITS_MIN,
         .most = FQ_TRELLIS_LABEL_BITS_MAX},
    [SEARCH] = {.name = "search",
                .help = "how the encoder finds where a path begins: by a first pass, or by trying all states",
                .type = FQ_TYPE_CHOICE,
                .words = search_words},
    {0},
};

static void defaults(fq_codec_spec *spec) {
    spec->norm = FQ_NORM_LS;
    spec->tries = 4;
}

/* Numbers of the map that the spec names, if it fits dim. */
static fq_status shape_of(fq_trellis_map *map, const fq_codec_spec *spec, size_t dim) {
    char allowed[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    *map = (fq_trellis_map){.window = (unsigned)spec->value[WINDOW],
                            .label_bits = (unsigned)spec->value[LABELS]};
    if (!fq_trellis_split_rate(spec->value[BITS], &map->fresh, &map->together))
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "b", spec->value[BITS],
                             "1 to 8 bits for 1, 2 or 4 coordinates: 0.25, 0.5, ... 2, 2.5, ... 4, 5, ... 8");
    if (map->window < map->fresh)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "window", map->window, "at least the bits of a step");
    if (dim % map->together) {
        fq_text_add(&text, "a dimension of which it makes whole bits: a multiple of ");
        fq_text_add_number(&text, map->together);
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "b", spec->value[BITS], allowed);
    }
    if (dim / map->together * map->fresh < map->window) {
        fq_text_add(&text, "at most the bits of a vector: ");
        fq_text_add_number(&text, dim / map->together * map->fresh);
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "window", map->window, allowed);
    }
    return FQ_OK;
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    fq_trellis_map map;
    (void)parts;
    FQ_TRY(shape_of(&map, &codec->spec, codec->cost.dim));
    if (!codec->plan_only)
        FQ_TRY(fq_trellis_map_get(&map));
    return fq_codec_add_trellis_group(codec, codec->cost.dim, &map, codec->spec.value[SEARCH] != 0);
}

/* Passes through all windows at every step. */
static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    const double window = exp2(spec->value[WINDOW]), d = (double)dim;
    const double passes = spec->value[SEARCH] != 0 ? window : 2 * spec->tries + 1;
    about->rate = spec->value[BITS];
    about->kind = FQ_CODE_VECTORS;
    about->operations = passes * window * d + (spec->rotation == FQ_ROTATION_HAAR ? 2 * d * d : 0);
}

static const fq_codec_example examples[] = {
    {"trellis:b=2", 64},
    {"trellis:b=1,window=8", 64},
    {"trellis:b=0.25,norm=unbiased", 80},
    {"trellis:b=0.5,norm=input,tries=1,rot=hadamard", 96},
    {"trellis:b=1.5,window=8,norm=match,seed=9", 20},
    {"trellis:b=2.5,window=8", 48},
    {"trellis:b=3,normbits=8,tries=2", 33},
    {"trellis:b=4,window=8,tries=9", 64},
    {"trellis:b=2,window=8,search=exact,tries=1", 16},
    {"trellis:b=4,window=8,tries=1", 7},
    {0},
};

const fq_codec_family fq_codec_family_trellis = {
    .name = "trellis",
    .summary = "tail-biting trellis code over the whole vector, b bits a coordinate",
    .title = "trellis code",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .defaults = defaults,
    .create = create,
    .describe = describe,
};
