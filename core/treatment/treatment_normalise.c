/* Vectors are divided by their norms, which are stored beside them as halves, before the steps behind this
 * one. With a mean behind it and a codec that stores a norm this is the order of NSNQuant (arXiv 2505.18231):
 * normalise each token, shift by the channels' mean, normalise again, code with one codebook for the normal
 * law after a Hadamard transform:
 *
 *   normalise+mean:at=after with fib:k=8,N=256,rot=hadamard     x' = |x| (m + rho c), rho = |x/|x| - m|
 *
 * What is known of that paper here is its summary. Not checked against it: over which tokens its means go
 * (here the first ones), whether keys are taken before their position encoding (at=before does), how it
 * stores norms and means, the window of tokens it keeps, and its codebook at 2 bits (here any codec's). Norms
 * are counted at 16 bits a token, the codec's own besides.
 */
#include <math.h>

#include "fp16.h"
#include "treatment_family.h"

enum { OF };
static const fq_codec_key keys[] = {
    {.name = "of", .help = "whose", .type = FQ_TYPE_CHOICE, .fallback = 2, .words = fq_treatment_side_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    (void)step;
    (void)dim;
    return capacity ? capacity : 1;
}

/* norm[n] of x[n][dim] as halves hold them. */
static fq_status set_norms(float *norm, const float *x, size_t n, size_t dim) {
    for (size_t t = 0; t < n; t++) {
        double square = 0.0;
        for (size_t c = 0; c < dim; c++)
            square += (double)x[t * dim + c] * (double)x[t * dim + c];
        if (!isfinite(square))
            return FQ_FAIL(FQ_ERR_NONFINITE, "x", "finite numbers");
        if (sqrt(square) > FQ_FP16_MAX)
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "norm", sqrt(square), "norms up to 65504");
        norm[t] = fq_fp16_to_float(fq_fp16_from_float((float)sqrt(square)));
    }
    return FQ_OK;
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    (void)step;
    return set_norms(state, p->x, p->tokens, p->dim);
}

static bool grows(const fq_treatment_step *step) {
    (void)step;
    return true;
}

static fq_status extend(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                        const float *x, size_t n) {
    (void)step;
    return set_norms(state + place->first, x, n, place->dim);
}

static double bits(const fq_treatment_step *step, size_t dim, size_t tokens) {
    (void)step;
    (void)dim;
    return 16.0 * (double)tokens;
}

/* A norm of zero, or of a token that was not there, changes nothing. */
static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    (void)step;
    for (size_t i = 0; i < n * place->dim; i++) {
        const float norm = state[place->first + i / place->dim];
        x[i] /= norm > 0.0F ? norm : 1.0F;
    }
    return FQ_OK;
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    (void)step;
    for (size_t i = 0; i < n * place->dim; i++) {
        const float norm = state[place->first + i / place->dim];
        x[i] *= norm > 0.0F ? norm : 1.0F;
    }
    return FQ_OK;
}

const fq_treatment_family fq_treatment_family_normalise = {
    .name = "normalise",
    .summary =
        "divide vectors by their norms before the steps behind this one (NSNQuant: with mean behind it)",
    .keys = keys,
    .sides = sides,
    .state_floats = floats,
    .prepare = prepare,
    .grows = grows,
    .extend = extend,
    .state_bits = bits,
    .forward = forward,
    .backward = backward,
};
