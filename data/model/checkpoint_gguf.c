/* GGUF files as checkpoints: metadata keys and tensor names of the llama and gpt2 architectures. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint_internal.h"
#include "failure.h"
#include "memory.h"

enum { KEY_MAX = 96, FQ_PART_PATH_MAX = 4096 };

static const char *prefix(const fq_checkpoint *c) {
    return c->config.architecture == FQ_ARCH_GPT2 ? "gpt2" : "llama";
}

static const char *key_of(const fq_checkpoint *c, char key[KEY_MAX], const char *name) {
    snprintf(key, KEY_MAX, "%s.%s", prefix(c), name);
    return key;
}

static fq_status get_size(const fq_checkpoint *c, const char *name, size_t *out, bool *found) {
    char key[KEY_MAX];
    uint64_t value = 0;
    bool there = true;
    FQ_TRY(
        fq_gguf_get_unsigned(&c->gguf, key_of(c, key, name), 1, UINT32_MAX, &value, found ? &there : NULL));
    if (there)
        *out = (size_t)value;
    if (found)
        *found = there;
    return FQ_OK;
}

static fq_status read_architecture(fq_checkpoint *c) {
    const char *text = NULL;
    size_t length = 0;
    FQ_TRY(fq_gguf_get_string(&c->gguf, "general.architecture", &text, &length, NULL));
    if (length == 5 && memcmp(text, "llama", 5) == 0)
        c->config.architecture = FQ_ARCH_LLAMA;
    else if (length == 4 && memcmp(text, "gpt2", 4) == 0)
        c->config.architecture = FQ_ARCH_GPT2;
    else
        return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED,
                            "%s: byte %zu: general.architecture: \"%.*s\"; supported: llama, gpt2",
                            c->gguf.file, fq_gguf_find(&c->gguf, "general.architecture")->offset,
                            length > 40 ? 40 : (int)length, text);
    return FQ_OK;
}

static fq_status unsupported(const fq_checkpoint *c, const char *key, const char *what) {
    const fq_gguf_entry *e = fq_gguf_find(&c->gguf, key);
    return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: byte %zu: %s: %s", c->gguf.file, e ? e->offset : 0, key,
                        what);
}

/* Keys that change the model in ways this program does not have. */
static fq_status refuse_unsupported(const fq_checkpoint *c) {
    static const char *const counts[] = {"expert_count", "expert_used_count", "attention.sliding_window"};
    static const char *const factors[] = {
        "rope.scaling.factor", "rope.scaling.attn_factor", "rope.scale_linear", "logit_scale",
        "attention.scale",     "residual_scale",           "embedding_scale"};
    static const char *const limits[] = {"attention.clamp_kqv", "attn_logit_softcapping",
                                         "final_logit_softcapping"};
    char key[KEY_MAX];
    bool found = false;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint64_t value = 0;
        FQ_TRY(fq_gguf_get_unsigned(&c->gguf, key_of(c, key, counts[i]), 0, UINT64_MAX, &value, &found));
        if (found && value != 0)
            return unsupported(c, key, "is not zero, which is not supported");
    }
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        double value = 1.0;
        FQ_TRY(fq_gguf_get_real(&c->gguf, key_of(c, key, factors[i]), -1e30, 1e30, &value, &found));
        if (found && value != 1.0 && value != 0.0) /* 0 means unset */
            return unsupported(c, key, "scaling is not supported");
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        double value = 0.0;
        FQ_TRY(fq_gguf_get_real(&c->gguf, key_of(c, key, limits[i]), -1e30, 1e30, &value, &found));
        if (found && value != 0.0)
            return unsupported(c, key, "limiting values is not supported");
    }
    const char *text = NULL;
    size_t length = 0;
    FQ_TRY(fq_gguf_get_string(&c->gguf, key_of(c, key, "rope.scaling.type"), &text, &length, &found));
    if (found && !(length == 4 && memcmp(text, "none", 4) == 0))
        return unsupported(c, key, "scaled rotary positions are not supported");
    bool causal = true;
    FQ_TRY(fq_gguf_get_bool(&c->gguf, key_of(c, key, "attention.causal"), &causal, &found));
    if (!causal)
        return unsupported(c, key, "attention that is not causal is not supported");
    return FQ_OK;
}

/* One file of several: names the part that is missing, or says that they must be joined. Only the first part
 * has the model's configuration. */
