/* Vectors are multiplied by a matrix A of the head before the codec and by its inverse after it, keys as they
 * are before their position encoding, so that a code whose error is the same in all directions errs little
 * where it counts.
 *
 * With K the second moment of the vectors, W that of what they are multiplied with (of keys the head's
 * queries before their encoding, of values the unit matrix) and P = A^T A, the expected error is as tr(P K)
 * tr(P^-1 W), least for the geometric mean P = W # K^-1; A = P^(1/2). by=queries takes P = W instead, which
 * spends the code where keys are small and is worse than nothing: it is here to show that. Both moments are
 * first mixed with the share `shrink` of their mean eigenvalue.
 *
 * from=first: the moments of the head's first tokens; A is data of the cache then, d^2 halves a head.
 * from=given: moments from elsewhere, a model's weights or another cache: fq_head_prefix's; A belongs to the
 * model then and no cache stores it.
 *
 * Decoding a key costs d^2 multiply-adds and its encoding. Steps behind this one see keys without their
 * position encoding, so metric and scale must not stand there. Matrices between W and K, as low-rank or
 * per-channel forms: KVQuant (arXiv 2401.18079) and others; the optimum above is the classical one for a
 * product of two traces.
 */
#include <math.h>
#include <string.h>

#include "fp16.h"
#include "memory.h"
#include "symmetric.h"
#include "treatment_family.h"

enum { FROM, OF, TOKENS, SHRINK, BY };
enum { FIRST, GIVEN };
static const char *const from_words[] = {"first", "given", NULL};
static const char *const by_words[] = {"both", "queries", NULL};
static const fq_codec_key keys[] = {
    {.name = "from", .help = "whose moments", .type = FQ_TYPE_CHOICE, .words = from_words},
    {.name = "of", .help = "whose matrix", .type = FQ_TYPE_CHOICE, .words = fq_treatment_side_words},
    {.name = "tokens",
     .help = "first tokens, but the very first, whose moments are taken",
     .type = FQ_TYPE_INTEGER,
     .fallback = 64,
     .least = 2,
     .most = 1048576},
    {.name = "shrink",
     .help = "share of the unit matrix in the moments",
     .type = FQ_TYPE_REAL,
     .fallback = 0.1,
     .least = 0.0001,
     .most = 1},
    {.name = "by",
     .help = "moments that the matrix is the optimum of",
     .type = FQ_TYPE_CHOICE,
     .words = by_words},
    {0}};

static unsigned sides(const fq_treatment_step *step) {
    return fq_treatment_side_of(step->value[OF]);
}

static size_t prefix_tokens(const fq_treatment_step *step) {
    return step->value[FROM] == FIRST ? (size_t)step->value[TOKENS] : 0;
}

/* Whether vectors are turned back, then A and its inverse. */
static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    (void)step;
    (void)capacity;
    return 1 + 2 * dim * dim;
}

/* Adds x x^T of x[n][dim]. */
static void add_moment(double *m, const float *x, size_t n, size_t dim) {
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j < dim; j++)
                m[i * dim + j] += (double)x[v * dim + i] * (double)x[v * dim + j];
}

/* The moment of x[tokens][heads][dim] but for the first token, before the position encoding of keys. */
static fq_status moment_of_first(double *m, const fq_head_prefix *p, const float *x, size_t tokens,
                                 size_t heads) {
    const size_t d = p->dim;
    float *turned = NULL;
    fq_status status = FQ_OK;
    FQ_TRY(fq_alloc(&turned, tokens * heads, d * sizeof *turned));
    memcpy(turned, x, tokens * heads * d * sizeof *turned);
    if (p->side == FQ_OF_KEYS)
        status = fq_treatment_turn("matrix", p->rope, turned, 0, tokens, heads, d, true);
    if (status == FQ_OK)
        add_moment(m, turned + heads * d, (tokens - 1) * heads, d);
    fq_free(turned);
    return status;
}

static void copy_given(double *m, const float *given, size_t dim) {
    for (size_t i = 0; i < dim * dim; i++)
        m[i] = (double)given[i];
}

