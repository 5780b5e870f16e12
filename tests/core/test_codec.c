/* One conformance suite over all codec families, and what each family promises beyond it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "codebook_training.h"
#include "codec.h"
#include "codec_family.h"
#include "fp16.h"
#include "memory.h"
#include "scalar_quantizer.h"
#include "stream.h"

/* Every codec test runs over the examples of all families of the codec table. */
enum { EXAMPLES_MAX = 256 };
static fq_codec_example specs[EXAMPLES_MAX];
static size_t examples(void) {
    size_t count = 0;
    for (size_t f = 0; f < fq_codec_family_count(); f++) {
        const fq_codec_example *example = fq_codec_family_at(f)->examples;
        if (!FQ_CHECK(example && example->spec)) /* a family without examples is not tested */
            return 0;
        for (; example->spec && FQ_CHECK(count < EXAMPLES_MAX); example++)
            specs[count++] = *example;
    }
    return count;
}

static fq_codec *make(const char *name, size_t dim, const fq_codec_parts *parts) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, dim, parts));
    return codec;
}

static void *bytes_of(size_t n) {
    void *memory = NULL;
    FQ_CHECK_OK(fq_alloc_zero(&memory, n, 1));
    return memory;
}

/* Vectors of all kinds: normal ones of norms 1e-3..1e3, sparse, a single coordinate, zero. */
static void fill_vectors(float *x, size_t n, size_t d, uint64_t test) {
    for (size_t i = 0; i < n; i++) {
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, test * 1000003 + i);
        const double scale = pow(10, 6 * fq_stream_uniform(&s) - 3) / sqrt((double)d);
        for (size_t j = 0; j < d; j++)
            x[i * d + j] = (float)(scale * fq_stream_normal(&s));
        if (i % 11 == 3)
            for (size_t j = 0; j < d; j++)
                x[i * d + j] *= fq_stream_below(&s, 4) == 0;
        if (i % 11 == 5)
            for (size_t j = 0; j < d; j++)
                x[i * d + j] *= j == i % d;
        if (i % 11 == 7)
            memset(x + i * d, 0, d * sizeof *x);
    }
}

static double squared_distance(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static double inner(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += (double)a[j] * (double)b[j];
    return sum;
}

static void costs_add_up(void) {
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec *codec = make(specs[c].spec, specs[c].dim, NULL);
        if (!codec)
            continue;
        const fq_codec_cost cost = fq_codec_get_cost(codec);
        size_t groups = 0, bytes = 0, dims = 0;
        const fq_codec_group *group = fq_codec_get_groups(codec, &groups);
        for (size_t g = 0; g < groups; g++) {
            FQ_CHECK(group[g].offset == dims && (!group[g].bytes || group[g].byte_offset == bytes));
            bytes += group[g].bytes;
            dims += group[g].dim;
        }
        FQ_CHECK(cost.dim == specs[c].dim && (groups == 0 || dims == cost.dim));
        FQ_CHECK(groups == 0 || bytes == cost.code_bytes);
        FQ_CHECK(8 * cost.code_bytes >= cost.index_bits + cost.norm_bits);
        FQ_CHECK(8 * cost.code_bytes < cost.index_bits + cost.norm_bits + 32);
        FQ_CHECK((double)cost.index_bits > cost.rate * (double)cost.dim - 1e-6);
        size_t rounded = 0; /* indices of whole bits that N has no power of two for */
        for (size_t g = 0; g < groups; g++)
            if (group[g].bytes && group[g].packing.kind == FQ_PACK_BITS)
                rounded += (group[g].codewords & (group[g].codewords - 1)) ? group[g].blocks : 0;
        FQ_CHECK((double)cost.index_bits < cost.rate * (double)cost.dim + 2 + (double)rounded);
        fq_codec_description about;
        fq_codec_cost planned;
        FQ_CHECK_OK(fq_codec_describe(&about, fq_codec_get_spec(codec), cost.dim));
        /* within one channel's worth of what was asked, two where groups of one are out */
        FQ_CHECK_NEAR(cost.rate, about.rate, 1.5 / (double)cost.dim);
        FQ_CHECK_OK(fq_codec_plan(&planned, fq_codec_get_spec(codec), cost.dim));
        FQ_CHECK(planned.dim == cost.dim && planned.code_bytes == cost.code_bytes &&
                 planned.index_bits == cost.index_bits && planned.norm_bits == cost.norm_bits &&
                 planned.rate == cost.rate);
        if (about.kind != FQ_CODE_VECTORS) {
            FQ_CHECK(groups == 1 && group->block == about.block && group->codewords == about.codewords);
            FQ_CHECK((about.kind == FQ_CODE_SCALARS) == (about.block == 1));
            fq_codebook code;
            fq_codebook_init(&code);
            FQ_CHECK_OK(fq_codec_block_code(&code, fq_codec_get_spec(codec), cost.dim, NULL));
            if (FQ_CHECK(code.block == about.block && code.codewords == about.codewords))
                FQ_CHECK(memcmp(code.words, group->words, code.block * code.codewords * sizeof *code.words) ==
                         0);
            fq_codebook_clear(&code);
        }
        FQ_CHECK(about.family[0] && strncmp(about.label, about.family, strlen(about.family)) == 0 &&
                 strncmp(about.series, about.family, strlen(about.family)) == 0);
        fq_codec_destroy(codec);
    }
    fq_codec_destroy(NULL);
}