static fq_status refuse_split(const fq_checkpoint *c) {
    const char *path = c->gguf.file;
    uint64_t parts = 1, part = 0;
    bool found = false;
    FQ_TRY(fq_gguf_get_unsigned(&c->gguf, "split.count", 0, UINT16_MAX, &parts, &found));
    FQ_TRY(fq_gguf_get_unsigned(&c->gguf, "split.no", 0, UINT16_MAX, &part, &found));
    if (parts <= 1)
        return FQ_OK;
    char ending[32];
    snprintf(ending, sizeof ending, "-%05u-of-%05u.gguf", (unsigned)part + 1, (unsigned)parts);
    const size_t length = strlen(path), stem = length > strlen(ending) ? length - strlen(ending) : 0;
    if (stem && strcmp(path + stem, ending) == 0 && length < FQ_PART_PATH_MAX) {
        char other[FQ_PART_PATH_MAX + 32];
        struct stat about;
        for (unsigned i = 1; i <= parts; i++) {
            snprintf(other, sizeof other, "%.*s-%05u-of-%05u.gguf", (int)stem, path, i, (unsigned)parts);
            if (stat(other, &about) != 0)
                return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                                    "%s: split.count: part %u of %u of a model; part %u, %s, is missing",
                                    path, (unsigned)part + 1, (unsigned)parts, i, fq_path_base(other));
        }
    }
    return FQ_FAIL_TEXT(
        FQ_ERR_UNSUPPORTED,
        "%s: split.count: part %u of %u of a model; models in several files are not supported: join "
        "them (llama-gguf-split --merge)",
        path, (unsigned)part + 1, (unsigned)parts);
}

static fq_status read_llama(fq_checkpoint *c) {
    fq_model_config *m = &c->config;
    char key[KEY_MAX];
    bool found = false;
    m->rope_interleaved = true;
    FQ_TRY(fq_gguf_get_real(&c->gguf, key_of(c, key, "attention.layer_norm_rms_epsilon"), 0.0, 1.0,
                            &m->norm_epsilon, NULL));
    m->rope_base = 10000.0;
    FQ_TRY(fq_gguf_get_real(&c->gguf, key_of(c, key, "rope.freq_base"), 1.0, 1e15, &m->rope_base, &found));
    size_t values = m->head_dim;
    FQ_TRY(get_size(c, "attention.key_length", &m->head_dim, &found));
    FQ_TRY(get_size(c, "attention.value_length", &values, &found));
    if (values != m->head_dim)
        return unsupported(c, key_of(c, key, "attention.value_length"),
                           "keys and values of different dimension are not supported");
    size_t rotated = m->head_dim;
    FQ_TRY(get_size(c, "rope.dimension_count", &rotated, &found));
    if (rotated != m->head_dim)
        return unsupported(c, key_of(c, key, "rope.dimension_count"),
                           "rotating only part of a head is not supported");
    return FQ_OK;
}

/* Whether a file is called as published models are, NAME-SIZE-TUNING.ENCODING.gguf: that is the name people
 * know, where general.name is often that of a training run. */
static bool is_published_name(const char *base) {
    const size_t length = strlen(base);
    return length > 5 && strcmp(base + length - 5, ".gguf") == 0 && strchr(base, '-') &&
           strpbrk(base, "0123456789") && strncmp(base, "ggml-model", 10) != 0;
}

/* The model's name: the file's if it is one, else general.name, else the file's after all. */
static fq_status read_name(fq_checkpoint *c) {
    fq_model_config *m = &c->config;
    const char *text = fq_path_base(c->gguf.file);
    size_t length = strlen(text);
    bool found = is_published_name(text);
    if (found)
        length -= 5;
    else
        FQ_TRY(fq_gguf_get_string(&c->gguf, "general.name", &text, &length, &found));
    if (length > FQ_MODEL_NAME_MAX - 1)
        length = FQ_MODEL_NAME_MAX - 1;
    for (size_t i = 0; i < length; i++) /* what ends in messages and figures must be printable */
        m->name[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    m->name[length] = '\0';
    return FQ_OK;
}

static fq_status read_config(fq_checkpoint *c) {
    fq_model_config *m = &c->config;
    char key[KEY_MAX];
    bool found = false;
    FQ_TRY(refuse_split(c));
    FQ_TRY(read_architecture(c));
    FQ_TRY(refuse_unsupported(c));
    FQ_TRY(get_size(c, "block_count", &m->layers, NULL));
    FQ_TRY(get_size(c, "context_length", &m->context, NULL));
    FQ_TRY(get_size(c, "embedding_length", &m->width, NULL));
    FQ_TRY(get_size(c, "feed_forward_length", &m->feed_forward, NULL));
    FQ_TRY(get_size(c, "attention.head_count", &m->heads, NULL));
    m->kv_heads = m->heads;
    FQ_TRY(get_size(c, "attention.head_count_kv", &m->kv_heads, &found));
    if (m->width % m->heads != 0 && !fq_gguf_find(&c->gguf, key_of(c, key, "attention.key_length")))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu heads do not divide the width %zu", c->gguf.file, m->heads,
                            m->width);
    m->head_dim = m->width / m->heads;
    if (m->architecture == FQ_ARCH_LLAMA)
        FQ_TRY(read_llama(c));
    else
        FQ_TRY(fq_gguf_get_real(&c->gguf, key_of(c, key, "attention.layer_norm_epsilon"), 0.0, 1.0,
                                &m->norm_epsilon, NULL));
    const fq_gguf_tensor *embedding = fq_gguf_find_tensor(&c->gguf, "token_embd.weight");
    if (!embedding)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: tensor token_embd.weight is missing", c->gguf.file);
    m->vocabulary = embedding->rows;
    size_t stated = m->vocabulary;
    FQ_TRY(get_size(c, "vocab_size", &stated, &found));
    if (stated != m->vocabulary)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s is %zu, but token_embd.weight has %zu rows", c->gguf.file,
                            key_of(c, key, "vocab_size"), stated, m->vocabulary);
    m->tied_embeddings = fq_gguf_find_tensor(&c->gguf, "output.weight") == NULL;
    FQ_TRY(read_name(c));
    return fq_model_config_check(m, c->gguf.file);
}

