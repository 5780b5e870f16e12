/* Distortion against rate on the canonical source.
 *
 * source = block: the words by which the codec quantises every block, on samples of f_{d,k} that no training
 * saw, or its own exact figure where it has one; k need not divide d. source = vector: the whole codec, with
 * rotation and stored norm, on vectors uniform on the sphere. D is normalised by the coordinate variance 1/d.
 * The same seed gives every codec the same samples. What is measured is what the codec says of itself.
 */
#include <math.h>
#include <string.h>

#include "caps_bound.h"
#include "codebook_training.h"
#include "every_code.h"
#include "experiment.h"
#include "failure.h"
#include "gains.h"
#include "memory.h"

enum { BATCH = 4096 };

static const fq_parameter parameters[] = {
    {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec name, e.g. fib:k=4,N=256"},
    {.name = "dim",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 16384,
     .fallback = "64",
     .description = "vector dimension d"},
    {.name = "source",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "block|vector",
     .fallback = "block",
     .description = "what is measured: the code of a block, or the whole codec"},
    {.name = "samples",
     .type = FQ_PARAMETER_INTEGER,
     .least = 100,
     .most = 1e10,
     .fallback = "1000000",
     .description = "evaluation samples: blocks, or vectors"},
    {0}};

static const fq_value_column columns[] = {
    {"family", FQ_VALUE_TEXT, 16, "", "codec family", FQ_ROLE_VALUE},
    {"block", FQ_VALUE_INTEGER, 0, "1", "block dimension k", FQ_ROLE_VALUE},
    {"codewords", FQ_VALUE_INTEGER, 0, "1", "codewords N of a block", FQ_ROLE_VALUE},
    {"recipe", FQ_VALUE_TEXT, 16, "", "training recipe of the codebook", FQ_ROLE_VALUE},
    {"rate", FQ_VALUE_REAL, 0, "bits per coordinate", "payload rate b = log2(N)/k", FQ_ROLE_VALUE},
    {"rate_stored", FQ_VALUE_REAL, 0, "bits per coordinate",
     "all stored bits, norm included; NaN if k does not divide d", FQ_ROLE_VALUE},
    {"compression_payload", FQ_VALUE_REAL, 0, "1", "16 / rate", FQ_ROLE_VALUE},
    {"compression_stored", FQ_VALUE_REAL, 0, "1", "16 / rate_stored", FQ_ROLE_VALUE},
    {"distortion", FQ_VALUE_REAL, 0, "coordinate variance", "normalised D on samples never trained on",
     FQ_ROLE_VALUE},
    {"distortion_se", FQ_VALUE_REAL, 0, "coordinate variance", "standard error of distortion", FQ_ROLE_VALUE},
    {"cosine", FQ_VALUE_REAL, 0, "1", "mean cosine of a vector and its reconstruction (source = vector)",
     FQ_ROLE_VALUE},
    {"cosine_se", FQ_VALUE_REAL, 0, "1", "standard error of cosine", FQ_ROLE_VALUE},
    {"shannon_bound", FQ_VALUE_REAL, 0, "coordinate variance",
     "Shannon lower bound of the block source at this rate", FQ_ROLE_VALUE},
    {"every_code_bound", FQ_VALUE_REAL, 0, "coordinate variance",
     "what no code of as many words in a block goes below; NaN for k = 1, k > 32 and whole vectors",
     FQ_ROLE_VALUE},
    {"caps_bound", FQ_VALUE_REAL, 0, "coordinate variance",
     "what no code of whole vectors of b d bits goes below (equal caps), with the gain known where it is "
     "stored",
     FQ_ROLE_VALUE},
    {"gap_db", FQ_VALUE_REAL, 0, "dB", "10 log10(distortion / caps_bound)", FQ_ROLE_VALUE},
    {"gap_db_se", FQ_VALUE_REAL, 0, "dB", "standard error of gap_db", FQ_ROLE_VALUE},
    {"gaussian", FQ_VALUE_REAL, 0, "coordinate variance", "4^-b", FQ_ROLE_VALUE},
    {"high_rate", FQ_VALUE_REAL, 0, "coordinate variance",
     "Zador's high-rate distortion with the best known cell", FQ_ROLE_VALUE},
    {0}};

static fq_status check(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t dim = fq_point_size(point, "dim");
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    fq_codec_description about;
    if (vector)
        FQ_TRY(fq_point_check_codec("codec", spec, dim));
    else if (fq_codec_describe(&about, spec, dim) != FQ_OK)
        return fq_point_fail_codec("codec");
    else if (about.kind == FQ_CODE_VECTORS)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"codec\": %s has no block code; allowed: source: vector",
                            fq_point_text(point, "codec"));
    else if (about.block > dim)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"codec\": k = %zu; allowed: up to dim = %zu", about.block,
                            dim);
    if (vector && dim * fq_point_size(point, "samples") > (size_t)1 << 40)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"samples\": too many for dim = %zu", dim);
    return FQ_OK;
}

