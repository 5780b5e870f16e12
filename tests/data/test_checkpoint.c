/* Checkpoints by role: shapes, orientation, slices of fused matrices, and refusals. Weights encode their own
 * place in the file, so that a wrong row, column or tensor shows as a wrong number. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "byte_buffer.h"
#include "check.h"
#include "checkpoint.h"
#include "checkpoint_file.h"

static fq_checkpoint *open_small_llama(fq_bytes *b, char path[256]) {
    fq_checkpoint *c = NULL;
    fq_gguf_put_small_llama(b, 1);
    fq_bytes_save(b, fq_test_folder(), "small.gguf", path);
    FQ_CHECK_OK(fq_checkpoint_open(&c, path));
    return c;
}

static void given_a_gguf_llama_expect_config_shapes_and_numbers(void) {
    fq_bytes b = {0};
    char path[256], hex[65], expected[65];
    fq_checkpoint *c = open_small_llama(&b, path);
    if (!c)
        return;
    const fq_model_config *m = fq_checkpoint_config(c);
    FQ_CHECK(m->architecture == FQ_ARCH_LLAMA && m->layers == 2 && m->heads == 4 && m->kv_heads == 2 &&
             m->head_dim == 8 && m->width == 32 && m->feed_forward == 64 && m->vocabulary == 258 &&
             m->context == 16 && m->rope_interleaved && m->tied_embeddings);
    FQ_CHECK_NEAR(m->norm_epsilon, (double)1e-5f, 0.0);
    FQ_CHECK_NEAR(m->rope_base, 5000.0, 0.0);
    FQ_CHECK(strcmp(m->name, "small llama") == 0);
    size_t rows = 9, columns = 9;
    FQ_CHECK(fq_checkpoint_tensor_shape(c, FQ_TENSOR_KEY, 1, &rows, &columns) && rows == 16 && columns == 32);
    FQ_CHECK(strcmp(fq_checkpoint_tensor_type(c, FQ_TENSOR_KEY, 1), "Q8_0") == 0);
    FQ_CHECK(strcmp(fq_checkpoint_tensor_type(c, FQ_TENSOR_KEY, 0), "F32") == 0);
    FQ_CHECK(!fq_checkpoint_tensor_shape(c, FQ_TENSOR_KEY_BIAS, 1, &rows, &columns) && rows == 0);
    FQ_CHECK(!fq_checkpoint_tensor_shape(c, FQ_TENSOR_OUTPUT, 0, NULL, NULL));
    FQ_CHECK(!fq_checkpoint_tensor_shape(c, FQ_TENSOR_POSITION_EMBEDDING, 0, NULL, NULL));
    FQ_CHECK(!fq_checkpoint_tensor_shape(c, FQ_TENSOR_KEY, 2, NULL, NULL));
    float values[32 * 64];
    /* the file's last bytes are the last layer's ffn_down: Q8_0, 34 bytes for 32 numbers */
    FQ_CHECK_OK(fq_checkpoint_read_tensor(c, FQ_TENSOR_FFN_DOWN, 1, 32, 64, values));
    const unsigned char *block = b.data + b.size - 34;
    const double scale = ldexp(1.0 + (block[0] | (block[1] & 3) << 8) / 1024.0, (block[1] >> 2) - 15);
    for (size_t i = 0; i < 32; i++)
        FQ_CHECK_NEAR((double)values[31 * 64 + 32 + i], scale * (double)(signed char)block[2 + i], 0.0);
    FQ_CHECK_FAILS(fq_checkpoint_read_tensor(c, FQ_TENSOR_FFN_DOWN, 1, 64, 32, values), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_checkpoint_read_tensor(c, FQ_TENSOR_OUTPUT, 0, 258, 32, values), FQ_ERR_ARGUMENT);
    FQ_CHECK_OK(fq_checkpoint_sha256(c, hex));
    FQ_CHECK_OK(fq_sha256_hex(b.data, b.size, expected));
    FQ_CHECK(strcmp(hex, expected) == 0);
    fq_checkpoint_close(c);
    fq_checkpoint_close(NULL);
    fq_bytes_save(&b, fq_test_folder(), "Small-1K-Instruct.Q4_1.gguf", path); /* as models are published */
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, path)))
        FQ_CHECK(strcmp(fq_checkpoint_config(c)->name, "Small-1K-Instruct.Q4_1") == 0);
    fq_checkpoint_close(c);
    fq_bytes_save(&b, fq_test_folder(), "ggml-model-q4_0.gguf", path); /* a converter's name for anything */
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, path)))
        FQ_CHECK(strcmp(fq_checkpoint_config(c)->name, "small llama") == 0);
    fq_checkpoint_close(c);
    /* the scale of that last block becomes an infinity */
    b.data[b.size - 34] = 0;
    b.data[b.size - 33] = 0x7c;
    fq_bytes_save(&b, fq_test_folder(), "small.gguf", path);
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, path))) {
        FQ_CHECK_FAILS(fq_checkpoint_read_tensor(c, FQ_TENSOR_FFN_DOWN, 1, 32, 64, values), FQ_ERR_NONFINITE);
        FQ_CHECK(strstr(fq_error_last()->text, "blk.1.ffn_down.weight") != NULL);
    }
    fq_checkpoint_close(c);
    fq_bytes_free(&b);
}

