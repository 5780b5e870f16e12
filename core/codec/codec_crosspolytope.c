/* Blocks of k rotated coordinates by the nearest of the 2k words +-s e_j: the largest coordinate and its
 * sign, at log2(2k)/k bits a coordinate. The hash of Andoni, Indyk, Laarhoven, Razenshteyn and Schmidt
 * (2015), kept as a code.
 *
 * With M = E max_j |g_j| of k standard normals, the best length is
 *   s = M Gamma(d/2) / (sqrt(2) Gamma((d+1)/2)),   D = 1 - kappa_d M^2/k,   kappa_d = (d/2)
 * (Gamma(d/2)/Gamma((d+1)/2))^2 (claim low_rate), for k = d as well. M is an integral of 1 - erf(x/sqrt 2)^k,
 * taken by Simpson's rule: within 1e-12.
 */
#include <math.h>

#include "codec_family.h"
#include "memory.h"
#include "text_builder.h"

enum { MOST = 512 };

static const fq_codec_key keys[] = {{.name = "k",
                                     .help = "coordinates of a block, 2k words",
                                     .type = FQ_TYPE_INTEGER,
                                     .required = true,
                                     .least = 2,
                                     .most = MOST},
                                    {0}};

/* 1 - P(all |g_j| < x). */
static double beyond(double x, double k) {
    return -expm1(k * log1p(-erfc(x / sqrt(2.0))));
}

static double mean_largest(double k) {
    enum { STEPS = 8192 };
    const double end = sqrt(2.0 * log(2.0 * k)) + 9.0, h = end / STEPS;
    double sum = 1.0 + beyond(end, k);
    for (int i = 1; i < STEPS; i++)
        sum += (i % 2 ? 4.0 : 2.0) * beyond(i * h, k);
    return sum * h / 3.0;
}

/* Gamma(d/2)/Gamma((d+1)/2). */
static double gamma_ratio(double d) {
    return exp(lgamma(d / 2.0) - lgamma((d + 1.0) / 2.0));
}

static void fill_words(float *words, size_t k, size_t dim) {
    const float length = (float)(mean_largest((double)k) * gamma_ratio((double)dim) / sqrt(2.0));
    for (size_t i = 0; i < 2 * k * k; i++)
        words[i] = 0.0F;
    for (size_t j = 0; j < k; j++) {
        words[2 * j * k + j] = length;
        words[(2 * j + 1) * k + j] = -length;
    }
}

static fq_status check_dim(size_t k, size_t dim) {
    return dim % k == 0 ? FQ_OK : FQ_FAIL_VALUE(FQ_ERR_SPEC, "k", k, "a divisor of the dimension");
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const size_t k = (size_t)codec->spec.value[0], d = codec->cost.dim;
    float *words = NULL;
    (void)parts;
    FQ_TRY(check_dim(k, d));
    if (codec->plan_only)
        return fq_codec_add_group(codec, d, k, 2 * k, NULL, 0);
    FQ_TRY(fq_alloc(&words, 2 * k, k * sizeof *words));
    fill_words(words, k, d);
    const fq_status status = fq_codec_add_group(codec, d, k, 2 * k, words, 0);
    fq_free(words);
    return status;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    (void)dim;
    about->kind = FQ_CODE_BLOCKS;
    about->block = (size_t)spec->value[0];
    about->codewords = 2 * about->block;
    about->rate = log2((double)about->codewords) / (double)about->block;
    fq_text label = fq_text_begin(about->label, sizeof about->label);
    fq_text_add(&label, about->family);
    fq_text_add(&label, " (k = ");
    fq_text_add_number(&label, about->block);
    fq_text_add(&label, ")");
    fq_text series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&series, about->family);
}

static fq_status block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                            const fq_codec_parts *parts) {
    const size_t k = (size_t)spec->value[0];
    float *words = NULL;
    (void)parts;
    if (dim < k)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "k", k, "at most the dimension");
    FQ_TRY(fq_alloc(&words, 2 * k, k * sizeof *words));
    fill_words(words, k, dim);
    const fq_status status = fq_codebook_set(code, dim, k, 2 * k, words, FQ_RECIPE_PRODUCT, spec->seed);
    fq_free(words);
    FQ_TRY(status);
    const double m = mean_largest((double)k), ratio = gamma_ratio((double)dim);
    code->distortion = 1.0 - (double)dim / 2.0 * ratio * ratio * m * m / (double)k;
    code->distortion_se = 0.0;
    return FQ_OK;
}

/* Packed in whole bits where that wastes nothing. */
static void defaults(fq_codec_spec *spec) {
    const size_t k = (size_t)spec->value[0];
    spec->packing = k & (k - 1) ? FQ_PACK_RADIX : FQ_PACK_BITS;
}

static const fq_codec_example examples[] = {{"crosspolytope:k=8", 64},
                                            {"crosspolytope:k=64", 64},
                                            {"crosspolytope:k=4,norm=ls", 16},
                                            {"crosspolytope:k=12,rot=hadamard", 48},
                                            {"crosspolytope:k=2,normbits=8,norm=match", 18},
                                            {0}};

const fq_codec_family fq_codec_family_crosspolytope = {
    .name = "crosspolytope",
    .summary = "the largest of k rotated coordinates and its sign, below one bit a coordinate",
    .title = "cross-polytope",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .defaults = defaults,
    .create = create,
    .describe = describe,
    .block_code = block_code,
};
