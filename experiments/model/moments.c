#include "moments.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "failure.h"
#include "kv_cache_file.h"
#include "memory.h"

enum { OF_KEY, OF_QUERY, OF_VALUE, KINDS };

void fq_moments_clear(fq_moments *m) {
    fq_free(m->data);
    fq_free(m->keys);
    fq_free(m->values);
    memset(m, 0, sizeof *m);
}

static float *moment_at(const fq_moments *m, size_t layer, size_t head, size_t kind) {
    return m->data + ((layer * m->heads + head) * KINDS + kind) * m->dim * m->dim;
}

static fq_status allocate(fq_moments *m) {
    size_t heads = 0, square = 0;
    FQ_TRY(fq_size_multiply(&heads, m->layers, m->heads, "layers"));
    FQ_TRY(fq_size_multiply(&square, m->dim, m->dim * KINDS * sizeof(float), "dim"));
    FQ_TRY(fq_alloc(&m->data, heads, square));
    FQ_TRY(fq_alloc_zero(&m->keys, heads, sizeof *m->keys));
    FQ_TRY(fq_alloc_zero(&m->values, heads, sizeof *m->values));
    for (size_t l = 0; l < m->layers; l++)
        for (size_t h = 0; h < m->heads; h++) {
            m->keys[l * m->heads + h] =
                (fq_head_moments){moment_at(m, l, h, OF_KEY), moment_at(m, l, h, OF_QUERY)};
            m->values[l * m->heads + h] = (fq_head_moments){moment_at(m, l, h, OF_VALUE), NULL};
        }
    return FQ_OK;
}

/* Adds the sum over v of weight_v x_v x_v^T, weight NULL: 1; x_v,i = x[v row_step + i column_step]. */
static void add_products(double *sum, const float *x, size_t n, size_t row_step, size_t column_step,
                         const double *weight, size_t dim) {
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < dim; i++) {
            const double xi = (double)x[v * row_step + i * column_step] * (weight ? weight[v] : 1.0);
            for (size_t j = 0; j <= i; j++)
                sum[i * dim + j] += xi * (double)x[v * row_step + j * column_step];
        }
}

/* to = sum / n, both halves, and sum zero again. */
static void close_sum(float *to, double *sum, double n, size_t dim) {
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++)
            to[i * dim + j] = to[j * dim + i] = (float)(sum[i * dim + j] / n);
    memset(sum, 0, dim * dim * sizeof *sum);
}

static void subtract_mean(float *x, size_t n, size_t dim) {
    for (size_t c = 0; c < dim; c++) {
        double mean = 0.0;
        for (size_t t = 0; t < n; t++)
            mean += (double)x[t * dim + c] / (double)n;
        for (size_t t = 0; t < n; t++)
            x[t * dim + c] = (float)((double)x[t * dim + c] - mean);
    }
}

/* One head's tokens but the first, x[tokens - 1][dim], without their position encoding. */
static fq_status read_tokens(const fq_moments *m, const fq_kv_cache *cache, size_t layer, fq_kv_kind kind,
                             size_t head, const float *table, float *x) {
    const size_t n = fq_kv_cache_shape(cache)->tokens - 1;
    FQ_TRY(fq_kv_cache_read(cache, layer, kind, head, 1, n, x));
    if (m->rope.base > 0.0 && kind != FQ_KV_VALUE)
        fq_rope_apply(&m->rope, x, table, n, 1, m->dim, true);
    return FQ_OK;
}

static fq_status measure_head(fq_moments *m, const fq_kv_cache *cache, size_t layer, size_t h,
                              const float *table, float *x, double *sum) {
    const fq_kv_shape *shape = fq_kv_cache_shape(cache);
    const size_t n = shape->tokens - 1, d = m->dim, group = shape->query_heads / shape->heads;
    FQ_TRY(read_tokens(m, cache, layer, FQ_KV_KEY, h, table, x));
    subtract_mean(x, n, d);
    add_products(sum, x, n, d, 1, NULL, d);
    close_sum(moment_at(m, layer, h, OF_KEY), sum, (double)n, d);
    for (size_t g = 0; g < group; g++) {
        FQ_TRY(read_tokens(m, cache, layer, FQ_KV_QUERY, h * group + g, table, x));
        add_products(sum, x, n, d, 1, NULL, d);
    }
    close_sum(moment_at(m, layer, h, OF_QUERY), sum, (double)(n * group), d);
    FQ_TRY(read_tokens(m, cache, layer, FQ_KV_VALUE, h, table, x));
    add_products(sum, x, n, d, 1, NULL, d);
    close_sum(moment_at(m, layer, h, OF_VALUE), sum, (double)n, d);
    return FQ_OK;
}