/* A tensor that nothing reads, a configuration with fewer layers than there are tensors for, keys that change
 * the model: whatever would be left out is named. */
static void given_a_gguf_with_more_than_is_read_expect_it_named(void) {
    static const struct {
        fq_gguf_changes changes;
        fq_status status;
        const char *message;
    } cases[] = {
        {{.layers = 1}, FQ_ERR_UNSUPPORTED, "tensor blk.1.attn_norm.weight"},
        {{.tensor = "blk.0.attn_q_norm.weight"}, FQ_ERR_UNSUPPORTED, "tensor blk.0.attn_q_norm.weight"},
        {{.tensor = "blk.1.attn_sinks.weight"}, FQ_ERR_UNSUPPORTED, "tensor blk.1.attn_sinks.weight"},
        {{.tensor = "rope_freqs.weight", .value = 8.0f}, FQ_ERR_UNSUPPORTED, "tensor rope_freqs.weight"},
        {{.tensor = "rope_freqs.weight", .value = 1.0f}, FQ_OK, ""},
        {{.tensor = "blk.1.attn_rot_embd.weight"}, FQ_OK, ""},
        {{.tensor = "blk.01.attn_rot_embd.weight"}, FQ_ERR_UNSUPPORTED, "tensor blk.01.attn_rot_embd.weight"},
        {{.tensor = "blk.2.attn_rot_embd.weight"}, FQ_ERR_UNSUPPORTED, "tensor blk.2.attn_rot_embd.weight"},
        {{.tensor = "blk.1.attn_q.bias", .columns = 32},
         FQ_ERR_INPUT,
         "tensor blk.0.attn_q.bias is missing, though"},
        {{.tensor = "blk.0.attn_q.bias", .columns = 32},
         FQ_ERR_INPUT,
         "tensor blk.1.attn_q.bias is missing, though"},
        {{.tensor = "blk.1.attn_q.bias"}, FQ_ERR_INPUT, "tensor blk.1.attn_q.bias: is 1 x 4"},
        {{.keys = {"llama.vocab_size"}, .values = {300}}, FQ_ERR_INPUT, "llama.vocab_size"},
        {{.keys = {"llama.vocab_size"}, .values = {258}}, FQ_OK, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_bytes b = {0};
        char path[256];
        fq_checkpoint *c = NULL;
        fq_gguf_put_changed_llama(&b, 1, &cases[i].changes);
        fq_bytes_save(&b, fq_test_folder(), "changed.gguf", path);
        FQ_CHECK_FAILS(fq_checkpoint_open(&c, path), cases[i].status);
        if (cases[i].status != FQ_OK && !FQ_CHECK(strstr(fq_error_last()->text, cases[i].message) != NULL))
            fprintf(stderr, "%s: %s\n", cases[i].message, fq_error_last()->text);
        fq_checkpoint_close(c);
        fq_bytes_free(&b);
    }
}

/* One part of a model in three files: the part that is not there is named; if all are, that they must be
 * joined. */
static void given_a_part_of_a_split_gguf_expect_the_missing_one_named(void) {
    static const char *const names[] = {"m-00001-of-00003.gguf", "m-00003-of-00003.gguf",
                                        "m-00002-of-00003.gguf"};
    const fq_gguf_changes changes = {.keys = {"split.count", "split.no"}, .values = {3, 0}};
    const char *const messages[] = {"part 2, m-00002-of-00003.gguf, is missing",
                                    "part 2, m-00002-of-00003.gguf, is missing", "llama-gguf-split --merge"};
    fq_bytes b = {0};
    char path[256], first[256];
    fq_gguf_put_changed_llama(&b, 1, &changes);
    for (int i = 0; i < 3; i++) {
        fq_checkpoint *c = NULL;
        fq_bytes_save(&b, fq_test_folder(), names[i], i ? path : first);
        FQ_CHECK_FAILS(fq_checkpoint_open(&c, first), i < 2 ? FQ_ERR_INPUT : FQ_ERR_UNSUPPORTED);
        FQ_CHECK(strstr(fq_error_last()->text, messages[i]) != NULL);
    }
    fq_bytes_free(&b);
}

/* --- folders: a tensor's number `index`, row r and column c of the file give 1000 index + 50 r + c --- */

typedef struct stored {
    const char *name;
    size_t rows, columns; /* rows 0: a vector */
} stored;

static double number(size_t index, size_t row, size_t column) {
    return 1000.0 * (double)index + 50.0 * (double)row + (double)column;
}

static void write_tensors(const char *name, const stored *tensors, size_t first, size_t count) {
    fq_bytes header = {0}, data = {0}, file = {0};
    char text[256], path[256];
    fq_bytes_text(&header, "{");
    for (size_t i = first; i < first + count; i++) {
        const size_t rows = tensors[i].rows ? tensors[i].rows : 1, begin = data.size;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < tensors[i].columns; c++)
                fq_bytes_f32(&data, (float)number(i, r, c));
        snprintf(text, sizeof text, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i > first ? "," : "",
                 tensors[i].name);
        fq_bytes_text(&header, text);
        if (tensors[i].rows) {
            snprintf(text, sizeof text, "%zu,", tensors[i].rows);
            fq_bytes_text(&header, text);
        }
        snprintf(text, sizeof text, "%zu],\"data_offsets\":[%zu,%zu]}", tensors[i].columns, begin, data.size);
        fq_bytes_text(&header, text);
    }
    fq_bytes_text(&header, "}");
    fq_bytes_u64(&file, header.size);
    fq_bytes_add(&file, header.data, header.size);
    fq_bytes_add(&file, data.data, data.size);
    fq_bytes_save(&file, fq_test_folder(), name, path);
    fq_bytes_free(&header);
    fq_bytes_free(&data);
    fq_bytes_free(&file);
}

