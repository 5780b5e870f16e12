/* What treatments cost where attention reads codes: one query of a head of 65,536 tokens, the same codes
 * without a treatment and with each one; beside them, decoding all and taking the treatment back. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention_treated.h"
#include "bench.h"
#include "bench_attention_float.h"
#include "fp16.h"
#include "memory.h"
#include "stream_ranges.h"

enum {
    DIM = 64,
    TOKENS = 65536,
    SMALL = 2 * FQ_FLOAT_ATTENTION_CHUNK,
    PREFIX = 64,
    GROUP = 2,
    CLASSES_MAX = 8
};

/* kept: tokens beside the codes, some of them among the first ones, the rest the last. */
static const struct {
    const char *name, *treatment, *codec;
    size_t kept;
} forms[] = {
    {"codes alone", "none", "trellis:b=2,tries=1", 0},
    {"mean, all pairs", "mean", "trellis:b=2,tries=1", 0},
    {"mean, 8 pairs", "mean:pairs=8", "trellis:b=2,tries=1", 0},
    {"pair scales", "scale", "trellis:b=2,tries=1", 0},
    {"values in 8 classes", "classes:n=8", "trellis:b=2,tries=1", 0},
    {"norms of 8 bits", "none", "trellis:b=2,tries=1,normbits=8", 0},
    {"300 tokens kept", "first+window+pool", "trellis:b=2,tries=1", 300},
    {"all of these", "mean:pairs=8+classes:n=8+first+window+pool", "trellis:b=2,tries=1,normbits=8", 300},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

typedef struct work {
    fq_codec *codecs[2][CLASSES_MAX];
    size_t classes[2], n, kept;
    fq_head_coder *coder[2];
    fq_attention_treated *attention;
    fq_treated_head head;
    uint8_t *codes[2];
    float *tokens[2]; /* [n][DIM], as they are read */
    float *kept_tokens[2];
    uint32_t *position;
    float *query, *out, *score, *scratch; /* [DIM], [DIM], [n], [2][n][DIM] */
    double expected[DIM];
    float scale;
} work;

static void work_clear(work *w) {
    fq_attention_treated_destroy(w->attention);
    for (size_t side = 0; side < 2; side++) {
        fq_head_coder_destroy(w->coder[side]);
        for (size_t c = 0; c < w->classes[side]; c++)
            fq_codec_destroy(w->codecs[side][c]);
        fq_free(w->codes[side]);
        fq_free(w->tokens[side]);
        fq_free(w->kept_tokens[side]);
    }
    fq_free(w->position);
    fq_free(w->query);
    fq_free(w->out);
    fq_free(w->score);
    fq_free(w->scratch);
    *w = (work){0};
}

/* Codes of random payloads, which are as good as any encoder's. */
static void draw_codes(uint8_t *codes, size_t n, size_t bytes, bool byte_norms, fq_stream *random) {
    for (size_t i = 0; i < n * bytes; i++)
        codes[i] = (uint8_t)fq_stream_below(random, 256);
    for (size_t i = 0; i < n; i++)
        if (byte_norms)
            codes[i * bytes] = (uint8_t)(140 + i % 8);
        else
            fq_fp16_store(codes + i * bytes, fq_fp16_from_float(6 + (float)(i % 8) / 2));
}

static fq_status make_coder(work *w, size_t side, size_t form, const float *x, const float *query) {
    static const fq_rope rope = {10000, 0};
    const fq_treatment_side of = side ? FQ_OF_VALUES : FQ_OF_KEYS;
    const fq_codec *codecs[CLASSES_MAX];
    fq_treatment treatment;
    fq_codec_spec spec;
    FQ_TRY(fq_treatment_parse(&treatment, forms[form].treatment));
    FQ_TRY(fq_codec_spec_parse(&spec, forms[form].codec));
    const size_t classes = fq_treatment_classes(&treatment, of);
    for (w->classes[side] = 0; w->classes[side] < classes; w->classes[side]++) {
        const fq_codec_parts parts = {.rotation_class = (uint32_t)w->classes[side]};
        FQ_TRY(fq_codec_create(&w->codecs[side][w->classes[side]], &spec, DIM, &parts));
        codecs[w->classes[side]] = w->codecs[side][w->classes[side]];
    }
    const fq_head_prefix prefix = {.side = of,
                                   .dim = DIM,
                                   .tokens = PREFIX,
                                   .x = x,
                                   .group = side ? 0 : GROUP,
                                   .query = side ? NULL : query,
                                   .rope = &rope};
    return fq_head_coder_create(&w->coder[side], &treatment, codecs, &prefix);
}

/* A side's codes, and the kept tokens in place of some: as many among the first as behind the codes. */
static fq_status make_side(work *w, size_t side, size_t form, fq_stream *random) {
    const size_t bytes = fq_codec_get_cost(w->codecs[side][0]).code_bytes, coded = w->head.coded;
    FQ_TRY(fq_alloc(&w->codes[side], w->n, bytes));
    FQ_TRY(fq_alloc(&w->tokens[side], w->n, DIM * sizeof(float)));
    FQ_TRY(fq_alloc(&w->kept_tokens[side], w->kept + 1, DIM * sizeof(float)));
    draw_codes(w->codes[side], w->n, bytes, strstr(forms[form].codec, "normbits") != NULL, random);
    FQ_TRY(fq_head_coder_decode(w->coder[side], w->tokens[side], w->codes[side], 0, w->n));
    for (size_t i = 0; i < w->kept; i++) {
        const size_t t = i < w->kept / 2 ? i : coded + i - w->kept / 2;
        w->position[i] = (uint32_t)t;
        memcpy(w->kept_tokens[side] + i * DIM, w->tokens[side] + t * DIM, DIM * sizeof(float));
    }
    return FQ_OK;
}

static fq_status expect(work *w) {
    double *p = NULL, most = -HUGE_VAL, total = 0;
    FQ_TRY(fq_alloc(&p, w->n, sizeof *p));
    for (size_t i = 0; i < w->n; i++) {
        p[i] = 0;
        for (size_t j = 0; j < DIM; j++)
            p[i] += (double)w->query[j] * (double)w->tokens[0][i * DIM + j];
        p[i] *= (double)w->scale;
        most = fmax(most, p[i]);
    }
    for (size_t i = 0; i < w->n; i++) {
        p[i] = exp(p[i] - most);
        total += p[i];
        for (size_t j = 0; j < DIM; j++)
            w->expected[j] += p[i] * (double)w->tokens[1][i * DIM + j];
    }
    for (size_t j = 0; j < DIM; j++)
        w->expected[j] /= total;
    fq_free(p);
    return FQ_OK;
}

static fq_status work_make(work *w, size_t form, size_t n, uint64_t seed) {
    float x[2][PREFIX * DIM], query[PREFIX * GROUP * DIM];
    const fq_codec *codecs[2][CLASSES_MAX];
    fq_stream random;
    *w = (work){.n = n, .kept = forms[form].kept, .scale = 1 / sqrtf((float)DIM)};
    w->head.coded = n - (w->kept - w->kept / 2);
    fq_stream_init_in(&random, seed, FQ_RANGE_BENCH_POINTS, 0);
    for (size_t i = 0; i < (size_t)PREFIX * DIM; i++) {
        x[0][i] = (float)fq_stream_normal(&random) + (i % DIM == 3 ? 4.0F : 0.0F);
        x[1][i] = (float)fq_stream_normal(&random);
    }
    for (size_t i = 0; i < (size_t)PREFIX * GROUP * DIM; i++)
        query[i] = (float)fq_stream_normal(&random);
    FQ_TRY(fq_alloc(&w->query, DIM, sizeof *w->query));
    FQ_TRY(fq_alloc(&w->out, DIM, sizeof *w->out));
    FQ_TRY(fq_alloc(&w->score, n, sizeof *w->score));
    FQ_TRY(fq_alloc(&w->scratch, n, 2 * DIM * sizeof *w->scratch));
    FQ_TRY(fq_alloc(&w->position, w->kept + 1, sizeof *w->position));
    for (size_t j = 0; j < DIM; j++)
        w->query[j] = 2 * (float)fq_stream_normal(&random);
    for (size_t side = 0; side < 2; side++) {
        FQ_TRY(make_coder(w, side, form, x[side], query));
        FQ_TRY(make_side(w, side, form, &random));
        for (size_t c = 0; c < w->classes[side]; c++)
            codecs[side][c] = w->codecs[side][c];
    }
    w->head = (fq_treated_head){.key = w->coder[0],
                                .value = w->coder[1],
                                .coded = w->head.coded,
                                .key_codes = w->codes[0],
                                .value_codes = w->codes[1],
                                .kept = w->kept,
                                .kept_position = w->position,
                                .kept_keys = w->kept_tokens[0],
                                .kept_values = w->kept_tokens[1]};
    FQ_TRY(expect(w));
    return fq_attention_treated_create(&w->attention, codecs[0], w->classes[0], codecs[1], w->classes[1]);
}

static fq_status run_codes(void *context) {
    const work *const w = context;
    return fq_attention_treated_run(w->attention, w->out, w->query, 1, &w->head, (double)w->scale);
}

static fq_status run_decode(void *context) {
    const work *const w = context;
    float *const keys = w->scratch, *const values = w->scratch + w->n * DIM;
    FQ_TRY(fq_head_coder_decode(w->coder[0], keys, w->codes[0], 0, w->n));
    FQ_TRY(fq_head_coder_decode(w->coder[1], values, w->codes[1], 0, w->n));
    fq_float_attention_blas(w->out, w->query, 1, keys, values, w->score, w->n, DIM, w->scale);
    return FQ_OK;
}

static bool check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const work *const w = context;
    double product = 0, own = 0, expected = 0;
    for (size_t j = 0; j < DIM; j++) {
        product += (double)w->out[j] * w->expected[j];
        own += (double)w->out[j] * (double)w->out[j];
        expected += w->expected[j] * w->expected[j];
    }
    const double difference = 1 - product / sqrt(own * expected), length = sqrt(own / expected);
    if (difference <= 1e-4 && fabs(length - 1) <= 1e-2)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "1 - cosine to decode-then-attend %.3g, length %.4g times its",
             difference, length);
    return false;
}