/* The bytes and the decoded floats do not depend on threads, batch, alignment or neighbours. */
static void codes_are_deterministic_and_separable(void) {
    enum { N = 203 };
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec *codec = make(specs[c].spec, specs[c].dim, NULL);
        if (!codec)
            continue;
        const size_t d = specs[c].dim, size = fq_codec_get_cost(codec).code_bytes;
        float *x = bytes_of(N * d * 4), *y = bytes_of(N * d * 4), *z = bytes_of(N * d * 4 + 4);
        uint8_t *codes = bytes_of(N * size), *again = bytes_of(N * size + 2);
        fill_vectors(x, N, d, c);
        fq_test_set_threads(1);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
        for (int threads = 2; threads <= 3; threads++) {
            fq_test_set_threads(threads);
            memset(again, 0x77, N * size + 2);
            FQ_CHECK_OK(fq_codec_encode(codec, again + 1, x, N)); /* an odd address */
            FQ_CHECK(memcmp(codes, again + 1, N * size) == 0);
            FQ_CHECK(again[0] == 0x77 && again[N * size + 1] == 0x77);
            FQ_CHECK_OK(fq_codec_decode(codec, z + 1, again + 1, N));
            FQ_CHECK(memcmp(y, z + 1, N * d * 4) == 0);
        }
        fq_test_set_threads(1);
        for (size_t i = 0; i < N; i += 17) { /* each vector alone, and from its own bytes alone */
            FQ_CHECK_OK(fq_codec_encode(codec, again, x + i * d, 1));
            FQ_CHECK(memcmp(again, codes + i * size, size) == 0);
            FQ_CHECK_OK(fq_codec_decode(codec, z, again, 1));
            FQ_CHECK(memcmp(z, y + i * d, d * 4) == 0);
        }
        fq_codec *twin = make(specs[c].spec, d, NULL); /* another codec of the same name */
        FQ_CHECK_OK(fq_codec_encode(twin, again, x, N));
        FQ_CHECK(memcmp(codes, again, N * size) == 0);
        fq_codec_destroy(twin);
        FQ_CHECK_OK(fq_codec_encode(codec, NULL, NULL, 0));
        FQ_CHECK_OK(fq_codec_decode(codec, NULL, NULL, 0));
        FQ_CHECK_OK(fq_codec_decode_rotated(codec, NULL, NULL, 0));
        fq_free(again);
        fq_free(codes);
        fq_free(z);
        fq_free(y);
        fq_free(x);
        fq_codec_destroy(codec);
    }
}

static void the_rotated_domain_keeps_inner_products(void) {
    enum { N = 100 };
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec *codec = make(specs[c].spec, specs[c].dim, NULL);
        if (!codec)
            continue;
        const size_t d = specs[c].dim;
        float *x = bytes_of(N * d * 4), *plain = bytes_of(N * d * 4), *rotated = bytes_of(N * d * 4),
              *q = bytes_of(N * d * 4), *q_rotated = bytes_of(N * d * 4);
        uint8_t *codes = bytes_of(N * fq_codec_get_cost(codec).code_bytes);
        fill_vectors(x, N, d, 100 + c);
        fill_vectors(q, N, d, 200 + c);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
        FQ_CHECK_OK(fq_codec_decode(codec, plain, codes, N));
        FQ_CHECK_OK(fq_codec_decode_rotated(codec, rotated, codes, N));
        FQ_CHECK_OK(fq_codec_rotate_queries(codec, q_rotated, q, N));
        for (size_t i = 0; i < N; i++) {
            const double scale =
                sqrt(inner(q + i * d, q + i * d, d)) * sqrt(inner(plain + i * d, plain + i * d, d));
            FQ_CHECK_NEAR(inner(q_rotated + i * d, rotated + i * d, d), inner(q + i * d, plain + i * d, d),
                          3e-6 * scale);
        }
        FQ_CHECK_OK(
            fq_codec_rotate_back(codec, x, rotated, N)); /* to the bit or nearly: test_codec_tables.c */
        for (size_t i = 0; i < N; i++)
            FQ_CHECK_NEAR(squared_distance(x + i * d, plain + i * d, d), 0,
                          1e-12 * inner(plain + i * d, plain + i * d, d));
        fq_free(codes);
        fq_free(q_rotated);
        fq_free(q);
        fq_free(rotated);
        fq_free(plain);
        fq_free(x);
        fq_codec_destroy(codec);
    }
}

static bool all_plain_zero(const float *x, size_t n) {
    static const float zero;
    for (size_t i = 0; i < n; i++)
        if (memcmp(x + i, &zero, sizeof zero) != 0)
            return false;
    return true;
}

