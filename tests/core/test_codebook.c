#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "codebook_initial.h"
#include "codebook_starts.h"
#include "codebook_training.h"
#include "lloyd.h"
#include "memory.h"
#include "scalar_quantizer.h"
#include "stream.h"

static const fq_train_options quick = {.dim = 64, .seed = 7, .tolerance = 0.05};

static bool train(fq_codebook *codebook, size_t dim, size_t k, size_t n, fq_recipe recipe) {
    fq_train_options options = quick;
    options.dim = dim;
    options.block = k;
    options.codewords = n;
    options.recipe = recipe;
    fq_codebook_init(codebook);
    return FQ_CHECK_OK(fq_codebook_train(codebook, &options)) &&
           FQ_CHECK_OK(fq_codebook_measure(codebook, 1234, 200000));
}

/* A product code's D is the scalar code's, exactly known. 6.2 standard errors: one in 1e9. */
static void measured_product_codes_agree_with_the_scalar_code(void) {
    static const size_t cases[][3] = {{64, 1, 4}, {64, 2, 16}, {16, 3, 27}, {128, 4, 16}, {8, 2, 49}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_codebook b;
        fq_scalar_quantizer q;
        const size_t levels = fq_product_levels(cases[i][2], cases[i][1]);
        if (!train(&b, cases[i][0], cases[i][1], cases[i][2], FQ_RECIPE_PRODUCT) ||
            !FQ_CHECK_OK(fq_scalar_quantizer_init(&q, cases[i][0], levels)))
            return;
        FQ_CHECK_NEAR(b.distortion, q.distortion, 6.2 * b.distortion_se);
        FQ_CHECK(b.distortion_se > 0 && b.distortion_se < 0.01 * b.distortion);
        fq_scalar_quantizer_clear(&q);
        fq_codebook_clear(&b);
    }
}

static void initial_words_have_the_radii_and_directions_of_the_paper(void) {
    float words[16 * 4];
    fq_source source;
    FQ_CHECK_OK(fq_source_init(&source, 64, 2));
    fq_initial_words(words, &source, 16);
    for (int n = 0; n < 16; n++) {
        const double r = sqrt(1 - pow(1 - (n + 0.5) / 16, 4.0 / 64));
        FQ_CHECK_NEAR(hypot((double)words[2 * n], (double)words[2 * n + 1]), r, 1e-6);
        const double turn = n * 0.381966011250105; /* 1 - 1/phi of a turn */
        const double angle = atan2((double)words[2 * n + 1], (double)words[2 * n]) / 6.283185307179586;
        FQ_CHECK_NEAR(fabs(remainder(turn - angle, 1)), 0, 1e-5);
    }
    double root[4][4];
    for (size_t k = 4; k <= 4; k++) /* directions are of unit length and follow the recurrence */
        for (size_t n = 0; n < 4; n++) {
            fq_initial_direction(root[n], k, n, 16);
            double squared = 0;
            for (size_t j = 0; j < k; j++)
                squared += root[n][j] * root[n][j];
            FQ_CHECK_NEAR(squared, 1, 1e-14);
        }
    double z[3], sum = 0;
    for (size_t n = 0; n < 100; n++) { /* equal-area latitudes: mean of z^2 over the sphere is 1/3 */
        fq_initial_direction(z, 3, n, 100);
        sum += z[2] * z[2] / 100;
    }
    FQ_CHECK_NEAR(sum, 1.0 / 3, 1e-4);
    FQ_CHECK_OK(fq_source_init(&source, 64, 4)); /* k = 4: beta as in the paper, R^2 mean a/(a+b) */
    double mean = 0;
    for (size_t n = 0; n < 4000; n++)
        mean += pow(fq_initial_radius(&source, n, 4000), 2) / 4000;
    FQ_CHECK_NEAR(mean, 2 / (2 + 4.0 / 6 * 29 + 1), 1e-4);
}

static void product_levels_find_exact_powers_only(void) {
    for (size_t k = 1; k <= 12; k++)
        for (size_t m = 1; m <= 40; m++) {
            double power = pow((double)m, (double)k);
            if (power > 1e6)
                break;
            FQ_CHECK(fq_product_levels((size_t)power, k) == m);
            if (m > 1 && k > 1)
                FQ_CHECK(fq_product_levels((size_t)power + 1, k) == 0);
        }
    fq_source source;
    float words[6];
    FQ_CHECK_OK(fq_source_init(&source, 64, 2));
    FQ_CHECK_FAILS(fq_product_words(words, &source, 3), FQ_ERR_ARGUMENT);
}