static void write_text(const char *name, const char *text) {
    fq_bytes b = {0};
    char path[256];
    fq_bytes_text(&b, text);
    fq_bytes_save(&b, fq_test_folder(), name, path);
    fq_bytes_free(&b);
}

/* role[r][c] = number(index, first + c, r) if turned, number(index, r, first + c) otherwise, with `first`
 * added to the index that was sliced. */
static void expect(const fq_checkpoint *c, fq_tensor_role role, size_t index, bool turned, size_t first) {
    float values[1024];
    size_t rows = 0, columns = 0, wrong = 0;
    if (!FQ_CHECK(fq_checkpoint_tensor_shape(c, role, 0, &rows, &columns)) ||
        !FQ_CHECK_OK(fq_checkpoint_read_tensor(c, role, 0, rows, columns, values)))
        return;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < columns; k++) {
            const double wanted = turned ? number(index, k, first + r) : number(index, r, first + k);
            wrong += (double)values[r * columns + k] != wanted;
        }
    FQ_CHECK(wrong == 0);
}

static const stored gpt2[] = {
    {"wte.weight", 11, 6},
    {"wpe.weight", 5, 6},
    {"h.0.ln_1.weight", 0, 6},
    {"h.0.ln_1.bias", 0, 6},
    {"h.0.attn.c_attn.weight", 6, 18},
    {"h.0.attn.c_attn.bias", 0, 18},
    {"h.0.attn.c_proj.weight", 6, 6},
    {"h.0.attn.c_proj.bias", 0, 6},
    {"h.0.ln_2.weight", 0, 6},
    {"h.0.ln_2.bias", 0, 6},
    {"h.0.mlp.c_fc.weight", 6, 24},
    {"h.0.mlp.c_fc.bias", 0, 24},
    {"h.0.mlp.c_proj.weight", 24, 6},
    {"h.0.mlp.c_proj.bias", 0, 6},
    {"ln_f.weight", 0, 6},
    {"ln_f.bias", 0, 6},
    {"h.0.attn.bias", 5, 5},
};
enum { GPT2_TENSORS = sizeof gpt2 / sizeof gpt2[0] };
static const char gpt2_config[] =
    "{\"model_type\":\"gpt2\",\"n_layer\":1,\"n_head\":2,\"n_embd\":6,\"n_positions\":5,\"vocab_size\":11,"
    "\"n_inner\":null,\"activation_function\":\"gelu_new\",\"layer_norm_epsilon\":1e-5}";

