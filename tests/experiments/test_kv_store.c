/* The KV store: what is read back is what the codec decoded, but for the tokens that are kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "fp16.h"
#include "kv_store.h"
#include "memory.h"
#include "stream.h"
#include "transformer.h"

enum { LAYERS = 2, HEADS = 3, DIM = 16, TOKENS = 20, VECTOR = HEADS * DIM };

static void fill(float *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)fq_stream_normal(&s);
}

static fq_codec *make_codec(const char *name) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    if (FQ_CHECK_OK(fq_codec_spec_parse(&spec, name)))
        FQ_CHECK_OK(fq_codec_create(&codec, &spec, DIM, NULL));
    return codec;
}

static fq_treatment treatment_of(const char *text) {
    fq_treatment treatment = {0};
    FQ_CHECK_OK(fq_treatment_parse(&treatment, text));
    return treatment;
}

static float key[TOKENS * VECTOR], value[TOKENS * VECTOR];

static fq_kv_store *filled(const fq_kv_options *options, size_t piece) {
    fq_kv_store *store = NULL;
    fill(key, TOKENS * VECTOR, 1);
    fill(value, TOKENS * VECTOR, 2);
    if (FQ_CHECK_OK(fq_kv_store_create(&store, LAYERS, HEADS, DIM, TOKENS, options)))
        for (size_t first = 0; first < TOKENS; first += piece)
            FQ_CHECK_OK(
                fq_kv_store_append(store, 1, key + first * VECTOR, value + first * VECTOR, NULL, piece));
    return store;
}

/* A vector as halves hold it. */
static const float *halves(const float *x) {
    static float kept[DIM];
    for (size_t j = 0; j < DIM; j++)
        kept[j] = fq_fp16_to_float(fq_fp16_from_float(x[j]));
    return kept;
}

static void read_back_is_decoded(void) {
    fq_codec *k = make_codec("tq:b=3"), *v = make_codec("tq:b=2");
    const fq_codec *keys[] = {k}, *values[] = {v};
    const fq_kv_options options = {
        .key_codecs = keys, .value_codecs = values, .treatment = treatment_of("first:tokens=3,bits=16")};
    for (size_t piece = 1; piece <= TOKENS; piece += piece == 1 ? 4 : 15) { /* 1, 5, 20 */
        fq_kv_store *store = filled(&options, piece);
        uint8_t codes[256];
        float x[DIM];
        FQ_CHECK(fq_kv_store_tokens(store, 0) == 0 && fq_kv_store_tokens(store, 1) == TOKENS);
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t h = 0; h < HEADS; h++) {
                const fq_kv_view view = fq_kv_store_view(store, 1, h);
                const float *raw = key + t * VECTOR + h * DIM, *raw_v = value + t * VECTOR + h * DIM;
                FQ_CHECK_OK(fq_codec_encode(k, codes, raw, 1));
                FQ_CHECK_OK(fq_codec_decode(k, x, codes, 1));
                FQ_CHECK(memcmp(view.key + t * DIM, t < 3 ? halves(raw) : x, sizeof x) == 0);
                FQ_CHECK(memcmp(view.raw_key + t * DIM, raw, sizeof x) == 0);
                FQ_CHECK_OK(fq_codec_encode(v, codes, raw_v, 1));
                FQ_CHECK_OK(fq_codec_decode(v, x, codes, 1));
                FQ_CHECK(memcmp(view.value + t * DIM, t < 3 ? halves(raw_v) : x, sizeof x) == 0);
            }
        const size_t coded = fq_codec_get_cost(k).code_bytes + fq_codec_get_cost(v).code_bytes;
        FQ_CHECK(fq_kv_store_bits(store) == 8.0 * HEADS * (3 * 2 * DIM * 2 + (TOKENS - 3) * (double)coded));
        fq_kv_store_destroy(store);
    }
    fq_codec_destroy(k);
    fq_codec_destroy(v);
}

/* All keys are differences to the mean of the first six, in pieces too: until the sixth is there they are
 * read as they were appended, and nothing is counted but halves. */
