/* Pairs of key coordinates are scaled before the codec and back after it, so that a code whose error is the
 * same in all directions errs little where queries are large.
 *
 * With W_i and K_i the mean squares of the i-th pair of queries and of keys (as the steps before leave them),
 * the scale is (W_i / K_i)^(1/4), the geometric mean of what queries ask for and what keys spend; whitening
 * by queries alone would spend the code on pairs whose keys are small. A pair is one that the position
 * encoding turns, so that scales commute with it; without one it is two neighbours (2i, 2i+1).
 */
#include <math.h>

#include "fp16.h"
#include "treatment_family.h"

enum { TOKENS };
static const fq_codec_key keys[] = {{.name = "tokens",
                                     .help = "first tokens whose queries and keys say how much",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 64,
                                     .least = 1,
                                     .most = 1048576},
                                    {0}};

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    (void)step;
    (void)capacity;
    return dim;
}

/* The coordinates of pair i. */
static void pair_of(const fq_rope *rope, size_t dim, size_t i, size_t *a, size_t *b) {
    const bool halves = rope && rope->base > 0.0 && !rope->interleaved;
    *a = halves ? i : 2 * i;
    *b = halves ? dim / 2 + i : 2 * i + 1;
}

static double energy(const float *x, size_t n, size_t dim, size_t a, size_t b) {
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum +=
            (double)x[t * dim + a] * (double)x[t * dim + a] + (double)x[t * dim + b] * (double)x[t * dim + b];
    return sum / (double)n;
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    const size_t d = p->dim, n = prefix_tokens(step);
    double mean = 0.0;
    if (!p->rope)
        return FQ_FAIL(FQ_ERR_SPEC, "scale", "the position encoding's pairs; the cache does not name them");
    if (!p->query || d % 2 != 0)
        return FQ_FAIL(FQ_ERR_SPEC, "scale", "keys of an even dimension, with their queries");
    for (size_t i = 0; i < d / 2; i++) {
        size_t a, b;
        pair_of(p->rope, d, i, &a, &b);
        const double w = energy(p->query, n * p->group, d, a, b), k = energy(p->x, n, d, a, b);
        const double scale = w > 0.0 && k > 0.0 ? log(w / k) / 4.0 : 0.0;
        mean += scale / (double)(d / 2);
        state[a] = (float)scale;
    }
    for (size_t i = 0; i < d / 2; i++) {
        size_t a, b;
        pair_of(p->rope, d, i, &a, &b);
        /* geometric mean 1, and within what halves hold with all their digits */
        const double scale = fmin(fmax(exp((double)state[a] - mean), 1.0 / 1024.0), 1024.0);
        state[a] = fq_fp16_to_float(fq_fp16_from_float((float)scale));
        state[b] = state[a];
    }
    return FQ_OK;
}

static double bits(const fq_treatment_step *step, size_t dim, size_t tokens) {
    (void)step;
    (void)tokens;
    return 16.0 * (double)(dim / 2);
}

static void divide(const float *state, float *x, size_t n, size_t dim) {
    for (size_t i = 0; i < n * dim; i++)
        x[i] /= state[i % dim];
}

static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    (void)step;
    for (size_t i = 0; i < n * place->dim; i++)
        x[i] *= state[i % place->dim];
    return FQ_OK;
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    (void)step;
    divide(state, x, n, place->dim);
    return FQ_OK;
}

static fq_status forward_query(const fq_treatment_step *step, const float *state, float *q, size_t n,
                               size_t dim) {
    (void)step;
    divide(state, q, n, dim);
    return FQ_OK;
}

const fq_treatment_family fq_treatment_family_scale = {
    .name = "scale",
    .summary = "scale pairs of key coordinates by (query energy / key energy)^(1/4)",
    .keys = keys,
    .sides = fq_treatment_sides_keys,
    .prefix = prefix_tokens,
    .state_floats = floats,
    .prepare = prepare,
    .state_bits = bits,
    .forward = forward,
    .backward = backward,
    .forward_query = forward_query,
};
