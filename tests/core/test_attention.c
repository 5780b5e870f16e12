/* Attention on codes against decoding everything and attending in double. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention.h"
#include "attention_kernel_choice.h"
#include "check.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"

enum { MOST = 9001 };

typedef struct scene {
    fq_codec *key, *value;
    size_t d, n, m;
    float *queries, *k, *v; /* [m][d], [n][d] twice */
    uint8_t *key_codes, *value_codes;
    double scale;
} scene;

/* Codebooks as they are before training: what the words are makes no difference here. */
static fq_codec *codec_of(const char *name, size_t d) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    char full[64];
    snprintf(full, sizeof full, "%s%s", name, strncmp(name, "fib", 3) == 0 ? ",recipe=initial" : "");
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, full));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, d, NULL));
    return codec;
}

static bool scene_make(scene *s, const char *key, const char *value, size_t d, size_t n, size_t m) {
    *s = (scene){.d = d, .n = n, .m = m, .scale = 1 / sqrt((double)d)};
    s->key = codec_of(key, d);
    s->value = codec_of(value, d);
    FQ_CHECK_OK(fq_alloc(&s->queries, m * d, sizeof *s->queries));
    FQ_CHECK_OK(fq_alloc(&s->k, n * d, sizeof *s->k));
    FQ_CHECK_OK(fq_alloc(&s->v, n * d, sizeof *s->v));
    FQ_CHECK_OK(fq_alloc(&s->key_codes, n, fq_codec_get_cost(s->key).code_bytes));
    FQ_CHECK_OK(fq_alloc(&s->value_codes, n, fq_codec_get_cost(s->value).code_bytes));
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 40000 + n);
    for (size_t i = 0; i < m * d; i++)
        s->queries[i] = 2 * (float)fq_stream_normal(&random);
    for (size_t i = 0; i < n * d; i++) {
        s->k[i] = (float)fq_stream_normal(&random);
        s->v[i] = 0.3F + (float)fq_stream_normal(&random);
    }
    return true;
}

/* Codes of what k and v hold; then k and v hold what the codes decode to. */
static void encode(scene *s) {
    FQ_CHECK_OK(fq_codec_encode(s->key, s->key_codes, s->k, s->n));
    FQ_CHECK_OK(fq_codec_encode(s->value, s->value_codes, s->v, s->n));
    FQ_CHECK_OK(fq_codec_decode(s->key, s->k, s->key_codes, s->n));
    FQ_CHECK_OK(fq_codec_decode(s->value, s->v, s->value_codes, s->n));
}

static void scene_clear(scene *s) {
    fq_codec_destroy(s->key);
    fq_codec_destroy(s->value);
    fq_free(s->queries);
    fq_free(s->k);
    fq_free(s->v);
    fq_free(s->key_codes);
    fq_free(s->value_codes);
}

static void attend_plainly(const scene *s, size_t q, double *out) {
    double *p = NULL, most = -HUGE_VAL, total = 0;
    FQ_CHECK_OK(fq_alloc(&p, s->n, sizeof *p));
    for (size_t i = 0; i < s->n; i++) {
        p[i] = 0;
        for (size_t j = 0; j < s->d; j++)
            p[i] += s->scale * (double)s->queries[q * s->d + j] * (double)s->k[i * s->d + j];
        most = fmax(most, p[i]);
    }
    memset(out, 0, s->d * sizeof *out);
    for (size_t i = 0; i < s->n; i++) {
        p[i] = exp(p[i] - most);
        total += p[i];
        for (size_t j = 0; j < s->d; j++)
            out[j] += p[i] * (double)s->v[i * s->d + j];
    }
    for (size_t j = 0; j < s->d; j++)
        out[j] /= total;
    fq_free(p);
}