static void keys_wait_for_the_mean_of_the_first(void) {
    enum { CENTRE = 6, KEEP = 1 };
    fq_codec *codec = make_codec("tq:b=2");
    const fq_codec *codecs[] = {codec};
    const fq_kv_options options = {.key_codecs = codecs,
                                   .value_codecs = codecs,
                                   .treatment =
                                       treatment_of("mean:tokens=6,skip=0,at=after+first:tokens=1,bits=16")};
    const double coded = (double)fq_codec_get_cost(codec).code_bytes;
    static const size_t pieces[] = {1, 3, 4, 6, 7, TOKENS};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        fq_kv_store *store = NULL;
        uint8_t codes[64];
        fill(key, TOKENS * VECTOR, 1);
        fill(value, TOKENS * VECTOR, 2);
        if (!FQ_CHECK_OK(fq_kv_store_create(&store, LAYERS, HEADS, DIM, TOKENS, &options)))
            break;
        for (size_t first = 0; first < TOKENS; first += pieces[p]) {
            const size_t n = TOKENS - first < pieces[p] ? TOKENS - first : pieces[p];
            FQ_CHECK_OK(fq_kv_store_append(store, 1, key + first * VECTOR, value + first * VECTOR, NULL, n));
            const double held = (double)(first + n);
            const double keys = KEEP * DIM * 2 + (held - KEEP) * coded + DIM * 2,
                         values = KEEP * DIM * 2 + (held - KEEP) * coded;
            FQ_CHECK_NEAR(fq_kv_store_bits(store),
                          8.0 * HEADS * (held < CENTRE ? 2.0 * held * DIM * 2 : keys + values), 0);
            if (held < CENTRE)
                FQ_CHECK(memcmp(fq_kv_store_view(store, 1, 0).key, fq_kv_store_view(store, 1, 0).raw_key,
                                (first + n) * DIM * sizeof(float)) == 0);
        }
        for (size_t h = 0; h < HEADS; h++) {
            const fq_kv_view view = fq_kv_store_view(store, 1, h);
            float mean[DIM], x[DIM];
            for (size_t j = 0; j < DIM; j++) {
                double sum = 0.0;
                for (size_t t = 0; t < CENTRE; t++)
                    sum += (double)key[t * VECTOR + h * DIM + j];
                mean[j] = fq_fp16_to_float(fq_fp16_from_float((float)(sum / CENTRE)));
            }
            for (size_t t = 0; t < TOKENS; t++) {
                for (size_t j = 0; j < DIM; j++)
                    x[j] = key[t * VECTOR + h * DIM + j] - mean[j];
                FQ_CHECK_OK(fq_codec_encode(codec, codes, x, 1));
                if (t < KEEP) /* a difference to the mean, too */
                    memcpy(x, halves(x), sizeof x);
                else
                    FQ_CHECK_OK(fq_codec_decode(codec, x, codes, 1));
                for (size_t j = 0; j < DIM; j++)
                    x[j] += mean[j];
                FQ_CHECK(memcmp(view.key + t * DIM, x, sizeof x) == 0);
                FQ_CHECK_OK(fq_codec_encode(codec, codes, value + t * VECTOR + h * DIM, 1));
                FQ_CHECK_OK(fq_codec_decode(codec, x, codes, 1));
                FQ_CHECK(t < KEEP || memcmp(view.value + t * DIM, x, sizeof x) == 0);
            }
        }
        fq_kv_store_destroy(store);
    }
    fq_codec_destroy(codec);
}

/* What all keys share costs kept tokens no precision: a thousand in one coordinate, where a half is up to a
 * quarter off, and a byte of 8.5 bits four. */
