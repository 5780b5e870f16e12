/* The transformer against an independent float64 NumPy reference on small random models, and identities:
 * decoding equals prefill, later tokens do not matter, a random model's perplexity is its vocabulary. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "checkpoint_internal.h"
#include "memory.h"
#include "stream.h"
#include "transformer.h"

enum { TOKENS = 23, VOCABULARY = 61 };

static fq_model_config small_config(fq_architecture architecture, bool interleaved) {
    const bool llama = architecture == FQ_ARCH_LLAMA;
    return (fq_model_config){.architecture = architecture,
                             .layers = 3,
                             .heads = 6,
                             .kv_heads = llama ? 2 : 6,
                             .head_dim = 8,
                             .width = llama ? 40 : 48,
                             .feed_forward = 56,
                             .vocabulary = VOCABULARY,
                             .context = 64,
                             .norm_epsilon = 1e-5,
                             .rope_base = llama ? 10000.0 : 0.0,
                             .rope_interleaved = interleaved,
                             .tied_embeddings = !llama || interleaved};
}

static size_t tensor_size(const fq_model_config *config, int role, size_t *rows, size_t *columns) {
    bool required;
    fq_role_shape(config, (fq_tensor_role)role, rows, columns, &required);
    return *rows * *columns;
}

/* Entries of order scale; norms' gains about 1. */
static void randomise(fq_transformer *model, double scale) {
    for (size_t layer = 0; layer < model->config.layers; layer++)
        for (int role = 0; role < FQ_TENSOR_ROLES; role++) {
            size_t rows, columns;
            const size_t size = tensor_size(&model->config, role, &rows, &columns);
            float *x = model->tensors[layer * FQ_TENSOR_ROLES + (size_t)role];
            fq_stream s;
            fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, layer * 100 + (size_t)role);
            for (size_t i = 0; x && i < size; i++)
                x[i] = (float)(scale * fq_stream_normal(&s) + (role == FQ_TENSOR_ATTENTION_NORM ||
                                                                       role == FQ_TENSOR_FFN_NORM ||
                                                                       role == FQ_TENSOR_OUTPUT_NORM
                                                                   ? 1.0
                                                                   : 0.0));
        }
}

static void random_tokens(uint32_t *tokens, size_t n) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 9000);
    for (size_t i = 0; i < n; i++)
        tokens[i] = (uint32_t)fq_stream_below(&s, VOCABULARY);
}

/* Runs in pieces of the given size (0: all at once). */
static void run_model(const fq_transformer *m, const uint32_t *tokens, size_t n, size_t piece,
                      float *logits) {
    fq_kv_store *store = NULL;
    float *hidden = NULL;
    FQ_CHECK_OK(fq_alloc(&hidden, n * m->config.width, sizeof *hidden));
    if (FQ_CHECK_OK(
            fq_kv_store_create(&store, m->config.layers, m->config.kv_heads, m->config.head_dim, n, NULL)))
        for (size_t first = 0; first < n; first += piece ? piece : n) {
            const size_t count = piece && piece < n - first ? piece : n - first;
            FQ_CHECK_OK(
                fq_transformer_run(m, store, tokens + first, count, hidden + first * m->config.width, NULL));
        }
    fq_transformer_logits(m, logits, hidden, n);
    fq_kv_store_destroy(store);
    fq_free(hidden);
}

static bool write_model(const fq_transformer *m, const uint32_t *tokens, const char *path) {
    const fq_model_config *c = &m->config;
    FILE *file = fopen(path, "wb");
    const char *comma = "";
    if (!FQ_CHECK(file != NULL))
        return false;
    fprintf(file,
            "{\"gpt2\":%s,\"layers\":%zu,\"heads\":%zu,\"kv_heads\":%zu,\"head_dim\":%zu,\"epsilon\":%.17g,"
            "\"rope_base\":%.17g,\"interleaved\":%s,\"tokens\":[",
            c->architecture == FQ_ARCH_GPT2 ? "true" : "false", c->layers, c->heads, c->kv_heads, c->head_dim,
            c->norm_epsilon, c->rope_base, c->rope_interleaved ? "true" : "false");
    for (size_t i = 0; i < TOKENS; i++)
        fprintf(file, "%s%u", i ? "," : "", (unsigned)tokens[i]);
    fprintf(file, "],\"tensors\":[");
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < c->layers * FQ_TENSOR_ROLES; i++) {
            const int role = (int)(i % FQ_TENSOR_ROLES);
            size_t rows, columns;
            const size_t size = tensor_size(c, role, &rows, &columns);
            if (!m->tensors[i])
                continue;
            if (pass)
                fwrite(m->tensors[i], sizeof(float), size, file);
            else
                fprintf(file, "%s[\"%s\",%zu,%zu,%zu]", comma, fq_role_name((fq_tensor_role)role),
                        i / FQ_TENSOR_ROLES, rows, columns);
            comma = ",";
        }
        if (!pass)
            fprintf(file, "]}\n");
    }
    return FQ_CHECK(fclose(file) == 0);
}

