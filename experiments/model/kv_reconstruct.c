#include "kv_reconstruct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fp16.h"
#include "memory.h"

/* Adds sign times the mean of from[n][dim], as fp16 stores it, to x[tokens][dim]. */
static void shift(float *x, size_t tokens, const float *from, size_t n, size_t dim, float sign) {
    for (size_t c = 0; c < dim; c++) {
        double mean = 0.0;
        for (size_t t = 0; t < n; t++)
            mean += (double)from[t * dim + c];
        const float by = sign * fq_fp16_to_float(fq_fp16_from_float((float)(mean / (double)n)));
        for (size_t t = 0; t < tokens; t++)
            x[t * dim + c] += by;
    }
}

static bool orders_channels(const fq_kv_treatment *t, size_t dim) {
    fq_codec_description about;
    return t->by_energy && fq_codec_describe(&about, fq_codec_get_spec(t->codec), dim) == FQ_OK &&
           about.orders_channels;
}

typedef struct channel {
    double energy;
    uint32_t number;
} channel;

static int by_falling_energy(const void *a, const void *b) {
    const channel *p = a, *q = b;
    if (p->energy != q->energy)
        return p->energy < q->energy ? 1 : -1;
    return p->number < q->number ? -1 : 1;
}

/* The codec of the treatment with the channels of x in order of energy. */
static fq_status make_ordered(fq_codec **codec, const fq_codec *like, const float *x, size_t tokens,
                              size_t dim) {
    channel *channels = NULL;
    uint32_t *order = NULL;
    FQ_TRY(fq_alloc_zero(&channels, dim, sizeof *channels));
    fq_status status = fq_alloc(&order, dim, sizeof *order);
    for (size_t t = 0; status == FQ_OK && t < tokens; t++)
        for (size_t c = 0; c < dim; c++)
            channels[c].energy += (double)x[t * dim + c] * (double)x[t * dim + c];
    for (size_t c = 0; status == FQ_OK && c < dim; c++)
        channels[c].number = (uint32_t)c;
    if (status == FQ_OK) {
        qsort(channels, dim, sizeof *channels, by_falling_energy);
        for (size_t c = 0; c < dim; c++)
            order[c] = channels[c].number;
        const fq_codec_parts parts = {.channel_order = order};
        status = fq_codec_create(codec, fq_codec_get_spec(like), dim, &parts);
    }
    fq_free(order);
    fq_free(channels);
    return status;
}

static fq_status code_and_decode(float *decoded, const fq_kv_treatment *t, const float *x, size_t tokens,
                                 uint8_t *codes) {
    fq_codec *ordered = NULL;
    const size_t dim = fq_codec_get_cost(t->codec).dim;
    if (orders_channels(t, dim))
        FQ_TRY(make_ordered(&ordered, t->codec, x, tokens, dim));
    const fq_codec *codec = ordered ? ordered : t->codec;
    fq_status status = fq_codec_encode(codec, codes, x, tokens);
    if (status == FQ_OK)
        status = fq_codec_decode(codec, decoded, codes, tokens);
    fq_codec_destroy(ordered);
    return status;
}

fq_status fq_kv_reconstruct(float *decoded, const fq_kv_treatment *t, const float *raw, size_t tokens) {
    const fq_codec_cost cost = fq_codec_get_cost(t->codec);
    const size_t dim = cost.dim, kept = t->keep < tokens ? t->keep : tokens;
    const size_t mean_of = t->centre_tokens < tokens ? t->centre_tokens : tokens;
    float *x = NULL;
    uint8_t *codes = NULL;
    FQ_TRY(fq_alloc(&x, tokens, dim * sizeof *x));
    fq_status status = fq_alloc(&codes, tokens, cost.code_bytes);
    if (status == FQ_OK) {
        memcpy(x, raw, tokens * dim * sizeof *x);
        if (mean_of)
            shift(x, tokens, raw, mean_of, dim, -1.0F);
        status = code_and_decode(decoded, t, x, tokens, codes);
    }
    if (status == FQ_OK) {
        if (mean_of)
            shift(decoded, tokens, raw, mean_of, dim, 1.0F);
        memcpy(decoded, raw, kept * dim * sizeof *raw);
    }
    fq_free(codes);
    fq_free(x);
    return status;
}

double fq_kv_treatment_bytes(const fq_kv_treatment *t, size_t tokens) {
    const fq_codec_cost cost = fq_codec_get_cost(t->codec);
    const double dim = (double)cost.dim, kept = (double)(t->keep < tokens ? t->keep : tokens);
    const double mean = t->centre_tokens ? 2.0 * dim : 0.0;
    const double order = orders_channels(t, cost.dim) ? (cost.dim > 256 ? 2.0 : 1.0) * dim : 0.0;
    return kept * 2.0 * dim + ((double)tokens - kept) * (double)cost.code_bytes + mean + order;
}
