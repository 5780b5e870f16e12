/* Attention on the parts of a treated head against attention in double on what they decode to. */
#include "attention_treated.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "cpu.h"
#include "memory.h"
#include "rope.h"
#include "stream.h"

enum { QUERIES_MAX = 11, CLASSES_MAX = 8, PREFIX = 64, GROUP = 2, KEPT_MAX = 600 };

static const fq_rope halves = {10000.0, 0}, pairs = {500.0, 1};

/* A head of n tokens: all are in x, the first coded ones have codes, some of these are kept, and the rest. */
typedef struct scene {
    size_t d, n, m;
    fq_treatment treatment;
    fq_codec *codecs[2][CLASSES_MAX];
    size_t classes[2];
    float *x[2], *prefix_query, *queries; /* [n][d]; [PREFIX][GROUP][d]; [m][d] */
    fq_head_coder *coder[2];
    uint8_t *codes[2];
    float *read[2], *kept[2]; /* [n][d], as tokens are read; [kept][d] */
    uint32_t position[KEPT_MAX];
    fq_treated_head head;
    double scale;
} scene;

/* Keys with a large part in common before their encoding, values with one, queries that prefer some pairs. */
static void draw(scene *s, const fq_rope *rope, uint64_t index) {
    fq_stream random;
    float *common = NULL, *table = NULL;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, index);
    FQ_CHECK_OK(fq_alloc(&common, 2, s->d * sizeof *common));
    FQ_CHECK_OK(fq_alloc(&table, s->n, s->d * sizeof *table));
    for (size_t i = 0; i < 2 * s->d; i++)
        common[i] = 2 * (float)fq_stream_normal(&random);
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < s->n * s->d; i++)
            s->x[side][i] = (float)fq_stream_normal(&random) + common[side * s->d + i % s->d];
    fq_rope_table(table, rope, s->d, 0, s->n);
    fq_rope_apply(rope, s->x[0], table, s->n, 1, s->d, 0);
    for (size_t i = 0; i < s->m * s->d; i++)
        s->queries[i] = (i % 3 == 0 ? 1.5F : 0.7F) * (float)fq_stream_normal(&random);
    for (size_t i = 0; i < PREFIX * GROUP * s->d; i++)
        s->prefix_query[i] = (i % 3 == 0 ? 1.5F : 0.7F) * (float)fq_stream_normal(&random);
    fq_free(table);
    fq_free(common);
}

/* Codes of the first coded tokens, what they decode to, and the kept tokens: every 97th of them and all
 * others. */
static void code(scene *s, size_t side, size_t coded) {
    const size_t d = s->d, bytes = fq_codec_get_cost(s->codecs[side][0]).code_bytes;
    FQ_CHECK_OK(fq_alloc(&s->codes[side], coded + 1, bytes));
    FQ_CHECK_OK(fq_head_coder_encode(s->coder[side], s->codes[side], s->x[side], 0, coded));
    FQ_CHECK_OK(fq_head_coder_decode(s->coder[side], s->read[side], s->codes[side], 0, coded));
    s->head.kept = 0;
    for (size_t t = 0; t < s->n && s->head.kept < KEPT_MAX; t++) {
        if (t < coded && t % 97 != 0)
            continue;
        FQ_CHECK_OK(fq_head_coder_keep(s->coder[side], s->read[side] + t * d, s->x[side] + t * d, t, 1, 8.5));
        memcpy(s->kept[side] + s->head.kept * d, s->read[side] + t * d, d * sizeof(float));
        s->position[s->head.kept++] = (uint32_t)t;
    }
}

