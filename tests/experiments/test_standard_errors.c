/* Every standard error against what it claims: the scatter of its estimate when the experiment is done again
 * with other random numbers. Over R replicates the mean of se^2 must be the variance of the estimates; both
 * are random, mostly the latter, with relative deviation sqrt(2/R), so six of these are allowed (false alarms
 * below 1e-8 a comparison) and R is so large that an error half or twice as large as it should be fails. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_statistics.h"
#include "check.h"
#include "code_distortion.h"
#include "codebook_training.h"
#include "command.h"
#include "lattice_moment.h"
#include "metrics.h"
#include "stream.h"
#include "two_way_error.h"

typedef struct replicates {
    double count, mean, squares, claimed;
} replicates;

static void add(replicates *r, double value, double se) {
    const double before = value - r->mean;
    r->count += 1;
    r->mean += before / r->count;
    r->squares += before * (value - r->mean);
    r->claimed += se * se;
}

/* extra: by how much se^2 is meant to be more than the variance. */
static void judge(const replicates *r, double extra, const char *what) {
    const double variance = r->squares / (r->count - 1), claimed = r->claimed / r->count - extra;
    const double allowed = 6 * sqrt(2 / r->count);
    if (!FQ_CHECK(allowed < 0.7 && variance > 0) || !FQ_CHECK(fabs(claimed / variance - 1) < allowed))
        fprintf(stderr, "%s: se^2 %.4g, variance over %.0f replicates %.4g: ratio %.3f, allowed 1 +- %.2f\n",
                what, claimed, r->count, variance, claimed / variance, allowed);
}

static fq_stream stream_of(uint64_t index) {
    fq_stream stream;
    fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, index);
    return stream;
}

static void given_means_expect_their_scatter(void) {
    enum { N = 12, REPLICATES = 2000 };
    fq_stream stream = stream_of(1);
    replicates r = {0};
    for (int i = 0; i < REPLICATES; i++) {
        double value[N];
        for (int j = 0; j < N; j++)
            value[j] = 3 + 2 * fq_stream_normal(&stream);
        const fq_estimate e = fq_estimate_of(value, N);
        add(&r, e.mean, e.se);
    }
    judge(&r, 0, "mean");
}

/* Vectors of scattered length with errors of scattered size and a loss of length. */
static void given_reconstructions_expect_every_metric_to_scatter(void) {
    enum { N = 30, D = 6, QUERIES = 3, REPLICATES = 600 };
    static const char *const names[] = {"distortion", "cosine", "gain", "product bias",
                                        "product squared error"};
    static const float queries[QUERIES * D] = {1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, -1, 0.5F, 0, 0, 0.5F, 1, 0};
    fq_stream stream = stream_of(2);
    replicates r[5] = {0};
    for (int i = 0; i < REPLICATES; i++) {
        float x[N * D], y[N * D];
        fq_metrics m;
        for (int j = 0; j < N; j++) {
            const double noise = 0.1 + 0.2 * fq_stream_uniform(&stream);
            for (int l = 0; l < D; l++) {
                x[j * D + l] = (float)fq_stream_normal(&stream);
                y[j * D + l] = (float)(0.9 * (double)x[j * D + l] + noise * fq_stream_normal(&stream));
            }
        }
        FQ_CHECK_OK(fq_metrics_measure(&m, D, x, y, N, queries, QUERIES));
        const fq_estimate estimates[5] = {m.distortion, m.cosine, m.gain, m.product_bias,
                                          m.product_squared_error};
        for (int e = 0; e < 5; e++)
            add(&r[e], estimates[e].mean, estimates[e].se);
    }
    for (int e = 0; e < 5; e++)
        judge(&r[e], 0, names[e]);
}

/* With the control variate at work (few words: the squared radius explains much) and at rest. */
static void given_codebooks_expect_their_distortion_to_scatter(void) {
    enum { REPLICATES = 300, SAMPLES = 2000 };
    static const size_t codewords[] = {1, 4, 64};
    for (size_t c = 0; c < 3; c++) {
        const fq_train_options options = {
            .dim = 16, .block = 2, .codewords = codewords[c], .recipe = FQ_RECIPE_INITIAL, .seed = 1};
        fq_codebook codebook;
        replicates r = {0};
        char what[40];
        fq_codebook_init(&codebook);
        FQ_CHECK_OK(fq_codebook_train(&codebook, &options));
        for (uint64_t seed = 1; seed <= REPLICATES; seed++) {
            FQ_CHECK_OK(fq_codebook_measure(&codebook, fq_test_seed() + seed, SAMPLES));
            add(&r, codebook.distortion, codebook.distortion_se);
        }
        fq_codebook_clear(&codebook);
        snprintf(what, sizeof what, "codebook of %zu words", codewords[c]);
        judge(&r, 0, what);
    }
}

