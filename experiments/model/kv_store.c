#include "kv_store.h"

#include <stdio.h>
#include <string.h>

#include "encode_check.h"
#include "memory.h"

enum { KEY = 0, VALUE = 1, SIDES = 2 };

/* A layer's side of what was learnt and how far it is encoded. */
struct fq_kv_store {
    size_t layers, heads, dim, capacity;
    fq_kv_options options;
    fq_rope rope;
    fq_treatment_keep keep;
    size_t prefix;                       /* tokens that some step of either side learns from */
    size_t *tokens;                      /* [layers] */
    size_t *encoded[SIDES];              /* the same, of which that many are encoded */
    const fq_head_moments *given[SIDES]; /* [layers][heads]; NULL: nothing */
    bool *learnt;                        /* [layers]: its coders are there */
    size_t together[SIDES];              /* tokens coded together */
    float *raw[SIDES];                   /* [layers][heads][capacity][dim] */
    float *far[SIDES];                   /* the same, decoded; NULL without a codec */
    float *near[SIDES];           /* the same, as the window keeps them; NULL without a window or codec */
    float *query;                 /* of the prefix: [layers][heads][prefix][group][dim]; NULL without */
    fq_head_coder **coder[SIDES]; /* [layers][heads]; NULL entries before the prefix is there */
    double *median;               /* of the first values' norms: [layers][heads] */
    unsigned char *pool;          /* [layers][capacity] */
    uint8_t *codes;               /* [capacity][code_bytes] */
};

static const fq_codec *const *codecs_of(const fq_kv_store *s, int side) {
    return side == VALUE ? s->options.value_codecs : s->options.key_codecs;
}

static fq_treatment_side side_of(int side) {
    return side == VALUE ? FQ_OF_VALUES : FQ_OF_KEYS;
}

static bool compresses(const fq_kv_store *s) {
    return codecs_of(s, KEY) || codecs_of(s, VALUE);
}

static fq_status check_codecs(const fq_kv_store *s, int side, size_t *code_bytes) {
    const fq_codec *const *codecs = codecs_of(s, side);
    for (size_t c = 0; codecs && c < fq_treatment_classes(&s->options.treatment, side_of(side)); c++) {
        const fq_codec_cost cost = fq_codec_get_cost(codecs[c]);
        if (cost.dim != s->dim)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codec", cost.dim, "a codec of the heads' dimension");
        *code_bytes = cost.code_bytes > *code_bytes ? cost.code_bytes : *code_bytes;
    }
    return FQ_OK;
}

static fq_status allocate(fq_kv_store *s) {
    size_t all = 0, code_bytes = 1;
    FQ_TRY(fq_size_multiply(&all, s->capacity, s->heads, "capacity"));
    FQ_TRY(fq_size_multiply(&all, all, s->layers, "layers"));
    FQ_TRY(fq_size_multiply(&all, all, s->dim, "dim"));
    FQ_TRY(fq_alloc_zero(&s->tokens, s->layers, sizeof *s->tokens));
    FQ_TRY(fq_alloc_zero(&s->learnt, s->layers, sizeof *s->learnt));
    FQ_TRY(fq_alloc_zero(&s->pool, s->layers, s->capacity));
    FQ_TRY(fq_alloc_zero(&s->median, s->layers * s->heads, sizeof *s->median));
    for (int side = KEY; side <= VALUE; side++) {
        FQ_TRY(fq_alloc_zero(&s->encoded[side], s->layers, sizeof *s->encoded[side]));
        FQ_TRY(fq_alloc(&s->raw[side], all, sizeof(float)));
        FQ_TRY(fq_alloc_zero(&s->coder[side], s->layers * s->heads, sizeof *s->coder[side]));
        if (!codecs_of(s, side))
            continue;
        FQ_TRY(check_codecs(s, side, &code_bytes));
        FQ_TRY(fq_alloc(&s->far[side], all, sizeof(float)));
        if (s->keep.window)
            FQ_TRY(fq_alloc(&s->near[side], all, sizeof(float)));
    }
    if (s->options.group && s->prefix) {
        FQ_TRY(fq_size_multiply(&all, s->layers * s->heads, s->prefix * s->options.group, "group"));
        FQ_TRY(fq_alloc(&s->query, all, s->dim * sizeof(float)));
    }
    return fq_alloc(&s->codes, s->capacity, code_bytes);
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
    fq_kv_store_give(s, s->options.given_keys, s->options.given_values);
    if (s->options.rope) {
        s->rope = *s->options.rope;
        s->options.rope = &s->rope;
    }
    for (int side = KEY; side <= VALUE; side++)
        s->together[side] =
            codecs_of(s, side) ? fq_treatment_together(&s->options.treatment, side_of(side)) : 1;
    if (compresses(s)) {
        const size_t keys = fq_treatment_prefix(&s->options.treatment, FQ_OF_KEYS),
                     values = fq_treatment_prefix(&s->options.treatment, FQ_OF_VALUES);
        s->keep = fq_treatment_keeps(&s->options.treatment);
        s->prefix = keys > values ? keys : values;
    }
    const fq_status status = allocate(s);
    if (status != FQ_OK) {
        fq_kv_store_destroy(s);
        return status;
    }
    *store = s;
    return FQ_OK;
}

