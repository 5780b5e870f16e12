/* Tokens whose values are tiny are kept out of the codec: they are secondary attention sinks, tokens that
 * many heads attend to in order to attend to nothing, so their keys carry much weight. They are found by the
 * norm of the value alone, so no attention need be known.
 */
#include "treatment_family.h"

enum { BELOW, TOKENS, BITS };
static const fq_codec_key keys[] = {
    {.name = "below",
     .help = "norm over the median of the first tokens, mean of the layer's heads",
     .type = FQ_TYPE_REAL,
     .fallback = 0.35,
     .least = 0.01,
     .most = 1},
    {.name = "tokens",
     .help = "first tokens that the median is of",
     .type = FQ_TYPE_INTEGER,
     .fallback = 64,
     .least = 1,
     .most = 1048576},
    {.name = "bits",
     .help = "bits a coordinate that they are kept with",
     .type = FQ_TYPE_CHOICE,
     .words = fq_treatment_keep_words},
    {0}};

static void keep(const fq_treatment_step *step, fq_treatment_keep *to) {
    to->pool_below = step->value[BELOW];
    to->pool_tokens = (size_t)step->value[TOKENS];
    to->pool_bits = fq_treatment_keep_bits(step->value[BITS]);
}

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

const fq_treatment_family fq_treatment_family_pool = {
    .name = "pool",
    .summary = "tokens of tiny values are kept",
    .keys = keys,
    .sides = fq_treatment_sides_both,
    .prefix = prefix_tokens,
    .keep = keep,
};
