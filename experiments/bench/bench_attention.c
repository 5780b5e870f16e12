/* Attention of one query a head, or of several that share it, over 65,536 tokens stored as codes, beside
 * caches of float32 and of halves: one head again and again, which the third-level cache may hold even as
 * halves, and 32 heads in turn, as a model reads them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention.h"
#include "attention_kernel_choice.h"
#include "attention_pages.h"
#include "bench.h"
#include "bench_attention_float.h"
#include "fp16.h"
#include "memory.h"
#include "stream_ranges.h"

enum { DIM_MAX = 128, QUERIES_MAX = 4, TOKENS = 65536, SMALL = 2 * FQ_FLOAT_ATTENTION_CHUNK };

/* Two bits a coordinate, one, a half of one; then heads in turn. The words before training cost the same as
 * trained ones, and to read a code costs the same however its encoder searched. */
#define FLOAT32 "float32, OpenBLAS"
#define HALVES  "halves, F16C"
static const struct {
    const char *name, *spec;
    size_t heads, dim, queries, tokens;
} cases[] = {
    {"fib:k=2,N=16", "fib:k=2,N=16,recipe=initial", 1, 64, 1, TOKENS},
    {"tq:b=2", "tq:b=2", 1, 64, 1, TOKENS},
    {"fib:k=4,N=256", "fib:k=4,N=256,recipe=initial", 1, 64, 1, TOKENS},
    {"fib:k=4,N=16", "fib:k=4,N=16,recipe=initial", 1, 64, 1, TOKENS},
    {"fib:k=8,N=256", "fib:k=8,N=256,recipe=initial", 1, 64, 1, TOKENS},
    {"fib:k=8,N=16", "fib:k=8,N=16,recipe=initial", 1, 64, 1, TOKENS},
    {"fib:k=16,N=256", "fib:k=16,N=256,recipe=initial", 1, 64, 1, TOKENS},
    {"tq:b=2,heads=32", "tq:b=2", 32, 64, 1, TOKENS},
    {"fib:k=4,N=256,heads=32", "fib:k=4,N=256,recipe=initial", 32, 64, 1, TOKENS},
    {"trellis:b=1,heads=32", "trellis:b=1,tries=1", 32, 64, 1, TOKENS},
    {"trellis:b=2,heads=32", "trellis:b=2,tries=1", 32, 64, 1, TOKENS},
    {"trellis:b=3,heads=32", "trellis:b=3,tries=1", 32, 64, 1, TOKENS},
    {"trellis:b=4,heads=32", "trellis:b=4,tries=1", 32, 64, 1, TOKENS},
    {"trellis:b=2,heads=32,queries=4", "trellis:b=2,tries=1", 32, 64, 4, TOKENS},
    {"trellis:b=2,heads=16,d=128", "trellis:b=2,tries=1", 16, 128, 1, TOKENS},
    {"trellis:b=2,heads=16,d=128,queries=4", "trellis:b=2,tries=1", 16, 128, 4, TOKENS},
    {"tq:b=2,tokens=8192", "tq:b=2", 1, 64, 1, 8192},
    {"fib:k=4,N=256,tokens=8192", "fib:k=4,N=256,recipe=initial", 1, 64, 1, 8192},
    {"trellis:b=2,tokens=8192", "trellis:b=2,tries=1", 1, 64, 1, 8192},
};
static const fq_bench_target goal = {FQ_GOAL_TIMES, 4, FLOAT32}, also_goal = {FQ_GOAL_TIMES, 2, HALVES};

typedef struct work {
    fq_codec *codec;
    fq_attention *attention[FQ_ATTENTION_KERNELS]; /* by kernel; NULL where not available */
    size_t heads, n, bytes, d, m;
    float scale;
    float *query, *out;                    /* [m][d], [heads][m][d] */
    uint8_t *key_codes, *value_codes;      /* [heads][n][bytes] */
    float *keys, *values;                  /* [heads][n][d], what the codes decode to */
    uint16_t *half_keys, *half_values;     /* [heads][n][d], the same, rounded */
    float *decoded, *score;                /* scratch: [2][n][d], [n] */
    double expected[QUERIES_MAX][DIM_MAX]; /* of each head, from keys and values, in double */
    double difference;                     /* 1 - cosine, of the last check */
    uint8_t **pages;                       /* [2][heads][pages a head], keys then values, far apart */
    fq_attention_scratch *scratch;
} work;

typedef struct path {
    work *work;
    fq_attention *attention;
} path;

