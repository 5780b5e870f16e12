/* Bounds on errors of attention, each branch from both sides: never below the error, and attained by inputs
 * made for it, so that a bound a quarter too small fails. */
#include <math.h>

#include "attention_bound.h"
#include "check.h"
#include "fp16.h"

/* Two positions with log-ratios W/2 and -W/2 and weights 1/(1 + e^{W/2}) and the rest. */
static void two_positions_attain_the_softmax_lemma(void) {
    static const double windows[] = {1e-6, 0.01, 0.5, 1, 4, 12, 40};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const double w = windows[i], score[2] = {-w / 2, 0}, delta[2] = {w / 2, -w / 2};
        double variation, window;
        fq_softmax_variation(&variation, &window, score, delta, 2);
        FQ_CHECK_NEAR(window, w, 1e-12 * w);
        FQ_CHECK_NEAR(variation / fq_softmax_variation_bound(window), 1, 1e-9);
        /* any other weights vary less */
        const double other[2] = {-w / 2 + 0.3, 0};
        fq_softmax_variation(&variation, &window, other, delta, 2);
        FQ_CHECK(variation < fq_softmax_variation_bound(window));
    }
    FQ_CHECK_NEAR(fq_softmax_variation_bound(1), 0.24491866240370913,
                  1e-15); /* (e - 1)/(e + 2 e^{1/2} + 1) */
}

enum { D = 4, TOKENS_MAX = 8 };

/* A case in R^4 with query (2, 0, 0, 0): score_j = key_j's first coordinate. Zero but for what is set. */
typedef struct made {
    size_t tokens;
    double score[TOKENS_MAX], change[TOKENS_MAX]; /* of scores */
    double value[TOKENS_MAX][2], off[TOKENS_MAX][2];
} made;

static fq_attention_error measure(const made *m) {
    float key[2][TOKENS_MAX * D] = {{0}}, value[2][TOKENS_MAX * D] = {{0}};
    const float query[D] = {2, 0, 0, 0};
    for (size_t j = 0; j < m->tokens; j++) {
        key[0][j * D] = (float)m->score[j];
        key[1][j * D] = (float)(m->score[j] + m->change[j]);
        for (size_t i = 0; i < 2; i++) {
            value[0][j * D + i] = (float)m->value[j][i];
            value[1][j * D + i] = (float)(m->value[j][i] + m->off[j][i]);
        }
    }
    const fq_attention_case attention = {m->tokens, D, query, key[0], value[0], key[1], value[1]};
    double workspace[6 * TOKENS_MAX + 2 * D];
    fq_attention_error e;
    fq_attention_bound(&e, &attention, workspace);
    FQ_CHECK(e.error <= e.bound * (1 + 1e-9));
    return e;
}

/* Exact keys, parallel errors of values: the error is the weighted mean of their lengths. */
static void errors_of_values_are_attained(void) {
    made m = {.tokens = 3, .score = {0, 1, -1}, .value = {{1, 0}, {0, 2}, {-3, 1}}};
    for (size_t j = 0; j < 3; j++)
        m.off[j][0] = 0.125 * (double)(j + 1);
    FQ_CHECK_NEAR(measure(&m).error / measure(&m).bound, 1, 1e-9);
    /* wrong keys, equal values, equal errors: the largest length bounds it, and is attained */
    for (size_t j = 0; j < 3; j++) {
        m.change[j] = j == 1 ? 3 : -3;
        m.value[j][0] = m.value[j][1] = 1;
        m.off[j][0] = 0.25;
    }
    FQ_CHECK_NEAR(measure(&m).error, 0.25, 1e-9);
    FQ_CHECK_NEAR(measure(&m).bound, 0.25, 1e-6); /* float32 inputs */
}

/* One position of weight e^-14 whose score rises by eps: its ratio is e^eps but for that weight. */
static void a_rare_position_attains_the_sum_of_ratios(void) {
    made m = {.tokens = 2, .score = {-14, 0}, .change = {1, 0}, .value = {{1000, 0}, {0, 0}}};
    const fq_attention_error e = measure(&m);
    FQ_CHECK(e.error > 0.9999 * e.bound);
    FQ_CHECK_NEAR(e.error, (exp(1) - 1) * exp(-14) * 1000, 1e-5 * e.error);
    /* the other way: the ratio is e^-eps, at a position that has nearly all the weight of what lies far out
     */
    made fall = {.tokens = 2, .score = {-14, 0}, .change = {-1, 0}, .value = {{1000, 0}, {0, 0}}};
    FQ_CHECK(measure(&fall).error > 0.36 * measure(&fall).bound); /* (1 - e^-1) where e - 1 is allowed for */
}

/* Two equal weights, values opposite, scores apart by eps each: error tanh(eps), bound 2 tanh(eps/2) times 1.
 */
static void equal_weights_attain_the_variation(void) {
    static const double eps[] = {1. / 64, 0.125, 0.5};
    static const double least[] = {0.9999, 0.996, 0.94};
    for (size_t i = 0; i < 3; i++) {
        made m = {.tokens = 2, .change = {eps[i], -eps[i]}, .value = {{1, 0}, {-1, 0}}};
        const fq_attention_error e = measure(&m);
        FQ_CHECK_NEAR(e.error, tanh(eps[i]), 1e-9);
        FQ_CHECK_NEAR(e.bound, 2 * tanh(eps[i] / 2), 1e-9);
        FQ_CHECK(e.error > least[i] * e.bound);
        FQ_CHECK_NEAR(e.known_scores, e.error, 1e-9); /* both positions push the same way */
        FQ_CHECK_NEAR(e.score_ratio, D, 1e-9);        /* all errors of keys along the query */
    }
}

/* A stretched direction under a norm rounded up by as much as a half can be: both terms add. */
static void reconstruction_bound_is_attained(void) {
    const float norm = 1 + 0x1p-11F + 0x1p-22F; /* just beyond the middle of 1 and the next half */
    const double stored = (double)fq_fp16_to_float(fq_fp16_from_float(norm)), stretch = 1e-3;
    FQ_CHECK(stored == 1 + 0x1p-10);
    const double error = stored * (1 + stretch) - (double)norm;
    const double bound = fq_reconstruction_bound((double)norm, stretch, 1 + stretch);
    FQ_CHECK(error <= bound);
    FQ_CHECK(error > 0.999 * bound);
    FQ_CHECK(error > 1.3 * (double)norm * stretch); /* either term alone is too small */
}

static const fq_test tests[] = {
    {"two positions attain the softmax lemma", two_positions_attain_the_softmax_lemma},
    {"errors of values are attained", errors_of_values_are_attained},
    {"a rare position attains the sum of ratios", a_rare_position_attains_the_sum_of_ratios},
    {"equal weights attain the variation", equal_weights_attain_the_variation},
    {"reconstruction bound is attained", reconstruction_bound_is_attained},
    {0},
};
const fq_suite fq_suite_attention_bound = {"attention_bound", tests};