static void scene_make(scene *s, const char *treatment, const char *key, const char *value, size_t d,
                       size_t n, size_t coded, size_t m, const fq_rope *rope) {
    const char *const names[2] = {key, value};
    *s = (scene){.d = d, .n = n, .m = m, .scale = 1 / sqrt((double)d)};
    FQ_CHECK_OK(fq_treatment_parse(&s->treatment, treatment));
    FQ_CHECK_OK(fq_alloc(&s->queries, m, d * sizeof(float)));
    FQ_CHECK_OK(fq_alloc(&s->prefix_query, (size_t)PREFIX * GROUP, d * sizeof(float)));
    for (size_t side = 0; side < 2; side++) {
        FQ_CHECK_OK(fq_alloc_zero(&s->x[side], n + PREFIX, d * sizeof(float)));
        FQ_CHECK_OK(fq_alloc(&s->read[side], n, d * sizeof(float)));
        FQ_CHECK_OK(fq_alloc(&s->kept[side], KEPT_MAX, d * sizeof(float)));
    }
    draw(s, rope, 48000 + n);
    for (size_t side = 0; side < 2; side++) {
        const fq_treatment_side of = side ? FQ_OF_VALUES : FQ_OF_KEYS;
        const fq_codec *codecs[CLASSES_MAX] = {0};
        fq_codec_spec spec;
        s->classes[side] = fq_treatment_classes(&s->treatment, of);
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, names[side]));
        for (size_t c = 0; c < s->classes[side]; c++) {
            const fq_codec_parts parts = {.rotation_class = (uint32_t)c};
            FQ_CHECK_OK(fq_codec_create(&s->codecs[side][c], &spec, d, &parts));
            codecs[c] = s->codecs[side][c];
        }
        const fq_head_prefix prefix = {.side = of,
                                       .dim = d,
                                       .tokens = PREFIX,
                                       .capacity = n + PREFIX,
                                       .x = s->x[side],
                                       .group = side ? 0 : GROUP,
                                       .query = side ? NULL : s->prefix_query,
                                       .rope = rope};
        FQ_CHECK_OK(fq_head_coder_create(&s->coder[side], &s->treatment, codecs, &prefix));
        code(s, side, coded);
    }
    s->head.key = s->coder[0];
    s->head.value = s->coder[1];
    s->head.coded = coded;
    s->head.key_codes = s->codes[0];
    s->head.value_codes = s->codes[1];
    s->head.kept_position = s->position;
    s->head.kept_keys = s->kept[0];
    s->head.kept_values = s->kept[1];
}

static void scene_clear(scene *s) {
    for (size_t side = 0; side < 2; side++) {
        fq_head_coder_destroy(s->coder[side]);
        for (size_t c = 0; c < s->classes[side]; c++)
            fq_codec_destroy(s->codecs[side][c]);
        fq_free(s->x[side]);
        fq_free(s->codes[side]);
        fq_free(s->read[side]);
        fq_free(s->kept[side]);
    }
    fq_free(s->prefix_query);
    fq_free(s->queries);
}

static fq_status run(const scene *s, float *out) {
    fq_attention_treated *a = NULL;
    const fq_codec *codecs[2][CLASSES_MAX];
    for (size_t side = 0; side < 2; side++)
        for (size_t c = 0; c < s->classes[side]; c++)
            codecs[side][c] = s->codecs[side][c];
    fq_status status = fq_attention_treated_create(&a, codecs[0], s->classes[0], codecs[1], s->classes[1]);
    if (status == FQ_OK)
        status = fq_attention_treated_run(a, out, s->queries, s->m, &s->head, s->scale);
    fq_attention_treated_destroy(a);
    return status;
}

/* In double; *size: the length that the output would have if values did not cancel. */
static void attend_plainly(const scene *s, size_t q, double *out, double *size) {
    double *p = NULL, most = -HUGE_VAL, total = 0;
    FQ_CHECK_OK(fq_alloc(&p, s->n, sizeof *p));
    for (size_t i = 0; i < s->n; i++) {
        p[i] = 0;
        for (size_t j = 0; j < s->d; j++)
            p[i] += s->scale * (double)s->queries[q * s->d + j] * (double)s->read[0][i * s->d + j];
        most = fmax(most, p[i]);
    }
    memset(out, 0, s->d * sizeof *out);
    for (size_t i = 0; i < s->n; i++)
        total += p[i] = exp(p[i] - most);
    *size = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->d; j++) {
            const double part = p[i] / total * (double)s->read[1][i * s->d + j];
            out[j] += part;
            *size += part * part;
        }
    *size = sqrt(*size);
    fq_free(p);
}

