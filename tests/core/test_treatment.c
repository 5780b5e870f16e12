/* Treatments: their names, what each step does to vectors, and what a head's coder makes of all of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "codec_metric.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"
#include "symmetric.h"
#include "treatment_family.h"

enum { D = 16, T = 40, GROUP = 2 };

static void draw(float *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)fq_stream_normal(&s);
}

static fq_codec *make_codec(const char *name, uint32_t rotation_class) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    const fq_codec_parts parts = {.rotation_class = rotation_class};
    if (FQ_CHECK_OK(fq_codec_spec_parse(&spec, name)))
        FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, &parts));
    return codec;
}

static fq_treatment treatment_of(const char *text) {
    fq_treatment treatment = {0};
    FQ_CHECK_OK(fq_treatment_parse(&treatment, text));
    return treatment;
}

static const fq_rope rope = {10000.0, 0};

/* A prefix of T tokens; x and query must outlive it. */
static fq_head_prefix prefix_of(const float *x, const float *query) {
    return (fq_head_prefix){.side = FQ_OF_KEYS,
                            .dim = D,
                            .tokens = T,
                            .x = x,
                            .group = query ? GROUP : 0,
                            .query = query,
                            .rope = &rope};
}

static void names_are_canonical(void) {
    static const struct {
        const char *given, *canonical;
    } names[] = {{"none", "none"},
                 {"mean:tokens=64", "mean"},
                 {"mean:at=after,of=keys+window:tokens=32", "mean:at=after+window:tokens=32"},
                 {"classes:of=values,n=8+pool:below=0.35+first:bits=16", "classes+pool+first:bits=16"}};
    static const char *const wrong[] = {
        "",           "mean+",          "+mean",        "mean+mean",
        "middle",     "mean:tokens=0",  "mean:tokens",  "mean:tokens=1,tokens=2",
        "window:x=1", "pool:below=1.5", "first:bits=9", "none+mean",
        "mean:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const fq_treatment t = treatment_of(names[i].given);
        char text[FQ_TREATMENT_TEXT_MAX];
        FQ_CHECK_OK(fq_treatment_format(text, &t));
        FQ_CHECK(strcmp(text, names[i].canonical) == 0);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fq_treatment t;
        FQ_CHECK_FAILS(fq_treatment_parse(&t, wrong[i]), FQ_ERR_SPEC);
    }
}

/* Keys with a constant part of a hundred times their size before the encoding: with the mean taken there the
 * error is that of the rest; after the encoding it is not. */
static void a_mean_before_the_encoding_takes_a_constant_away(void) {
    float x[T * D], constant[T * D], table[T * D], decoded[T * D];
    double error[3] = {0};
    static const char *const names[] = {"none", "mean:tokens=32,skip=0", "mean:tokens=32,skip=0,at=after"};
    fq_codec *codec = make_codec("tq:b=4", 0);
    const fq_codec *codecs[] = {codec};
    draw(x, T * D, 1);
    for (size_t i = 0; i < T * D; i++)
        constant[i] = i % D < 4 ? 100.0F : 0.0F;
    fq_rope_table(table, &rope, D, 0, T);
    fq_rope_apply(&rope, constant, table, T, 1, D, 0);
    for (size_t i = 0; i < T * D; i++)
        x[i] += constant[i];
    for (size_t n = 0; n < 3; n++) {
        const fq_treatment treatment = treatment_of(names[n]);
        const fq_head_prefix prefix = prefix_of(x, NULL);
        fq_head_coder *coder = NULL;
        uint8_t codes[T * 16];
        if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, codecs, &prefix)))
            continue;
        FQ_CHECK_OK(fq_head_coder_encode(coder, codes, x, 0, T));
        FQ_CHECK_OK(fq_head_coder_decode(coder, decoded, codes, 0, T));
        for (size_t i = 0; i < T * D; i++)
            error[n] += pow((double)decoded[i] - (double)x[i], 2.0) / (T * D);
        FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, T), n ? 16.0 * D : 0.0, 0);
        fq_head_coder_destroy(coder);
    }
    /* D of tq:b=4 is about 0.009 of the variance of what is coded: 1 + 1/32, and some 10^4 / 4 */
    FQ_CHECK(error[1] < 0.02 && error[1] > 0.002);
    FQ_CHECK(error[0] > 10.0 && error[2] > 1.0);
    fq_codec_destroy(codec);
}

/* Codes of a coder whose mean is renewed against those of tokens less a mean that is summed here: of all
 * tokens before the last power of two times C (raw), or of all before (as decoded); in pieces of any length.
 */
