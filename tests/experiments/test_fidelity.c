/* Fidelity of attention: the kernel against sums written out in double, the errors against their formulas,
 * and a row of the experiment against everything done anew from the cache file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "attention_fidelity.h"
#include "check.h"
#include "codec.h"
#include "command.h"
#include "fp16.h"
#include "kv_cache_file.h"
#include "memory.h"
#include "result_store.h"
#include "stream.h"
#include "two_way_error.h"

enum { TOKENS = 37, DIM = 16, QUERIES = 9, FIRST = 0, STRIDE = 4 };

typedef struct sample {
    float key[TOKENS * DIM], value[TOKENS * DIM], key_decoded[TOKENS * DIM], value_decoded[TOKENS * DIM];
    float query[QUERIES * DIM];
} sample;

static void fill(float *x, size_t n, uint64_t index, double scale) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(scale * fq_stream_normal(&s));
}

static void make_head(sample *h) {
    fill(h->key, TOKENS * DIM, 1, 1.5);
    fill(h->value, TOKENS * DIM, 2, 1.0);
    fill(h->key_decoded, TOKENS * DIM, 3, 0.4);
    fill(h->value_decoded, TOKENS * DIM, 4, 0.3);
    fill(h->query, QUERIES * DIM, 5, 2.0);
    for (size_t i = 0; i < TOKENS * DIM; i++) {
        h->key_decoded[i] += h->key[i];
        h->value_decoded[i] += h->value[i];
    }
}

static fq_attention_pair pair_of(const sample *h) {
    return (fq_attention_pair){.tokens = TOKENS,
                               .dim = DIM,
                               .key = h->key,
                               .value = h->value,
                               .key_decoded = h->key_decoded,
                               .value_decoded = h->value_decoded,
                               .key_group = 1,
                               .value_group = 1,
                               .age = 1};
}

/* Attention output of one query at position p, all in double; score[p + 1] as well. */
static void naive_attention(double *out, double *score, const float *query, const float *key,
                            const float *value, size_t p, size_t dim) {
    double most = -HUGE_VAL, sum = 0.0;
    for (size_t s = 0; s <= p; s++) {
        score[s] = 0.0;
        for (size_t c = 0; c < dim; c++)
            score[s] += (double)query[c] * (double)key[s * dim + c] / sqrt((double)dim);
        most = fmax(most, score[s]);
    }
    memset(out, 0, dim * sizeof *out);
    for (size_t s = 0; s <= p; s++)
        sum += exp(score[s] - most);
    for (size_t s = 0; s <= p; s++)
        for (size_t c = 0; c < dim; c++)
            out[c] += exp(score[s] - most) / sum * (double)value[s * dim + c];
}

static double naive_cosine(const double *a, const double *b, size_t n) {
    double aa = 0.0, bb = 0.0, ab = 0.0;
    for (size_t i = 0; i < n; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

static fq_query_fidelity naive_fidelity(const fq_attention_pair *pair, const float *query, size_t p) {
    enum { MOST = 64 };
    static double plain[MOST], key[MOST], value[MOST], both[MOST], a[256], b[256];
    const size_t d = pair->dim;
    fq_query_fidelity f = {0};
    naive_attention(value, a, query, pair->key, pair->value_decoded, p, d);
    naive_attention(plain, a, query, pair->key, pair->value, p, d);
    naive_attention(key, b, query, pair->key_decoded, pair->value, p, d);
    naive_attention(both, b, query, pair->key_decoded, pair->value_decoded, p, d);
    double mean = 0.0;
    for (size_t s = 0; s <= p; s++)
        mean += a[s] / (double)(p + 1);
    for (size_t s = 0; s <= p; s++) {
        f.score_error += (b[s] - a[s]) * (b[s] - a[s]) / (double)(p + 1);
        f.score_power += (a[s] - mean) * (a[s] - mean) / (double)(p + 1);
    }
    f.key = naive_cosine(plain, key, d);
    f.value = naive_cosine(plain, value, d);
    f.both = naive_cosine(plain, both, d);
    return f;
}

/* float32 sums of 16 products and 37 weights: some 1e-6 of scores of size 10, so 1e-5 leaves room. */
static void attention_is_what_the_formula_says(void) {
    static sample h;
    fq_query_fidelity out[QUERIES];
    make_head(&h);
    const fq_attention_pair pair = pair_of(&h);
    if (!FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE)))
        return;
    for (size_t i = 0; i < QUERIES; i++) {
        const fq_query_fidelity f = naive_fidelity(&pair, h.query + i * DIM, FIRST + i * STRIDE);
        FQ_CHECK_NEAR(out[i].key, f.key, 1e-5);
        FQ_CHECK_NEAR(out[i].value, f.value, 1e-5);
        FQ_CHECK_NEAR(out[i].both, f.both, 1e-5);
        FQ_CHECK_NEAR(out[i].score_error, f.score_error, 1e-5);
        FQ_CHECK_NEAR(out[i].score_power, f.score_power, 1e-5 * (1.0 + f.score_power));
        FQ_CHECK(i == 0 || (f.both < 0.999 && f.both > -0.999)); /* the comparison is not of trivial values */
    }
}

