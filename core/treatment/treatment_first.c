/* The first tokens are kept out of the codec (attention sinks: StreamingLLM, arXiv 2309.17453). */
#include "treatment_family.h"

enum { TOKENS, BITS };
static const fq_codec_key keys[] = {{.name = "tokens",
                                     .help = "first tokens kept",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 1,
                                     .least = 0,
                                     .most = 1048576},
                                    {.name = "bits",
                                     .help = "bits a coordinate that they are kept with",
                                     .type = FQ_TYPE_CHOICE,
                                     .words = fq_treatment_keep_words},
                                    {0}};

static void keep(const fq_treatment_step *step, fq_treatment_keep *to) {
    to->first = (size_t)step->value[TOKENS];
    to->first_bits = fq_treatment_keep_bits(step->value[BITS]);
}

const fq_treatment_family fq_treatment_family_first = {.name = "first",
                                                       .summary = "the first tokens are kept",
                                                       .keys = keys,
                                                       .sides = fq_treatment_sides_both,
                                                       .keep = keep};
