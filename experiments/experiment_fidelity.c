/* Fidelity of attention on a real KV cache (arXiv 2605.11478, Eq. 3).
 *
 * Protocol: every key-value head of every layer; the first `tokens` tokens; keys and values encoded and
 * decoded one by one, keys after the position encoding; query heads read the key-value head of their group;
 * causal attention of the queries at positions first_query, first_query + stride, ...: the query at p reads
 * positions 0..p, its own included. A measure is averaged with equal weights over queries (vector measures:
 * over tokens), layers and heads; outputs of zero (a head whose values are all zero) have no cosine and are
 * left out of its means. Tokens kept uncompressed are part of every mean.
 *
 * That is the protocol unless parameters say otherwise: `query` puts the last position's query, or normal
 * random ones, in the place of the model's; without a `mask` every query reads all tokens; `outputs` and
 * `average` make one vector of the outputs of all query heads of a layer, or of all queries, before the
 * cosine is taken. Random queries are drawn from the point's seed, a stream for each query head. A treatment
 * learns from the model's queries whatever is asked.
 *
 * Errors: NAME_se_layers and NAME_se_positions are the scatter over layers (heads of one have much in common)
 * and over blocks of neighbouring positions, NAME_se both together, NAME_half95 half of the interval of 95
 * per cent, which is wider than 2 NAME_se where layers or blocks are few: see two_way_error.h. They do not
 * cover the draw of the rotation: one serves all heads. Codecs of one seed share it, so their difference is
 * known better than its terms; several seeds in the codec's name show how much the draw matters.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention_fidelity.h"
#include "encode_check.h"
#include "experiment.h"
#include "failure.h"
#include "kv_cache_file.h"
#include "kv_setup.h"
#include "memory.h"
#include "metrics.h"
#include "stream.h"
#include "two_way_error.h"

static const fq_parameter parameters[] = {
    {.name = "cache", .type = FQ_PARAMETER_FILE, .description = "KV cache file (fibquant cache, or h5py)"},
    {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec of the keys"},
    {.name = "value_codec",
     .type = FQ_PARAMETER_TEXT,
     .fallback = "same",
     .description = "codec of the values, or same"},
    {.name = "tokens",
     .type = FQ_PARAMETER_INTEGER,
     .least = 0,
     .most = 1e9,
     .fallback = "0",
     .description = "tokens of the cache to use; 0: all"},
    {.name = "first_query",
     .type = FQ_PARAMETER_INTEGER,
     .least = 0,
     .most = 1e9,
     .fallback = "3",
     .description = "position of the first query"},
    {.name = "stride",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 1e9,
     .fallback = "4",
     .description = "positions from one query to the next"},
    {.name = "blocks",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 1e6,
     .fallback = "16",
     .description = "blocks of neighbouring positions that errors take for independent"},
    {.name = "query",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "model|last|normal_unit|normal_scale|normal_key_scale",
     .fallback = "model",
     .description = "queries: the model's, of the last position alone, or independent normal ones: of unit "
                    "variance, or of the mean square of the head's queries or keys"},
    {.name = "mask",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "causal|all",
     .fallback = "causal",
     .description = "a query reads the tokens up to its position, or all"},
    {.name = "outputs",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "heads|concatenated",
     .fallback = "heads",
     .description = "cosines of a query head's outputs, or of those of a layer's query heads as one vector"},
    {.name = "average",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "cosines|vector",
     .fallback = "cosines",
     .description = "a mean of the queries' cosines, or one cosine of all their outputs as a vector"},
    {.name = "treatment",
     .type = FQ_PARAMETER_TEXT,
     .fallback = "none",
     .description =
         "what is done around the codec, such as mean+classes+window:tokens=16 (fibquant help treatments)"},
    FQ_CALIBRATION_PARAMETER,
    {.name = "age",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 1e9,
     .fallback = "128",
     .description = "attention to tokens this old and older is compared apart"},
    {0}};

#define REAL(name, units, text)                                                                              \
    { name, FQ_VALUE_REAL, 0, units, text, FQ_ROLE_VALUE }
#define MEASURE(name, units, text)                                                                           \
    REAL(name, units, text),                                                                                 \
        REAL(name "_se", units, "standard error: layers and blocks of positions drawn at random"),           \
        REAL(name "_se_layers", units, "standard error over layers; of one layer, over its heads"),          \
        REAL(name "_se_positions", units, "standard error over blocks of positions"),                        \
        REAL(name "_half95", units, "half of the interval of 95 per cent, by Student's quantile")
static const fq_value_column columns[] = {
    {"family", FQ_VALUE_TEXT, 16, "", "codec family of the keys", FQ_ROLE_VALUE},
    {"block", FQ_VALUE_INTEGER, 0, "1", "block dimension k of the keys' codec; 0 if it has none",
     FQ_ROLE_VALUE},
    {"codewords", FQ_VALUE_INTEGER, 0, "1", "codewords N of the keys' codec; 0 if it has none",
     FQ_ROLE_VALUE},
    {"recipe", FQ_VALUE_TEXT, 16, "", "training recipe of the keys' codebook; empty if it has none",
     FQ_ROLE_VALUE},
    {"plain", FQ_VALUE_INTEGER, 0, "1",
     "1: keys and values alike, no treatment, Haar rotation, norm as it is, as published; 0: otherwise",
     FQ_ROLE_VALUE},
    REAL("rate", "bits per coordinate", "payload rate, mean of keys and values"),
    REAL("compression_payload", "1", "16 / rate"),
    REAL("compression_stored", "1",
         "16 bits a coordinate over everything stored: indices, norms, padding, kept tokens, means, scales"),
    REAL("compression_stored_32768", "1",
         "the same of 32768 tokens, by formula: window, means and scales as they are, the pool's share of "
         "tokens"),
    REAL("pool_tokens", "1", "tokens of a layer that are kept for their tiny values, mean of layers"),
    MEASURE("attention_cosine", "1", "attention-output cosine, keys and values compressed"),
    MEASURE("attention_cosine_key", "1", "attention-output cosine, keys compressed alone"),
    MEASURE("attention_cosine_value", "1", "attention-output cosine, values compressed alone"),
    MEASURE("attention_cosine_old", "1",
            "the same of attention to tokens of that age and older alone, weights summing to one"),
    REAL("attention_cosine_least", "1", "attention_cosine of the worst key-value head"),
    MEASURE("key_cosine", "1", "cosine of a key and its reconstruction"),
    MEASURE("value_cosine", "1", "cosine of a value and its reconstruction"),
    MEASURE("key_distortion", "coordinate variance", "normalised D: |k - k'|^2 / |k|^2, mean over keys"),
    MEASURE("value_distortion", "coordinate variance", "normalised D: |v - v'|^2 / |v|^2, mean over values"),
    MEASURE("score_error", "score units", "root mean square error of <q, k> / sqrt d"),
    MEASURE("score_error_relative", "1",
            "squared score error over the variance of a query's scores, ratio of means"),
    {"heads", FQ_VALUE_INTEGER, 0, "1", "layers times query heads", FQ_ROLE_VALUE},
    {"queries", FQ_VALUE_INTEGER, 0, "1", "query positions of each head", FQ_ROLE_VALUE},
    {"model_name", FQ_VALUE_TEXT, 64, "", "model that the cache came from", FQ_ROLE_VALUE},
    {"text_name", FQ_VALUE_TEXT, 64, "", "text that the cache came from", FQ_ROLE_VALUE},
    {"text_first", FQ_VALUE_INTEGER, 0, "1", "token of the text that the cache begins at; 0 where not known",
     FQ_ROLE_VALUE},
    {"context", FQ_VALUE_INTEGER, 0, "1", "tokens of the cache that were used", FQ_ROLE_VALUE},
    {"protocol", FQ_VALUE_TEXT, 240, "", "how attention was compared", FQ_ROLE_VALUE},
    {0}};

static fq_status check(const fq_point *point) {
    FQ_TRY(fq_kv_setup_check(point));
    return fq_point_check_pair(point, fq_point_cache_dim(fq_point_file(point, "cache")));
}

/* Of a cache like SmolLM2-135M's: 90 key-value heads, 270 query heads, d = 64. */
static fq_point_cost cost(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t asked = fq_point_size(point, "tokens");
    const double tokens = asked ? (double)asked : 1024.0,
                 queries = tokens / (double)fq_point_size(point, "stride");
    const double coding = 180.0 * tokens * (2e-6 + fq_cost_encoding(spec)),
                 attention = 270.0 * queries * tokens * 64.0 * 12.0 / 3e10;
    fq_point_cost cost = {.seconds = 0.3 + coding + attention, .memory_bytes = 3e7};
    const size_t dim = fq_cost_cache_dim(fq_point_file(point, "cache"));
    fq_codec_spec value;
    fq_cost_add_codec(&cost, spec, dim);
    if (fq_codec_spec_parse(&value, fq_point_text(point, "value_codec")) == FQ_OK)
        fq_cost_add_codec(&cost, &value, dim);
    return cost;
}