/* Softmax does not see what all scores share; the cosine does not see a scale; nobody sees the future. */
static void invariances_hold(void) {
    static sample h;
    fq_query_fidelity out[QUERIES], again[QUERIES];
    make_head(&h);
    fq_attention_pair pair = pair_of(&h);
    float shift[DIM];
    fill(shift, DIM, 6, 1.0);
    for (size_t t = 0; t < TOKENS; t++)
        for (size_t c = 0; c < DIM; c++) {
            h.key_decoded[t * DIM + c] = h.key[t * DIM + c] + shift[c];
            h.value_decoded[t * DIM + c] = 3.0F * h.value[t * DIM + c];
        }
    FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE));
    for (size_t i = 0; i < QUERIES; i++) {
        double product = 0.0;
        for (size_t c = 0; c < DIM; c++)
            product += (double)h.query[i * DIM + c] * (double)shift[c];
        FQ_CHECK_NEAR(out[i].key, 1.0, 1e-5);
        FQ_CHECK_NEAR(out[i].both, 1.0, 1e-5);
        FQ_CHECK_NEAR(out[i].score_error, product * product / DIM, 1e-4 * (1.0 + product * product / DIM));
    }
    make_head(&h);
    FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE));
    const size_t last = FIRST + (QUERIES - 2) * STRIDE; /* the last but one query's position */
    fill(h.key + (last + 1) * DIM, (TOKENS - 1 - last) * DIM, 7, 5.0);
    fill(h.value_decoded + (last + 1) * DIM, (TOKENS - 1 - last) * DIM, 8, 5.0);
    FQ_CHECK_OK(fq_attention_fidelity(again, &pair, h.query, QUERIES, FIRST, STRIDE));
    FQ_CHECK(memcmp(out, again, (QUERIES - 1) * sizeof *out) == 0);
    FQ_CHECK(memcmp(&out[QUERIES - 1], &again[QUERIES - 1], sizeof *out) != 0);
    pair.key_decoded = pair.key;
    pair.value_decoded = pair.value;
    FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE));
    for (size_t i = 0; i < QUERIES; i++)
        FQ_CHECK(out[i].key == 1.0 && out[i].value == 1.0 && out[i].both == 1.0 && out[i].score_error == 0.0);
    FQ_CHECK_FAILS(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST + 5, STRIDE), FQ_ERR_ARGUMENT);
    h.value[0] = HUGE_VALF;
    FQ_CHECK_FAILS(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE), FQ_ERR_NONFINITE);
}

/* Every cell a value: one-way formulas written out; a ratio to a constant, a scaled mean; the same heads in
 * one layer, when they are the clusters; Student's quantiles from a table. */
