#include <string.h>

#include "codec_metric.h"
#include "head_coder_read.h"
#include "memory.h"
#include "treatment_family.h"

struct fq_head_coder {
    fq_treatment treatment;
    fq_treatment_side side;
    size_t dim, classes, together, capacity;
    bool grows;  /* a step's state does */
    size_t seen; /* tokens encoded, where it does; SIZE_MAX after a failure */
    bool has_rope;
    fq_rope rope;
    const fq_codec **codecs;              /* [classes] */
    fq_codec_metric **metrics;            /* [classes]; NULL without a metric */
    float *state[FQ_TREATMENT_STEPS_MAX]; /* of each step; NULL where it has none */
};

static bool applies(const fq_treatment_step *step, fq_treatment_side side) {
    return (step->family->sides(step) & (unsigned)side) != 0;
}

void fq_head_coder_destroy(fq_head_coder *coder) {
    if (!coder)
        return;
    for (size_t i = 0; i < FQ_TREATMENT_STEPS_MAX; i++)
        fq_free(coder->state[i]);
    if (coder->metrics)
        for (size_t c = 0; c < coder->classes; c++)
            fq_codec_metric_destroy(coder->metrics[c]);
    fq_free(coder->metrics);
    fq_free(coder->codecs);
    fq_free(coder);
}

static fq_treatment_place place_of(const fq_head_coder *coder, size_t first) {
    return (fq_treatment_place){
        .dim = coder->dim, .first = first, .rope = coder->has_rope ? &coder->rope : NULL};
}

/* Every step learns from the prefix as the steps before it leave it. */
static fq_status prepare_steps(fq_head_coder *coder, const fq_head_prefix *prefix, float *x, float *query) {
    const size_t d = coder->dim, n = prefix->tokens;
    fq_head_prefix seen = *prefix;
    const fq_treatment_place place = place_of(coder, 0);
    seen.x = x;
    seen.query = prefix->query ? query : NULL;
    if (n > 0)
        memcpy(x, prefix->x, n * d * sizeof *x);
    if (prefix->query)
        memcpy(query, prefix->query, n * prefix->group * d * sizeof *query);
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        const fq_treatment_family *family = step->family;
        if (!applies(step, coder->side))
            continue;
        if (family->state_floats) {
            FQ_TRY(fq_alloc_zero(&coder->state[i], family->state_floats(step, d, coder->capacity),
                                 sizeof(float)));
            FQ_TRY(family->prepare(step, coder->state[i], &seen));
        }
        if (family->forward)
            FQ_TRY(family->forward(step, coder->state[i], &place, x, n));
        if (family->forward_query && seen.query)
            FQ_TRY(family->forward_query(step, coder->state[i], query, n * prefix->group, d));
    }
    return FQ_OK;
}

/* Metrics, rotations and feedback are for vectors of one token. */
static fq_status check_together(const fq_head_coder *coder) {
    bool alone = coder->classes > 1;
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_family *family = coder->treatment.step[i].family;
        alone |=
            applies(&coder->treatment.step[i], coder->side) &&
            (family->metric || (family->until && family->until(&coder->treatment.step[i], 0) != SIZE_MAX));
    }
    if (coder->together > 1 && alone)
        return FQ_FAIL(FQ_ERR_SPEC, "channels",
                       "treatments without metric, classes or running means of the same side");
    return FQ_OK;
}

/* Steps that learn from queries meet keys that have their position encoding. */
static fq_status check_order(const fq_head_coder *coder) {
    bool turned_back = false;
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        if (!applies(step, coder->side))
            continue;
        if (turned_back && coder->side == FQ_OF_KEYS && (step->family->metric || step->family->forward_query))
            return FQ_FAIL(FQ_ERR_SPEC, step->family->name,
                           "a place before steps that take keys' position encoding away, or none with them");
        turned_back |= step->family->turns_back;
    }
    return FQ_OK;
}

static fq_status make_metrics(fq_head_coder *coder) {
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        if (!step->family->metric || !applies(step, coder->side))
            continue;
        FQ_TRY(fq_alloc_zero(&coder->metrics, coder->classes, sizeof *coder->metrics));
        for (size_t c = 0; c < coder->classes; c++)
            FQ_TRY(fq_codec_metric_create(&coder->metrics[c], coder->codecs[c], coder->state[i]));
        return FQ_OK;
    }
    return FQ_OK;
}

