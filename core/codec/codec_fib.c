/* FibQuant (Lee and Kim, arXiv 2605.11478): normalise, rotate, cut into d/k blocks, each to the
 * nearest of N codewords of one codebook trained on f_{d,k}. */
#include "codec_family.h"
#include "text_builder.h"

static fq_status check_codebook(const fq_codec *codec, const fq_codebook *codebook) {
    const fq_codec_spec *spec = &codec->spec;
    if (codebook->dim != codec->cost.dim)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook dim", codebook->dim, "the codec's dim");
    if (codebook->block != spec->block)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook block", codebook->block, "the codec's k");
    if (codebook->codewords != spec->codewords || !codebook->words)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook codewords", codebook->codewords, "the codec's N");
    return FQ_OK;
}

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    const fq_codec_spec *spec = &codec->spec;
    const size_t d = codec->cost.dim;
    if (d % spec->block != 0) {
        char allowed[FQ_ERROR_TEXT_MAX];
        fq_text text = fq_text_begin(allowed, sizeof allowed);
        fq_text_add(&text, "a divisor of the dimension ");
        fq_text_add_number(&text, d);
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "k", spec->block, allowed);
    }
    fq_codebook trained;
    fq_codebook_init(&trained);
    const fq_codebook *codebook = parts->codebook;
    if (codebook) {
        FQ_TRY(check_codebook(codec, codebook));
    } else {
        const fq_train_options options = {
            .dim = d,
            .block = spec->block,
            .codewords = spec->codewords,
            .recipe = spec->recipe,
            .seed = spec->seed,
        };
        FQ_TRY(fq_codebook_train(&trained, &options));
        codebook = &trained;
    }
    const fq_status status = fq_codec_add_group(codec, d, spec->block, spec->codewords, codebook->words, 0);
    fq_codebook_clear(&trained);
    return status;
}

const fq_codec_family fq_codec_family_fib = {
    .name = "fib",
    .summary = "FibQuant: N codewords a block of k rotated coordinates, one codebook for all",
    .keys = FQ_KEY_BLOCK | FQ_KEY_CODEWORDS | FQ_KEY_RECIPE | FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM |
            FQ_KEY_SEED,
    .required = FQ_KEY_BLOCK | FQ_KEY_CODEWORDS,
    .create = create,
};