static void two_way_errors_are_their_formulas(void) {
    enum { LAYERS = 5, OF_LAYER = 2, HEADS = LAYERS * OF_LAYER, BLOCKS = 4, EACH = 3 };
    fq_two_way t, twice, ones, flat;
    double head[HEADS] = {0}, layer[LAYERS] = {0}, block[BLOCKS] = {0}, mean = 0.0, heads = 0.0, layers = 0.0,
           blocks = 0.0;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 20);
    FQ_CHECK_OK(fq_two_way_init(&t, LAYERS, OF_LAYER, BLOCKS));
    FQ_CHECK_OK(fq_two_way_init(&twice, LAYERS, OF_LAYER, BLOCKS));
    FQ_CHECK_OK(fq_two_way_init(&ones, LAYERS, OF_LAYER, BLOCKS));
    FQ_CHECK_OK(fq_two_way_init(&flat, 1, HEADS, BLOCKS));
    for (size_t h = 0; h < HEADS; h++)
        for (size_t b = 0; b < BLOCKS; b++)
            for (size_t i = 0; i < EACH; i++) {
                const double x = 3.0 + (double)h + 0.5 * (double)b + fq_stream_normal(&s);
                fq_two_way_add(&t, h, b, x, 1.0);
                fq_two_way_add(&twice, h, b, 2.0 * x, 1.0);
                fq_two_way_add(&ones, h, b, 4.0, 1.0);
                fq_two_way_add(&flat, h, b, x, 1.0);
                head[h] += x / (BLOCKS * EACH);
                layer[h / OF_LAYER] += x / (OF_LAYER * BLOCKS * EACH);
                block[b] += x / (HEADS * EACH);
                mean += x / (HEADS * BLOCKS * EACH);
            }
    for (size_t h = 0; h < HEADS; h++)
        heads += (head[h] - mean) * (head[h] - mean) / (HEADS - 1) / HEADS;
    for (size_t l = 0; l < LAYERS; l++)
        layers += (layer[l] - mean) * (layer[l] - mean) / (LAYERS - 1) / LAYERS;
    for (size_t b = 0; b < BLOCKS; b++)
        blocks += (block[b] - mean) * (block[b] - mean) / (BLOCKS - 1) / BLOCKS;
    const fq_two_way_estimate e = fq_two_way_mean(&t), quarter = fq_two_way_ratio(&t, &ones),
                              one_layer = fq_two_way_mean(&flat);
    FQ_CHECK_NEAR(e.mean, mean, 1e-12);
    FQ_CHECK_NEAR(e.se_layers, sqrt(layers), 1e-12);
    FQ_CHECK_NEAR(one_layer.se_layers, sqrt(heads), 1e-12);
    FQ_CHECK_NEAR(e.se_positions, sqrt(blocks), 1e-12);
    FQ_CHECK_NEAR(e.se, sqrt(layers + blocks), 1e-12);
    /* Between the quantiles of as many degrees of freedom as the fewer clusters have and of both together. */
    const double freedom = pow(layers + blocks, 2) / (layers * layers / 4 + blocks * blocks / 3);
    FQ_CHECK(freedom >= 3.0 && freedom <= 7.0);
    FQ_CHECK(e.half95 <= 3.182446 * e.se && e.half95 >= 2.364624 * e.se);
    FQ_CHECK_NEAR(gsl_cdf_tdist_Q(e.half95 / e.se, freedom), 0.025, 1e-9);
    FQ_CHECK_NEAR(fq_two_way_head_mean(&t, 2), head[2], 1e-12);
    FQ_CHECK_NEAR(quarter.mean, mean / 4.0, 1e-12);
    FQ_CHECK_NEAR(quarter.se, e.se / 4.0, 1e-12);
    const fq_two_way_estimate half = fq_two_way_ratio(&t, &twice), root = fq_two_way_sqrt(e);
    FQ_CHECK_NEAR(half.mean, 0.5, 1e-12);
    FQ_CHECK_NEAR(half.se, 0.0, 1e-12); /* proportional: known without error */
    FQ_CHECK_NEAR(root.mean * root.mean, mean, 1e-12);
    FQ_CHECK_NEAR(root.se, 0.5 * e.se / sqrt(mean), 1e-12);
    FQ_CHECK_NEAR(root.half95, 0.5 * e.half95 / sqrt(mean), 1e-12);
    FQ_CHECK(half.half95 < 1e-12 && one_layer.half95 > 0.0);
    fq_two_way_clear(&t);
    fq_two_way_clear(&flat);
    fq_two_way_clear(&twice);
    fq_two_way_clear(&ones);
    size_t most = 0, blocks_seen[20] = {0};
    for (size_t i = 0; i < 35; i++)
        blocks_seen[fq_two_way_block(i, 35, 16)]++;
    for (size_t b = 0; b < 20; b++)
        most = blocks_seen[b] > most ? blocks_seen[b] : most;
    FQ_CHECK(most == 3 && fq_two_way_block(34, 35, 16) < 16 && fq_two_way_block(3, 35, 16) == 1);
}