static fq_status run(fq_bench_session *session) {
    const size_t n = fq_bench_size(session, TOKENS, SMALL);
    work all[FORMS] = {0};
    fq_status status = FQ_OK;
    if (!fq_bench_wanted(session, "trellis:b=2"))
        return FQ_OK;
    for (size_t f = 0; f < FORMS; f++)
        FQ_TRY_GOTO(status, work_make(&all[f], f, n, fq_bench_seed(session)), done);
    const fq_bench_case the_case = {
        .name = "trellis:b=2",
        .unit = "tokens",
        .amount = (double)n,
        .flops = (double)n * 4 * DIM,
        .work = "one query of one head again and again, d = 64; 4d flop a token, decoded or not"};
    fq_bench_begin(session, &the_case);
    fq_bench_variant v = {.name = "mean, all decoded, OpenBLAS",
                          .kind = FQ_BENCH_NAIVE,
                          .run = run_decode,
                          .check = check,
                          .context = &all[1],
                          .output = all[1].out,
                          .output_bytes = DIM * sizeof *all[1].out};
    fq_bench_add(session, &v);
    v.kind = FQ_BENCH_OURS;
    v.run = run_codes;
    for (size_t f = 0; f < FORMS; f++) {
        v.name = forms[f].name;
        v.context = &all[f];
        v.output = all[f].out;
        fq_bench_add(session, &v);
    }
    status = fq_bench_measure(session);
done:
    for (size_t f = 0; f < FORMS; f++)
        work_clear(&all[f]);
    return status;
}

const fq_bench fq_bench_treated = {"treated", "what treatments cost where attention reads codes", false, run};