static void cache_destroy(void *object) {
    fq_kv_cache_close(object);
}

static fq_status cache_make(void **object, size_t *bytes, void *context) {
    fq_kv_cache *cache = NULL;
    FQ_TRY(fq_kv_cache_open(&cache, context));
    *bytes = 1 << 20;
    *object = cache;
    return FQ_OK;
}

/* Tokens of a context for which storage is given by formula. */
enum { LONG_CONTEXT = 32768 };

enum { KEY = 0, VALUE = 1, SIDES = 2 };
enum {
    OF_BOTH,
    OF_KEY,
    OF_VALUE,
    OF_OLD,
    KEY_COSINE,
    VALUE_COSINE,
    KEY_D,
    VALUE_D,
    SCORE_ERROR,
    SCORE_POWER,
    MEASURES
};

typedef struct job {
    const fq_kv_cache *cache;
    fq_kv_shape shape;
    fq_kv_setup setup;
    size_t tokens, first, stride, queries, blocks, age;
    const char *query_kind;
    bool causal, concatenated, vector;
    uint64_t seed;
    fq_output_products *together; /* [queries][FQ_OUTPUTS]: sums over heads, or queries, or both */
    fq_kv_store *store;           /* of one layer */
    float *x[SIDES];              /* [tokens][heads][dim] */
    float *query;                 /* [tokens][query_heads][dim] */
    float *head, *asked;    /* [tokens][dim]: one head; [queries][dim]: its queries that are looked at */
    fq_query_fidelity *out; /* [queries] */
    fq_two_way measure[MEASURES];
    double bits, long_bits, pool; /* sums over layers */
} job;