static void work_clear(work *w) {
    for (size_t i = 0; i < FQ_ATTENTION_KERNELS; i++)
        fq_attention_destroy(w->attention[i]);
    fq_attention_scratch_destroy(w->scratch);
    fq_codec_destroy(w->codec);
    void *const owned[] = {w->query,     w->out,         w->key_codes, w->value_codes, w->keys, w->values,
                           w->half_keys, w->half_values, w->decoded,   w->score,       w->pages};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        fq_free(owned[i]);
    *w = (work){0};
}

static fq_status expect(work *w, size_t q) {
    double *p = NULL, *const expected = w->expected[q], most = -HUGE_VAL, total = 0;
    FQ_TRY(fq_alloc(&p, w->n, sizeof *p));
    for (size_t i = 0; i < w->n; i++) {
        p[i] = 0;
        for (size_t j = 0; j < w->d; j++)
            p[i] += (double)w->query[q * w->d + j] * (double)w->keys[i * w->d + j];
        p[i] *= (double)w->scale;
        most = fmax(most, p[i]);
    }
    for (size_t i = 0; i < w->n; i++) {
        p[i] = exp(p[i] - most);
        total += p[i];
        for (size_t j = 0; j < w->d; j++)
            expected[j] += p[i] * (double)w->values[i * w->d + j];
    }
    for (size_t j = 0; j < w->d; j++)
        expected[j] /= total;
    fq_free(p);
    return FQ_OK;
}

/* The first head's tokens to all others': other memory, the same numbers. */
static void repeat(const work *w, void *tokens, size_t token_bytes) {
    const size_t size = w->n * token_bytes;
    for (size_t h = 1; h < w->heads; h++)
        memcpy((uint8_t *)tokens + h * size, tokens, size);
}

/* Gaussian keys; values with a mean, as a real cache's, so that the output is not noise alone. */
static fq_status fill(work *w, uint64_t seed) {
    fq_stream random;
    fq_stream_init_in(&random, seed, FQ_RANGE_BENCH_POINTS, 0);
    for (size_t j = 0; j < w->m * w->d; j++)
        w->query[j] = 2 * (float)fq_stream_normal(&random);
    for (size_t i = 0; i < w->n * w->d; i++) {
        w->keys[i] = (float)fq_stream_normal(&random);
        w->values[i] = 0.3F + (float)fq_stream_normal(&random);
    }
    FQ_TRY(fq_codec_encode(w->codec, w->key_codes, w->keys, w->n));
    FQ_TRY(fq_codec_encode(w->codec, w->value_codes, w->values, w->n));
    FQ_TRY(fq_codec_decode(w->codec, w->keys, w->key_codes, w->n));
    FQ_TRY(fq_codec_decode(w->codec, w->values, w->value_codes, w->n));
    for (size_t i = 0; i < w->n * w->d; i++) {
        w->half_keys[i] = fq_fp16_from_float(w->keys[i]);
        w->half_values[i] = fq_fp16_from_float(w->values[i]);
    }
    repeat(w, w->key_codes, w->bytes);
    repeat(w, w->value_codes, w->bytes);
    repeat(w, w->keys, w->d * sizeof *w->keys);
    repeat(w, w->values, w->d * sizeof *w->values);
    repeat(w, w->half_keys, w->d * sizeof *w->half_keys);
    repeat(w, w->half_values, w->d * sizeof *w->half_values);
    for (size_t q = 0; q < w->m; q++)
        FQ_TRY(expect(w, q));
    return FQ_OK;
}

/* Tables of pages, the last part of the codes first: attention does not mind the order of tokens, and no page
 * lies behind the one before it. */
static fq_status pages_make(work *w) {
    const size_t pages = w->n / FQ_PAGE_TOKENS, page = FQ_PAGE_TOKENS * w->bytes;
    FQ_TRY(fq_alloc(&w->pages, 2 * w->heads, pages * sizeof *w->pages));
    for (size_t h = 0; h < w->heads; h++)
        for (size_t p = 0; p < pages; p++) {
            const size_t at = h * w->n * w->bytes + (pages - 1 - p) * page;
            w->pages[h * pages + p] = w->key_codes + at;
            w->pages[(w->heads + h) * pages + p] = w->value_codes + at;
        }
    return fq_attention_scratch_create(&w->scratch, w->attention[FQ_ATTENTION_BEST], w->m, w->n);
}