/* The experiment, anew ------------------------------------------------------------------------------------
 */

static const fq_kv_shape shape = {
    .layers = 2, .tokens = 40, .query_heads = 4, .heads = 2, .dim = 16, .element_bytes = 4};

/* Keys of a head share a mean of their own, as real ones do. zero_head: one head has no values. */
static fq_status write_cache(const char *path, bool zero_head) {
    const fq_kv_origin origin = {.model = "random", .text = "no text", .text_first = 777};
    fq_kv_writer *writer = NULL;
    float x[40 * 4 * 16], mean[4 * 16];
    FQ_TRY(fq_kv_writer_create(&writer, path, &shape, &origin, NULL));
    for (size_t layer = 0; layer < shape.layers; layer++)
        for (int kind = 0; kind < 3; kind++) {
            const size_t row = (kind == 0 ? shape.query_heads : shape.heads) * shape.dim;
            fill(x, shape.tokens * row, 100 + layer * 3 + (uint64_t)kind, 1.3);
            fill(mean, row, 200 + layer * 3 + (uint64_t)kind, 2.0);
            for (size_t i = 0; i < shape.tokens * row; i++)
                x[i] += mean[i % row];
            for (size_t i = 0; i < shape.tokens * row && zero_head; i++)
                if (layer == 1 && kind == FQ_KV_VALUE && i % row < shape.dim) /* its first head */
                    x[i] = 0.0F;
            const fq_status status = fq_kv_writer_put(writer, layer, (fq_kv_kind)kind, 0, shape.tokens, x);
            if (status != FQ_OK) {
                fq_kv_writer_abandon(writer);
                return status;
            }
        }
    return fq_kv_writer_commit(writer);
}

enum { T = 33, FIRST_QUERY = 2, STEP = 5, KEPT = 2, MEAN_OF = 8, D = 16 }; /* queries at 2, 7, ..., 32 */

typedef struct expected {
    double both, key, value, key_cosine, value_distortion, score_error;
    double defined; /* part of the queries that have a cosine */
} expected;

static void decode_naively(float *decoded, const float *raw, const char *name, bool centred) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    float x[T * D], mean[D] = {0};
    uint8_t codes[T * 64];
    for (size_t c = 0; c < D && centred; c++) {
        double sum = 0.0;
        for (size_t t = 0; t < MEAN_OF; t++)
            sum += (double)raw[t * D + c];
        mean[c] = fq_fp16_to_float(fq_fp16_from_float((float)(sum / MEAN_OF)));
    }
    for (size_t i = 0; i < T * D; i++)
        x[i] = raw[i] - mean[i % D];
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
    if (!FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, NULL)))
        return;
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, T));
    FQ_CHECK_OK(fq_codec_decode(codec, decoded, codes, T));
    fq_codec_destroy(codec);
    for (size_t i = 0; i < T * D; i++)
        decoded[i] = i < KEPT * D ? raw[i] : decoded[i] + mean[i % D];
}

static double vector_cosine(const float *a, const float *b) {
    double x[D], y[D];
    for (size_t c = 0; c < D; c++) {
        x[c] = (double)a[c];
        y[c] = (double)b[c];
    }
    return naive_cosine(x, y, D);
}

static double vector_distortion(const float *a, const float *b) {
    double error = 0.0, power = 0.0;
    for (size_t c = 0; c < D; c++) {
        error += ((double)a[c] - (double)b[c]) * ((double)a[c] - (double)b[c]);
        power += (double)a[c] * (double)a[c];
    }
    return error / power;
}