/* Every kernel gives the same bits, within `tolerance` of the plain result. */
static void compare(const scene *s, double tolerance, const char *what) {
    static const unsigned without[] = {0, FQ_CPU_GFNI, FQ_CPU_AVX512F | FQ_CPU_GFNI,
                                       FQ_CPU_AVX512F | FQ_CPU_GFNI | FQ_CPU_AVX2};
    static float first[QUERIES_MAX * 512], out[QUERIES_MAX * 512];
    double wanted[512], size = 0;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        float *const to = i == 0 ? first : out;
        memset(to, 0xff, s->m * s->d * sizeof *to);
        fq_cpu_limit(FQ_CPU_ALL & ~without[i]);
        FQ_CHECK_OK(run(s, to));
        if (!FQ_CHECK(memcmp(first, to, s->m * s->d * sizeof *to) == 0))
            printf("%s, kernels without %x\n", what, without[i]);
    }
    fq_cpu_limit(FQ_CPU_ALL);
    for (size_t q = 0; q < s->m; q++) {
        double error = 0;
        attend_plainly(s, q, wanted, &size);
        for (size_t j = 0; j < s->d; j++)
            error += pow((double)first[q * s->d + j] - wanted[j], 2);
        if (!FQ_CHECK(sqrt(error) <= tolerance * size))
            printf("%s, n = %zu, query %zu: error %g of the length, allowed %g\n", what, s->n, q,
                   sqrt(error) / size, tolerance);
    }
}

/* Tables of look-ups round scores by some 1e-3 of their size; levels by 3e-6 of |q| |k|, weights by 2^-15. */
static void all_steps_agree_with_decoding(void) {
    static const char *const treatments[] = {
        "none",
        "mean",
        "scale",
        "mean+scale",
        "scale+mean",
        "mean:at=after",
        "mean:pairs=8",
        "mean:of=both",
        "classes:n=8",
        "classes:n=4,of=both",
        "mean:renew=doubling",
        "order+mean:at=after+scale",
        "mean+classes+first+window+pool",
    };
    static const struct {
        const char *key, *value;
        double tolerance;
    } codecs[] = {
        {"trellis:b=2,tries=1", "trellis:b=2,tries=1", 1e-3},
        {"fib:k=2,N=16,recipe=initial,normbits=8", "trellis:b=1,tries=1,normbits=8", 4e-3},
        {"tq:b=2", "fp16", 4e-3},
    };
    for (size_t t = 0; t < sizeof treatments / sizeof *treatments; t++)
        for (size_t c = 0; c < sizeof codecs / sizeof *codecs; c++) {
            scene s;
            if (strstr(treatments[t], "classes") && strcmp(codecs[c].value, "fp16") == 0)
                continue;
            scene_make(&s, treatments[t], codecs[c].key, codecs[c].value, 64, 700, 650, t == 1 ? 11 : 2,
                       t % 2 ? &halves : &pairs);
            compare(&s, codecs[c].tolerance, treatments[t]);
            scene_clear(&s);
        }
}

/* More tokens than one run of 8192, of several classes; all tokens kept; none; none coded. */
static void any_number_of_tokens(void) {
    static const struct {
        size_t n, coded;
    } sizes[] = {{9001, 8999}, {4097, 4097}, {PREFIX, 1}, {PREFIX, 0}, {65, 65}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        scene s;
        scene_make(&s, i % 2 ? "mean+classes:n=8,of=both" : "mean+classes:n=3,of=both",
                   "trellis:b=2,tries=1,rot=hadamard", "trellis:b=1,tries=1", 32, sizes[i].n, sizes[i].coded,
                   1, &halves);
        compare(&s, 1e-3, "any number");
        scene_clear(&s);
    }
}

