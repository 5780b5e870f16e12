/* Positions take rotations in turn: n of them, token t the (t mod n)-th, of one codec. Vectors that are much
 * alike (values with a common part) then err in unlike directions, and sums over tokens average that out.
 */
#include "treatment_family.h"

enum { N, OF };
static const fq_codec_key keys[] = {
    {.name = "n", .help = "rotations", .type = FQ_TYPE_INTEGER, .fallback = 8, .least = 1, .most = 64},
    {.name = "of", .help = "whose", .type = FQ_TYPE_CHOICE, .fallback = 1, .words = fq_treatment_side_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t classes(const fq_treatment_step *step) {
    return (size_t)step->value[N];
}

const fq_treatment_family fq_treatment_family_classes = {
    .name = "classes",
    .summary = "rotations in turn, by position",
    .keys = keys,
    .sides = sides,
    .classes = classes,
};