static void measure_naively(expected *e, const fq_kv_cache *cache, const char *codec,
                            const char *value_codec) {
    float key[T * D], value[T * D], key_decoded[T * D], value_decoded[T * D], query[T * D];
    const fq_attention_pair pair = {.tokens = T,
                                    .dim = D,
                                    .key = key,
                                    .value = value,
                                    .key_decoded = key_decoded,
                                    .value_decoded = value_decoded};
    const double heads = (double)(shape.layers * shape.heads), queries = (T - 1 - FIRST_QUERY) / STEP + 1;
    const double each = 1.0 / ((double)(shape.layers * shape.query_heads) * queries);
    memset(e, 0, sizeof *e);
    for (size_t layer = 0; layer < shape.layers; layer++)
        for (size_t q = 0; q < shape.query_heads; q++) {
            const size_t head = q / 2; /* two query heads share a key-value head */
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_KEY, head, 0, T, key));
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_VALUE, head, 0, T, value));
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_QUERY, q, 0, T, query));
            decode_naively(key_decoded, key, codec, true);
            decode_naively(value_decoded, value, value_codec, false);
            for (size_t t = 0; t < T && q % 2 == 0; t++) {
                e->key_cosine += vector_cosine(key + t * D, key_decoded + t * D) / (heads * T);
                e->value_distortion += vector_distortion(value + t * D, value_decoded + t * D) / (heads * T);
            }
            for (size_t p = FIRST_QUERY; p < T; p += STEP) {
                const fq_query_fidelity f = naive_fidelity(&pair, query + p * D, p);
                if (isnan(f.both)) /* no output, no direction */
                    continue;
                e->defined += each;
                e->both += f.both * each;
                e->key += f.key * each;
                e->value += f.value * each;
                e->score_error += f.score_error * each;
            }
        }
    e->score_error = sqrt(e->score_error);
    e->both /= e->defined;
    e->key /= e->defined;
    e->value /= e->defined;
}

static double real_of(const fq_table *t, size_t row, const char *column) {
    const size_t c = fq_table_find(t, column);
    return FQ_CHECK(c < t->column_count && t->columns[c].type == FQ_VALUE_REAL) ? fq_table_real(t, row, c)
                                                                                : (double)NAN;
}

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

static void a_row_is_what_the_cache_says(void) {
    fq_results results;
    fq_kv_cache *cache = NULL;
    expected e;
    memset(&results, 0, sizeof results);
    if (!FQ_CHECK_OK(write_cache(in_folder("cache.h5"), false)))
        return;
    const fq_command_result *ran = fq_command(
        "cat >f.yaml <<'END'\nexperiment: fidelity\ngrid:\n"
        "  - {cache: cache.h5, codec: 'fib:k=4,N=16,recipe=paper,norm=ls', value_codec: 'tq:b=2.5', tokens: "
        "33, "
        "first_query: 2, stride: 5, treatment: \"mean:tokens=8,skip=0,at=after+first:tokens=2,bits=16\"}\n"
        "  - {cache: cache.h5, codec: fp16}\n  - {cache: cache.h5, codec: 'tq:b=8', stride: 1}\nEND\n"
        "$FIBQUANT sweep f.yaml -o f.h5 -q");
    if (!FQ_CHECK(ran->exit_code == 0)) {
        fprintf(stderr, "%s", ran->err);
        return;
    }
    if (!FQ_CHECK_OK(fq_store_read(in_folder("f.h5"), &results)) ||
        !FQ_CHECK_OK(fq_kv_cache_open(&cache, in_folder("cache.h5"))))
        return;
    const fq_table *t = fq_results_table(&results, "fidelity");
    if (FQ_CHECK(t && t->count == 3)) {
        measure_naively(&e, cache, "fib:k=4,N=16,recipe=paper,norm=ls", "tq:b=2.5");
        FQ_CHECK_NEAR(real_of(t, 0, "attention_cosine"), e.both, 1e-5);
        FQ_CHECK_NEAR(real_of(t, 0, "attention_cosine_key"), e.key, 1e-5);
        FQ_CHECK_NEAR(real_of(t, 0, "attention_cosine_value"), e.value, 1e-5);
        FQ_CHECK_NEAR(real_of(t, 0, "key_cosine"), e.key_cosine, 1e-6);
        FQ_CHECK_NEAR(real_of(t, 0, "value_distortion"), e.value_distortion, 1e-6);
        FQ_CHECK_NEAR(real_of(t, 0, "score_error"), e.score_error, 1e-4 * e.score_error);
        FQ_CHECK(e.both < 0.99 && e.both > 0.3);
        FQ_CHECK_NEAR(real_of(t, 0, "rate"), 0.5 * (1.0 + 2.5), 1e-12);
        /* Of 33 tokens 2 are kept at 64 bytes; a key takes 2 + 2 bytes, a value 2 norms and 40 bits; the
         * mean 32. */
        FQ_CHECK_NEAR(real_of(t, 0, "compression_stored"), 33 * 64 / (2 * 64 + 31 * (4.0 + 9.0) + 32), 1e-9);
        FQ_CHECK_NEAR(real_of(t, 0, "compression_stored_32768"),
                      32768 * 64.0 / (2 * 64 + 32766 * (4.0 + 9.0) + 32), 1e-9);
        FQ_CHECK(fq_table_integer(t, 0, fq_table_find(t, "context")) == 33 &&
                 fq_table_integer(t, 1, fq_table_find(t, "context")) == (int64_t)shape.tokens &&
                 fq_table_integer(t, 0, fq_table_find(t, "text_first")) == 777);
        FQ_CHECK(real_of(t, 1, "attention_cosine") > 1.0 - 1e-6 && real_of(t, 1, "value_distortion") < 1e-6);
        FQ_CHECK_NEAR(real_of(t, 1, "compression_stored"), 1.0, 0);
        FQ_CHECK(real_of(t, 2, "attention_cosine") > 0.999 && real_of(t, 2, "attention_cosine") < 1.0);
        FQ_CHECK(real_of(t, 2, "attention_cosine_se") > 0.0 && real_of(t, 2, "attention_cosine_se") < 1e-3);
    }
    fq_kv_cache_close(cache);
    fq_results_clear(&results);
    ran = fq_command("$FIBQUANT sweep f.yaml -o g.h5 -q --set tokens=41");
    FQ_CHECK(ran->exit_code == 5 && fq_command("$FIBQUANT results g.h5 --table failures")->exit_code == 0);
}