static void extreme_vectors_have_defined_outcomes(void) {
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec *codec = make(specs[c].spec, specs[c].dim, NULL);
        if (!codec)
            continue;
        enum { N = 130 }; /* more than one chunk */
        const size_t d = specs[c].dim, size = fq_codec_get_cost(codec).code_bytes;
        /* stored coordinate by coordinate */
        const bool plain =
            fq_codec_get_cost(codec).rate >= 16 && strncmp(specs[c].spec, "noise:sigma=0.", 14) != 0;
        float *x = bytes_of(N * d * 4), *y = bytes_of(N * d * 4);
        uint8_t *codes = bytes_of(N * size);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N)); /* zero */
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
        FQ_CHECK(all_plain_zero(y, N * d));
        for (size_t j = 0; j < d; j++)
            x[j] = j == 1 ? -1e-40f : 1e-45f; /* a norm that rounds to zero */
        x[0] = 0x1p-26f;
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, 1));
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, 1));
        FQ_CHECK_NEAR(inner(y, y, d), 0, 0);
        const float bad[] = {(float)NAN, HUGE_VALF, -HUGE_VALF};
        for (size_t b = 0; b < 3; b++) {
            fill_vectors(x, N, d, 300 + c);
            x[120 * d + d - 1] = bad[(b + 1) % 3];
            x[119 * d + d / 2] = bad[b];
            FQ_CHECK_FAILS(fq_codec_encode(codec, codes, x, N), FQ_ERR_NONFINITE);
            FQ_CHECK_NEAR(fq_error_last()->value, (double)(119 * d + d / 2), 0);
        }
        memset(x, 0, N * d * 4);
        x[7 * d + 1] = 65504;
        if (plain) {
            FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
            FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
            FQ_CHECK(memcmp(x, y, N * d * 4) == 0);
        }
        const bool saturates = strncmp(specs[c].spec, "fp8", 3) == 0;
        const float large[] = {65520, 3e38f};
        for (size_t b = 0; b < 2; b++) {
            x[7 * d + 1] = large[b];
            if (saturates)
                FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
            else
                FQ_CHECK_FAILS(fq_codec_encode(codec, codes, x, N), FQ_ERR_RANGE);
        }
        /* Tiny norms down to the smallest subnormal half decode to their own size, within the
         * half's rounding and the code's own error. */
        fq_codec_description about;
        FQ_CHECK_OK(fq_codec_describe(&about, fq_codec_get_spec(codec), d));
        if (about.kind != FQ_CODE_VECTORS && about.rate >= 2) {
            const bool byte = fq_codec_get_spec(codec)->norm_format == FQ_NORM_BYTE;
            for (int e = byte ? -11 : -24; e <= (byte ? 11 : 15); e++) {
                for (size_t j = 0; j < d; j++)
                    x[j] = (float)ldexp((j % 3 ? 1 : -1) / sqrt((double)d), e);
                FQ_CHECK_OK(fq_codec_encode(codec, codes, x, 1));
                FQ_CHECK_OK(fq_codec_decode(codec, y, codes, 1));
                FQ_CHECK(all_plain_zero(y, 1) || squared_distance(x, y, d) < inner(x, x, d));
            }
        }
        fq_free(codes);
        fq_free(y);
        fq_free(x);
        fq_codec_destroy(codec);
    }
}

/* Any bytes decode to finite numbers or are refused as corrupt; what is accepted is what an encoder
 * can write, so bytes with flipped padding or bad norms are refused with the vector's number. */
static void corrupt_bytes_are_refused(void) {
    enum { N = 40 };
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec *codec = make(specs[c].spec, specs[c].dim, NULL);
        if (!codec)
            continue;
        const size_t d = specs[c].dim, size = fq_codec_get_cost(codec).code_bytes;
        float *x = bytes_of(N * d * 4);
        uint8_t *codes = bytes_of(N * size), *broken = bytes_of(N * size);
        fill_vectors(x, N, d, 400 + c);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
        size_t groups = 0;
        const fq_codec_group *group = fq_codec_get_groups(codec, &groups);
        const uint16_t bad_norms[] = {0x8000, 0x8001, 0xbc00, 0x7c00, 0x7e00, 0xfc00, 0xffff};
        for (size_t g = 0; g < groups; g++) {
            if (!group[g].bytes)
                continue;
            const size_t norms = group[g].norm == FQ_NORM_BYTE ? 0
                                 : group[g].sketch_rows        ? 2
                                                               : 1; /* halves */
            for (size_t b = 0; b < sizeof bad_norms / sizeof bad_norms[0]; b++) {
                for (size_t which = 0; which < norms; which++) {
                    memcpy(broken, codes, N * size);
                    fq_fp16_store(broken + 13 * size + group[g].byte_offset + 2 * which, bad_norms[b]);
                    FQ_CHECK_FAILS(fq_codec_decode(codec, x, broken, N), FQ_ERR_CORRUPT);
                    FQ_CHECK_NEAR(fq_error_last()->value, 13, 0);
                    FQ_CHECK_FAILS(fq_codec_decode_rotated(codec, x, broken, N), FQ_ERR_CORRUPT);
                }
            }
            const size_t ends[] = {group[g].index_offset + group[g].packing.bytes,
                                   group[g].sign_offset + (group[g].sketch_rows + 7) / 8};
            const size_t bits[] = {group[g].packing.bits, group[g].sketch_rows};
            for (int part = 0; part < 2; part++) {
                if (bits[part] % 8 == 0)
                    continue;
                memcpy(broken, codes, N * size);
                broken[21 * size + ends[part] - 1] |= 0x80;
                FQ_CHECK_FAILS(fq_codec_decode(codec, x, broken, N), FQ_ERR_CORRUPT);
                FQ_CHECK_NEAR(fq_error_last()->value, 21, 0);
            }
            memcpy(broken, codes, N * size); /* a zero norm before indices that are not zero */
            memset(broken + 3 * size + group[g].byte_offset, 0, group[g].bytes);
            FQ_CHECK_OK(fq_codec_decode(codec, x, broken, N));
            if (group[g].packing.bytes) {
                broken[3 * size + group[g].index_offset] = 1;
                FQ_CHECK_FAILS(fq_codec_decode(codec, x, broken, N), FQ_ERR_CORRUPT);
            }
        }
        if (groups == 0) {
            fq_fp16_store(codes + 5 * size, 0x7f7f); /* no number as a half, nor as a float of 8 bits */
            FQ_CHECK_FAILS(fq_codec_decode(codec, x, codes, N), FQ_ERR_CORRUPT);
            FQ_CHECK_NEAR(fq_error_last()->value, 5, 0);
        }
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 500 + c);
        for (unsigned i = 0; i < 300 * fq_test_multiplier(); i++) { /* random bytes */
            for (size_t b = 0; b < size; b++)
                broken[b] = (uint8_t)fq_stream_u32(&s);
            const fq_status status = fq_codec_decode(codec, x, broken, 1);
            FQ_CHECK(status == FQ_OK || status == FQ_ERR_CORRUPT);
            for (size_t j = 0; status == FQ_OK && j < d; j++)
                FQ_CHECK(isfinite(x[j]));
        }
        fq_free(broken);
        fq_free(codes);
        fq_free(x);
        fq_codec_destroy(codec);
    }
}

