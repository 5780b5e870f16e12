/* fibquant theory: the closed-form numbers of the source, as tables or JSON.
 *
 * Each kind fills a json array of rows (objects); one printer turns it into either form. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "caps_bound.h"
#include "failure.h"
#include "gains.h"
#include "options.h"
#include "scalar_quantizer.h"
#include "verb.h"
#include "verb_support.h"

static size_t dim = 64, block = 0, points = 11;
static double rate = 2;
static bool as_json;

static const fq_option options[] = {
    {.name = "dim",
     .letter = 'd',
     .kind = FQ_OPTION_SIZE,
     .value = &dim,
     .argument = "D",
     .least = 2,
     .most = FQ_DIM_MAX,
     .help = "vector dimension d"},
    {.name = "block",
     .letter = 'k',
     .kind = FQ_OPTION_SIZE,
     .value = &block,
     .argument = "K",
     .least = 1,
     .most = FQ_BLOCK_MAX,
     .help =
         "block dimension k, below d (default: several; density and rate-distortion: 2, or 1 where d is 2)"},
    {.name = "rate",
     .letter = 'b',
     .kind = FQ_OPTION_REAL,
     .value = &rate,
     .argument = "B",
     .least = 0,
     .most = 16,
     .help = "bounds: rate b in bits a coordinate"},
    {.name = "points",
     .kind = FQ_OPTION_SIZE,
     .value = &points,
     .argument = "N",
     .least = 2,
     .most = 100000,
     .help = "density: radii at which it is given"},
    FQ_OPTION_JSON(as_json),
    {0}};

static const fq_usage usage = {
    .verb = "theory",
    .summary = "Closed-form numbers of the spherical-Beta source f_{d,k}. KIND is one of: density "
               "(of a point and of its radius, with the distribution function), gain (shaping and "
               "density-matching over the scalar product code), bounds (on D at a rate), "
               "rate-distortion (scalar Lloyd-Max codes and bounds against b).",
    .arguments = "density|gain|bounds|rate-distortion",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .notes =
        "D is the mean squared error of a coordinate over its variance 1/d: 1 at rate 0. Bounds: shannon "
        "holds for every code of blocks of k; equal_caps for every code of b d bits a vector, "
        "equal_caps_gain if a gain is stored beside it; gaussian is 4^-b, which is neither; high_rate_... "
        "are limits for large N. Values "
        "are closed forms or solved to about 1e-12; they carry no sampling error.",
    .examples = "fibquant theory gain --dim 64\n"
                "fibquant theory density --dim 64 --block 4 --points 21\n"
                "fibquant theory bounds --dim 128 --block 8 --rate 0.5 --json",
};

static const size_t several[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32};
enum { SEVERAL = sizeof several / sizeof several[0] };

/* The asked-for block, or the i-th of several that is below dim; 0 after the last. */
static size_t block_number(size_t i) {
    if (block)
        return i == 0 ? block : 0;
    return i < SEVERAL && several[i] < dim ? several[i] : 0;
}

/* The asked-for block, or the usual one, which the dimension may be too small for. */
static size_t one_block(void) {
    return block ? block : dim > 2 ? 2 : 1;
}

static double decibels(double ratio) {
    return 10 * log10(ratio);
}

static fq_status density(json_t *rows) {
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, one_block()));
    const double last = fq_source_radial_quantile(&source, 0.9999);
    for (size_t i = 0; i < points; i++) {
        const double r = last * (double)i / (double)(points - 1);
        json_t *row = json_object();
        json_object_set_new(row, "r", fq_json_number(r));
        json_object_set_new(row, "f", fq_json_number(exp(fq_source_log_density(&source, r))));
        json_object_set_new(row, "radial_density", fq_json_number(fq_source_radial_density(&source, r)));
        json_object_set_new(row, "cdf", fq_json_number(fq_source_radial_cdf(&source, r)));
        json_array_append_new(rows, row);
    }
    return FQ_OK;
}

static fq_status gain(json_t *rows) {
    for (size_t i = 0, k; (k = block_number(i)) != 0; i++) {
        fq_cell cell;
        fq_gain best, sphere, zador;
        FQ_TRY(fq_gains_best_cell(&cell, k));
        FQ_TRY(fq_gains_over_product(&best, dim, k, cell.second_moment));
        FQ_TRY(fq_gains_over_product(&sphere, dim, k, fq_gains_sphere_bound(k)));
        FQ_TRY(fq_gains_over_product(&zador, dim, k, fq_gains_zador_bound(k)));
        json_t *row = json_object();
        json_object_set_new(row, "k", json_integer((json_int_t)k));
        json_object_set_new(row, "cell", json_string(cell.name));
        json_object_set_new(row, "G_k", fq_json_number(cell.second_moment));
        json_object_set_new(row, "shaping", fq_json_number(best.shaping));
        json_object_set_new(row, "density", fq_json_number(best.density));
        json_object_set_new(row, "total", fq_json_number(best.total));
        json_object_set_new(row, "total_db", fq_json_number(decibels(best.total)));
        json_object_set_new(row, "zador_db", fq_json_number(decibels(zador.total)));
        json_object_set_new(row, "sphere_db", fq_json_number(decibels(sphere.total)));
        json_array_append_new(rows, row);
    }
    return FQ_OK;
}

