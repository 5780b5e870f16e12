/* What shape each role has, by architecture, and the table of where tensors lie. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint_internal.h"
#include "failure.h"
#include "memory.h"

static const char *const names[FQ_TENSOR_ROLES] = {
    [FQ_TENSOR_TOKEN_EMBEDDING] = "TOKEN_EMBEDDING",
    [FQ_TENSOR_POSITION_EMBEDDING] = "POSITION_EMBEDDING",
    [FQ_TENSOR_ATTENTION_NORM] = "ATTENTION_NORM",
    [FQ_TENSOR_ATTENTION_NORM_BIAS] = "ATTENTION_NORM_BIAS",
    [FQ_TENSOR_QUERY] = "QUERY",
    [FQ_TENSOR_QUERY_BIAS] = "QUERY_BIAS",
    [FQ_TENSOR_KEY] = "KEY",
    [FQ_TENSOR_KEY_BIAS] = "KEY_BIAS",
    [FQ_TENSOR_VALUE] = "VALUE",
    [FQ_TENSOR_VALUE_BIAS] = "VALUE_BIAS",
    [FQ_TENSOR_ATTENTION_OUTPUT] = "ATTENTION_OUTPUT",
    [FQ_TENSOR_ATTENTION_OUTPUT_BIAS] = "ATTENTION_OUTPUT_BIAS",
    [FQ_TENSOR_FFN_NORM] = "FFN_NORM",
    [FQ_TENSOR_FFN_NORM_BIAS] = "FFN_NORM_BIAS",
    [FQ_TENSOR_FFN_GATE] = "FFN_GATE",
    [FQ_TENSOR_FFN_GATE_BIAS] = "FFN_GATE_BIAS",
    [FQ_TENSOR_FFN_UP] = "FFN_UP",
    [FQ_TENSOR_FFN_UP_BIAS] = "FFN_UP_BIAS",
    [FQ_TENSOR_FFN_DOWN] = "FFN_DOWN",
    [FQ_TENSOR_FFN_DOWN_BIAS] = "FFN_DOWN_BIAS",
    [FQ_TENSOR_OUTPUT_NORM] = "OUTPUT_NORM",
    [FQ_TENSOR_OUTPUT_NORM_BIAS] = "OUTPUT_NORM_BIAS",
    [FQ_TENSOR_OUTPUT] = "OUTPUT",
};

const char *fq_role_name(fq_tensor_role role) {
    return (int)role >= 0 && role < FQ_TENSOR_ROLES ? names[role] : "unknown role";
}

bool fq_role_has_layer(fq_tensor_role role) {
    return role != FQ_TENSOR_TOKEN_EMBEDDING && role != FQ_TENSOR_POSITION_EMBEDDING &&
           role != FQ_TENSOR_OUTPUT_NORM && role != FQ_TENSOR_OUTPUT_NORM_BIAS && role != FQ_TENSOR_OUTPUT;
}

const char *fq_name_in_layer(const char *name, const char *before, size_t layers) {
    const size_t length = strlen(before);
    if (strncmp(name, before, length) != 0 || name[length] < '0' || name[length] > '9' ||
        (name[length] == '0' && name[length + 1] != '.'))
        return NULL;
    char *end = NULL;
    const unsigned long long layer =
        strtoull(name + length, &end, 10); /* too large a one is not below layers */
    return *end == '.' && layer < layers ? end + 1 : NULL;
}

void fq_role_shape(const fq_model_config *config, fq_tensor_role role, size_t *rows, size_t *columns,
                   bool *required) {
    const bool gpt2 = config->architecture == FQ_ARCH_GPT2;
    const size_t queries = config->heads * config->head_dim;
    const size_t keys = config->kv_heads * config->head_dim;
    *required = true;
    *columns = config->width;
    *rows = 0;
    switch (role) {
    case FQ_TENSOR_TOKEN_EMBEDDING:
        *rows = config->vocabulary;
        return;
    case FQ_TENSOR_POSITION_EMBEDDING:
        *rows = gpt2 ? config->context : 0;
        *required = gpt2;
        return;
    case FQ_TENSOR_OUTPUT:
        *rows = config->vocabulary;
        *required = !config->tied_embeddings;
        return;
    case FQ_TENSOR_ATTENTION_NORM:
    case FQ_TENSOR_FFN_NORM:
    case FQ_TENSOR_OUTPUT_NORM:
        *rows = 1;
        return;
    case FQ_TENSOR_ATTENTION_NORM_BIAS:
    case FQ_TENSOR_FFN_NORM_BIAS:
    case FQ_TENSOR_OUTPUT_NORM_BIAS:
        *rows = gpt2 ? 1 : 0;
        *required = gpt2;
        return;
    case FQ_TENSOR_QUERY:
        *rows = queries;
        return;
    case FQ_TENSOR_KEY:
    case FQ_TENSOR_VALUE:
        *rows = keys;
        return;
    case FQ_TENSOR_ATTENTION_OUTPUT:
        *rows = config->width;
        *columns = queries;
        return;
    case FQ_TENSOR_FFN_GATE:
        *rows = gpt2 ? 0 : config->feed_forward;
        *required = !gpt2;
        return;
    case FQ_TENSOR_FFN_UP:
        *rows = config->feed_forward;
        return;
    case FQ_TENSOR_FFN_DOWN:
        *rows = config->width;
        *columns = config->feed_forward;
        return;
    case FQ_TENSOR_QUERY_BIAS:
    case FQ_TENSOR_KEY_BIAS:
    case FQ_TENSOR_VALUE_BIAS:
    case FQ_TENSOR_ATTENTION_OUTPUT_BIAS:
    case FQ_TENSOR_FFN_GATE_BIAS:
    case FQ_TENSOR_FFN_UP_BIAS:
    case FQ_TENSOR_FFN_DOWN_BIAS: {
        bool needed = false;
        fq_role_shape(config, (fq_tensor_role)(role - 1), columns, rows, &needed);
        *rows = *columns > 0; /* one element for each row of the matrix before it in the list */
        *required = needed && gpt2;
        return;
    }
    case FQ_TENSOR_ROLES:
        break;
    }
    *required = false;
}

