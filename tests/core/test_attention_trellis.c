/* Attention straight on trellis codes: sums by every kernel against levels read one by one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention.h"
#include "attention_trellis.h"
#include "check.h"
#include "codec_groups.h"
#include "cpu.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, QUERIES = 7, DIM_MAX = FQ_ATTENTION_TRELLIS_DIM_MAX };

static fq_trellis_map random_map(fq_stream *s, unsigned fresh, unsigned together, unsigned window,
                                 unsigned label_bits) {
    fq_trellis_map map = {
        .fresh = fresh, .together = together, .window = window, .label_bits = label_bits, .step = 0.02};
    for (unsigned v = 0; v < together; v++)
        for (unsigned i = 0; i < window; i++)
            map.column[v][i] = (uint8_t)fq_stream_below(s, 1u << label_bits);
    for (unsigned i = 0; i < 1u << label_bits; i++)
        map.level[i] = (int8_t)((int)fq_stream_below(s, 255) - 127);
    return map;
}

/* K, V, L, m, d: one byte a period and several, one function and many, periods that no vector of fours
 * divides. */
static const struct {
    unsigned fresh, together, window, label_bits;
    size_t dim;
} shapes[] = {
    {2, 1, 10, 6, 64}, {2, 1, 10, 7, 64},  {2, 1, 8, 7, 128}, {1, 1, 10, 7, 64},  {1, 1, 8, 6, 128},
    {3, 1, 10, 7, 64}, {3, 1, 14, 8, 128}, {4, 1, 10, 8, 64}, {4, 1, 12, 8, 96},  {5, 1, 10, 7, 64},
    {5, 2, 10, 8, 64}, {7, 1, 10, 8, 72},  {8, 1, 14, 8, 33}, {1, 2, 10, 7, 80},  {1, 4, 10, 6, 128},
    {3, 2, 10, 7, 80}, {3, 4, 10, 7, 96},  {6, 1, 9, 5, 20},  {2, 1, 6, 3, 4},    {2, 1, 14, 8, 512},
    {1, 1, 10, 7, 16}, {2, 1, 10, 4, 100}, {8, 4, 13, 8, 64}, {8, 1, 14, 8, 32},  {8, 1, 10, 7, 8},
    {8, 3, 10, 8, 48}, {4, 1, 10, 7, 16},  {2, 1, 14, 8, 32}, {2, 1, 10, 7, 192},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct scene {
    fq_trellis_code code;
    fq_attention_trellis trellis;
    size_t d, n, stride;
    uint8_t payload[CHUNK * (DIM_MAX + 7)], columns[CHUNK * (DIM_MAX + 2)];
    int16_t weight[QUERIES * CHUNK];
    fq_attention_trellis_query query[QUERIES];
    float row[QUERIES][DIM_MAX];
} scene;

static bool scene_make(scene *s, fq_stream *random, size_t shape, size_t n) {
    const fq_trellis_map map = random_map(random, shapes[shape].fresh, shapes[shape].together,
                                          shapes[shape].window, shapes[shape].label_bits);
    s->d = shapes[shape].dim;
    s->n = n;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&s->code, &map, s->d)) ||
        !FQ_CHECK(fq_attention_trellis_reads(&s->code)))
        return false;
    fq_attention_trellis_init(&s->trellis, &s->code);
    s->stride = s->code.payload_bytes + fq_stream_below(random, 4);
    for (size_t i = 0; i < sizeof s->payload; i++)
        s->payload[i] = (uint8_t)fq_stream_below(random, 256);
    for (size_t i = 0; i < QUERIES * CHUNK; i++) {
        s->weight[i] = (int16_t)fq_stream_below(random, FQ_ATTENTION_TRELLIS_MOST + 1);
        if (i % CHUNK >= n || fq_stream_below(random, 8) == 0)
            s->weight[i] = 0;
    }
    s->weight[0] = FQ_ATTENTION_TRELLIS_MOST;
    for (size_t q = 0; q < QUERIES; q++) {
        for (size_t j = 0; j < s->d; j++)
            s->row[q][j] = q == 3 ? 0 : (float)fq_stream_normal(random);
        FQ_CHECK_OK(fq_attention_trellis_query_init(&s->query[q], &s->trellis, s->row[q]));
    }
    return true;
}

