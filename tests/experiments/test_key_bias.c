/* Keys that share a constant: the experiment key-bias on a small random model, against its definitions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "byte_buffer.h"
#include "check.h"
#include "command.h"
#include "model_text.h"

enum { WINDOW = 16, WINDOWS = 2, SKIP = 4, NEAR = 5 };

static char model_path[256], text_path[256];

static void make_model_and_text(void) {
    fq_bytes model = {0}, text = {0};
    fq_gguf_put_small_llama(&model, 3);
    for (int i = 0; i < 400; i++) {
        const unsigned char letter = (unsigned char)("etaoin shrdlu"[(i * i + i / 7) % 13]);
        fq_bytes_add(&text, &letter, 1);
    }
    fq_bytes_save(&model, fq_test_folder(), "model.gguf", model_path);
    fq_bytes_save(&text, fq_test_folder(), "text.txt", text_path);
    fq_bytes_free(&model);
    fq_bytes_free(&text);
}

/* The rows of a manifest with these experiments and grids. */
static json_t *rows_of(const char *experiment, const char *grid) {
    const fq_command_result *r = fq_command("rm -f k.h5; printf '{experiment: %s, grid: {model: model.gguf, "
                                            "text: text.txt, window: %d, windows: %d, "
                                            "skip: %d, %s}}' > k.yaml; $FIBQUANT sweep k.yaml -q -o k.h5 && "
                                            "$FIBQUANT results k.h5 --table %s --json",
                                            experiment, WINDOW, WINDOWS, SKIP, grid, experiment);
    if (!FQ_CHECK(r->exit_code == 0)) {
        fprintf(stderr, "%s\n%s\n", r->out, r->err);
        return json_array();
    }
    const char *json = strstr(r->out, "{");
    json_t *document = json_loads(json ? json : r->out, 0, NULL),
           *rows = json_incref(json_object_get(document, "rows"));
    json_decref(document);
    return rows;
}

static double value(const json_t *rows, size_t row, const char *name) {
    const json_t *field = json_object_get(json_array_get(rows, row), name);
    return json_is_number(field) ? json_number_value(field) : (double)NAN;
}

static float seen_query[8][WINDOW * 64 * 16], seen_key[8][WINDOWS * WINDOW * 64 * 16];
static size_t seen_window;

/* The last window's queries and all windows' keys. */
static fq_status see(void *context, size_t layer, size_t first, size_t n, const float *query,
                     const float *key, const float *v) {
    const fq_model_config *c = context;
    const size_t q = c->heads * c->head_dim, k = c->kv_heads * c->head_dim;
    (void)v;
    memcpy(seen_query[layer] + first * q, query, n * q * sizeof *query);
    memcpy(seen_key[layer] + (seen_window * WINDOW + first) * k, key, n * k * sizeof *key);
    return FQ_OK;
}

/* Shared energy of the uncompressed model's keys by its formula, mean over heads. */
static double shared_by_hand(fq_transformer *model, float offset, const fq_model_text *m, bool before) {
    const fq_model_config *c = &model->config;
    const fq_rope rope = fq_transformer_rope(c);
    const fq_transformer_observer observer = {see, &model->config};
    const size_t d = c->head_dim, k = c->kv_heads * d;
    fq_kv_store *store = NULL;
    float *hidden = malloc(WINDOW * c->width * sizeof *hidden), *table = malloc(WINDOW * d * sizeof *table);
    model->key_offset = offset;
    FQ_CHECK_OK(fq_kv_store_create(&store, c->layers, c->kv_heads, d, WINDOW, NULL));
    for (seen_window = 0; seen_window < WINDOWS; seen_window++) {
        uint32_t tokens[WINDOW];
        FQ_CHECK_OK(fq_model_text_window(m, tokens, seen_window * (m->count / WINDOWS), WINDOW));
        fq_kv_store_reset(store);
        FQ_CHECK_OK(fq_transformer_run(model, store, tokens, WINDOW, hidden, &observer));
    }
    fq_rope_table(table, &rope, d, 0, WINDOW);
    double sum = 0;
    for (size_t layer = 0; layer < c->layers; layer++) {
        for (size_t w = 0; before && w < WINDOWS; w++)
            fq_rope_apply(&rope, seen_key[layer] + w * WINDOW * k, table, WINDOW, c->kv_heads, d, 1);
        for (size_t h = 0; h < c->kv_heads; h++) {
            double mean = 0, square = 0;
            for (size_t j = 0; j < d; j++) {
                double m1 = 0;
                for (size_t t = 0; t < WINDOWS * WINDOW; t++) {
                    const double x = (double)seen_key[layer][t * k + h * d + j];
                    m1 += x / (WINDOWS * WINDOW);
                    square += x * x / (WINDOWS * WINDOW);
                }
                mean += m1 * m1;
            }
            sum += mean / square;
        }
    }
    fq_kv_store_destroy(store);
    free(table);
    free(hidden);
    model->key_offset = 0.0F;
    return sum / (double)(c->layers * c->kv_heads);
}

static void without_a_bias_it_is_perplexity(void) {
    static const char *const columns[] = {
        "loss",      "loss_change", "perplexity",  "perplexity_change_se", "kl_se",
        "agreement", "key_cosine",  "score_noise", "compression_stored"};
    make_model_and_text();
    json_t *with = rows_of("key-bias", "codec: \"tq:b=2\", treatment: \"first+window:tokens=5\""),
           *plain = rows_of("perplexity", "codec: \"tq:b=2\", treatment: \"first+window:tokens=5\"");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        FQ_CHECK(isfinite(value(with, 0, columns[i])));
        FQ_CHECK_NEAR(value(with, 0, columns[i]), value(plain, 0, columns[i]), 0);
    }
    json_decref(plain);
    json_decref(with);
}