static void given_a_gpt2_folder_expect_turned_and_split_matrices(void) {
    write_text("config.json", gpt2_config);
    write_tensors("model.safetensors", gpt2, 0, GPT2_TENSORS);
    fq_checkpoint *c = NULL;
    if (!FQ_CHECK_OK(fq_checkpoint_open(&c, fq_test_folder())))
        return;
    const fq_model_config *m = fq_checkpoint_config(c);
    FQ_CHECK(m->architecture == FQ_ARCH_GPT2 && m->head_dim == 3 && m->kv_heads == 2 &&
             m->feed_forward == 24 && m->context == 5 && m->tied_embeddings && !m->rope_interleaved);
    expect(c, FQ_TENSOR_TOKEN_EMBEDDING, 0, false, 0);
    expect(c, FQ_TENSOR_POSITION_EMBEDDING, 1, false, 0);
    expect(c, FQ_TENSOR_ATTENTION_NORM_BIAS, 3, false, 0);
    expect(c, FQ_TENSOR_QUERY, 4, true, 0);
    expect(c, FQ_TENSOR_KEY, 4, true, 6);
    expect(c, FQ_TENSOR_VALUE, 4, true, 12);
    expect(c, FQ_TENSOR_QUERY_BIAS, 5, false, 0);
    expect(c, FQ_TENSOR_KEY_BIAS, 5, false, 6);
    expect(c, FQ_TENSOR_VALUE_BIAS, 5, false, 12);
    expect(c, FQ_TENSOR_ATTENTION_OUTPUT, 6, true, 0);
    expect(c, FQ_TENSOR_FFN_UP, 10, true, 0);
    expect(c, FQ_TENSOR_FFN_DOWN, 12, true, 0);
    expect(c, FQ_TENSOR_OUTPUT_NORM, 14, false, 0);
    fq_checkpoint_close(c);
}

static void given_shards_expect_the_same_tensors(void) {
    char index[2048] = "{\"weight_map\":{";
    write_text("config.json", gpt2_config);
    write_tensors("model-1.safetensors", gpt2, 0, 8);
    write_tensors("model-2.safetensors", gpt2, 8, GPT2_TENSORS - 8);
    for (size_t i = 0; i < GPT2_TENSORS; i++)
        snprintf(index + strlen(index), sizeof index - strlen(index), "%s\"%s\":\"model-%d.safetensors\"",
                 i ? "," : "", gpt2[i].name, i < 8 ? 1 : 2);
    strcat(index, "}}");
    write_text("model.safetensors.index.json", index);
    fq_checkpoint *c = NULL;
    char hex[65];
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, fq_test_folder()))) {
        expect(c, FQ_TENSOR_KEY, 4, true, 6);
        FQ_CHECK_OK(fq_checkpoint_sha256(c, hex));
    }
    fq_checkpoint_close(c);
    strcpy(strstr(index, "}}"),
           ",\"h.0.attn.masked_bias\":\"model-2.safetensors\"}}"); /* which does not have it */
    write_text("model.safetensors.index.json", index);
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), FQ_ERR_INPUT);
    FQ_CHECK(c == NULL && strstr(fq_error_last()->text, "h.0.attn.masked_bias is not in model-2") != NULL);
    write_text("model.safetensors.index.json", "{\"weight_map\":{\"wte.weight\":\"../model.safetensors\"}}");
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), FQ_ERR_INPUT);
    FQ_CHECK(c == NULL && strstr(fq_error_last()->text, "weight_map") != NULL);
}