static fq_point_cost cost(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t d = fq_point_size(point, "dim");
    const double dim = (double)d, samples = (double)fq_point_size(point, "samples");
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    fq_codec_description about;
    if (fq_codec_describe(&about, spec, d) != FQ_OK)
        return (fq_point_cost){.seconds = 1, .memory_bytes = 6e7};
    const double k = about.block ? (double)about.block : 1.0, n = (double)about.codewords;
    const double per_block = 2.0 * k * n / 2e10 + 6e-8 + 1e-8 * k; /* search and drawing */
    const double per_vector = about.operations / 2e10 + dim * (dim * 3e-10 + 8e-8);
    fq_point_cost cost = {.seconds = 0.01 + samples * (vector ? per_vector : per_block),
                          .memory_bytes = 6e7 + 8.0 * k * n + 4.0 * dim * dim};
    fq_cost_add_codec(&cost, spec, d);
    return cost;
}

/* The bound for b d bits of a whole vector: codes of blocks have as many where blocks fill it. NaN below one
 * bit a vector, and where more is stored than one norm beside the words. */
static double caps_bound_of(const fq_codec_spec *spec, size_t dim, double rate, bool vector) {
    fq_caps_bound caps;
    fq_codec_cost cost;
    const double bits = rate * (double)dim;
    if (vector && (fq_codec_plan(&cost, spec, dim) != FQ_OK || cost.norm_bits > 16))
        return (double)NAN;
    if (bits < 1 || bits > 64 * (double)dim || fq_caps_bound_init(&caps, dim, bits) != FQ_OK)
        return (double)NAN;
    return vector && spec->norm != FQ_NORM_INPUT ? caps.free_gain : caps.fixed_words;
}

static void add_distortion(fq_rows *rows, double bound, double distortion, double error) {
    const double decibel = 10 / log(10);
    fq_rows_real(rows, "distortion", distortion);
    fq_rows_real(rows, "distortion_se", error);
    fq_rows_real(rows, "caps_bound", bound);
    fq_rows_real(rows, "gap_db", decibel * log(distortion / bound));
    fq_rows_real(rows, "gap_db_se", decibel * error / distortion);
}

/* Sums of one batch after the other: a fixed order, whatever the number of threads. */
typedef struct moments {
    double n, mean, squares;
} moments;

static void add(moments *m, double value) {
    const double before = value - m->mean;
    m->n += 1.0;
    m->mean += before / m->n;
    m->squares += before * (value - m->mean);
}

static double standard_error(const moments *m) {
    return sqrt(m->squares / (m->n - 1.0) / m->n);
}

static fq_status measure_vectors(const fq_codec *codec, size_t dim, uint64_t seed, size_t samples,
                                 fq_rows *rows, moments *d, moments *cosine) {
    float *x = NULL, *y = NULL;
    uint8_t *codes = NULL;
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, dim));
    fq_status status = fq_alloc(&x, BATCH * dim, sizeof *x);
    if (status == FQ_OK)
        status = fq_alloc(&y, BATCH * dim, sizeof *y);
    if (status == FQ_OK)
        status = fq_alloc(&codes, BATCH, fq_codec_get_cost(codec).code_bytes);
    for (size_t first = 0; status == FQ_OK && first < samples; first += BATCH) {
        const size_t n = samples - first < BATCH ? samples - first : BATCH;
        fq_source_sample(&source, seed, FQ_PURPOSE_EVALUATE, first, n, x);
        status = fq_codec_encode(codec, codes, x, n);
        if (status == FQ_OK)
            status = fq_codec_decode(codec, y, codes, n);
        for (size_t i = 0; status == FQ_OK && i < n; i++) {
            double xx = 0.0, yy = 0.0, xy = 0.0;
            for (size_t j = 0; j < dim; j++) {
                const double a = (double)x[i * dim + j], b = (double)y[i * dim + j];
                xx += a * a;
                yy += b * b;
                xy += a * b;
            }
            add(d, (xx - 2.0 * xy + yy) / xx);
            add(cosine, yy > 0.0 ? xy / sqrt(xx * yy) : 0.0);
        }
        fq_rows_progress(rows, (double)(first + n) / (double)samples);
    }
    fq_free(codes);
    fq_free(y);
    fq_free(x);
    return status;
}

