#include "kv_store.h"

#include <string.h>

#include "fp16.h"
#include "memory.h"

enum { SIDES = 2 }; /* keys, values */

struct fq_kv_store {
    size_t layers, heads, dim, capacity;
    fq_kv_options options;
    size_t *tokens;        /* [layers] */
    float *raw[SIDES];     /* [layers][heads][capacity][dim] */
    float *decoded[SIDES]; /* the same; NULL without a codec */
    float *vectors;        /* [capacity][heads][dim]: decoded, before they are sorted by head */
    uint8_t *codes;        /* [capacity][heads][code_bytes] */
    float *mean;           /* of the first centre_keys keys: [layers][heads][dim]; NULL if not centred */
    float *differences;    /* [capacity][heads][dim]; NULL if not centred */
};

static const fq_codec *codec_of(const fq_kv_store *store, int side) {
    return side ? store->options.value_codec : store->options.key_codec;
}

static fq_status allocate(fq_kv_store *s) {
    size_t vectors = 0, all = 0, code_bytes = 1;
    FQ_TRY(fq_size_multiply(&vectors, s->capacity, s->heads, "capacity"));
    FQ_TRY(fq_size_multiply(&all, vectors, s->layers, "layers"));
    FQ_TRY(fq_size_multiply(&all, all, s->dim, "dim"));
    FQ_TRY(fq_alloc_zero(&s->tokens, s->layers, sizeof *s->tokens));
    for (int side = 0; side < SIDES; side++) {
        const fq_codec *codec = codec_of(s, side);
        FQ_TRY(fq_alloc(&s->raw[side], all, sizeof(float)));
        if (!codec)
            continue;
        const fq_codec_cost cost = fq_codec_get_cost(codec);
        if (cost.dim != s->dim)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codec", cost.dim, "a codec of the heads' dimension");
        if (cost.code_bytes > code_bytes)
            code_bytes = cost.code_bytes;
        FQ_TRY(fq_alloc(&s->decoded[side], all, sizeof(float)));
    }
    FQ_TRY(fq_size_multiply(&all, vectors, s->dim, "dim"));
    FQ_TRY(fq_alloc(&s->vectors, all, sizeof(float)));
    if (s->options.centre_keys && s->options.key_codec) {
        FQ_TRY(fq_alloc(&s->differences, all, sizeof(float)));
        FQ_TRY(fq_alloc_zero(&s->mean, s->layers * s->heads, s->dim * sizeof(float)));
    }
    return fq_alloc(&s->codes, vectors, code_bytes);
}

fq_status fq_kv_store_create(fq_kv_store **store, size_t layers, size_t heads, size_t dim, size_t capacity,
                             const fq_kv_options *options) {
    *store = NULL;
    if (!layers || !heads || !dim || !capacity)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "shape", "layers, heads, dim and capacity of at least 1");
    fq_kv_store *s = NULL;
    FQ_TRY(fq_alloc_zero(&s, 1, sizeof *s));
    s->layers = layers;
    s->heads = heads;
    s->dim = dim;
    s->capacity = capacity;
    if (options)
        s->options = *options;
    const fq_status status = allocate(s);
    if (status != FQ_OK) {
        fq_kv_store_destroy(s);
        return status;
    }
    *store = s;
    return FQ_OK;
}

void fq_kv_store_destroy(fq_kv_store *store) {
    if (!store)
        return;
    for (int side = 0; side < SIDES; side++) {
        fq_free(store->raw[side]);
        fq_free(store->decoded[side]);
    }
    fq_free(store->tokens);
    fq_free(store->vectors);
    fq_free(store->codes);
    fq_free(store->mean);
    fq_free(store->differences);
    fq_free(store);
}

void fq_kv_store_reset(fq_kv_store *store) {
    memset(store->tokens, 0, store->layers * sizeof *store->tokens);
}

size_t fq_kv_store_tokens(const fq_kv_store *store, size_t layer) {
    return store->tokens[layer];
}

size_t fq_kv_store_capacity(const fq_kv_store *store) {
    return store->capacity;
}

size_t fq_kv_store_recent(const fq_kv_store *store) {
    return store->options.keep_recent;
}

static size_t place(const fq_kv_store *s, size_t layer, size_t head, size_t token) {
    return ((layer * s->heads + head) * s->capacity + token) * s->dim;
}

/* to[layer][h][first + i] = x[i][h]. */
static void scatter(const fq_kv_store *s, float *to, size_t layer, const float *x, size_t first, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t h = 0; h < s->heads; h++)
            memcpy(to + place(s, layer, h, first + i), x + (i * s->heads + h) * s->dim,
                   s->dim * sizeof(float));
}

