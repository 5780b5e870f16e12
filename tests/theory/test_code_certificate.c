/* Certificates of codebooks: the closed form against quadrature in polar coordinates, exact values and the
 * scalar code; parts against the closed form and samples; what is written, read back and refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_gamma.h>

#include "ball_code_cells.h"
#include "ball_planar_code.h"
#include "check.h"
#include "code_certificate.h"
#include "codebook_file.h"
#include "codebook_training.h"
#include "command.h"
#include "threads.h"

static bool make(fq_codebook *c, size_t d, size_t k, size_t n, fq_recipe recipe) {
    const fq_train_options options = {.dim = d, .block = k, .codewords = n, .recipe = recipe, .seed = 3};
    fq_codebook_init(c);
    return FQ_CHECK_OK(fq_codebook_train(c, &options));
}

/* D in closed form and the radius of its ball. */
static double closed_form(size_t d, size_t n, const float *words, double *radius) {
    fq_balls *w = NULL;
    double value = (double)NAN, error;
    *radius = HUGE_VAL;
    if (!FQ_CHECK_OK(fq_balls_create(&w, 128)))
        return value;
    const fq_ball x = fq_ball_planar_code_distortion(w, (long)d, n, words);
    FQ_CHECK_OK(fq_ball_get(w, x, &value, &error));
    *radius = fq_ball_radius(w, x);
    fq_balls_destroy(w);
    return value;
}

typedef struct ray {
    double d, mean; /* E R */
    size_t n;
    const float *words;
} ray;

/* E max_i (2 R <u,w_i> - |w_i|^2) for the direction u of an angle: from 0 outwards, word after word, each to
 * where the next begins; masses and moments of R by incomplete betas. */
static double along_a_ray(double angle, void *parameters) {
    const ray *const p = parameters;
    const double x = cos(angle), y = sin(angle);
    double sum = 0, from = 0, mass = 0, moment = 0, slope = -HUGE_VAL, level = HUGE_VAL;
    for (size_t i = 0; i < p->n; i++) { /* at 0 the shortest word, and of those the one that rises most */
        const double a = (double)p->words[2 * i], b = (double)p->words[2 * i + 1];
        const double s = 2 * (a * x + b * y), l = a * a + b * b;
        if (l < level - 1e-15 || (l < level + 1e-15 && s > slope)) {
            level = l;
            slope = s;
        }
    }
    while (from < 1) {
        double to = 1, next_slope = slope, next_level = level;
        for (size_t i = 0; i < p->n; i++) {
            const double a = (double)p->words[2 * i], b = (double)p->words[2 * i + 1];
            const double s = 2 * (a * x + b * y), l = a * a + b * b;
            if (s > slope && (l - level) / (s - slope) < to) {
                to = fmax(from, (l - level) / (s - slope));
                next_slope = s;
                next_level = l;
            }
        }
        const double mass_to = to >= 1 ? 1 : 1 - pow((1 - to) * (1 + to), 0.5 * (p->d - 2));
        const double moment_to = p->mean * (to >= 1 ? 1 : gsl_sf_beta_inc(1.5, 0.5 * (p->d - 2), to * to));
        sum += slope * (moment_to - moment) - level * (mass_to - mass);
        mass = mass_to;
        moment = moment_to;
        from = to >= 1 ? 1 : to;
        slope = next_slope;
        level = next_level;
    }
    return sum / (2 * M_PI);
}

/* Gauss's rule of 8 points on an interval and on its halves, on and on where they differ: the integrand has a
 * kink in its second derivative wherever a corner of a cell lies. */
static double by_halves(ray *p, const gsl_integration_glfixed_table *rule, double from, double to,
                        double whole, int depth) {
    gsl_function f = {along_a_ray, p};
    const double middle = 0.5 * (from + to);
    const double left = gsl_integration_glfixed(&f, from, middle, rule),
                 right = gsl_integration_glfixed(&f, middle, to, rule);
    if (depth == 0 || fabs(left + right - whole) < 1e-15)
        return left + right;
    return by_halves(p, rule, from, middle, left, depth - 1) +
           by_halves(p, rule, middle, to, right, depth - 1);
}