static void threads_change_no_bit(void) {
    const int usual = fq_test_get_threads();
    float one[3 * 64], more[3 * 64];
    scene s;
    scene_make(&s, "mean+classes:n=2", "trellis:b=2,tries=1", "trellis:b=2,tries=1", 64, 9000, 8990, 3,
               &halves);
    fq_test_set_threads(1);
    FQ_CHECK_OK(run(&s, one));
    fq_test_set_threads(3);
    FQ_CHECK_OK(run(&s, more));
    FQ_CHECK(memcmp(one, more, sizeof one) == 0);
    fq_test_set_threads(usual);
    scene_clear(&s);
}

static void bad_arguments_are_named(void) {
    float out[4 * 64];
    scene s;
    scene_make(&s, "classes:n=2", "trellis:b=2,tries=1", "trellis:b=2,tries=1", 64, 700, 690, 2, &halves);
    const size_t bytes = fq_codec_get_cost(s.codecs[1][0]).code_bytes;
    for (size_t side = 0; side < 2; side++) {
        uint8_t kept[2], *const at = s.codes[side] + 613 * bytes;
        memcpy(kept, at, 2);
        at[0] = at[1] = 0xff;
        FQ_CHECK_FAILS(run(&s, out), FQ_ERR_CORRUPT);
        FQ_CHECK(fq_error_last()->value == 613);
        FQ_CHECK(strcmp(fq_error_last()->argument, side ? "value_codes" : "key_codes") == 0);
        memcpy(at, kept, 2);
    }
    s.position[1] = s.position[0];
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_ARGUMENT);
    s.position[1] = 97;
    s.queries[1] = NAN;
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_NONFINITE);
    s.queries[1] = 1;
    s.scale = 1e38;
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_RANGE);
    scene_clear(&s);
    scene_make(&s, "none", "trellis:b=2,tries=1,normbits=8", "tq:b=2,normbits=8", 64, 128, 128, 1, &halves);
    s.codes[0][77 * fq_codec_get_cost(s.codecs[0][0]).code_bytes] = 0; /* of a vector that is not zero */
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_CORRUPT);
    FQ_CHECK(fq_error_last()->value == 77);
    scene_clear(&s);
    scene_make(&s, "normalise", "trellis:b=2,tries=1", "trellis:b=2,tries=1", 64, 128, 128, 1, &halves);
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_UNSUPPORTED);
    scene_clear(&s);
    scene_make(&s, "mean:of=values,renew=doubling", "trellis:b=2,tries=1", "trellis:b=2,tries=1", 64, 400,
               400, 1, &halves);
    FQ_CHECK_FAILS(run(&s, out), FQ_ERR_UNSUPPORTED);
    scene_clear(&s);
}

static void running_out_of_memory(void) {
    float out[64];
    size_t fail = 1;
    scene s;
    scene_make(&s, "mean+classes:n=2", "trellis:b=2,tries=1", "fp16", 64, 200, 190, 1, &halves);
    for (; fail < 200; fail++) {
        fq_alloc_fail_at(fail);
        const fq_status status = run(&s, out);
        if (status == FQ_OK)
            break;
        FQ_CHECK(status == FQ_ERR_MEMORY);
    }
    fq_alloc_fail_at(0);
    FQ_CHECK(fail > 20 && fail < 200);
    scene_clear(&s);
}

static const fq_test tests[] = {
    {"all steps agree with decoding", all_steps_agree_with_decoding},
    {"any number of tokens", any_number_of_tokens},
    {"threads change no bit", threads_change_no_bit},
    {"bad arguments are named", bad_arguments_are_named},
    {"running out of memory", running_out_of_memory},
    {0},
};
const fq_suite fq_suite_attention_treated = {"attention_treated", tests};
