/* Attention over pages: the bits of attention over codes in one piece, a window of halves beside them, and no
 * allocation. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "attention_pages.h"
#include "check.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"

enum { D = 64, TOKENS = 8192 + 700, PAGES = (TOKENS + FQ_PAGE_TOKENS - 1) / FQ_PAGE_TOKENS, QUERIES = 9 };

/* How each kind of reading is met: nibbles, bytes, levels, rows, and two kinds in one attention. */
static const char *const pairs[][2] = {{"fib:k=2,N=16,recipe=initial", "tq:b=2"},
                                       {"fib:k=4,N=256,recipe=initial", "fib:k=4,N=256,recipe=initial"},
                                       {"trellis:b=2", "trellis:b=2"},
                                       {"tq:b=3", "trellis:b=1.5"},
                                       {"q8_0", "fp16"}};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

static float keys[TOKENS * D], values[TOKENS * D], queries[QUERIES * D];

static void fill(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 9100);
    for (size_t i = 0; i < TOKENS * D; i++) {
        keys[i] = (float)(2 * fq_stream_normal(&s));
        values[i] = (float)(0.3 + fq_stream_normal(&s));
    }
    for (size_t i = 0; i < QUERIES * D; i++)
        queries[i] = (float)fq_stream_normal(&s);
}

/* What a ring of halves gives back as it was. */
static void make_halves(size_t n) {
    for (size_t i = 0; i < n * D; i++) {
        keys[i] = fq_fp16_to_float(fq_fp16_from_float(keys[i]));
        values[i] = fq_fp16_to_float(fq_fp16_from_float(values[i]));
    }
}

/* A pair of codecs, their attention, all tokens' codes in one piece and, page by page in reverse, elsewhere.
 */
typedef struct setting {
    fq_codec *key, *value;
    fq_attention *attention;
    uint8_t *key_codes, *value_codes, *key_store, *value_store;
    uint8_t *key_pages[PAGES], *value_pages[PAGES];
    size_t key_bytes, value_bytes;
} setting;

static fq_codec *make(const char *name) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, NULL));
    return codec;
}

static bool set_up(setting *s, size_t pair) {
    memset(s, 0, sizeof *s);
    s->key = make(pairs[pair][0]);
    s->value = make(pairs[pair][1]);
    if (!s->key || !s->value)
        return false;
    s->key_bytes = fq_codec_get_cost(s->key).code_bytes;
    s->value_bytes = fq_codec_get_cost(s->value).code_bytes;
    bool good = FQ_CHECK_OK(fq_attention_create(&s->attention, s->key, s->value)) &&
                FQ_CHECK_OK(fq_alloc_zero(&s->key_codes, TOKENS, s->key_bytes)) &&
                FQ_CHECK_OK(fq_alloc_zero(&s->value_codes, TOKENS, s->value_bytes)) &&
                FQ_CHECK_OK(fq_alloc_zero(&s->key_store, PAGES * FQ_PAGE_TOKENS, s->key_bytes)) &&
                FQ_CHECK_OK(fq_alloc_zero(&s->value_store, PAGES * FQ_PAGE_TOKENS, s->value_bytes)) &&
                FQ_CHECK_OK(fq_codec_encode(s->key, s->key_codes, keys, TOKENS)) &&
                FQ_CHECK_OK(fq_codec_encode(s->value, s->value_codes, values, TOKENS));
    for (size_t p = 0; good && p < PAGES; p++) {
        s->key_pages[p] = s->key_store + (PAGES - 1 - p) * FQ_PAGE_TOKENS * s->key_bytes;
        s->value_pages[p] = s->value_store + (PAGES - 1 - p) * FQ_PAGE_TOKENS * s->value_bytes;
    }
    return good;
}

static void tear_down(setting *s) {
    fq_free(s->key_codes);
    fq_free(s->value_codes);
    fq_free(s->key_store);
    fq_free(s->value_store);
    fq_attention_destroy(s->attention);
    fq_codec_destroy(s->key);
    fq_codec_destroy(s->value);
}

static void put_in_pages(setting *s, size_t tokens) {
    for (size_t t = 0; t < tokens; t++) {
        memcpy(s->key_pages[t / FQ_PAGE_TOKENS] + t % FQ_PAGE_TOKENS * s->key_bytes,
               s->key_codes + t * s->key_bytes, s->key_bytes);
        memcpy(s->value_pages[t / FQ_PAGE_TOKENS] + t % FQ_PAGE_TOKENS * s->value_bytes,
               s->value_codes + t * s->value_bytes, s->value_bytes);
    }
}