static void renewed_means_are_of_all_tokens_before(void) {
    enum { C = 8, SKIP = 1 };
    static const char *const names[] = {"mean:tokens=8,at=after,renew=doubling",
                                        "mean:tokens=8,at=after,renew=running"};
    fq_codec *codec = make_codec("tq:b=3", 0);
    const fq_codec *codecs[] = {codec};
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    float x[T * D];
    draw(x, T * D, 20);
    for (size_t i = 0; i < T * D; i++)
        x[i] += 2.0F;
    for (size_t running = 0; running < 2; running++)
        for (size_t piece = 1; piece <= T; piece = piece == 1 ? 7 : piece + 33) { /* 1, 7, 40 */
            const fq_treatment treatment = treatment_of(names[running]);
            fq_head_prefix prefix = prefix_of(x, NULL);
            uint8_t codes[T * 16], code[16];
            float decoded[T * D], sum[D] = {0}, mean[D], y[D];
            fq_head_coder *coder = NULL;
            prefix.tokens = C;
            prefix.capacity = T;
            if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, codecs, &prefix)))
                return;
            for (size_t first = 0; first < T; first += piece)
                FQ_CHECK_OK(fq_head_coder_encode(coder, codes + first * bytes, x + first * D, first,
                                                 T - first < piece ? T - first : piece));
            FQ_CHECK_OK(fq_head_coder_decode(coder, decoded, codes, 0, T));
            for (size_t c = 0; c < D; c++) {
                double first = 0.0;
                for (size_t t = SKIP; t < C; t++)
                    first += (double)x[t * D + c];
                mean[c] = fq_fp16_to_float(fq_fp16_from_float((float)(first / (C - SKIP))));
            }
            for (size_t t = 0; t < T; t++) {
                const bool due = running ? t >= C : t == 2 * C || t == 4 * C;
                for (size_t c = 0; due && c < D; c++) {
                    mean[c] = (float)((double)sum[c] / (double)(t - SKIP));
                    if (!running)
                        mean[c] = fq_fp16_to_float(fq_fp16_from_float(mean[c]));
                }
                for (size_t c = 0; c < D; c++)
                    y[c] = x[t * D + c] - mean[c];
                FQ_CHECK_OK(fq_codec_encode(codec, code, y, 1));
                FQ_CHECK(memcmp(code, codes + t * bytes, bytes) == 0);
                FQ_CHECK_OK(fq_codec_decode(codec, y, code, 1));
                for (size_t c = 0; c < D; c++) {
                    FQ_CHECK(decoded[t * D + c] == y[c] + mean[c]);
                    sum[c] += t < SKIP ? 0.0F : running ? decoded[t * D + c] : x[t * D + c];
                }
            }
            FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, T), running ? 16 * D : 3 * 16 * D, 0);
            FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, 2 * C), 16 * D, 0); /* the 17th takes the next */
            FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, 2 * C + 1), running ? 16 * D : 2 * 16 * D, 0);
            FQ_CHECK_FAILS(fq_head_coder_encode(coder, codes, x, 0, 1), FQ_ERR_ARGUMENT);
            FQ_CHECK_FAILS(fq_head_coder_encode(coder, codes, x, T, 1), FQ_ERR_ARGUMENT);
            fq_head_coder_destroy(coder);
        }
    fq_codec_destroy(codec);
}

