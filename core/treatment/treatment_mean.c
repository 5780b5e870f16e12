/* The head's mean over its first tokens is subtracted before the codec and added after it.
 *
 * Keys of a head share a constant part before the position encoding, which spreads over all positions behind
 * it; so with at=before the mean is of keys turned back, and is turned to each token's position before it is
 * subtracted. The residual is coded after the encoding, which keeps its errors unlike from token to token.
 * Softmax does not see what all keys share, but after the encoding little is shared: at=after explains less
 * the longer the context is. Centring before vector quantization: NSNQuant (arXiv 2505.18231); keys before
 * their encoding: KVQuant (arXiv 2401.18079).
 *
 * renew=never: one mean, of the first C tokens. renew=doubling: tokens C 2^j..C 2^(j+1) - 1 take the mean of
 * all before C 2^j, so a head stores one mean more each time its length doubles, and any token can be read by
 * itself. renew=running: from C on a token takes the mean of all before it as they were decoded, which costs
 * no storage, but tokens can be encoded and read only one after the other.
 *
 * pairs=K subtracts no more than the K strongest pairs of the mean, those of the most energy: what attention
 * on codes adds to every score costs by the pair (attention_treated.h), and a few carry most of it.
 */
#include <math.h>
#include <string.h>

#include "fp16.h"
#include "memory.h"
#include "treatment_family.h"

enum { OF, TOKENS, SKIP, AT, RENEW, PAIRS };
enum { NEVER, DOUBLING, RUNNING };
static const char *const at_words[] = {"before", "after", NULL};
static const char *const renew_words[] = {"never", "doubling", "running", NULL};
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
    {.name = "renew",
     .help = "whether later tokens take a mean of more",
     .type = FQ_TYPE_CHOICE,
     .words = renew_words},
    {.name = "pairs",
     .help = "of keys' means before the encoding, only the strongest pairs that it turns; 0: all",
     .type = FQ_TYPE_INTEGER,
     .fallback = 0,
     .least = 0,
     .most = 65536},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

/* What a head's state holds: its means follow. */
enum {
    TURNS,
    KNOWN,
    SUM
}; /* whether means turn with the position; how many there are; sum of tokens [dim] */

static float *mean_at(float *state, size_t dim, size_t i) {
    return state + SUM + dim + i * dim;
}

/* The number of the mean that position t takes. */
static size_t number_at(const fq_treatment_step *step, size_t t) {
    const size_t c = prefix_tokens(step);
    size_t number = 0;
    if (step->value[RENEW] == RUNNING)
        return t < c ? 0 : t - c + 1;
    while (step->value[RENEW] == DOUBLING && t / c >> (number + 1))
        number++;
    return number;
}

static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    return SUM + dim + (number_at(step, capacity) + 1) * dim;
}

/* Whether the mean turns with the position. */
static bool turns(const fq_treatment_step *step, fq_treatment_side side) {
    return side == FQ_OF_KEYS && step->value[AT] == 0;
}

static float half(double x) {
    return fq_fp16_to_float(fq_fp16_from_float((float)x));
}

/* All pairs but the strongest become zero. */
static void keep_pairs(const fq_treatment_step *step, float *mean, size_t dim, const fq_rope *rope) {
    const size_t half = dim / 2, wanted = (size_t)step->value[PAIRS];
    const size_t stride = rope->interleaved ? 2 : 1, apart = rope->interleaved ? 1 : half;
    for (size_t kept = half; wanted > 0 && kept > wanted; kept--) {
        size_t weakest = half;
        double least = HUGE_VAL;
        for (size_t i = 0; i < half; i++) {
            const double a = (double)mean[i * stride], b = (double)mean[i * stride + apart];
            if ((a != 0.0 || b != 0.0) && a * a + b * b <= least) {
                weakest = i;
                least = a * a + b * b;
            }
        }
        if (weakest == half)
            return;
        mean[weakest * stride] = mean[weakest * stride + apart] = 0.0F;
    }
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    const size_t d = p->dim, end = prefix_tokens(step), skip = (size_t)step->value[SKIP];
    float *x = NULL;
    if (skip >= end)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "mean: skip", skip, "below tokens");
    if (step->value[PAIRS] > 0 && !turns(step, p->side))
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "mean: pairs", step->value[PAIRS], "0, but for of=keys,at=before");
    FQ_TRY(fq_alloc(&x, end, d * sizeof *x));
    memcpy(x, p->x, end * d * sizeof *x);
    fq_status status = FQ_OK;
    if (turns(step, p->side))
        status = fq_treatment_turn("mean", p->rope, x, 0, end, 1, d, true);
    for (size_t c = 0; status == FQ_OK && c < d; c++) {
        double sum = 0.0;
        for (size_t t = skip; t < end; t++)
            sum += (double)x[t * d + c];
        mean_at(state, d, 0)[c] = half(sum / (double)(end - skip));
    }
    state[TURNS] = turns(step, p->side) ? 1.0F : 0.0F;
    state[KNOWN] = 1.0F;
    if (status == FQ_OK && state[TURNS] != 0.0F)
        keep_pairs(step, mean_at(state, d, 0), d, p->rope);
    fq_free(x);
    return status;
}

