/* The head's mean over its first tokens is subtracted before the codec and added after it.
 *
 * Keys of a head share a constant part before the position encoding, which spreads over all positions behind
 * it; so with at=before the mean is of keys turned back, and is turned to each token's position before it is
 * subtracted. The residual is coded after the encoding, which keeps its errors unlike from token to token.
 * Softmax does not see what all keys share, but after the encoding little is shared: at=after explains less
 * the longer the context is. Centring before vector quantization: NSNQuant (arXiv 2505.18231); keys before
 * their encoding: KVQuant (arXiv 2401.18079).
 */
#include "fp16.h"
#include "memory.h"
#include "treatment_family.h"

enum { OF, TOKENS, SKIP, AT };
static const char *const at_words[] = {"before", "after", NULL};
static const fq_codec_key keys[] = {
    {.name = "of", .help = "whose mean", .type = FQ_TYPE_CHOICE, .words = fq_treatment_side_words},
    {.name = "tokens",
     .help = "the mean is over the tokens before this one",
     .type = FQ_TYPE_INTEGER,
     .fallback = 64,
     .least = 1,
     .most = 1048576},
    {.name = "skip",
     .help = "first tokens that are left out of it",
     .type = FQ_TYPE_INTEGER,
     .fallback = 1,
     .least = 0,
     .most = 1048575},
    {.name = "at",
     .help = "keys before or after their position encoding",
     .type = FQ_TYPE_CHOICE,
     .words = at_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

static size_t floats(const fq_treatment_step *step, size_t dim) {
    (void)step;
    return dim + 1;
}

/* Whether the mean turns with the position; the state's last number says so to the other functions, which do
 * not see the side. */
static bool turns(const fq_treatment_step *step, fq_treatment_side side) {
    return side == FQ_OF_KEYS && step->value[AT] == 0;
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    const size_t d = p->dim, end = prefix_tokens(step), skip = (size_t)step->value[SKIP];
    float *x = NULL;
    if (skip >= end)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "mean: skip", skip, "below tokens");
    FQ_TRY(fq_alloc(&x, end, d * sizeof *x));
    for (size_t i = 0; i < end * d; i++)
        x[i] = p->x[i];
    fq_status status = FQ_OK;
    if (turns(step, p->side))
        status = fq_treatment_turn("mean", p->rope, x, 0, end, 1, d, true);
    for (size_t c = 0; status == FQ_OK && c < d; c++) {
        double sum = 0.0;
        for (size_t t = skip; t < end; t++)
            sum += (double)x[t * d + c];
        state[c] = fq_fp16_to_float(fq_fp16_from_float((float)(sum / (double)(end - skip))));
    }
    state[d] = turns(step, p->side) ? 1.0F : 0.0F;
    fq_free(x);
    return status;
}

static double bits(const fq_treatment_step *step, size_t dim) {
    (void)step;
    return 16.0 * (double)dim;
}

static fq_status add(const float *state, const fq_treatment_place *place, float *x, size_t n, float sign) {
    const size_t d = place->dim;
    float *mean = NULL;
    FQ_TRY(fq_alloc(&mean, n, d * sizeof *mean));
    for (size_t i = 0; i < n * d; i++)
        mean[i] = state[i % d];
    fq_status status = FQ_OK;
    if (state[d] != 0.0F)
        status = fq_treatment_turn("mean", place->rope, mean, place->first, n, 1, d, false);
    for (size_t i = 0; status == FQ_OK && i < n * d; i++)
        x[i] += sign * mean[i];
    fq_free(mean);
    return status;
}

static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    (void)step;
    return add(state, place, x, n, -1.0F);
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    (void)step;
    return add(state, place, x, n, 1.0F);
}

const fq_treatment_family fq_treatment_family_mean = {
    .name = "mean",
    .summary = "subtract the head's mean over its first tokens, of keys before their position encoding",
    .keys = keys,
    .sides = sides,
    .prefix = prefix_tokens,
    .state_floats = floats,
    .prepare = prepare,
    .state_bits = bits,
    .forward = forward,
    .backward = backward,
};