static void job_clear(job *j) {
    for (int side = KEY; side <= VALUE; side++)
        fq_free(j->x[side]);
    fq_kv_setup_clear(&j->setup);
    fq_free(j->query);
    fq_free(j->head);
    fq_free(j->asked);
    fq_free(j->out);
    fq_free(j->together);
    fq_kv_store_destroy(j->store);
    for (int m = 0; m < MEASURES; m++)
        fq_two_way_clear(&j->measure[m]);
}

static fq_status job_make(job *j) {
    const size_t vector = j->shape.dim * sizeof(float);
    const fq_kv_origin *origin = fq_kv_cache_origin(j->cache);
    size_t vectors = 0;
    const fq_kv_options options = {
        .key_codecs = j->setup.key_codecs,
        .value_codecs = j->setup.value_codecs,
        .treatment = j->setup.treatment,
        .rope = origin->rope_known ? &origin->rope : NULL,
        .group = j->shape.query_heads / j->shape.heads,
    };
    FQ_TRY(fq_kv_store_create(&j->store, 1, j->shape.heads, j->shape.dim, j->tokens, &options));
    FQ_TRY(fq_size_multiply(&vectors, j->tokens, j->shape.query_heads, "tokens"));
    for (int side = KEY; side <= VALUE; side++)
        FQ_TRY(fq_alloc(&j->x[side], j->tokens * j->shape.heads, vector));
    FQ_TRY(fq_alloc(&j->query, vectors, vector));
    FQ_TRY(fq_alloc(&j->head, j->tokens, vector));
    FQ_TRY(fq_alloc(&j->asked, j->queries, vector));
    FQ_TRY(fq_alloc(&j->out, j->queries, sizeof *j->out));
    FQ_TRY(fq_alloc_zero(&j->together, j->queries, FQ_OUTPUTS * sizeof *j->together));
    for (int m = 0; m < MEASURES; m++)
        FQ_TRY(fq_two_way_init(&j->measure[m], j->shape.layers, j->shape.heads, j->blocks));
    return FQ_OK;
}

