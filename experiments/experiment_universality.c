/* Universality (Theorem 1 of arXiv 2605.11478) on a real KV cache: is the distortion of every layer and head
 * that of the canonical source?
 *
 * The theorem says: for any fixed vector, over the random rotation, a block of the rotated direction has the
 * law f_{d,k}; so the expected distortion is one number D, whatever the vector. The rotation is the only
 * random thing in it, and one rotation serves a whole cache: the vectors of a head, which resemble each
 * other, err together. So vectors are no sample: errors here are over
 * `rotations` independent rotations of the same codebook (and for tqprod its sketches). For rotation r, D_r
 * is the mean of |x - x'|^2 / |x|^2 over `tokens` evenly spread vectors of a head, and C_r the same over
 * independent vectors uniform on the sphere, rounding of norms and all: the canonical source's. If the
 * theorem holds, the differences D_r - C_r, r = 1, 2, ..., are independent with mean 0, so
 *
 *   t = mean(D_r - C_r) / (s / sqrt(rotations)),  s their standard deviation,
 *
 * is compared with Student's t of rotations - 1 degrees of freedom. (D_r is a mean of bounded terms; the
 * normal approximation is the weak point with few rotations.) There is a test for every layer, head and kind,
 * `tests` together: `deviates` says that |t| passes the two-sided `threshold` for a probability of false
 * alarm of family_error over all of them (Bonferroni: valid although heads share rotations).
 * effective_vectors is the variance of one independent vector's distortion over that of D_r: how many
 * independent vectors a head's vectors are worth under one rotation.
 */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment.h"
#include "failure.h"
#include "kv_cache_file.h"
#include "memory.h"
#include "metrics.h"
#include "source.h"