static void what_keys_share_costs_kept_tokens_nothing(void) {
    enum { SHARED = 1000 };
    fq_codec *codec = make_codec("tq:b=4");
    const fq_codec *codecs[] = {codec};
    static const char *const forms[] = {
        "mean:tokens=6,at=after+first:tokens=2,bits=16+window:tokens=3,bits=16",
        "mean:tokens=6,at=after+first:tokens=2,bits=8.5+window:tokens=3,bits=8.5"};
    const double most[] = {2e-3, 2e-2}; /* half a step of differences of up to 4 */
    for (size_t f = 0; f < 2; f++) {
        const fq_kv_options options = {
            .key_codecs = codecs, .value_codecs = codecs, .treatment = treatment_of(forms[f])};
        fq_kv_store *store = NULL;
        fill(key, TOKENS * VECTOR, 1);
        fill(value, TOKENS * VECTOR, 2);
        for (size_t i = 0; i < TOKENS * HEADS; i++)
            key[i * DIM + 3] += SHARED;
        if (!FQ_CHECK_OK(fq_kv_store_create(&store, LAYERS, HEADS, DIM, TOKENS, &options)))
            break;
        FQ_CHECK_OK(fq_kv_store_append(store, 0, key, value, NULL, TOKENS));
        for (size_t h = 0; h < HEADS; h++) {
            const fq_kv_view view = fq_kv_store_view(store, 0, h);
            double kept = 0.0, recent = 0.0, old = 0.0;
            for (size_t i = 0; i < TOKENS * DIM; i++) {
                const double near = fabs((double)view.near_key[i] - (double)view.raw_key[i]),
                             far = fabs((double)view.key[i] - (double)view.raw_key[i]);
                recent = fmax(recent, near);
                kept = fmax(kept, i < 2 * DIM ? far : 0.0);
                old = fmax(old, i < 2 * DIM ? 0.0 : far);
            }
            FQ_CHECK(kept > 0.0 && kept < most[f] && recent > 0.0 && recent < most[f]);
            FQ_CHECK(old > most[f] && old < 2.0); /* four bits of the differences */
        }
        fq_kv_store_destroy(store);
    }
    fq_codec_destroy(codec);
}

/* Two tokens of tiny values: kept, counted beside their codes, and not where one head alone is tiny. */
static void tiny_values_are_kept(void) {
    fq_codec *codec = make_codec("tq:b=1");
    const fq_codec *codecs[] = {codec};
    const fq_kv_options options = {
        .key_codecs = codecs, .value_codecs = codecs, .treatment = treatment_of("pool:tokens=4,bits=16")};
    const double coded = 8.0 * (double)fq_codec_get_cost(codec).code_bytes;
    fq_kv_store *store = NULL;
    fill(key, TOKENS * VECTOR, 1);
    fill(value, TOKENS * VECTOR, 2);
    for (size_t j = 0; j < VECTOR; j++) {
        value[2 * VECTOR + j] *= 0.01F;
        value[11 * VECTOR + j] *= 0.01F;
        value[7 * VECTOR + j] *= j < DIM ? 0.01F : 1.0F;
    }
    if (!FQ_CHECK_OK(fq_kv_store_create(&store, LAYERS, HEADS, DIM, TOKENS, &options)))
        return;
    FQ_CHECK_OK(fq_kv_store_append(store, 0, key, value, NULL, TOKENS));
    FQ_CHECK(fq_kv_store_pool(store, 0) == 2);
    FQ_CHECK_NEAR(fq_kv_store_bits(store), 2.0 * HEADS * (TOKENS * coded + 2 * 16 * DIM), 0);
    /* ten times the tokens, of which the same part is tiny */
    FQ_CHECK_NEAR(fq_kv_store_bits_at(store, (size_t)10 * TOKENS),
                  2.0 * HEADS * (10 * TOKENS * coded + 20 * 16 * DIM), 1e-6);
    for (size_t h = 0; h < HEADS; h++)
        for (size_t t = 0; t < TOKENS; t++) {
            const float *kept = halves(key + t * VECTOR + h * DIM);
            const bool same =
                memcmp(fq_kv_store_view(store, 0, h).key + t * DIM, kept, DIM * sizeof *kept) == 0;
            FQ_CHECK(same == (t == 2 || t == 11));
        }
    fq_kv_store_destroy(store);
    fq_codec_destroy(codec);
}

/* Whether the query at t reads token s from its window: groups of keys coded together as a whole. */
static bool is_near(size_t s, size_t t, size_t recent, size_t group) {
    const size_t last = s - s % group + group - 1; /* of the token's group */
    return recent > 0 && last + recent > t;
}

/* Attention in plain loops, in double, straight from the protocol's words. */
static void attend_plainly(const fq_kv_store *store, size_t recent, size_t group, const float *query,
                           size_t heads, size_t t, size_t h, double out[DIM]) {
    const fq_kv_view view = fq_kv_store_view(store, 1, h / (heads / HEADS));
    double weight[TOKENS], sum = 0.0;
    for (size_t s = 0; s <= t; s++) {
        const float *k = (is_near(s, t, recent, group) ? view.near_key : view.key) + s * DIM;
        double score = 0.0;
        for (size_t j = 0; j < DIM; j++)
            score += (double)query[(t * heads + h) * DIM + j] * (double)k[j];
        weight[s] = exp(score / sqrt((double)DIM));
        sum += weight[s];
    }
    memset(out, 0, DIM * sizeof *out);
    for (size_t s = 0; s <= t; s++)
        for (size_t j = 0; j < DIM; j++)
            out[j] += weight[s] / sum *
                      (double)((is_near(s, t, recent, 1) ? view.near_value : view.value)[s * DIM + j]);
}

