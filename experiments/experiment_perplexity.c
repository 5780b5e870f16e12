/* Perplexity with the whole KV cache compressed as it is written.
 *
 * Protocol: `windows` windows of `window` tokens, evenly spread over the text, each with an empty cache
 * (behind the model's begin-of-text token where it has one). Every key and value is encoded when it is
 * appended and decoded before attention reads it, the current token's own included, in all layers; so
 * every later layer sees the consequences. A treatment may change
 * keys and values around the codec and keep tokens out of it. Tokens at positions skip+1..window-1 are
 * scored. The uncompressed model (float32) is run on the same windows: paired differences, KL divergence and
 * agreement of the most likely token are against it. Standard errors take windows as the sampling unit.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment.h"
#include "failure.h"
#include "kv_setup.h"
#include "memory.h"
#include "metrics.h"
#include "model_text.h"
#include "sweep_plan.h"

static const fq_parameter parameters[] = {
    {.name = "model", .type = FQ_PARAMETER_FILE, .description = "checkpoint: a GGUF or safetensors file"},
    {.name = "text", .type = FQ_PARAMETER_FILE, .description = "text, UTF-8"},
    {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec of the keys"},
    {.name = "value_codec",
     .type = FQ_PARAMETER_TEXT,
     .fallback = "same",
     .description = "codec of the values, or same"},
    {.name = "treatment",
     .type = FQ_PARAMETER_TEXT,
     .fallback = "none",
     .description =
         "what is done around the codec, such as mean+classes+window:tokens=16 (fibquant help treatments)"},
    {.name = "window",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 1e6,
     .fallback = "512",
     .description = "tokens of a window"},
    {.name = "windows",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 1e5,
     .fallback = "8",
     .description = "windows"},
    {.name = "skip",
     .type = FQ_PARAMETER_INTEGER,
     .least = 0,
     .most = 1e6,
     .fallback = "64",
     .description = "tokens at the start of a window that are context alone"},
    {0}};

static const fq_value_column columns[] = {
    {"family", FQ_VALUE_TEXT, 16, "", "codec family of the keys", FQ_ROLE_VALUE},
    {"rate", FQ_VALUE_REAL, 0, "bits per coordinate", "payload rate, mean of keys and values", FQ_ROLE_VALUE},
    {"compression_payload", FQ_VALUE_REAL, 0, "1", "16 / rate", FQ_ROLE_VALUE},
    {"compression_stored", FQ_VALUE_REAL, 0, "1",
     "bytes at 16 bits a coordinate over bytes taken, norms and kept tokens included", FQ_ROLE_VALUE},
    {"perplexity", FQ_VALUE_REAL, 0, "1", "exp of loss", FQ_ROLE_VALUE},
    {"perplexity_se", FQ_VALUE_REAL, 0, "1", "standard error over windows", FQ_ROLE_VALUE},
    {"loss", FQ_VALUE_REAL, 0, "nat per token", "mean negative log likelihood", FQ_ROLE_VALUE},
    {"loss_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE},
    {"loss_change", FQ_VALUE_REAL, 0, "nat per token",
     "loss minus the uncompressed model's, paired by window", FQ_ROLE_VALUE},
    {"loss_change_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE},
    {"perplexity_reference", FQ_VALUE_REAL, 0, "1", "perplexity of the uncompressed model on the same tokens",
     FQ_ROLE_VALUE},
    {"perplexity_change", FQ_VALUE_REAL, 0, "1", "perplexity - perplexity_reference", FQ_ROLE_VALUE},
    {"perplexity_change_se", FQ_VALUE_REAL, 0, "1",
     "standard error of it, from the paired losses (delta method)", FQ_ROLE_VALUE},
    {"kl", FQ_VALUE_REAL, 0, "nat per token",
     "KL divergence of the compressed model from the uncompressed one", FQ_ROLE_VALUE},
    {"kl_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE},
    {"agreement", FQ_VALUE_REAL, 0, "1", "fraction of positions with the same most likely token",
     FQ_ROLE_VALUE},
    {"agreement_se", FQ_VALUE_REAL, 0, "1", "standard error over windows", FQ_ROLE_VALUE},
    {"scored", FQ_VALUE_INTEGER, 0, "1", "tokens scored", FQ_ROLE_VALUE},
    {"model_name", FQ_VALUE_TEXT, 64, "", "the checkpoint's name for the model", FQ_ROLE_VALUE},
    {"text_name", FQ_VALUE_TEXT, 64, "", "file name of the text", FQ_ROLE_VALUE},
    {"protocol", FQ_VALUE_TEXT, 160, "", "how windows were run", FQ_ROLE_VALUE},
    {0}};

/* Dimension of the model's keys and values; 0 where it cannot be read. */
static size_t model_dim(const char *path) {
    static char last[FQ_POINT_LABEL_MAX];
    static size_t dim;
    fq_checkpoint *checkpoint = NULL;
    if (dim && strcmp(last, path) == 0)
        return dim;
    dim = 0;
    if (strlen(path) < sizeof last && fq_checkpoint_open(&checkpoint, path) == FQ_OK) {
        strcpy(last, path);
        dim = fq_checkpoint_config(checkpoint)->head_dim;
        fq_checkpoint_close(checkpoint);
    }
    return dim;
}

