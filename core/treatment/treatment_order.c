/* Channels in order of falling energy over the head's first tokens, so that a codec that treats its first
 * channels better (TurboQuant at a fractional rate: arXiv 2504.19874, outlier channels) has the right ones
 * there. A permutation: norms and scores stay.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "treatment_family.h"

enum { TOKENS, OF };
static const fq_codec_key keys[] = {
    {.name = "tokens",
     .help = "first tokens whose energy decides",
     .type = FQ_TYPE_INTEGER,
     .fallback = 64,
     .least = 1,
     .most = 1048576},
    {.name = "of", .help = "whose", .type = FQ_TYPE_CHOICE, .fallback = 2, .words = fq_treatment_side_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    (void)step;
    (void)capacity;
    return dim;
}

typedef struct channel {
    double energy;
    size_t number;
} channel;

static int by_falling_energy(const void *a, const void *b) {
    const channel *p = a, *q = b;
    if (p->energy != q->energy)
        return p->energy < q->energy ? 1 : -1;
    return p->number < q->number ? -1 : 1;
}

/* state[i]: the channel that comes i-th. */
static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    channel *channels = NULL;
    FQ_TRY(fq_alloc_zero(&channels, p->dim, sizeof *channels));
    for (size_t c = 0; c < p->dim; c++)
        channels[c].number = c;
    for (size_t i = 0; i < prefix_tokens(step) * p->dim; i++)
        channels[i % p->dim].energy += (double)p->x[i] * (double)p->x[i];
    qsort(channels, p->dim, sizeof *channels, by_falling_energy);
    for (size_t i = 0; i < p->dim; i++)
        state[i] = (float)channels[i].number;
    fq_free(channels);
    return FQ_OK;
}

/* A byte a channel, two above 256. */
static double bits(const fq_treatment_step *step, size_t dim, size_t tokens) {
    (void)step;
    (void)tokens;
    return (dim > 256 ? 16.0 : 8.0) * (double)dim;
}

/* x[n][dim] in place; room for one vector, so the copy cannot fail half way. */
static fq_status permute(const float *state, float *x, size_t n, size_t dim, bool back) {
    float *copy = NULL;
    FQ_TRY(fq_alloc(&copy, dim, sizeof *copy));
    for (size_t t = 0; t < n; t++) {
        memcpy(copy, x + t * dim, dim * sizeof *copy);
        for (size_t i = 0; i < dim; i++) {
            const size_t at = (size_t)state[i];
            if (back)
                x[t * dim + at] = copy[i];
            else
                x[t * dim + i] = copy[at];
        }
    }
    fq_free(copy);
    return FQ_OK;
}

static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    (void)step;
    return permute(state, x, n, place->dim, false);
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    (void)step;
    return permute(state, x, n, place->dim, true);
}

static fq_status forward_query(const fq_treatment_step *step, const float *state, float *q, size_t n,
                               size_t dim) {
    (void)step;
    return permute(state, q, n, dim, false);
}

const fq_treatment_family fq_treatment_family_order = {
    .name = "order",
    .summary = "channels by falling energy, for codecs that treat the first ones better",
    .keys = keys,
    .sides = sides,
    .prefix = prefix_tokens,
    .state_floats = floats,
    .prepare = prepare,
    .state_bits = bits,
    .forward = forward,
    .backward = backward,
    .forward_query = forward_query,
};