static const stored llama[] = {
    {"model.embed_tokens.weight", 9, 8},
    {"model.layers.0.input_layernorm.weight", 0, 8},
    {"model.layers.0.self_attn.q_proj.weight", 16, 8},
    {"model.layers.0.self_attn.k_proj.weight", 8, 8},
    {"model.layers.0.self_attn.v_proj.weight", 8, 8},
    {"model.layers.0.self_attn.o_proj.weight", 8, 16},
    {"model.layers.0.post_attention_layernorm.weight", 0, 8},
    {"model.layers.0.mlp.gate_proj.weight", 12, 8},
    {"model.layers.0.mlp.up_proj.weight", 12, 8},
    {"model.layers.0.mlp.down_proj.weight", 8, 12},
    {"model.norm.weight", 0, 8},
    {"lm_head.weight", 9, 8},
};
enum { LLAMA_TENSORS = sizeof llama / sizeof llama[0] };
#define LLAMA_CONFIG                                                                                         \
    "\"model_type\":\"llama\",\"num_hidden_layers\":1,\"num_attention_heads\":4,"                            \
    "\"num_key_value_heads\":2,\"head_dim\":4,\"hidden_size\":8,\"intermediate_size\":12,"                   \
    "\"max_position_embeddings\":64,\"rms_norm_eps\":1e-6,\"rope_theta\":500.0,\"vocab_size\":9"

static void given_a_llama_folder_expect_its_tensors(void) {
    write_text("config.json", "{" LLAMA_CONFIG ",\"rope_scaling\":null,\"hidden_act\":\"silu\"}");
    write_tensors("model.safetensors", llama, 0, LLAMA_TENSORS);
    char path[256];
    snprintf(path, sizeof path, "%s/model.safetensors", fq_test_folder());
    const char *const paths[] = {fq_test_folder(), path};
    for (int i = 0; i < 2; i++) {
        fq_checkpoint *c = NULL;
        if (!FQ_CHECK_OK(fq_checkpoint_open(&c, paths[i])))
            return;
        const fq_model_config *m = fq_checkpoint_config(c);
        FQ_CHECK(m->architecture == FQ_ARCH_LLAMA && !m->rope_interleaved && !m->tied_embeddings &&
                 m->head_dim == 4 && m->heads == 4 && m->kv_heads == 2);
        FQ_CHECK_NEAR(m->rope_base, 500.0, 0.0);
        expect(c, FQ_TENSOR_QUERY, 2, false, 0);
        expect(c, FQ_TENSOR_ATTENTION_OUTPUT, 5, false, 0);
        expect(c, FQ_TENSOR_FFN_DOWN, 9, false, 0);
        expect(c, FQ_TENSOR_OUTPUT, 11, false, 0);
        fq_checkpoint_close(c);
    }
}

static void given_what_is_not_supported_expect_it_named(void) {
    static const struct {
        const char *config;
        fq_status status;
        const char *message;
    } cases[] = {
        {"{" LLAMA_CONFIG "}", FQ_OK, ""},
        {"{" LLAMA_CONFIG ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}}", FQ_ERR_UNSUPPORTED,
         "rope_scaling"},
        {"{" LLAMA_CONFIG ",\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":7.0}}", FQ_OK, ""},
        {"{" LLAMA_CONFIG ",\"hidden_act\":\"gelu\"}", FQ_ERR_UNSUPPORTED, "hidden_act"},
        {"{" LLAMA_CONFIG ",\"rope_interleaved\":true}", FQ_ERR_UNSUPPORTED, "rope_interleaved"},
        {"{\"model_type\":\"mamba\"}", FQ_ERR_UNSUPPORTED, "model_type"},
        {"{\"model_type\":\"llama\"}", FQ_ERR_INPUT, "vocab_size"},
        {"{" LLAMA_CONFIG ",\"vocab_size\":9}", FQ_ERR_INPUT, "duplicate"},
        {"{", FQ_ERR_INPUT, "JSON"},
    };
    write_tensors("model.safetensors", llama, 0, LLAMA_TENSORS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_checkpoint *c = NULL;
        write_text("config.json", cases[i].config);
        FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), cases[i].status);
        if (cases[i].status != FQ_OK)
            FQ_CHECK(c == NULL && strstr(fq_error_last()->text, cases[i].message) != NULL);
        fq_checkpoint_close(c);
    }
    write_text("config.json", "{" LLAMA_CONFIG "}");
    for (size_t missing = 0; missing < LLAMA_TENSORS; missing++) { /* each tensor is required */
        stored others[LLAMA_TENSORS];
        size_t n = 0;
        for (size_t i = 0; i < LLAMA_TENSORS; i++)
            if (i != missing)
                others[n++] = llama[i];
        fq_checkpoint *c = NULL;
        write_tensors("model.safetensors", others, 0, n);
        FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), FQ_ERR_INPUT);
        FQ_CHECK(c == NULL && strstr(fq_error_last()->text, llama[missing].name) != NULL);
    }
}