static void given_codes_of_claims_expect_distortion_and_gain_to_scatter(void) {
    enum { REPLICATES = 300, SAMPLES = 1000 };
    static const float before[4 * 2] = {-0.3F, -0.3F, 0.3F, -0.3F, -0.3F, 0.3F, 0.3F, 0.3F};
    static const float after[4 * 2] = {-0.2F, -0.2F, 0.2F, -0.2F, -0.2F, 0.2F, 0.2F, 0.2F};
    replicates distortion = {0}, gain = {0};
    for (uint64_t seed = 1; seed <= REPLICATES; seed++) {
        fq_code_distortion d;
        FQ_CHECK_OK(fq_code_distortion_of_words(&d, 16, 2, 4, before, fq_test_seed() + seed, SAMPLES));
        add(&distortion, d.distortion, d.se);
        FQ_CHECK_OK(fq_code_gain_of_words(&d, 16, 2, 4, before, after, fq_test_seed() + seed, SAMPLES));
        add(&gain, d.distortion, d.se);
    }
    judge(&distortion, 0, "distortion of words");
    judge(&gain, 0, "gain of words");
}

static void given_lattices_expect_their_moments_to_scatter(void) {
    enum { REPLICATES = 300, SAMPLES = 1000 };
    replicates r = {0};
    for (uint64_t seed = 1; seed <= REPLICATES; seed++) {
        double moment = 0, se = 0;
        fq_lattice_moment(&moment, &se, FQ_LATTICE_D, 4, 0, fq_test_seed() + seed, SAMPLES);
        add(&r, moment, se);
    }
    judge(&r, 0, "moment of D4");
}

/* Values mean + layer effect + head effect + block effect + noise of the cell: heads of a layer are alike,
 * and layers and blocks are drawn anew, layers alone, blocks alone. What is particular to a cell counts twice
 * in the whole error, once more than it should. */
static void given_layers_and_blocks_expect_means_and_ratios_to_scatter(void) {
    enum { LAYERS = 12, OF_LAYER = 2, HEADS = LAYERS * OF_LAYER, BLOCKS = 8, REPLICATES = 1000 };
    const double of_layers = 0.4, of_heads = 0.4, of_blocks = 0.4, of_cells = 0.3;
    fq_stream stream = stream_of(3);
    replicates both = {0}, layers = {0}, blocks = {0}, ratio = {0}, root = {0};
    const double cell = of_cells * of_cells / (HEADS * BLOCKS);
    for (int i = 0; i < 3 * REPLICATES; i++) {
        fq_two_way a, b;
        double block_effect[BLOCKS] = {0}, layer_effect = 0;
        const bool new_heads = i % 3 != 2, new_blocks = i % 3 != 1;
        FQ_CHECK_OK(fq_two_way_init(&a, LAYERS, OF_LAYER, BLOCKS));
        FQ_CHECK_OK(fq_two_way_init(&b, LAYERS, OF_LAYER, BLOCKS));
        for (int j = 0; new_blocks && j < BLOCKS; j++)
            block_effect[j] = of_blocks * fq_stream_normal(&stream);
        for (size_t h = 0; h < HEADS; h++) {
            if (new_heads && h % OF_LAYER == 0)
                layer_effect = of_layers * fq_stream_normal(&stream);
            const double head_effect = new_heads ? layer_effect + of_heads * fq_stream_normal(&stream) : 0;
            for (size_t j = 0; j < BLOCKS; j++) {
                const double x = 10 + head_effect + block_effect[j] + of_cells * fq_stream_normal(&stream);
                fq_two_way_add(&a, h, j, 3 * x, 3);
                fq_two_way_add(&b, h, j, 5 + 2 * head_effect + block_effect[j], 1);
            }
        }
        const fq_two_way_estimate e = fq_two_way_mean(&a), q = fq_two_way_ratio(&a, &b),
                                  s = fq_two_way_sqrt(e);
        if (i % 3 == 0) {
            add(&both, e.mean, e.se);
            add(&ratio, q.mean, q.se);
            add(&root, s.mean, s.se);
        } else if (i % 3 == 1)
            add(&layers, e.mean, e.se_layers);
        else
            add(&blocks, e.mean, e.se_positions);
        fq_two_way_clear(&a);
        fq_two_way_clear(&b);
    }
    judge(&both, cell, "layers and blocks");
    judge(&layers, 0, "layers");
    judge(&blocks, 0, "blocks");
    judge(&ratio, cell / 25, "ratio");
    judge(&root, cell / 40, "square root");
}

/* Four blocks and twenty layers: 1.96 standard errors would hold the mean in 86 cases of 100, the interval in
 * 95. */