/* normalise+mean, coded token by token: |x| (m + c), c the code of x/|x| - m; a half a token is counted. */
static void normalising_comes_before_the_mean(void) {
    enum { C = 8 };
    const fq_treatment treatment = treatment_of("normalise+mean:tokens=8,skip=0,at=after");
    fq_codec *codec = make_codec("tq:b=3", 0);
    const fq_codec *codecs[] = {codec};
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    float x[T * D], unit[T * D], norm[T], mean[D], decoded[T * D], y[D];
    uint8_t codes[T * 16], code[16];
    fq_head_coder *coder = NULL;
    draw(x, T * D, 21);
    for (size_t i = 0; i < T * D; i++)
        x[i] = i / D == 11 ? 0.0F : (x[i] + 1.0F) * (float)(1 + i / D % 5);
    for (size_t t = 0; t < T; t++) {
        double square = 0.0;
        for (size_t c = 0; c < D; c++)
            square += (double)x[t * D + c] * (double)x[t * D + c];
        norm[t] = t == 11 ? 1.0F : fq_fp16_to_float(fq_fp16_from_float((float)sqrt(square)));
        for (size_t c = 0; c < D; c++)
            unit[t * D + c] = x[t * D + c] / norm[t];
    }
    for (size_t c = 0; c < D; c++) {
        double sum = 0.0;
        for (size_t t = 0; t < C; t++)
            sum += (double)unit[t * D + c];
        mean[c] = fq_fp16_to_float(fq_fp16_from_float((float)(sum / C)));
    }
    fq_head_prefix prefix = prefix_of(x, NULL);
    prefix.tokens = C;
    prefix.capacity = T;
    if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, codecs, &prefix)))
        return;
    for (size_t first = 0; first < T; first += 10)
        FQ_CHECK_OK(fq_head_coder_encode(coder, codes + first * bytes, x + first * D, first, 10));
    FQ_CHECK_OK(fq_head_coder_decode(coder, decoded, codes, 0, T));
    for (size_t t = 0; t < T; t++) {
        for (size_t c = 0; c < D; c++)
            y[c] = unit[t * D + c] - mean[c];
        FQ_CHECK_OK(fq_codec_encode(codec, code, y, 1));
        FQ_CHECK(memcmp(code, codes + t * bytes, bytes) == 0);
        FQ_CHECK_OK(fq_codec_decode(codec, y, code, 1));
        for (size_t c = 0; c < D; c++)
            FQ_CHECK(decoded[t * D + c] == (y[c] + mean[c]) * norm[t]);
    }
    FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, T), 16 * D + 16 * T, 0);
    fq_head_coder_destroy(coder);
    fq_codec_destroy(codec);
}

static double trace_of_product(const double *a, const double *b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += a[i * n + j] * b[j * n + i];
    return sum;
}

/* Powers and means of symmetric matrices by what defines them. */
static void symmetric_matrices_have_powers_and_means(void) {
    double a[D * D] = {0}, b[D * D] = {0}, p[D * D], inverse[D * D];
    float x[2 * D * D];
    draw(x, 2 * D * D, 30);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++)
            for (size_t k = 0; k < D; k++) {
                a[i * D + j] += (double)x[i * D + k] * (double)x[j * D + k] + (i == j ? 0.02 : 0.0);
                b[i * D + j] +=
                    (double)x[(D + i) * D + k] * (double)x[(D + j) * D + k] + (i == j ? 0.02 : 0.0);
            }
    FQ_CHECK_OK(fq_symmetric_power(inverse, a, D, -1.0));
    FQ_CHECK_OK(fq_symmetric_mean(p, a, b, D));
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++) {
            double unit = 0.0, back = 0.0;
            for (size_t k = 0; k < D; k++) {
                unit += a[i * D + k] * inverse[k * D + j];
                for (size_t l = 0; l < D; l++)
                    back += p[i * D + k] * inverse[k * D + l] * p[l * D + j];
            }
            FQ_CHECK_NEAR(unit, i == j ? 1.0 : 0.0, 1e-10);
            FQ_CHECK_NEAR(back, b[i * D + j], 1e-9);
        }
    memset(a, 0, sizeof a);
    FQ_CHECK_FAILS(fq_symmetric_power(p, a, D, 0.5), FQ_ERR_ARGUMENT);
}

/* Of the matrix that is learnt, P = A^2, tr(P K) tr(P^-1 W) comes within a hundredth of its least value, (tr
 * (K W)^(1/2))^2; without one it is larger, and with the queries' matrix larger still than that. What is
 * decoded is what was coded, and scores err less. */