static void every_failing_allocation_is_reported(void) {
    const size_t count = examples();
    for (size_t c = 0; c < count; c++) {
        fq_codec_spec spec;
        fq_codec *codec = NULL;
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, specs[c].spec));
        size_t fail = 1;
        for (;; fail++) {
            fq_alloc_fail_at(fail);
            const fq_status status = fq_codec_create(&codec, &spec, specs[c].dim, NULL);
            fq_alloc_fail_at(0);
            if (status == FQ_OK)
                break;
            if (!FQ_CHECK(status == FQ_ERR_MEMORY && codec == NULL && fail < 1000))
                return;
        }
        const size_t d = specs[c].dim;
        float *x = bytes_of(d * 4);
        uint8_t *codes = bytes_of(fq_codec_get_cost(codec).code_bytes);
        for (size_t at = 1; at <= 2; at++) {
            fq_alloc_fail_at(at);
            FQ_CHECK_FAILS(fq_codec_encode(codec, codes, x, 1), FQ_ERR_MEMORY);
            fq_alloc_fail_at(0);
        }
        fq_free(codes);
        fq_free(x);
        fq_codec_destroy(codec);
        FQ_CHECK(fail > 1);
    }
}

/* Mean of |x - x^|^2 / |x|^2 over vectors x[n][d] through the codec, and its standard error. */
static void measure_vectors(const fq_codec *codec, const float *x, size_t n, size_t d, double *mean,
                            double *se) {
    float *y = bytes_of(n * d * 4);
    uint8_t *codes = bytes_of(n * fq_codec_get_cost(codec).code_bytes);
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, n));
    FQ_CHECK_OK(fq_codec_decode(codec, y, codes, n));
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = squared_distance(x + i * d, y + i * d, d) / inner(x + i * d, x + i * d, d);
        sum += e;
        squares += e * e;
    }
    const double count = (double)n;
    *mean = sum / count;
    *se = sqrt((squares / count - *mean * *mean) / count);
    fq_free(codes);
    fq_free(y);
}

static void draw_gaussian(float *x, size_t count, uint64_t stream) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, stream);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)fq_stream_normal(&s);
}

/* Made without a codebook, a codec trains the population codebook of its own k, N, d and seed: the same
 * one that training by hand gives, and vectors lose the D measured for it (the norm's rounding adds at
 * most 2^-22), within 6.2 standard errors of both figures. */
static void fibquant_without_parts_trains_the_population_codebook(void) {
    enum { N = 20000, D = 32 };
    const char *const name = "fib:k=4,N=3,seed=9";
    float *x = bytes_of(N * D * 4);
    draw_gaussian(x, (size_t)N * D, 650);
    fq_codebook codebook = {0};
    const fq_train_options options = {
        .dim = D, .block = 4, .codewords = 3, .recipe = FQ_RECIPE_POPULATION, .seed = 9};
    FQ_CHECK_OK(fq_codebook_train(&codebook, &options));
    FQ_CHECK_OK(fq_codebook_measure(&codebook, 77, 400000));
    fq_codec *own = make(name, D, NULL), *given = make(name, D, &(fq_codec_parts){.codebook = &codebook});
    if (own && given) {
        double mean, se;
        measure_vectors(own, x, N, D, &mean, &se);
        FQ_CHECK_NEAR(mean, codebook.distortion, 6.2 * hypot(se, codebook.distortion_se) + 0x1p-22);
        FQ_CHECK(mean < 0.9); /* and so many words cannot be the zero code */
        const size_t bytes = N * fq_codec_get_cost(own).code_bytes;
        uint8_t *a = bytes_of(bytes), *b = bytes_of(bytes);
        FQ_CHECK_OK(fq_codec_encode(own, a, x, N));
        FQ_CHECK_OK(fq_codec_encode(given, b, x, N));
        FQ_CHECK(memcmp(a, b, bytes) == 0);
        fq_free(b);
        fq_free(a);
    }
    fq_codec_destroy(given);
    fq_codec_destroy(own);
    fq_codebook_clear(&codebook);
    fq_free(x);
}

