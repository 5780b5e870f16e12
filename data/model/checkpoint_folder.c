/* Folders as published on model hubs: config.json and safetensors weights, of the llama and gpt2 model
 * types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint_internal.h"
#include "failure.h"
#include "json_text.h"
#include "memory.h"
#include "safetensors.h"

enum { MAX_SHARDS = 1024 };
static const size_t most_config = 16u << 20;

/* While the folder is being opened. */
typedef struct folder {
    fq_checkpoint *checkpoint;
    char *config_path;
    json_t *config;
    json_t *index;           /* of a sharded model, else NULL */
    json_t *weight_map;      /* in it: tensor name to file name; borrowed */
    fq_safetensors *weights; /* one for each of the checkpoint's files */
    size_t weight_count;
    const char *prefix; /* of tensor names: "transformer." in some GPT-2 files */
    bool **read;        /* [weight_count][tensors of the file]: whether a role reads it */
} folder;

static fq_status read_json(const char *path, json_t **out) {
    fq_mapped_file file = {0};
    FQ_TRY(fq_mapped_file_open(&file, path));
    const fq_status status = fq_json_parse(out, path, file.bytes, file.size, 0, most_config);
    fq_mapped_file_close(&file);
    return status;
}

/* --- config.json --- */

static fq_status unsupported(const folder *f, const char *key, const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: %s: %s", f->config_path, key, what);
}

static fq_status get_size(const folder *f, const char *key, size_t *out, bool *found) {
    return fq_json_get_size(f->config, f->config_path, key, 1, UINT32_MAX, out, found);
}

static fq_status expect_bool(const folder *f, const char *key, bool wanted) {
    bool value = wanted, found = false;
    FQ_TRY(fq_json_get_bool(f->config, f->config_path, key, &value, &found));
    return value == wanted ? FQ_OK : unsupported(f, key, "this value is not supported");
}

/* Keys whose mere presence makes another model than the one that would be run. */
static fq_status refuse_keys(const folder *f) {
    static const char *const keys[] = {"quantization_config", "sliding_window"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(f->config, keys[i]);
        if (value && !json_is_null(value) && !json_is_false(value))
            return unsupported(f, keys[i], "not supported");
    }
    return FQ_OK;
}

static fq_status expect_text(const folder *f, const char *key, const char *wanted) {
    const char *text = wanted;
    bool found = false;
    FQ_TRY(fq_json_get_text(f->config, f->config_path, key, &text, &found));
    return strcmp(text, wanted) == 0 ? FQ_OK : unsupported(f, key, "this value is not supported");
}

static fq_status read_rope(const folder *f, fq_model_config *m) {
    bool found = false;
    m->rope_base = 10000.0;
    FQ_TRY(fq_json_get_real(f->config, f->config_path, "rope_theta", 1.0, 1e15, &m->rope_base, &found));
    static const char *const keys[] = {"rope_scaling", "rope_parameters"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *rope = json_object_get(f->config, keys[i]);
        if (!rope || json_is_null(rope))
            continue;
        if (!json_is_object(rope))
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: not an object", f->config_path, keys[i]);
        const char *type = "default";
        FQ_TRY(fq_json_get_text(rope, f->config_path, "type", &type, &found));
        FQ_TRY(fq_json_get_text(rope, f->config_path, "rope_type", &type, &found));
        if (strcmp(type, "default") != 0)
            return unsupported(f, keys[i], "scaled rotary positions are not supported");
        FQ_TRY(fq_json_get_real(rope, f->config_path, "rope_theta", 1.0, 1e15, &m->rope_base, &found));
    }
    double part = 1.0;
    FQ_TRY(fq_json_get_real(f->config, f->config_path, "partial_rotary_factor", 0.0, 1.0, &part, &found));
    if (part != 1.0)
        return unsupported(f, "partial_rotary_factor", "rotating only part of a head is not supported");
    return expect_bool(f, "rope_interleaved", false);
}

