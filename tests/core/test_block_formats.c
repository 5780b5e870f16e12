/* Formats of other programs: blocks bit for bit those of the `gguf` package's quantisers
 * (golden/make_block_formats.py), expansions too; formats that have no such reference by their definition. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "codec.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"

#define FQ_GOLDEN FQ_SOURCE_DIR "/tests/golden"

static fq_codec *make(const char *name, size_t dim) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    if (FQ_CHECK_OK(fq_codec_spec_parse(&spec, name)))
        FQ_CHECK_OK(fq_codec_create(&codec, &spec, dim, NULL));
    return codec;
}

static void blocks_are_those_of_the_reference(void) {
    static const char *const names[] = {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0"};
    fq_bytes golden = fq_bytes_load(FQ_GOLDEN "/block_formats.golden");
    uint32_t size[2];
    if (!FQ_CHECK(golden.size > 8))
        return;
    memcpy(size, golden.data, sizeof size);
    const size_t n = size[0], d = size[1];
    float *x = NULL, *y = NULL;
    FQ_CHECK_OK(fq_alloc(&x, n, d * sizeof *x));
    FQ_CHECK_OK(fq_alloc(&y, n, d * sizeof *y));
    memcpy(x, golden.data + 8, n * d * sizeof *x);
    size_t at = 8 + n * d * sizeof *x, first = at;
    for (size_t i = 0; i < 5; i++) {
        fq_codec *codec = make(names[i], d);
        const size_t bytes = n * fq_codec_get_cost(codec).code_bytes;
        uint8_t *codes = NULL;
        FQ_CHECK_OK(fq_alloc(&codes, bytes, 1));
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, n));
        FQ_CHECK(at + bytes <= golden.size && memcmp(codes, golden.data + at, bytes) == 0);
        at += bytes;
        fq_free(codes);
        fq_codec_destroy(codec);
    }
    fq_codec *uneven = make("iq4_nl", d); /* q4_0's blocks have the same layout */
    FQ_CHECK_OK(fq_codec_decode(uneven, y, golden.data + first, n));
    for (size_t i = 0; i < n * d; i++) {
        float wanted;
        memcpy(&wanted, golden.data + at + i * sizeof wanted, sizeof wanted);
        FQ_CHECK(y[i] == wanted);
    }
    FQ_CHECK(at + n * d * sizeof(float) == golden.size);
    fq_codec_destroy(uneven);
    fq_free(y);
    fq_free(x);
    fq_bytes_free(&golden);
}

/* Every code of fp8 is its own nearest; between two neighbours the middle goes to the even code. */
static void floats_of_eight_bits_round_to_nearest_even(void) {
    static const char *const names[] = {"fp8", "fp8:format=e5m2"};
    static const int largest[] = {0x7e, 0x7b};
    static const double top[] = {448, 57344}, least[] = {0x1p-9, 0x1p-16};
    for (size_t f = 0; f < 2; f++) {
        fq_codec *codec = make(names[f], 2);
        float before = 0.0F;
        for (int code = 0; code <= largest[f]; code++) {
            const uint8_t codes[2] = {(uint8_t)code, (uint8_t)(code | 0x80)};
            uint8_t again[2];
            float x[2];
            FQ_CHECK_OK(fq_codec_decode(codec, x, codes, 1));
            FQ_CHECK(x[1] == -x[0] && (code == 0 || x[0] > before));
            if (code == 1)
                FQ_CHECK_NEAR((double)x[0], least[f], 0);
            if (code == largest[f])
                FQ_CHECK_NEAR((double)x[0], top[f], 0);
            FQ_CHECK_OK(fq_codec_encode(codec, again, x, 1));
            FQ_CHECK(again[0] == codes[0] && (code == 0 || again[1] == codes[1]));
            if (code > 0) {
                const float middle[2] = {0.5F * (x[0] + before), nextafterf(0.5F * (x[0] + before), 0.0F)};
                FQ_CHECK_OK(fq_codec_encode(codec, again, middle, 1));
                FQ_CHECK(again[0] == (code % 2 ? code - 1 : code) && again[1] == code - 1);
            }
            before = x[0];
        }
        fq_codec_destroy(codec);
    }
}

/* Uniform errors of a step: e^2 = step^2 / 12 of what is coded, with a Hadamard transform as well as without.
 */