/* Measured D of tq on Gaussian directions against the scalar quantizer's population D: the norm's
 * rounding adds at most 2^-22. The mean over N vectors must lie within 6.2 standard errors. */
static void turboquant_has_the_population_distortion(void) {
    const char *const names[] = {"tq:b=1",         "tq:b=2",           "tq:b=3", "tq:b=4,rot=hadamard",
                                 "tq:b=2,norm=ls", "tq:b=2,norm=match"};
    enum { N = 20000, D = 64 };
    float *x = bytes_of(N * D * 4);
    for (size_t c = 0; c < sizeof names / sizeof names[0]; c++) {
        fq_codec *codec = make(names[c], D, NULL);
        if (!codec)
            continue;
        double mean, se;
        draw_gaussian(x, (size_t)N * D, 600 + c);
        measure_vectors(codec, x, N, D, &mean, &se);
        fq_scalar_quantizer quantizer;
        FQ_CHECK_OK(fq_scalar_quantizer_init(&quantizer, D,
                                             (size_t)1 << (unsigned)fq_codec_get_spec(codec)->value[0]));
        const fq_norm_rule rule = fq_codec_get_spec(codec)->norm;
        if (rule == FQ_NORM_INPUT)
            FQ_CHECK_NEAR(mean, quantizer.distortion, 6.2 * se + 0x1p-22);
        else if (rule == FQ_NORM_LS) /* never worse than any other gain, vector by vector */
            FQ_CHECK(mean < quantizer.distortion + 6.2 * se);
        else /* keeps |x|: E|x - x^|^2 = 2 - 2 cos, above the least-squares value 1 - cos^2 */
            FQ_CHECK(mean > quantizer.distortion - 6.2 * se);
        fq_scalar_quantizer_clear(&quantizer);
        fq_codec_destroy(codec);
    }
    fq_free(x);
}

/* ls minimises |x - x^| over the stored norm and match keeps |x|, both up to the half's rounding. */
static void norm_rules_do_what_they_say(void) {
    const char *const bases[] = {"tq:b=1", "tq:b=3", "tq:b=2.5"};
    enum { N = 150, D = 48 };
    float *x = bytes_of(N * D * 4), *y[3] = {bytes_of(N * D * 4), bytes_of(N * D * 4), bytes_of(N * D * 4)};
    for (size_t c = 0; c < 3; c++) {
        fill_vectors(x, N, D, 700 + c);
        for (int rule = 0; rule < 3; rule++) {
            const char *const keys[] = {"", ",norm=ls", ",norm=match"};
            char name[64] = "";
            strcat(strcat(name, bases[c]), keys[rule]);
            fq_codec *codec = make(name, D, NULL);
            uint8_t *codes = bytes_of(N * fq_codec_get_cost(codec).code_bytes);
            FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
            FQ_CHECK_OK(fq_codec_decode(codec, y[rule], codes, N));
            fq_free(codes);
            fq_codec_destroy(codec);
        }
        for (size_t i = 0; i < N; i++) {
            const float *v = x + i * D;
            const double power = inner(v, v, D);
            const double ls = squared_distance(v, y[1] + i * D, D);
            if (power < 1e-6)
                continue; /* the half is too coarse there */
            FQ_CHECK(ls <= squared_distance(v, y[0] + i * D, D) + 1e-6 * power);
            FQ_CHECK(ls <= squared_distance(v, y[2] + i * D, D) + 1e-6 * power);
            FQ_CHECK_NEAR(inner(y[2] + i * D, y[2] + i * D, D) / power, 1, 2e-3);
        }
    }
    for (int rule = 0; rule < 3; rule++)
        fq_free(y[rule]);
    fq_free(x);
}

/* Over many seeds (each its own rotation and sketch) E<q, x~> = <q, x>; the mean over S seeds must
 * be within 6.2 standard errors. The MSE form fails the same check, by the factor 1 - D: the check
 * has the power to see it. */