static void scene_clear(scene *s) {
    fq_trellis_code_clear(&s->code);
    for (size_t q = 0; q < QUERIES; q++)
        fq_attention_trellis_query_clear(&s->query[q]);
}

/* Whether a kernel's sums with m queries are those of levels read one by one. */
static bool sums_agree(scene *s, const fq_attention_trellis_kernels *kernels, size_t m) {
    static int32_t sum[QUERIES * CHUNK];
    static int64_t total[QUERIES * DIM_MAX], expected[QUERIES * DIM_MAX];
    const fq_attention_trellis_query *query[QUERIES];
    bool good = true;
    for (size_t q = 0; q < QUERIES; q++)
        query[q] = &s->query[q];
    const fq_attention_trellis_tokens tokens =
        kernels->arrange(&s->trellis, s->columns, s->payload, s->stride, s->n);
    memset(sum, 0x55, sizeof sum);
    memset(total, 0x55, sizeof total);
    memset(expected, 0, sizeof expected);
    kernels->scores(sum, &s->trellis, &tokens, query, m, (fq_attention_prefetch){0});
    kernels->values(total, &s->trellis, &tokens, s->weight, m, (fq_attention_prefetch){0});
    for (size_t i = 0; i < s->n; i++) {
        int64_t score[QUERIES] = {0};
        for (size_t j = 0; j < s->d; j++) {
            const int level = fq_trellis_level_at(&s->code, s->payload + i * s->stride, j);
            for (size_t q = 0; q < m; q++) {
                expected[q * s->d + j] += level * s->weight[q * CHUNK + i];
                score[q] += level * s->query[q].number[j];
            }
        }
        for (size_t q = 0; q < m; q++)
            good = good && sum[q * CHUNK + i] == score[q];
    }
    return good && memcmp(total, expected, m * s->d * sizeof *total) == 0;
}

/* Kernels that this processor can run, the best first; NULL behind them. */
static const fq_attention_trellis_kernels *kernels_at(size_t i) {
    static const fq_attention_kernel kernel[] = {FQ_ATTENTION_AVX512, FQ_ATTENTION_AVX2,
                                                 FQ_ATTENTION_PORTABLE};
    return i < sizeof kernel / sizeof *kernel ? fq_attention_trellis_kernels_for(kernel[i]) : NULL;
}

static void sums_are_exact(void) {
    static scene s;
    static const size_t sizes[] = {CHUNK, 1, 33, 511};
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47000);
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            if (!scene_make(&s, &random, shape, sizes[i]))
                continue;
            for (size_t k = 0; kernels_at(k); k++)
                for (size_t m = i == 0 ? 1 : QUERIES; m <= QUERIES; m++)
                    if (!FQ_CHECK(sums_agree(&s, kernels_at(k), m)))
                        printf("shape %zu, n = %zu, kernel %zu, %zu queries\n", shape, sizes[i], k, m);
            scene_clear(&s);
        }
}

/* The matrices of two functions exchanged, or a byte too far back: the sums must notice. */
static void wrong_matrices_are_noticed(void) {
    static scene s;
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47001);
    for (size_t shape = 0; shape < 6; shape++)
        for (size_t r = 0; r < 2; r++) {
            if (!scene_make(&s, &random, shape, CHUNK))
                continue;
            const uint64_t matrix = s.trellis.matrix[0][r];
            uint8_t nibble[2][16];
            memcpy(nibble, s.trellis.nibble[0][r], sizeof nibble);
            s.trellis.matrix[0][r] = s.trellis.matrix[1][r];
            memcpy(s.trellis.nibble[0][r], s.trellis.nibble[1][r], sizeof nibble);
            s.trellis.matrix[1][r] = matrix;
            memcpy(s.trellis.nibble[1][r], nibble, sizeof nibble);
            for (size_t k = 0; kernels_at(k); k++)
                if (kernels_at(k) != &fq_attention_trellis_portable)
                    FQ_CHECK(!sums_agree(&s, kernels_at(k), QUERIES));
            scene_clear(&s);
        }
}