/* to[tokens][heads][dim] of a layer. */
static fq_status read_layer(job *j, size_t layer, fq_kv_kind kind, float *to, size_t heads) {
    const size_t d = j->shape.dim;
    for (size_t h = 0; h < heads; h++) {
        FQ_TRY(fq_kv_cache_read(j->cache, layer, kind, h, 0, j->tokens, j->head));
        for (size_t t = 0; t < j->tokens; t++)
            memcpy(to + (t * heads + h) * d, j->head + t * d, d * sizeof *to);
    }
    return FQ_OK;
}

/* The layer's keys and values through the store. */
static fq_status fill_store(job *j, size_t layer) {
    FQ_TRY(read_layer(j, layer, FQ_KV_KEY, j->x[KEY], j->shape.heads));
    FQ_TRY(read_layer(j, layer, FQ_KV_VALUE, j->x[VALUE], j->shape.heads));
    FQ_TRY(read_layer(j, layer, FQ_KV_QUERY, j->query, j->shape.query_heads));
    fq_kv_store_reset(j->store);
    fq_kv_store_give(j->store, fq_kv_setup_given(&j->setup, FQ_OF_KEYS, layer),
                     fq_kv_setup_given(&j->setup, FQ_OF_VALUES, layer));
    const fq_status status = fq_kv_store_append(j->store, 0, j->x[KEY], j->x[VALUE], j->query, j->tokens);
    if (status == FQ_ERR_RANGE || status == FQ_ERR_NONFINITE) {
        char line[FQ_FAILURE_LINE_MAX];
        fq_failure_line(line, fq_error_last());
        return FQ_FAIL_TEXT(status, "layer %zu, %.500s", layer, line);
    }
    FQ_TRY(status);
    j->bits += fq_kv_store_bits(j->store);
    j->long_bits += fq_kv_store_bits_at(j->store, LONG_CONTEXT);
    j->pool += (double)fq_kv_store_pool(j->store, 0);
    return FQ_OK;
}

/* Cosines and distortions of a head's vectors as decoded. */
static fq_status measure_vectors(job *j, int side, const float *raw, const float *decoded, size_t unit) {
    const size_t dim = j->shape.dim;
    fq_two_way *cosine = &j->measure[side == KEY ? KEY_COSINE : VALUE_COSINE];
    fq_two_way *distortion = &j->measure[side == KEY ? KEY_D : VALUE_D];
    for (size_t t = 0, end; t < j->tokens; t = end) {
        const size_t block = fq_two_way_block(t, j->tokens, j->blocks);
        fq_metrics m;
        for (end = t + 1; end < j->tokens && fq_two_way_block(end, j->tokens, j->blocks) == block;)
            end++;
        FQ_TRY(fq_metrics_measure(&m, dim, raw + t * dim, decoded + t * dim, end - t, NULL, 0));
        const double n = (double)m.vectors;
        fq_two_way_add(cosine, unit, block, n > 0.0 ? n * m.cosine.mean : 0.0, n);
        fq_two_way_add(distortion, unit, block, n > 0.0 ? n * m.distortion.mean : 0.0, n);
    }
    return FQ_OK;
}

/* A query without a direction to keep (NaN) is no observation. */
static void add_cosine(job *j, int measure, size_t unit, size_t block, double cosine) {
    if (!isnan(cosine))
        fq_two_way_add(&j->measure[measure], unit, block, cosine, 1.0);
}

/* Independent normal coordinates of that root mean square. */
static void draw_queries(job *j, size_t layer, size_t head, double scale) {
    fq_stream s;
    fq_stream_init(&s, j->seed, FQ_PURPOSE_QUERY, layer * j->shape.query_heads + head);
    for (size_t i = 0; i < j->queries * j->shape.dim; i++)
        j->asked[i] = (float)(scale * fq_stream_normal(&s));
}

/* Root mean square of the coordinates of n vectors, stride floats apart. */
static double root_mean_square(const float *x, size_t n, size_t stride, size_t dim) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < dim; c++)
            sum += (double)x[i * stride + c] * (double)x[i * stride + c];
    return sqrt(sum / (double)(n * dim));
}

