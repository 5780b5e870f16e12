#include <math.h>
#include <stdio.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "check.h"
#include "command.h"
#include "source.h"
#include "stream_ranges.h"

/* The known-answer vector of Philox4x32-10 for zero counter and key (Random123's kat_vectors). */
static void philox_known_answer(void) {
    fq_stream s;
    fq_stream_init(&s, 0, (fq_purpose)0, 0);
    FQ_CHECK(fq_stream_u32(&s) == 0x6627e8d5u);
    FQ_CHECK(fq_stream_u32(&s) == 0xe169c58du);
    FQ_CHECK(fq_stream_u32(&s) == 0xbc57ac4cu);
    FQ_CHECK(fq_stream_u32(&s) == 0x9b00dbd8u);
}

static void given_two_addresses_expect_two_streams_and_equal_ones_equal(void) {
    fq_stream a, b, c;
    fq_stream_init(&a, 5, FQ_PURPOSE_TRAIN, 9);
    fq_stream_init(&b, 5, FQ_PURPOSE_TRAIN, 9);
    fq_stream_init(&c, 5, FQ_PURPOSE_EVALUATE, 9);
    int equal = 0;
    for (int i = 0; i < 1000; i++) {
        const uint32_t word = fq_stream_u32(&a);
        FQ_CHECK(word == fq_stream_u32(&b));
        equal += word == fq_stream_u32(&c);
    }
    FQ_CHECK(equal < 3); /* chance of 3 of 1000 equal 32-bit words: about 2e-21 */
}

/* Means and variances over n draws against the law, at 6.2 standard errors (1e-9 two-sided). */
static void moments_of_uniform_normal_and_chi_squared(void) {
    enum { N = 200000 };
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 1);
    double u = 0, g = 0, gg = 0, g4 = 0, c = 0;
    const double nu = 62;
    for (int i = 0; i < N; i++) {
        const double uniform = fq_stream_uniform(&s), normal = fq_stream_normal(&s);
        FQ_CHECK(uniform > 0 && uniform < 1);
        u += uniform;
        g += normal;
        gg += normal * normal;
        g4 += pow(normal, 4);
        c += fq_stream_chi_squared(&s, nu);
    }
    FQ_CHECK_NEAR(u / N, 0.5, 6.2 * sqrt(1.0 / 12 / N));
    FQ_CHECK_NEAR(g / N, 0, 6.2 * sqrt(1.0 / N));
    FQ_CHECK_NEAR(gg / N, 1, 6.2 * sqrt(2.0 / N));
    FQ_CHECK_NEAR(g4 / N, 3, 6.2 * sqrt(96.0 / N));
    FQ_CHECK_NEAR(c / N, nu, 6.2 * sqrt(2 * nu / N));
}

static unsigned long gsl_word(void *state) {
    return fq_stream_u32(state);
}

static double gsl_fraction(void *state) {
    return fq_stream_u32(state) * 0x1p-32;
}

/* GSL's own ziggurat on the same words: equal draws, and as many words taken. A tail beyond R = 3.44 comes
 * once in 1750 draws, so all of its paths are walked. */
static void normal_draws_are_those_of_gsl(void) {
    static const gsl_rng_type words = {
        .name = "words", .max = 0xffffffffUL, .get = gsl_word, .get_double = gsl_fraction};
    fq_stream ours, theirs;
    fq_stream_init(&ours, fq_test_seed(), FQ_PURPOSE_TEST, 3);
    theirs = ours;
    const gsl_rng generator = {&words, &theirs};
    size_t different = 0, beyond = 0;
    for (int i = 0; i < 1000000; i++) {
        const double draw = fq_stream_normal(&ours);
        different += draw != gsl_ran_gaussian_ziggurat(&generator, 1);
        beyond += fabs(draw) > 3.4443;
    }
    FQ_CHECK(different == 0 && beyond > 300);
    FQ_CHECK(fq_stream_u64(&ours) == fq_stream_u64(&theirs));
}

static void bounded_draws_stay_below_and_reach_every_value(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 2);
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        const uint64_t value = fq_stream_below(&s, 7);
        if (FQ_CHECK(value < 7))
            seen[value]++;
    }
    for (int v = 0; v < 7; v++)
        FQ_CHECK_NEAR(seen[v], 1000, 6.5 * sqrt(7000.0 * 6 / 49));
    FQ_CHECK(fq_stream_below(&s, 1) == 0);
}

/* No index of a purpose belongs to two uses; and outside the table of ranges nobody gives a stream a number
 * of his own, but 0 for a sequence from its start. */
static void ranges_are_disjoint_and_all_there_is(void) {
    for (int a = 0; a < FQ_STREAM_RANGE_COUNT; a++) {
        const fq_stream_range_about *p = fq_stream_range_get((fq_stream_range)a);
        FQ_CHECK(p->count > 0 && p->first + p->count > p->first);
        for (int b = 0; b < a; b++) {
            const fq_stream_range_about *q = fq_stream_range_get((fq_stream_range)b);
            if (!FQ_CHECK(p->purpose != q->purpose || p->first + p->count <= q->first ||
                          q->first + q->count <= p->first))
                fprintf(stderr, "  %s and %s share streams\n", p->name, q->name);
        }
    }
    const fq_command_result *result =
        fq_command("cd %s && grep -rnE 'FQ_PURPOSE_[A-Z]+,[^;]*[1-9]' --include='*.[ch]' core theory data "
                   "experiments plots | grep -v -e ': \\* ' -e core/stream.h -e core/base/stream_ranges.h",
                   FQ_SOURCE_DIR);
    if (!FQ_CHECK(result->out[0] == '\0'))
        fprintf(stderr, "  numbers of streams belong into core/base/stream_ranges.h:\n%s", result->out);
}

static void a_range_gives_its_streams(void) {
    fq_stream a, b;
    fq_stream_init_in(&a, 7, FQ_RANGE_CANDIDATE_SHAKES, 5);
    fq_stream_init(&b, 7, FQ_PURPOSE_RESTART, 2005);
    for (int i = 0; i < 10; i++)
        FQ_CHECK(fq_stream_u64(&a) == fq_stream_u64(&b));
    FQ_CHECK(fq_stream_number(FQ_RANGE_RESTART_ROTATIONS, 3) == (1 << 20) + 3);
}

static const fq_test tests[] = {
    {"ranges are disjoint and all there is", ranges_are_disjoint_and_all_there_is},
    {"a range gives its streams", a_range_gives_its_streams},
    {"philox known answer", philox_known_answer},
    {"streams are addressed", given_two_addresses_expect_two_streams_and_equal_ones_equal},
    {"moments", moments_of_uniform_normal_and_chi_squared},
    {"normal draws", normal_draws_are_those_of_gsl},
    {"bounded draws", bounded_draws_stay_below_and_reach_every_value},
    {0},
};
const fq_suite fq_suite_stream = {"stream", tests};