/* Every kernel gives the same bits, and is within `tolerance` of the plain result in relative norm. */
static void compare(const scene *s, double tolerance, const char *what) {
    float *first = NULL, *out = NULL;
    double *wanted = NULL;
    FQ_CHECK_OK(fq_alloc(&first, s->m * s->d, sizeof *first));
    FQ_CHECK_OK(fq_alloc(&out, s->m * s->d, sizeof *out));
    FQ_CHECK_OK(fq_alloc(&wanted, s->d, sizeof *wanted));
    for (int kernel = 0; kernel < FQ_ATTENTION_KERNELS; kernel++) {
        fq_attention *a = NULL;
        if (!fq_attention_kernel_available((fq_attention_kernel)kernel))
            continue;
        if (!FQ_CHECK_OK(fq_attention_create_kernel(&a, s->key, s->value, (fq_attention_kernel)kernel)))
            continue;
        float *to = kernel == 0 ? first : out;
        memset(to, 0xff, s->m * s->d * sizeof *to);
        FQ_CHECK_OK(fq_attention_run(a, to, s->queries, s->m, s->key_codes, s->value_codes, s->n, s->scale));
        FQ_CHECK(memcmp(first, to, s->m * s->d * sizeof *to) == 0);
        fq_attention_destroy(a);
    }
    for (size_t q = 0; q < s->m; q++) {
        double error = 0, size = 0;
        attend_plainly(s, q, wanted);
        for (size_t j = 0; j < s->d; j++) {
            const double e = (double)first[q * s->d + j] - wanted[j];
            error += e * e;
            size += wanted[j] * wanted[j];
        }
        if (!FQ_CHECK(sqrt(error) <= tolerance * sqrt(size)))
            printf("%s, n = %zu, query %zu: relative error %g, allowed %g\n", what, s->n, q,
                   sqrt(error / size), tolerance);
    }
    fq_free(first);
    fq_free(out);
    fq_free(wanted);
}

/* Float32 sums of up to 9001 terms: some 1e-6. Integer tables: scores are off by some 1e-3 at most (bound in
 * the header), at random by 3e-4, weights and words by less. */
static const double exact = 5e-6, rounded = 3e-3;

static void all_kinds_of_codes_agree_with_decoding(void) {
    static const struct {
        const char *key, *value;
        size_t d;
        double tolerance;
    } cases[] = {
        {"fib:k=2,N=16", "fib:k=2,N=16", 64, rounded},
        {"fib:k=4,N=16", "fib:k=8,N=16", 64, rounded},
        {"tq:b=2", "tq:b=4", 64, rounded},
        {"tq:b=1", "tq:b=1", 128, rounded},
        {"tq:b=1.5", "tq:b=2.5", 64, rounded},
        {"fib:k=4,N=256", "fib:k=4,N=256", 64, rounded},
        {"fib:k=8,N=256", "fib:k=2,N=256", 48, rounded},
        {"fib:k=2,N=30", "tq:b=3", 64, exact},
        {"fib:k=2,N=30,pack=radix", "fp16", 64, exact},
        {"fp16", "fib:k=2,N=16", 64, rounded},
        {"tqprod:b=3", "tqprod:b=2", 64, exact},
        {"tq:b=2,rot=hadamard", "fib:k=5,N=16", 80, rounded},
        {"tq:b=2", "tq:b=1", 20, rounded},
        {"fib:k=2,N=256", "fib:k=4,N=4", 8, rounded},
        {"tq:b=2", "tq:b=1", 68, rounded},
        {"tq:b=4", "tq:b=2", 12, rounded},
        {"fib:k=5,N=256", "fib:k=4,N=256", 20, rounded},
        {"fib:k=3,N=256", "fib:k=16,N=256", 48, rounded},
        {"fib:k=2,N=256", "fib:k=12,N=256", 36, rounded},
        {"fib:k=4,N=16", "fib:k=4,N=256", 8, rounded},
        {"fib:k=1,N=256", "tq:b=8", 36, exact},
    };
    static const size_t sizes[] = {1, 2, 31, 32, 33, 511, 513, 1000, MOST};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            scene s;
            if (sizes[i] == MOST && c % 5 != 0 && fq_test_multiplier() == 1)
                continue;
            scene_make(&s, cases[c].key, cases[c].value, cases[c].d, sizes[i], i % 4 ? 1 : 11);
            encode(&s);
            compare(&s, cases[c].tolerance, cases[c].key);
            scene_clear(&s);
        }
}

/* One token far ahead of all; all equal; zero vectors among them; a query of zero. */
static void extreme_scores(void) {
    static const char *const names[] = {"fib:k=2,N=16", "fib:k=4,N=256", "fib:k=2,N=30"};
    for (size_t c = 0; c < 3; c++)
        for (int kind = 0; kind < 5; kind++) {
            scene s;
            scene_make(&s, names[c], names[c], 64, 1500, 2);
            for (size_t j = 0; j < 64; j++) {
                if (kind == 0)
                    s.k[700 * 64 + j] = 60 * s.queries[j]; /* weight of the others below exp(-1000) */
                for (size_t i = 0; kind == 1 && i < s.n; i++)
                    s.k[i * 64 + j] = s.k[j];
                for (size_t i = 0; kind == 2 && i < s.n; i += 3)
                    s.k[i * 64 + j] = s.v[i * 64 + j] = 0;
                if (kind == 3)
                    s.queries[j] = 0;
                for (size_t i = 0; kind == 4 && i < s.n; i++) /* norms from 1e-6 to 6e4 */
                    s.v[i * 64 + j] *= (float)pow(10.0, (double)(i % 11) - 7);
            }
            encode(&s);
            /* where scores are thousands, their rounding is larger, too: only the winner counts */
            compare(&s, c < 2 ? rounded : kind == 0 ? 1e-4 : exact, names[c]);
            scene_clear(&s);
        }
}

