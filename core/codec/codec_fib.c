/* FibQuant (Lee and Kim, arXiv 2605.11478): normalise, rotate, cut into d/k blocks, each to the
 * nearest of N codewords of one codebook trained on f_{d,k}.
 *
 * Block-Sphere Quantization (BlockQuant: Ann, Lee and Oh, arXiv 2605.19972) is, as far as its summary goes,
 * the same form: blocks of a randomly rotated vector, each by one codebook for the law that blocks of a point
 * on the sphere follow. Not checked against it: how its codebooks are made, which norm it stores
 * (norm=unbiased keeps inner products in expectation), and whether block lengths are coded apart. */
#include <math.h>

#include "code_makers.h"
#include "codebook_recipes.h"
#include "codec_family.h"
#include "text_builder.h"

enum { K, N, RECIPE };

static const fq_codec_key keys[] = {
    [K] = {.name = "k",
           .help = "coordinates of a block",
           .type = FQ_TYPE_INTEGER,
           .required = true,
           .least = 1,
           .most = FQ_BLOCK_MAX},
    [N] = {.name = "N",
           .help = "codewords",
           .type = FQ_TYPE_INTEGER,
           .required = true,
           .least = 1,
           .most = FQ_CODEWORDS_MAX},
    [RECIPE] = {.name = "recipe",
                .help = "how the codebook is trained",
                .type = FQ_TYPE_CHOICE,
                .words = fq_recipe_words},
    {0},
};

static size_t block_of(const fq_codec_spec *spec) {
    return (size_t)spec->value[K];
}

static size_t codewords_of(const fq_codec_spec *spec) {
    return (size_t)spec->value[N];
}

static fq_train_options training_of(const fq_codec_spec *spec, size_t dim) {
    return (fq_train_options){.dim = dim,
                              .block = block_of(spec),
                              .codewords = codewords_of(spec),
                              .recipe = (fq_recipe)spec->value[RECIPE],
                              .seed = spec->seed};
}

/* Packed in whole bits where that wastes nothing. */
static void defaults(fq_codec_spec *spec) {
    const size_t n = codewords_of(spec);
    spec->packing = n & (n - 1) ? FQ_PACK_RADIX : FQ_PACK_BITS;
}

static fq_status check_codebook(const fq_codec_spec *spec, size_t dim, const fq_codebook *codebook) {
    if (codebook->dim != dim)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook dim", codebook->dim, "the codec's dim");
    if (codebook->block != block_of(spec))
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook block", codebook->block, "the codec's k");
    if (codebook->codewords != codewords_of(spec) || !codebook->words)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook codewords", codebook->codewords, "the codec's N");
    return FQ_OK;
}

/* One group of all channels, by the codebook that was given or one trained here. */
static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const fq_codec_spec *spec = &codec->spec;
    const size_t d = codec->cost.dim, k = block_of(spec), n = codewords_of(spec);
    if (d % k != 0) {
        char allowed[FQ_ERROR_TEXT_MAX];
        fq_text text = fq_text_begin(allowed, sizeof allowed);
        fq_text_add(&text, "a divisor of the dimension ");
        fq_text_add_number(&text, d);
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "k", k, allowed);
    }
    if (codec->plan_only)
        return fq_codec_add_group(codec, d, k, n, NULL, 0);
    fq_codebook trained;
    fq_codebook_init(&trained);
    const fq_codebook *codebook = parts->codebook;
    if (codebook) {
        FQ_TRY(check_codebook(spec, d, codebook));
    } else {
        const fq_train_options options = training_of(spec, d);
        FQ_TRY(fq_code_makers_get()->codebook(&trained, &options));
        codebook = &trained;
    }
    const fq_status status = fq_codec_add_group(codec, d, k, n, codebook->words, 0);
    fq_codebook_clear(&trained);
    return status;
}

static void describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    about->kind = block_of(spec) == 1 ? FQ_CODE_SCALARS : FQ_CODE_BLOCKS;
    about->block = block_of(spec);
    about->codewords = codewords_of(spec);
    about->rate = log2((double)about->codewords) / (double)about->block;
    about->trained = true;
    about->training = training_of(spec, dim);
}

/* Of any k up to d. */
static fq_status block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                            const fq_codec_parts *parts) {
    const fq_train_options options = training_of(spec, dim);
    if (!parts->codebook)
        return fq_code_makers_get()->codebook(code, &options);
    FQ_TRY(check_codebook(spec, dim, parts->codebook));
    return fq_codebook_set(code, dim, options.block, options.codewords, parts->codebook->words,
                           options.recipe, options.seed);
}

static const fq_codec_example examples[] = {
    {"fib:k=2,N=16,recipe=initial", 64},
    {"fib:k=4,N=256,recipe=initial", 64},
    {"fib:k=3,N=100,recipe=initial,norm=match", 48},
    {"fib:k=3,N=100,recipe=initial,pack=bits", 48},
    {"fib:k=2,N=9,recipe=product,norm=ls,rot=hadamard", 10},
    {"fib:k=1,N=5,recipe=product", 7},
    {"fib:k=4,N=16,recipe=initial,norm=match,normbits=8", 64},
    {"fib:k=16,N=1000,recipe=initial,rot=hadamard", 96},
    {"fib:k=32,N=7,recipe=initial", 32},
    {"fib:k=4,N=1,recipe=initial", 8},
    {0},
};

const fq_codec_family fq_codec_family_fib = {
    .name = "fib",
    .summary = "FibQuant: N codewords a block of k rotated coordinates, one codebook for all (BlockQuant's "
               "form, too)",
    .title = "FibQuant",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_NORM_BITS | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .defaults = defaults,
    .create = create,
    .describe = describe,
    .block_code = block_code,
};
