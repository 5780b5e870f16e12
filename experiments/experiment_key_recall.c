/* Recall of what stands far back in a compressed cache, by its key.
 *
 * Protocol: `trials` contexts of `length` tokens of the text, no two of the same tokens (behind the model's
 * begin-of-text token where it has one). In each stand `needles` needles, spread evenly: a key of `key`
 * tokens and an answer of `answer` tokens, all drawn without repetition from the text's tokens at large, so
 * that nothing but the needle tells the answer. Behind the context each key stands once more, in an order
 * that turns from trial to trial, with its answer behind it: the answer's tokens are scored where the model
 * has to foretell them. Every key and value of the run is encoded as it is appended and decoded before
 * attention reads it. The uncompressed model (float32) reads the same tokens.
 *
 * A row a trial and needle, so that any two settings can be compared trial by trial: needles of one context
 * have it in common, contexts are independent. The draw is from the point's seed: settings of one seed see
 * the same contexts.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "kv_setup.h"
#include "memory.h"
#include "stream.h"
#include "text_windows.h"

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
     .description = "what is done around the codec (fibquant help treatments)"},
    FQ_CALIBRATION_PARAMETER,
    {.name = "length",
     .type = FQ_PARAMETER_INTEGER,
     .least = 4,
     .most = 1e6,
     .fallback = "512",
     .description = "tokens of a context, needles included"},
    {.name = "trials",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 1e5,
     .fallback = "12",
     .description = "contexts"},
    {.name = "needles",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 64,
     .fallback = "5",
     .description = "needles of a context, evenly spread"},
    {.name = "key",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 64,
     .fallback = "4",
     .description = "tokens of a needle's key"},
    {.name = "answer",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 64,
     .fallback = "4",
     .description = "tokens of a needle's answer"},
    {0}};

static const fq_value_column columns[] = {
    {"trial", FQ_VALUE_INTEGER, 0, "1", "context, from 0", FQ_ROLE_VALUE},
    {"needle", FQ_VALUE_INTEGER, 0, "1", "needle of the context, from 0, the oldest first", FQ_ROLE_VALUE},
    {"depth", FQ_VALUE_REAL, 0, "1", "position of the needle over the length of the context", FQ_ROLE_VALUE},
    {"age", FQ_VALUE_INTEGER, 0, "tokens", "from the needle's answer to where it is asked for",
     FQ_ROLE_VALUE},
    {"loss", FQ_VALUE_REAL, 0, "nat per token", "mean negative log likelihood of the answer's tokens",
     FQ_ROLE_VALUE},
    {"loss_reference", FQ_VALUE_REAL, 0, "nat per token", "the same of the uncompressed model",
     FQ_ROLE_VALUE},
    {"recalled", FQ_VALUE_REAL, 0, "1", "share of the answer's tokens that are the likeliest", FQ_ROLE_VALUE},
    {"recalled_reference", FQ_VALUE_REAL, 0, "1", "the same of the uncompressed model", FQ_ROLE_VALUE},
    {"rate", FQ_VALUE_REAL, 0, "bits per coordinate", "payload rate, mean of keys and values", FQ_ROLE_VALUE},
    {"compression_payload", FQ_VALUE_REAL, 0, "1", "16 / rate", FQ_ROLE_VALUE},
    {"compression_stored", FQ_VALUE_REAL, 0, "1",
     "bytes at 16 bits a coordinate over bytes taken, norms and kept tokens included", FQ_ROLE_VALUE},
    {"model_name", FQ_VALUE_TEXT, 64, "", "the checkpoint's name for the model", FQ_ROLE_VALUE},
    {"text_name", FQ_VALUE_TEXT, 64, "", "file name of the text", FQ_ROLE_VALUE},
    {0}};

/* What a point asks for, and the tokens it comes to. */
typedef struct plan {
    const fq_model_text *m;
    size_t length, trials, needles, key, answer;
    uint64_t seed;
} plan;

typedef struct score {
    double loss, recalled;
} score;

static size_t block_of(const plan *p) {
    return p->key + p->answer;
}

static size_t tokens_of(const plan *p) {
    return p->length + p->needles * block_of(p);
}

/* Where a needle stands: in the middle of its part of the context, behind the begin-of-text token. */
static size_t needle_at(const plan *p, size_t needle) {
    const size_t room = p->length - 1 - block_of(p);
    return 1 + (2 * needle + 1) * room / (2 * p->needles);
}

/* Where a needle is asked for: the order turns by one from trial to trial. */
static size_t question_at(const plan *p, size_t trial, size_t needle) {
    return p->length + (needle + trial) % p->needles * block_of(p);
}

/* All needles' tokens, needle[needles * block], no token twice in a trial. */
static fq_status draw_needles(const plan *p, size_t trial, uint32_t *needle) {
    const size_t count = p->needles * block_of(p);
    fq_stream s;
    fq_stream_init(&s, p->seed, FQ_PURPOSE_RECALL, trial);
    for (size_t i = 0, draws = 0; i < count; draws++) {
        if (draws > 1000 * count)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: too few different tokens for needles of %zu", p->m->text,
                                count);
        const uint32_t token = p->m->tokens[fq_stream_below(&s, p->m->count)];
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new = is_new && needle[j] != token;
        if (is_new)
            needle[i++] = token;
    }
    return FQ_OK;
}

