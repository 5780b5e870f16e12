/* Radial-angular codebooks for the spherical-Beta source; codebook_training.h makes and measures them.
 *
 * Notation: d dim, k block, N codewords, words c[N][k] row-major float32 in the closed unit ball,
 * rate b = log2(N)/k. Distortion D is the mean squared error per coordinate divided by the
 * coordinate variance 1/d:  D = d/k E|X - Q(X)|^2,  so D = 1 at rate 0.
 * Source: Lee and Kim, arXiv 2605.11478, section 3 and Appendix A.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_CODEBOOK_H
#define FQ_CODEBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "search.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fq_recipe {
    FQ_RECIPE_POPULATION = 0, /* minimises the distortion of the distribution */
    FQ_RECIPE_PAPER = 1,      /* M = 30N samples, 4 restarts, 25 iterations */
    FQ_RECIPE_INITIAL = 2,    /* Beta-quantile radii and Fibonacci / Roberts-Kronecker directions */
    FQ_RECIPE_PRODUCT = 3,    /* Cartesian power of the scalar Lloyd-Max code of f_{d,1} */
    FQ_RECIPE_SHELL = 4,      /* as population, begun with all words on one sphere */
    FQ_RECIPE_LATTICE =
        5 /* as population, or the short points of a lattice, refined, where they are better */
} fq_recipe;

/* "population", "paper", "initial", "product", "shell", "lattice"; NULL for a number out of range. */
const char *fq_recipe_name(fq_recipe recipe);
FQ_MUST_CHECK fq_status fq_recipe_parse(fq_recipe *recipe, const char *name);

/* Two numbers between which D of the words lies, by interval arithmetic from start to end: nothing sampled.
 * The library only carries them; NaN where nobody enclosed D. */
typedef struct fq_codebook_certificate {
    double low, high;
    uint64_t parts; /* of the source's ball that it took; 0: a closed form */
} fq_codebook_certificate;

typedef struct fq_codebook {
    size_t dim, block, codewords;
    float *words; /* [N][k], owned */
    fq_recipe recipe;
    uint64_t seed;
    double distortion;    /* population D, on samples never trained on; NaN until measured */
    double distortion_se; /* its standard error */
    uint64_t distortion_samples;
    fq_codebook_certificate certificate; /* of these words */
} fq_codebook;

/* Makes an empty codebook (words NULL), and frees one; clear accepts an empty codebook. */
void fq_codebook_init(fq_codebook *codebook);
void fq_codebook_clear(fq_codebook *codebook);

/* Copies words[N][k] in; every word must be finite and in the unit ball (FQ_ERR_RANGE names the
 * first that is not). Leaves distortion and certificate NaN. */
FQ_MUST_CHECK fq_status fq_codebook_set(fq_codebook *codebook, size_t dim, size_t block, size_t codewords,
                                        const float *words, fq_recipe recipe, uint64_t seed);

/* How a long call reports and can be stopped: called now and then from the calling thread with fraction in
 * [0,1]; returning false stops the call, which then fails with FQ_ERR_INTERRUPTED. */
typedef struct fq_progress {
    bool (*report)(void *context, double fraction);
    void *context;
} fq_progress;

typedef struct fq_train_options {
    size_t dim, block, codewords; /* 1 <= k <= d (k = d: the sphere itself), 1 <= N <= 2^20 */
    fq_recipe recipe;
    uint64_t seed;
    double tolerance;     /* population recipe: aim at a relative excess distortion below this;
                             0 means the default, 0.002 */
    fq_progress progress; /* report may be NULL */
} fq_train_options;

#ifdef __cplusplus
}
#endif
#endif