/* The queries of a head that are looked at. */
static void ask(job *j, size_t layer, size_t head, const float *key) {
    const size_t dim = j->shape.dim, stride = j->shape.query_heads * dim;
    const float *query = j->query + head * dim;
    if (strcmp(j->query_kind, "normal_unit") == 0)
        draw_queries(j, layer, head, 1.0);
    else if (strcmp(j->query_kind, "normal_scale") == 0)
        draw_queries(j, layer, head, root_mean_square(query, j->tokens, stride, dim));
    else if (strcmp(j->query_kind, "normal_key_scale") == 0)
        draw_queries(j, layer, head, root_mean_square(key, j->tokens, dim, dim));
    else
        for (size_t i = 0; i < j->queries; i++)
            memcpy(j->asked + i * dim, query + (j->first + i * j->stride) * stride, dim * sizeof(float));
}

static bool is_plain_average(const job *j) {
    return !j->concatenated && !j->vector;
}

static void gather_outputs(job *j) {
    for (size_t i = 0; i < j->queries; i++)
        for (int m = 0; m < FQ_OUTPUTS; m++) {
            fq_output_products *to = &j->together[(j->vector ? 0 : i) * FQ_OUTPUTS + (size_t)m];
            to->plain += j->out[i].of[m].plain;
            to->form += j->out[i].of[m].form;
            to->dot += j->out[i].of[m].dot;
        }
}

/* The cosines of what was gathered, and a new beginning. */
static void close_outputs(job *j, size_t unit) {
    static const int measure_of[FQ_OUTPUTS] = {OF_BOTH, OF_KEY, OF_VALUE, OF_OLD};
    for (size_t i = 0; i < (j->vector ? 1 : j->queries); i++)
        for (int m = 0; m < FQ_OUTPUTS; m++) {
            const fq_output_products *p = &j->together[i * FQ_OUTPUTS + (size_t)m];
            const double cosine = p->form > 0.0 ? p->dot / sqrt(p->plain * p->form) : 0.0;
            add_cosine(j, measure_of[m], unit, fq_two_way_block(i, j->queries, j->blocks),
                       p->plain > 0.0 ? cosine : (double)NAN);
        }
    memset(j->together, 0, j->queries * FQ_OUTPUTS * sizeof *j->together);
}

static fq_status measure_query_head(job *j, size_t layer, size_t head, size_t unit) {
    const size_t dim = j->shape.dim, heads = j->shape.query_heads;
    const fq_kv_view view = fq_kv_store_view(j->store, 0, head / (heads / j->shape.heads));
    const fq_attention_pair pair = {.tokens = j->tokens,
                                    .dim = dim,
                                    .key = view.raw_key,
                                    .value = view.raw_value,
                                    .key_decoded = view.key,
                                    .value_decoded = view.value,
                                    .window = fq_kv_store_window(j->store),
                                    .key_group = fq_kv_store_together(j->store, FQ_OF_KEYS),
                                    .value_group = fq_kv_store_together(j->store, FQ_OF_VALUES),
                                    .key_near = view.near_key,
                                    .value_near = view.near_value,
                                    .age = j->age};
    ask(j, layer, head, view.raw_key);
    FQ_TRY(fq_attention_fidelity(j->out, &pair, j->asked, j->queries, j->causal ? j->first : j->tokens - 1,
                                 j->causal ? j->stride : 0));
    for (size_t i = 0; i < j->queries; i++) {
        const size_t block = fq_two_way_block(i, j->queries, j->blocks);
        if (is_plain_average(j)) {
            add_cosine(j, OF_BOTH, unit, block, j->out[i].both);
            add_cosine(j, OF_KEY, unit, block, j->out[i].key);
            add_cosine(j, OF_VALUE, unit, block, j->out[i].value);
            add_cosine(j, OF_OLD, unit, block, j->out[i].old);
        }
        fq_two_way_add(&j->measure[SCORE_ERROR], unit, block, j->out[i].score_error, 1.0);
        fq_two_way_add(&j->measure[SCORE_POWER], unit, block, j->out[i].score_power, 1.0);
    }
    if (!is_plain_average(j))
        gather_outputs(j);
    if (j->vector && !j->concatenated)
        close_outputs(j, unit);
    return FQ_OK;
}