static fq_status fill(fq_head_coder *coder, const fq_codec *const *codecs, const fq_head_prefix *prefix) {
    float *x = NULL, *query = NULL;
    const size_t wanted = fq_treatment_prefix(&coder->treatment, coder->side);
    FQ_TRY(check_together(coder));
    FQ_TRY(check_order(coder));
    if (prefix->tokens < wanted)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "prefix", prefix->tokens,
                             "the tokens that the treatment learns from");
    FQ_TRY(fq_alloc(&coder->codecs, coder->classes, sizeof *coder->codecs));
    for (size_t c = 0; c < coder->classes; c++)
        coder->codecs[c] = codecs[c];
    const size_t vectors = prefix->tokens ? prefix->tokens : 1;
    FQ_TRY(fq_alloc(&x, vectors, coder->dim * sizeof *x));
    fq_status status =
        fq_alloc(&query, vectors * (prefix->group ? prefix->group : 1), coder->dim * sizeof *query);
    if (status == FQ_OK)
        status = prepare_steps(coder, prefix, x, query);
    fq_free(query);
    fq_free(x);
    return status == FQ_OK ? make_metrics(coder) : status;
}

fq_status fq_head_coder_create(fq_head_coder **coder, const fq_treatment *treatment,
                               const fq_codec *const *codecs, const fq_head_prefix *prefix) {
    fq_head_coder *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->treatment = *treatment;
    made->side = prefix->side;
    made->dim = prefix->dim;
    made->classes = fq_treatment_classes(treatment, prefix->side);
    made->together = fq_treatment_together(treatment, prefix->side);
    made->capacity = prefix->capacity > prefix->tokens ? prefix->capacity : prefix->tokens;
    for (size_t i = 0; i < treatment->steps; i++)
        made->grows |= applies(&treatment->step[i], prefix->side) && treatment->step[i].family->grows &&
                       treatment->step[i].family->grows(&treatment->step[i]);
    made->has_rope = prefix->rope != NULL;
    if (prefix->rope)
        made->rope = *prefix->rope;
    const fq_status status = fill(made, codecs, prefix);
    if (status != FQ_OK) {
        fq_head_coder_destroy(made);
        return status;
    }
    *coder = made;
    return FQ_OK;
}

/* Forward through all steps, whose states grow by the way if told to, or back through all. */
static fq_status run_steps_of(const fq_head_coder *coder, float *x, size_t first, size_t n, bool back,
                              bool extend) {
    const fq_treatment_place place = place_of(coder, first);
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const size_t at = back ? coder->treatment.steps - 1 - i : i;
        const fq_treatment_step *step = &coder->treatment.step[at];
        if (!applies(step, coder->side))
            continue;
        if (back && step->family->backward)
            FQ_TRY(step->family->backward(step, coder->state[at], &place, x, n));
        if (extend && coder->grows && step->family->extend)
            FQ_TRY(step->family->extend(step, coder->state[at], &place, x, n));
        if (!back && step->family->forward)
            FQ_TRY(step->family->forward(step, coder->state[at], &place, x, n));
    }
    return FQ_OK;
}

static fq_status run_steps(const fq_head_coder *coder, float *x, size_t first, size_t n, bool back) {
    return run_steps_of(coder, x, first, n, back, false);
}

/* x of one class, token class, class + classes, ..., gathered or put back. */
static void stride_copy(float *to, const float *from, size_t vectors, size_t to_stride, size_t from_stride,
                        size_t dim) {
    for (size_t i = 0; i < vectors; i++)
        memcpy(to + i * to_stride * dim, from + i * from_stride * dim, dim * sizeof *to);
}

/* x[n][dim], group by group of tokens, to channels' runs over the group side by side, or back. In place. */
static fq_status transpose_groups(const fq_head_coder *coder, float *x, size_t n, bool back) {
    const size_t g = coder->together, d = coder->dim;
    float *copy = NULL;
    if (g == 1)
        return FQ_OK;
    FQ_TRY(fq_alloc(&copy, g, d * sizeof *copy));
    for (size_t first = 0; first < n; first += g) {
        float *group = x + first * d;
        memcpy(copy, group, g * d * sizeof *copy);
        for (size_t t = 0; t < g; t++)
            for (size_t c = 0; c < d; c++)
                if (back)
                    group[t * d + c] = copy[c * g + t];
                else
                    group[c * g + t] = copy[t * d + c];
    }
    fq_free(copy);
    return FQ_OK;
}