static fq_status check(const fq_point *point) {
    if (fq_point_size(point, "skip") + 1 >= fq_point_size(point, "window"))
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"skip\": %zu; allowed: below window - 1",
                            fq_point_size(point, "skip"));
    FQ_TRY(fq_kv_setup_check(point));
    return fq_point_check_pair(point, model_dim(fq_point_file(point, "model")));
}

static fq_point_cost cost(const fq_point *point) {
    const double tokens = (double)fq_point_size(point, "window") * (double)fq_point_size(point, "windows");
    fq_point_cost cost = {.seconds = 10.0 + tokens * 0.015, .memory_bytes = 1.2e9};
    fq_codec_spec value;
    const size_t known = model_dim(fq_point_file(point, "model")), dim = known ? known : FQ_COST_USUAL_DIM;
    fq_cost_add_codec(&cost, fq_point_codec(point, "codec"), dim);
    if (fq_codec_spec_parse(&value, fq_point_text(point, "value_codec")) == FQ_OK)
        fq_cost_add_codec(&cost, &value, dim);
    return cost;
}

/* The model, its windows, and what it says of them uncompressed. */
typedef struct reference {
    fq_model_text m;
    size_t window, windows;
    uint32_t *tokens; /* [windows][window] */
    float *hidden;    /* [windows][window][width] */
} reference;

typedef struct request {
    const char *model, *text;
    size_t window, windows;
} request;

static void reference_destroy(void *object) {
    reference *r = object;
    if (!r)
        return;
    fq_model_text_clear(&r->m);
    fq_free(r->tokens);
    fq_free(r->hidden);
    fq_free(r);
}

static fq_status run_window(const reference *r, size_t w, fq_kv_store *store, float *hidden) {
    fq_kv_store_reset(store);
    return fq_transformer_run(&r->m.model, store, r->tokens + w * r->window, r->window, hidden, NULL);
}

static fq_status make_store(const reference *r, const fq_kv_options *options, fq_kv_store **store) {
    const fq_model_config *c = &r->m.model.config;
    return fq_kv_store_create(store, c->layers, c->kv_heads, c->head_dim, r->window, options);
}

static fq_status reference_fill(reference *r, const request *q) {
    fq_kv_store *store = NULL;
    FQ_TRY(fq_model_text_load(&r->m, q->model, q->text));
    r->window = q->window;
    r->windows = q->windows;
    const size_t width = r->m.model.config.width;
    FQ_TRY(fq_alloc(&r->tokens, q->windows, q->window * sizeof *r->tokens));
    FQ_TRY(fq_alloc(&r->hidden, q->windows * q->window, width * sizeof *r->hidden));
    if (r->m.count / q->windows < q->window)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; %zu windows of %zu need more", q->text, r->m.count,
                            q->windows, q->window);
    FQ_TRY(make_store(r, NULL, &store));
    fq_status status = FQ_OK;
    for (size_t w = 0; status == FQ_OK && w < q->windows; w++) {
        status =
            fq_model_text_window(&r->m, r->tokens + w * q->window, w * (r->m.count / q->windows), q->window);
        if (status == FQ_OK)
            status = run_window(r, w, store, r->hidden + w * q->window * width);
    }
    fq_kv_store_destroy(store);
    return status;
}

