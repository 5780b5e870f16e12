/* Codebooks of lattices: theta series, nesting, and the distortion that they are known for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "codebook_training.h"
#include "codec.h"
#include "lattice_words.h"
#include "memory.h"

/* How many words have that squared length. */
static size_t of_norm(const float *words, size_t count, size_t k, double norm) {
    size_t found = 0;
    for (size_t n = 0; n < count; n++) {
        double sum = 0.0;
        for (size_t i = 0; i < k; i++)
            sum += (double)words[n * k + i] * (double)words[n * k + i];
        found += fabs(sum - norm) < 1e-6;
    }
    return found;
}

/* Points of each length: D4 1 24 24 96 24 144; E8 1 240 2160 6720; Leech 1 196560. */
static void shells_have_their_numbers(void) {
    static const struct {
        fq_lattice lattice;
        size_t k, count, shell[6];
        double step;
    } known[] = {{FQ_LATTICE_D4, 4, 313, {1, 24, 24, 96, 24, 144}, 2.0},
                 {FQ_LATTICE_E8, 8, 9121, {1, 240, 2160, 6720}, 2.0},
                 {FQ_LATTICE_LEECH, 24, FQ_LEECH_WORDS_MAX, {1, 196560}, 8.0}}; /* halved coordinates */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        float *words = NULL;
        FQ_CHECK_OK(fq_alloc(&words, known[i].count, known[i].k * sizeof *words));
        FQ_CHECK_OK(fq_lattice_words(words, known[i].lattice, known[i].count, false));
        for (size_t s = 0; s < 6 && known[i].shell[s]; s++)
            FQ_CHECK(of_norm(words, known[i].count, known[i].k, known[i].step * (double)s) ==
                     known[i].shell[s]);
        fq_free(words);
    }
}

/* Any two short points of the Leech lattice have a product that is a multiple of a quarter of their norm: -4
 * ... 4 over 4, never 3. Checked on some pairs. */
static void products_of_the_leech_lattice_are_whole(void) {
    float *words = NULL;
    FQ_CHECK_OK(fq_alloc(&words, FQ_LEECH_WORDS_MAX, 24 * sizeof *words));
    FQ_CHECK_OK(fq_lattice_words(words, FQ_LATTICE_LEECH, FQ_LEECH_WORDS_MAX, false));
    for (size_t a = 1; a < FQ_LEECH_WORDS_MAX; a += 4999)
        for (size_t b = 1; b < FQ_LEECH_WORDS_MAX; b += 997) {
            double product = 0.0;
            for (size_t i = 0; i < 24; i++)
                product += (double)words[a * 24 + i] * (double)words[b * 24 + i];
            const double quarters = product / 2.0;
            FQ_CHECK(quarters == rint(quarters) && fabs(quarters) != 3.0 && fabs(quarters) <= 4.0);
        }
    fq_free(words);
}

/* Nested words are one of every coset: no difference of two is in q times the lattice. For D4 and q = 3, 4 by
 * trying all pairs. */
static void nested_words_are_of_different_cosets(void) {
    for (int q = 3; q <= 4; q++) {
        enum { MOST = 256 };
        static float words[MOST * 4];
        const size_t count = (size_t)(q * q * q * q);
        FQ_CHECK_OK(fq_lattice_words(words, FQ_LATTICE_D4, count, true));
        size_t alike = 0;
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < a; b++) {
                bool whole = true;
                double sum = 0.0;
                for (size_t i = 0; i < 4; i++) {
                    const double part = ((double)words[a * 4 + i] - (double)words[b * 4 + i]) / q;
                    whole = whole && part == rint(part);
                    sum += part;
                }
                alike += whole && fmod(sum, 2.0) == 0.0;
            }
        FQ_CHECK(alike == 0);
    }
    float few[7 * 4];
    FQ_CHECK_FAILS(fq_lattice_words(few, FQ_LATTICE_D4, 7, true), FQ_ERR_SPEC);
}

/* D at d = 64 on fresh samples, four standard errors beside what ten times as many gave. */
static void distortions_are_known(void) {
    static const struct {
        const char *name;
        double distortion;
    } known[] = {{"d4:N=256", 0.10295}, {"e8:N=256", 0.3135}, {"e8:N=256,shape=nested", 0.4080}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        fq_codec_spec spec;
        fq_codebook code;
        fq_codebook_init(&code);
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, known[i].name));
        FQ_CHECK_OK(fq_codec_block_code(&code, &spec, 64, NULL));
        FQ_CHECK_OK(fq_codebook_measure(&code, fq_test_seed(), 40000));
        FQ_CHECK_NEAR(code.distortion, known[i].distortion, 4.0 * code.distortion_se + 0.0004);
        fq_codebook_clear(&code);
    }
}

/* Cross-polytopes: D as stated against closed forms of M = E max |g_j| (2/sqrt(pi), 12
 * atan(1/sqrt 2)/pi^1.5) with kappa_64 = 1.0078...; and against samples, four standard errors. The nearest
 * word is the largest coordinate. */
static void cross_polytopes_are_exact(void) {
    const double pi = acos(-1.0), kappa = 32.0 * exp(2.0 * (lgamma(32.0) - lgamma(32.5)));
    const double mean[] = {2.0 / sqrt(pi), 12.0 * atan(sqrt(0.5)) / pow(pi, 1.5)};
    static const size_t blocks[] = {2, 3, 8, 64};
    for (size_t i = 0; i < 4; i++) {
        const size_t k = blocks[i];
        char name[40];
        fq_codec_spec spec;
        fq_codebook code;
        fq_codebook_init(&code);
        snprintf(name, sizeof name, "crosspolytope:k=%zu", k);
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
        FQ_CHECK_OK(fq_codec_block_code(&code, &spec, 64, NULL));
        FQ_CHECK(code.block == k && code.codewords == 2 * k && code.distortion_se == 0.0);
        if (i < 2)
            FQ_CHECK_NEAR(code.distortion, 1.0 - kappa * mean[i] * mean[i] / (double)k, 1e-11);
        const double exact = code.distortion;
        if (k < 64) {
            FQ_CHECK_OK(fq_codebook_measure(&code, fq_test_seed(), 40000));
            FQ_CHECK_NEAR(code.distortion, exact, 4.0 * code.distortion_se);
        } else /* of 64 coordinates 7 bits: between nothing and all that 7 bits could keep */
            FQ_CHECK(exact > 0.8 && exact < 1.0);
        fq_codebook_clear(&code);
    }
    fq_codec_spec spec;
    fq_codec_cost cost;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "crosspolytope:k=5"));
    FQ_CHECK_FAILS(fq_codec_plan(&cost, &spec, 64), FQ_ERR_SPEC);
}

static const fq_test tests[] = {
    {"shells have their numbers", shells_have_their_numbers},
    {"products of the Leech lattice are whole", products_of_the_leech_lattice_are_whole},
    {"nested words are of different cosets", nested_words_are_of_different_cosets},
    {"distortions are known", distortions_are_known},
    {"cross-polytopes are exact", cross_polytopes_are_exact},
    {0},
};
const fq_suite fq_suite_lattices = {"lattices", tests};