/* The tokens of a trial, and its needles'. */
static fq_status write_trial(const plan *p, size_t trial, uint32_t *tokens, uint32_t *needle) {
    const size_t block = block_of(p), bytes = block * sizeof *needle;
    FQ_TRY(fq_model_text_window(p->m, tokens, trial * (p->m->count / p->trials), p->length));
    FQ_TRY(draw_needles(p, trial, needle));
    for (size_t i = 0; i < p->needles; i++) {
        memcpy(tokens + needle_at(p, i), needle + i * block, bytes);
        memcpy(tokens + question_at(p, trial, i), needle + i * block, bytes);
    }
    return FQ_OK;
}

/* A needle's score: row t of hidden foretells token t + 1. */
static fq_status score_needle(const plan *p, size_t trial, size_t needle, const uint32_t *tokens,
                              const float *hidden, score *to) {
    const fq_model_config *c = &p->m->model.config;
    const size_t first = question_at(p, trial, needle) + p->key - 1;
    float *logits = NULL;
    *to = (score){0.0, 0.0};
    FQ_TRY(fq_alloc(&logits, p->answer, c->vocabulary * sizeof *logits));
    fq_transformer_logits(&p->m->model, logits, hidden + first * c->width, p->answer);
    for (size_t i = 0; i < p->answer; i++) {
        const float *x = logits + i * c->vocabulary;
        const uint32_t next = tokens[first + i + 1];
        size_t best = 0;
        double sum = 0.0;
        for (size_t v = 1; v < c->vocabulary; v++)
            best = x[v] > x[best] ? v : best;
        for (size_t v = 0; v < c->vocabulary; v++)
            sum += exp((double)x[v] - (double)x[best]);
        to->loss += ((double)x[best] + log(sum) - (double)x[next]) / (double)p->answer;
        to->recalled += (best == next ? 1.0 : 0.0) / (double)p->answer;
    }
    fq_free(logits);
    return FQ_OK;
}

/* All trials through a store: scores[trials][needles]; bits of the last one. rows: for progress, or NULL. */
static fq_status run_trials(const plan *p, const fq_kv_options *options, score *scores, double *bits,
                            fq_rows *rows) {
    const fq_model_config *c = &p->m->model.config;
    const size_t n = tokens_of(p);
    fq_kv_store *store = NULL;
    uint32_t *tokens = NULL, *needle = NULL;
    float *hidden = NULL;
    FQ_TRY(fq_kv_store_create(&store, c->layers, c->kv_heads, c->head_dim, n, options));
    fq_status status = fq_alloc(&tokens, n, sizeof *tokens);
    if (status == FQ_OK)
        status = fq_alloc(&needle, p->needles, block_of(p) * sizeof *needle);
    if (status == FQ_OK)
        status = fq_alloc(&hidden, n, c->width * sizeof *hidden);
    for (size_t trial = 0; status == FQ_OK && trial < p->trials; trial++) {
        fq_kv_store_reset(store);
        status = write_trial(p, trial, tokens, needle);
        if (status == FQ_OK)
            status = fq_transformer_run(&p->m->model, store, tokens, n, hidden, NULL);
        for (size_t i = 0; status == FQ_OK && i < p->needles; i++)
            status = score_needle(p, trial, i, tokens, hidden, scores + trial * p->needles + i);
        if (rows)
            fq_rows_progress(rows, (double)(trial + 1) / (double)p->trials);
    }
    *bits = fq_kv_store_bits(store);
    fq_free(hidden);
    fq_free(needle);
    fq_free(tokens);
    fq_kv_store_destroy(store);
    return status;
}

/* The uncompressed model's scores, once for all points of one draw. */

static void reference_destroy(void *object) {
    fq_free(object);
}

static fq_status reference_make(void **object, size_t *bytes, void *context) {
    const plan *p = context;
    score *scores = NULL;
    double unused;
    FQ_TRY(fq_alloc(&scores, p->trials, p->needles * sizeof *scores));
    const fq_status status = run_trials(p, NULL, scores, &unused, NULL);
    if (status != FQ_OK) {
        fq_free(scores);
        return status;
    }
    *bytes = p->trials * p->needles * sizeof *scores;
    *object = scores;
    return FQ_OK;
}

static fq_status get_reference(const score **scores, fq_resources *resources, plan *p) {
    static const fq_resource_kind kind = {reference_make, reference_destroy};
    char key[400];
    const void *object = NULL;
    snprintf(key, sizeof key, "key_recall:%s:%s:%zu:%zu:%zu:%zu:%zu:%llu", p->m->model_sha256,
             p->m->text_sha256, p->length, p->trials, p->needles, p->key, p->answer,
             (unsigned long long)p->seed);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, p));
    *scores = object;
    return FQ_OK;
}