static void the_product_form_is_unbiased(void) {
    const struct {
        const char *name;
        bool unbiased;
    } cases[] = {{"tqprod:b=1", true},   {"tqprod:b=2", true}, {"tqprod:b=2.5", true},
                 {"tqprod:b=0.5", true}, {"tqprod:b=3", true}, {"tq:b=1", false}};
    enum { SEEDS = 1500, D = 24 };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        float x[D], q[D], y[D];
        uint8_t code[200];
        fill_vectors(x, 1, D, 800);
        double norm = sqrt(inner(x, x, D)), sum = 0, squares = 0;
        for (size_t j = 0; j < D; j++) {
            x[j] = (float)((double)x[j] / norm);
            q[j] = x[j] + (j % 2 ? 0.1f : -0.1f);
        }
        const double truth = inner(q, x, D);
        fq_codec_spec spec;
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, cases[c].name));
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            fq_codec *codec = NULL;
            spec.seed = fq_test_seed() + seed;
            if (!FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, NULL)))
                return;
            FQ_CHECK_OK(fq_codec_encode(codec, code, x, 1));
            FQ_CHECK_OK(fq_codec_decode(codec, y, code, 1));
            const double error = inner(q, y, D) - truth;
            sum += error;
            squares += error * error;
            fq_codec_destroy(codec);
        }
        const double mean = sum / SEEDS, se = sqrt((squares / SEEDS - mean * mean) / SEEDS);
        if (cases[c].unbiased)
            FQ_CHECK_NEAR(mean, 0, 6.2 * se + 1e-3 * 0x1p-10);
        else
            FQ_CHECK(fabs(mean) > 10 * se);
    }
}

/* Decoding what decoding gave changes nothing where the code is a projection: fp16 always. */
static void plain_halves_are_idempotent(void) {
    enum { N = 200, D = 17 };
    float x[N * D], y[N * D], z[N * D];
    uint8_t codes[2 * N * D], again[2 * N * D];
    fq_codec *codec = make("fp16", D, NULL);
    fill_vectors(x, N, D, 900);
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
    FQ_CHECK_OK(fq_codec_encode(codec, again, y, N));
    FQ_CHECK_OK(fq_codec_decode(codec, z, again, N));
    FQ_CHECK(memcmp(codes, again, sizeof codes) == 0 && memcmp(y, z, sizeof y) == 0);
    fq_codec_destroy(codec);
}

/* At k = d with codewords on the sphere a reconstruction is its own nearest codeword, at its own norm:
 * a second pass gives the same bytes. */
static void one_block_on_the_sphere_is_idempotent(void) {
    enum { N = 200, D = 8 };
    float x[N * D], y[N * D];
    uint8_t codes[4 * N], again[4 * N];
    fq_codec *codec = make("fib:k=8,N=200,recipe=initial", D, NULL);
    const size_t size = fq_codec_get_cost(codec).code_bytes;
    if (!FQ_CHECK(size == 3))
        return;
    fill_vectors(x, N, D, 910);
    for (size_t i = 0; i < N; i++) /* norms in the middle of a half's rounding interval */
        if (inner(x + i * D, x + i * D, D) < 1e-6)
            x[i * D] = 1;
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
    FQ_CHECK_OK(fq_codec_encode(codec, again, y, N));
    FQ_CHECK(memcmp(codes, again, N * size) == 0);
    fq_codec_destroy(codec);
}

/* The same codec from a codebook handed in as from the spec alone; one that does not fit is refused. */
static void codebooks_can_be_handed_in(void) {
    enum { N = 100, D = 16 };
    float x[N * D];
    uint8_t codes[N * 20], again[N * 20];
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    const fq_train_options options = {
        .dim = D, .block = 2, .codewords = 25, .recipe = FQ_RECIPE_INITIAL, .seed = 1};
    FQ_CHECK_OK(fq_codebook_train(&codebook, &options));
    const fq_codec_parts parts = {.codebook = &codebook};
    fq_codec *own = make("fib:k=2,N=25,recipe=initial", D, NULL);
    fq_codec *given = make("fib:k=2,N=25,recipe=initial", D, &parts);
    fill_vectors(x, N, D, 960);
    FQ_CHECK(fq_codec_get_cost(own).index_bits == 38); /* 25^8 < 2^38; bits would take 40 */
    FQ_CHECK_OK(fq_codec_encode(own, codes, x, N));
    FQ_CHECK_OK(fq_codec_encode(given, again, x, N));
    FQ_CHECK(memcmp(codes, again, N * fq_codec_get_cost(own).code_bytes) == 0);
    fq_codec_destroy(own);
    fq_codec_destroy(given);
    const struct {
        const char *name, *argument;
        size_t dim;
    } wrong[] = {{"fib:k=2,N=26", "codewords", D}, {"fib:k=4,N=25", "block", D}, {"fib:k=2,N=25", "dim", 18}};
    for (size_t i = 0; i < 3; i++) {
        fq_codec_spec spec;
        fq_codec *codec = NULL;
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, wrong[i].name));
        FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, wrong[i].dim, &parts), FQ_ERR_SPEC);
        const bool named = strstr(fq_error_last()->argument, wrong[i].argument) != NULL;
        FQ_CHECK(named);
    }
    fq_codebook_clear(&codebook);
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "fib:k=5,N=25"));
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, D, NULL), FQ_ERR_SPEC);
    const bool named = strcmp(fq_error_last()->argument, "k") == 0 &&
                       strstr(fq_error_last()->allowed, "divisor of the dimension 16") != NULL;
    FQ_CHECK(named && fq_error_last()->value == 5);
}