static fq_paged_head head_of(setting *s, size_t tokens) {
    return (fq_paged_head){
        .key_pages = s->key_pages, .value_pages = s->value_pages, .page_count = PAGES, .tokens = tokens};
}

static void given_pages_expect_the_bits_of_one_piece(void) {
    static const size_t tokens[] = {1, 15, 16, 17, 511, 512, 700, 8192, TOKENS}, counts[] = {1, 3, QUERIES};
    static setting s;
    fill();
    for (size_t pair = 0; pair < PAIRS; pair++) {
        fq_attention_scratch *scratch = NULL;
        if (set_up(&s, pair) &&
            FQ_CHECK_OK(fq_attention_scratch_create(&scratch, s.attention, QUERIES, TOKENS))) {
            put_in_pages(&s, TOKENS);
            for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
                for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
                    float out[2][QUERIES * D];
                    const fq_paged_head head = head_of(&s, tokens[i]);
                    FQ_CHECK_OK(fq_attention_run(s.attention, out[0], queries, counts[c], s.key_codes,
                                                 s.value_codes, tokens[i], 0.125));
                    fq_alloc_fail_at(1);
                    FQ_CHECK_OK(fq_attention_run_pages(s.attention, scratch, out[1], counts[c] * D, queries,
                                                       counts[c], &head, 0.125));
                    FQ_CHECK(fq_alloc_fail_at(0) == 0);
                    if (!FQ_CHECK(memcmp(out[0], out[1], counts[c] * D * sizeof(float)) == 0))
                        fprintf(stderr, "  %s, %s: %zu tokens, %zu queries\n", pairs[pair][0], pairs[pair][1],
                                tokens[i], counts[c]);
                }
        }
        fq_attention_scratch_destroy(scratch);
        tear_down(&s);
    }
}

/* Token by token, the pages hold the codes of all tokens at once (of halves), and a page is asked for every
 * sixteen. */
static void given_tokens_one_by_one_expect_the_same_codes(void) {
    static setting s;
    static uint16_t recent[2][(5 + FQ_PAGE_TOKENS) * D];
    enum { N = 100 };
    fill();
    make_halves(N);
    for (size_t pair = 0; pair < PAIRS; pair++) {
        fq_attention_scratch *scratch = NULL;
        if (set_up(&s, pair) && FQ_CHECK_OK(fq_attention_scratch_create(&scratch, s.attention, 1, N))) {
            fq_paged_head head = head_of(&s, 0);
            size_t asked = 0;
            head.page_count = 0;
            head.recent_keys = recent[0];
            head.recent_values = recent[1];
            head.window = 5;
            fq_alloc_fail_at(1);
            for (size_t t = 0; t < N; t++) {
                if (fq_paged_head_needs_page(&head)) {
                    FQ_CHECK(t % FQ_PAGE_TOKENS == 5);
                    FQ_CHECK_FAILS(
                        fq_paged_head_append(&head, s.attention, scratch, keys + t * D, values + t * D),
                        FQ_ERR_RANGE);
                    head.page_count = ++asked;
                }
                FQ_CHECK_OK(fq_paged_head_append(&head, s.attention, scratch, keys + t * D, values + t * D));
                FQ_CHECK(head.tokens + head.recent == t + 1 && (t < 5 || head.recent > 5));
            }
            FQ_CHECK(fq_alloc_fail_at(0) == 0 && head.tokens == 80 && asked == 5);
            for (size_t t = 0; t < head.tokens; t++)
                FQ_CHECK(memcmp(head.key_pages[t / 16] + t % 16 * s.key_bytes, s.key_codes + t * s.key_bytes,
                                s.key_bytes) == 0 &&
                         memcmp(head.value_pages[t / 16] + t % 16 * s.value_bytes,
                                s.value_codes + t * s.value_bytes, s.value_bytes) == 0);
        }
        fq_attention_scratch_destroy(scratch);
        tear_down(&s);
    }
}

