#include "transformer.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "checkpoint_internal.h"
#include "failure.h"
#include "machine_memory.h"
#include "memory.h"

static size_t slot(fq_tensor_role role, size_t layer) {
    return (fq_role_has_layer(role) ? layer : 0) * FQ_TENSOR_ROLES + (size_t)role;
}

float *fq_transformer_tensor(const fq_transformer *model, fq_tensor_role role, size_t layer) {
    return model->tensors[slot(role, layer)];
}

/* The shape of a tensor: as the checkpoint has it if there is one, else as the configuration asks for it;
 * false for one that is not there. */
static bool tensor_shape(const fq_transformer *m, const fq_checkpoint *checkpoint, fq_tensor_role role,
                         size_t layer, size_t *rows, size_t *columns) {
    bool there = false;
    if (layer > 0 && !fq_role_has_layer(role))
        return false;
    if (checkpoint)
        return fq_checkpoint_tensor_shape(checkpoint, role, layer, rows, columns);
    fq_role_shape(&m->config, role, rows, columns, &there);
    return *rows > 0 && (there || (role == FQ_TENSOR_OUTPUT && !m->config.tied_embeddings));
}

/* All weights together against what the machine has: the system would grant each of them and end the program
 * when they are filled in. */
static fq_status check_memory(const fq_transformer *m, const fq_checkpoint *checkpoint) {
    const double left = (double)fq_machine_memory_left(), gib = 1.0 / (1 << 30);
    double bytes = 0.0;
    for (size_t layer = 0; layer < m->config.layers; layer++)
        for (int role = 0; role < FQ_TENSOR_ROLES; role++) {
            size_t rows = 0, columns = 0;
            if (tensor_shape(m, checkpoint, (fq_tensor_role)role, layer, &rows, &columns))
                bytes += 4.0 * (double)rows * (double)columns;
        }
    if (bytes > left)
        return FQ_FAIL_TEXT(
            FQ_ERR_MEMORY,
            "model %s: its weights in float32 take %.1f GiB of memory; %.1f GiB are left on this machine",
            m->config.name, gib * bytes, gib * left);
    return FQ_OK;
}

static fq_status fill(fq_transformer *m, const fq_checkpoint *checkpoint) {
    for (size_t layer = 0; layer < m->config.layers; layer++)
        for (int r = 0; r < FQ_TENSOR_ROLES; r++) {
            const fq_tensor_role role = (fq_tensor_role)r;
            size_t rows = 0, columns = 0, size = 0;
            if (!tensor_shape(m, checkpoint, role, layer, &rows, &columns))
                continue;
            FQ_TRY(fq_size_multiply(&size, rows, columns, "tensor"));
            FQ_TRY(fq_alloc_zero(&m->tensors[slot(role, layer)], size, sizeof(float)));
            if (checkpoint)
                FQ_TRY(fq_checkpoint_read_tensor(checkpoint, role, layer, rows, columns,
                                                 m->tensors[slot(role, layer)]));
        }
    return FQ_OK;
}

static fq_status make(fq_transformer *model, const fq_model_config *config, const fq_checkpoint *checkpoint) {
    size_t count = 0;
    memset(model, 0, sizeof *model);
    model->config = *config;
    FQ_TRY(fq_size_multiply(&count, config->layers, FQ_TENSOR_ROLES, "layers"));
    FQ_TRY(check_memory(model, checkpoint));
    FQ_TRY(fq_alloc_zero(&model->tensors, count, sizeof *model->tensors));
    const fq_status status = fill(model, checkpoint);
    if (status != FQ_OK)
        fq_transformer_clear(model);
    return status;
}

fq_status fq_transformer_init(fq_transformer *model, const fq_model_config *config) {
    return make(model, config, NULL);
}

fq_status fq_transformer_load(fq_transformer *model, const fq_checkpoint *checkpoint) {
    return make(model, fq_checkpoint_config(checkpoint), checkpoint);
}

void fq_transformer_clear(fq_transformer *model) {
    if (model->tensors)
        for (size_t i = 0; i < model->config.layers * FQ_TENSOR_ROLES; i++)
            fq_free(model->tensors[i]);
    fq_free(model->tensors);
    memset(model, 0, sizeof *model);
}

/* Products are cut in tiles that depend on the shapes alone, each one call of a BLAS that uses one thread:
 * the sums are the same whatever the number of threads. */