static void compare_with_reference(fq_architecture architecture, bool interleaved, bool biased) {
    const fq_model_config config = small_config(architecture, interleaved);
    fq_transformer model;
    uint32_t tokens[TOKENS];
    static float logits[TOKENS * VOCABULARY];
    static double expected[TOKENS * VOCABULARY];
    char weights[4096], answer[4096], command[16384];
    if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
        return;
    if (biased) /* a Llama file may have biases of its matrices */
        FQ_CHECK_OK(fq_alloc_zero(&model.tensors[FQ_TENSOR_ROLES + FQ_TENSOR_KEY_BIAS],
                                  config.kv_heads * config.head_dim, sizeof(float)));
    randomise(&model, 0.25);
    random_tokens(tokens, TOKENS);
    run_model(&model, tokens, TOKENS, 0, logits);
    snprintf(weights, sizeof weights, "%s/model.bin", fq_test_folder());
    snprintf(answer, sizeof answer, "%s/logits.bin", fq_test_folder());
    snprintf(command, sizeof command, "/usr/bin/python3 %s/tests/reference/transformer_reference.py %s %s",
             FQ_SOURCE_DIR, weights, answer);
    if (write_model(&model, tokens, weights) && FQ_CHECK(system(command) == 0)) {
        FILE *file = fopen(answer, "rb");
        if (FQ_CHECK(file != NULL)) {
            double most = 0.0, scale = 0.0;
            FQ_CHECK(fread(expected, sizeof expected, 1, file) == 1);
            for (size_t i = 0; i < TOKENS * VOCABULARY; i++) {
                const double error = fabs((double)logits[i] - expected[i]);
                most = error <= most ? most : error; /* a NaN stays */
                scale = fmax(scale, fabs(expected[i]));
            }
            /* About 300 rounded operations in a row of order 1: 2^-24 sqrt(300), with room of 10. */
            FQ_CHECK(most <= 1e-5 * scale);
            FQ_CHECK(scale > 1.0);
            fclose(file);
        }
    }
    fq_transformer_clear(&model);
}

static void llama_interleaved(void) {
    compare_with_reference(FQ_ARCH_LLAMA, true, false);
}
static void llama_halves(void) {
    compare_with_reference(FQ_ARCH_LLAMA, false, true);
}
static void gpt2(void) {
    compare_with_reference(FQ_ARCH_GPT2, false, false);
}

static void decoding_equals_prefill(void) {
    for (int architecture = 0; architecture < 2; architecture++) {
        const fq_model_config config =
            small_config((fq_architecture)architecture, architecture == FQ_ARCH_LLAMA);
        fq_transformer model;
        uint32_t tokens[TOKENS];
        static float whole[TOKENS * VOCABULARY], pieces[TOKENS * VOCABULARY];
        if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
            return;
        randomise(&model, 0.25);
        random_tokens(tokens, TOKENS);
        run_model(&model, tokens, TOKENS, 0, whole);
        for (size_t piece = 1; piece < 8; piece += 3) {
            run_model(&model, tokens, TOKENS, piece, pieces);
            for (size_t i = 0; i < TOKENS * VOCABULARY; i++) /* sums in another order */
                if (!FQ_CHECK_NEAR((double)pieces[i], (double)whole[i], 2e-4))
                    break;
        }
        fq_transformer_clear(&model);
    }
}