static fq_status work_make(work *w, size_t c, size_t n, uint64_t seed) {
    const size_t heads = cases[c].heads, d = cases[c].dim, m = cases[c].queries;
    fq_codec_spec spec;
    *w = (work){.heads = heads, .n = n, .d = d, .m = m, .scale = 1 / sqrtf((float)d)};
    FQ_TRY(fq_codec_spec_parse(&spec, cases[c].spec));
    FQ_TRY(fq_codec_create(&w->codec, &spec, d, NULL));
    for (int i = 0; i < FQ_ATTENTION_KERNELS; i++)
        if (fq_attention_kernel_available((fq_attention_kernel)i))
            FQ_TRY(fq_attention_create_kernel(&w->attention[i], w->codec, w->codec, (fq_attention_kernel)i));
    w->bytes = fq_codec_get_cost(w->codec).code_bytes;
    const size_t all = heads * n;
    FQ_TRY(fq_alloc(&w->query, m * d, sizeof *w->query));
    FQ_TRY(fq_alloc(&w->out, heads * m * d, sizeof *w->out));
    FQ_TRY(fq_alloc(&w->key_codes, all, w->bytes));
    FQ_TRY(fq_alloc(&w->value_codes, all, w->bytes));
    FQ_TRY(fq_alloc(&w->keys, all, w->d * sizeof *w->keys));
    FQ_TRY(fq_alloc(&w->values, all, w->d * sizeof *w->values));
    FQ_TRY(fq_alloc(&w->half_keys, all, w->d * sizeof *w->half_keys));
    FQ_TRY(fq_alloc(&w->half_values, all, w->d * sizeof *w->half_values));
    FQ_TRY(fq_alloc(&w->decoded, n, 2 * w->d * sizeof *w->decoded));
    FQ_TRY(fq_alloc(&w->score, m * n, sizeof *w->score));
    FQ_TRY(fill(w, seed));
    return pages_make(w);
}

static fq_status run_naive(void *context) {
    const work *const w = context;
    for (size_t h = 0, at = 0; h < w->heads; h++, at += w->n * w->d)
        fq_float_attention_naive(w->out + h * w->m * w->d, w->query, w->m, w->keys + at, w->values + at,
                                 w->score, w->n, w->d, w->scale);
    return FQ_OK;
}

static fq_status run_blas(void *context) {
    const work *const w = context;
    for (size_t h = 0, at = 0; h < w->heads; h++, at += w->n * w->d)
        fq_float_attention_blas(w->out + h * w->m * w->d, w->query, w->m, w->keys + at, w->values + at,
                                w->score, w->n, w->d, w->scale);
    return FQ_OK;
}

static fq_status run_halves(void *context) {
    const work *const w = context;
    for (size_t h = 0, at = 0; h < w->heads; h++, at += w->n * w->d)
        fq_half_attention_run(w->out + h * w->m * w->d, w->query, w->m, w->half_keys + at,
                              w->half_values + at, w->n, w->d, w->scale);
    return FQ_OK;
}

static fq_status run_decode(void *context) {
    const work *const w = context;
    float *const keys = w->decoded, *const values = w->decoded + w->n * w->d;
    for (size_t h = 0, at = 0; h < w->heads; h++, at += w->n * w->bytes) {
        FQ_TRY(fq_codec_decode(w->codec, keys, w->key_codes + at, w->n));
        FQ_TRY(fq_codec_decode(w->codec, values, w->value_codes + at, w->n));
        fq_float_attention_blas(w->out + h * w->m * w->d, w->query, w->m, keys, values, w->score, w->n, w->d,
                                w->scale);
    }
    return FQ_OK;
}

static fq_status run_codes(void *context) {
    const path *const p = context;
    const work *const w = p->work;
    for (size_t h = 0, at = 0; h < w->heads; h++, at += w->n * w->bytes)
        FQ_TRY(fq_attention_run(p->attention, w->out + h * w->m * w->d, w->query, w->m, w->key_codes + at,
                                w->value_codes + at, w->n, (double)w->scale));
    return FQ_OK;
}

static fq_status run_pages(void *context) {
    const work *const w = context;
    const size_t pages = w->n / FQ_PAGE_TOKENS;
    for (size_t h = 0; h < w->heads; h++) {
        const fq_paged_head head = {.key_pages = w->pages + h * pages,
                                    .value_pages = w->pages + (w->heads + h) * pages,
                                    .page_count = pages,
                                    .tokens = w->n};
        FQ_TRY(fq_attention_run_pages(w->attention[FQ_ATTENTION_BEST], w->scratch, w->out + h * w->m * w->d,
                                      w->m * w->d, w->query, w->m, &head, (double)w->scale));
    }
    return FQ_OK;
}

/* Each head's and query's cosine to what decoding and attending in double gives, and the length. */
static bool check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    work *const w = context;
    for (size_t i = 0; i < w->heads * w->m; i++) {
        const float *const out = w->out + i * w->d;
        const double *const wanted = w->expected[i % w->m];
        double product = 0, own = 0, expected = 0;
        for (size_t j = 0; j < w->d; j++) {
            product += (double)out[j] * wanted[j];
            own += (double)out[j] * (double)out[j];
            expected += wanted[j] * wanted[j];
        }
        w->difference = 1 - product / sqrt(own * expected);
        const double length = sqrt(own / expected);
        if (w->difference <= 1e-4 && fabs(length - 1) <= 1e-2)
            continue;
        snprintf(why, FQ_BENCH_WHY_MAX,
                 "head %zu: 1 - cosine to decode-then-attend %.3g, length %.4g times its", i / w->m,
                 w->difference, length);
        return false;
    }
    return true;
}