static const fq_parameter parameters[] = {
    {.name = "cache", .type = FQ_PARAMETER_FILE, .description = "KV cache file (fibquant cache, or h5py)"},
    {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec; its seed is the first rotation's"},
    {.name = "tokens",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = 1e6,
     .fallback = "128",
     .description = "vectors of each head, evenly spread over the cache's tokens"},
    {.name = "rotations",
     .type = FQ_PARAMETER_INTEGER,
     .least = 3,
     .most = 1e5,
     .fallback = "32",
     .description = "independent rotations: seeds s, s + 1, ... from the codec's seed s"},
    {.name = "sphere_vectors",
     .type = FQ_PARAMETER_INTEGER,
     .least = 100,
     .most = 1e9,
     .fallback = "200000",
     .description = "independent vectors uniform on the sphere, shared out to the rotations"},
    {.name = "family_error",
     .type = FQ_PARAMETER_REAL,
     .least = 1e-12,
     .most = 0.5,
     .fallback = "0.01",
     .description = "probability that any deviation is reported although there is none"},
    {0}};

#define REAL(name, units, text)                                                                              \
    { name, FQ_VALUE_REAL, 0, units, text, FQ_ROLE_VALUE }
static const fq_value_column columns[] = {
    {"kind", FQ_VALUE_TEXT, 8, "", "key or value", FQ_ROLE_VALUE},
    {"layer", FQ_VALUE_INTEGER, 0, "1", "layer, from 0", FQ_ROLE_VALUE},
    {"head", FQ_VALUE_INTEGER, 0, "1", "key-value head, from 0", FQ_ROLE_VALUE},
    REAL("distortion", "coordinate variance", "normalised D of the head, mean over rotations"),
    REAL("distortion_se", "coordinate variance", "standard error over rotations"),
    REAL("distortion_own", "coordinate variance", "the same with the codec's own rotation alone"),
    REAL("distortion_sd", "coordinate variance", "standard deviation from one rotation to another"),
    REAL("effective_vectors", "1",
         "independent vectors that the head's vectors are worth under one rotation"),
    REAL("canonical", "coordinate variance", "D of the canonical source with the same codec"),
    REAL("canonical_se", "coordinate variance", "standard error over rotations"),
    REAL("ratio", "1", "distortion / canonical"),
    REAL("ratio_low", "1", "lower end of its 95 % confidence interval"),
    REAL("ratio_high", "1", "upper end of its 95 % confidence interval"),
    REAL("t", "standard errors", "distortion - canonical over its standard error, paired by rotation"),
    REAL("p", "1", "two-sided probability of such a t or a larger one, this test alone"),
    REAL("threshold", "standard errors", "|t| beyond which deviates is 1"),
    {"tests", FQ_VALUE_INTEGER, 0, "1", "tests that family_error is shared by", FQ_ROLE_VALUE},
    {"deviates", FQ_VALUE_INTEGER, 0, "1", "1: |t| > threshold", FQ_ROLE_VALUE},
    {"model_name", FQ_VALUE_TEXT, 64, "", "model that the cache came from", FQ_ROLE_VALUE},
    {"text_name", FQ_VALUE_TEXT, 64, "", "text that the cache came from", FQ_ROLE_VALUE},
    {0}};

static fq_point_cost cost(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const double vectors =
        180.0 * (double)fq_point_size(point, "tokens") * (double)fq_point_size(point, "rotations") +
        (double)fq_point_size(point, "sphere_vectors");
    fq_point_cost cost = {.seconds = vectors * (1e-6 + fq_cost_encoding(spec)), .memory_bytes = 1e8};
    fq_cost_add_codec(&cost, spec, fq_cost_cache_dim(fq_point_file(point, "cache")));
    return cost;
}

typedef struct job {
    fq_kv_shape shape;
    size_t tokens, rotations, units; /* units: kinds x layers x heads */
    float *x, *y;                    /* [units][tokens][dim] */
    uint8_t *codes;
    double *mean;      /* [units][rotations] */
    double *canonical; /* [rotations] */
    double single;     /* variance of the distortion of one vector on the sphere */
} job;

static void job_clear(job *j) {
    fq_free(j->x);
    fq_free(j->y);
    fq_free(j->codes);
    fq_free(j->mean);
    fq_free(j->canonical);
}

enum { KINDS = 2 };
static const fq_kv_kind kinds[KINDS] = {FQ_KV_KEY, FQ_KV_VALUE};

static fq_status read_vectors(job *j, const fq_kv_cache *cache) {
    const size_t dim = j->shape.dim, heads = j->shape.layers * j->shape.heads;
    float *head = NULL;
    FQ_TRY(fq_alloc(&head, j->shape.tokens, dim * sizeof *head));
    fq_status status = FQ_OK;
    for (size_t unit = 0; status == FQ_OK && unit < j->units; unit++) {
        const size_t layer = unit % heads / j->shape.heads, number = unit % j->shape.heads;
        status = fq_kv_cache_read(cache, layer, kinds[unit / heads], number, 0, j->shape.tokens, head);
        for (size_t i = 0; status == FQ_OK && i < j->tokens; i++)
            memcpy(j->x + (unit * j->tokens + i) * dim, head + i * j->shape.tokens / j->tokens * dim,
                   dim * sizeof *head);
    }
    fq_free(head);
    return status;
}

static fq_status job_make(job *j, const fq_kv_cache *cache, size_t code_bytes) {
    size_t vectors = 0, means = 0;
    FQ_TRY(fq_size_multiply(&vectors, j->units, j->tokens, "vectors"));
    FQ_TRY(fq_size_multiply(&means, j->units, j->rotations, "rotations"));
    FQ_TRY(fq_alloc(&j->x, vectors, j->shape.dim * sizeof *j->x));
    FQ_TRY(fq_alloc(&j->y, vectors, j->shape.dim * sizeof *j->y));
    FQ_TRY(fq_alloc(&j->codes, vectors, code_bytes));
    FQ_TRY(fq_alloc(&j->mean, means, sizeof *j->mean));
    FQ_TRY(fq_alloc(&j->canonical, j->rotations, sizeof *j->canonical));
    return read_vectors(j, cache);
}

/* |x - y|^2 / |x|^2; 0 for x = 0, which every codec keeps. */
static double distortion_of(const float *x, const float *y, size_t dim) {
    double error = 0.0, power = 0.0;
    for (size_t c = 0; c < dim; c++) {
        const double e = (double)x[c] - (double)y[c];
        error += e * e;
        power += (double)x[c] * (double)x[c];
    }
    return power > 0.0 ? error / power : 0.0;
}

static fq_status make_codec(fq_codec **codec, const fq_codec_spec *own, size_t dim, size_t rotation,
                            const fq_codebook *codebook) {
    const fq_codec_parts parts = {.codebook = codebook};
    fq_codec_spec spec = *own;
    spec.seed = own->seed + rotation;
    return fq_codec_create(codec, &spec, dim, &parts);
}

static fq_status measure_rotation(job *j, const fq_codec *codec, size_t rotation) {
    const size_t dim = j->shape.dim, n = j->units * j->tokens;
    FQ_TRY(fq_codec_encode(codec, j->codes, j->x, n));
    FQ_TRY(fq_codec_decode(codec, j->y, j->codes, n));
#pragma omp parallel for schedule(static, 8)
    for (size_t unit = 0; unit < j->units; unit++) {
        double sum = 0.0;
        for (size_t i = unit * j->tokens; i < (unit + 1) * j->tokens; i++)
            sum += distortion_of(j->x + i * dim, j->y + i * dim, dim);
        j->mean[unit * j->rotations + rotation] = sum / (double)j->tokens;
    }
    return FQ_OK;
}

/* Over vectors first..first+n-1 of the sphere. */
static fq_status measure_sphere(fq_estimate *e, const fq_codec *codec, size_t dim, uint64_t seed,
                                size_t first, size_t n) {
    float *x = NULL, *y = NULL;
    double *d = NULL;
    uint8_t *codes = NULL;
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, dim));
    fq_status status = fq_alloc(&d, n, sizeof *d);
    if (status == FQ_OK)
        status = fq_alloc(&x, n, dim * sizeof *x);
    if (status == FQ_OK)
        status = fq_alloc(&y, n, dim * sizeof *y);
    if (status == FQ_OK)
        status = fq_alloc(&codes, n, fq_codec_get_cost(codec).code_bytes);
    if (status == FQ_OK) {
        fq_source_sample(&source, seed, FQ_PURPOSE_EVALUATE, first, n, x);
        status = fq_codec_encode(codec, codes, x, n);
    }
    if (status == FQ_OK)
        status = fq_codec_decode(codec, y, codes, n);
    for (size_t i = 0; status == FQ_OK && i < n; i++)
        d[i] = distortion_of(x + i * dim, y + i * dim, dim);
    if (status == FQ_OK)
        *e = fq_estimate_of(d, n);
    fq_free(codes);
    fq_free(y);
    fq_free(x);
    fq_free(d);
    return status;
}

