/* The last tokens before a query, its own included, are kept out of the codec; a token is encoded when it
 * leaves the window (as in KIVI, arXiv 2402.02750).
 */
#include "treatment_family.h"

enum { TOKENS, BITS };
static const fq_codec_key keys[] = {{.name = "tokens",
                                     .help = "last tokens kept",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 16,
                                     .least = 0,
                                     .most = 1048576},
                                    {.name = "bits",
                                     .help = "bits a coordinate that they are kept with",
                                     .type = FQ_TYPE_CHOICE,
                                     .words = fq_treatment_keep_words},
                                    {0}};

static void keep(const fq_treatment_step *step, fq_treatment_keep *to) {
    to->window = (size_t)step->value[TOKENS];
    to->window_bits = fq_treatment_keep_bits(step->value[BITS]);
}

const fq_treatment_family fq_treatment_family_window = {.name = "window",
                                                        .summary = "the last tokens are kept",
                                                        .keys = keys,
                                                        .sides = fq_treatment_sides_both,
                                                        .keep = keep};