/* More tokens and wider layers than a tile of the products holds, more queries than a block of attention. */
static void threads_change_no_bit(void) {
    enum { MANY = 300 };
    fq_model_config config = small_config(FQ_ARCH_LLAMA, false);
    config.context = MANY;
    config.feed_forward = 1100;
    fq_transformer model;
    uint32_t tokens[MANY];
    static float one[MANY * VOCABULARY], more[MANY * VOCABULARY];
    if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
        return;
    randomise(&model, 0.25);
    random_tokens(tokens, MANY);
    const int usual = fq_test_get_threads();
    fq_test_set_threads(1);
    run_model(&model, tokens, MANY, 0, one);
    for (int threads = 2; threads <= 5; threads++) {
        fq_test_set_threads(threads);
        memset(more, 0, sizeof more);
        run_model(&model, tokens, MANY, 0, more);
        FQ_CHECK(memcmp(one, more, sizeof one) == 0);
    }
    fq_test_set_threads(usual);
    fq_transformer_clear(&model);
}

static void later_tokens_change_nothing(void) {
    const fq_model_config config = small_config(FQ_ARCH_LLAMA, true);
    fq_transformer model;
    uint32_t tokens[TOKENS];
    static float before[TOKENS * VOCABULARY], after[TOKENS * VOCABULARY];
    if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
        return;
    randomise(&model, 0.25);
    random_tokens(tokens, TOKENS);
    run_model(&model, tokens, TOKENS, 0, before);
    tokens[TOKENS / 2] = (tokens[TOKENS / 2] + 1) % VOCABULARY;
    run_model(&model, tokens, TOKENS, 0, after);
    FQ_CHECK(memcmp(before, after, TOKENS / 2 * VOCABULARY * sizeof *before) == 0);
    FQ_CHECK(memcmp(before + TOKENS / 2 * VOCABULARY, after + TOKENS / 2 * VOCABULARY,
                    VOCABULARY * sizeof *before) != 0);
    fq_transformer_clear(&model);
}

/* With all weights near zero but the norms, every token is about as likely: entropy ln V. */
static void a_model_that_knows_nothing_has_the_vocabulary_as_perplexity(void) {
    const fq_model_config config = small_config(FQ_ARCH_GPT2, false);
    fq_transformer model;
    uint32_t tokens[TOKENS];
    static float logits[TOKENS * VOCABULARY];
    double loss = 0.0;
    if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
        return;
    randomise(&model, 1e-4);
    random_tokens(tokens, TOKENS);
    run_model(&model, tokens, TOKENS, 0, logits);
    for (size_t t = 0; t + 1 < TOKENS; t++) {
        double sum = 0.0;
        for (size_t j = 0; j < VOCABULARY; j++)
            sum += exp((double)logits[t * VOCABULARY + j]);
        loss += (log(sum) - (double)logits[t * VOCABULARY + tokens[t + 1]]) / (TOKENS - 1);
    }
    FQ_CHECK_NEAR(exp(loss), (double)VOCABULARY, 0.01 * VOCABULARY);
    fq_transformer_clear(&model);
}

static void wrong_calls_are_refused(void) {
    const fq_model_config config = small_config(FQ_ARCH_GPT2, false);
    fq_transformer model;
    fq_kv_store *store = NULL;
    static float hidden[100 * 48];
    uint32_t tokens[100] = {0};
    if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
        return;
    FQ_CHECK_OK(fq_kv_store_create(&store, 3, 6, 8, 100, NULL));
    FQ_CHECK_FAILS(fq_transformer_run(&model, store, tokens, 65, hidden, NULL), FQ_ERR_ARGUMENT);
    tokens[2] = VOCABULARY;
    FQ_CHECK_FAILS(fq_transformer_run(&model, store, tokens, 3, hidden, NULL), FQ_ERR_ARGUMENT);
    fq_kv_store_destroy(store);
    fq_transformer_clear(&model);
}

/* Terabytes that the system would promise tensor by tensor. */
static void given_a_model_beyond_the_machine_expect_its_size_named(void) {
    fq_model_config config = small_config(FQ_ARCH_LLAMA, false);
    fq_transformer model;
    config.layers = 4096;
    config.heads = config.kv_heads = 64;
    config.head_dim = 128;
    config.width = 8192;
    config.feed_forward = 22016;
    FQ_CHECK_FAILS(fq_transformer_init(&model, &config), FQ_ERR_MEMORY);
    /* (4 x 8192^2 + 3 x 8192 x 22016 + 2 x 8192) 4096 x 4 bytes = 12352.25 GiB, and the embeddings */
    FQ_CHECK(strstr(fq_error_last()->text, "its weights in float32 take 12352.3 GiB of memory") != NULL);
    fq_transformer_clear(&model);
}

enum { KEYS_A_TOKEN = 6 * 8 };

typedef struct layer_keys {
    float key[TOKENS * KEYS_A_TOKEN]; /* of layer 0 */
} layer_keys;