static void forget_coders(fq_kv_store *s) {
    for (int side = KEY; side <= VALUE; side++)
        for (size_t i = 0; s->coder[side] && i < s->layers * s->heads; i++) {
            fq_head_coder_destroy(s->coder[side][i]);
            s->coder[side][i] = NULL;
        }
}

void fq_kv_store_destroy(fq_kv_store *s) {
    if (!s)
        return;
    forget_coders(s);
    for (int side = KEY; side <= VALUE; side++) {
        fq_free(s->coder[side]);
        fq_free(s->encoded[side]);
        fq_free(s->raw[side]);
        fq_free(s->far[side]);
        fq_free(s->near[side]);
    }
    fq_free(s->tokens);
    fq_free(s->learnt);
    fq_free(s->query);
    fq_free(s->median);
    fq_free(s->pool);
    fq_free(s->codes);
    fq_free(s);
}

void fq_kv_store_give(fq_kv_store *s, const fq_head_moments *keys, const fq_head_moments *values) {
    s->given[KEY] = keys;
    s->given[VALUE] = values;
}

void fq_kv_store_reset(fq_kv_store *s) {
    forget_coders(s);
    memset(s->tokens, 0, s->layers * sizeof *s->tokens);
    memset(s->learnt, 0, s->layers * sizeof *s->learnt);
    for (int side = KEY; side <= VALUE; side++)
        memset(s->encoded[side], 0, s->layers * sizeof *s->encoded[side]);
    memset(s->pool, 0, s->layers * s->capacity);
}

size_t fq_kv_store_tokens(const fq_kv_store *store, size_t layer) {
    return store->tokens[layer];
}

size_t fq_kv_store_capacity(const fq_kv_store *store) {
    return store->capacity;
}

size_t fq_kv_store_window(const fq_kv_store *store) {
    return store->keep.window;
}