static void attention_reads_recent_tokens_uncompressed(void) {
    enum { QUERY_HEADS = 6 };
    static float query[TOKENS * QUERY_HEADS * DIM], out[TOKENS * QUERY_HEADS * DIM];
    fq_codec *codec = make_codec("tq:b=1");
    fill(query, TOKENS * QUERY_HEADS * DIM, 3);
    for (size_t recent = 0; recent <= TOKENS + 5; recent += 5) {
        char text[64];
        snprintf(text, sizeof text, "first:tokens=2+window:tokens=%zu,bits=%s", recent,
                 recent == 15 ? "8.5" : "16");
        const fq_codec *codecs[] = {codec};
        const fq_kv_options options = {.key_codecs = codecs,
                                       .value_codecs = recent == 10 ? NULL : codecs,
                                       .treatment = treatment_of(text)};
        fq_kv_store *store = filled(&options, TOKENS);
        FQ_CHECK_OK(fq_transformer_attend(store, 1, QUERY_HEADS, HEADS, DIM, query, TOKENS, out));
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t h = 0; h < QUERY_HEADS; h++) {
                double expected[DIM];
                attend_plainly(store, recent, 1, query, QUERY_HEADS, t, h, expected);
                for (size_t j = 0; j < DIM; j++)
                    FQ_CHECK_NEAR((double)out[(t * QUERY_HEADS + h) * DIM + j], expected[j], 1e-5);
            }
        fq_kv_store_destroy(store);
    }
    fq_codec_destroy(codec);
}

/* Keys by channel, six tokens together: those that follow the last whole group are read as they were
 * appended, or from the window, whatever the pieces they come in; storage likewise. */
static void groups_are_encoded_when_they_are_whole(void) {
    enum { GROUP = 6, WHOLE = TOKENS / GROUP * GROUP, QUERY_HEADS = 6 };
    static float query[TOKENS * QUERY_HEADS * DIM], out[TOKENS * QUERY_HEADS * DIM];
    fq_codec *codec = make_codec("int:b=2,group=8");
    const fq_codec *codecs[] = {codec};
    const double coded = 8.0 * (double)fq_codec_get_cost(codec).code_bytes;
    static const struct {
        const char *treatment;
        size_t window;
    } forms[] = {
        {"channels:tokens=6", 0},
        {"channels:tokens=6+window:tokens=1,bits=16", 1},
        {"channels:tokens=6+window:tokens=3,bits=16", 3},
        {"first:tokens=1,bits=16+channels:tokens=6+window:tokens=7,bits=16", 7},
    };
    fill(query, TOKENS * QUERY_HEADS * DIM, 3);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        const fq_kv_options options = {
            .key_codecs = codecs, .value_codecs = codecs, .treatment = treatment_of(forms[f].treatment)};
        const size_t w = forms[f].window, old = (TOKENS - w) / GROUP * GROUP, first = f == 3;
        for (size_t piece = 1; piece <= TOKENS; piece += piece == 1 ? 4 : 15) { /* 1, 5, 20 */
            fq_kv_store *store = filled(&options, piece);
            for (size_t h = 0; h < HEADS; h++) {
                const fq_kv_view view = fq_kv_store_view(store, 1, h);
                float most = 0.0F;
                for (size_t t = 0; t < TOKENS; t++) {
                    const bool as_appended =
                        memcmp(view.key + t * DIM, view.raw_key + t * DIM, DIM * sizeof(float)) == 0;
                    FQ_CHECK(as_appended == (t >= WHOLE));
                    if (w > 0)
                        FQ_CHECK(memcmp(view.near_key + t * DIM, halves(view.raw_key + t * DIM),
                                        DIM * sizeof(float)) == 0);
                    for (size_t j = 0; j < DIM && t < WHOLE && t >= first; j++)
                        most = fmaxf(most, fabsf(view.key[t * DIM + j] - view.raw_key[t * DIM + j]));
                }
                FQ_CHECK(most > 0.1F && most < 2.0F); /* half of a third of a range of up to about 8 */
            }
            FQ_CHECK_NEAR(fq_kv_store_bits(store),
                          HEADS * (/* keys: codes of whole groups, the others and the first as halves */
                                   (double)old * coded + (double)(TOKENS - old + first) * 16 * DIM +
                                   /* values: token by token */
                                   (double)(TOKENS - w - first) * coded + (double)(w + first) * 16 * DIM),
                          0);
            FQ_CHECK_OK(fq_transformer_attend(store, 1, QUERY_HEADS, HEADS, DIM, query, TOKENS, out));
            for (size_t t = 0; t < TOKENS; t++)
                for (size_t h = 0; h < QUERY_HEADS; h++) {
                    double expected[DIM];
                    attend_plainly(store, w, GROUP, query, QUERY_HEADS, t, h, expected);
                    for (size_t j = 0; j < DIM; j++)
                        FQ_CHECK_NEAR((double)out[(t * QUERY_HEADS + h) * DIM + j], expected[j], 1e-5);
                }
            fq_kv_store_destroy(store);
        }
    }
    fq_codec_destroy(codec);
}

