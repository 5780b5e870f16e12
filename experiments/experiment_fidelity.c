/* Fidelity of attention on a real KV cache.
 *
 * Protocol: every key-value head of every layer; the first `tokens` tokens; keys and values encoded and
 * decoded one by one, keys after the position encoding; query heads read the key-value head of their group;
 * causal attention of the queries at positions first_query, first_query + stride, ...; the attention cosine
 * of a head is the mean over its queries, the reported one the mean over all layers and query heads.
 * _se treats the (layer, query head) means as independent; _se_positions treats the positions so (means
 * over heads at a position); neighbouring positions are correlated, so the latter is a lower estimate.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention_fidelity.h"
#include "experiment.h"
#include "failure.h"
#include "kv_cache_file.h"
#include "memory.h"
#include "metrics.h"

static const fq_parameter parameters[] = {
    {.name = "cache", .type = FQ_PARAMETER_FILE, .description = "KV cache file (fibquant cache, or h5py)"},
    {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec of the keys"},
    {.name = "value_codec", .type = FQ_PARAMETER_TEXT, .fallback = "same", .description = "codec of the values, or same"},
    {.name = "tokens", .type = FQ_PARAMETER_INTEGER, .least = 0, .most = 1e9, .fallback = "0",
     .description = "tokens of the cache to use; 0: all"},
    {.name = "first_query", .type = FQ_PARAMETER_INTEGER, .least = 0, .most = 1e9, .fallback = "3",
     .description = "position of the first query"},
    {.name = "stride", .type = FQ_PARAMETER_INTEGER, .least = 1, .most = 1e9, .fallback = "4",
     .description = "positions from one query to the next"},
    {.name = "keep_first", .type = FQ_PARAMETER_INTEGER, .least = 0, .most = 1e9, .fallback = "0",
     .description = "first tokens kept uncompressed"},
    {.name = "centre", .type = FQ_PARAMETER_TEXT, .allowed = "none|key|both", .fallback = "none",
     .description = "subtract each head's mean over these tokens before encoding (not universal: needs the mean)"},
    {0}};

#define REAL(name, units, text) {name, FQ_VALUE_REAL, 0, units, text, FQ_ROLE_VALUE}
static const fq_value_column columns[] = {
    {"family", FQ_VALUE_TEXT, 16, "", "codec family of the keys", FQ_ROLE_VALUE},
    REAL("rate", "bits per coordinate", "payload rate, mean of keys and values"),
    REAL("compression_payload", "1", "16 / rate"),
    REAL("compression_stored", "1", "16 bits a coordinate over everything stored: indices, norms, padding, kept tokens"),
    REAL("attention_cosine_key", "1", "attention-output cosine, keys compressed alone"),
    REAL("attention_cosine_key_se", "1", "standard error over layers and heads"),
    REAL("attention_cosine_value", "1", "attention-output cosine, values compressed alone"),
    REAL("attention_cosine_value_se", "1", "standard error over layers and heads"),
    REAL("attention_cosine", "1", "attention-output cosine, keys and values compressed"),
    REAL("attention_cosine_se", "1", "standard error over layers and heads"),
    REAL("attention_cosine_se_positions", "1", "standard error over query positions"),
    REAL("attention_cosine_least", "1", "mean of the worst layer and head"),
    REAL("key_cosine", "1", "cosine of a key and its reconstruction"),
    REAL("key_cosine_se", "1", "standard error over layers and heads"),
    REAL("value_cosine", "1", "cosine of a value and its reconstruction"),
    REAL("value_cosine_se", "1", "standard error over layers and heads"),
    REAL("key_distortion", "coordinate variance", "|k - k'|^2 / |k|^2, mean over keys"),
    REAL("key_distortion_se", "coordinate variance", "standard error over layers and heads"),
    REAL("value_distortion", "coordinate variance", "|v - v'|^2 / |v|^2, mean over values"),
    REAL("value_distortion_se", "coordinate variance", "standard error over layers and heads"),
    REAL("score_error", "score units", "root mean square error of <q, k> / sqrt d"),
    REAL("score_error_se", "score units", "standard error over layers and heads"),
    REAL("score_error_relative", "1", "squared score error over the variance of a query's scores, ratio of means"),
    {"heads", FQ_VALUE_INTEGER, 0, "1", "layers times query heads", FQ_ROLE_VALUE},
    {"queries", FQ_VALUE_INTEGER, 0, "1", "query positions of each head", FQ_ROLE_VALUE},
    {"model_name", FQ_VALUE_TEXT, 64, "", "model that the cache came from", FQ_ROLE_VALUE},
    {"text_name", FQ_VALUE_TEXT, 64, "", "text that the cache came from", FQ_ROLE_VALUE},
    {"protocol", FQ_VALUE_TEXT, 160, "", "how attention was compared", FQ_ROLE_VALUE},
    {0}};

static fq_status check(const fq_point *point) {
    fq_codec_spec spec;
    const char *value = fq_point_text(point, "value_codec");
    return strcmp(value, "same") == 0 ? FQ_OK : fq_codec_spec_parse(&spec, value);
}

static void cache_destroy(void *object) { fq_kv_cache_close(object); }

static fq_status cache_make(void **object, size_t *bytes, void *context) {
    fq_kv_cache *cache = NULL;
    FQ_TRY(fq_kv_cache_open(&cache, context));
    *bytes = 1 << 20;
    *object = cache;
    return FQ_OK;
}

enum { KEY = 0, VALUE = 1, RAW = 0, DECODED = 1 };
enum { OF_KEY, OF_VALUE, OF_BOTH, OF_KEY_COSINE, OF_VALUE_COSINE, OF_KEY_D, OF_VALUE_D, OF_ERROR, OF_POWER, MEASURES };

typedef struct job {
    const fq_kv_cache *cache;
    fq_kv_shape shape;
    const fq_codec *codec[2];
    size_t tokens, first, stride, queries, keep;
    bool centre[2];
    float *x[2][2];         /* [key, value][raw, decoded]: [tokens][dim] */
    float *query, *all;     /* [queries][dim], [tokens][dim] */
    uint8_t *codes;
    fq_query_fidelity *out; /* [queries] */
    double *unit;           /* [MEASURES][layers * query heads] */
    double *position;       /* [queries]: sum over heads of the cosine with both */
} job;