/* Never worse than the initialisation and the product code on fresh samples. */
static void population_recipe_keeps_its_promises(void) {
    static const size_t cases[][3] = {{64, 2, 4}, {64, 2, 16}, {64, 4, 16}, {64, 3, 8},
                                      {16, 2, 5}, {8, 8, 4},   {4, 3, 6},   {64, 8, 256},
                                      {64, 1, 7}, {2, 2, 3},   {3, 2, 9},   {64, 16, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t d = cases[i][0], k = cases[i][1], n = cases[i][2];
        fq_codebook best, other;
        if (!train(&best, d, k, n, FQ_RECIPE_POPULATION))
            return;
        for (int recipe = FQ_RECIPE_INITIAL; recipe <= FQ_RECIPE_PRODUCT; recipe++) {
            if (recipe == FQ_RECIPE_PRODUCT && !fq_product_levels(n, k))
                continue;
            if (!train(&other, d, k, n, (fq_recipe)recipe))
                return;
            const double se = hypot(best.distortion_se, other.distortion_se);
            FQ_CHECK(best.distortion <= other.distortion + 6.2 * se + 1e-6);
            fq_codebook_clear(&other);
        }
        fq_codebook_clear(&best);
    }
}

/* Two words: antipodal at E[X_1 | X_1 > 0], so D = 1 - d/k E|X_1|^2; optimal for this symmetric law. */
static void two_words_reach_the_closed_form(void) {
    static const size_t cases[][2] = {{64, 2}, {64, 8}, {8, 4}, {16, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double d = (double)cases[i][0], k = (double)cases[i][1];
        const double mean = exp(gsl_sf_lngamma(d / 2) - gsl_sf_lngamma((d + 1) / 2)) / sqrt(M_PI);
        fq_codebook b;
        if (!train(&b, cases[i][0], cases[i][1], 2, FQ_RECIPE_POPULATION))
            return;
        FQ_CHECK_NEAR(b.distortion, 1 - d / k * mean * mean, 6.2 * b.distortion_se + 2e-4);
        fq_codebook_clear(&b);
    }
}

static void training_gives_the_same_bytes_for_any_threads(void) {
#ifdef _OPENMP
    for (int recipe = FQ_RECIPE_POPULATION; recipe <= FQ_RECIPE_PAPER; recipe++) {
        fq_codebook one, more;
        const int threads = fq_test_get_threads();
        fq_test_set_threads(1);
        const bool made = train(&one, 64, 3, 20, (fq_recipe)recipe);
        for (int t = 2; made && t <= 3; t++) {
            fq_test_set_threads(t);
            if (train(&more, 64, 3, 20, (fq_recipe)recipe)) {
                FQ_CHECK(memcmp(one.words, more.words, 20 * 3 * sizeof(float)) == 0);
                FQ_CHECK(one.distortion == more.distortion);
                FQ_CHECK(one.distortion_se == more.distortion_se);
            }
            fq_codebook_clear(&more);
        }
        fq_test_set_threads(threads);
        fq_codebook_clear(&one);
    }
#else
    FQ_CHECK(true);
#endif
}

/* Empty cells move next to the means of the cells of largest error, each of these once: by a hundredth of the
 * cell's spread, sqrt(error / weight / k), in each coordinate times a normal number. A cell of one sample is
 * not split, however large its error. */
static void empty_cells_are_repaired_by_a_hundredth_of_the_spread(void) {
    enum { N = 6, K = 4, SEED = 3, ITERATION = 17 };
    static const double weight[N] = {0, 8, 0, 16, 1, 0}, spread[N] = {0, 0.125, 0, 0.25, 64, 0};
    static const size_t split[N] = {3, 0, 1, 0, 0, 0}; /* whose mean the empty cells 0 and 2 go to */
    float words[N * K], mean[N * K];
    fq_cells cells;
    fq_stream stream;
    if (!FQ_CHECK_OK(fq_cells_init(&cells, N, K)))
        return;
    for (size_t i = 0; i < N; i++) {
        double square = 0;
        for (size_t j = 0; j < K; j++) {
            words[i * K + j] = 9;
            mean[i * K + j] = (float)(i + 1) / (float)(8 << j);
            cells.sum[i * K + j] = weight[i] * (double)mean[i * K + j];
            square += pow((double)mean[i * K + j], 2);
        }
        cells.weight[i] = weight[i];
        cells.energy[i] = weight[i] * (square + K * pow(spread[i], 2));
    }
    FQ_CHECK(fq_cells_update(words, &cells, SEED, ITERATION) == 2);
    fq_stream_init(&stream, SEED, FQ_PURPOSE_REPAIR, ITERATION);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < K; j++) {
            const double word = (double)words[i * K + j];
            if (weight[i] > 0)
                FQ_CHECK_NEAR(word, (double)mean[i * K + j], 1e-7);
            else if (split[i])
                FQ_CHECK_NEAR(word - (double)mean[split[i] * K + j],
                              0.01 * spread[split[i]] * fq_stream_normal(&stream), 1e-7);
            else
                FQ_CHECK(word == 9); /* nothing is left to split */
        }
    fq_cells_clear(&cells);
}

/* On one fixed sample plain Lloyd steps never raise the error, and at the end the words are the means:
 * error = sum |x|^2 - sum n |c|^2. */
static void lloyd_descends_to_centroids(void) {
    enum { N = 12, K = 3, SAMPLES = 5000 };
    fq_source source;
    fq_cells cells;
    float *x = NULL, words[N * K];
    FQ_CHECK_OK(fq_source_init(&source, 20, K));
    if (!FQ_CHECK_OK(fq_alloc(&x, SAMPLES * K, sizeof *x)) || !FQ_CHECK_OK(fq_cells_init(&cells, N, K)))
        return;
    fq_source_sample(&source, fq_test_seed(), FQ_PURPOSE_TEST, 0, SAMPLES, x);
    fq_initial_words(words, &source, N);
    memcpy(words, words + K, K * sizeof *words); /* a duplicate: its cell is empty and is repaired */
    double last = HUGE_VAL;
    size_t repairs = 0;
    for (int t = 0; t < 200; t++) {
        fq_search *search = NULL;
        if (!FQ_CHECK_OK(fq_search_create(&search, words, N, K, SIZE_MAX)))
            break;
        FQ_CHECK_OK(fq_cells_collect(&cells, search, x, SAMPLES));
        fq_search_destroy(search);
        const double error = fq_cells_error(&cells, words);
        FQ_CHECK(error <= last * (1 + 1e-6));
        FQ_CHECK(fq_cells_error_of_means(&cells) <= error * (1 + 1e-6));
        last = error;
        repairs += fq_cells_update(words, &cells, 1, (uint64_t)t);
    }
    FQ_CHECK(repairs == 1);
    double energy = 0, centres = 0;
    for (size_t i = 0; i < N; i++) {
        energy += cells.energy[i];
        for (size_t j = 0; j < K; j++)
            centres += cells.weight[i] * pow((double)words[i * K + j], 2);
    }
    FQ_CHECK_NEAR(last, energy - centres, 1e-5 * energy);
    fq_cells_clear(&cells);
    fq_free(x);
}

/* Sums of whole multiples of 2^-38, each cut towards zero: what lloyd.h names, sample by sample. */
static bool cells_are_sums(const fq_search *search, size_t N, size_t k, const float *x, size_t n) {
    fq_cells cells;
    uint32_t *index = NULL;
    int64_t *sums = NULL;
    if (!FQ_CHECK_OK(fq_cells_init(&cells, N, k)) || !FQ_CHECK_OK(fq_alloc(&index, n, sizeof *index)) ||
        !FQ_CHECK_OK(fq_alloc_zero(&sums, N * (k + 2), sizeof *sums)))
        return false;
    fq_search_nearest(search, index, x, n);
    for (size_t i = 0; i < n; i++) {
        int64_t *cell = sums + index[i] * (k + 2);
        double energy = 0;
        for (size_t j = 0; j < k; j++) {
            cell[j] += (int64_t)((double)x[i * k + j] * 0x1p38);
            energy += (double)x[i * k + j] * (double)x[i * k + j];
        }
        cell[k] += (int64_t)(energy * 0x1p38);
        cell[k + 1]++;
    }
    bool right = FQ_CHECK_OK(fq_cells_collect(&cells, search, x, n));
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < k; j++)
            right = right && cells.sum[i * k + j] == (double)sums[i * (k + 2) + j] / 0x1p38;
        right = right && cells.energy[i] == (double)sums[i * (k + 2) + k] / 0x1p38 &&
                cells.weight[i] == (double)sums[i * (k + 2) + k + 1];
    }
    fq_cells_clear(&cells);
    fq_free(index);
    fq_free(sums);
    return right;
}