static const char *const tensor_names[FQ_TENSOR_ROLES] = {
    [FQ_TENSOR_TOKEN_EMBEDDING] = "token_embd.weight",
    [FQ_TENSOR_POSITION_EMBEDDING] = "position_embd.weight",
    [FQ_TENSOR_ATTENTION_NORM] = "attn_norm.weight",
    [FQ_TENSOR_ATTENTION_NORM_BIAS] = "attn_norm.bias",
    [FQ_TENSOR_QUERY] = "attn_q.weight",
    [FQ_TENSOR_QUERY_BIAS] = "attn_q.bias",
    [FQ_TENSOR_KEY] = "attn_k.weight",
    [FQ_TENSOR_KEY_BIAS] = "attn_k.bias",
    [FQ_TENSOR_VALUE] = "attn_v.weight",
    [FQ_TENSOR_VALUE_BIAS] = "attn_v.bias",
    [FQ_TENSOR_ATTENTION_OUTPUT] = "attn_output.weight",
    [FQ_TENSOR_ATTENTION_OUTPUT_BIAS] = "attn_output.bias",
    [FQ_TENSOR_FFN_NORM] = "ffn_norm.weight",
    [FQ_TENSOR_FFN_NORM_BIAS] = "ffn_norm.bias",
    [FQ_TENSOR_FFN_GATE] = "ffn_gate.weight",
    [FQ_TENSOR_FFN_GATE_BIAS] = "ffn_gate.bias",
    [FQ_TENSOR_FFN_UP] = "ffn_up.weight",
    [FQ_TENSOR_FFN_UP_BIAS] = "ffn_up.bias",
    [FQ_TENSOR_FFN_DOWN] = "ffn_down.weight",
    [FQ_TENSOR_FFN_DOWN_BIAS] = "ffn_down.bias",
    [FQ_TENSOR_OUTPUT_NORM] = "output_norm.weight",
    [FQ_TENSOR_OUTPUT_NORM_BIAS] = "output_norm.bias",
    [FQ_TENSOR_OUTPUT] = "output.weight",
};

/* Notes that tensor t is read, in read[tensors of the file]. */
static fq_status set_place(const fq_checkpoint *c, fq_tensor_place *p, const fq_gguf_tensor *t, bool *read) {
    read[t - c->gguf.tensor] = true;
    if (t->dimensions > 2)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: tensor %s: has %zu dimensions; allowed: 1, 2",
                            c->gguf.file, t->header_offset, p->name, t->dimensions);
    p->element = t->element;
    p->file = &c->files[0];
    p->bytes = c->gguf.bytes + t->offset;
    p->stored_rows = p->rows = t->rows;
    p->stored_columns = p->columns = t->columns;
    p->first = 0;
    return FQ_OK;
}