static void threads_change_no_bit(void) {
    const int usual = fq_test_get_threads();
    static const char *const names[] = {"fib:k=2,N=16", "fib:k=4,N=256", "fp16"};
    for (size_t c = 0; c < 3; c++) {
        scene s;
        float one[64 * 3], more[64 * 3];
        fq_attention *a = NULL;
        scene_make(&s, names[c], names[c], 64, 40000, 3);
        encode(&s);
        if (FQ_CHECK_OK(fq_attention_create(&a, s.key, s.value))) {
            fq_test_set_threads(1);
            FQ_CHECK_OK(fq_attention_run(a, one, s.queries, 3, s.key_codes, s.value_codes, s.n, s.scale));
            for (int threads = 2; threads < 8; threads += 2) {
                fq_test_set_threads(threads);
                FQ_CHECK_OK(
                    fq_attention_run(a, more, s.queries, 3, s.key_codes, s.value_codes, s.n, s.scale));
                FQ_CHECK(memcmp(one, more, sizeof one) == 0);
            }
            fq_test_set_threads(usual);
        }
        fq_attention_destroy(a);
        scene_clear(&s);
    }
}

static void bad_codes_and_arguments_are_named(void) {
    static const char *const names[] = {"fib:k=2,N=16", "fib:k=4,N=256", "fib:k=2,N=30"};
    for (size_t c = 0; c < 3; c++) {
        scene s;
        float out[64 * 2];
        fq_attention *a = NULL;
        scene_make(&s, names[c], names[c], 64, 1300, 2);
        encode(&s);
        const size_t stride = fq_codec_get_cost(s.key).code_bytes;
        FQ_CHECK_OK(fq_attention_create(&a, s.key, s.value));
        static const uint16_t halves[] = {0x7c00, 0x7e00, 0x8000, 0xc000, 0x0000};
        for (size_t i = 0; i < 5; i++)
            for (int side = 0; side < 2; side++) {
                uint8_t *at = (side ? s.value_codes : s.key_codes) + 1234 * stride, kept[2] = {at[0], at[1]};
                fq_fp16_store(at, halves[i]);
                FQ_CHECK_FAILS(
                    fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, s.scale),
                    FQ_ERR_CORRUPT);
                FQ_CHECK(fq_error_last()->value == 1234);
                FQ_CHECK(strcmp(fq_error_last()->argument, side ? "value_codes" : "key_codes") == 0);
                memcpy(at, kept, 2);
            }
        FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, 0, s.scale),
                       FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 0, s.key_codes, s.value_codes, s.n, s.scale),
                       FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, HUGE_VAL),
                       FQ_ERR_NONFINITE);
        FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, 1e38),
                       FQ_ERR_RANGE);
        s.queries[70] = (float)NAN;
        FQ_CHECK_FAILS(fq_attention_run(a, out, s.queries, 2, s.key_codes, s.value_codes, s.n, s.scale),
                       FQ_ERR_NONFINITE);
        FQ_CHECK(fq_error_last()->value == 70);
        fq_attention_destroy(a);
        scene_clear(&s);
    }
    fq_codec *small = codec_of("tq:b=2", 16), *large = codec_of("tq:b=2", 32);
    fq_attention *a = NULL;
    FQ_CHECK_FAILS(fq_attention_create(&a, small, large), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_attention_create_kernel(&a, small, small, FQ_ATTENTION_KERNELS), FQ_ERR_ARGUMENT);
    fq_codec_destroy(small);
    fq_codec_destroy(large);
    fq_attention_destroy(NULL);
}

static void running_out_of_memory(void) {
    scene s;
    float out[64];
    scene_make(&s, "tq:b=1.5", "fib:k=4,N=256", 64, 600, 1);
    encode(&s);
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
    scene_clear(&s);
}

static const fq_test tests[] = {
    {"all kinds of codes agree with decoding", all_kinds_of_codes_agree_with_decoding},
    {"extreme scores", extreme_scores},
    {"threads change no bit", threads_change_no_bit},
    {"bad codes and arguments are named", bad_codes_and_arguments_are_named},
    {"running out of memory", running_out_of_memory},
    {0},
};
const fq_suite fq_suite_attention = {"attention", tests};
