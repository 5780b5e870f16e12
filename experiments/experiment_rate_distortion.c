/* Distortion against rate on the canonical source.
 *
 * source = block: the codebook (for tq the scalar code of one coordinate) on samples of f_{d,k} that
 * no training saw; k need not divide d. source = vector: the whole codec, with rotation and stored
 * norm, on vectors uniform on the sphere. D is normalised by the coordinate variance 1/d. The same
 * seed gives every codec the same samples.
 */
#include <math.h>
#include <string.h>

#include "experiment.h"
#include "failure.h"
#include "gains.h"
#include "memory.h"
#include "scalar_quantizer.h"

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
    {"gaussian", FQ_VALUE_REAL, 0, "coordinate variance", "4^-b", FQ_ROLE_VALUE},
    {"high_rate", FQ_VALUE_REAL, 0, "coordinate variance",
     "Zador's high-rate distortion with the best known cell", FQ_ROLE_VALUE},
    {0}};

static fq_status check(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t dim = fq_point_size(point, "dim");
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    if (spec->block > dim)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"codec\": k = %zu; allowed: up to dim = %zu", spec->block,
                            dim);
    if (vector && spec->block && dim % spec->block)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT,
                            "key \"codec\": k = %zu does not divide dim = %zu; allowed: a divisor, or "
                            "source: block",
                            spec->block, dim);
    if (!vector && spec->codewords == 0 &&
        !(strcmp(spec->family, "tq") == 0 && spec->bits == floor(spec->bits)))
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"codec\": %s has no block code; allowed: source: vector",
                            spec->family);
    if (vector && dim * fq_point_size(point, "samples") > (size_t)1 << 40)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"samples\": too many for dim = %zu", dim);
    return FQ_OK;
}

static fq_point_cost cost(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const double dim = (double)fq_point_size(point, "dim");
    const double samples = (double)fq_point_size(point, "samples");
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    const double k = spec->block ? (double)spec->block : 1.0;
    const double n = spec->codewords ? (double)spec->codewords : exp2(spec->bits);
    const double per_block = 2.0 * k * n / 2e10 + 6e-8 + 1e-8 * k; /* search and drawing */
    const double measuring =
        vector ? samples * dim * (per_block / k + dim * 3e-10 + 2e-8) : samples * per_block;
    fq_point_cost cost = {.seconds = 0.01 + measuring, .memory_bytes = 6e7 + 8.0 * k * n + 4.0 * dim * dim};
    fq_cost_add_codec(&cost, spec, (size_t)dim);
    return cost;
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

/* By quadrature: no sampling error. */
static fq_status measure_scalar(size_t dim, const fq_codec_spec *spec, fq_rows *rows) {
    fq_scalar_quantizer quantizer;
    FQ_TRY(fq_scalar_quantizer_init(&quantizer, dim, (size_t)exp2(spec->bits)));
    fq_rows_real(rows, "distortion", quantizer.distortion);
    fq_rows_real(rows, "distortion_se", 0.0);
    fq_scalar_quantizer_clear(&quantizer);
    return FQ_OK;
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

static fq_status measure_block(const fq_point *point, fq_resources *resources, size_t dim, fq_rows *rows) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const uint64_t seed = fq_point_seed(point);
    const size_t samples = fq_point_size(point, "samples");
    if (spec->codewords == 0)
        return measure_scalar(dim, spec, rows);
    const fq_codebook *trained = NULL;
    fq_codebook copy;
    FQ_TRY(fq_resources_codebook(resources, &trained, dim, spec->block, spec->codewords, spec->recipe,
                                 spec->seed));
    fq_codebook_init(&copy);
    fq_status status =
        fq_codebook_set(&copy, dim, spec->block, spec->codewords, trained->words, spec->recipe, spec->seed);
    if (status == FQ_OK)
        status = fq_codebook_measure(&copy, seed, samples);
    if (status == FQ_OK) {
        fq_rows_real(rows, "distortion", copy.distortion);
        fq_rows_real(rows, "distortion_se", copy.distortion_se);
    }
    fq_codebook_clear(&copy);
    return status;
}

static fq_status add_theory(size_t dim, size_t block, double rate, fq_rows *rows) {
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
    return FQ_OK;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t dim = fq_point_size(point, "dim"), block = spec->block ? spec->block : 1;
    const bool vector = strcmp(fq_point_text(point, "source"), "vector") == 0;
    double rate = spec->codewords ? log2((double)spec->codewords) / (double)block : spec->bits;
    const fq_codec *codec = NULL;
    FQ_TRY(fq_rows_add(rows));
    if (vector || dim % block == 0) {
        FQ_TRY(fq_resources_codec(resources, &codec, spec, dim));
        const fq_codec_cost stored = fq_codec_get_cost(codec);
        const double bits = 8.0 * (double)stored.code_bytes / (double)dim;
        rate = stored.rate;
        fq_rows_real(rows, "rate_stored", bits);
        fq_rows_real(rows, "compression_stored", 16.0 / bits);
    }
    fq_rows_text(rows, "family", spec->family);
    fq_rows_integer(rows, "block", (int64_t)block);
    fq_rows_integer(rows, "codewords",
                    spec->codewords    ? (int64_t)spec->codewords
                    : spec->bits > 0.0 ? (int64_t)exp2(floor(spec->bits))
                                       : 0);
    fq_rows_text(rows, "recipe", spec->codewords ? fq_recipe_name(spec->recipe) : "");
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    FQ_TRY(add_theory(dim, block, rate, rows));
    if (!vector)
        return measure_block(point, resources, dim, rows);
    moments d = {0}, cosine = {0};
    FQ_TRY(measure_vectors(codec, dim, fq_point_seed(point), fq_point_size(point, "samples"), rows, &d,
                           &cosine));
    fq_rows_real(rows, "distortion", d.mean);
    fq_rows_real(rows, "distortion_se", standard_error(&d));
    fq_rows_real(rows, "cosine", cosine.mean);
    fq_rows_real(rows, "cosine_se", standard_error(&cosine));
    return FQ_OK;
}

const fq_experiment fq_experiment_rate_distortion = {
    .name = "rate-distortion",
    .summary = "distortion of codecs and codebooks on the canonical source, with bounds",
    .version = 2,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