static fq_status measure(job *j, fq_rows *rows) {
    const size_t group = j->shape.query_heads / j->shape.heads;
    for (size_t layer = 0; layer < j->shape.layers; layer++) {
        FQ_TRY(fill_store(j, layer));
        for (size_t head = 0; head < j->shape.heads; head++) {
            const size_t unit = layer * j->shape.heads + head;
            const fq_kv_view view = fq_kv_store_view(j->store, 0, head);
            FQ_TRY(measure_vectors(j, KEY, view.raw_key, view.key, unit));
            FQ_TRY(measure_vectors(j, VALUE, view.raw_value, view.value, unit));
            for (size_t i = 0; i < group; i++)
                FQ_TRY(measure_query_head(j, layer, head * group + i, unit));
        }
        if (j->concatenated) /* a layer is one head */
            close_outputs(j, layer * j->shape.heads);
        fq_rows_progress(rows, (double)(layer + 1) / (double)j->shape.layers);
    }
    return FQ_OK;
}

static void put(fq_rows *rows, const char *column, fq_two_way_estimate e) {
    const char *const endings[] = {"", "_se", "_se_layers", "_se_positions", "_half95"};
    const double values[] = {e.mean, e.se, e.se_layers, e.se_positions, e.half95};
    char name[FQ_TABLE_NAME_MAX + 1];
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", column, endings[i]);
        fq_rows_real(rows, name, values[i]);
    }
}

static void report(const job *j, fq_rows *rows) {
    const fq_two_way *m = j->measure;
    double least = 1.0;
    for (size_t head = 0; head < m[OF_BOTH].heads; head++)
        least = fmin(least, fq_two_way_head_mean(&m[OF_BOTH], head));
    put(rows, "attention_cosine", fq_two_way_mean(&m[OF_BOTH]));
    put(rows, "attention_cosine_key", fq_two_way_mean(&m[OF_KEY]));
    put(rows, "attention_cosine_value", fq_two_way_mean(&m[OF_VALUE]));
    put(rows, "attention_cosine_old", fq_two_way_mean(&m[OF_OLD]));
    put(rows, "key_cosine", fq_two_way_mean(&m[KEY_COSINE]));
    put(rows, "value_cosine", fq_two_way_mean(&m[VALUE_COSINE]));
    put(rows, "key_distortion", fq_two_way_mean(&m[KEY_D]));
    put(rows, "value_distortion", fq_two_way_mean(&m[VALUE_D]));
    put(rows, "score_error", fq_two_way_sqrt(fq_two_way_mean(&m[SCORE_ERROR])));
    put(rows, "score_error_relative", fq_two_way_ratio(&m[SCORE_ERROR], &m[SCORE_POWER]));
    fq_rows_real(rows, "attention_cosine_least", least);
    fq_rows_integer(rows, "heads", (int64_t)(j->shape.layers * j->shape.query_heads));
    fq_rows_integer(rows, "queries", (int64_t)j->queries);
}

/* The protocol in words. */
static void describe_protocol(const job *j, fq_rows *rows) {
    static const struct {
        const char *kind, *words;
    } kinds[] = {{"model", "queries"},
                 {"last", "the query"},
                 {"normal_unit", "standard normal queries"},
                 {"normal_scale", "normal queries of the queries' scale"},
                 {"normal_key_scale", "normal queries of the keys' scale"}};
    char protocol[400], where[120];
    const char *asked = "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, j->query_kind) == 0)
            asked = kinds[i].words;
    if (!j->causal)
        snprintf(where, sizeof where, "%zu of them", j->queries);
    else if (j->queries == 1)
        snprintf(where, sizeof where, "at position %zu", j->first);
    else
        snprintf(where, sizeof where, "at positions %zu to %zu in steps of %zu", j->first,
                 j->first + (j->queries - 1) * j->stride, j->stride);
    snprintf(protocol, sizeof protocol,
             "%s attention over the first %zu tokens, %s %s; %s%s; keys after the position encoding",
             j->causal ? "causal" : "unmasked", j->tokens, asked, where,
             j->vector         ? "one vector of all queries, equal weights over layers"
             : j->concatenated ? "equal weights over queries and layers"
                               : "equal weights over queries, layers and query heads",
             j->concatenated ? ", query heads concatenated"
             : j->vector     ? " and query heads"
                             : "");
    fq_rows_text(rows, "protocol", protocol);
}