static double by_quadrature(size_t d, size_t n, const float *words) {
    ray p = {.d = (double)d, .n = n, .words = words};
    p.mean = exp(gsl_sf_lnbeta(1.5, 0.5 * (p.d - 2)) - gsl_sf_lnbeta(1, 0.5 * (p.d - 2)));
    gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(8);
    double value = 0;
    for (int i = 0; i < 16; i++)
        value += by_halves(&p, rule, i * M_PI / 8, (i + 1) * M_PI / 8, HUGE_VAL, 20);
    gsl_integration_glfixed_table_free(rule);
    return 1 - 0.5 * p.d * value;
}

static void closed_form_is_the_integral(void) {
    static const struct {
        size_t d, n;
        fq_recipe recipe;
    } codes[] = {{64, 16, FQ_RECIPE_PAPER},  {64, 40, FQ_RECIPE_INITIAL}, {9, 16, FQ_RECIPE_PAPER},
                 {3, 9, FQ_RECIPE_INITIAL},  {4, 7, FQ_RECIPE_PAPER},     {128, 3, FQ_RECIPE_PAPER},
                 {64, 9, FQ_RECIPE_PRODUCT}, {5, 16, FQ_RECIPE_PRODUCT}};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fq_codebook c;
        double radius;
        if (!make(&c, codes[i].d, 2, codes[i].n, codes[i].recipe))
            return;
        FQ_CHECK_NEAR(closed_form(c.dim, c.codewords, c.words, &radius),
                      by_quadrature(c.dim, c.codewords, c.words), 1e-10);
        FQ_CHECK(radius < (codes[i].d % 2 ? 1e-16 : 1e-30));
        fq_codebook_clear(&c);
    }
}

/* d = 5: f_{5,1} is 3/4 (1 - x^2), so that four words at (+-3/8, +-3/8) have D = 1 - 5 (3/8)^2 = 19/64. One
 * word: D = 1 + d/2 |w|^2. Equal words count once. The product code has the scalar code's D whatever the ties
 * of its cells at their corners; float32 moves its words. */
static void exact_values(void) {
    static const float four[] = {0.375f, 0.375f, 0.375f, -0.375f, -0.375f, 0.375f, -0.375f, -0.375f};
    static const float one[] = {0.5f, 0.25f}, twice[] = {0.5f, 0.25f, 0.5f, 0.25f, 0, 0, 0, 0},
                       once[] = {0.5f, 0.25f, 0, 0};
    double radius, other;
    FQ_CHECK_NEAR(closed_form(5, 4, four, &radius), 19 / 64.0, 1e-16);
    FQ_CHECK_NEAR(closed_form(64, 1, one, &radius), 1 + 32 * 0.3125, 1e-14);
    FQ_CHECK_NEAR(closed_form(64, 4, twice, &radius), closed_form(64, 2, once, &other), 1e-16);
    fq_codebook c;
    double low = 0.0, high = 1.0;
    if (make(&c, 64, 2, 64, FQ_RECIPE_PRODUCT)) {
        FQ_CHECK_OK(fq_product_code_enclosure(&low, &high, 64, 8));
        FQ_CHECK_NEAR(closed_form(64, 64, c.words, &radius), low, 1e-10);
    }
    FQ_CHECK(high - low < 1e-15);
    fq_codebook_clear(&c);
}