/* Attention in double over decoded tokens 0 .. coded - 1 and halves of the others, for one query. */
static void reference(double *out, const setting *s, size_t coded, size_t n, const float *query) {
    static float k[TOKENS * D], v[TOKENS * D];
    double score[200], most = -INFINITY, total = 0;
    FQ_CHECK_OK(fq_codec_decode(s->key, k, s->key_codes, coded));
    FQ_CHECK_OK(fq_codec_decode(s->value, v, s->value_codes, coded));
    for (size_t i = coded * D; i < n * D; i++) {
        k[i] = fq_fp16_to_float(fq_fp16_from_float(keys[i]));
        v[i] = fq_fp16_to_float(fq_fp16_from_float(values[i]));
    }
    for (size_t t = 0; t < n; t++) {
        score[t] = 0;
        for (size_t j = 0; j < D; j++)
            score[t] += 0.125 * (double)query[j] * (double)k[t * D + j];
        most = score[t] > most ? score[t] : most;
    }
    memset(out, 0, D * sizeof *out);
    for (size_t t = 0; t < n; t++) {
        const double weight = exp(score[t] - most);
        total += weight;
        for (size_t j = 0; j < D; j++)
            out[j] += weight * (double)v[t * D + j];
    }
    for (size_t j = 0; j < D; j++)
        out[j] /= total;
}

/* The newest tokens count as they are, whatever the window. */
static void given_a_window_expect_recent_tokens_uncoded(void) {
    enum { N = 150 };
    static setting s;
    static const size_t windows[] = {0, 1, 16, 64, 200};
    fill();
    make_halves(N);
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        fq_attention_scratch *scratch = NULL;
        static uint16_t recent[2][216 * D];
        if (set_up(&s, 4) && FQ_CHECK_OK(fq_attention_scratch_create(&scratch, s.attention, 2, N))) {
            fq_paged_head head = head_of(&s, 0);
            head.recent_keys = recent[0];
            head.recent_values = recent[1];
            head.window = windows[w];
            for (size_t t = 0; t < N; t++) {
                FQ_CHECK_OK(fq_paged_head_append(&head, s.attention, scratch, keys + t * D, values + t * D));
                if (t % 49 != 1 && t + 1 < N)
                    continue;
                float out[2 * D];
                double wanted[D], largest = 0;
                FQ_CHECK(head.tokens + head.recent == t + 1 &&
                         head.tokens == (t < windows[w] ? 0 : (t - windows[w]) / 16 * 16));
                FQ_CHECK_OK(
                    fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 2, &head, 0.125));
                for (size_t q = 0; q < 2; q++) {
                    reference(wanted, &s, head.tokens, t + 1, queries + q * D);
                    for (size_t j = 0; j < D; j++)
                        largest = fmax(largest, fabs((double)out[q * D + j] - wanted[j]));
                }
                if (!FQ_CHECK(largest < 2e-5))
                    fprintf(stderr, "  window %zu, %zu tokens: off by %g\n", windows[w], t + 1, largest);
            }
        }
        fq_attention_scratch_destroy(scratch);
        tear_down(&s);
    }
}