/* The llama folder with other tensors after its own, and more in its configuration. */
static fq_status open_with(const stored *more, size_t count, const char *config) {
    stored all[LLAMA_TENSORS + 8];
    char text[1024];
    fq_checkpoint *c = NULL;
    memcpy(all, llama, sizeof llama);
    if (count)
        memcpy(all + LLAMA_TENSORS, more, count * sizeof *more);
    snprintf(text, sizeof text, "{" LLAMA_CONFIG "%s}", config);
    write_text("config.json", text);
    write_tensors("model.safetensors", all, 0, LLAMA_TENSORS + count);
    const fq_status status = fq_checkpoint_open(&c, fq_test_folder());
    fq_checkpoint_close(c);
    return status;
}

static const stored biases[] = {{"model.layers.0.self_attn.q_proj.bias", 0, 16},
                                {"model.layers.0.self_attn.k_proj.bias", 0, 8},
                                {"model.layers.0.self_attn.v_proj.bias", 0, 8},
                                {"model.layers.0.self_attn.o_proj.bias", 0, 8}};

static void given_a_folder_with_more_than_is_read_expect_it_named(void) {
    static const struct {
        stored more;
        fq_status status;
    } cases[] = {
        {{"model.layers.0.self_attn.q_norm.weight", 0, 4}, FQ_ERR_UNSUPPORTED},
        {{"model.layers.0.self_attn.sinks", 0, 4}, FQ_ERR_UNSUPPORTED},
        {{"model.layers.1.input_layernorm.weight", 0, 8}, FQ_ERR_UNSUPPORTED},
        {{"model.layers.1.self_attn.rotary_emb.inv_freq", 0, 2}, FQ_ERR_UNSUPPORTED},
        {{"model.layers.0.self_attn.rotary_emb.inv_freq", 0, 2}, FQ_OK},
        {{"model.rotary_emb.inv_freq", 0, 2}, FQ_OK},
        {{"score.weight", 2, 8}, FQ_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FQ_CHECK_FAILS(open_with(&cases[i].more, 1, ""), cases[i].status);
        if (cases[i].status != FQ_OK)
            FQ_CHECK(strstr(fq_error_last()->text, cases[i].more.name) != NULL);
    }
    const stored two[] = {{"model.layers.1.z", 0, 4}, {"model.layers.0.a", 0, 4}}; /* the first in the file */
    FQ_CHECK_FAILS(open_with(two, 2, ""), FQ_ERR_UNSUPPORTED);
    FQ_CHECK(strstr(fq_error_last()->text, two[0].name) != NULL);
}

static void given_biases_against_the_configuration_expect_a_refusal(void) {
    FQ_CHECK_OK(open_with(biases, 4, ",\"attention_bias\":true"));
    FQ_CHECK_OK(open_with(biases, 4, ""));
    FQ_CHECK_OK(open_with(NULL, 0, ",\"attention_bias\":false,\"mlp_bias\":false"));
    FQ_CHECK_FAILS(open_with(NULL, 0, ",\"attention_bias\":true"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "attention_bias: is true") != NULL);
    FQ_CHECK_FAILS(open_with(biases, 3, ",\"attention_bias\":true"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "o_proj.bias is missing") != NULL);
    FQ_CHECK_FAILS(open_with(biases, 4, ",\"attention_bias\":false"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "attention_bias: is false") != NULL);
    FQ_CHECK_FAILS(open_with(NULL, 0, ",\"mlp_bias\":true"), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(open_with(NULL, 0, ",\"quantization_config\":{\"bits\":4}"), FQ_ERR_UNSUPPORTED);
    FQ_CHECK_OK(open_with(NULL, 0, ",\"quantization_config\":null"));
}

/* lm_head beside tied embeddings: here its numbers are not the embedding's. */
static void given_a_tied_output_matrix_expect_it_to_be_the_embedding(void) {
    FQ_CHECK_FAILS(open_with(NULL, 0, ",\"tie_word_embeddings\":true"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "lm_head.weight") != NULL);
    char path[256];
    snprintf(path, sizeof path, "%s/model.safetensors", fq_test_folder());
    fq_bytes b = fq_bytes_load(path);
    const size_t header = 8 + (b.data[0] | (size_t)b.data[1] << 8), embedding = 9 * 8 * 4;
    memcpy(b.data + b.size - embedding, b.data + header, embedding); /* the first and the last tensor */
    fq_bytes_save(&b, fq_test_folder(), "model.safetensors", path);
    fq_bytes_free(&b);
    fq_checkpoint *c = NULL;
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, path)))
        FQ_CHECK(fq_checkpoint_config(c)->tied_embeddings);
    fq_checkpoint_close(c);
}