static void a_matrix_is_the_optimum_of_two_traces(void) {
    static const char *const names[] = {"matrix:tokens=40,shrink=0.0001",
                                        "matrix:tokens=40,shrink=0.0001,by=queries", "none"};
    float x[T * D], q[T * GROUP * D], table[T * D], decoded[T * D];
    double k[D * D] = {0}, w[D * D] = {0}, root[D * D], inner[D * D], traces[3], error[3] = {0};
    fq_codec *fine = make_codec("fp16", 0), *coarse = make_codec("tq:b=2", 0);
    const fq_codec *fines[] = {fine}, *coarses[] = {coarse};
    uint8_t codes[T * 2 * D];
    draw(x, T * D, 31);
    draw(q, T * GROUP * D, 32);
    for (size_t i = 0; i < T * D; i++) /* large keys where queries are small */
        x[i] *= (float)exp2((double)(i % D) / 3.0 - 2.0);
    for (size_t i = 0; i < T * GROUP * D; i++)
        q[i] *= (float)exp2(2.0 - (double)(i % D) / 2.0);
    for (size_t i = 0; i < D * D; i++) {
        for (size_t t = 1; t < T; t++)
            k[i] += (double)x[t * D + i / D] * (double)x[t * D + i % D];
        for (size_t t = GROUP; t < T * GROUP; t++)
            w[i] += (double)q[t * D + i / D] * (double)q[t * D + i % D];
    }
    FQ_CHECK_OK(fq_symmetric_power(root, k, D, 0.5));
    memset(inner, 0, sizeof inner);
    for (size_t i = 0; i < D * D; i++)
        for (size_t a = 0; a < D; a++)
            for (size_t b = 0; b < D; b++)
                inner[i] += root[i / D * D + a] * w[a * D + b] * root[b * D + i % D];
    FQ_CHECK_OK(fq_symmetric_power(inner, inner, D, 0.5));
    double least = 0.0;
    for (size_t i = 0; i < D; i++)
        least += inner[i * (D + 1)];
    fq_rope_table(table, &rope, D, 0, T);
    fq_rope_apply(&rope, x, table, T, 1, D, 0);
    fq_rope_apply(&rope, q, table, T, GROUP, D, 0);
    const fq_head_prefix prefix = prefix_of(x, q);
    for (size_t n = 0; n < 3; n++) {
        const fq_treatment treatment = treatment_of(names[n]);
        double p[D * D] = {0}, inverse[D * D];
        if (n < 2) {
            float state[1 + 2 * D * D];
            FQ_CHECK_OK(treatment.step[0].family->prepare(&treatment.step[0], state, &prefix));
            for (size_t i = 0; i < D * D; i++)
                for (size_t c = 0; c < D; c++)
                    p[i] += (double)state[1 + i / D * D + c] * (double)state[1 + c * D + i % D];
        }
        for (size_t i = 0; i < D && n == 2; i++)
            p[i * (D + 1)] = 1.0;
        FQ_CHECK_OK(fq_symmetric_power(inverse, p, D, -1.0));
        traces[n] = trace_of_product(p, k, D) * trace_of_product(inverse, w, D) / (least * least);
        fq_head_coder *coder = NULL;
        if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, fines, &prefix)))
            return;
        FQ_CHECK_OK(fq_head_coder_encode(coder, codes, x, 0, T));
        FQ_CHECK_OK(fq_head_coder_decode(coder, decoded, codes, 0, T));
        for (size_t i = 0; i < T * D; i++)
            FQ_CHECK_NEAR((double)decoded[i], (double)x[i], 0.3);
        FQ_CHECK_NEAR(fq_head_coder_side_bits(coder, T), n < 2 ? 16 * D * D : 0, 0);
        fq_head_coder_destroy(coder);
        if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, coarses, &prefix)))
            return;
        FQ_CHECK_OK(fq_head_coder_encode(coder, codes, x, 0, T));
        FQ_CHECK_OK(fq_head_coder_decode(coder, decoded, codes, 0, T));
        for (size_t t = 0; t < T; t++)
            for (size_t v = 0; v < T * GROUP; v++) {
                double e = 0.0;
                for (size_t c = 0; c < D; c++)
                    e += (double)q[v * D + c] * ((double)decoded[t * D + c] - (double)x[t * D + c]);
                error[n] += e * e;
            }
        fq_head_coder_destroy(coder);
    }
    FQ_CHECK(traces[0] > 0.9999 && traces[0] < 1.01);
    FQ_CHECK(traces[2] > 10.0 && traces[1] > 1.15 && traces[1] < traces[2]); /* 92 to 151, 1.35 to 1.49 */
    FQ_CHECK(error[0] < 0.6 * error[2] && error[0] < 0.9 * error[1]);
    const fq_treatment given = treatment_of("matrix:from=given");
    fq_head_coder *coder = NULL;
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &given, fines, &prefix), FQ_ERR_SPEC);
    const fq_treatment wrong = treatment_of("matrix:tokens=8+scale:tokens=8");
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &wrong, fines, &prefix), FQ_ERR_SPEC);
    fq_codec_destroy(coarse);
    fq_codec_destroy(fine);
}