/* The heads' means over the first centre_keys keys, which must be there. */
static void set_mean(fq_kv_store *s, size_t layer) {
    const size_t n = s->options.centre_keys;
    for (size_t h = 0; h < s->heads; h++) {
        const float *x = s->raw[0] + place(s, layer, h, 0);
        for (size_t c = 0; c < s->dim; c++) {
            double sum = 0.0;
            for (size_t t = 0; t < n; t++)
                sum += (double)x[t * s->dim + c];
            s->mean[(layer * s->heads + h) * s->dim + c] =
                fq_fp16_to_float(fq_fp16_from_float((float)(sum / (double)n)));
        }
    }
}

/* Encodes and decodes x[n][heads][dim], tokens first and on, as differences to mean if that is not NULL. */
static fq_status code(fq_kv_store *s, int side, size_t layer, const float *x, const float *mean, size_t first,
                      size_t n) {
    const size_t row = s->heads * s->dim;
    const fq_codec *codec = codec_of(s, side);
    const float *from = x;
    for (size_t i = 0; mean && i < n * row; i++)
        s->differences[i] = x[i] - mean[i % row];
    if (mean)
        from = s->differences;
    FQ_TRY(fq_codec_encode(codec, s->codes, from, n * s->heads));
    FQ_TRY(fq_codec_decode(codec, s->vectors, s->codes, n * s->heads));
    for (size_t i = 0; mean && i < n * row; i++)
        s->vectors[i] += mean[i % row];
    scatter(s, s->decoded[side], layer, s->vectors, first, n);
    return FQ_OK;
}

static fq_status append_side(fq_kv_store *s, int side, size_t layer, const float *x, size_t n) {
    const size_t first = s->tokens[layer], row = s->heads * s->dim;
    scatter(s, s->raw[side], layer, x, first, n);
    if (!codec_of(s, side))
        return FQ_OK;
    const size_t before = s->options.centre_keys; /* tokens that have no mean to differ from */
    const bool centred = side == 0 && s->mean;
    const size_t plain = !centred ? n : first >= before ? 0 : n < before - first ? n : before - first;
    if (plain)
        FQ_TRY(code(s, side, layer, x, NULL, first, plain));
    if (centred && plain && first + plain == before)
        set_mean(s, layer);
    if (plain < n)
        FQ_TRY(code(s, side, layer, x + plain * row, s->mean + layer * row, first + plain, n - plain));
    const size_t sink = s->options.keep_first;
    if (first < sink)
        scatter(s, s->decoded[side], layer, x, first, n < sink - first ? n : sink - first);
    return FQ_OK;
}

fq_status fq_kv_store_append(fq_kv_store *store, size_t layer, const float *key, const float *value,
                             size_t n) {
    if (layer >= store->layers)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "layer", layer, "below the number of layers");
    if (n > store->capacity - store->tokens[layer])
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "up to the room left in the store");
    FQ_TRY(append_side(store, 0, layer, key, n));
    FQ_TRY(append_side(store, 1, layer, value, n));
    store->tokens[layer] += n;
    return FQ_OK;
}

fq_kv_view fq_kv_store_view(const fq_kv_store *s, size_t layer, size_t head) {
    const size_t at = place(s, layer, head, 0);
    const float *key = s->decoded[0] ? s->decoded[0] : s->raw[0];
    const float *value = s->decoded[1] ? s->decoded[1] : s->raw[1];
    return (fq_kv_view){key + at, value + at, s->raw[0] + at, s->raw[1] + at};
}

size_t fq_kv_store_bytes(const fq_kv_store *s) {
    size_t bytes = 0;
    for (size_t layer = 0; layer < s->layers; layer++) {
        const size_t n = s->tokens[layer];
        const size_t sink = s->options.keep_first < n ? s->options.keep_first : n;
        const size_t recent = s->options.keep_recent < n - sink ? s->options.keep_recent : n - sink;
        for (int side = 0; side < SIDES; side++) {
            const fq_codec *codec = codec_of(s, side);
            const size_t coded = codec ? n - sink - recent : 0;
            bytes += s->heads *
                     ((n - coded) * s->dim * 2 + (coded ? coded * fq_codec_get_cost(codec).code_bytes : 0));
            if (side == 0 && s->mean && n > s->options.centre_keys)
                bytes += s->heads * s->dim * 2;
        }
    }
    return bytes;
}