static void given_what_does_not_fit_expect_errors(void) {
    static setting s;
    fq_attention_scratch *scratch = NULL, *none = NULL;
    fq_attention *other = NULL;
    float out[2 * D], key[D] = {0};
    uint16_t recent[2][FQ_PAGE_TOKENS * D];
    fill();
    if (set_up(&s, 2) && FQ_CHECK_OK(fq_attention_scratch_create(&scratch, s.attention, 2, 32)) &&
        FQ_CHECK_OK(fq_attention_create(&other, s.key, s.value))) {
        fq_paged_head head = head_of(&s, 32);
        put_in_pages(&s, 33);
        FQ_CHECK_OK(fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 2, &head, 0.125));
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, 2 * D - 1, queries, 2, &head, 0.125),
                       FQ_ERR_RANGE);
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, 9 * D, queries, 3, &head, 0.125),
                       FQ_ERR_RANGE);
        FQ_CHECK_FAILS(fq_attention_run_pages(other, scratch, out, 2 * D, queries, 2, &head, 0.125),
                       FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 0, &head, 0.125),
                       FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 1, &head, NAN),
                       FQ_ERR_NONFINITE);
        head.tokens = 33;
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, D, queries, 1, &head, 0.125),
                       FQ_ERR_RANGE);
        head.tokens = 0;
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, D, queries, 1, &head, 0.125),
                       FQ_ERR_ARGUMENT);
        head = (fq_paged_head){.recent_keys = recent[0], .recent_values = recent[1]};
        key[3] = 70000; /* beyond half precision */
        FQ_CHECK_FAILS(fq_paged_head_append(&head, s.attention, scratch, key, values), FQ_ERR_RANGE);
        FQ_CHECK_FAILS(fq_paged_head_append(&head, other, scratch, keys, values), FQ_ERR_ARGUMENT);
        FQ_CHECK(head.recent == 0);
        FQ_CHECK_OK(fq_paged_head_append(&head, s.attention, scratch, keys, values));
        FQ_CHECK_OK(fq_attention_run_pages(s.attention, scratch, out, D, queries, 1, &head, 0.125));
        for (size_t j = 0; j < D; j++) /* one token: its value */
            FQ_CHECK(out[j] == fq_fp16_to_float(fq_fp16_from_float(values[j])));
        for (size_t t = 1; t < FQ_PAGE_TOKENS; t++)
            FQ_CHECK_OK(fq_paged_head_append(&head, s.attention, scratch, keys, values));
        FQ_CHECK(fq_paged_head_needs_page(&head));
        FQ_CHECK_FAILS(fq_paged_head_append(&head, s.attention, scratch, keys, values), FQ_ERR_RANGE);
        FQ_CHECK(head.recent == FQ_PAGE_TOKENS && head.tokens == 0);
        /* a failure leaves the work space as good as before */
        s.key_pages[0][1] = 0xff;
        head = head_of(&s, 32);
        FQ_CHECK_FAILS(fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 2, &head, 0.125),
                       FQ_ERR_CORRUPT);
        put_in_pages(&s, 33);
        FQ_CHECK_OK(fq_attention_run_pages(s.attention, scratch, out, 2 * D, queries, 2, &head, 0.125));
        FQ_CHECK_FAILS(fq_attention_scratch_create(&none, s.attention, 0, 1), FQ_ERR_ARGUMENT);
        size_t allocations = 1;
        for (size_t at = 1; at <= allocations; at++) {
            fq_alloc_fail_at(at);
            const fq_status status = fq_attention_scratch_create(&none, s.attention, 1, 100);
            allocations = fq_alloc_fail_at(0);
            FQ_CHECK(status == FQ_OK || status == FQ_ERR_MEMORY);
            if (status == FQ_OK)
                break;
        }
        fq_attention_scratch_destroy(none);
    }
    fq_attention_destroy(other);
    fq_attention_scratch_destroy(scratch);
    tear_down(&s);
}

typedef struct worker {
    const setting *s;
    const fq_paged_head *head;
    float out[QUERIES * D];
    bool good;
} worker;

static void *attend(void *context) {
    worker *w = context;
    fq_attention_scratch *scratch = NULL;
    w->good = fq_attention_scratch_create(&scratch, w->s->attention, QUERIES, TOKENS) == FQ_OK;
    for (int i = 0; w->good && i < 3; i++)
        w->good = fq_attention_run_pages(w->s->attention, scratch, w->out, QUERIES * D, queries, QUERIES,
                                         w->head, 0.125) == FQ_OK;
    fq_attention_scratch_destroy(scratch);
    return NULL;
}

/* Threads of the caller's share codecs, attention and pages, each with a work space. */
static void given_threads_of_the_callers_expect_the_same(void) {
    enum { THREADS = 4 };
    static setting s;
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    fill();
    if (set_up(&s, 2)) {
        put_in_pages(&s, TOKENS);
        const fq_paged_head head = head_of(&s, TOKENS);
        for (size_t t = 0; t < THREADS; t++) {
            workers[t] = (worker){.s = &s, .head = &head};
            FQ_CHECK(pthread_create(&threads[t], NULL, attend, &workers[t]) == 0);
        }
        for (size_t t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            FQ_CHECK(workers[t].good && memcmp(workers[t].out, workers[0].out, sizeof workers[0].out) == 0);
        }
    }
    tear_down(&s);
}

static const fq_test tests[] = {
    {"pages", given_pages_expect_the_bits_of_one_piece},
    {"one by one", given_tokens_one_by_one_expect_the_same_codes},
    {"window", given_a_window_expect_recent_tokens_uncoded},
    {"errors", given_what_does_not_fit_expect_errors},
    {"threads", given_threads_of_the_callers_expect_the_same},
    {0},
};
const fq_suite fq_suite_attention_pages = {"attention_pages", tests};