static fq_status measure(job *j, const fq_point *point, const fq_codebook *codebook, fq_rows *rows) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const size_t n = fq_point_size(point, "sphere_vectors") / j->rotations + 2;
    fq_status status = FQ_OK;
    for (size_t r = 0; status == FQ_OK && r < j->rotations; r++) {
        fq_codec *codec = NULL;
        fq_estimate e = {0};
        status = make_codec(&codec, spec, j->shape.dim, r, codebook);
        if (status == FQ_OK)
            status = measure_sphere(&e, codec, j->shape.dim, fq_point_seed(point), r * n, n);
        if (status == FQ_OK)
            status = measure_rotation(j, codec, r);
        j->canonical[r] = e.mean;
        j->single += e.se * e.se * (double)n / (double)j->rotations;
        fq_codec_destroy(codec);
        fq_rows_progress(rows, (double)(r + 1) / (double)j->rotations);
    }
    return status;
}

static fq_status report_head(const job *j, size_t unit, double family_error, fq_rows *rows) {
    const double n = (double)j->rotations, freedom = n - 1.0, tests = (double)j->units;
    const double *d = j->mean + unit * j->rotations;
    const fq_estimate e = fq_estimate_of(d, j->rotations),
                      canonical = fq_estimate_of(j->canonical, j->rotations);
    double *difference = NULL;
    FQ_TRY(fq_alloc(&difference, j->rotations, sizeof *difference));
    for (size_t r = 0; r < j->rotations; r++)
        difference[r] = d[r] - j->canonical[r];
    const fq_estimate paired = fq_estimate_of(difference, j->rotations);
    fq_free(difference);
    const double t = paired.mean / paired.se, ratio = 1.0 + paired.mean / canonical.mean;
    const double threshold = gsl_cdf_tdist_Qinv(0.5 * family_error / tests, freedom);
    const double half = gsl_cdf_tdist_Qinv(0.025, freedom) * paired.se / canonical.mean;
    fq_rows_real(rows, "distortion", e.mean);
    fq_rows_real(rows, "distortion_se", e.se);
    fq_rows_real(rows, "distortion_own", d[0]);
    fq_rows_real(rows, "distortion_sd", e.se * sqrt(n));
    fq_rows_real(rows, "effective_vectors", j->single / (e.se * e.se * n));
    fq_rows_real(rows, "canonical", canonical.mean);
    fq_rows_real(rows, "canonical_se", canonical.se);
    fq_rows_real(rows, "ratio", ratio);
    fq_rows_real(rows, "ratio_low", ratio - half);
    fq_rows_real(rows, "ratio_high", ratio + half);
    fq_rows_real(rows, "t", t);
    fq_rows_real(rows, "p", 2.0 * gsl_cdf_tdist_Q(fabs(t), freedom));
    fq_rows_real(rows, "threshold", threshold);
    fq_rows_integer(rows, "tests", (int64_t)j->units);
    fq_rows_integer(rows, "deviates", !(fabs(t) <= threshold));
    return FQ_OK;
}