static void job_clear(job *j) {
    for (int i = 0; i < 4; i++)
        fq_free(j->x[i / 2][i % 2]);
    void *rest[] = {j->query, j->all, j->codes, j->out, j->unit, j->position};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        fq_free(rest[i]);
}

static fq_status job_make(job *j) {
    const size_t vector = j->shape.dim * sizeof(float), units = j->shape.layers * j->shape.query_heads;
    size_t bytes = fq_codec_get_cost(j->codec[KEY]).code_bytes;
    if (fq_codec_get_cost(j->codec[VALUE]).code_bytes > bytes)
        bytes = fq_codec_get_cost(j->codec[VALUE]).code_bytes;
    for (int i = 0; i < 4; i++)
        FQ_TRY(fq_alloc(&j->x[i / 2][i % 2], j->tokens, vector));
    FQ_TRY(fq_alloc(&j->query, j->queries, vector));
    FQ_TRY(fq_alloc(&j->all, j->tokens, vector));
    FQ_TRY(fq_alloc(&j->codes, j->tokens, bytes));
    FQ_TRY(fq_alloc(&j->out, j->queries, sizeof *j->out));
    FQ_TRY(fq_alloc_zero(&j->unit, MEASURES * units, sizeof *j->unit));
    return fq_alloc_zero(&j->position, j->queries, sizeof *j->position);
}

/* Adds sign times the mean over tokens of from to x. */
static void shift(float *x, const float *from, size_t tokens, size_t dim, double sign) {
    for (size_t c = 0; c < dim; c++) {
        double mean = 0.0;
        for (size_t t = 0; t < tokens; t++)
            mean += (double)from[t * dim + c];
        const float by = (float)(sign * mean / (double)tokens);
        for (size_t t = 0; t < tokens; t++)
            x[t * dim + c] += by;
    }
}

static fq_status reconstruct(job *j, int side, size_t layer, size_t head, double *cosine, double *distortion) {
    const size_t dim = j->shape.dim, n = j->tokens;
    float *raw = j->x[side][RAW], *decoded = j->x[side][DECODED];
    fq_metrics metrics;
    FQ_TRY(fq_kv_cache_read(j->cache, layer, side == KEY ? FQ_KV_KEY : FQ_KV_VALUE, head, 0, n, raw));
    memcpy(j->all, raw, n * dim * sizeof *raw);
    if (j->centre[side])
        shift(j->all, raw, n, dim, -1.0);
    FQ_TRY(fq_codec_encode(j->codec[side], j->codes, j->all, n));
    FQ_TRY(fq_codec_decode(j->codec[side], decoded, j->codes, n));
    if (j->centre[side])
        shift(decoded, raw, n, dim, 1.0);
    memcpy(decoded, raw, (j->keep < n ? j->keep : n) * dim * sizeof *raw);
    FQ_TRY(fq_metrics_measure(&metrics, dim, raw, decoded, n, NULL, 0));
    *cosine = metrics.cosine.mean;
    *distortion = metrics.distortion.mean;
    return FQ_OK;
}