typedef struct protocol {
    const char *parameters, *words; /* as a manifest has them, and part of what the row says */
    enum { MODEL, LAST, UNIT, SCALE, KEY_SCALE } query;
    bool causal, concatenated, vector;
} protocol;

static double naive_root_mean_square(const float *x) {
    double sum = 0.0;
    for (size_t i = 0; i < T * D; i++)
        sum += (double)x[i] * (double)x[i] / (T * D);
    return sqrt(sum);
}

/* The queries [queries][D] of a query head. */
static void ask_naively(float *asked, const protocol *of, size_t queries, const float *query,
                        const float *key, size_t head) {
    fq_stream s;
    fq_stream_init(&s, 1, FQ_PURPOSE_QUERY, head); /* a manifest's seed is 1 */
    const double scale = of->query == SCALE       ? naive_root_mean_square(query)
                         : of->query == KEY_SCALE ? naive_root_mean_square(key)
                                                  : 1.0;
    for (size_t i = 0; i < queries; i++)
        for (size_t c = 0; c < D; c++)
            asked[i * D + c] = of->query == LAST    ? query[(T - 1) * D + c]
                               : of->query == MODEL ? query[(FIRST_QUERY + i * STEP) * D + c]
                                                    : (float)(scale * fq_stream_normal(&s));
}

/* The mean cosine of outputs with keys and values by tq:b=2, the first two tokens kept, under a protocol. */
static double protocol_by_hand(const fq_kv_cache *cache, const protocol *of) {
    static float key[T * D], value[T * D], key_decoded[T * D], value_decoded[T * D], query[T * D],
        asked[T * D];
    static double plain[D], both[D], score[T];
    const size_t queries = of->query == LAST ? 1 : (T - 1 - FIRST_QUERY) / STEP + 1;
    double sum = 0.0, count = 0.0, together[T][3];
    memset(together, 0, sizeof together);
    for (size_t layer = 0; layer < shape.layers; layer++)
        for (size_t q = 0; q < shape.query_heads; q++) {
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_KEY, q / 2, 0, T, key));
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_VALUE, q / 2, 0, T, value));
            FQ_CHECK_OK(fq_kv_cache_read(cache, layer, FQ_KV_QUERY, q, 0, T, query));
            decode_naively(key_decoded, key, "tq:b=2", false);
            decode_naively(value_decoded, value, "tq:b=2", false);
            ask_naively(asked, of, queries, query, key, layer * shape.query_heads + q);
            for (size_t i = 0; i < queries; i++) {
                double *to = together[of->vector ? 0 : i];
                const size_t p = !of->causal || of->query == LAST ? T - 1 : FIRST_QUERY + i * STEP;
                naive_attention(plain, score, asked + i * D, key, value, p, D);
                naive_attention(both, score, asked + i * D, key_decoded, value_decoded, p, D);
                for (size_t c = 0; c < D; c++) {
                    to[0] += plain[c] * both[c];
                    to[1] += plain[c] * plain[c];
                    to[2] += both[c] * both[c];
                }
            }
            if (of->concatenated && q + 1 < shape.query_heads)
                continue;
            for (size_t i = 0; i < (of->vector ? 1 : queries); i++) {
                sum += together[i][0] / sqrt(together[i][1] * together[i][2]);
                count += 1.0;
            }
            memset(together, 0, sizeof together);
        }
    return sum / count;
}