static fq_status reference_make(void **object, size_t *bytes, void *context) {
    const request *q = context;
    reference *r = NULL;
    FQ_TRY(fq_alloc_zero(&r, 1, sizeof *r));
    const fq_status status = reference_fill(r, q);
    if (status != FQ_OK) {
        reference_destroy(r);
        return status;
    }
    *bytes = (size_t)700 << 20; /* 135 million parameters; an upper bound is not needed */
    *object = r;
    return FQ_OK;
}

typedef struct scores {
    double loss, reference_loss, kl, agreement;
} scores;

static double log_sum_exp(const float *x, size_t n, size_t *best) {
    double sum = 0.0;
    *best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[*best])
            *best = i;
    for (size_t i = 0; i < n; i++)
        sum += (double)expf(x[i] - x[*best]);
    return (double)x[*best] + log(sum);
}

static scores score_position(const float *x, const float *y, size_t n, uint32_t next) {
    size_t best_x, best_y;
    const double zx = log_sum_exp(x, n, &best_x), zy = log_sum_exp(y, n, &best_y);
    double kl = 0.0;
    for (size_t i = 0; i < n; i++)
        kl += (double)expf((float)((double)x[i] - zx)) * (((double)x[i] - zx) - ((double)y[i] - zy));
    return (scores){zy - (double)y[next], zx - (double)x[next], kl, best_x == best_y ? 1.0 : 0.0};
}

enum { BATCH = 32 };

/* Means over the scored positions of a window; x: hidden states uncompressed, y: with the codec. */
static fq_status score_window(const reference *r, size_t w, const float *x, const float *y, size_t skip,
                              scores *mean) {
    const fq_model_config *c = &r->m.model.config;
    const uint32_t *tokens = r->tokens + w * r->window;
    float *logits = NULL;
    FQ_TRY(fq_alloc(&logits, 2 * BATCH, c->vocabulary * sizeof *logits));
    memset(mean, 0, sizeof *mean);
    const double count = (double)(r->window - 1 - skip);
    for (size_t t = skip; t + 1 < r->window; t += BATCH) {
        const size_t n = r->window - 1 - t < BATCH ? r->window - 1 - t : BATCH;
        scores part[BATCH];
        fq_transformer_logits(&r->m.model, logits, x + t * c->width, n);
        fq_transformer_logits(&r->m.model, logits + BATCH * c->vocabulary, y + t * c->width, n);
#pragma omp parallel for schedule(static, 4)
        for (size_t i = 0; i < n; i++)
            part[i] = score_position(logits + i * c->vocabulary, logits + (BATCH + i) * c->vocabulary,
                                     c->vocabulary, tokens[t + i + 1]);
        for (size_t i = 0; i < n; i++) {
            mean->loss += part[i].loss;
            mean->reference_loss += part[i].reference_loss;
            mean->kl += part[i].kl;
            mean->agreement += part[i].agreement;
        }
    }
    mean->loss /= count;
    mean->reference_loss /= count;
    mean->kl /= count;
    mean->agreement /= count;
    fq_free(logits);
    return FQ_OK;
}

static fq_status measure(const reference *r, const fq_kv_options *options, size_t skip, fq_rows *rows,
                         scores *all, double *bits) {
    fq_kv_store *store = NULL;
    float *hidden = NULL;
    const size_t size = r->window * r->m.model.config.width;
    FQ_TRY(make_store(r, options, &store));
    fq_status status = fq_alloc(&hidden, size, sizeof *hidden);
    for (size_t w = 0; status == FQ_OK && w < r->windows; w++) {
        status = run_window(r, w, store, hidden);
        if (status == FQ_OK)
            status = score_window(r, w, r->hidden + w * size, hidden, skip, &all[w]);
        fq_rows_progress(rows, (double)(w + 1) / (double)r->windows);
    }
    *bits = fq_kv_store_bits(store);
    fq_free(hidden);
    fq_kv_store_destroy(store);
    return status;
}