static fq_status check_groups(const fq_head_coder *coder, size_t first, size_t n) {
    if (first % coder->together != 0 || n % coder->together != 0)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "whole groups of the tokens that are coded together");
    return FQ_OK;
}

/* Tokens whose steps know all that they need. */
static fq_status encode_piece(fq_head_coder *coder, uint8_t *codes, const float *x, size_t first, size_t n) {
    const size_t d = coder->dim, classes = coder->classes,
                 bytes = fq_codec_get_cost(coder->codecs[0]).code_bytes;
    float *changed = NULL, *part = NULL;
    uint8_t *part_codes = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&changed, n, d * sizeof *changed), done);
    FQ_TRY_GOTO(status, fq_alloc(&part, n, d * sizeof *part), done);
    FQ_TRY_GOTO(status, fq_alloc(&part_codes, n, bytes), done);
    memcpy(changed, x, n * d * sizeof *x);
    FQ_TRY_GOTO(status, run_steps_of(coder, changed, first, n, false, true), done);
    FQ_TRY_GOTO(status, transpose_groups(coder, changed, n, false), done);
    for (size_t c = 0; c < classes; c++) {
        const size_t start = (c + classes - first % classes) % classes;
        const size_t count = start < n ? (n - start - 1) / classes + 1 : 0;
        stride_copy(part, changed + start * d, count, 1, classes, d);
        if (coder->metrics)
            FQ_TRY_GOTO(status, fq_codec_metric_encode(coder->metrics[c], part_codes, part, count), done);
        else
            FQ_TRY_GOTO(status, fq_codec_encode(coder->codecs[c], part_codes, part, count), done);
        for (size_t i = 0; i < count; i++)
            memcpy(codes + (start + i * classes) * bytes, part_codes + i * bytes, bytes);
    }
done:
    fq_free(part_codes);
    fq_free(part);
    fq_free(changed);
    return status;
}

/* Codes of whole groups back to what stood behind all steps. */
static fq_status decode_codes(const fq_head_coder *coder, float *x, const uint8_t *codes, size_t first,
                              size_t n) {
    const size_t d = coder->dim, classes = coder->classes,
                 bytes = fq_codec_get_cost(coder->codecs[0]).code_bytes;
    float *part = NULL;
    uint8_t *part_codes = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&part, n, d * sizeof *part), done);
    FQ_TRY_GOTO(status, fq_alloc(&part_codes, n, bytes), done);
    for (size_t c = 0; c < classes; c++) {
        const size_t start = (c + classes - first % classes) % classes;
        const size_t count = start < n ? (n - start - 1) / classes + 1 : 0;
        for (size_t i = 0; i < count; i++)
            memcpy(part_codes + i * bytes, codes + (start + i * classes) * bytes, bytes);
        FQ_TRY_GOTO(status, fq_codec_decode(coder->codecs[c], part, part_codes, count), done);
        stride_copy(x + start * d, part, count, classes, 1, d);
    }
    status = transpose_groups(coder, x, n, true);
done:
    fq_free(part_codes);
    fq_free(part);
    return status;
}

fq_status fq_head_coder_decode(const fq_head_coder *coder, float *x, const uint8_t *codes, size_t first,
                               size_t n) {
    if (n == 0)
        return FQ_OK;
    FQ_TRY(check_groups(coder, first, n));
    FQ_TRY(decode_codes(coder, x, codes, first, n));
    return run_steps(coder, x, first, n, true);
}

/* How far tokens from first on can be encoded before some step must see them decoded. */
static size_t piece_end(const fq_head_coder *coder, size_t first, size_t end) {
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        const size_t until =
            step->family->until && applies(step, coder->side) ? step->family->until(step, first) : end;
        end = until < end ? until : end;
    }
    return end;
}

/* Tells the steps what decoders see of tokens that were just encoded. */
static fq_status feed_back(fq_head_coder *coder, const uint8_t *codes, size_t first, size_t n) {
    const fq_treatment_place place = place_of(coder, first);
    float *x = NULL;
    FQ_TRY(fq_alloc(&x, n, coder->dim * sizeof *x));
    fq_status status = decode_codes(coder, x, codes, first, n);
    for (size_t i = coder->treatment.steps; status == FQ_OK && i-- > 0;) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        if (!applies(step, coder->side))
            continue;
        if (step->family->backward)
            status = step->family->backward(step, coder->state[i], &place, x, n);
        if (status == FQ_OK && step->family->feedback)
            status = step->family->feedback(step, coder->state[i], &place, x, n);
    }
    fq_free(x);
    return status;
}