/* A product codebook is the scalar code in blocks: it must decode to what tq of the same rate does. */
static void the_product_codebook_is_turboquant(void) {
    enum { N = 300, D = 64 };
    float *x = bytes_of(N * D * 4), *y = bytes_of(N * D * 4), *z = bytes_of(N * D * 4);
    fq_codec *block = make("fib:k=2,N=16,recipe=product", D, NULL), *scalar = make("tq:b=2", D, NULL);
    uint8_t *codes = bytes_of(N * fq_codec_get_cost(block).code_bytes);
    FQ_CHECK(fq_codec_get_cost(block).code_bytes == fq_codec_get_cost(scalar).code_bytes);
    fill_vectors(x, N, D, 970);
    FQ_CHECK_OK(fq_codec_encode(block, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(block, y, codes, N));
    FQ_CHECK_OK(fq_codec_encode(scalar, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(scalar, z, codes, N));
    size_t different = 0; /* coordinates within rounding of a threshold may fall either way */
    for (size_t i = 0; i < N * D; i++)
        different += fabs((double)y[i] - (double)z[i]) > 1e-5 * (fabs((double)y[i]) + 1e-3);
    FQ_CHECK(different <= D);
    fq_free(codes);
    fq_codec_destroy(scalar);
    fq_codec_destroy(block);
    fq_free(z);
    fq_free(y);
    fq_free(x);
}

/* The channels named first get the finer code. */
static void channel_order_chooses_the_finer_group(void) {
    enum { N = 300, D = 32 };
    uint32_t order[D];
    float x[N * D], y[N * D];
    for (uint32_t j = 0; j < D; j++)
        order[j] = (j * 5 + 3) % D;
    const fq_codec_parts parts = {.channel_order = order};
    fq_codec *codec = make("tq:b=2.25", D, &parts); /* 8 channels at 3 bits */
    uint8_t *codes = bytes_of(N * fq_codec_get_cost(codec).code_bytes);
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 950);
    for (size_t i = 0; i < N * D; i++)
        x[i] = (float)fq_stream_normal(&s);
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
    double finer = 0, coarser = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++) {
            const double e = (double)x[i * D + order[j]] - (double)y[i * D + order[j]];
            *(j < 8 ? &finer : &coarser) += e * e;
        }
    }
    FQ_CHECK(finer / 8 < 0.5 * coarser / 24); /* 0.03 against 0.11 */
    FQ_CHECK(finer > 0);
    fq_codec_destroy(codec);
    fq_free(codes);
    fq_codec_spec spec;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "tq:b=2.25"));
    order[4] = order[5];
    codec = NULL;
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, D, &parts), FQ_ERR_ARGUMENT);
    order[4] = D;
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, D, &parts), FQ_ERR_ARGUMENT);
    FQ_CHECK(codec == NULL);
}

static void dimensions_are_checked(void) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "tq:b=2"));
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, 1, NULL), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, 16385, NULL), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, 5000, NULL), FQ_ERR_ARGUMENT); /* Haar */
    FQ_CHECK(codec == NULL);
    codec = make("tq:b=2,rot=hadamard", 5000, NULL);
    fq_codec_destroy(codec);
}

/* Noise of the length asked for, in expectation; the same for the same vector wherever it stands, another for
 * another vector or seed. */
static void noise_is_what_was_asked_for(void) {
    enum { DIM = 64, COUNT = 2000 };
    static float x[COUNT * DIM], y[COUNT * DIM], z[DIM];
    static uint8_t codes[COUNT * DIM * 2];
    static const char *const names[] = {"noise:sigma=0.25", "noise:sigma=0.25,seed=2"};
    fq_stream s;
    double first = 0.0;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 4711);
    for (size_t i = 0; i < COUNT * DIM; i++)
        x[i] = (float)((1.0 + (double)(i / DIM)) / 100.0 * fq_stream_normal(&s));
    memcpy(x + DIM, x, DIM * sizeof *x); /* twice the same vector */
    for (size_t c = 0; c < 2; c++) {
        fq_codec_spec spec;
        fq_codec *codec = NULL;
        if (!FQ_CHECK_OK(fq_codec_spec_parse(&spec, names[c])) ||
            !FQ_CHECK_OK(fq_codec_create(&codec, &spec, DIM, NULL)))
            return;
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, COUNT));
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, COUNT));
        double ratio = 0.0, square = 0.0, bias = 0.0;
        for (size_t v = 0; v < COUNT; v++) {
            double error = 0.0, norm = 0.0, along = 0.0;
            for (size_t j = v * DIM; j < (v + 1) * DIM; j++) {
                error += ((double)y[j] - (double)x[j]) * ((double)y[j] - (double)x[j]);
                along += ((double)y[j] - (double)x[j]) * (double)x[j];
                norm += (double)x[j] * (double)x[j];
            }
            ratio += error / norm / COUNT;
            square += error / norm * (error / norm) / COUNT;
            bias += along / norm / COUNT;
        }
        /* |noise|^2 / |x|^2 = 1/16 chi^2_64 / 64: relative deviation sqrt(2/64) a vector */
        FQ_CHECK_NEAR(ratio, 0.0625, 5 * 0.0625 * sqrt(2.0 / DIM / COUNT));
        FQ_CHECK_NEAR(square / ratio / ratio - 1.0, 2.0 / DIM, 0.2 * 2.0 / DIM);
        FQ_CHECK_NEAR(bias, 0.0, 5 * 0.25 / 8.0 / sqrt(COUNT));
        FQ_CHECK(memcmp(y, y + DIM, DIM * sizeof *y) == 0);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x + 7 * DIM, 1));
        FQ_CHECK_OK(fq_codec_decode(codec, z, codes, 1));
        FQ_CHECK(memcmp(z, y + 7 * DIM, sizeof z) == 0);
        FQ_CHECK(c == 0 || (double)y[0] != first);
        first = (double)y[0];
        fq_codec_destroy(codec);
    }
}