static bool check_path(void *context, char why[FQ_BENCH_WHY_MAX]) {
    return check(((path *)context)->work, why);
}

/* How near attention on codes comes; the timed variants' outputs are checked to the same bound. */
static fq_status note_difference(fq_bench_session *session, const path *p) {
    char why[FQ_BENCH_WHY_MAX] = ""; /* before measure, which prints the case */
    FQ_TRY(run_codes((void *)(uintptr_t)p));
    const bool good = check(p->work, why);
    const fq_bench_target target = {FQ_GOAL_VALUE, 1e-4, NULL};
    return fq_bench_note(session, "1 - cosine to decoding", p->work->difference, "1", &target, good, why);
}

static fq_status measure(fq_bench_session *session, size_t c) {
    work w;
    const size_t n = fq_bench_size(session, cases[c].tokens, SMALL);
    const char *best = NULL; /* the first that is there */
    path paths[FQ_ATTENTION_KERNELS];
    fq_status status = work_make(&w, c, n, fq_bench_seed(session));
    const double amount = (double)(cases[c].heads * n);
    const fq_bench_case the_case = {
        .name = cases[c].name,
        .unit = "tokens",
        .amount = amount,
        .flops = amount * 4 * (double)(w.m * w.d),
        .work = w.m == 1 ? "one query a head, keys and values coded alike; 4d flop a token, decoded or not"
                         : "four queries a head at once, keys and values coded alike; 16d flop a token"};
    if (status != FQ_OK)
        goto done;
    fq_bench_begin(session, &the_case);
    fq_bench_add_peak(session);
    fq_bench_variant v = {.name = "float32, plain loops",
                          .kind = FQ_BENCH_NAIVE,
                          .run = run_naive,
                          .check = check,
                          .context = &w,
                          .output = w.out,
                          .output_bytes = cases[c].heads * w.m * w.d * sizeof *w.out};
    fq_bench_add(session, &v);
    v.name = FLOAT32;
    v.kind = FQ_BENCH_LIBRARY;
    v.run = run_blas;
    fq_bench_add(session, &v);
    v.name = HALVES;
    v.run = run_halves;
    if (fq_half_attention_available())
        fq_bench_add(session, &v);
    v.name = "decode all, OpenBLAS";
    v.run = run_decode;
    fq_bench_add(session, &v);
    v.kind = FQ_BENCH_OURS;
    v.run = run_codes;
    v.check = check_path;
    if (w.m == 1) { /* goals of the best kernel, which comes first */
        v.target = goal;
        v.also = fq_half_attention_available() ? also_goal : (fq_bench_target){0};
    }
    for (int i = FQ_ATTENTION_KERNELS - 1; i > FQ_ATTENTION_BEST; i--) {
        paths[i] = (path){&w, w.attention[i]};
        if (!w.attention[i])
            continue;
        v.name = fq_attention_kernel_name((fq_attention_kernel)i);
        v.context = &paths[i];
        best = best ? best : v.name;
        fq_bench_add(session, &v);
        v.target = v.also = (fq_bench_target){0};
    }
    v.name = "pages of 16 tokens";
    v.run = run_pages;
    v.check = check;
    v.context = &w;
    v.target = (fq_bench_target){FQ_GOAL_TIMES, 0.9, best};
    fq_bench_add(session, &v);
    v.run = run_codes;
    v.check = check_path;
    v.target = (fq_bench_target){0};
    paths[FQ_ATTENTION_BEST] = (path){&w, w.attention[FQ_ATTENTION_BEST]};
    v.name = "two threads";
    v.context = &paths[FQ_ATTENTION_BEST];
    v.threads = 2;
    if (fq_bench_threads(session) >= 2)
        fq_bench_add(session, &v);
    FQ_TRY_GOTO(status, note_difference(session, &paths[FQ_ATTENTION_BEST]), done);
    status = fq_bench_measure(session);
done:
    work_clear(&w);
    return status;
}

static fq_status run(fq_bench_session *session) {
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        if (fq_bench_wanted(session, cases[c].name))
            FQ_TRY(measure(session, c));
    return FQ_OK;
}

const fq_bench fq_bench_attention = {
    "attention", "attention straight on codes, beside float32 and half caches", false, run};
