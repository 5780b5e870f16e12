/* Moments of heads, from a cache and from a checkpoint, against loops written out; and a grid that uses them.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "checkpoint.h"
#include "command.h"
#include "kv_cache_file.h"
#include "memory.h"
#include "moments.h"
#include "stream.h"

enum { LAYERS = 2, T = 30, HEADS = 2, GROUP = 2, D = 8 };
static const fq_rope rope = {500.0, 1};

static void fill(float *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(fq_stream_normal(&s) * (double)(1 + i % D) + (i % D == 3 ? 2.0 : 0.0));
}

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

/* Vectors of a layer as drawn, [T][heads][D]; the cache has them with their position encoding. */
static void draw(float *x, size_t layer, fq_kv_kind kind) {
    fill(x, (size_t)T * (kind == FQ_KV_QUERY ? HEADS * GROUP : HEADS) * D, 10 * layer + (uint64_t)kind);
}

static fq_status write_cache(const char *path, size_t layers, bool with_rope) {
    const fq_kv_shape shape = {layers, T, HEADS * GROUP, HEADS, D, 4};
    const fq_kv_origin origin = {.model = "random",
                                 .text = "no text",
                                 .rope_known = with_rope,
                                 .rope = with_rope ? rope : (fq_rope){0}};
    fq_kv_writer *writer = NULL;
    float x[T * HEADS * GROUP * D], table[T * D];
    FQ_TRY(fq_kv_writer_create(&writer, path, &shape, &origin, NULL));
    fq_rope_table(table, &rope, D, 0, T);
    for (size_t layer = 0; layer < layers; layer++)
        for (int kind = 0; kind < 3; kind++) {
            draw(x, layer, (fq_kv_kind)kind);
            if (kind != FQ_KV_VALUE)
                fq_rope_apply(&rope, x, table, T, kind == FQ_KV_QUERY ? HEADS * GROUP : HEADS, D, 0);
            const fq_status status = fq_kv_writer_put(writer, layer, (fq_kv_kind)kind, 0, T, x);
            if (status != FQ_OK) {
                fq_kv_writer_abandon(writer);
                return status;
            }
        }
    return fq_kv_writer_commit(writer);
}

/* E x_a x_b, or the covariance, over tokens 1.. and some heads of x[T][heads][D]. */
static double moment(const float *x, size_t heads, size_t first, size_t count, size_t a, size_t b,
                     bool about_mean) {
    double ab = 0.0, sum_a = 0.0, sum_b = 0.0;
    const double n = (double)((T - 1) * count);
    for (size_t t = 1; t < T; t++)
        for (size_t h = first; h < first + count; h++) {
            const double p = (double)x[(t * heads + h) * D + a], q = (double)x[(t * heads + h) * D + b];
            ab += p * q / n;
            sum_a += p / n;
            sum_b += q / n;
        }
    return about_mean ? ab - sum_a * sum_b : ab;
}

static void a_cache_has_the_moments_of_what_was_drawn(void) {
    fq_moments m;
    float key[T * HEADS * D], query[T * HEADS * GROUP * D], value[T * HEADS * D];
    if (!FQ_CHECK_OK(write_cache(in_folder("cache.h5"), LAYERS, true)) ||
        !FQ_CHECK_OK(fq_moments_load(&m, in_folder("cache.h5"))))
        return;
    FQ_CHECK(m.layers == LAYERS && m.heads == HEADS && m.dim == D);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        draw(key, layer, FQ_KV_KEY);
        draw(query, layer, FQ_KV_QUERY);
        draw(value, layer, FQ_KV_VALUE);
        for (size_t h = 0; h < HEADS; h++)
            for (size_t i = 0; i < D * D; i++) {
                const fq_head_moments *k = &m.keys[layer * HEADS + h], *v = &m.values[layer * HEADS + h];
                const size_t a = i / D, b = i % D;
                FQ_CHECK_NEAR((double)k->self[i], moment(key, HEADS, h, 1, a, b, true), 1e-4);
                FQ_CHECK_NEAR((double)k->query[i],
                              moment(query, HEADS * GROUP, h * GROUP, GROUP, a, b, false), 1e-4);
                FQ_CHECK_NEAR((double)v->self[i], moment(value, HEADS, h, 1, a, b, false), 1e-4);
            }
    }
    fq_moments_clear(&m);
}