static void cells_hold_exact_sums(void) {
    enum { N = 9, SAMPLES = 3000 };
    for (size_t k = 1; k <= 5; k++) {
        fq_source source;
        fq_search *search = NULL;
        float *x = NULL, words[N * 5];
        FQ_CHECK_OK(fq_source_init(&source, 20, k));
        if (!FQ_CHECK_OK(fq_alloc(&x, SAMPLES * k, sizeof *x)))
            return;
        fq_source_sample(&source, fq_test_seed(), FQ_PURPOSE_TEST, 0, SAMPLES, x);
        static const float corners[] = {1, -1, 0, -0.0F, 1e-44F, -1e-13F, 0x1p-38F, -0x1.8p-38F};
        for (size_t c = 0; c < 8; c++) /* of the unit ball, and what is cut */
            for (size_t j = 0; j < k; j++)
                x[c * k + j] = j == c % k ? corners[c] : 0;
        fq_initial_words(words, &source, N);
        if (FQ_CHECK_OK(fq_search_create(&search, words, N, k, SIZE_MAX)))
            for (size_t n = 0; n <= SAMPLES; n = n < 12 ? n + 1 : n * 2 + 1)
                FQ_CHECK(cells_are_sums(search, N, k, x, n));
        fq_search_destroy(search);
        fq_free(x);
    }
}