static fq_status moments(const fq_treatment_step *step, const fq_head_prefix *p, double *k, double *w) {
    const size_t d = p->dim, tokens = (size_t)step->value[TOKENS];
    const bool of_keys = p->side == FQ_OF_KEYS;
    if (step->value[FROM] == FIRST && of_keys && !p->query)
        return FQ_FAIL(FQ_ERR_SPEC, "matrix", "keys with their queries");
    if (step->value[FROM] == GIVEN && !(p->given.self && (p->given.query || !of_keys)))
        return FQ_FAIL(FQ_ERR_SPEC, "matrix: from=given",
                       "heads whose moments are given, from a model's weights or another cache");
    if (step->value[FROM] == FIRST) {
        FQ_TRY(moment_of_first(k, p, p->x, tokens, 1));
        if (of_keys)
            FQ_TRY(moment_of_first(w, p, p->query, tokens, p->group));
    } else {
        copy_given(k, p->given.self, d);
        if (of_keys)
            copy_given(w, p->given.query, d);
    }
    for (size_t i = 0; !of_keys && i < d; i++)
        w[i * (d + 1)] = 1.0;
    return FQ_OK;
}

/* (1 - shrink) m / (tr m / d) + shrink I; the unit matrix where m is zero. */
static void shrink(double *m, size_t dim, double share) {
    double trace = 0.0;
    for (size_t i = 0; i < dim; i++)
        trace += m[i * (dim + 1)];
    const double scale = trace > 0.0 ? (1.0 - share) * (double)dim / trace : 0.0;
    for (size_t i = 0; i < dim * dim; i++)
        m[i] = scale * m[i] + (i % (dim + 1) ? 0.0 : trace > 0.0 ? share : 1.0);
}

/* P = W # K^-1, or W, then A = P^(1/2) as halves hold it, and the inverse of that. */
static fq_status solve(const fq_treatment_step *step, float *state, double *k, double *w, size_t dim) {
    shrink(k, dim, step->value[SHRINK]);
    shrink(w, dim, step->value[SHRINK]);
    if (step->value[BY] == 0) {
        FQ_TRY(fq_symmetric_power(k, k, dim, -1.0));
        FQ_TRY(fq_symmetric_mean(w, k, w, dim));
    }
    FQ_TRY(fq_symmetric_power(w, w, dim, 0.5));
    for (size_t i = 0; i < dim * dim; i++) {
        state[1 + i] = fq_fp16_to_float(fq_fp16_from_float((float)w[i]));
        w[i] = (double)state[1 + i];
    }
    FQ_TRY(fq_symmetric_power(w, w, dim, -1.0));
    for (size_t i = 0; i < dim * dim; i++)
        state[1 + dim * dim + i] = (float)w[i];
    return FQ_OK;
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    const size_t d = p->dim;
    double *m = NULL;
    FQ_TRY(fq_alloc_zero(&m, 2 * d * d, sizeof *m));
    fq_status status = moments(step, p, m, m + d * d);
    if (status == FQ_OK)
        status = solve(step, state, m, m + d * d, d);
    state[0] = p->side == FQ_OF_KEYS ? 1.0F : 0.0F;
    fq_free(m);
    return status;
}

static double bits(const fq_treatment_step *step, size_t dim, size_t tokens) {
    (void)tokens;
    return step->value[FROM] == FIRST ? 16.0 * (double)(dim * dim) : 0.0;
}

/* x[n][dim] = matrix x, in place; the matrix is symmetric. */
static fq_status multiply(const float *matrix, float *x, size_t n, size_t dim) {
    float *y = NULL;
    FQ_TRY(fq_alloc(&y, dim, sizeof *y));
    for (size_t t = 0; t < n; t++) {
        memset(y, 0, dim * sizeof *y);
        for (size_t j = 0; j < dim; j++)
            for (size_t i = 0; i < dim; i++)
                y[i] += matrix[j * dim + i] * x[t * dim + j];
        memcpy(x + t * dim, y, dim * sizeof *y);
    }
    fq_free(y);
    return FQ_OK;
}

static fq_status forward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n) {
    (void)step;
    if (state[0] != 0.0F)
        FQ_TRY(fq_treatment_turn("matrix", place->rope, x, place->first, n, 1, place->dim, true));
    return multiply(state + 1, x, n, place->dim);
}

static fq_status backward(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n) {
    (void)step;
    FQ_TRY(multiply(state + 1 + place->dim * place->dim, x, n, place->dim));
    if (state[0] == 0.0F)
        return FQ_OK;
    return fq_treatment_turn("matrix", place->rope, x, place->first, n, 1, place->dim, false);
}

const fq_treatment_family fq_treatment_family_matrix = {
    .name = "matrix",
    .summary = "multiply by the head's optimal matrix, keys before their position encoding",
    .keys = keys,
    .sides = sides,
    .prefix = prefix_tokens,
    .state_floats = floats,
    .prepare = prepare,
    .state_bits = bits,
    .forward = forward,
    .backward = backward,
    .turns_back = true,
};