static void a_checkpoint_has_those_of_its_matrices(void) {
    fq_bytes file = {0};
    fq_checkpoint *checkpoint = NULL;
    fq_moments m;
    char path[256];
    fq_gguf_put_small_llama(&file, 3);
    fq_bytes_save(&file, fq_test_folder(), "model.gguf", path);
    fq_bytes_free(&file);
    if (!FQ_CHECK_OK(fq_moments_load(&m, path)) || !FQ_CHECK_OK(fq_checkpoint_open(&checkpoint, path)))
        return;
    const fq_model_config *c = fq_checkpoint_config(checkpoint);
    const size_t d = c->head_dim, w = c->width, group = c->heads / c->kv_heads, layer = c->layers - 1;
    float *gain = NULL, *weight = NULL;
    FQ_CHECK_OK(fq_alloc(&gain, w, sizeof *gain));
    FQ_CHECK_OK(fq_alloc(&weight, c->heads * d, w * sizeof *weight));
    FQ_CHECK_OK(fq_checkpoint_read_tensor(checkpoint, FQ_TENSOR_ATTENTION_NORM, layer, 1, w, gain));
    FQ_CHECK(m.layers == c->layers && m.heads == c->kv_heads && m.dim == d && m.rope.base == c->rope_base);
    for (int of_query = 0; of_query < 2; of_query++) {
        FQ_CHECK_OK(fq_checkpoint_read_tensor(checkpoint, of_query ? FQ_TENSOR_QUERY : FQ_TENSOR_VALUE, layer,
                                              (of_query ? c->heads : c->kv_heads) * d, w, weight));
        const size_t each = of_query ? group : 1;
        for (size_t h = 0; h < c->kv_heads; h++)
            for (size_t i = 0; i < d * d; i++) {
                double sum = 0.0;
                for (size_t row = h * each; row < (h + 1) * each; row++)
                    for (size_t x = 0; x < w; x++)
                        sum += (double)weight[(row * d + i / d) * w + x] *
                               (double)weight[(row * d + i % d) * w + x] * pow((double)gain[x], 2.0) /
                               (double)(w * each);
                const fq_head_moments *of = (of_query ? m.keys : m.values) + layer * m.heads + h;
                FQ_CHECK_NEAR((double)(of_query ? of->query : of->self)[i], sum, 1e-6 * (1.0 + fabs(sum)));
            }
    }
    fq_free(gain);
    fq_free(weight);
    fq_checkpoint_close(checkpoint);
    fq_moments_clear(&m);
}

/* A matrix of given moments is no storage; a calibration of another shape, or none, is a failed point. */
static void a_calibration_reaches_the_heads(void) {
    if (!FQ_CHECK_OK(write_cache(in_folder("cache.h5"), LAYERS, true)) ||
        !FQ_CHECK_OK(write_cache(in_folder("other.h5"), LAYERS + 1, true)))
        return;
    const fq_command_result *r =
        fq_command("cat >f.yaml <<'END'\nexperiment: fidelity\ngrid:\n"
                   "  - {cache: cache.h5, codec: 'tq:b=2', calibration: cache.h5, treatment: [none, "
                   "'matrix:from=given']}\n"
                   "END\nrm -f f.h5; $FIBQUANT sweep f.yaml -o f.h5 -q && $FIBQUANT results f.h5 --column "
                   "compression_stored --column attention_cosine_key");
    double plain[2], matrix[2];
    FQ_CHECK(r->exit_code == 0);
    const char *rows = strchr(r->out, '\n');
    if (!FQ_CHECK(rows &&
                  sscanf(rows, "%lf %lf %lf %lf", &plain[0], &plain[1], &matrix[0], &matrix[1]) == 4)) {
        fprintf(stderr, "%s%s", r->out, r->err);
        return;
    }
    FQ_CHECK(plain[0] == matrix[0] && fabs(matrix[1] - plain[1]) > 1e-6 && matrix[1] > 0.5);
    r = fq_command("rm -f f.h5; $FIBQUANT sweep f.yaml -o f.h5 -q --set calibration=other.h5; "
                   "$FIBQUANT results f.h5 --table failures");
    FQ_CHECK(strstr(r->out, "other.h5: 3 layers of 2 heads of dimension 8; key \"calibration\" must") !=
             NULL);
    r = fq_command("sed 's/ calibration: cache.h5,//' f.yaml >g.yaml; rm -f f.h5; "
                   "$FIBQUANT sweep g.yaml -o f.h5 -q; $FIBQUANT results f.h5 --table failures");
    FQ_CHECK(strstr(r->out, "matrix: from=given") != NULL);
}

static void what_has_no_moments_is_named(void) {
    fq_moments m;
    FQ_CHECK_OK(write_cache(in_folder("plain.h5"), 1, false));
    FQ_CHECK_FAILS(fq_moments_load(&m, in_folder("plain.h5")), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(fq_moments_load(&m, in_folder("missing.h5")), FQ_ERR_INPUT);
    fq_command("echo no model >text.txt");
    FQ_CHECK_FAILS(fq_moments_load(&m, in_folder("text.txt")), FQ_ERR_INPUT);
}

static const fq_test tests[] = {
    {"a cache has the moments of what was drawn", a_cache_has_the_moments_of_what_was_drawn},
    {"a checkpoint has those of its matrices", a_checkpoint_has_those_of_its_matrices},
    {"a calibration reaches the heads", a_calibration_reaches_the_heads},
    {"what has no moments is named", what_has_no_moments_is_named},
    {0},
};
const fq_suite fq_suite_moments = {"moments", tests};