/* Every protocol is its definition, and no two are the same number. */
static void protocols_are_what_they_say(void) {
    static const protocol protocols[] = {
        {"query: model", "queries at positions 2 to 32 in steps of 5; equal weights over queries, layers and",
         MODEL, true, false, false},
        {"query: last", "causal attention over the first 33 tokens, the query at position 32;", LAST, true,
         false, false},
        {"query: last, outputs: concatenated",
         "the query at position 32; equal weights over queries and layers, "
         "query heads concatenated",
         LAST, true, true, false},
        {"outputs: concatenated", "layers, query heads concatenated", MODEL, true, true, false},
        {"average: vector", "one vector of all queries, equal weights over layers and query heads", MODEL,
         true, false, true},
        {"average: vector, outputs: concatenated",
         "one vector of all queries, equal weights over layers, query heads "
         "concatenated",
         MODEL, true, true, true},
        {"query: normal_unit", "standard normal queries at positions", UNIT, true, false, false},
        {"query: normal_scale", "normal queries of the queries' scale", SCALE, true, false, false},
        {"query: normal_key_scale", "normal queries of the keys' scale", KEY_SCALE, true, false, false},
        {"query: normal_unit, mask: all",
         "unmasked attention over the first 33 tokens, standard normal queries 7 of them", UNIT, false, false,
         false},
        {"mask: all", "unmasked", MODEL, false, false, false},
    };
    enum { COUNT = sizeof protocols / sizeof *protocols };
    fq_results results;
    fq_kv_cache *cache = NULL;
    char grid[4096] = "";
    double seen[COUNT];
    memset(&results, 0, sizeof results);
    if (!FQ_CHECK_OK(write_cache(in_folder("cache.h5"), false)))
        return;
    for (size_t i = 0; i < COUNT; i++)
        snprintf(grid + strlen(grid), sizeof grid - strlen(grid),
                 "  - {cache: cache.h5, codec: 'tq:b=2', tokens: 33, first_query: 2, stride: 5, treatment: "
                 "'first:tokens=2,bits=16', %s}\n",
                 protocols[i].parameters);
    const fq_command_result *ran = fq_command(
        "cat >p.yaml <<'END'\nexperiment: fidelity\ngrid:\n%sEND\n$FIBQUANT sweep p.yaml -o p.h5 -q", grid);
    if (!FQ_CHECK(ran->exit_code == 0))
        fprintf(stderr, "%s", ran->err);
    else if (FQ_CHECK_OK(fq_store_read(in_folder("p.h5"), &results)) &&
             FQ_CHECK_OK(fq_kv_cache_open(&cache, in_folder("cache.h5")))) {
        const fq_table *t = fq_results_table(&results, "fidelity");
        FQ_CHECK(t->count == COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            seen[i] = protocol_by_hand(cache, &protocols[i]);
            FQ_CHECK_NEAR(real_of(t, i, "attention_cosine"), seen[i], 1e-5);
            if (!FQ_CHECK(strstr(fq_table_text(t, i, fq_table_find(t, "protocol")), protocols[i].words)))
                fprintf(stderr, "  %s\n", fq_table_text(t, i, fq_table_find(t, "protocol")));
            for (size_t j = 0; j < i; j++)
                FQ_CHECK(fabs(seen[i] - seen[j]) > 2e-5); /* what 1e-5 tells apart */
        }
        fq_kv_cache_close(cache);
        fq_results_clear(&results);
    }
}

