#include <math.h>
#include <string.h>

#include "check.h"
#include "rope.h"
#include "stream.h"

enum { D = 8, N = 5 };

static void draw(float *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)fq_stream_normal(&s);
}

/* Position 3, base 100: the planes turn by 3, 3/sqrt(10), 3/10, 3/sqrt(1000) in both ways of pairing. */
static void planes_turn_by_their_angles(void) {
    const double step[] = {1.0, pow(100.0, -0.25), pow(100.0, -0.5), pow(100.0, -0.75)};
    for (int interleaved = 0; interleaved < 2; interleaved++) {
        const fq_rope rope = {100.0, interleaved};
        float table[D], x[D] = {0};
        fq_rope_table(table, &rope, D, 3, 1);
        for (size_t i = 0; i < D / 2; i++)
            x[interleaved ? 2 * i : i] = 2.0F;
        fq_rope_apply(&rope, x, table, 1, 1, D, 0);
        for (size_t i = 0; i < D / 2; i++) {
            FQ_CHECK_NEAR((double)x[interleaved ? 2 * i : i], 2.0 * cos(3.0 * step[i]), 1e-6);
            FQ_CHECK_NEAR((double)x[interleaved ? 2 * i + 1 : D / 2 + i], 2.0 * sin(3.0 * step[i]), 1e-6);
        }
    }
}

static void turning_back_undoes_it_and_no_base_turns_nothing(void) {
    float x[N * 2 * D], y[N * 2 * D], table[N * D];
    const fq_rope rope = {10000.0, 0}, none = {0.0, 0};
    draw(x, N * 2 * D, 1);
    memcpy(y, x, sizeof y);
    fq_rope_table(table, &none, D, 1000, N);
    fq_rope_apply(&none, y, table, N, 2, D, 0);
    FQ_CHECK(memcmp(x, y, sizeof x) == 0);
    fq_rope_table(table, &rope, D, 1000, N);
    fq_rope_apply(&rope, y, table, N, 2, D, 0);
    FQ_CHECK(memcmp(x, y, sizeof x) != 0);
    fq_rope_apply(&rope, y, table, N, 2, D, 1);
    for (size_t i = 0; i < N * 2 * D; i++)
        FQ_CHECK_NEAR((double)y[i], (double)x[i], 1e-6);
}

/* <R_p q, R_s k> depends on p - s alone. */
static void scores_depend_on_the_distance(void) {
    const fq_rope rope = {10000.0, 1};
    double first = 0.0;
    for (size_t shift = 0; shift < 4; shift++) {
        float q[D], k[D], table[D];
        double product = 0.0;
        draw(q, D, 2);
        draw(k, D, 3);
        fq_rope_table(table, &rope, D, 7 + 50 * shift, 1);
        fq_rope_apply(&rope, q, table, 1, 1, D, 0);
        fq_rope_table(table, &rope, D, 2 + 50 * shift, 1);
        fq_rope_apply(&rope, k, table, 1, 1, D, 0);
        for (size_t i = 0; i < D; i++)
            product += (double)q[i] * (double)k[i];
        if (shift == 0)
            first = product;
        FQ_CHECK_NEAR(product, first, 1e-5);
    }
}

static const fq_test tests[] = {
    {"planes turn by their angles", planes_turn_by_their_angles},
    {"turning back undoes it, and no base turns nothing", turning_back_undoes_it_and_no_base_turns_nothing},
    {"scores depend on the distance", scores_depend_on_the_distance},
    {0},
};
const fq_suite fq_suite_rope = {"rope", tests};