/* What a step does to keys and queries leaves their products: permutations and scales. */
static void scores_stay_where_queries_change(void) {
    static const char *const names[] = {"order:tokens=40", "scale:tokens=40"};
    float x[T * D], query[T * GROUP * D];
    draw(x, T * D, 2);
    draw(query, T * GROUP * D, 3);
    for (size_t i = 0; i < T * D; i++)
        x[i] *= (float)(1 + i % D);
    for (size_t n = 0; n < 2; n++) {
        const fq_treatment treatment = treatment_of(names[n]);
        const fq_treatment_step *step = &treatment.step[0];
        const fq_head_prefix prefix = prefix_of(x, query);
        const fq_treatment_place place = {.dim = D, .first = 0, .rope = &rope};
        float state[D], k[D], q[D];
        FQ_CHECK_OK(step->family->prepare(step, state, &prefix));
        memcpy(k, x + 5 * D, sizeof k);
        memcpy(q, query + 7 * D, sizeof q);
        double before = 0.0, after = 0.0;
        for (size_t i = 0; i < D; i++)
            before += (double)k[i] * (double)q[i];
        FQ_CHECK_OK(step->family->forward(step, state, &place, k, 1));
        FQ_CHECK_OK(step->family->forward_query(step, state, q, 1, D));
        for (size_t i = 0; i < D; i++)
            after += (double)k[i] * (double)q[i];
        FQ_CHECK_NEAR(after, before, 1e-4);
        FQ_CHECK(memcmp(k, x + 5 * D, sizeof k) != 0);
        FQ_CHECK_OK(step->family->backward(step, state, &place, k, 1));
        for (size_t i = 0; i < D; i++)
            FQ_CHECK_NEAR((double)k[i], (double)x[5 * D + i], 1e-5);
        if (n == 0) /* energies rise with the channel */
            FQ_CHECK(state[0] == D - 1);
    }
}

/* Pair i of keys has energy 4^i, of queries 1: the scale is 2^(-i/2), over its geometric mean. */
static void scales_are_the_fourth_root_of_a_ratio(void) {
    float x[T * D], query[T * GROUP * D], state[D];
    const fq_treatment treatment = treatment_of("scale:tokens=40");
    for (size_t i = 0; i < T * D; i++)
        x[i] = ldexpf(1.0F, (int)(i % D % (D / 2)));
    for (size_t i = 0; i < T * GROUP * D; i++)
        query[i] = i % 2 ? 1.0F : -1.0F;
    const fq_head_prefix prefix = prefix_of(x, query);
    FQ_CHECK_OK(treatment.step[0].family->prepare(&treatment.step[0], state, &prefix));
    for (size_t i = 0; i < D / 2; i++) {
        FQ_CHECK_NEAR((double)state[i], exp2(((double)(D / 2 - 1) / 2.0 - (double)i) / 2.0), 1e-2);
        FQ_CHECK(state[i] == state[D / 2 + i]);
    }
}

/* The metric against sums written out: mean over positions of R_p q q^T R_p^T, scaled, plus lambda. */
static void the_metric_is_the_mean_over_rotations(void) {
    enum { HORIZON = 5, FIRST = 3 };
    float x[T * D], query[T * GROUP * D], state[D * D];
    double wanted[D * D] = {0}, trace = 0.0;
    const fq_treatment treatment = treatment_of("metric:tokens=3,horizon=5,lambda=0.5");
    draw(x, T * D, 4);
    draw(query, T * GROUP * D, 5);
    const fq_head_prefix prefix = prefix_of(x, query);
    FQ_CHECK_OK(treatment.step[0].family->prepare(&treatment.step[0], state, &prefix));
    for (size_t v = 0; v < FIRST * GROUP; v++)
        for (size_t p = 0; p < HORIZON; p++) {
            float q[D], table[D];
            memcpy(q, query + v * D, sizeof q);
            fq_rope_table(table, &rope, D, v / GROUP, 1);
            fq_rope_apply(&rope, q, table, 1, 1, D, 1);
            fq_rope_table(table, &rope, D, p, 1);
            fq_rope_apply(&rope, q, table, 1, 1, D, 0);
            for (size_t i = 0; i < D * D; i++)
                wanted[i] += (double)q[i / D] * (double)q[i % D];
        }
    for (size_t i = 0; i < D; i++)
        trace += wanted[i * D + i];
    for (size_t i = 0; i < D * D; i++)
        FQ_CHECK_NEAR((double)state[i], D / trace * wanted[i] + (i % (D + 1) == 0 ? 0.5 : 0.0), 1e-4);
}

static double quadratic(const float *m, const float *e) {
    double sum = 0.0;
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++)
            sum += (double)e[i] * (double)m[i * D + j] * (double)e[j];
    return sum;
}

/* In the metric the error is below that of the nearest words, vector by vector; the metric I changes nothing.
 */