static fq_status measure_query_head(job *j, size_t layer, size_t head, size_t unit) {
    const size_t units = j->shape.layers * j->shape.query_heads, dim = j->shape.dim;
    const fq_attention_pair pair = {j->tokens, dim, j->x[KEY][RAW], j->x[VALUE][RAW], j->x[KEY][DECODED],
                                    j->x[VALUE][DECODED]};
    double *mean = j->unit + unit;
    FQ_TRY(fq_kv_cache_read(j->cache, layer, FQ_KV_QUERY, head, 0, j->tokens, j->all));
    for (size_t i = 0; i < j->queries; i++)
        memcpy(j->query + i * dim, j->all + (j->first + i * j->stride) * dim, dim * sizeof(float));
    FQ_TRY(fq_attention_fidelity(j->out, &pair, j->query, j->queries, j->first, j->stride));
    for (size_t i = 0; i < j->queries; i++) {
        const double n = (double)j->queries;
        mean[OF_KEY * units] += j->out[i].key / n;
        mean[OF_VALUE * units] += j->out[i].value / n;
        mean[OF_BOTH * units] += j->out[i].both / n;
        mean[OF_ERROR * units] += j->out[i].score_error / n;
        mean[OF_POWER * units] += j->out[i].score_power / n;
        j->position[i] += j->out[i].both / (double)units;
    }
    return FQ_OK;
}

static fq_status measure(job *j, fq_rows *rows) {
    const size_t units = j->shape.layers * j->shape.query_heads, group = j->shape.query_heads / j->shape.heads;
    for (size_t layer = 0; layer < j->shape.layers; layer++) {
        for (size_t head = 0; head < j->shape.heads; head++) {
            double cosine[2], distortion[2];
            for (int side = 0; side < 2; side++)
                FQ_TRY(reconstruct(j, side, layer, head, &cosine[side], &distortion[side]));
            for (size_t i = 0; i < group; i++) {
                const size_t query_head = head * group + i, unit = layer * j->shape.query_heads + query_head;
                j->unit[OF_KEY_COSINE * units + unit] = cosine[KEY];
                j->unit[OF_VALUE_COSINE * units + unit] = cosine[VALUE];
                j->unit[OF_KEY_D * units + unit] = distortion[KEY];
                j->unit[OF_VALUE_D * units + unit] = distortion[VALUE];
                FQ_TRY(measure_query_head(j, layer, query_head, unit));
            }
        }
        fq_rows_progress(rows, (double)(layer + 1) / (double)j->shape.layers);
    }
    return FQ_OK;
}

static void estimate(fq_rows *rows, const char *column, const double *x, size_t n, size_t each) {
    char name[FQ_TABLE_NAME_MAX];
    const fq_estimate e = fq_estimate_of(x, n);
    fq_rows_real(rows, column, e.mean);
    snprintf(name, sizeof name, "%s_se", column);
    fq_rows_real(rows, name, e.se * sqrt((double)each)); /* each value stands there for `each` query heads */
}

static void report(const job *j, fq_rows *rows) {
    const size_t n = j->shape.layers * j->shape.query_heads, group = j->shape.query_heads / j->shape.heads;
    const double *u = j->unit;
    estimate(rows, "attention_cosine_key", u + OF_KEY * n, n, 1);
    estimate(rows, "attention_cosine_value", u + OF_VALUE * n, n, 1);
    estimate(rows, "attention_cosine", u + OF_BOTH * n, n, 1);
    estimate(rows, "key_cosine", u + OF_KEY_COSINE * n, n, group);
    estimate(rows, "value_cosine", u + OF_VALUE_COSINE * n, n, group);
    estimate(rows, "key_distortion", u + OF_KEY_D * n, n, group);
    estimate(rows, "value_distortion", u + OF_VALUE_D * n, n, group);
    double least = 1.0;
    for (size_t i = 0; i < n; i++)
        least = fmin(least, u[OF_BOTH * n + i]);
    const fq_estimate error = fq_estimate_of(u + OF_ERROR * n, n), power = fq_estimate_of(u + OF_POWER * n, n);
    const double rms = sqrt(error.mean);
    fq_rows_real(rows, "attention_cosine_least", least);
    fq_rows_real(rows, "attention_cosine_se_positions", fq_estimate_of(j->position, j->queries).se);
    fq_rows_real(rows, "score_error", rms);
    fq_rows_real(rows, "score_error_se", rms > 0.0 ? 0.5 * error.se / rms : 0.0);
    fq_rows_real(rows, "score_error_relative", error.mean / power.mean);
    fq_rows_integer(rows, "heads", (int64_t)n);
    fq_rows_integer(rows, "queries", (int64_t)j->queries);
}