static fq_status report(fq_rows *rows, const scores *all, size_t windows) {
    double *x = NULL;
    FQ_TRY(fq_alloc(&x, 5 * windows, sizeof *x));
    for (size_t w = 0; w < windows; w++) {
        x[w] = all[w].loss;
        x[windows + w] = all[w].reference_loss;
        x[2 * windows + w] = all[w].loss - all[w].reference_loss;
        x[3 * windows + w] = all[w].kl;
        x[4 * windows + w] = all[w].agreement;
    }
    const fq_estimate loss = fq_estimate_of(x, windows), base = fq_estimate_of(x + windows, windows);
    const fq_estimate change = fq_estimate_of(x + 2 * windows, windows),
                      kl = fq_estimate_of(x + 3 * windows, windows);
    const fq_estimate agreement = fq_estimate_of(x + 4 * windows, windows);
    const double p = exp(loss.mean), p0 = exp(base.mean);
    for (size_t w = 0; w < windows; w++) /* first-order influence of window w on p - p0 */
        x[w] = p * all[w].loss - p0 * all[w].reference_loss;
    fq_rows_real(rows, "perplexity", p);
    fq_rows_real(rows, "perplexity_se", p * loss.se);
    fq_rows_real(rows, "loss", loss.mean);
    fq_rows_real(rows, "loss_se", loss.se);
    fq_rows_real(rows, "loss_change", change.mean);
    fq_rows_real(rows, "loss_change_se", change.se);
    fq_rows_real(rows, "perplexity_reference", p0);
    fq_rows_real(rows, "perplexity_change", p - p0);
    fq_rows_real(rows, "perplexity_change_se", fq_estimate_of(x, windows).se);
    fq_rows_real(rows, "kl", kl.mean);
    fq_rows_real(rows, "kl_se", kl.se);
    fq_rows_real(rows, "agreement", agreement.mean);
    fq_rows_real(rows, "agreement_se", agreement.se);
    fq_free(x);
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    static const fq_resource_kind kind = {reference_make, reference_destroy};
    request q = {fq_point_file(point, "model"), fq_point_file(point, "text"), fq_point_size(point, "window"),
                 fq_point_size(point, "windows")};
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t skip = fq_point_size(point, "skip");
    char key[320], model_hash[FQ_SHA256_HEX], text_hash[FQ_SHA256_HEX], protocol[160];
    const void *object = NULL;
    FQ_TRY(fq_sha256_file(model_hash, q.model));
    FQ_TRY(fq_sha256_file(text_hash, q.text));
    snprintf(key, sizeof key, "perplexity:%s:%s:%zu:%zu", model_hash, text_hash, q.window, q.windows);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, &q));
    const reference *r = object;
    const fq_model_config *c = &r->m.model.config;
    const fq_rope rope = fq_transformer_rope(c);
    fq_kv_setup setup;
    FQ_TRY(fq_kv_setup_make(&setup, point, resources, c->head_dim));
    const fq_kv_options options = {.key_codecs = setup.key_codecs,
                                   .value_codecs = setup.value_codecs,
                                   .treatment = setup.treatment,
                                   .rope = &rope,
                                   .group = c->heads / c->kv_heads};
    const double rate = fq_kv_setup_rate(&setup);
    scores *all = NULL;
    double bits = 0.0;
    fq_status status = fq_alloc(&all, q.windows, sizeof *all);
    if (status == FQ_OK)
        status = measure(r, &options, skip, rows, all, &bits);
    if (status == FQ_OK)
        status = fq_rows_add(rows);
    if (status == FQ_OK)
        status = report(rows, all, q.windows);
    fq_free(all);
    fq_kv_setup_clear(&setup);
    FQ_TRY(status);
    fq_rows_text(rows, "family", spec->family);
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    fq_rows_real(rows, "compression_stored",
                 32.0 * (double)(c->layers * c->kv_heads * c->head_dim * q.window) / bits);
    fq_rows_integer(rows, "scored", (int64_t)(q.windows * (q.window - 1 - skip)));
    const char *slash = strrchr(q.text, '/');
    fq_rows_text(rows, "model_name", c->name);
    fq_rows_text(rows, "text_name", slash ? slash + 1 : q.text);
    snprintf(protocol, sizeof protocol,
             "%zu windows of %zu tokens, first %zu not scored; prefill and own token read back compressed; "
             "SE by window",
             q.windows, q.window, skip);
    fq_rows_text(rows, "protocol", protocol);
    return FQ_OK;
}

const fq_experiment fq_experiment_perplexity = {
    .name = "perplexity",
    .summary = "perplexity of a model whose KV cache is compressed as it is written",
    .version = 5,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