static void a_metric_lowers_its_own_error(void) {
    float m[D * D] = {0}, identity[D * D] = {0}, x[T * D], plain[T * D], steered[T * D];
    uint8_t codes[2][T * 16];
    fq_codec *codec = make_codec("tq:b=2", 0);
    fq_codec_metric *metric = NULL, *none = NULL;
    double gain = 0.0;
    draw(x, T * D, 6);
    for (size_t i = 0; i < D; i++) {
        identity[i * D + i] = 1.0F;
        for (size_t j = 0; j < D; j++)
            m[i * D + j] = (i == j ? 1.0F : 0.0F) + 8.0F * (i < 2 && j < 2 ? 1.0F : 0.0F);
    }
    if (!FQ_CHECK_OK(fq_codec_metric_create(&metric, codec, m)) ||
        !FQ_CHECK_OK(fq_codec_metric_create(&none, codec, identity)))
        return;
    FQ_CHECK_OK(fq_codec_encode(codec, codes[0], x, T));
    FQ_CHECK_OK(fq_codec_metric_encode(none, codes[1], x, T));
    FQ_CHECK(memcmp(codes[0], codes[1], T * fq_codec_get_cost(codec).code_bytes) == 0);
    FQ_CHECK_OK(fq_codec_metric_encode(metric, codes[1], x, T));
    FQ_CHECK_OK(fq_codec_decode(codec, plain, codes[0], T));
    FQ_CHECK_OK(fq_codec_decode(codec, steered, codes[1], T));
    for (size_t t = 0; t < T; t++) {
        float e[2][D];
        for (size_t i = 0; i < D; i++) {
            e[0][i] = plain[t * D + i] - x[t * D + i];
            e[1][i] = steered[t * D + i] - x[t * D + i];
        }
        FQ_CHECK(quadratic(m, e[1]) <= quadratic(m, e[0]) + 1e-3);
        gain += quadratic(m, e[1]) / quadratic(m, e[0]) / T;
    }
    /* a mean of 40 ratios: 0.71 to 0.78 over seeds */
    FQ_CHECK(gain < 0.85 && gain > 0.5);
    fq_codec_metric_destroy(none);
    fq_codec_metric_destroy(metric);
    fq_codec_destroy(codec);
}

/* Token t of a head is coded by the (t mod 3)-th rotation, wherever the piece begins. */
static void classes_go_by_position(void) {
    fq_codec *codec[3];
    const fq_codec *codecs[3];
    const fq_treatment treatment = treatment_of("classes:n=3,of=both");
    float x[T * D], decoded[T * D], wanted[D];
    uint8_t codes[T * 16], code[16];
    fq_head_coder *coder = NULL;
    draw(x, T * D, 7);
    for (uint32_t c = 0; c < 3; c++)
        codecs[c] = codec[c] = make_codec("tq:b=2", c);
    const fq_head_prefix prefix = prefix_of(x, NULL);
    const size_t bytes = fq_codec_get_cost(codec[0]).code_bytes;
    if (!FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, codecs, &prefix)))
        return;
    for (size_t first = 0; first < T; first += 7) {
        const size_t n = T - first < 7 ? T - first : 7;
        FQ_CHECK_OK(fq_head_coder_encode(coder, codes + first * bytes, x + first * D, first, n));
        FQ_CHECK_OK(fq_head_coder_decode(coder, decoded + first * D, codes + first * bytes, first, n));
    }
    for (size_t t = 0; t < T; t++) {
        FQ_CHECK_OK(fq_codec_encode(codec[t % 3], code, x + t * D, 1));
        FQ_CHECK_OK(fq_codec_decode(codec[t % 3], wanted, code, 1));
        FQ_CHECK(memcmp(code, codes + t * bytes, bytes) == 0);
        FQ_CHECK(memcmp(wanted, decoded + t * D, sizeof wanted) == 0);
    }
    FQ_CHECK_OK(fq_codec_encode(codec[1], code, x, 1));
    FQ_CHECK(memcmp(code, codes, bytes) != 0);
    fq_head_coder_destroy(coder);
    for (size_t c = 0; c < 3; c++)
        fq_codec_destroy(codec[c]);
}

static fq_codec *make_int(unsigned bits, size_t group, size_t dim) {
    char name[48];
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    snprintf(name, sizeof name, "int:b=%u,group=%zu", bits, group);
    if (FQ_CHECK_OK(fq_codec_spec_parse(&spec, name)))
        FQ_CHECK_OK(fq_codec_create(&codec, &spec, dim, NULL));
    return codec;
}

/* KIVI's form of keys and of values, to the last bit of what NumPy makes of its formulas
 * (golden/make_kivi.py). */