/* Splits attn_qkv, rows Q, K, V in this order (weight), or one vector of all three (bias). */
static fq_status split_fused(const fq_checkpoint *c, size_t layer, bool bias, bool *read) {
    char name[FQ_TENSOR_NAME_MAX];
    snprintf(name, sizeof name, "blk.%zu.attn_qkv.%s", layer, bias ? "bias" : "weight");
    const fq_gguf_tensor *t = fq_gguf_find_tensor(&c->gguf, name);
    if (!t)
        return FQ_OK;
    const size_t width = c->config.width;
    if (t->columns * (bias ? 1 : t->rows) != 3 * width * (bias ? 1 : width) ||
        t->columns != (bias ? 3 * width : width) || (bias && t->rows != 1))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: tensor %s: is %zu x %zu; allowed: %zu x %zu",
                            c->gguf.file, t->header_offset, name, t->rows, t->columns,
                            bias ? (size_t)1 : 3 * width, bias ? 3 * width : width);
    if (bias && fq_element_about(t->element)->block_elements != 1)
        return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: byte %zu: tensor %s: a quantised bias", c->gguf.file,
                            t->header_offset, name);
    static const fq_tensor_role roles[3] = {FQ_TENSOR_QUERY, FQ_TENSOR_KEY, FQ_TENSOR_VALUE};
    for (size_t i = 0; i < 3; i++) {
        fq_tensor_place *p = fq_checkpoint_place(c, (fq_tensor_role)(roles[i] + (bias ? 1 : 0)), layer);
        if (p->element != FQ_ELEMENTS)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: tensor %s: %s is there as well", c->gguf.file,
                                t->header_offset, name, p->name);
        memcpy(p->name, name, sizeof name);
        FQ_TRY(set_place(c, p, t, read));
        p->first = i * width;
        p->rows = bias ? 1 : width;
        p->columns = width;
    }
    return FQ_OK;
}

/* Factors that divide the rotary frequencies: all 1 changes nothing. */
static bool is_all_ones(const fq_checkpoint *c, const fq_gguf_tensor *t) {
    if (t->element != FQ_ELEMENT_F32)
        return false;
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        float factor = 0.0f;
        fq_dequantize(&factor, t->element, c->gguf.bytes + t->offset + 4 * i, 1);
        if (factor != 1.0f)
            return false;
    }
    return true;
}

/* Refuses the first tensor that no role reads: leaving it out would make another model. Harmless are rotary
 * factors of 1, and the tables of rotary frequencies that old files carry (they follow from rope.freq_base).
 */
static fq_status refuse_unread(const fq_checkpoint *c, const bool *read) {
    const fq_gguf_tensor *first = NULL;
    for (size_t i = 0; i < c->gguf.tensors; i++) {
        const fq_gguf_tensor *t = &c->gguf.tensor[i];
        char name[FQ_GGUF_MAX_NAME + 1];
        if (read[i])
            continue;
        memcpy(name, t->name, t->name_length);
        name[t->name_length] = '\0';
        const char *in_layer = fq_name_in_layer(name, "blk.", c->config.layers);
        if ((strcmp(name, "rope_freqs.weight") == 0 && is_all_ones(c, t)) ||
            (in_layer && strcmp(in_layer, "attn_rot_embd.weight") == 0))
            continue;
        if (!first || t->header_offset < first->header_offset)
            first = t;
    }
    if (!first)
        return FQ_OK;
    return FQ_FAIL_TEXT(
        FQ_ERR_UNSUPPORTED,
        "%s: byte %zu: tensor %.*s: nothing of a %s model of %zu layers reads it; not supported",
        c->gguf.file, first->header_offset, (int)first->name_length, first->name, prefix(c),
        c->config.layers);
}

static fq_status find_places(const fq_checkpoint *c, bool *read) {
    for (size_t layer = 0; layer < c->config.layers; layer++) {
        for (int r = 0; r < FQ_TENSOR_ROLES; r++) {
            const fq_tensor_role role = (fq_tensor_role)r;
            fq_tensor_place *p = fq_checkpoint_place(c, role, layer);
            if (fq_role_has_layer(role))
                snprintf(p->name, sizeof p->name, "blk.%zu.%s", layer, tensor_names[r]);
            else
                snprintf(p->name, sizeof p->name, "%s", tensor_names[r]);
            const fq_gguf_tensor *t = fq_gguf_find_tensor(&c->gguf, p->name);
            if (t)
                FQ_TRY(set_place(c, p, t, read));
        }
        if (c->config.architecture == FQ_ARCH_GPT2) {
            FQ_TRY(split_fused(c, layer, false, read));
            FQ_TRY(split_fused(c, layer, true, read));
        }
    }
    FQ_TRY(fq_checkpoint_check_places(c, c->gguf.file));
    return refuse_unread(c, read);
}

fq_status fq_checkpoint_open_gguf(fq_checkpoint *c) {
    bool *read = NULL;
    FQ_TRY(fq_gguf_parse(&c->gguf, c->files[0].path, c->files[0].bytes, c->files[0].size));
    FQ_TRY(read_config(c));
    FQ_TRY(fq_checkpoint_make_places(c));
    FQ_TRY(fq_alloc_zero(&read, c->gguf.tensors, sizeof *read));
    const fq_status status = find_places(c, read);
    fq_free(read);
    return status;
}