static fq_status report(const job *j, const fq_kv_origin *origin, const fq_point *point, fq_rows *rows) {
    const size_t heads = j->shape.layers * j->shape.heads;
    for (size_t unit = 0; unit < j->units; unit++) {
        FQ_TRY(fq_rows_add(rows));
        fq_rows_text(rows, "kind", fq_kv_kind_name(kinds[unit / heads]));
        fq_rows_integer(rows, "layer", (int64_t)(unit % heads / j->shape.heads));
        fq_rows_integer(rows, "head", (int64_t)(unit % j->shape.heads));
        fq_rows_text(rows, "model_name", origin->model);
        fq_rows_text(rows, "text_name", origin->text);
        FQ_TRY(report_head(j, unit, fq_point_real(point, "family_error"), rows));
    }
    return FQ_OK;
}

static fq_status run_on(const fq_kv_cache *cache, const fq_point *point, fq_resources *resources,
                        fq_rows *rows) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const fq_codec *codec = NULL;
    const fq_codebook *codebook = NULL;
    job j = {.shape = *fq_kv_cache_shape(cache),
             .tokens = fq_point_size(point, "tokens"),
             .rotations = fq_point_size(point, "rotations")};
    if (j.tokens > j.shape.tokens)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; key \"tokens\" asks for %zu",
                            fq_point_file(point, "cache"), j.shape.tokens, j.tokens);
    j.units = KINDS * j.shape.layers * j.shape.heads;
    FQ_TRY(fq_resources_codec(resources, &codec, spec, j.shape.dim));
    fq_codec_description about;
    FQ_TRY(fq_codec_describe(&about, spec, j.shape.dim));
    if (about.trained)
        FQ_TRY(fq_resources_codebook(resources, &codebook, &about.training));
    fq_status status = job_make(&j, cache, fq_codec_get_cost(codec).code_bytes);
    if (status == FQ_OK)
        status = measure(&j, point, codebook, rows);
    if (status == FQ_OK)
        status = report(&j, fq_kv_cache_origin(cache), point, rows);
    job_clear(&j);
    return status;
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    fq_kv_cache *cache = NULL;
    FQ_TRY(fq_kv_cache_open(&cache, fq_point_file(point, "cache")));
    const fq_status status = run_on(cache, point, resources, rows);
    fq_kv_cache_close(cache);
    return status;
}

static fq_status check(const fq_point *point) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    fq_codec_description about;
    if (fq_codec_describe(&about, spec, FQ_COST_USUAL_DIM) == FQ_OK && !about.rotated)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT,
                            "key \"codec\": %s has no rotation; allowed: codecs with one, such as tq:b=2",
                            spec->family);
    const size_t dim = fq_point_cache_dim(fq_point_file(point, "cache"));
    return dim ? fq_point_check_codec("codec", spec, dim) : FQ_OK;
}

const fq_experiment fq_experiment_universality = {
    .name = "universality",
    .summary = "distortion of every layer and head of a real KV cache against the "
               "canonical source",
    .version = 2,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run};
