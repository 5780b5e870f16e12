#include "codebook.h"

#include <math.h>
#include <string.h>

#include "codebook_recipes.h"
#include "memory.h"
#include "size_limits.h"

const char *const fq_recipe_words[] = {"population", "paper", "initial", "product", "shell", "lattice", NULL};
enum { RECIPES = sizeof fq_recipe_words / sizeof fq_recipe_words[0] - 1 };

const char *fq_recipe_name(fq_recipe recipe) {
    return (unsigned)recipe < RECIPES ? fq_recipe_words[recipe] : NULL;
}

fq_status fq_recipe_parse(fq_recipe *recipe, const char *name) {
    for (unsigned i = 0; i < RECIPES; i++)
        if (strcmp(name, fq_recipe_words[i]) == 0) {
            *recipe = (fq_recipe)i;
            return FQ_OK;
        }
    return FQ_FAIL(FQ_ERR_SPEC, "recipe", "population, paper, initial, product, shell, lattice");
}

void fq_codebook_init(fq_codebook *codebook) {
    memset(codebook, 0, sizeof *codebook);
    codebook->distortion = codebook->distortion_se = (double)NAN;
    codebook->certificate.low = codebook->certificate.high = (double)NAN;
}

void fq_codebook_clear(fq_codebook *codebook) {
    fq_free(codebook->words);
    fq_codebook_init(codebook);
}

/* Rounding of a word on the sphere to float32 may carry it this far outside. */
static const double ball_slack = 1e-6;

fq_status fq_codebook_set(fq_codebook *codebook, size_t dim, size_t block, size_t codewords,
                          const float *words, fq_recipe recipe, uint64_t seed) {
    FQ_TRY(fq_check_size("dim", dim, 2, FQ_DIM_MAX));
    FQ_TRY(fq_check_size("block", block, 1, dim < FQ_BLOCK_MAX ? dim : FQ_BLOCK_MAX));
    FQ_TRY(fq_check_size("codewords", codewords, 1, FQ_CODEWORDS_MAX));
    if (!fq_recipe_name(recipe))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "recipe", recipe, "0 to 5");
    for (size_t i = 0; i < codewords; i++) {
        double squared = 0;
        for (size_t j = 0; j < block; j++) {
            const double value = (double)words[i * block + j];
            if (!isfinite(value))
                return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "words", i * block + j, "finite elements");
            squared += value * value;
        }
        if (squared > 1 + ball_slack)
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "words", i, "codewords in the unit ball; this one is not");
    }
    float *copy = NULL;
    FQ_TRY(fq_alloc(&copy, codewords * block, sizeof *copy));
    memcpy(copy, words, codewords * block * sizeof *copy);
    fq_codebook_clear(codebook);
    codebook->dim = dim;
    codebook->block = block;
    codebook->codewords = codewords;
    codebook->words = copy;
    codebook->recipe = recipe;
    codebook->seed = seed;
    return FQ_OK;
}