static void channels_are_coded_as_in_kivi(void) {
    fq_bytes golden = fq_bytes_load(FQ_SOURCE_DIR "/tests/golden/kivi.golden");
    uint32_t size[3];
    if (!FQ_CHECK(golden.size > sizeof size))
        return;
    memcpy(size, golden.data, sizeof size);
    const size_t n = size[0], d = size[1], group = size[2], block = n * d * sizeof(float);
    float *x = NULL, *y = NULL;
    char names[2][40] = {"none", ""};
    FQ_CHECK(golden.size == sizeof size + 7 * block);
    FQ_CHECK_OK(fq_alloc(&x, n, d * sizeof *x));
    FQ_CHECK_OK(fq_alloc(&y, n, d * sizeof *y));
    memcpy(x, golden.data + sizeof size, block);
    snprintf(names[1], sizeof names[1], "channels:tokens=%zu", group);
    for (unsigned bits = 2; bits <= 4; bits++)
        for (size_t by_channel = 0; by_channel < 2; by_channel++) {
            const fq_treatment treatment = treatment_of(names[by_channel]);
            const fq_head_prefix prefix = {.side = FQ_OF_KEYS, .dim = d};
            const size_t at = bits - 2 + (by_channel ? 0 : 3);
            fq_codec *codec = make_int(bits, group, d);
            fq_head_coder *coder = NULL;
            uint8_t *codes = NULL;
            const size_t bytes = fq_codec_get_cost(codec).code_bytes;
            FQ_CHECK(bytes == d / group * (4 + group * bits / 8));
            FQ_CHECK_OK(fq_alloc(&codes, n, bytes));
            FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, (const fq_codec *const *)&codec, &prefix));
            for (size_t first = 0; first < n; first += group) { /* a group by itself */
                FQ_CHECK_OK(fq_head_coder_encode(coder, codes + first * bytes, x + first * d, first, group));
                FQ_CHECK_OK(fq_head_coder_decode(coder, y + first * d, codes + first * bytes, first, group));
            }
            FQ_CHECK(memcmp(y, golden.data + sizeof size + (1 + at) * block, block) == 0);
            if (by_channel) {
                FQ_CHECK_FAILS(fq_head_coder_encode(coder, codes, x, 0, group - 1), FQ_ERR_ARGUMENT);
                FQ_CHECK_FAILS(fq_head_coder_decode(coder, y, codes, 1, group), FQ_ERR_ARGUMENT);
            }
            fq_head_coder_destroy(coder);
            fq_codec_destroy(codec);
            fq_free(codes);
        }
    fq_free(y);
    fq_free(x);
    fq_bytes_free(&golden);
}

/* 8.5 bits: multiples of a half, at most half a step off, a step a 127th of the largest; 34 coordinates are
 * two runs. */
static void kept_tokens_are_rounded_and_counted(void) {
    enum { N = 34 };
    float x[N], kept[N];
    for (size_t i = 0; i < N; i++)
        x[i] = (float)i * (i % 2 ? -0.37F : 0.37F);
    fq_treatment_keep_round(kept, x, 1, N, 8.5);
    const float step = fq_fp16_to_float(fq_fp16_from_float(31.0F * 0.37F / 127.0F));
    for (size_t i = 0; i < 32; i++) {
        FQ_CHECK(fabsf(kept[i] / step - roundf(kept[i] / step)) < 1e-4F);
        FQ_CHECK_NEAR((double)kept[i], (double)x[i], 0.51 * (double)step + 1e-3 * fabs((double)x[i]));
    }
    fq_treatment_keep_round(kept, x, 1, N, 16.0);
    for (size_t i = 0; i < N; i++)
        FQ_CHECK(kept[i] == fq_fp16_to_float(fq_fp16_from_float(x[i])));
    FQ_CHECK_NEAR(fq_treatment_keep_cost(64, 8.5), 8.5 * 64, 0);
    FQ_CHECK_NEAR(fq_treatment_keep_cost(N, 8.5), 8 * N + 32, 0);
    FQ_CHECK_NEAR(fq_treatment_keep_cost(N, 16.0), 16 * N, 0);
}

static void what_is_not_known_is_refused(void) {
    float x[T * D];
    fq_codec *codec = make_codec("tq:b=2", 0), *product = make_codec("tqprod:b=2", 0);
    const fq_codec *codecs[] = {codec}, *products[] = {product};
    fq_head_coder *coder = NULL;
    draw(x, T * D, 8);
    fq_head_prefix prefix = prefix_of(x, NULL);
    fq_treatment treatment = treatment_of("mean:tokens=41");
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &treatment, codecs, &prefix), FQ_ERR_ARGUMENT);
    treatment = treatment_of("metric:tokens=8"); /* no queries */
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &treatment, codecs, &prefix), FQ_ERR_SPEC);
    prefix = prefix_of(x, x); /* some queries */
    prefix.group = 1;
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &treatment, products, &prefix), FQ_ERR_SPEC);
    treatment = treatment_of("metric:tokens=8+channels:tokens=8");
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &treatment, codecs, &prefix), FQ_ERR_SPEC);
    prefix.rope = NULL;
    treatment = treatment_of("mean:tokens=8");
    FQ_CHECK_FAILS(fq_head_coder_create(&coder, &treatment, codecs, &prefix), FQ_ERR_SPEC);
    FQ_CHECK(coder == NULL);
    fq_codec_destroy(product);
    fq_codec_destroy(codec);
}