size_t fq_kv_store_together(const fq_kv_store *store, fq_treatment_side side) {
    return store->together[side == FQ_OF_VALUES ? VALUE : KEY];
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

static size_t query_place(const fq_kv_store *s, size_t layer, size_t head, size_t token) {
    return ((layer * s->heads + head) * s->prefix + token) * s->options.group * s->dim;
}

/* The queries of the prefix, by head. */
static void remember_queries(fq_kv_store *s, size_t layer, const float *query, size_t first, size_t n) {
    const size_t row = s->options.group * s->dim;
    for (size_t i = 0; i < n && first + i < s->prefix; i++)
        for (size_t h = 0; h < s->heads; h++)
            memcpy(s->query + query_place(s, layer, h, first + i), query + (i * s->heads + h) * row,
                   row * sizeof(float));
}

/* What a layer's heads learn from the first tokens held. */
static fq_status learn(fq_kv_store *s, size_t layer, size_t held) {
    for (size_t h = 0; h < s->heads; h++) {
        const size_t i = layer * s->heads + h;
        for (int side = KEY; side <= VALUE; side++) {
            if (!codecs_of(s, side))
                continue;
            const fq_head_prefix prefix = {
                .side = side_of(side),
                .dim = s->dim,
                .tokens = s->prefix ? s->prefix : held,
                .capacity = s->capacity,
                .x = s->raw[side] + place(s, layer, h, 0),
                .group = side == KEY && s->query ? s->options.group : 0,
                .query = side == KEY && s->query ? s->query + query_place(s, layer, h, 0) : NULL,
                .rope = s->options.rope,
                .given = s->given[side] ? s->given[side][i] : (fq_head_moments){0},
            };
            fq_head_coder_destroy(s->coder[side][i]); /* of an attempt that failed */
            s->coder[side][i] = NULL;
            FQ_TRY(
                fq_head_coder_create(&s->coder[side][i], &s->options.treatment, codecs_of(s, side), &prefix));
        }
        if (s->keep.pool_tokens)
            FQ_TRY(fq_treatment_median_norm(&s->median[i], s->raw[VALUE] + place(s, layer, h, 0),
                                            s->keep.pool_tokens, s->dim));
    }
    return FQ_OK;
}

static fq_status choose_pool(fq_kv_store *s, size_t layer, size_t first, size_t end) {
    const float **value = NULL;
    if (!s->keep.pool_tokens)
        return FQ_OK;
    FQ_TRY(fq_alloc(&value, s->heads, sizeof *value));
    for (size_t t = first; t < end; t++) {
        for (size_t h = 0; h < s->heads; h++)
            value[h] = s->raw[VALUE] + place(s, layer, h, t);
        s->pool[layer * s->capacity + t] =
            fq_treatment_in_pool(&s->keep, value, s->median + layer * s->heads, s->heads, s->dim);
    }
    fq_free(value);
    return FQ_OK;
}

/* Codes of a head's tokens first..end-1 and what is read of them. */
static fq_status encode_head(fq_kv_store *s, int side, size_t layer, size_t h, size_t first, size_t end) {
    const float *raw = s->raw[side] + place(s, layer, h, 0);
    float *far = s->far[side] + place(s, layer, h, 0);
    const size_t d = s->dim, n = end - first;
    fq_head_coder *coder = s->coder[side][layer * s->heads + h];
    const fq_status status = fq_head_coder_encode(coder, s->codes, raw + first * d, first, n);
    if (status != FQ_OK) {
        char where[80];
        snprintf(where, sizeof where, "%s, head %zu,", side == KEY ? "key" : "value", h);
        return fq_encode_explain(status, codecs_of(s, side)[0], raw + first * d, n, first, where, "token");
    }
    FQ_TRY(fq_head_coder_decode(coder, far + first * d, s->codes, first, n));
    for (size_t t = first; t < end; t++) {
        if (t < s->keep.first)
            FQ_TRY(fq_head_coder_keep(coder, far + t * d, raw + t * d, t, 1, s->keep.first_bits));
        else if (s->pool[layer * s->capacity + t])
            FQ_TRY(fq_head_coder_keep(coder, far + t * d, raw + t * d, t, 1, s->keep.pool_bits));
    }
    if (!s->near[side])
        return FQ_OK;
    return fq_head_coder_keep(coder, s->near[side] + place(s, layer, h, first), raw + first * d, first, n,
                              s->keep.window_bits);
}

/* What is read of n tokens is what was appended. */
static void copy_raw(fq_kv_store *s, int side, size_t at, size_t n) {
    float *const forms[] = {s->far[side], s->near[side]};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i])
            memcpy(forms[i] + at, s->raw[side] + at, n * s->dim * sizeof(float));
}

/* Whole groups of tokens are encoded, the others wait for theirs. */
static fq_status encode_side(fq_kv_store *s, int side, size_t layer, size_t held) {
    const size_t first = s->encoded[side][layer], end = held / s->together[side] * s->together[side];
    for (size_t h = 0; h < s->heads; h++) {
        const size_t at = place(s, layer, h, end);
        if (end > first)
            FQ_TRY(encode_head(s, side, layer, h, first, end));
        if (end == held)
            continue;
        memcpy(s->far[side] + at, s->raw[side] + at, (held - end) * s->dim * sizeof(float));
        if (s->near[side])
            FQ_TRY(fq_head_coder_keep(s->coder[side][layer * s->heads + h], s->near[side] + at,
                                      s->raw[side] + at, end, held - end, s->keep.window_bits));
    }
    s->encoded[side][layer] = end;
    return FQ_OK;
}

/* Encodes what waits, as soon as the prefix is there. */
static fq_status encode(fq_kv_store *s, size_t layer, size_t held) {
    const size_t keys = s->encoded[KEY][layer], values = s->encoded[VALUE][layer],
                 first = keys < values ? keys : values;
    if (held < s->prefix) {
        for (int side = KEY; side <= VALUE; side++)
            for (size_t h = 0; h < s->heads; h++)
                copy_raw(s, side, place(s, layer, h, first), held - first);
        return FQ_OK;
    }
    if (!s->learnt[layer])
        FQ_TRY(learn(s, layer, held));
    s->learnt[layer] = true;
    FQ_TRY(choose_pool(s, layer, first, held));
    for (int side = KEY; side <= VALUE; side++)
        if (codecs_of(s, side))
            FQ_TRY(encode_side(s, side, layer, held));
    return FQ_OK;
}