static fq_status read_llama(const folder *f, fq_model_config *m) {
    bool found = false;
    FQ_TRY(get_size(f, "num_hidden_layers", &m->layers, NULL));
    FQ_TRY(get_size(f, "num_attention_heads", &m->heads, NULL));
    m->kv_heads = m->heads;
    FQ_TRY(get_size(f, "num_key_value_heads", &m->kv_heads, &found));
    FQ_TRY(get_size(f, "hidden_size", &m->width, NULL));
    FQ_TRY(get_size(f, "head_dim", &m->head_dim, &found));
    if (!found) {
        if (m->width % m->heads != 0)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: num_attention_heads: %zu does not divide the width %zu",
                                f->config_path, m->heads, m->width);
        m->head_dim = m->width / m->heads;
    }
    FQ_TRY(get_size(f, "intermediate_size", &m->feed_forward, NULL));
    m->context = 2048;
    FQ_TRY(get_size(f, "max_position_embeddings", &m->context, &found));
    m->norm_epsilon = 1e-6;
    FQ_TRY(fq_json_get_real(f->config, f->config_path, "rms_norm_eps", 0.0, 1.0, &m->norm_epsilon, &found));
    FQ_TRY(expect_text(f, "hidden_act", "silu"));
    return read_rope(f, m);
}

static fq_status read_gpt2(const folder *f, fq_model_config *m) {
    bool found = false;
    FQ_TRY(get_size(f, "n_layer", &m->layers, NULL));
    FQ_TRY(get_size(f, "n_head", &m->heads, NULL));
    FQ_TRY(get_size(f, "n_embd", &m->width, NULL));
    FQ_TRY(get_size(f, "n_positions", &m->context, NULL));
    m->kv_heads = m->heads;
    m->head_dim = m->width / m->heads;
    m->feed_forward = 4 * m->width;
    FQ_TRY(get_size(f, "n_inner", &m->feed_forward, &found));
    m->norm_epsilon = 1e-5;
    FQ_TRY(fq_json_get_real(f->config, f->config_path, "layer_norm_epsilon", 0.0, 1.0, &m->norm_epsilon,
                            &found));
    FQ_TRY(expect_bool(f, "scale_attn_weights", true));
    FQ_TRY(expect_bool(f, "scale_attn_by_inverse_layer_idx", false));
    FQ_TRY(expect_bool(f, "add_cross_attention", false));
    return expect_text(f, "activation_function", "gelu_new");
}

