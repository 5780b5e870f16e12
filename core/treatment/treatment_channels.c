/* Keys are coded channel by channel: of each group of tokens the codec is given the channels' runs over the
 * group side by side, cut into vectors of the usual length, so that a format with a scale a run of neighbours
 * has it a channel (KIVI, arXiv 2402.02750, with codec int). A group's codes are as many and as long as its
 * tokens' would be and stand where theirs would, but no token of it can be read without all of them.
 *
 * A group is coded when its last token is there, and, where there is a window, has all left it: a query at
 * position p reads as the window keeps them all tokens behind the last whole group that ends before
 * p - window + 1. Without a window it reads every whole group as coded, even its own token's, so what is
 * coded of a token depends on up to tokens - 1 later ones; tokens of no whole group are read as they were
 * appended and counted at 16 bits a coordinate. (KIVI's own programs let a window of keys grow to its full
 * length and empty it at once.)
 */
#include "treatment_family.h"

enum { TOKENS, OF };
static const fq_codec_key keys[] = {
    {.name = "tokens",
     .help = "tokens of a group",
     .type = FQ_TYPE_INTEGER,
     .fallback = 32,
     .least = 2,
     .most = 4096},
    {.name = "of", .help = "whose", .type = FQ_TYPE_CHOICE, .words = fq_treatment_side_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t together(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

const fq_treatment_family fq_treatment_family_channels = {
    .name = "channels",
    .summary = "keys are coded channel by channel over groups of tokens (KIVI: codec int)",
    .keys = keys,
    .sides = sides,
    .together = together,
};