static fq_status measure_block(const fq_point *point, fq_resources *resources,
                               const fq_codec_description *about, double bound, fq_rows *rows) {
    fq_codec_parts parts = {0};
    fq_codebook code;
    if (about->trained)
        FQ_TRY(fq_resources_codebook(resources, &parts.codebook, &about->training));
    fq_codebook_init(&code);
    fq_status status =
        fq_codec_block_code(&code, fq_point_codec(point, "codec"), fq_point_size(point, "dim"), &parts);
    if (status == FQ_OK && isnan(code.distortion))
        status = fq_codebook_measure(&code, fq_point_seed(point), fq_point_size(point, "samples"));
    if (status == FQ_OK)
        add_distortion(rows, bound, code.distortion, code.distortion_se);
    fq_codebook_clear(&code);
    return status;
}

static fq_status add_theory(size_t dim, size_t block, size_t codewords, double rate, fq_rows *rows) {
    fq_source source;
    fq_cell cell;
    double high_rate = 0.0;
    fq_rows_real(rows, "gaussian", pow(4.0, -rate));
    if (block >= dim)
        return FQ_OK; /* the sphere itself has no density */
    FQ_TRY(fq_source_init(&source, dim, block));
    FQ_TRY(fq_gains_best_cell(&cell, block));
    FQ_TRY(fq_gains_high_rate_distortion(&high_rate, &source, rate, cell.second_moment));
    fq_rows_real(rows, "high_rate", high_rate);
    fq_rows_real(rows, "shannon_bound", fq_gains_shannon_bound(&source, rate));
    double every_code;
    FQ_TRY(fq_every_code_bound(&every_code, dim, block, codewords));
    fq_rows_real(rows, "every_code_bound", every_code);
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t dim = fq_point_size(point, "dim");
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    fq_codec_description about;
    fq_codec_cost stored;
    const fq_codec *codec = NULL;
    FQ_TRY(fq_codec_describe(&about, spec, dim));
    const size_t block = about.block ? about.block : 1;
    double rate = about.rate;
    FQ_TRY(fq_rows_add(rows));
    if (vector)
        FQ_TRY(fq_resources_codec(resources, &codec, spec, dim));
    if (fq_codec_plan(&stored, spec, dim) == FQ_OK) {
        const double bits = 8.0 * (double)stored.code_bytes / (double)dim;
        rate = stored.rate;
        fq_rows_real(rows, "rate_stored", bits);
        fq_rows_real(rows, "compression_stored", 16.0 / bits);
    }
    fq_rows_text(rows, "family", spec->family);
    fq_rows_integer(rows, "block", (int64_t)block);
    fq_rows_integer(rows, "codewords", (int64_t)about.codewords);
    fq_rows_text(rows, "recipe", about.trained ? fq_recipe_name(about.training.recipe) : "");
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    FQ_TRY(add_theory(dim, block, vector ? 0 : about.codewords, rate, rows)); /* stored norms convey more */
    const double bound = caps_bound_of(spec, dim, rate, vector);
    if (!vector)
        return measure_block(point, resources, &about, bound, rows);
    moments d = {0}, cosine = {0};
    FQ_TRY(measure_vectors(codec, dim, fq_point_seed(point), fq_point_size(point, "samples"), rows, &d,
                           &cosine));
    add_distortion(rows, bound, d.mean, standard_error(&d));
    fq_rows_real(rows, "cosine", cosine.mean);
    fq_rows_real(rows, "cosine_se", standard_error(&cosine));
    return FQ_OK;
}

const fq_experiment fq_experiment_rate_distortion = {
    .name = "rate-distortion",
    .summary = "distortion of codecs and codebooks on the canonical source, with bounds",
    .version = 4,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