static fq_status see_first_layer(void *context, size_t layer, size_t first, size_t n, const float *query,
                                 const float *key, const float *value) {
    layer_keys *to = context;
    (void)query;
    (void)value;
    if (layer == 0)
        memcpy(to->key + first * KEYS_A_TOKEN, key, n * KEYS_A_TOKEN * sizeof *key);
    return FQ_OK;
}

static void run_with_offset(fq_transformer *m, float offset, const uint32_t *tokens, layer_keys *keys,
                            float *hidden) {
    const fq_transformer_observer observer = {see_first_layer, keys};
    fq_kv_store *store = NULL;
    m->key_offset = offset;
    FQ_CHECK_OK(
        fq_kv_store_create(&store, m->config.layers, m->config.kv_heads, m->config.head_dim, TOKENS, NULL));
    FQ_CHECK_OK(fq_transformer_run(m, store, tokens, TOKENS, hidden, &observer));
    fq_kv_store_destroy(store);
}

/* A shared constant turns with the slowest pair and moves nothing else: the first layer's keys differ by it
 * alone. Where that pair does not turn, the model does not see it. */
static void keys_can_be_made_to_share_a_constant(void) {
    enum { OFFSET = 50 };
    static layer_keys plain, moved;
    static float before[TOKENS * 48], after[TOKENS * 48];
    uint32_t tokens[TOKENS];
    random_tokens(tokens, TOKENS);
    for (int kind = 0; kind < 3; kind++) { /* no encoding; pairs (i, 4 + i); pairs (2i, 2i + 1) */
        fq_model_config config = small_config(kind ? FQ_ARCH_LLAMA : FQ_ARCH_GPT2, kind == 2);
        const size_t a = kind == 2 ? 6 : 3, b = 7;
        double most = 0.0, scale = 0.0;
        fq_transformer model;
        config.kv_heads = 6;
        config.rope_base = kind ? 1e12 : 0.0; /* the slowest pair turns by 1e-9 a position */
        if (!FQ_CHECK_OK(fq_transformer_init(&model, &config)))
            return;
        randomise(&model, 0.25);
        run_with_offset(&model, 0.0F, tokens, &plain, before);
        run_with_offset(&model, OFFSET, tokens, &moved, after);
        for (size_t i = 0; i < TOKENS * config.width; i++) {
            most = fmax(most, fabs((double)after[i] - (double)before[i]));
            scale = fmax(scale, fabs((double)before[i]));
        }
        FQ_CHECK(most > 0.0 && most < 1e-4 * scale); /* float32 scores of about 50 */
        model.config.rope_base = kind ? 100.0 : 0.0;
        run_with_offset(&model, 0.0F, tokens, &plain, before);
        run_with_offset(&model, OFFSET, tokens, &moved, after);
        for (size_t i = 0; i < TOKENS * 6; i++)
            for (size_t j = 0; j < 8; j++) {
                const double angle = kind ? (double)(i / 6) * pow(100.0, -6.0 / 8.0) : 0.0;
                const double wanted = j == a ? OFFSET * cos(angle) : j == b ? OFFSET * sin(angle) : 0.0;
                FQ_CHECK_NEAR((double)moved.key[i * 8 + j] - (double)plain.key[i * 8 + j], wanted, 2e-5);
            }
        fq_transformer_clear(&model);
    }
}

static const fq_test tests[] = {
    {"keys_can_be_made_to_share_a_constant", keys_can_be_made_to_share_a_constant},
    {"llama_with_interleaved_pairs_agrees_with_numpy", llama_interleaved},
    {"llama_with_halves_and_a_bias_agrees_with_numpy", llama_halves},
    {"gpt2_agrees_with_numpy", gpt2},
    {"decoding_equals_prefill", decoding_equals_prefill},
    {"threads_change_no_bit", threads_change_no_bit},
    {"later_tokens_change_nothing", later_tokens_change_nothing},
    {"a_model_that_knows_nothing_has_the_vocabulary_as_perplexity",
     a_model_that_knows_nothing_has_the_vocabulary_as_perplexity},
    {"wrong_calls_are_refused", wrong_calls_are_refused},
    {"a_model_beyond_the_machine_is_refused_with_its_size",
     given_a_model_beyond_the_machine_expect_its_size_named},
    {NULL, NULL}};

const fq_suite fq_suite_transformer = {"transformer", tests};