static fq_status describe(const job *j, const fq_point *point, fq_rows *rows) {
    const fq_kv_origin *origin = fq_kv_cache_origin(j->cache);
    const fq_codec_cost key = fq_codec_get_cost(j->codec[KEY]), value = fq_codec_get_cost(j->codec[VALUE]);
    const double rate = 0.5 * (key.rate + value.rate), n = (double)j->tokens, d = (double)j->shape.dim;
    const double kept = (double)(j->keep < j->tokens ? j->keep : j->tokens);
    double bytes = kept * 4.0 * d + (n - kept) * (double)(key.code_bytes + value.code_bytes);
    for (int side = 0; side < 2; side++)
        bytes += j->centre[side] ? 2.0 * d : 0.0; /* the mean, once a head, as fp16 */
    char protocol[160];
    fq_rows_text(rows, "family", fq_point_codec(point, "codec")->family);
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    fq_rows_real(rows, "compression_stored", 4.0 * d * n / bytes);
    fq_rows_text(rows, "model_name", origin->model);
    fq_rows_text(rows, "text_name", origin->text);
    snprintf(protocol, sizeof protocol, "causal, %zu tokens, queries at %zu, %zu, ...; mean over queries, then layers and heads",
             j->tokens, j->first, j->first + j->stride);
    fq_rows_text(rows, "protocol", protocol);
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    static const fq_resource_kind kind = {cache_make, cache_destroy};
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const char *path = fq_point_file(point, "cache"), *value_name = fq_point_text(point, "value_codec");
    const char *centre = fq_point_text(point, "centre");
    char key[128], hash[FQ_SHA256_HEX];
    const void *object = NULL;
    fq_codec_spec value_spec = *spec;
    FQ_TRY(fq_sha256_file(hash, path));
    snprintf(key, sizeof key, "kv_cache:%s", hash);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, (void *)(uintptr_t)path));
    job j = {.cache = object, .first = fq_point_size(point, "first_query"), .stride = fq_point_size(point, "stride"),
             .keep = fq_point_size(point, "keep_first"), .tokens = fq_point_size(point, "tokens")};
    j.shape = *fq_kv_cache_shape(j.cache);
    j.centre[VALUE] = strcmp(centre, "both") == 0;
    j.centre[KEY] = j.centre[VALUE] || strcmp(centre, "key") == 0;
    if (j.tokens == 0)
        j.tokens = j.shape.tokens;
    if (j.tokens > j.shape.tokens || j.first >= j.tokens)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; key \"tokens\" asks for %zu, \"first_query\" for position %zu",
                            path, j.shape.tokens, j.tokens, j.first);
    j.queries = (j.tokens - 1 - j.first) / j.stride + 1;
    if (strcmp(value_name, "same") != 0)
        FQ_TRY(fq_codec_spec_parse(&value_spec, value_name));
    FQ_TRY(fq_resources_codec(resources, &j.codec[KEY], spec, j.shape.dim));
    FQ_TRY(fq_resources_codec(resources, &j.codec[VALUE], &value_spec, j.shape.dim));
    fq_status status = job_make(&j);
    if (status == FQ_OK)
        status = measure(&j, rows);
    if (status == FQ_OK)
        status = fq_rows_add(rows);
    if (status == FQ_OK) {
        report(&j, rows);
        status = describe(&j, point, rows);
    }
    job_clear(&j);
    return status;
}

const fq_experiment fq_experiment_fidelity = {.name = "fidelity",
                                              .summary = "attention on a real KV cache with compressed keys and values",
                                              .version = 1,
                                              .parameters = parameters,
                                              .columns = columns,
                                              .check = check,
                                              .run = run};