/* Both sides hold the closed form at k = 2 and the mean of samples at other k, and are as near as stated. */
static void parts_hold_the_distortion(void) {
    static const struct {
        size_t d, k, n;
        double parts, width;
    } codes[] = {{64, 2, 16, 2e4, 5e-5}, {7, 2, 9, 2e4, 1e-4},   {65, 3, 8, 5e4, 1e-3},
                 {9, 3, 20, 5e4, 2e-3},  {64, 4, 16, 5e4, 3e-2}, {5, 4, 6, 6e4, 1e-2},
                 {65, 5, 4, 2e4, 6e-2},  {16, 6, 5, 2e4, 0.2},   {65, 7, 3, 2e4, 0.2},
                 {64, 8, 4, 1e4, 0.3},   {129, 3, 8, 1e4, 5e-3}, {256, 4, 4, 1e4, 3e-2}};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fq_codebook c;
        fq_code_enclosure e = {0}, alone = {0};
        if (!make(&c, codes[i].d, codes[i].k, codes[i].n, FQ_RECIPE_PAPER))
            return;
        FQ_CHECK_OK(fq_ball_code_cells(&e, c.dim, c.block, c.codewords, c.words, codes[i].parts));
        if (!FQ_CHECK(e.low < e.high && e.high - e.low < codes[i].width && (double)e.parts <= codes[i].parts))
            fprintf(stderr, "  d=%zu k=%zu N=%zu: %g to %g, %g parts\n", c.dim, c.block, c.codewords, e.low,
                    e.high, (double)e.parts);
        if (c.block == 2) {
            double radius;
            const double d = closed_form(c.dim, c.codewords, c.words, &radius);
            FQ_CHECK(e.low < d && d < e.high);
        } else if (FQ_CHECK_OK(fq_codebook_measure(&c, 11, 400000))) {
            FQ_CHECK(e.low < c.distortion + 6 * c.distortion_se &&
                     e.high > c.distortion - 6 * c.distortion_se);
        }
        if (i == 2) {
            fq_threads_set(1);
            FQ_CHECK_OK(fq_ball_code_cells(&alone, c.dim, c.block, c.codewords, c.words, codes[i].parts));
            fq_threads_set(0);
            FQ_CHECK(memcmp(&alone, &e, sizeof e) == 0);
        }
        fq_codebook_clear(&c);
    }
}

/* Product codes have the scalar code's D: at k > 2 the one exact value there is. */
static void parts_hold_product_codes(void) {
    static const struct {
        size_t d, k, levels;
        double parts, width;
    } codes[] = {{65, 3, 2, 1e5, 1e-3}, {65, 3, 4, 1e5, 2e-3}, {64, 4, 2, 1e5, 1e-2},
                 {64, 4, 4, 1e5, 2e-2}, {65, 5, 2, 1e5, 5e-2}, {64, 6, 2, 5e4, 0.5}};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        fq_codebook c;
        fq_code_enclosure e = {0};
        size_t n = 1;
        double low, high;
        for (size_t p = 0; p < codes[i].k; p++)
            n *= codes[i].levels;
        if (!make(&c, codes[i].d, codes[i].k, n, FQ_RECIPE_PRODUCT))
            return;
        /* Turned about the first two coordinates, so that no face of a cell is a face of a part. */
        for (size_t w = 0; w < n; w++) {
            float *const x = c.words + w * c.block;
            const float a = x[0], b = x[1], last = x[c.block - 1];
            x[0] = 0.8f * a - 0.6f * b;
            x[1] = 0.6f * a + 0.8f * b;
            if (c.block > 2) {
                const float z = x[1];
                x[1] = 0.96f * z - 0.28f * last;
                x[c.block - 1] = 0.28f * z + 0.96f * last;
            }
        }
        FQ_CHECK_OK(fq_product_code_enclosure(&low, &high, codes[i].d, codes[i].levels));
        FQ_CHECK_OK(fq_ball_code_cells(&e, c.dim, c.block, n, c.words, codes[i].parts));
        if (!FQ_CHECK(e.low < low + 1e-9 && high - 1e-9 < e.high && e.high - e.low < codes[i].width))
            fprintf(stderr, "  d=%zu k=%zu N=%zu: %.9g to %.9g, D is %.9g\n", c.dim, c.block, n, e.low,
                    e.high, low);
        fq_codebook_clear(&c);
    }
}