/* In a work space of the caller's: the same bytes and bits, no allocation, and nothing written past what
 * there is room for. */
static void given_a_work_space_expect_the_same_without_allocations(void) {
    enum { N = 203 };
    const size_t count = examples();
    fq_codec *other = make("tq:b=2", 64, NULL);
    for (size_t s = 0; s < count; s++) {
        fq_codec *codec = make(specs[s].spec, specs[s].dim, NULL);
        if (!codec)
            continue;
        const size_t d = specs[s].dim, bytes = fq_codec_get_cost(codec).code_bytes;
        float *x = bytes_of(N * d * sizeof *x), *back = bytes_of(3 * N * d * sizeof *back);
        uint8_t *codes = bytes_of(2 * N * bytes);
        fq_codec_scratch *scratch = NULL;
        fill_vectors(x, N, d, 4000 + s);
        bool good = FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N)) &&
                    FQ_CHECK_OK(fq_codec_decode(codec, back, codes, N)) &&
                    FQ_CHECK_OK(fq_codec_scratch_create(&scratch, codec));
        fq_alloc_fail_at(1);
        for (int again = 0; good && again < 2; again++) {
            good = FQ_CHECK_OK(fq_codec_encode_with(codec, scratch, codes + N * bytes, N * bytes, x, N)) &&
                   FQ_CHECK_OK(fq_codec_decode_with(codec, scratch, back + N * d, N * d, codes, N)) &&
                   FQ_CHECK(memcmp(codes, codes + N * bytes, N * bytes) == 0) &&
                   FQ_CHECK(memcmp(back, back + N * d, N * d * sizeof *back) == 0) &&
                   FQ_CHECK_OK(fq_codec_decode_rotated_with(codec, scratch, back + N * d, N * d, codes, N));
        }
        FQ_CHECK(fq_alloc_fail_at(0) == 0);
        if (good && FQ_CHECK_OK(fq_codec_decode_rotated(codec, back + 2 * N * d, codes, N)))
            FQ_CHECK(memcmp(back + N * d, back + 2 * N * d, N * d * sizeof *back) == 0);
        if (!good)
            fprintf(stderr, "  %s\n", specs[s].spec);
        memset(codes, 0xa5, N * bytes);
        FQ_CHECK_FAILS(fq_codec_encode_with(codec, scratch, codes, N * bytes - 1, x, N), FQ_ERR_RANGE);
        FQ_CHECK_FAILS(fq_codec_decode_with(codec, scratch, back, N * d - 1, codes + N * bytes, N),
                       FQ_ERR_RANGE);
        FQ_CHECK_FAILS(fq_codec_encode_with(other, scratch, codes, N * bytes, x, 1), FQ_ERR_ARGUMENT);
        for (size_t i = 0; i < N * bytes; i++)
            if (!FQ_CHECK(codes[i] == 0xa5))
                break;
        fq_codec_scratch_destroy(scratch);
        fq_free(codes);
        fq_free(back);
        fq_free(x);
        fq_codec_destroy(codec);
    }
    fq_codec_destroy(other);
    fq_codec_scratch_destroy(NULL);
}

static const fq_test tests[] = {
    {"work space", given_a_work_space_expect_the_same_without_allocations},
    {"noise is what was asked for", noise_is_what_was_asked_for},
    {"costs add up", costs_add_up},
    {"codes are deterministic and separable", codes_are_deterministic_and_separable},
    {"the rotated domain keeps inner products", the_rotated_domain_keeps_inner_products},
    {"extreme vectors have defined outcomes", extreme_vectors_have_defined_outcomes},
    {"corrupt bytes are refused", corrupt_bytes_are_refused},
    {"every failing allocation is reported", every_failing_allocation_is_reported},
    {"fibquant without parts trains the population codebook",
     fibquant_without_parts_trains_the_population_codebook},
    {"turboquant has the population distortion", turboquant_has_the_population_distortion},
    {"norm rules do what they say", norm_rules_do_what_they_say},
    {"the product form is unbiased", the_product_form_is_unbiased},
    {"plain halves are idempotent", plain_halves_are_idempotent},
    {"one block on the sphere is idempotent", one_block_on_the_sphere_is_idempotent},
    {"codebooks can be handed in", codebooks_can_be_handed_in},
    {"the product codebook is turboquant", the_product_codebook_is_turboquant},
    {"channel order chooses the finer group", channel_order_chooses_the_finer_group},
    {"dimensions are checked", dimensions_are_checked},
    {0},
};
const fq_suite fq_suite_codec = {"codec", tests};