static fq_status read_config(folder *f) {
    fq_model_config *m = &f->checkpoint->config;
    bool found = false;
    const char *type = NULL;
    FQ_TRY(fq_json_get_text(f->config, f->config_path, "model_type", &type, NULL));
    if (strcmp(type, "llama") == 0)
        m->architecture = FQ_ARCH_LLAMA;
    else if (strcmp(type, "gpt2") == 0)
        m->architecture = FQ_ARCH_GPT2;
    else
        return unsupported(f, "model_type", "supported: llama, gpt2");
    FQ_TRY(refuse_keys(f));
    FQ_TRY(get_size(f, "vocab_size", &m->vocabulary, NULL));
    m->tied_embeddings = m->architecture == FQ_ARCH_GPT2;
    FQ_TRY(fq_json_get_bool(f->config, f->config_path, "tie_word_embeddings", &m->tied_embeddings, &found));
    FQ_TRY(m->architecture == FQ_ARCH_GPT2 ? read_gpt2(f, m) : read_llama(f, m));
    const char *name = f->checkpoint->folder;
    FQ_TRY(fq_json_get_text(f->config, f->config_path, "_name_or_path", &name, &found));
    if (!name[0])
        name = f->checkpoint->folder;
    snprintf(m->name, sizeof m->name, "%s", fq_path_base(name));
    for (char *c = m->name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return fq_model_config_check(m, f->config_path);
}

/* --- weight files --- */

/* A file of this folder: nothing that leads out of it. */
static bool is_plain_name(const char *name) {
    return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < 256;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static fq_status open_shards(folder *f, const char *index_path) {
    fq_checkpoint *c = f->checkpoint;
    f->weight_map = json_object_get(f->index, "weight_map");
    const size_t entries = json_object_size(f->weight_map);
    if (!json_is_object(f->weight_map) || entries == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: weight_map: not an object of file names", index_path);
    const char **names = NULL;
    FQ_TRY(fq_alloc(&names, entries, sizeof *names));
    fq_status status = FQ_OK;
    size_t n = 0, distinct = 0;
    const char *tensor = NULL;
    json_t *value = NULL;
    json_object_foreach(f->weight_map, tensor, value) {
        const char *name = json_string_value(value);
        if (!name || !is_plain_name(name)) {
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: weight_map: an entry is no file name of this folder",
                                  index_path);
            goto done;
        }
        names[n++] = name;
    }
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            names[distinct++] = names[i];
    if (distinct > MAX_SHARDS) {
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: weight_map: %zu files; allowed: %d", index_path, distinct,
                              MAX_SHARDS);
        goto done;
    }
    FQ_TRY_GOTO(status, fq_alloc_zero(&c->files, distinct, sizeof *c->files), done);
    c->file_count = distinct;
    for (size_t i = 0; i < distinct && status == FQ_OK; i++) {
        char *path = NULL;
        FQ_TRY_GOTO(status, fq_path_join(&path, c->folder, names[i]), done);
        status = fq_mapped_file_open(&c->files[i], path);
        fq_free(path);
    }
done:
    fq_free(names);
    return status;
}

static fq_status open_weight_files(folder *f) {
    fq_checkpoint *c = f->checkpoint;
    if (c->file_count > 0) /* the path named the file itself */
        return FQ_OK;
    char *path = NULL, *index_path = NULL;
    struct stat about;
    fq_status status = FQ_OK;
    FQ_TRY_GOTO(status, fq_path_join(&index_path, c->folder, "model.safetensors.index.json"), done);
    FQ_TRY_GOTO(status, fq_path_join(&path, c->folder, "model.safetensors"), done);
    if (stat(path, &about) != 0 && stat(index_path, &about) == 0) {
        FQ_TRY_GOTO(status, read_json(index_path, &f->index), done);
        status = open_shards(f, index_path);
        goto done;
    }
    FQ_TRY_GOTO(status, fq_alloc_zero(&c->files, 1, sizeof *c->files), done);
    c->file_count = 1;
    status = fq_mapped_file_open(&c->files[0], path);
done:
    fq_free(path);
    fq_free(index_path);
    return status;
}

/* --- tensors --- */

/* NULL if it is not there; *file: where, and noted there as read. */
static const fq_safetensor *find_tensor(const folder *f, const char *name, const fq_mapped_file **file) {
    const char *wanted = f->weight_map ? json_string_value(json_object_get(f->weight_map, name)) : NULL;
    for (size_t i = 0; i < f->weight_count; i++) {
        if (f->weight_map && (!wanted || strcmp(wanted, fq_path_base(f->checkpoint->files[i].path)) != 0))
            continue;
        const fq_safetensor *t = fq_safetensors_find(&f->weights[i], name);
        if (t) {
            *file = &f->checkpoint->files[i];
            f->read[i][t - f->weights[i].tensors] = true;
            return t;
        }
    }
    return NULL;
}

/* Where a role's numbers are: a name below the layer's (or the model's), and for GPT-2 the slice (0..2) of
 * a fused matrix and whether the matrix is stored [in][out]. */
typedef struct source {
    const char *name;
    int slice;
    bool transposed;
} source;

static const source llama_sources[FQ_TENSOR_ROLES] = {
    [FQ_TENSOR_TOKEN_EMBEDDING] = {"model.embed_tokens.weight", 0, false},
    [FQ_TENSOR_ATTENTION_NORM] = {"input_layernorm.weight", 0, false},
    [FQ_TENSOR_QUERY] = {"self_attn.q_proj.weight", 0, false},
    [FQ_TENSOR_QUERY_BIAS] = {"self_attn.q_proj.bias", 0, false},
    [FQ_TENSOR_KEY] = {"self_attn.k_proj.weight", 0, false},
    [FQ_TENSOR_KEY_BIAS] = {"self_attn.k_proj.bias", 0, false},
    [FQ_TENSOR_VALUE] = {"self_attn.v_proj.weight", 0, false},
    [FQ_TENSOR_VALUE_BIAS] = {"self_attn.v_proj.bias", 0, false},
    [FQ_TENSOR_ATTENTION_OUTPUT] = {"self_attn.o_proj.weight", 0, false},
    [FQ_TENSOR_ATTENTION_OUTPUT_BIAS] = {"self_attn.o_proj.bias", 0, false},
    [FQ_TENSOR_FFN_NORM] = {"post_attention_layernorm.weight", 0, false},
    [FQ_TENSOR_FFN_GATE] = {"mlp.gate_proj.weight", 0, false},
    [FQ_TENSOR_FFN_GATE_BIAS] = {"mlp.gate_proj.bias", 0, false},
    [FQ_TENSOR_FFN_UP] = {"mlp.up_proj.weight", 0, false},
    [FQ_TENSOR_FFN_UP_BIAS] = {"mlp.up_proj.bias", 0, false},
    [FQ_TENSOR_FFN_DOWN] = {"mlp.down_proj.weight", 0, false},
    [FQ_TENSOR_FFN_DOWN_BIAS] = {"mlp.down_proj.bias", 0, false},
    [FQ_TENSOR_OUTPUT_NORM] = {"model.norm.weight", 0, false},
    [FQ_TENSOR_OUTPUT] = {"lm_head.weight", 0, false},
};

static const source gpt2_sources[FQ_TENSOR_ROLES] = {
    [FQ_TENSOR_TOKEN_EMBEDDING] = {"wte.weight", 0, false},
    [FQ_TENSOR_POSITION_EMBEDDING] = {"wpe.weight", 0, false},
    [FQ_TENSOR_ATTENTION_NORM] = {"ln_1.weight", 0, false},
    [FQ_TENSOR_ATTENTION_NORM_BIAS] = {"ln_1.bias", 0, false},
    [FQ_TENSOR_QUERY] = {"attn.c_attn.weight", 0, true},
    [FQ_TENSOR_QUERY_BIAS] = {"attn.c_attn.bias", 0, false},
    [FQ_TENSOR_KEY] = {"attn.c_attn.weight", 1, true},
    [FQ_TENSOR_KEY_BIAS] = {"attn.c_attn.bias", 1, false},
    [FQ_TENSOR_VALUE] = {"attn.c_attn.weight", 2, true},
    [FQ_TENSOR_VALUE_BIAS] = {"attn.c_attn.bias", 2, false},
    [FQ_TENSOR_ATTENTION_OUTPUT] = {"attn.c_proj.weight", 0, true},
    [FQ_TENSOR_ATTENTION_OUTPUT_BIAS] = {"attn.c_proj.bias", 0, false},
    [FQ_TENSOR_FFN_NORM] = {"ln_2.weight", 0, false},
    [FQ_TENSOR_FFN_NORM_BIAS] = {"ln_2.bias", 0, false},
    [FQ_TENSOR_FFN_UP] = {"mlp.c_fc.weight", 0, true},
    [FQ_TENSOR_FFN_UP_BIAS] = {"mlp.c_fc.bias", 0, false},
    [FQ_TENSOR_FFN_DOWN] = {"mlp.c_proj.weight", 0, true},
    [FQ_TENSOR_FFN_DOWN_BIAS] = {"mlp.c_proj.bias", 0, false},
    [FQ_TENSOR_OUTPUT_NORM] = {"ln_f.weight", 0, false},
    [FQ_TENSOR_OUTPUT_NORM_BIAS] = {"ln_f.bias", 0, false},
    [FQ_TENSOR_OUTPUT] = {"lm_head.weight", 0, false},
};

static void name_tensor(const folder *f, fq_tensor_role role, size_t layer, const char *name,
                        char out[FQ_TENSOR_NAME_MAX]) {
    const bool llama = f->checkpoint->config.architecture == FQ_ARCH_LLAMA;
    if (role == FQ_TENSOR_OUTPUT)
        snprintf(out, FQ_TENSOR_NAME_MAX, "%s", name);
    else if (!fq_role_has_layer(role))
        snprintf(out, FQ_TENSOR_NAME_MAX, "%s%s", f->prefix, name);
    else
        snprintf(out, FQ_TENSOR_NAME_MAX, llama ? "%smodel.layers.%zu.%s" : "%sh.%zu.%s", f->prefix, layer,
                 name);
}

static fq_status find_place(const folder *f, fq_tensor_role role, size_t layer) {
    const fq_model_config *m = &f->checkpoint->config;
    const source *s = m->architecture == FQ_ARCH_GPT2 ? &gpt2_sources[role] : &llama_sources[role];
    fq_tensor_place *p = fq_checkpoint_place(f->checkpoint, role, layer);
    if (!s->name || (role == FQ_TENSOR_OUTPUT && m->tied_embeddings))
        return FQ_OK;
    name_tensor(f, role, layer, s->name, p->name);
    const fq_safetensor *t = find_tensor(f, p->name, &p->file);
    if (!t)
        return FQ_OK; /* whether it may be missing is checked when all places are known */
    if (t->element == FQ_ELEMENTS)
        return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: byte %zu: tensor %s: supported: F32, F16, BF16",
                            p->file->path, t->offset, p->name);
    size_t rows = 0, columns = 0;
    bool required = false;
    fq_role_shape(m, role, &rows, &columns, &required);
    const bool vector = rows == 1;
    const bool fused = m->architecture == FQ_ARCH_GPT2 &&
                       (s->slice > 0 || role == FQ_TENSOR_QUERY || role == FQ_TENSOR_QUERY_BIAS);
    const size_t parts = fused ? 3 : 1;
    const size_t along = s->transposed ? rows : columns; /* the index that runs fastest in the file */
    const size_t across = s->transposed ? columns : rows;
    if (t->dimensions != (vector ? 1u : 2u) || t->sizes[t->dimensions - 1] != along * parts ||
        (!vector && t->sizes[0] != across))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: byte %zu: tensor %s: has %zu sizes, the last %zu; the model's shape asks "
                            "for %zu x %zu",
                            p->file->path, t->offset, p->name, t->dimensions,
                            t->dimensions ? t->sizes[t->dimensions - 1] : 0, across, along * parts);
    p->element = t->element;
    p->transposed = s->transposed;
    p->bytes = p->file->bytes + t->offset;
    p->stored_rows = across;
    p->stored_columns = along * parts;
    p->first = (size_t)s->slice * along;
    p->rows = rows;
    p->columns = columns;
    return FQ_OK;
}