static fq_status bounds_row(json_t *rows, size_t k, double b) {
    fq_source source;
    fq_cell cell;
    double best, sphere, zador;
    FQ_TRY(fq_source_init(&source, dim, k));
    FQ_TRY(fq_gains_best_cell(&cell, k));
    FQ_TRY(fq_gains_high_rate_distortion(&best, &source, b, cell.second_moment));
    FQ_TRY(fq_gains_high_rate_distortion(&sphere, &source, b, fq_gains_sphere_bound(k)));
    FQ_TRY(fq_gains_high_rate_distortion(&zador, &source, b, fq_gains_zador_bound(k)));
    fq_caps_bound caps = {.fixed_words = (double)NAN, .free_gain = (double)NAN};
    if (b * (double)dim >= 1)
        FQ_TRY(fq_caps_bound_init(&caps, dim, b * (double)dim));
    json_t *row = json_object();
    json_object_set_new(row, "k", json_integer((json_int_t)k));
    json_object_set_new(row, "b", fq_json_number(b));
    json_object_set_new(row, "shannon", fq_json_number(fq_gains_shannon_bound(&source, b)));
    json_object_set_new(row, "gaussian", fq_json_number(exp2(-2 * b)));
    json_object_set_new(row, "high_rate_sphere", fq_json_number(sphere));
    json_object_set_new(row, "high_rate_cell", fq_json_number(best));
    json_object_set_new(row, "high_rate_zador", fq_json_number(zador));
    json_object_set_new(row, "equal_caps", fq_json_number(caps.fixed_words));
    json_object_set_new(row, "equal_caps_gain", fq_json_number(caps.free_gain));
    json_array_append_new(rows, row);
    return FQ_OK;
}

static fq_status bounds(json_t *rows) {
    for (size_t i = 0, k; (k = block_number(i)) != 0; i++)
        FQ_TRY(bounds_row(rows, k, rate));
    return FQ_OK;
}

static fq_status rate_distortion(json_t *rows) {
    for (size_t levels = 2; levels <= 256; levels *= 2) {
        const double b = log2((double)levels);
        fq_scalar_quantizer scalar;
        FQ_TRY(fq_scalar_quantizer_init(&scalar, dim, levels));
        const double distortion = scalar.distortion;
        fq_scalar_quantizer_clear(&scalar);
        FQ_TRY(bounds_row(rows, one_block(), b));
        json_object_set_new(json_array_get(rows, json_array_size(rows) - 1), "scalar_lloyd_max",
                            fq_json_number(distortion));
    }
    return FQ_OK;
}

static void print_cell(const json_t *value, bool title, const char *key) {
    if (title)
        printf(" %16s", key);
    else if (json_is_string(value))
        printf(" %16s", json_string_value(value));
    else if (json_is_integer(value))
        printf(" %16lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        printf(" %16.9g", json_real_value(value));
    else
        printf(" %16s", "-");
}

static void print_table(json_t *rows) {
    size_t i;
    json_t *row, *value;
    const char *key;
    json_array_foreach(rows, i, row) {
        if (i == 0) {
            json_object_foreach(row, key, value) print_cell(value, true, key);
            putchar('\n');
        }
        json_object_foreach(row, key, value) print_cell(value, false, key);
        putchar('\n');
    }
}

static const struct {
    const char *name;
    fq_status (*fill)(json_t *rows);
} kinds[] = {{"density", density}, {"gain", gain}, {"bounds", bounds}, {"rate-distortion", rate_distortion}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static int report(const char *kind, json_t *rows) {
    if (!as_json) {
        printf("# %s, d = %zu\n", kind, dim);
        print_table(rows);
        return 0;
    }
    return fq_verb_print_json(json_pack("{s:s, s:s, s:I, s:O}", "schema", "fibquant theory 1", "kind", kind,
                                        "dim", (json_int_t)dim, "rows", rows)) == FQ_OK
               ? 0
               : fq_verb_fail("theory");
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (block && block >= dim)
        return fq_options_refuse(&usage, "--block %zu: allowed is 1 to dim-1 = %zu", block, dim - 1);
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(arguments.items[0], kinds[i].name) != 0)
            continue;
        json_t *rows = json_array();
        const fq_status status = kinds[i].fill(rows);
        exit_code = status == FQ_OK ? report(kinds[i].name, rows) : fq_verb_fail("theory");
        json_decref(rows);
        return exit_code;
    }
    return fq_options_refuse(&usage, "\"%.60s\": allowed are density, gain, bounds, rate-distortion",
                             arguments.items[0]);
}

const fq_verb fq_verb_theory = {"theory", "densities, gains and bounds of the source", run};