static void a_store_without_codec_keeps_every_bit(void) {
    fq_kv_store *store = filled(NULL, 5);
    for (size_t h = 0; h < HEADS; h++) {
        const fq_kv_view view = fq_kv_store_view(store, 1, h);
        FQ_CHECK(view.key == view.raw_key && view.value == view.raw_value && view.near_key == view.raw_key);
        for (size_t t = 0; t < TOKENS; t++)
            FQ_CHECK(memcmp(view.value + t * DIM, value + t * VECTOR + h * DIM, DIM * sizeof(float)) == 0);
    }
    FQ_CHECK(fq_kv_store_bits(store) == 16.0 * TOKENS * VECTOR * 2);
    FQ_CHECK_FAILS(fq_kv_store_append(store, 1, key, value, NULL, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_kv_store_append(store, LAYERS, key, value, NULL, 1), FQ_ERR_ARGUMENT);
    fq_kv_store_reset(store);
    FQ_CHECK_OK(fq_kv_store_append(store, 1, key, value, NULL, TOKENS));
    fq_kv_store_destroy(store);
}

static void fp16_store_is_within_half_precision(void) {
    fq_codec *codec = make_codec("fp16");
    const fq_codec *codecs[] = {codec};
    const fq_kv_options options = {.key_codecs = codecs, .value_codecs = codecs};
    fq_kv_store *store = filled(&options, TOKENS);
    const fq_kv_view view = fq_kv_store_view(store, 1, 0);
    for (size_t i = 0; i < TOKENS * DIM; i++)
        FQ_CHECK_NEAR((double)view.key[i], (double)view.raw_key[i],
                      ldexp(fabs((double)view.raw_key[i]), -11) + ldexp(1.0, -25));
    fq_kv_store_destroy(store);
    fq_codec_destroy(codec);
}

static void bad_shapes_are_refused(void) {
    fq_codec *codec = make_codec("tq:b=2");
    const fq_codec *codecs[] = {codec};
    const fq_kv_options options = {.key_codecs = codecs};
    fq_kv_store *store = NULL;
    FQ_CHECK_FAILS(fq_kv_store_create(&store, 0, 1, 8, 4, NULL), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_kv_store_create(&store, 1, 1, 2 * DIM, 4, &options), FQ_ERR_ARGUMENT);
    FQ_CHECK(store == NULL);
    fq_codec_destroy(codec);
}

static const fq_test tests[] = {
    {"what_is_read_back_is_what_the_codec_decoded", read_back_is_decoded},
    {"keys_wait_for_the_mean_of_the_first", keys_wait_for_the_mean_of_the_first},
    {"what_keys_share_costs_kept_tokens_nothing", what_keys_share_costs_kept_tokens_nothing},
    {"tiny_values_are_kept", tiny_values_are_kept},
    {"attention_reads_recent_tokens_uncompressed", attention_reads_recent_tokens_uncompressed},
    {"groups_are_encoded_when_they_are_whole", groups_are_encoded_when_they_are_whole},
    {"a_store_without_codec_keeps_every_bit", a_store_without_codec_keeps_every_bit},
    {"fp16_store_is_within_half_precision", fp16_store_is_within_half_precision},
    {"bad_shapes_are_refused", bad_shapes_are_refused},
    {NULL, NULL}};

const fq_suite fq_suite_kv_store = {"kv_store", tests};