/* --- what the configuration and the tensors say of each other --- */

/* A key that says whether matrices have biases, against the files: true asks for all of them, false (but not
 * a key that is absent, as in older files) for none. */
static fq_status check_biases(const folder *f, const char *key, const fq_tensor_role *roles, size_t count) {
    bool wanted = false, found = false;
    FQ_TRY(fq_json_get_bool(f->config, f->config_path, key, &wanted, &found));
    for (size_t i = 0; found && i < count; i++) {
        const fq_tensor_place *p = fq_checkpoint_place(f->checkpoint, roles[i], 0);
        if (wanted != (p->element != FQ_ELEMENTS))
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: is %s, but tensor %s is %s", f->config_path, key,
                                wanted ? "true" : "false", p->name, wanted ? "missing" : "there");
    }
    return FQ_OK;
}

static fq_status check_llama_biases(const folder *f) {
    static const fq_tensor_role attention[] = {FQ_TENSOR_QUERY_BIAS, FQ_TENSOR_KEY_BIAS, FQ_TENSOR_VALUE_BIAS,
                                               FQ_TENSOR_ATTENTION_OUTPUT_BIAS};
    static const fq_tensor_role feed_forward[] = {FQ_TENSOR_FFN_GATE_BIAS, FQ_TENSOR_FFN_UP_BIAS,
                                                  FQ_TENSOR_FFN_DOWN_BIAS};
    if (f->checkpoint->config.architecture != FQ_ARCH_LLAMA)
        return FQ_OK;
    FQ_TRY(check_biases(f, "attention_bias", attention, sizeof attention / sizeof attention[0]));
    return check_biases(f, "mlp_bias", feed_forward, sizeof feed_forward / sizeof feed_forward[0]);
}

