/* Golden values: SHA-256 of what codecs write and decode, of trained codewords, and the distortion of small
 * codebooks. A change of any of them changes what stored codes and results mean, so the tables are written
 * anew only on purpose: tests/golden/make_codes.sh. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codebook_training.h"
#include "codec.h"
#include "cpu.h"
#include "memory.h"
#include "sha256.h"
#include "stream.h"

#define GOLDEN FQ_SOURCE_DIR "/tests/golden/"

enum { LINE = 512, VECTORS = 101 };

/* Sums of three 32-bit whole numbers times powers of two: the same on every machine. */
static void fill(float *x, size_t n, size_t d, uint64_t seed) {
    for (size_t i = 0; i < n; i++) {
        fq_stream s;
        fq_stream_init(&s, seed, FQ_PURPOSE_TEST, 30000 + i);
        const int scale = (int)fq_stream_below(&s, 12) - 40;
        for (size_t j = 0; j < d; j++) {
            double sum = -1.5 * 0x1p32;
            for (int t = 0; t < 3; t++)
                sum += (double)fq_stream_u32(&s);
            x[i * d + j] = i % 13 == 4 ? 0.0F : (float)ldexp(sum, scale);
        }
    }
}

/* Applies row to every line of the table that is no comment. With FQ_GOLDEN_WRITE set to a folder a copy goes
 * there whose lines end in what row made, in the place of what they ended in. */
static void each_row(const char *name, size_t inputs, size_t least,
                     bool (*row)(char *const *field, char made[LINE], const char *golden)) {
    char path[LINE], line[LINE], copy[LINE], made[LINE];
    const char *folder = getenv("FQ_GOLDEN_WRITE");
    FILE *to = NULL;
    size_t rows = 0;
    snprintf(path, sizeof path, GOLDEN "%s", name);
    FILE *from = fopen(path, "r");
    if (!FQ_CHECK(from != NULL))
        return;
    if (folder) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        to = fopen(path, "w");
        FQ_CHECK(to != NULL);
    }
    while (fgets(line, sizeof line, from)) {
        char *field[8] = {0}, *rest = copy;
        strcpy(copy, line);
        for (size_t f = 0; line[0] != '#' && f < inputs; f++) {
            field[f] = strtok(f ? NULL : copy, " \n");
            rest = field[f];
        }
        if (line[0] == '#' || !rest) {
            if (to)
                fputs(line, to);
            continue;
        }
        const char *golden = strtok(NULL, "\n");
        made[0] = '\0';
        const bool good = row(field, made, to ? NULL : golden ? golden : "");
        if (!FQ_CHECK(good))
            fprintf(stderr, "  %s: %s %s\n  made  %s\n", name, field[0], golden ? golden : "", made);
        if (to) {
            for (size_t f = 0; f < inputs; f++)
                fprintf(to, "%s ", field[f]);
            fprintf(to, "%s\n", made);
        }
        rows++;
    }
    FQ_CHECK(rows >= least);
    fclose(from);
    if (to)
        FQ_CHECK(fclose(to) == 0);
}

/* spec dim seed: SHA-256 of the codes of VECTORS vectors and of what they decode to. */
static bool code_row(char *const *field, char made[LINE], const char *golden) {
    static const unsigned levels[] = {FQ_CPU_ALL, FQ_CPU_AVX2, 0};
    const size_t d = (size_t)atoi(field[1]);
    fq_codec_spec spec;
    float *x = NULL, *y = NULL;
    uint8_t *codes = NULL;
    bool good = true;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, field[0]));
    FQ_CHECK_OK(fq_alloc(&x, VECTORS * d, sizeof *x));
    FQ_CHECK_OK(fq_alloc(&y, VECTORS * d, sizeof *y));
    fill(x, VECTORS, d, (uint64_t)atoi(field[2]));
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) { /* every instruction set the same */
        char of_codes[FQ_SHA256_HEX] = "", of_floats[FQ_SHA256_HEX] = "";
        fq_codec *codec = NULL;
        fq_cpu_limit(levels[l]);
        if (FQ_CHECK_OK(fq_codec_create(&codec, &spec, d, NULL))) {
            const size_t bytes = VECTORS * fq_codec_get_cost(codec).code_bytes;
            FQ_CHECK_OK(fq_alloc_zero(&codes, bytes, 1));
            FQ_CHECK_OK(fq_codec_encode(codec, codes, x, VECTORS));
            FQ_CHECK_OK(fq_codec_decode(codec, y, codes, VECTORS));
            fq_sha256_bytes(of_codes, codes, bytes);
            fq_sha256_bytes(of_floats, y, VECTORS * d * sizeof *y);
            fq_free(codes);
        }
        fq_codec_destroy(codec);
        char now[LINE];
        snprintf(now, sizeof now, "%s %s", of_codes, of_floats);
        good = good && (l == 0 || strcmp(now, made) == 0);
        strcpy(made, now);
    }
    fq_cpu_limit(FQ_CPU_ALL);
    fq_free(x);
    fq_free(y);
    return good && (!golden || strcmp(made, golden) == 0);
}