static void certificates_are_made_and_refused(void) {
    fq_codebook c;
    if (!make(&c, 65, 3, 8, FQ_RECIPE_PAPER))
        return;
    FQ_CHECK(!fq_codebook_is_certified(&c));
    FQ_CHECK_OK(fq_codebook_certify(&c, 20000));
    FQ_CHECK(fq_codebook_is_certified(&c) && c.certificate.parts > 1000 && c.certificate.low > 0.343 &&
             c.certificate.high < 0.37);
    FQ_CHECK_FAILS(fq_codebook_certify(&c, 10), FQ_ERR_ARGUMENT);
    c.block = 9;
    FQ_CHECK_FAILS(fq_codebook_certify(&c, 20000), FQ_ERR_UNSUPPORTED);
    c.block = 3;
    fq_codebook_clear(&c);
    if (!make(&c, 64, 8, 4, FQ_RECIPE_PAPER))
        return;
    FQ_CHECK_OK(
        fq_codebook_certify(&c, 1000)); /* so few that the bound for every code is the better lower side */
    FQ_CHECK(c.certificate.low > 0.803 && c.certificate.low < 0.80313 && c.certificate.high < 0.95);
    fq_codebook_clear(&c);
    double low, high;
    FQ_CHECK_FAILS(fq_product_code_enclosure(&low, &high, 64, 3), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_product_code_enclosure(&low, &high, 2, 4), FQ_ERR_ARGUMENT);
}

/* Changes c.h5 by a line of Python that has the dataset as `c`, without its own digest, and asks verify. */
static const fq_command_result *verify_after(const char *change) {
    return fq_command(
        "cp c.h5 changed.h5; /usr/bin/python3 -c \"import h5py; f = h5py.File('changed.h5', 'a'); c = "
        "f['codebook']; del c.attrs['content_sha256']; %s\"; $FIBQUANT verify stored_codes --quick -q "
        "--codebook changed.h5 --json",
        change);
}

static void files_keep_certificates_of_their_words_alone(void) {
    const fq_command_result *r =
        fq_command("$FIBQUANT codebook -d 64 -k 2 -N 16 --recipe paper --samples 20000 --certify -q -o c.h5");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "certified D       0.1") && strstr(r->out, "(closed form)"));
    fq_codebook c;
    char path[512];
    fq_codebook_init(&c);
    snprintf(path, sizeof path, "%s/c.h5", fq_test_folder());
    if (FQ_CHECK_OK(fq_codebook_file_read(&c, path)))
        FQ_CHECK(fq_codebook_is_certified(&c) && c.certificate.parts == 0 &&
                 c.certificate.high - c.certificate.low < 1e-15);
    fq_codebook_clear(&c);
    r = verify_after("pass");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "\"series\": \"stored_certificate\""));
    r = verify_after("c[3, 1] += 0.001");
    FQ_CHECK(r->exit_code == 3 &&
             strstr(r->err, "certified_sha256 is of another certificate or other words"));
    r = verify_after("c.attrs['certified_low'] -= 0.01");
    FQ_CHECK(r->exit_code == 3 && strstr(r->err, "certified_sha256"));
    r = verify_after("del c.attrs['certified_high']");
    FQ_CHECK(r->exit_code == 3 && strstr(r->err, "certified_high"));
    r = verify_after("del c.attrs['certified_sha256']");
    FQ_CHECK(r->exit_code == 3 && strstr(r->err, "certified_sha256"));
    r = verify_after("[c.attrs.__delitem__(n) for n in list(c.attrs) if n.startswith('certified')]");
    FQ_CHECK(r->exit_code == 0 && !strstr(r->out, "\"series\": \"stored_certificate\"") &&
             strstr(r->out, "stored_measurement"));
    r = verify_after("c.attrs['distortion'] = 0.2; c.attrs['distortion_se'] = 0.001");
    FQ_CHECK(r->exit_code == 1); /* not what the words have */
    r = fq_command("$FIBQUANT codebook -d 64 -k 16 -N 4 --recipe initial --samples 100 --certify -q");
    FQ_CHECK(r->exit_code == 3 && strstr(r->err, "certificate of block"));
}

static const fq_test tests[] = {
    {"closed form is the integral", closed_form_is_the_integral},
    {"exact values", exact_values},
    {"parts hold the distortion", parts_hold_the_distortion},
    {"parts hold product codes", parts_hold_product_codes},
    {"certificates are made and refused", certificates_are_made_and_refused},
    {"files keep certificates of their words alone", files_keep_certificates_of_their_words_alone},
    {0},
};

const fq_suite fq_suite_code_certificate = {"code_certificate", tests};