static bool stop_half_way(void *context, double fraction) {
    *(double *)context = fraction;
    return fraction < 0.5;
}

static void bad_requests_faults_and_interruption_are_clean(void) {
    fq_codebook b;
    fq_codebook_init(&b);
    fq_train_options options = quick;
    options.block = 2;
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_ARGUMENT); /* N = 0 */
    options.codewords = 8;
    options.tolerance = -1;
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_ARGUMENT);
    options.tolerance = 0.05;
    options.block = 65;
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_ARGUMENT);
    options.block = 2;
    options.recipe = FQ_RECIPE_PRODUCT;
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_ARGUMENT); /* 8 is no square */
    options.recipe = (fq_recipe)9;
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_codebook_measure(&b, 1, 100), FQ_ERR_ARGUMENT);

    double reached = 0;
    options.recipe = FQ_RECIPE_POPULATION;
    options.progress = (fq_progress){stop_half_way, &reached};
    FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_INTERRUPTED);
    FQ_CHECK(reached >= 0.5 && reached < 0.6 && b.words == NULL);

    options.recipe = FQ_RECIPE_PAPER;
    options.codewords = 3;
    options.progress.report = NULL;
    fq_alloc_fail_at(0);
    FQ_CHECK_OK(fq_codebook_train(&b, &options));
    const size_t allocations = fq_alloc_fail_at(0);
    for (size_t n = 1; n <= allocations; n++) {
        fq_alloc_fail_at(n);
        FQ_CHECK_FAILS(fq_codebook_train(&b, &options), FQ_ERR_MEMORY);
        FQ_CHECK(b.words != NULL); /* the codebook from before stands */
    }
    fq_alloc_fail_at(0);
    const float outside[2] = {1, 1}, nan_word[2] = {(float)NAN, 0};
    FQ_CHECK_FAILS(fq_codebook_set(&b, 64, 2, 1, outside, FQ_RECIPE_PAPER, 1), FQ_ERR_RANGE);
    FQ_CHECK_FAILS(fq_codebook_set(&b, 64, 2, 1, nan_word, FQ_RECIPE_PAPER, 1), FQ_ERR_NONFINITE);
    fq_codebook_clear(&b);
    fq_recipe recipe;
    FQ_CHECK_FAILS(fq_recipe_parse(&recipe, "papper"), FQ_ERR_SPEC);
    for (int r = 0; r < 4; r++)
        FQ_CHECK(fq_recipe_parse(&recipe, fq_recipe_name((fq_recipe)r)) == FQ_OK && recipe == (fq_recipe)r);
}

/* First shells: 6, 12, 24 and 240 points at one distance about a point; about the other centres as many as
 * surround a triangle, a hole of D_3, and so on; and all words of a shell have one length. */