static void errors_have_the_size_of_their_steps(void) {
    enum { N = 400, D = 64 };
    static const struct {
        const char *name;
        double low, high; /* D on normal vectors */
    } wanted[] = {{"q8_0", 2e-5, 4e-5},   {"q5_0", 0.0012, 0.0022}, {"q4_0", 0.005, 0.009},
                  {"q4_1", 0.004, 0.007}, {"iq4_nl", 0.004, 0.008}, {"nf4", 0.006, 0.011},
                  {"fp8", 2e-4, 1e-3}};
    float x[N * D], y[N * D];
    uint8_t codes[N * 2 * D];
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 1);
    for (size_t i = 0; i < N * D; i++)
        x[i] = (float)fq_stream_normal(&s);
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
        for (int turned = 0; turned < (strcmp(wanted[w].name, "fp8") == 0 ? 1 : 2); turned++) {
            char name[64];
            double error = 0.0, power = 0.0;
            snprintf(name, sizeof name, "%s%s", wanted[w].name, turned ? ":rot=hadamard" : "");
            fq_codec *codec = make(name, D);
            FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
            FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
            for (size_t i = 0; i < N * D; i++) {
                error += pow((double)y[i] - (double)x[i], 2.0);
                power += (double)x[i] * (double)x[i];
            }
            if (!FQ_CHECK(error / power > wanted[w].low && error / power < wanted[w].high))
                fprintf(stderr, "%s: D = %g\n", name, error / power);
            fq_codec_destroy(codec);
        }
}

/* One large coordinate in every vector ruins a format without a rotation and not one with. */
static void a_hadamard_transform_spreads_what_sticks_out(void) {
    enum { N = 200, D = 64 };
    float x[N * D], y[N * D];
    uint8_t codes[N * D];
    double error[2] = {0};
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 2);
    for (size_t i = 0; i < N * D; i++)
        x[i] = (float)fq_stream_normal(&s) * (i % D == 5 ? 30.0F : 1.0F);
    for (int turned = 0; turned < 2; turned++) {
        fq_codec *codec = make(turned ? "q4_0:rot=hadamard" : "q4_0", D);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
        for (size_t i = 0; i < N * D; i++)
            if (i % D != 5)
                error[turned] += pow((double)y[i] - (double)x[i], 2.0) / (N * (D - 1));
        fq_codec_destroy(codec);
    }
    FQ_CHECK(error[1] < 0.4 * error[0]);
}

/* D of OCTOPUS's form at d = 64 against a second route: Lloyd-Max codes fitted in NumPy to 1.26 million drawn
 * triplets, D measured on as many others (standard errors 0.06 to 0.1 %). It is above the scalar code's. */
static void octopus_has_the_distortion_of_its_codes(void) {
    enum { N = 4000, D = 64 };
    static const double wanted[] = {0.44706, 0.14149, 0.04012, 0.010689};
    static const double scalar[] = {0.358387, 0.114526, 0.033390, 0.009189};
    float *x = NULL, *y = NULL;
    uint8_t codes[N * 34];
    fq_stream s;
    FQ_CHECK_OK(fq_alloc(&x, N, D * sizeof *x));
    FQ_CHECK_OK(fq_alloc(&y, N, D * sizeof *y));
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 3);
    for (size_t i = 0; i < (size_t)N * D; i++)
        x[i] = (float)fq_stream_normal(&s);
    for (size_t b = 1; b <= 4; b++) {
        char name[32];
        double error = 0.0;
        snprintf(name, sizeof name, "octopus:b=%zu", b);
        fq_codec *codec = make(name, D);
        FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
        FQ_CHECK_OK(fq_codec_decode(codec, y, codes, N));
        for (size_t v = 0; v < N; v++) {
            double e = 0.0, power = 0.0;
            for (size_t i = v * D; i < (v + 1) * D; i++) {
                e += pow((double)y[i] - (double)x[i], 2.0);
                power += (double)x[i] * (double)x[i];
            }
            error += e / power / N;
        }
        /* a standard error of 0.3 to 0.4 % here: off by chance once in a million seeds */
        FQ_CHECK_NEAR(error, wanted[b - 1], 0.02 * wanted[b - 1]);
        FQ_CHECK(error > 1.1 * scalar[b - 1]);
        fq_codec_destroy(codec);
    }
    fq_free(y);
    fq_free(x);
}

static const fq_test tests[] = {
    {"blocks are those of the reference", blocks_are_those_of_the_reference},
    {"floats of eight bits round to nearest even", floats_of_eight_bits_round_to_nearest_even},
    {"errors have the size of their steps", errors_have_the_size_of_their_steps},
    {"a Hadamard transform spreads what sticks out", a_hadamard_transform_spreads_what_sticks_out},
    {"OCTOPUS has the distortion of its codes", octopus_has_the_distortion_of_its_codes},
    {0},
};
const fq_suite fq_suite_block_formats = {"block_formats", tests};