static void shared_energy_is_what_the_formula_says(void) {
    fq_model_text m;
    make_model_and_text();
    json_t *rows = rows_of("key-bias", "codec: fp16, bias: [0, 30]");
    if (FQ_CHECK_OK(fq_model_text_load(&m, model_path, text_path))) {
        FQ_CHECK(m.model.config.layers <= 8 && m.model.config.heads * m.model.config.head_dim <= 64 * 16);
        for (size_t row = 0; row < 2; row++) {
            const float bias = (float)value(rows, row, "bias");
            FQ_CHECK_NEAR(value(rows, row, "shared_before"), shared_by_hand(&m.model, bias, &m, true), 1e-6);
            FQ_CHECK_NEAR(value(rows, row, "shared_after"), shared_by_hand(&m.model, bias, &m, false), 1e-6);
            FQ_CHECK(value(rows, row, "shared_before_se") > 0);
        }
        FQ_CHECK(value(rows, 1, "shared_before") > 0.99 && value(rows, 0, "shared_before") < 0.9);
        fq_model_text_clear(&m);
    }
    json_decref(rows);
}

/* The scatter of a query's score errors over the keys that it reads, the last ones as the window keeps them;
 * mean square of a window. */
static double noise_by_hand(const fq_model_text *m, size_t window) {
    const fq_model_config *c = &m->model.config;
    const fq_transformer_observer observer = {see, (void *)(uintptr_t)c};
    const size_t d = c->head_dim, q = c->heads * d, group = c->heads / c->kv_heads;
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    fq_kv_store *store = NULL;
    uint32_t tokens[WINDOW];
    float *hidden = malloc(WINDOW * c->width * sizeof *hidden);
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "tq:b=2"));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, d, NULL));
    const fq_codec *codecs[] = {codec};
    fq_kv_options options = {.key_codecs = codecs, .value_codecs = codecs, .group = group};
    FQ_CHECK_OK(fq_treatment_parse(&options.treatment, "window:tokens=5"));
    FQ_CHECK_OK(fq_kv_store_create(&store, c->layers, c->kv_heads, d, WINDOW, &options));
    FQ_CHECK_OK(fq_model_text_window(m, tokens, window * (m->count / WINDOWS), WINDOW));
    seen_window = 0;
    FQ_CHECK_OK(fq_transformer_run(&m->model, store, tokens, WINDOW, hidden, &observer));
    double sum = 0;
    for (size_t i = 0; i < c->layers * c->heads; i++) {
        const size_t layer = i / c->heads, h = i % c->heads;
        const fq_kv_view view = fq_kv_store_view(store, layer, h / group);
        for (size_t t = SKIP; t < WINDOW; t++) {
            double e[WINDOW], mean = 0;
            for (size_t s = 0; s <= t; s++) {
                const float *read = s + NEAR > t ? view.near_key : view.key;
                e[s] = 0;
                for (size_t j = 0; j < d; j++)
                    e[s] += (double)seen_query[layer][t * q + h * d + j] *
                            ((double)read[s * d + j] - (double)view.raw_key[s * d + j]) / sqrt((double)d);
                mean += e[s] / (double)(t + 1);
            }
            for (size_t s = 0; s <= t; s++)
                sum += (e[s] - mean) * (e[s] - mean) / (double)(t + 1);
        }
    }
    fq_kv_store_destroy(store);
    fq_codec_destroy(codec);
    free(hidden);
    return sum / (double)(c->layers * c->heads * (WINDOW - SKIP));
}

static void score_noise_is_what_the_formula_says(void) {
    fq_model_text m;
    make_model_and_text();
    json_t *rows = rows_of("perplexity", "codec: \"tq:b=2\", treatment: \"window:tokens=5\"");
    if (FQ_CHECK_OK(fq_model_text_load(&m, model_path, text_path))) {
        double wanted = 0;
        for (size_t w = 0; w < WINDOWS; w++)
            wanted += sqrt(noise_by_hand(&m, w)) / WINDOWS;
        FQ_CHECK(wanted > 0);
        FQ_CHECK_NEAR(value(rows, 0, "score_noise"), wanted, 1e-5 * wanted);
        fq_model_text_clear(&m);
    }
    json_decref(rows);
}

/* A constant that the model hardly sees ruins a code of vectors as they are, and nothing behind the mean
 * before the encoding. */
static void a_mean_before_the_encoding_is_immune(void) {
    make_model_and_text();
    json_t *bare = rows_of("key-bias", "codec: \"tq:b=3\", bias: [0, 300]"),
           *mean = rows_of("key-bias", "codec: \"tq:b=3\", bias: [0, 300], treatment: "
                                       "\"mean:tokens=12+classes+first:bits=8.5+window:tokens=2\"");
    FQ_CHECK(value(bare, 1, "score_noise") > 10 * value(bare, 0, "score_noise"));
    FQ_CHECK_NEAR(value(mean, 1, "score_noise"), value(mean, 0, "score_noise"),
                  0.1 * value(mean, 0, "score_noise"));
    FQ_CHECK(value(bare, 1, "key_cosine") > 0.9);
    json_decref(mean);
    json_decref(bare);
}

static const fq_test tests[] = {
    {"without a bias it is perplexity", without_a_bias_it_is_perplexity},
    {"shared energy is what the formula says", shared_energy_is_what_the_formula_says},
    {"score noise is what the formula says", score_noise_is_what_the_formula_says},
    {"a mean before the encoding is immune", a_mean_before_the_encoding_is_immune},
    {0}};

const fq_suite fq_suite_key_bias = {"key_bias", tests};