/* The rounded query moves a score by 5e-5 of |q| |k| at most. */
static void queries_are_rounded_finely(void) {
    static scene s;
    fq_stream random;
    double worst = 0;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47002);
    for (size_t shape = 0; shape < SHAPES; shape++) {
        if (!scene_make(&s, &random, shape, CHUNK))
            continue;
        for (size_t i = 0; i < CHUNK; i++)
            for (size_t q = 0; q < 3; q++) {
                double exact = 0, rounded = 0, key = 0, size = 0;
                for (size_t j = 0; j < s.d; j++) {
                    const double level = fq_trellis_level_at(&s.code, s.payload + i * s.stride, j);
                    const double x = (double)s.row[q][j];
                    exact += level * x;
                    rounded += level * s.query[q].number[j] * (double)s.query[q].unit;
                    key += level * level;
                    size += x * x;
                }
                if (key > 0)
                    worst = fmax(worst, fabs(exact - rounded) / sqrt(key * size));
            }
        scene_clear(&s);
    }
    FQ_CHECK(worst > 0 && worst < 5e-5);
}

/* Keys and values of two codecs whose codes are any: every payload is one of an encoder's. */
typedef struct cache {
    fq_codec *key, *value;
    size_t d, n, m;
    float *queries, *k, *v; /* [m][d], [n][d] twice: what the codes decode to */
    uint8_t *key_codes, *value_codes;
    double scale;
} cache;

static fq_codec *codec_of(const char *name, size_t d) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, d, NULL));
    return codec;
}

/* Random codes, of norms 2 to 14. */
static void write_codes(const fq_codec *codec, uint8_t *codes, fq_stream *random, size_t n) {
    size_t count = 0;
    const fq_codec_group *group = fq_codec_get_groups(codec, &count);
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    for (size_t i = 0; i < n * bytes; i++)
        codes[i] = (uint8_t)fq_stream_below(random, 256);
    for (size_t i = 0; i < n; i++) {
        const double norm = 2 + 12 * fq_stream_uniform(random);
        if (count == 0) /* halves alone */
            for (size_t j = 0; j < bytes; j += 2)
                fq_fp16_store(codes + i * bytes + j, fq_fp16_from_float((float)fq_stream_normal(random)));
        else if (group->norm == FQ_NORM_HALF)
            fq_fp16_store(codes + i * bytes, fq_fp16_from_float((float)norm));
        else
            codes[i * bytes] = (uint8_t)(126 + i % 4);
        if (count && group->trellis->code.payload_bits % 8)
            codes[(i + 1) * bytes - 1] &= (uint8_t)((1u << group->trellis->code.payload_bits % 8) - 1);
    }
}

static void cache_make(cache *s, const char *key, const char *value, size_t d, size_t n, size_t m) {
    *s = (cache){.d = d, .n = n, .m = m, .scale = 1 / sqrt((double)d)};
    s->key = codec_of(key, d);
    s->value = codec_of(value, d);
    FQ_CHECK_OK(fq_alloc(&s->queries, m * d, sizeof *s->queries));
    FQ_CHECK_OK(fq_alloc(&s->k, n * d, sizeof *s->k));
    FQ_CHECK_OK(fq_alloc(&s->v, n * d, sizeof *s->v));
    FQ_CHECK_OK(fq_alloc(&s->key_codes, n, fq_codec_get_cost(s->key).code_bytes));
    FQ_CHECK_OK(fq_alloc(&s->value_codes, n, fq_codec_get_cost(s->value).code_bytes));
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47100 + n);
    for (size_t i = 0; i < m * d; i++)
        s->queries[i] = 2 * (float)fq_stream_normal(&random);
    write_codes(s->key, s->key_codes, &random, n);
    write_codes(s->value, s->value_codes, &random, n);
}

static void decode(cache *s) {
    FQ_CHECK_OK(fq_codec_decode(s->key, s->k, s->key_codes, s->n));
    FQ_CHECK_OK(fq_codec_decode(s->value, s->v, s->value_codes, s->n));
}

static void cache_clear(cache *s) {
    fq_codec_destroy(s->key);
    fq_codec_destroy(s->value);
    fq_free(s->queries);
    fq_free(s->k);
    fq_free(s->v);
    fq_free(s->key_codes);
    fq_free(s->value_codes);
}