/* A half a coordinate of each mean that decoders cannot know; of some pairs, their numbers as well, in a byte
 * each, two above 256. */
static double bits(const fq_treatment_step *step, size_t dim, size_t tokens) {
    const bool stored = step->value[RENEW] == DOUBLING && tokens > 0;
    const double pairs = step->value[PAIRS];
    const double one =
        pairs > 0 && pairs < (double)(dim / 2) ? pairs * (dim / 2 > 256 ? 48.0 : 40.0) : 16.0 * (double)dim;
    return one * (double)(stored ? number_at(step, tokens - 1) + 1 : 1);
}

/* x[n][dim] of positions place->first.. added to the sum; each time a mean is due it is set. */
static fq_status grow(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                      const float *from, size_t n) {
    const size_t d = place->dim, skip = (size_t)step->value[SKIP];
    float *x = NULL;
    FQ_TRY(fq_alloc(&x, n, d * sizeof *x));
    memcpy(x, from, n * d * sizeof *x);
    fq_status status = FQ_OK;
    if (state[TURNS] != 0.0F)
        status = fq_treatment_turn("mean", place->rope, x, place->first, n, 1, d, true);
    for (size_t i = 0; status == FQ_OK && i < n; i++) {
        const size_t held = place->first + i + 1, number = number_at(step, held);
        for (size_t c = 0; held > skip && c < d; c++)
            state[SUM + c] += x[i * d + c];
        if (number == number_at(step, held - 1) || held <= skip)
            continue;
        for (size_t c = 0; c < d; c++) {
            const double mean = (double)state[SUM + c] / (double)(held - skip);
            mean_at(state, d, number)[c] = step->value[RENEW] == RUNNING ? (float)mean : half(mean);
        }
        if (state[TURNS] != 0.0F)
            keep_pairs(step, mean_at(state, d, number), d, place->rope);
        state[KNOWN] = (float)(number + 1);
    }
    fq_free(x);
    return status;
}

static bool grows(const fq_treatment_step *step) {
    return step->value[RENEW] != NEVER;
}

static fq_status extend(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                        const float *x, size_t n) {
    return step->value[RENEW] == DOUBLING ? grow(step, state, place, x, n) : FQ_OK;
}

static size_t until(const fq_treatment_step *step, size_t position) {
    const size_t c = prefix_tokens(step);
    return step->value[RENEW] != RUNNING ? SIZE_MAX : position < c ? c : position + 1;
}

static fq_status feedback(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                          const float *decoded, size_t n) {
    return step->value[RENEW] == RUNNING ? grow(step, state, place, decoded, n) : FQ_OK;
}

static fq_status add(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                     float *x, size_t n, float sign) {
    const size_t d = place->dim, known = (size_t)state[KNOWN];
    float *mean = NULL;
    FQ_TRY(fq_alloc(&mean, n, d * sizeof *mean));
    for (size_t i = 0; i < n; i++) {
        const size_t number = number_at(step, place->first + i), last = known - 1;
        memcpy(mean + i * d, state + SUM + d + (number < last ? number : last) * d, d * sizeof *mean);
    }
    fq_status status = FQ_OK;
    if (state[TURNS] != 0.0F)
        status = fq_treatment_turn("mean", place->rope, mean, place->first, n, 1, d, false);
    for (size_t i = 0; status == FQ_OK && i < n * d; i++)
        x[i] += sign * mean[i];
    fq_free(mean);
    return status;
}

static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    return add(step, state, place, x, n, -1.0F);
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    return add(step, state, place, x, n, 1.0F);
}

static const float *offset(const fq_treatment_step *step, const float *state, size_t dim, size_t position,
                           bool *turned, size_t *end) {
    const size_t c = prefix_tokens(step), last = (size_t)state[KNOWN] - 1, number = number_at(step, position);
    *turned = state[TURNS] != 0.0F;
    *end = step->value[RENEW] == NEVER || number >= last ? SIZE_MAX
           : step->value[RENEW] == RUNNING               ? until(step, position)
                                                         : c << (number + 1);
    return state + SUM + dim + (number < last ? number : last) * dim;
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
    .grows = grows,
    .extend = extend,
    .until = until,
    .feedback = feedback,
    .forward = forward,
    .backward = backward,
    .offset = offset,
};