/* The output matrix of a model that ties it to the embedding may be stored, if it is the embedding. */
static fq_status check_tied_copy(const folder *f, const fq_mapped_file *file, const fq_safetensor *t) {
    const fq_tensor_place *p = fq_checkpoint_place(f->checkpoint, FQ_TENSOR_TOKEN_EMBEDDING, 0);
    const size_t bytes = p->stored_rows * p->stored_columns * fq_element_about(p->element)->block_bytes;
    if (t->element == p->element && t->bytes == bytes &&
        (bytes == 0 || memcmp(file->bytes + t->offset, p->bytes, bytes) == 0))
        return FQ_OK;
    return FQ_FAIL_TEXT(
        FQ_ERR_INPUT, "%s: byte %zu: tensor %s: is not the embedding, but tie_word_embeddings of %s says so",
        file->path, t->offset, t->name, f->config_path);
}

/* Buffers that are no weights: rotary frequencies, which follow from rope_theta, and causal masks. */
static bool is_buffer(const folder *f, const char *name) {
    const size_t layers = f->checkpoint->config.layers, length = strlen(f->prefix);
    if (f->checkpoint->config.architecture == FQ_ARCH_LLAMA) {
        const char *part = fq_name_in_layer(name, "model.layers.", layers);
        return strcmp(name, "model.rotary_emb.inv_freq") == 0 ||
               (part && strcmp(part, "self_attn.rotary_emb.inv_freq") == 0);
    }
    const char *part =
        strncmp(name, f->prefix, length) == 0 ? fq_name_in_layer(name + length, "h.", layers) : NULL;
    return part && (strcmp(part, "attn.bias") == 0 || strcmp(part, "attn.masked_bias") == 0);
}