static fq_status describe(const job *j, fq_rows *rows) {
    const fq_kv_origin *origin = fq_kv_cache_origin(j->cache);
    const fq_codec_spec *key = fq_codec_get_spec(j->setup.key_codecs[0]);
    const double rate = fq_kv_setup_rate(&j->setup);
    const double numbers =
        2.0 * (double)(j->shape.layers * j->shape.heads * j->tokens) * (double)j->shape.dim;
    fq_codec_description about;
    FQ_TRY(fq_codec_describe(&about, key, j->shape.dim));
    fq_rows_text(rows, "family", key->family);
    fq_rows_integer(rows, "block", about.trained ? (int64_t)about.block : 0);
    fq_rows_integer(rows, "codewords", about.trained ? (int64_t)about.codewords : 0);
    fq_rows_text(rows, "recipe", about.trained ? fq_recipe_name(about.training.recipe) : "");
    fq_rows_integer(rows, "plain", fq_kv_setup_is_plain(&j->setup));
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    fq_rows_real(rows, "compression_stored", 16.0 * numbers / j->bits);
    fq_rows_real(rows, "compression_stored_32768",
                 j->tokens <= LONG_CONTEXT ? 16.0 * numbers / (double)j->tokens * LONG_CONTEXT / j->long_bits
                                           : (double)NAN);
    fq_rows_real(rows, "pool_tokens", j->pool / (double)j->shape.layers);
    fq_rows_text(rows, "model_name", origin->model);
    fq_rows_text(rows, "text_name", origin->text);
    fq_rows_integer(rows, "text_first", (int64_t)(origin->text_first & INT64_MAX));
    fq_rows_integer(rows, "context", (int64_t)j->tokens);
    describe_protocol(j, rows);
    return FQ_OK;
}

static fq_status set_protocol(job *j, const fq_point *point, const char *path) {
    j->tokens = fq_point_size(point, "tokens");
    j->first = fq_point_size(point, "first_query");
    j->stride = fq_point_size(point, "stride");
    j->blocks = fq_point_size(point, "blocks");
    j->age = fq_point_size(point, "age");
    j->query_kind = fq_point_text(point, "query");
    j->causal = strcmp(fq_point_text(point, "mask"), "causal") == 0;
    j->concatenated = strcmp(fq_point_text(point, "outputs"), "concatenated") == 0;
    j->vector = strcmp(fq_point_text(point, "average"), "vector") == 0;
    j->seed = fq_point_seed(point);
    if (j->tokens == 0)
        j->tokens = j->shape.tokens;
    if (strcmp(j->query_kind, "last") == 0 && j->tokens <= j->shape.tokens)
        j->first = j->tokens - 1;
    const size_t keys = fq_treatment_prefix(&j->setup.treatment, FQ_OF_KEYS),
                 values = fq_treatment_prefix(&j->setup.treatment, FQ_OF_VALUES);
    if (j->tokens > j->shape.tokens || j->first >= j->tokens || keys > j->tokens || values > j->tokens)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: %zu tokens; key \"tokens\" asks for %zu, \"first_query\" for position %zu, "
                            "\"treatment\" for the first %zu",
                            path, j->shape.tokens, j->tokens, j->first, keys > values ? keys : values);
    j->queries = (j->tokens - 1 - j->first) / j->stride + 1;
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    static const fq_resource_kind kind = {cache_make, cache_destroy};
    const char *path = fq_point_file(point, "cache");
    char key[128];
    const void *object = NULL;
    snprintf(key, sizeof key, "kv_cache:%s", fq_point_file_sha256(point, "cache"));
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, (void *)(uintptr_t)path));
    job j = {.cache = object};
    j.shape = *fq_kv_cache_shape(j.cache);
    FQ_TRY(fq_kv_setup_make(&j.setup, point, resources, j.shape.dim));
    const fq_kv_origin *origin = fq_kv_cache_origin(j.cache);
    fq_status status = fq_kv_setup_check_moments(&j.setup, point, j.shape.layers, j.shape.heads, j.shape.dim,
                                                 origin->rope_known ? &origin->rope : NULL);
    if (status == FQ_OK)
        status = set_protocol(&j, point, path);
    if (status == FQ_OK)
        status = job_make(&j);
    if (status == FQ_OK)
        status = measure(&j, rows);
    if (status == FQ_OK)
        status = fq_rows_add(rows);
    if (status == FQ_OK) {
        report(&j, rows);
        status = describe(&j, rows);
    }
    job_clear(&j);
    return status;
}

const fq_experiment fq_experiment_fidelity = {
    .name = "fidelity",
    .summary = "attention on a real KV cache with compressed keys and values",
    .version = 7,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