static void codes_and_decoded_vectors_are_golden(void) {
    each_row("codes.golden", 3, 30, code_row);
}

/* Every family has a row, every common word, too. */
static void every_family_has_a_row(void) {
    static char text[1 << 16];
    FILE *from = fopen(GOLDEN "codes.golden", "r");
    if (!FQ_CHECK(from != NULL))
        return;
    text[0] = '\n';
    text[1 + fread(text + 1, 1, sizeof text - 2, from)] = '\0';
    fclose(from);
    for (size_t f = 0; f < fq_codec_family_count(); f++) {
        char start[2][FQ_FAMILY_NAME_MAX + 3];
        snprintf(start[0], sizeof start[0], "\n%s:", fq_codec_family_name(f));
        snprintf(start[1], sizeof start[1], "\n%s ", fq_codec_family_name(f));
        if (!FQ_CHECK(strstr(text, start[0]) || strstr(text, start[1])))
            fprintf(stderr, "  %s has no row in tests/golden/codes.golden\n", fq_codec_family_name(f));
    }
    static const char *const words[] = {"rot=hadamard", "pack=radix",   "pack=bits",      "norm=ls",
                                        "norm=match",   "recipe=paper", "recipe=product", "recipe=initial"};
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        FQ_CHECK(strstr(text, words[w]) != NULL);
}

/* recipe dim k N seed tolerance: SHA-256 of the words, and D on 2^18 samples, to 1 in 10^4: what tells how
 * much a change of the words matters. */
static bool codebook_row(char *const *field, char made[LINE], const char *golden) {
    fq_train_options options = {.dim = (size_t)atoi(field[1]),
                                .block = (size_t)atoi(field[2]),
                                .codewords = (size_t)atoi(field[3]),
                                .seed = (uint64_t)atoi(field[4]),
                                .tolerance = atof(field[5])};
    char hash[FQ_SHA256_HEX] = "";
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    FQ_CHECK_OK(fq_recipe_parse(&options.recipe, field[0]));
    if (FQ_CHECK_OK(fq_codebook_train(&codebook, &options))) {
        fq_sha256_bytes(hash, codebook.words, codebook.block * codebook.codewords * sizeof(float));
        FQ_CHECK_OK(fq_codebook_measure(&codebook, 20260511, 1 << 18));
    }
    snprintf(made, LINE, "%s %.9f", hash, codebook.distortion);
    const char *space = golden ? strchr(golden, ' ') : NULL;
    const bool good = !golden || (space && strncmp(golden, hash, FQ_SHA256_HEX - 1) == 0 &&
                                  fabs(atof(space) / codebook.distortion - 1) < 1e-4);
    fq_codebook_clear(&codebook);
    return good;
}

static void trained_codebooks_are_golden(void) {
    each_row("codebooks.golden", 6, 12, codebook_row);
}

static const fq_test tests[] = {
    {"codes and decoded vectors are golden", codes_and_decoded_vectors_are_golden},
    {"every family has a row", every_family_has_a_row},
    {"trained codebooks are golden", trained_codebooks_are_golden},
    {0},
};
const fq_suite fq_suite_golden = {"golden", tests};