/* In double; *size: the length that the output would have if values did not cancel, sqrt(sum p^2 |v|^2). */
static void attend_plainly(const cache *s, size_t q, double *out, double *size) {
    double *p = NULL, most = -HUGE_VAL, total = 0;
    FQ_CHECK_OK(fq_alloc(&p, s->n, sizeof *p));
    for (size_t i = 0; i < s->n; i++) {
        p[i] = 0;
        for (size_t j = 0; j < s->d; j++)
            p[i] += s->scale * (double)s->queries[q * s->d + j] * (double)s->k[i * s->d + j];
        most = fmax(most, p[i]);
    }
    memset(out, 0, s->d * sizeof *out);
    for (size_t i = 0; i < s->n; i++)
        total += p[i] = exp(p[i] - most);
    *size = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++) {
            const double part = p[i] / total * (double)s->v[i * s->d + j];
            out[j] += part;
            *size += part * part;
        }
    *size = sqrt(*size);
    fq_free(p);
}

/* Every kernel gives the same bits, and is within `tolerance` of the plain result. */
static void compare(const cache *s, double tolerance, const char *what) {
    static const unsigned without[] = {0, FQ_CPU_GFNI, FQ_CPU_AVX512F | FQ_CPU_GFNI,
                                       FQ_CPU_AVX512F | FQ_CPU_GFNI | FQ_CPU_AVX2};
    float *first = NULL, *out = NULL;
    double *wanted = NULL, size = 0, error = 0;
    FQ_CHECK_OK(fq_alloc(&first, s->m * s->d, sizeof *first));
    FQ_CHECK_OK(fq_alloc(&out, s->m * s->d, sizeof *out));
    FQ_CHECK_OK(fq_alloc(&wanted, s->d, sizeof *wanted));
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        fq_attention *a = NULL;
        float *to = i == 0 ? first : out;
        memset(to, 0xff, s->m * s->d * sizeof *to);
        fq_cpu_limit(FQ_CPU_ALL & ~without[i]);
        if (FQ_CHECK_OK(fq_attention_create(&a, s->key, s->value)))
            FQ_CHECK_OK(
                fq_attention_run(a, to, s->queries, s->m, s->key_codes, s->value_codes, s->n, s->scale));
        FQ_CHECK(memcmp(first, to, s->m * s->d * sizeof *to) == 0);
        fq_attention_destroy(a);
    }
    fq_cpu_limit(FQ_CPU_ALL);
    for (size_t q = 0; q < s->m; q++) {
        attend_plainly(s, q, wanted, &size);
        error = 0;
        for (size_t j = 0; j < s->d; j++)
            error += pow((double)first[q * s->d + j] - wanted[j], 2);
        if (!FQ_CHECK(sqrt(error) <= tolerance * size))
            printf("%s, n = %zu, query %zu: error %g of the length, allowed %g\n", what, s->n, q,
                   sqrt(error) / size, tolerance);
    }
    fq_free(first);
    fq_free(out);
    fq_free(wanted);
}

/* Scores are off by some 3e-6 of |q| |k| / sqrt(d), here up to some 2e-4; weights by 3e-4 of the mean one. */
static const double rounded = 1e-3, exact = 1e-5;

static void whole_attention_agrees_with_decoding(void) {
    static const struct {
        const char *key, *value;
        size_t d;
        double tolerance;
    } cases[] = {
        {"trellis:b=1", "trellis:b=1", 64, rounded},
        {"trellis:b=2", "trellis:b=2", 64, rounded},
        {"trellis:b=3", "trellis:b=2", 64, rounded},
        {"trellis:b=4", "trellis:b=4", 64, rounded},
        {"trellis:b=2", "trellis:b=3", 128, rounded},
        {"trellis:b=2,rot=hadamard", "trellis:b=1.5", 80, rounded},
        {"trellis:b=2,normbits=8", "trellis:b=0.5", 96, rounded},
        {"trellis:b=2,window=8", "trellis:b=2.5", 576, exact},
        {"trellis:b=3,window=8", "trellis:b=1", 20, exact},
        {"trellis:b=2", "fp16", 64, rounded},
    };
    static const size_t sizes[] = {1, 33, 513, 9001};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            cache s;
            if (sizes[i] > 1000 && c != 1)
                continue;
            cache_make(&s, cases[c].key, cases[c].value, cases[c].d, sizes[i], i == 2 ? 11 : 1);
            decode(&s);
            compare(&s, cases[c].tolerance, cases[c].key);
            cache_clear(&s);
        }
}