enum { TILE_TOKENS = 128, TILE_OUT = 512 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* y[n][out] = x[n][in] W^T + bias, or added to y. */
static void linear(float *y, const float *x, const float *weight, const float *bias, size_t n, size_t in,
                   size_t out, bool add) {
#pragma omp parallel for collapse(2) schedule(static)
    for (size_t t = 0; t < n; t += TILE_TOKENS)
        for (size_t o = 0; o < out; o += TILE_OUT) {
            const size_t tokens = least(TILE_TOKENS, n - t), width = least(TILE_OUT, out - o);
            for (size_t i = t; bias && i < t + tokens; i++)
                for (size_t j = o; j < o + width; j++)
                    y[i * out + j] = (add ? y[i * out + j] : 0.0F) + bias[j];
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)tokens, (int)width, (int)in, 1.0F,
                        x + t * in, (int)in, weight + o * in, (int)in, add || bias ? 1.0F : 0.0F,
                        y + t * out + o, (int)out);
        }
}

/* RMSNorm without a bias, LayerNorm with one; y may be x. */
static void normalise(float *y, const float *x, const float *gain, const float *bias, size_t n, size_t width,
                      double epsilon, bool centre) {
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < n; t++) {
        double mean = 0.0, square = 0.0;
        for (size_t j = 0; centre && j < width; j++)
            mean += (double)x[t * width + j];
        mean /= (double)width;
        for (size_t j = 0; j < width; j++) {
            const double e = (double)x[t * width + j] - mean;
            square += e * e;
        }
        const double scale = 1.0 / sqrt(square / (double)width + epsilon);
        for (size_t j = 0; j < width; j++)
            y[t * width + j] = (float)(((double)x[t * width + j] - mean) * scale * (double)gain[j] +
                                       (bias ? (double)bias[j] : 0.0));
    }
}

fq_rope fq_transformer_rope(const fq_model_config *config) {
    const double base = config->architecture == FQ_ARCH_LLAMA ? config->rope_base : 0.0;
    return (fq_rope){.base = base, .interleaved = config->rope_interleaved};
}

typedef struct workspace {
    float *norm, *query, *key, *value, *mix, *up, *gate, *angles;
} workspace;

static void workspace_clear(workspace *w) {
    float *all[] = {w->norm, w->query, w->key, w->value, w->mix, w->up, w->gate, w->angles};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fq_free(all[i]);
}

static fq_status workspace_make(workspace *w, const fq_model_config *c, size_t n) {
    memset(w, 0, sizeof *w);
    FQ_TRY(fq_alloc(&w->norm, n, c->width * sizeof(float)));
    FQ_TRY(fq_alloc(&w->query, n, c->heads * c->head_dim * sizeof(float)));
    FQ_TRY(fq_alloc(&w->key, n, c->kv_heads * c->head_dim * sizeof(float)));
    FQ_TRY(fq_alloc(&w->value, n, c->kv_heads * c->head_dim * sizeof(float)));
    FQ_TRY(fq_alloc(&w->mix, n, c->heads * c->head_dim * sizeof(float)));
    FQ_TRY(fq_alloc(&w->up, n, c->feed_forward * sizeof(float)));
    FQ_TRY(fq_alloc(&w->gate, n, c->feed_forward * sizeof(float)));
    return fq_alloc(&w->angles, n, c->head_dim * sizeof(float));
}

/* Position encoding of keys, behind what they are asked to share. */
static void encode_keys(const fq_transformer *m, const fq_rope *rope, workspace *w, size_t n) {
    const fq_model_config *c = &m->config;
    const size_t slowest = rope->interleaved ? c->head_dim - 2 : c->head_dim / 2 - 1;
    for (size_t i = 0; m->key_offset != 0.0F && i < n * c->kv_heads; i++)
        w->key[i * c->head_dim + slowest] += m->key_offset;
    fq_rope_apply(rope, w->key, w->angles, n, c->kv_heads, c->head_dim, 0);
}

static fq_status attention(const fq_transformer *m, size_t layer, fq_kv_store *store, float *x, size_t first,
                           size_t n, workspace *w, const fq_transformer_observer *observer) {
    const fq_model_config *c = &m->config;
    float **p = m->tensors + layer * FQ_TENSOR_ROLES;
    const size_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    const bool llama = c->architecture == FQ_ARCH_LLAMA;
    normalise(w->norm, x, p[FQ_TENSOR_ATTENTION_NORM], p[FQ_TENSOR_ATTENTION_NORM_BIAS], n, c->width,
              c->norm_epsilon, !llama);
    linear(w->query, w->norm, p[FQ_TENSOR_QUERY], p[FQ_TENSOR_QUERY_BIAS], n, c->width, q, false);
    linear(w->key, w->norm, p[FQ_TENSOR_KEY], p[FQ_TENSOR_KEY_BIAS], n, c->width, kv, false);
    linear(w->value, w->norm, p[FQ_TENSOR_VALUE], p[FQ_TENSOR_VALUE_BIAS], n, c->width, kv, false);
    const fq_rope rope = fq_transformer_rope(c);
    fq_rope_apply(&rope, w->query, w->angles, n, c->heads, c->head_dim, 0);
    encode_keys(m, &rope, w, n);
    if (observer)
        FQ_TRY(observer->see(observer->context, layer, first, n, w->query, w->key, w->value));
    FQ_TRY(fq_kv_store_append(store, layer, w->key, w->value, w->query, n));
    FQ_TRY(fq_transformer_attend(store, layer, c->heads, c->kv_heads, c->head_dim, w->query, n, w->mix));
    linear(x, w->mix, p[FQ_TENSOR_ATTENTION_OUTPUT], p[FQ_TENSOR_ATTENTION_OUTPUT_BIAS], n, q, c->width,
           true);
    return FQ_OK;
}

