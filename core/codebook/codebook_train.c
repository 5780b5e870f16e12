#include "codebook_initial.h"
#include "codebook_paper.h"
#include "codebook_population.h"
#include "codebook_training.h"
#include "memory.h"
#include "scalar_quantizer.h"

static fq_status check(fq_source *source, const fq_train_options *options) {
    FQ_TRY(fq_source_init(source, options->dim, options->block));
    FQ_TRY(fq_check_size("codewords", options->codewords, 1, FQ_CODEWORDS_MAX));
    if (!fq_recipe_name(options->recipe))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "recipe", options->recipe, "0 to 5");
    if (!(options->tolerance >= 0 && options->tolerance < 1))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tolerance", options->tolerance, "0 to below 1");
    return FQ_OK;
}

fq_status fq_codebook_train(fq_codebook *codebook, const fq_train_options *options) {
    fq_source source;
    FQ_TRY(check(&source, options));
    const size_t N = options->codewords, k = options->block;
    float *words = NULL;
    FQ_TRY(fq_alloc_zero(&words, N * k, sizeof *words));
    fq_status status = FQ_OK;
    switch (options->recipe) {
    case FQ_RECIPE_INITIAL:
        fq_initial_words(words, &source, N);
        break;
    case FQ_RECIPE_PRODUCT:
        status = fq_product_words(words, &source, N);
        break;
    case FQ_RECIPE_PAPER:
        status = fq_train_paper(words, &source, options);
        break;
    case FQ_RECIPE_POPULATION:
    case FQ_RECIPE_SHELL:
    case FQ_RECIPE_LATTICE:
        if (N == 1)
            break; /* the mean, zero */
        if (k == 1 && N <= FQ_LEVELS_MAX && source.block < source.dim)
            status = fq_product_words(words, &source, N); /* the scalar optimum itself */
        else
            status = fq_train_population(words, &source, options);
        break;
    }
    if (status == FQ_OK)
        status = fq_codebook_set(codebook, options->dim, k, N, words, options->recipe, options->seed);
    fq_free(words);
    return status;
}

double fq_codebook_training_work(const fq_train_options *options) {
    fq_source source;
    if (check(&source, options) != FQ_OK)
        return 0;
    if (options->recipe == FQ_RECIPE_PAPER)
        return fq_train_paper_work(options);
    const bool closed =
        options->codewords == 1 ||
        (options->block == 1 && options->codewords <= FQ_LEVELS_MAX && source.block < source.dim);
    const bool trained = options->recipe != FQ_RECIPE_INITIAL && options->recipe != FQ_RECIPE_PRODUCT;
    return trained && !closed ? fq_train_population_work(options) : 0;
}