static fq_status measure_cache(fq_moments *m, const fq_kv_cache *cache, const char *path) {
    const fq_kv_shape *shape = fq_kv_cache_shape(cache);
    const fq_kv_origin *origin = fq_kv_cache_origin(cache);
    float *table = NULL, *x = NULL;
    double *sum = NULL;
    fq_status status;
    if (!origin->rope_known || shape->tokens < 2 || shape->dim % 2 != 0)
        return FQ_FAIL_TEXT(
            FQ_ERR_INPUT,
            "%s: moments need two tokens or more, an even dimension, and attributes rope_base "
            "and rope_pairs",
            path);
    *m =
        (fq_moments){.layers = shape->layers, .heads = shape->heads, .dim = shape->dim, .rope = origin->rope};
    FQ_TRY(allocate(m));
    FQ_TRY_GOTO(status, fq_alloc(&table, shape->tokens, m->dim * sizeof *table), done);
    FQ_TRY_GOTO(status, fq_alloc(&x, shape->tokens, m->dim * sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&sum, m->dim * m->dim, sizeof *sum), done);
    if (m->rope.base > 0.0)
        fq_rope_table(table, &m->rope, m->dim, 1, shape->tokens - 1);
    for (size_t layer = 0; layer < m->layers; layer++)
        for (size_t h = 0; h < m->heads; h++)
            FQ_TRY_GOTO(status, measure_head(m, cache, layer, h, table, x, sum), done);
done:
    fq_free(sum);
    fq_free(x);
    fq_free(table);
    return status;
}

/* The moment that rows first.. of a weight matrix make of what has moments `square` on the diagonal. */
static fq_status measure_role(const fq_moments *m, const fq_checkpoint *checkpoint, size_t layer,
                              fq_tensor_role role, size_t kind, const double *square, float *weight,
                              double *sum) {
    const fq_model_config *c = fq_checkpoint_config(checkpoint);
    const size_t d = m->dim, group = role == FQ_TENSOR_QUERY ? c->heads / c->kv_heads : 1;
    FQ_TRY(fq_checkpoint_read_tensor(checkpoint, role, layer, m->heads * group * d, c->width, weight));
    for (size_t h = 0; h < m->heads; h++) {
        for (size_t g = 0; g < group; g++)
            add_products(sum, weight + (h * group + g) * d * c->width, c->width, 1, c->width, square, d);
        close_sum(moment_at(m, layer, h, kind), sum, (double)(c->width * group), d);
    }
    return FQ_OK;
}

static fq_status measure_checkpoint(fq_moments *m, const fq_checkpoint *checkpoint) {
    static const fq_tensor_role roles[KINDS] = {FQ_TENSOR_KEY, FQ_TENSOR_QUERY, FQ_TENSOR_VALUE};
    const fq_model_config *c = fq_checkpoint_config(checkpoint);
    float *weight = NULL, *gain = NULL;
    double *square = NULL, *sum = NULL;
    fq_status status;
    *m = (fq_moments){.layers = c->layers,
                      .heads = c->kv_heads,
                      .dim = c->head_dim,
                      .rope = {.base = c->rope_base, .interleaved = c->rope_interleaved}};
    FQ_TRY(allocate(m));
    FQ_TRY_GOTO(status, fq_alloc(&weight, c->heads * c->head_dim, c->width * sizeof *weight), done);
    FQ_TRY_GOTO(status, fq_alloc(&gain, c->width, sizeof *gain), done);
    FQ_TRY_GOTO(status, fq_alloc(&square, c->width, sizeof *square), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&sum, m->dim * m->dim, sizeof *sum), done);
    for (size_t layer = 0; layer < m->layers; layer++) {
        FQ_TRY_GOTO(status,
                    fq_checkpoint_read_tensor(checkpoint, FQ_TENSOR_ATTENTION_NORM, layer, 1, c->width, gain),
                    done);
        for (size_t i = 0; i < c->width; i++)
            square[i] = (double)gain[i] * (double)gain[i];
        for (size_t kind = 0; kind < KINDS; kind++)
            FQ_TRY_GOTO(status, measure_role(m, checkpoint, layer, roles[kind], kind, square, weight, sum),
                        done);
    }
done:
    fq_free(sum);
    fq_free(square);
    fq_free(gain);
    fq_free(weight);
    return status;
}

/* By its first bytes. */
static bool is_hdf5(const char *path) {
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    char start[8] = {0};
    FILE *file = fopen(path, "rb");
    const bool there = file && fread(start, 1, sizeof start, file) == sizeof start;
    if (file)
        fclose(file);
    return there && memcmp(start, signature, sizeof start) == 0;
}

fq_status fq_moments_load(fq_moments *moments, const char *path) {
    fq_status status;
    memset(moments, 0, sizeof *moments);
    if (is_hdf5(path)) {
        fq_kv_cache *cache = NULL;
        FQ_TRY(fq_kv_cache_open(&cache, path));
        status = measure_cache(moments, cache, path);
        fq_kv_cache_close(cache);
    } else {
        fq_checkpoint *checkpoint = NULL;
        FQ_TRY(fq_checkpoint_open(&checkpoint, path));
        status = measure_checkpoint(moments, checkpoint);
        fq_checkpoint_close(checkpoint);
    }
    if (status != FQ_OK)
        fq_moments_clear(moments);
    return status;
}