static float silu(float x) {
    return x / (1.0F + expf(-x));
}

static float gelu(float x) {
    return 0.5F * x * (1.0F + tanhf(0.7978845608028654F * (x + 0.044715F * x * x * x)));
}

static void feed_forward(const fq_transformer *m, size_t layer, float *x, size_t n, workspace *w) {
    const fq_model_config *c = &m->config;
    float **p = m->tensors + layer * FQ_TENSOR_ROLES;
    const bool llama = c->architecture == FQ_ARCH_LLAMA;
    const size_t wide = c->feed_forward;
    normalise(w->norm, x, p[FQ_TENSOR_FFN_NORM], p[FQ_TENSOR_FFN_NORM_BIAS], n, c->width, c->norm_epsilon,
              !llama);
    linear(w->up, w->norm, p[FQ_TENSOR_FFN_UP], p[FQ_TENSOR_FFN_UP_BIAS], n, c->width, wide, false);
    if (llama)
        linear(w->gate, w->norm, p[FQ_TENSOR_FFN_GATE], p[FQ_TENSOR_FFN_GATE_BIAS], n, c->width, wide, false);
#pragma omp parallel for schedule(static, 4096)
    for (size_t i = 0; i < n * wide; i++)
        w->up[i] = llama ? silu(w->gate[i]) * w->up[i] : gelu(w->up[i]);
    linear(x, w->up, p[FQ_TENSOR_FFN_DOWN], p[FQ_TENSOR_FFN_DOWN_BIAS], n, wide, c->width, true);
}

static fq_status embed(const fq_transformer *m, const uint32_t *tokens, size_t first, size_t n, float *x) {
    const size_t width = m->config.width;
    const float *word = m->tensors[FQ_TENSOR_TOKEN_EMBEDDING],
                *position = m->tensors[FQ_TENSOR_POSITION_EMBEDDING];
    for (size_t t = 0; t < n; t++) {
        if (tokens[t] >= m->config.vocabulary)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tokens", tokens[t], "ids below the vocabulary's size");
        memcpy(x + t * width, word + (size_t)tokens[t] * width, width * sizeof *x);
        for (size_t j = 0; position && j < width; j++)
            x[t * width + j] += position[(first + t) * width + j];
    }
    return FQ_OK;
}

fq_status fq_transformer_run(const fq_transformer *model, fq_kv_store *store, const uint32_t *tokens,
                             size_t n, float *hidden, const fq_transformer_observer *observer) {
    const fq_model_config *c = &model->config;
    const size_t first = fq_kv_store_tokens(store, 0);
    workspace w;
    if (n > c->context || first > c->context - n)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", first + n, "tokens within the model's context");
    if (n > fq_kv_store_capacity(store) - first)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "up to the room left in the store");
    if (n == 0)
        return FQ_OK;
    fq_status status = FQ_OK;
    FQ_TRY_GOTO(status, workspace_make(&w, c, n), done);
    FQ_TRY_GOTO(status, embed(model, tokens, first, n, hidden), done);
    const fq_rope rope = fq_transformer_rope(c);
    fq_rope_table(w.angles, &rope, c->head_dim, first, n);
    for (size_t layer = 0; layer < c->layers; layer++) {
        FQ_TRY_GOTO(status, attention(model, layer, store, hidden, first, n, &w, observer), done);
        feed_forward(model, layer, hidden, n, &w);
    }
    normalise(hidden, hidden, model->tensors[FQ_TENSOR_OUTPUT_NORM],
              model->tensors[FQ_TENSOR_OUTPUT_NORM_BIAS], n, c->width, c->norm_epsilon,
              c->architecture != FQ_ARCH_LLAMA);
done:
    workspace_clear(&w);
    return status;
}

void fq_transformer_logits(const fq_transformer *model, float *logits, const float *hidden, size_t n) {
    const float *output = model->tensors[FQ_TENSOR_OUTPUT];
    linear(logits, hidden, output ? output : model->tensors[FQ_TENSOR_TOKEN_EMBEDDING], NULL, n,
           model->config.width, model->config.vocabulary, false);
}