static void given_a_whole_number_beyond_64_bits_expect_the_key_named_or_nothing(void) {
    FQ_CHECK_OK(
        open_with(NULL, 0, ",\"max\":1000000000000000019884624838656,\"s\":\"\\\"99999999999999999999\""));
    FQ_CHECK_OK(
        open_with(NULL, 0, ",\"max\":[-9223372036854775809,9223372036854775807,18446744073709551616]"));
    FQ_CHECK_FAILS(open_with(NULL, 0, ",\"attention_bias\":1000000000000000019884624838656"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "attention_bias") != NULL);
    fq_checkpoint *c = NULL;
    write_text("config.json", "{\"model_type\":\"llama\",\"vocab_size\":1000000000000000019884624838656}");
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "vocab_size: is 1e+30; allowed: whole numbers") != NULL);
}

static void given_no_such_file_expect_an_error(void) {
    fq_checkpoint *c = NULL;
    char path[256];
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, "/nonexistent/model.gguf"), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, fq_test_folder()), FQ_ERR_INPUT);
    write_text("empty.gguf", "");
    snprintf(path, sizeof path, "%s/empty.gguf", fq_test_folder());
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, path), FQ_ERR_INPUT);
    write_text("empty.gguf", "GGML");
    FQ_CHECK_FAILS(fq_checkpoint_open(&c, path), FQ_ERR_INPUT);
    snprintf(path, sizeof path, "%s/pipe", fq_test_folder());
    if (mkfifo(path, 0600) == 0)
        FQ_CHECK_FAILS(fq_checkpoint_open(&c, path), FQ_ERR_INPUT);
}

static const fq_test tests[] = {
    {"GGUF llama", given_a_gguf_llama_expect_config_shapes_and_numbers},
    {"GGUF with more than is read", given_a_gguf_with_more_than_is_read_expect_it_named},
    {"split GGUF", given_a_part_of_a_split_gguf_expect_the_missing_one_named},
    {"GPT-2 folder", given_a_gpt2_folder_expect_turned_and_split_matrices},
    {"shards", given_shards_expect_the_same_tensors},
    {"llama folder", given_a_llama_folder_expect_its_tensors},
    {"unsupported and missing", given_what_is_not_supported_expect_it_named},
    {"folder with more than is read", given_a_folder_with_more_than_is_read_expect_it_named},
    {"biases and configuration", given_biases_against_the_configuration_expect_a_refusal},
    {"tied output matrix", given_a_tied_output_matrix_expect_it_to_be_the_embedding},
    {"whole numbers beyond 64 bits", given_a_whole_number_beyond_64_bits_expect_the_key_named_or_nothing},
    {"no such file", given_no_such_file_expect_an_error},
    {0},
};
const fq_suite fq_suite_checkpoint = {"checkpoint", tests};