/* Refuses the first tensor, as they lie in the files, that no role reads: leaving it out would make another
 * model. */
static fq_status refuse_unread(const folder *f) {
    for (size_t i = 0; i < f->weight_count; i++) {
        const fq_mapped_file *file = &f->checkpoint->files[i];
        const fq_safetensor *first = NULL;
        for (size_t k = 0; k < f->weights[i].count; k++) {
            const fq_safetensor *t = &f->weights[i].tensors[k];
            if (f->read[i][k] || is_buffer(f, t->name))
                continue;
            if (f->checkpoint->config.tied_embeddings && strcmp(t->name, "lm_head.weight") == 0)
                FQ_TRY(check_tied_copy(f, file, t));
            else if (!first || t->offset < first->offset)
                first = t;
        }
        if (first)
            return FQ_FAIL_TEXT(
                FQ_ERR_UNSUPPORTED,
                "%s: byte %zu: tensor %s: nothing of the model that %s describes reads it; not "
                "supported",
                file->path, first->offset, first->name, f->config_path);
    }
    return FQ_OK;
}

/* Every tensor that the index lists lies in the file it names. */
static fq_status check_index(const folder *f) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(f->weight_map, name, value) {
        bool there = false;
        for (size_t i = 0; i < f->weight_count && !there; i++)
            there = strcmp(json_string_value(value), fq_path_base(f->checkpoint->files[i].path)) == 0 &&
                    fq_safetensors_find(&f->weights[i], name);
        if (!there)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: weight_map: tensor %.*s is not in %.*s",
                                f->checkpoint->folder, FQ_TENSOR_NAME_MAX, name, FQ_TENSOR_NAME_MAX,
                                json_string_value(value));
    }
    return FQ_OK;
}

static fq_status parse_weights(folder *f) {
    const fq_checkpoint *c = f->checkpoint;
    FQ_TRY(fq_alloc_zero(&f->weights, c->file_count, sizeof *f->weights));
    FQ_TRY(fq_alloc_zero(&f->read, c->file_count, sizeof *f->read));
    for (; f->weight_count < c->file_count; f->weight_count++) {
        const fq_mapped_file *file = &c->files[f->weight_count];
        fq_safetensors *parsed = &f->weights[f->weight_count];
        FQ_TRY(fq_safetensors_parse(parsed, file->path, file->bytes, file->size));
        const fq_status status = fq_alloc_zero(&f->read[f->weight_count], parsed->count, sizeof **f->read);
        if (status != FQ_OK) {
            fq_safetensors_clear(parsed);
            return status;
        }
    }
    return check_index(f);
}

static fq_status open_folder(folder *f) {
    fq_checkpoint *c = f->checkpoint;
    FQ_TRY(fq_path_join(&f->config_path, c->folder, FQ_FOLDER_CONFIG));
    FQ_TRY(read_json(f->config_path, &f->config));
    FQ_TRY(read_config(f));
    FQ_TRY(open_weight_files(f));
    FQ_TRY(parse_weights(f));
    const fq_mapped_file *file = NULL;
    f->prefix = find_tensor(f, "transformer.wte.weight", &file) ? "transformer." : "";
    FQ_TRY(fq_checkpoint_make_places(c));
    for (size_t layer = 0; layer < c->config.layers; layer++)
        for (int role = 0; role < FQ_TENSOR_ROLES; role++)
            FQ_TRY(find_place(f, (fq_tensor_role)role, layer));
    FQ_TRY(fq_checkpoint_check_places(c, c->folder));
    FQ_TRY(check_llama_biases(f));
    return refuse_unread(f);
}

fq_status fq_checkpoint_open_folder(fq_checkpoint *c) {
    folder f = {.checkpoint = c, .prefix = ""};
    const fq_status status = open_folder(&f);
    for (size_t i = 0; i < f.weight_count; i++)
        fq_safetensors_clear(&f.weights[i]);
    for (size_t i = 0; f.read && i < f.weight_count; i++)
        fq_free(f.read[i]);
    fq_free(f.read);
    fq_free(f.weights);
    json_decref(f.config);
    json_decref(f.index);
    fq_free(f.config_path);
    return status;
}