fq_status fq_model_config_check(const fq_model_config *config, const char *where) {
    const struct {
        const char *name;
        size_t value, most;
    } sizes[] = {
        {"layers", config->layers, FQ_MAX_LAYERS},   {"heads", config->heads, 1 << 16},
        {"kv_heads", config->kv_heads, 1 << 16},     {"head_dim", config->head_dim, 1 << 16},
        {"width", config->width, 1 << 20},           {"feed_forward", config->feed_forward, 1 << 22},
        {"vocabulary", config->vocabulary, 1 << 24}, {"context", config->context, (size_t)1 << 31},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: the model's %s is %zu; allowed: 1 to %zu", where,
                                sizes[i].name, sizes[i].value, sizes[i].most);
    if (config->heads % config->kv_heads != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu heads are no multiple of %zu key heads", where,
                            config->heads, config->kv_heads);
    if (config->architecture == FQ_ARCH_LLAMA && config->head_dim % 2 != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: head dimension %zu is odd, rotary pairs need it even", where,
                            config->head_dim);
    if (config->architecture == FQ_ARCH_GPT2 && config->heads * config->head_dim != config->width)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu heads do not divide the width %zu", where, config->heads,
                            config->width);
    return FQ_OK;
}

fq_status fq_checkpoint_make_places(fq_checkpoint *checkpoint) {
    const size_t layers = checkpoint->config.layers;
    FQ_TRY(fq_alloc_zero(&checkpoint->places, layers * FQ_TENSOR_ROLES, sizeof(fq_tensor_place)));
    checkpoint->place_layers = layers;
    for (size_t i = 0; i < layers * FQ_TENSOR_ROLES; i++)
        checkpoint->places[i].element = FQ_ELEMENTS;
    return FQ_OK;
}

fq_tensor_place *fq_checkpoint_place(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer) {
    const size_t row = fq_role_has_layer(role) ? layer : 0;
    return &checkpoint->places[row * FQ_TENSOR_ROLES + (size_t)role];
}

/* A tensor that a role may do without must not be missing in some layers only. */
static fq_status check_alike(const fq_checkpoint *c, const char *where, fq_tensor_role role, size_t layer) {
    const fq_tensor_place *first = fq_checkpoint_place(c, role, 0), *p = fq_checkpoint_place(c, role, layer);
    const bool first_has = first->element != FQ_ELEMENTS, has = p->element != FQ_ELEMENTS;
    if (has == first_has)
        return FQ_OK;
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: tensor %s is missing, though %s is there", where,
                        has ? first->name : p->name, has ? p->name : first->name);
}

fq_status fq_checkpoint_check_places(const fq_checkpoint *checkpoint, const char *where) {
    for (size_t layer = 0; layer < checkpoint->config.layers; layer++) {
        for (int r = 0; r < FQ_TENSOR_ROLES; r++) {
            const fq_tensor_role role = (fq_tensor_role)r;
            const fq_tensor_place *p = fq_checkpoint_place(checkpoint, role, layer);
            size_t rows = 0, columns = 0;
            bool required = false;
            fq_role_shape(&checkpoint->config, role, &rows, &columns, &required);
            if (p->element == FQ_ELEMENTS) {
                if (required)
                    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: tensor %s (%s of layer %zu) is missing", where,
                                        p->name, names[r], layer);
                FQ_TRY(check_alike(checkpoint, where, role, layer));
                continue;
            }
            if (rows == 0) /* a bias of a norm, say: silently leaving it out would change the model */
                return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED,
                                    "%s: tensor %s: this architecture is not known to have one", where,
                                    p->name);
            if (p->rows != rows || p->columns != columns)
                return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                                    "%s: byte %zu: tensor %s: is %zu x %zu; the model's shape asks for "
                                    "%zu x %zu",
                                    p->file->path, (size_t)(p->bytes - p->file->bytes), p->name, p->rows,
                                    p->columns, rows, columns);
            FQ_TRY(check_alike(checkpoint, where, role, layer));
        }
    }
    return FQ_OK;
}