fq_status fq_kv_store_append(fq_kv_store *s, size_t layer, const float *key, const float *value,
                             const float *query, size_t n) {
    if (layer >= s->layers)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "layer", layer, "below the number of layers");
    const size_t held = s->tokens[layer];
    if (n > s->capacity - held)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "up to the room left in the store");
    scatter(s, s->raw[KEY], layer, key, held, n);
    scatter(s, s->raw[VALUE], layer, value, held, n);
    if (s->query && query)
        remember_queries(s, layer, query, held, n);
    if (compresses(s) && n > 0)
        FQ_TRY(encode(s, layer, held + n));
    s->tokens[layer] = held + n;
    return FQ_OK;
}

fq_kv_view fq_kv_store_view(const fq_kv_store *s, size_t layer, size_t head) {
    const size_t at = place(s, layer, head, 0);
    const float *form[SIDES][2]; /* [side][far, near] */
    for (int side = KEY; side <= VALUE; side++) {
        form[side][0] = (s->far[side] ? s->far[side] : s->raw[side]) + at;
        form[side][1] = (s->near[side] ? s->near[side] : s->raw[side]) + at;
    }
    return (fq_kv_view){form[KEY][0],   form[VALUE][0],   form[KEY][1],
                        form[VALUE][1], s->raw[KEY] + at, s->raw[VALUE] + at};
}

size_t fq_kv_store_pool(const fq_kv_store *s, size_t layer) {
    size_t count = 0;
    for (size_t t = 0; t < s->tokens[layer]; t++)
        count += s->pool[layer * s->capacity + t];
    return count;
}

/* Tokens of 0..n-1 that are read as they were appended (first: the first ones; window: the last ones) and
 * that a side has codes of. */
typedef struct split {
    size_t first, window, coded;
} split;

static split split_of(const fq_kv_store *s, int side, size_t n) {
    const fq_treatment_keep *k = &s->keep;
    const size_t from = n >= k->window ? (n - k->window) / s->together[side] * s->together[side] : 0;
    split p = {.first = k->first < n ? k->first : n};
    p.window = n - from < n - p.first ? n - from : n - p.first;
    p.coded = s->together[side] > 1 ? from : n - p.first - p.window;
    return p;
}

/* Tokens of a layer's pool among those that are neither first nor in the window, of n where held are there:
 * beyond those held with the same share. */
static double pool_tokens(const fq_kv_store *s, int side, size_t layer, size_t held, size_t n) {
    const split p = split_of(s, side, held), all = split_of(s, side, n);
    const size_t between = held - p.first - p.window;
    size_t count = 0;
    for (size_t t = p.first; t < held - p.window; t++)
        count += s->pool[layer * s->capacity + t] != 0;
    return between && n != held ? (double)count / (double)between * (double)(n - all.first - all.window)
                                : (double)count;
}

/* Of one head of a layer with n tokens, of which held are there. */
static double head_bits(const fq_kv_store *s, int side, size_t layer, size_t head, size_t held, size_t n) {
    if (!held)
        return 0.0;
    if (!codecs_of(s, side) || held < s->prefix)
        return 16.0 * (double)s->dim * (double)n;
    const fq_treatment_keep *k = &s->keep;
    const split p = split_of(s, side, n);
    const double code = 8.0 * (double)fq_codec_get_cost(codecs_of(s, side)[0]).code_bytes;
    const double bits = (double)p.first * fq_treatment_keep_cost(s->dim, k->first_bits) +
                        (double)p.window * fq_treatment_keep_cost(s->dim, k->window ? k->window_bits : 16.0) +
                        (double)p.coded * code +
                        pool_tokens(s, side, layer, held, n) * fq_treatment_keep_cost(s->dim, k->pool_bits);
    return bits + fq_head_coder_side_bits(s->coder[side][layer * s->heads + head], n);
}

double fq_kv_store_bits_at(const fq_kv_store *s, size_t tokens) {
    double bits = 0.0;
    for (size_t layer = 0; layer < s->layers; layer++)
        for (size_t h = 0; h < s->heads; h++)
            for (int side = KEY; side <= VALUE; side++) {
                const size_t held = s->tokens[layer];
                bits += head_bits(s, side, layer, h, held, tokens ? tokens : held);
            }
    return bits;
}

double fq_kv_store_bits(const fq_kv_store *s) {
    return fq_kv_store_bits_at(s, 0);
}