static fq_status report(const plan *p, const fq_kv_setup *setup, const char *text, const score *scores,
                        const score *reference, double bits, fq_rows *rows) {
    const fq_model_config *c = &p->m->model.config;
    const double rate = fq_kv_setup_rate(setup);
    const char *slash = strrchr(text, '/');
    for (size_t i = 0; i < p->trials * p->needles; i++) {
        const size_t trial = i / p->needles, needle = i % p->needles;
        FQ_TRY(fq_rows_add(rows));
        fq_rows_integer(rows, "trial", (int64_t)trial);
        fq_rows_integer(rows, "needle", (int64_t)needle);
        fq_rows_real(rows, "depth", (double)needle_at(p, needle) / (double)p->length);
        fq_rows_integer(rows, "age", (int64_t)(question_at(p, trial, needle) - needle_at(p, needle)));
        fq_rows_real(rows, "loss", scores[i].loss);
        fq_rows_real(rows, "loss_reference", reference[i].loss);
        fq_rows_real(rows, "recalled", scores[i].recalled);
        fq_rows_real(rows, "recalled_reference", reference[i].recalled);
        fq_rows_real(rows, "rate", rate);
        fq_rows_real(rows, "compression_payload", 16.0 / rate);
        fq_rows_real(rows, "compression_stored",
                     32.0 * (double)(c->layers * c->kv_heads * c->head_dim * tokens_of(p)) / bits);
        fq_rows_text(rows, "model_name", c->name);
        fq_rows_text(rows, "text_name", slash ? slash + 1 : text);
    }
    return FQ_OK;
}

/* The context has room for its needles, one apart from the next. */
static fq_status check(const fq_point *point) {
    const size_t length = fq_point_size(point, "length"),
                 block = fq_point_size(point, "key") + fq_point_size(point, "answer"),
                 needles = fq_point_size(point, "needles");
    if (length < 2 + 2 * needles * block)
        return FQ_FAIL_TEXT(
            FQ_ERR_ARGUMENT,
            "key \"length\": %zu; allowed: twice the tokens of %zu needles of %zu and two more", length,
            needles, block);
    FQ_TRY(fq_kv_setup_check(point));
    return fq_point_check_pair(point, 0);
}

static fq_point_cost cost(const fq_point *point) {
    const double tokens = (double)fq_point_size(point, "length") * (double)fq_point_size(point, "trials");
    fq_point_cost cost = {.seconds = 5.0 + tokens * 0.008, .memory_bytes = 1.0e9};
    fq_codec_spec value;
    fq_cost_add_codec(&cost, fq_point_codec(point, "codec"), FQ_COST_USUAL_DIM);
    if (fq_codec_spec_parse(&value, fq_point_text(point, "value_codec")) == FQ_OK)
        fq_cost_add_codec(&cost, &value, FQ_COST_USUAL_DIM);
    return cost;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    plan p = {.length = fq_point_size(point, "length"),
              .trials = fq_point_size(point, "trials"),
              .needles = fq_point_size(point, "needles"),
              .key = fq_point_size(point, "key"),
              .answer = fq_point_size(point, "answer"),
              .seed = fq_point_seed(point)};
    const score *reference = NULL;
    score *scores = NULL;
    double bits = 0.0;
    fq_kv_setup setup;
    const char *text = fq_point_file(point, "text");
    FQ_TRY(fq_text_windows_model(&p.m, resources, point));
    if (p.m->count / p.trials < p.length)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; %zu contexts of %zu need more", text, p.m->count,
                            p.trials, p.length);
    const fq_model_config *c = &p.m->model.config;
    const fq_rope rope = fq_transformer_rope(c);
    FQ_TRY(fq_kv_setup_make(&setup, point, resources, c->head_dim));
    const fq_kv_options options = {.key_codecs = setup.key_codecs,
                                   .value_codecs = setup.value_codecs,
                                   .treatment = setup.treatment,
                                   .rope = &rope,
                                   .given_keys = fq_kv_setup_given(&setup, FQ_OF_KEYS, 0),
                                   .given_values = fq_kv_setup_given(&setup, FQ_OF_VALUES, 0),
                                   .group = c->heads / c->kv_heads};
    fq_status status = fq_kv_setup_check_moments(&setup, point, c->layers, c->kv_heads, c->head_dim, &rope);
    if (status == FQ_OK)
        status = get_reference(&reference, resources, &p);
    if (status == FQ_OK)
        status = fq_alloc(&scores, p.trials, p.needles * sizeof *scores);
    if (status == FQ_OK)
        status = run_trials(&p, &options, scores, &bits, rows);
    if (status == FQ_OK)
        status = report(&p, &setup, text, scores, reference, bits, rows);
    fq_free(scores);
    fq_kv_setup_clear(&setup);
    return status;
}

const fq_experiment fq_experiment_key_recall = {
    .name = "key-recall",
    .summary = "recall, by its key, of what stands far back in a compressed cache",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