static void given_few_blocks_expect_the_interval_to_hold_the_mean(void) {
    enum { LAYERS = 20, BLOCKS = 4, REPLICATES = 4000 };
    fq_stream stream = stream_of(5);
    double held = 0, by_normal = 0;
    for (int i = 0; i < REPLICATES; i++) {
        fq_two_way t;
        double block_effect[BLOCKS];
        FQ_CHECK_OK(fq_two_way_init(&t, LAYERS, 1, BLOCKS));
        for (int j = 0; j < BLOCKS; j++)
            block_effect[j] = fq_stream_normal(&stream);
        for (size_t h = 0; h < LAYERS; h++) {
            const double effect = fq_stream_normal(&stream);
            for (size_t j = 0; j < BLOCKS; j++)
                fq_two_way_add(&t, h, j, effect + block_effect[j], 1);
        }
        const fq_two_way_estimate e = fq_two_way_mean(&t);
        held += fabs(e.mean) < e.half95 ? 1.0 / REPLICATES : 0;
        by_normal += fabs(e.mean) < 1.96 * e.se ? 1.0 / REPLICATES : 0;
        fq_two_way_clear(&t);
    }
    /* Six standard deviations of a share of 4000, and what Welch and Satterthwaite's formula is off by. */
    if (!FQ_CHECK(fabs(held - 0.95) < 0.03) || !FQ_CHECK(by_normal < 0.90))
        fprintf(stderr, "the interval held the mean in %.3f, 1.96 standard errors in %.3f\n", held,
                by_normal);
}

/* The interval of a median of n numbers holds the true one as often as it says: P(Binomial(n, 1/2) < j) on
 * either side, the largest j that leaves at most 5 % outside. */
static void given_medians_expect_their_intervals_to_hold_them(void) {
    enum { REPLICATES = 4000 };
    static const struct {
        size_t n;
        double inside; /* by the binomial law */
    } cases[] = {{12, 1 - 2 * 79 / 4096.0}, {20, 1 - 2 * 21700 / 1048576.0}};
    fq_stream stream = stream_of(4);
    for (size_t c = 0; c < 2; c++) {
        double held = 0;
        for (int i = 0; i < REPLICATES; i++) {
            double sample[20];
            for (size_t j = 0; j < cases[c].n; j++)
                sample[j] = -log(fq_stream_uniform(&stream));
            const fq_bench_summary s = fq_bench_summarise(sample, cases[c].n);
            held += s.median_low < log(2) && log(2) < s.median_high ? 1 : 0;
        }
        const double inside = cases[c].inside;
        FQ_CHECK_NEAR(held / REPLICATES, inside, 6 * sqrt(inside * (1 - inside) / REPLICATES));
    }
}

/* Column values of a comma-separated table, without its first line. */
static size_t column(const char *text, size_t which, double *value, size_t most) {
    size_t rows = 0;
    for (const char *line = strchr(text, '\n'); line && line[1] && rows < most;
         line = strchr(line + 1, '\n')) {
        const char *at = line + 1;
        for (size_t c = 0; c < which && at; c++) {
            at = strchr(at, ',');
            at = at ? at + 1 : NULL;
        }
        if (at)
            value[rows++] = strtod(at, NULL);
    }
    return rows;
}

static void given_sweeps_with_replicates_expect_their_columns_to_scatter(void) {
    enum { MOST = 400 };
    static double value[MOST], se[MOST];
    static const char *const names[] = {"distortion", "cosine"};
    fq_command("cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 200\n"
               "grid: {codec: 'tq:b=1.5', dim: 16, source: vector, samples: 100}\nEND\n"
               "$FIBQUANT sweep m.yaml -o r.h5 -q -j 1");
    for (size_t i = 0; i < 2; i++) {
        const fq_command_result *rows =
            fq_command("$FIBQUANT results r.h5 --csv --column %s --column %s_se", names[i], names[i]);
        replicates r = {0};
        const size_t n = column(rows->out, 0, value, MOST);
        if (!FQ_CHECK(n == 200 && column(rows->out, 1, se, MOST) == n))
            return;
        for (size_t j = 0; j < n; j++)
            add(&r, value[j], se[j]);
        judge(&r, 0, names[i]);
    }
}

static const fq_test tests[] = {
    {"given means, expect their scatter", given_means_expect_their_scatter},
    {"given reconstructions, expect every metric to scatter",
     given_reconstructions_expect_every_metric_to_scatter},
    {"given codebooks, expect their distortion to scatter",
     given_codebooks_expect_their_distortion_to_scatter},
    {"given codes of claims, expect distortion and gain to scatter",
     given_codes_of_claims_expect_distortion_and_gain_to_scatter},
    {"given lattices, expect their moments to scatter", given_lattices_expect_their_moments_to_scatter},
    {"given layers and blocks, expect means and ratios to scatter",
     given_layers_and_blocks_expect_means_and_ratios_to_scatter},
    {"intervals of few blocks", given_few_blocks_expect_the_interval_to_hold_the_mean},
    {"given medians, expect their intervals to hold them", given_medians_expect_their_intervals_to_hold_them},
    {"given sweeps with replicates, expect their columns to scatter",
     given_sweeps_with_replicates_expect_their_columns_to_scatter},
    {0}};

const fq_suite fq_suite_standard_errors = {"standard_errors", tests};