fq_status fq_head_coder_encode(fq_head_coder *coder, uint8_t *codes, const float *x, size_t first, size_t n) {
    const size_t bytes = fq_codec_get_cost(coder->codecs[0]).code_bytes, end = first + n;
    if (n == 0)
        return FQ_OK;
    FQ_TRY(check_groups(coder, first, n));
    if (!coder->grows)
        return encode_piece(coder, codes, x, first, n);
    if (first != coder->seen || n > coder->capacity - first)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "first", first, "tokens in order, up to the capacity");
    coder->seen = SIZE_MAX;
    for (size_t at = first, next; at < end; at = next) {
        next = piece_end(coder, at, end);
        FQ_TRY(
            encode_piece(coder, codes + (at - first) * bytes, x + (at - first) * coder->dim, at, next - at));
        if (piece_end(coder, at, SIZE_MAX) != SIZE_MAX)
            FQ_TRY(feed_back(coder, codes + (at - first) * bytes, at, next - at));
    }
    coder->seen = end;
    return FQ_OK;
}

fq_status fq_head_coder_keep(const fq_head_coder *coder, float *kept, const float *x, size_t first, size_t n,
                             double bits) {
    if (kept != x)
        memcpy(kept, x, n * coder->dim * sizeof *x);
    FQ_TRY(run_steps(coder, kept, first, n, false));
    fq_treatment_keep_round(kept, kept, n, coder->dim, bits);
    return run_steps(coder, kept, first, n, true);
}

double fq_head_coder_side_bits(const fq_head_coder *coder, size_t tokens) {
    double bits = 0.0;
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        if (applies(step, coder->side) && step->family->state_bits)
            bits += step->family->state_bits(step, coder->dim, tokens);
    }
    return bits;
}

/* The step of the term, counted from 0. */
static size_t step_of_term(const fq_head_coder *coder, size_t term) {
    size_t i = 0;
    while (!applies(&coder->treatment.step[i], coder->side) || !coder->treatment.step[i].family->offset ||
           term-- > 0)
        i++;
    return i;
}

fq_status fq_head_coder_check_reads(const fq_head_coder *coder) {
    for (size_t i = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_family *family = coder->treatment.step[i].family;
        if (applies(&coder->treatment.step[i], coder->side) && family->backward && !family->offset &&
            !family->forward_query)
            return FQ_FAIL(FQ_ERR_UNSUPPORTED, family->name, "steps that can be read without decoding");
    }
    if (coder->together > 1)
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, "channels", "steps that can be read without decoding");
    return FQ_OK;
}

size_t fq_head_coder_classes(const fq_head_coder *coder) {
    return coder->classes;
}

const fq_codec *fq_head_coder_codec(const fq_head_coder *coder, size_t rotation_class) {
    return coder->codecs[rotation_class];
}

size_t fq_head_coder_dim(const fq_head_coder *coder) {
    return coder->dim;
}

const fq_rope *fq_head_coder_rope(const fq_head_coder *coder) {
    return coder->has_rope ? &coder->rope : NULL;
}

size_t fq_head_coder_terms(const fq_head_coder *coder) {
    size_t terms = 0;
    for (size_t i = 0; i < coder->treatment.steps; i++)
        terms += applies(&coder->treatment.step[i], coder->side) && coder->treatment.step[i].family->offset;
    return terms;
}

fq_status fq_head_coder_change_queries(const fq_head_coder *coder, float *q, size_t m, float *const *term) {
    for (size_t i = 0, t = 0; i < coder->treatment.steps; i++) {
        const fq_treatment_step *step = &coder->treatment.step[i];
        if (!applies(step, coder->side))
            continue;
        if (step->family->offset)
            memcpy(term[t++], q, m * coder->dim * sizeof *q);
        if (step->family->forward_query)
            FQ_TRY(step->family->forward_query(step, coder->state[i], q, m, coder->dim));
    }
    return FQ_OK;
}

const float *fq_head_coder_mean(const fq_head_coder *coder, size_t term, size_t position, bool *turns,
                                size_t *until) {
    const size_t i = step_of_term(coder, term);
    const fq_treatment_step *step = &coder->treatment.step[i];
    const float *const mean = step->family->offset(step, coder->state[i], coder->dim, position, turns, until);
    *turns = *turns && coder->has_rope && coder->rope.base > 0.0;
    return mean;
}

fq_status fq_head_coder_back(const fq_head_coder *coder, float *x) {
    return run_steps(coder, x, 0, 1, true);
}