static void starts_have_their_shells(void) {
    static const struct {
        size_t k, n, at_origin, on_first;
        unsigned variant;
    } lattices[] = {{2, 7, 1, 6, 0},   {3, 13, 1, 12, 0}, {4, 25, 1, 24, 0}, {8, 241, 1, 240, 0},
                    {5, 41, 1, 40, 0}, {2, 3, 0, 3, 1},   {2, 2, 0, 2, 2},   {3, 6, 0, 6, 1},
                    {8, 16, 0, 16, 1}, {3, 4, 0, 4, 3},   {8, 64, 0, 2, 2}};
    static float words[256 * 8], again[256 * 8];
    for (size_t i = 0; i < sizeof lattices / sizeof lattices[0]; i++) {
        const size_t k = lattices[i].k, n = lattices[i].n;
        size_t at_origin = 0, on_first = 0;
        double first = HUGE_VAL, total = 0;
        for (int twice = 0; twice < 2; twice++) {
            fq_stream s;
            fq_stream_init(&s, 5, FQ_PURPOSE_TEST, 1);
            FQ_CHECK_OK(fq_lattice_start_words(twice ? again : words, k, n, 0.5, lattices[i].variant, &s));
        }
        FQ_CHECK(memcmp(words, again, n * k * sizeof *words) == 0);
        for (int pass = 0; pass < 2; pass++)
            for (size_t w = 0; w < n; w++) {
                double squared = 0;
                for (size_t j = 0; j < k; j++)
                    squared += (double)words[w * k + j] * (double)words[w * k + j];
                if (pass == 0) {
                    total += squared;
                    at_origin += squared < 1e-9;
                    first = squared > 1e-9 ? fmin(first, squared) : first;
                } else {
                    on_first += squared > 1e-9 && squared < first * 1.0001;
                }
            }
        FQ_CHECK_NEAR(sqrt(total / (double)n), 0.5, 1e-6);
        if (!FQ_CHECK(at_origin == lattices[i].at_origin && on_first == lattices[i].on_first))
            fprintf(stderr, "  k=%zu variant %u: %zu at the centre, %zu nearest\n", k, lattices[i].variant,
                    at_origin, on_first);
    }
    fq_source source;
    fq_stream s;
    FQ_CHECK_OK(fq_source_init(&source, 64, 5));
    fq_stream_init(&s, 5, FQ_PURPOSE_TEST, 2);
    for (unsigned variant = 0; variant < 2; variant++) {
        fq_shell_words(words, &source, 50, variant, &s);
        for (size_t w = 0; w < 50; w++) {
            double squared = 0;
            for (size_t j = 0; j < 5; j++)
                squared += (double)words[w * 5 + j] * (double)words[w * 5 + j];
            FQ_CHECK_NEAR(squared, 5 / 64.0, 1e-7);
        }
    }
    FQ_CHECK_FAILS(fq_lattice_start_words(words, 4, 100000, 1, 0, &s), FQ_ERR_ARGUMENT);
}

/* At (8,256) E8's short points are a better arrangement than any that is found from elsewhere: population
 * 0.3157. At (2,16) they are worse, and the population recipe's code stays. A shell is no worse a start than
 * another. */
static void recipes_of_other_starts(void) {
    fq_codebook b;
    const fq_recipe recipes[] = {FQ_RECIPE_LATTICE, FQ_RECIPE_LATTICE, FQ_RECIPE_SHELL};
    const double most[] = {0.3140, 0.1065, 0.1065};
    for (int i = 0; i < 3; i++) {
        const fq_train_options options = {.dim = 64,
                                          .block = i ? 2 : 8,
                                          .codewords = i ? 16 : 256,
                                          .recipe = recipes[i],
                                          .seed = 1,
                                          .tolerance = 0.1};
        fq_codebook_init(&b);
        FQ_CHECK_OK(fq_codebook_train(&b, &options));
        FQ_CHECK_OK(fq_codebook_measure(&b, 7, 200000));
        if (!FQ_CHECK(b.distortion < most[i] && b.recipe == recipes[i]))
            fprintf(stderr, "  %s: D = %g\n", fq_recipe_name(recipes[i]), b.distortion);
        fq_codebook_clear(&b);
    }
}

static const fq_test tests[] = {
    {"starts have their shells", starts_have_their_shells},
    {"recipes of other starts", recipes_of_other_starts},
    {"measured product codes", measured_product_codes_agree_with_the_scalar_code},
    {"initial words", initial_words_have_the_radii_and_directions_of_the_paper},
    {"product levels", product_levels_find_exact_powers_only},
    {"population recipe keeps its promises", population_recipe_keeps_its_promises},
    {"two words", two_words_reach_the_closed_form},
    {"same bytes for any threads", training_gives_the_same_bytes_for_any_threads},
    {"lloyd descends to centroids", lloyd_descends_to_centroids},
    {"cells hold exact sums", cells_hold_exact_sums},
    {"errors, faults, interruption", bad_requests_faults_and_interruption_are_clean},
    {"empty cells are repaired", empty_cells_are_repaired_by_a_hundredth_of_the_spread},
    {0},
};
const fq_suite fq_suite_codebook = {"codebook", tests};
