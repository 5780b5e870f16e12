/* The exact laws of vectors under two rounds of signs and Hadamard transform, against every pattern of signs
 * and against printed values. */
#include <math.h>

#include "check.h"
#include "hadamard_law.h"

/* +1 or -1: entry (i, j) of the Hadamard matrix in its natural order. */
static int entry(unsigned i, unsigned j) {
    int sign = 1;
    for (unsigned both = i & j; both; both &= both - 1)
        sign = -sign;
    return sign;
}

/* Every pattern of the second round's signs, d = 8 and 16, at a fixed first round: |y|^2 of four entries. */
static void every_pattern_of_signs(void) {
    for (unsigned d = 8; d <= 16; d *= 2)
        for (int input = 0; input < (d == 8 ? 1 : 2); input++) {
            fq_hadamard_law law;
            static double counted[5000];
            if (!FQ_CHECK_OK(fq_hadamard_law_init(&law, d, (fq_hadamard_input)input)) ||
                !FQ_CHECK(law.top < 5000))
                return;
            for (size_t m = 0; m <= law.top; m++)
                counted[m] = 0;
            for (unsigned pattern = 0; pattern < 1U << d; pattern++) {
                double square = 0;
                for (unsigned row = 4; row < 8; row++) {
                    double y = 0;
                    for (unsigned j = 0; j < d; j++) {
                        const double z = input ? 0.8 * entry(1, j) - 0.6 * entry(1 + d / 2, j) : 1;
                        y += (pattern >> j & 1 ? -z : z) * entry(row, j);
                    }
                    square += y * y / (d * d);
                }
                const double multiple = square / law.unit;
                FQ_CHECK(fabs(multiple - rint(multiple)) < 1e-6);
                counted[(size_t)rint(multiple)] += exp2(-(double)d);
            }
            for (size_t m = 0; m <= law.top; m++)
                if (!FQ_CHECK_NEAR(law.p[m], counted[m], 1e-13))
                    break;
            fq_hadamard_law_clear(&law);
        }
}

static void sign_sums_are_binomial(void) {
    FQ_CHECK_NEAR(fq_sign_sum_probability(10, 0), 252. / 1024, 1e-13);
    FQ_CHECK_NEAR(fq_sign_sum_probability(10, -4), 120. / 1024, 1e-13);
    FQ_CHECK_NEAR(fq_sign_sum_probability(7, 7), 1. / 128, 1e-14);
    FQ_CHECK_NEAR(fq_sign_sum_probability(1, -1), 0.5, 1e-14);
    FQ_CHECK_NEAR(fq_sign_sum_probability(64, 0), 0.099346753747966844, 1e-14);
}

/* Distances to the Haar law, recomputed with other libraries; mass 1, mean 4/d. */
static void distances_to_the_haar_law(void) {
    static const struct {
        size_t d;
        fq_hadamard_input input;
        double distance;
    } cases[] = {{64, FQ_HADAMARD_ONE_HOT, 0.041712},
                 {16, FQ_HADAMARD_ONE_HOT, 0.135045},
                 {64, FQ_HADAMARD_TWO_HOT, 0.015937}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_hadamard_law law;
        fq_source source;
        FQ_CHECK_OK(fq_source_init(&source, cases[i].d, FQ_HADAMARD_BLOCK));
        if (!FQ_CHECK_OK(fq_hadamard_law_init(&law, cases[i].d, cases[i].input)))
            continue;
        double mass = 0, mean = 0;
        for (size_t m = 0; m <= law.top; m++) {
            mass += law.p[m];
            mean += law.p[m] * law.unit * (double)m;
        }
        FQ_CHECK_NEAR(mass, 1, 1e-12);
        FQ_CHECK_NEAR(mean, 4 / (double)cases[i].d, 1e-12);
        FQ_CHECK_NEAR(fq_hadamard_law_distance(&law, &source), cases[i].distance, 1e-6);
        fq_hadamard_law_clear(&law);
    }
}

/* A sample that is the law itself is at most half its largest atom away; one off the grid is not of the law.
 */
static void samples_are_held_to_the_law(void) {
    fq_hadamard_law law;
    if (!FQ_CHECK_OK(fq_hadamard_law_init(&law, 16, FQ_HADAMARD_ONE_HOT)))
        return;
    enum { COUNT = 1000 };
    double sorted[COUNT], below = 0;
    size_t n = 0;
    for (size_t m = 0; m <= law.top; m++)
        for (below += law.p[m]; n < COUNT && (double)n + 0.5 < below * COUNT; n++)
            sorted[n] = law.unit * (double)m;
    FQ_CHECK(n == COUNT && fq_hadamard_law_distance_of(&law, sorted, COUNT) <= 0.5 / COUNT + 1e-12);
    for (size_t i = 0; i < COUNT; i++)
        sorted[i] *= 1.01;
    FQ_CHECK(fq_hadamard_law_distance_of(&law, sorted, COUNT) == 1);
    for (size_t i = 0; i < COUNT; i++)
        sorted[i] = law.unit * 16; /* one atom alone: everything below it and above it is missing */
    FQ_CHECK(fq_hadamard_law_distance_of(&law, sorted, COUNT) > 0.3);
    fq_hadamard_law_clear(&law);
    FQ_CHECK_FAILS(fq_hadamard_law_init(&law, 12, FQ_HADAMARD_ONE_HOT), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_hadamard_law_init(&law, 4, FQ_HADAMARD_ONE_HOT), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_hadamard_law_init(&law, 8, FQ_HADAMARD_TWO_HOT), FQ_ERR_ARGUMENT);
}

static const fq_test tests[] = {
    {"every pattern of signs", every_pattern_of_signs},
    {"sign sums are binomial", sign_sums_are_binomial},
    {"distances to the Haar law", distances_to_the_haar_law},
    {"samples are held to the law", samples_are_held_to_the_law},
    {0},
};
const fq_suite fq_suite_hadamard_law = {"hadamard_law", tests};