/* A head whose values are all zero has outputs without a direction: they are in no mean, and no error. */
static void heads_without_values_are_left_out(void) {
    static sample h;
    fq_query_fidelity out[QUERIES];
    fq_results results;
    fq_kv_cache *cache = NULL;
    expected e;
    make_head(&h);
    memset(h.value, 0, sizeof h.value);
    const fq_attention_pair pair = pair_of(&h);
    FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE));
    for (size_t i = 0; i < QUERIES; i++)
        FQ_CHECK(isnan(out[i].key) && isnan(out[i].value) && isnan(out[i].both) && out[i].score_error > 0.0);
    make_head(&h);
    memset(h.value_decoded, 0, sizeof h.value_decoded); /* values that a codec lost are a loss */
    FQ_CHECK_OK(fq_attention_fidelity(out, &pair, h.query, QUERIES, FIRST, STRIDE));
    for (size_t i = 0; i < QUERIES; i++)
        FQ_CHECK(out[i].value == 0.0 && out[i].both == 0.0 && out[i].key > 0.0);
    memset(&results, 0, sizeof results);
    if (!FQ_CHECK_OK(write_cache(in_folder("cache.h5"), true)))
        return;
    const fq_command_result *ran = fq_command(
        "cat >f.yaml <<'END'\nexperiment: fidelity\ngrid: {cache: cache.h5, codec: 'tq:b=2', tokens: 33, "
        "first_query: 2, stride: 5, treatment: 'mean:tokens=8,skip=0,at=after+first:tokens=2,bits=16'}\nEND\n"
        "$FIBQUANT sweep f.yaml -o f.h5 -q");
    if (!FQ_CHECK(ran->exit_code == 0) || !FQ_CHECK_OK(fq_store_read(in_folder("f.h5"), &results)) ||
        !FQ_CHECK_OK(fq_kv_cache_open(&cache, in_folder("cache.h5"))))
        return;
    const fq_table *t = fq_results_table(&results, "fidelity");
    if (FQ_CHECK(t && t->count == 1)) {
        measure_naively(&e, cache, "tq:b=2", "tq:b=2");
        FQ_CHECK_NEAR(e.defined, 0.75, 1e-12);
        FQ_CHECK_NEAR(real_of(t, 0, "attention_cosine"), e.both, 1e-5);
        FQ_CHECK_NEAR(real_of(t, 0, "attention_cosine_value"), e.value, 1e-5);
        FQ_CHECK(real_of(t, 0, "attention_cosine_least") > 0.1 && real_of(t, 0, "attention_cosine_se") > 0.0);
    }
    fq_kv_cache_close(cache);
    fq_results_clear(&results);
}

/* Every point of the built-in manifests on real caches is one that the experiment accepts. */
static void manifests_are_accepted(void) {
    static const struct {
        const char *name, *points, *more;
    } manifests[] = {{"frontier", "107 points; about", ""},
                     {"frontier_b", "70 points; about", "--set calibration=any.h5"},
                     {"frontier_quick", "25 points; about", ""},
                     {"universality", "3 points; about", ""},
                     {"universality_quick", "1 points; about", ""}};
    FQ_CHECK(fq_command("echo not looked into >any.h5")->exit_code == 0);
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        const fq_command_result *dry = fq_command(
            "$FIBQUANT sweep %s/experiments/manifests/%s.yaml --dry-run --set cache=any.h5 %s | tail -n 1",
            FQ_SOURCE_DIR, manifests[i].name, manifests[i].more);
        if (!FQ_CHECK(strncmp(dry->out, manifests[i].points, strlen(manifests[i].points)) == 0))
            fprintf(stderr, "%s: %s%s\n", manifests[i].name, dry->out, dry->err);
    }
}

static const fq_test tests[] = {
    {"attention is what the formula says", attention_is_what_the_formula_says},
    {"invariances", invariances_hold},
    {"errors over heads and positions", two_way_errors_are_their_formulas},
    {"protocols are what they say", protocols_are_what_they_say},
    {"a row is what the cache says", a_row_is_what_the_cache_says},
    {"heads without values", heads_without_values_are_left_out},
    {"manifests are accepted", manifests_are_accepted},
    {0},
};
const fq_suite fq_suite_fidelity = {"fidelity", tests};