/* One token far ahead, zero vectors, a query of zeros, values whose norms differ by ten orders. */
static void extremes(void) {
    for (int kind = 0; kind < 4; kind++) {
        cache s;
        cache_make(&s, "trellis:b=2", "trellis:b=2", 64, 1500, 2);
        const size_t bytes = fq_codec_get_cost(s.key).code_bytes;
        if (kind == 0)
            fq_fp16_store(s.key_codes + 700 * bytes, fq_fp16_from_float(3000));
        for (size_t i = 0; kind == 1 && i < s.n; i += 3) {
            memset(s.key_codes + i * bytes, 0, bytes);
            memset(s.value_codes + i * bytes, 0, bytes);
        }
        for (size_t j = 0; kind == 2 && j < 64; j++)
            s.queries[j] = 0;
        for (size_t i = 0; kind == 3 && i < s.n; i++)
            fq_fp16_store(s.value_codes + i * bytes,
                          fq_fp16_from_float((float)pow(10.0, (double)(i % 11) - 6.5)));
        decode(&s);
        compare(&s, rounded, "extremes");
        cache_clear(&s);
    }
}

static void bad_codes_are_named(void) {
    cache s;
    float out[64 * 2];
    fq_attention *a = NULL;
    cache_make(&s, "trellis:b=2", "trellis:b=2", 64, 1300, 2);
    const size_t bytes = fq_codec_get_cost(s.key).code_bytes;
    FQ_CHECK_OK(fq_attention_create(&a, s.key, s.value));
    static const uint16_t halves[] = {0x7c00, 0x7e00, 0x8000, 0xc000, 0x0000};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        for (int side = 0; side < 2; side++) {
            uint8_t *at = (side ? s.value_codes : s.key_codes) + 1234 * bytes, kept[2] = {at[0], at[1]};
            fq_fp16_store(at, halves[i]);
            FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, s.scale),
                           FQ_ERR_CORRUPT);
            FQ_CHECK(fq_error_last()->value == 1234);
            FQ_CHECK(strcmp(fq_error_last()->argument, side ? "value_codes" : "key_codes") == 0);
            memcpy(at, kept, 2);
        }
    FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, 1e38),
                   FQ_ERR_RANGE);
    fq_attention_destroy(a);
    cache_clear(&s);
}

static void threads_change_no_bit(void) {
    const int usual = fq_test_get_threads();
    cache s;
    float one[64 * 3], more[64 * 3];
    fq_attention *a = NULL;
    cache_make(&s, "trellis:b=2", "trellis:b=1", 64, 20000, 3);
    if (FQ_CHECK_OK(fq_attention_create(&a, s.key, s.value))) {
        fq_test_set_threads(1);
        FQ_CHECK_OK(fq_attention_run(a, one, s.queries, 3, s.key_codes, s.value_codes, s.n, s.scale));
        fq_test_set_threads(3);
        FQ_CHECK_OK(fq_attention_run(a, more, s.queries, 3, s.key_codes, s.value_codes, s.n, s.scale));
        FQ_CHECK(memcmp(one, more, sizeof one) == 0);
        fq_test_set_threads(usual);
    }
    fq_attention_destroy(a);
    cache_clear(&s);
}

static void running_out_of_memory(void) {
    cache s;
    float out[64];
    cache_make(&s, "trellis:b=2", "trellis:b=1", 64, 600, 1);
    size_t fail = 1;
    for (; fail < 100; fail++) {
        fq_attention *a = NULL;
        fq_alloc_fail_at(fail);
        fq_status status = fq_attention_create(&a, s.key, s.value);
        if (status == FQ_OK)
            status = fq_attention_run(a, out, s.queries, 1, s.key_codes, s.value_codes, s.n, s.scale);
        fq_attention_destroy(a);
        if (status == FQ_OK)
            break;
        FQ_CHECK(status == FQ_ERR_MEMORY);
    }
    fq_alloc_fail_at(0);
    FQ_CHECK(fail > 10 && fail < 100);
    cache_clear(&s);
}

static const fq_test tests[] = {
    {"sums are exact", sums_are_exact},
    {"wrong matrices are noticed", wrong_matrices_are_noticed},
    {"queries are rounded finely", queries_are_rounded_finely},
    {"whole attention agrees with decoding", whole_attention_agrees_with_decoding},
    {"extremes", extremes},
    {"bad codes are named", bad_codes_are_named},
    {"threads change no bit", threads_change_no_bit},
    {"running out of memory", running_out_of_memory},
    {0},
};
const fq_suite fq_suite_attention_trellis = {"attention_trellis", tests};