/* Two pairs of a mean before the encoding: what is decoded of zeros is the mean turned, without the others.
 */
static void only_the_strongest_pairs_of_a_mean_are_subtracted(void) {
    static const fq_rope both[2] = {{10000.0, 0}, {10000.0, 1}};
    for (size_t r = 0; r < 2; r++) {
        float x[T * D], table[T * D], residual[T * D], common[D];
        fq_codec *codec = make_codec("fp16", 0);
        fq_head_coder *coder = NULL;
        const fq_codec *const codecs[] = {codec};
        const fq_treatment treatment = treatment_of("mean:tokens=40,skip=0,pairs=2");
        fq_head_prefix prefix = prefix_of(x, NULL);
        uint8_t codes[T * D * 2];
        for (size_t i = 0; i < D; i++)
            common[i] = 1;
        const size_t strong[2][2] = {{3, 3 + D / 2}, {6, 7}}; /* pair 3, by both pairings */
        const size_t second[2][2] = {{5, 5 + D / 2}, {10, 11}};
        for (size_t k = 0; k < 2; k++) {
            common[strong[r][k]] = 40;
            common[second[r][k]] = -20;
        }
        for (size_t i = 0; i < T * D; i++)
            x[i] = common[i % D];
        fq_rope_table(table, &both[r], D, 0, T);
        fq_rope_apply(&both[r], x, table, T, 1, D, 0);
        prefix.rope = &both[r];
        if (FQ_CHECK_OK(fq_head_coder_create(&coder, &treatment, codecs, &prefix))) {
            FQ_CHECK(fq_head_coder_side_bits(coder, T) == 2 * 40.0);
            FQ_CHECK_OK(fq_head_coder_encode(coder, codes, x, 0, T)); /* halves of what is left */
            FQ_CHECK_OK(fq_codec_decode(codec, residual, codes, T));
            fq_rope_apply(&both[r], residual, table, T, 1, D, 1);
            for (size_t i = 0; i < T * D; i++) {
                const size_t c = i % D;
                const bool gone =
                    c == strong[r][0] || c == strong[r][1] || c == second[r][0] || c == second[r][1];
                FQ_CHECK_NEAR((double)residual[i], gone ? 0 : 1, 0.02);
            }
        }
        fq_head_coder_destroy(coder);
        prefix.side = FQ_OF_VALUES;
        const fq_treatment of_both = treatment_of("mean:tokens=40,of=both,pairs=2"),
                           after = treatment_of("mean:tokens=40,at=after,pairs=2");
        FQ_CHECK_FAILS(fq_head_coder_create(&coder, &of_both, codecs, &prefix), FQ_ERR_SPEC);
        prefix.side = FQ_OF_KEYS;
        FQ_CHECK_FAILS(fq_head_coder_create(&coder, &after, codecs, &prefix), FQ_ERR_SPEC);
        fq_codec_destroy(codec);
    }
}

static const fq_test tests[] = {
    {"only the strongest pairs of a mean are subtracted", only_the_strongest_pairs_of_a_mean_are_subtracted},
    {"names are canonical", names_are_canonical},
    {"a mean before the encoding takes a constant away", a_mean_before_the_encoding_takes_a_constant_away},
    {"renewed means are of all tokens before", renewed_means_are_of_all_tokens_before},
    {"normalising comes before the mean", normalising_comes_before_the_mean},
    {"symmetric matrices have powers and means", symmetric_matrices_have_powers_and_means},
    {"a matrix is the optimum of two traces", a_matrix_is_the_optimum_of_two_traces},
    {"scores stay where queries change", scores_stay_where_queries_change},
    {"scales are the fourth root of a ratio", scales_are_the_fourth_root_of_a_ratio},
    {"the metric is the mean over rotations", the_metric_is_the_mean_over_rotations},
    {"a metric lowers its own error", a_metric_lowers_its_own_error},
    {"classes go by position", classes_go_by_position},
    {"channels are coded as in KIVI", channels_are_coded_as_in_kivi},
    {"kept tokens are rounded and counted", kept_tokens_are_rounded_and_counted},
    {"what is not known is refused", what_is_not_known_is_refused},
    {0},
};
const fq_suite fq_suite_treatment = {"treatment", tests};
