/* The two halves of a Lloyd iteration: statistics of the cells over samples, and new codewords.
 *
 * Sums over samples are kept in fixed point, as whole multiples of 2^-38, so that they are exact and
 * do not depend on the order of addition: any number of threads gives the same bytes.
 */
#ifndef FQ_LLOYD_H
#define FQ_LLOYD_H

#include "search.h"
#include "source.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FQ_CELLS_SAMPLES_MAX = 1 << 24 };

typedef struct fq_cells {
    size_t codewords, block;
    double *weight;      /* [N], samples in each cell */
    double *sum;         /* [N][k], their sum */
    double *energy;      /* [N], sum of their squared norms */
    double total;        /* of weight */
    unsigned char *mark; /* [N], scratch of fq_cells_update */
} fq_cells;

FQ_MUST_CHECK fq_status fq_cells_init(fq_cells *cells, size_t codewords, size_t block);
void fq_cells_clear(fq_cells *cells);

/* Statistics of samples x[n][k] in the unit ball, n <= FQ_CELLS_SAMPLES_MAX, under the nearest-codeword
 * partition of search. Parallel; cost of the search plus about k additions a sample. */
FQ_MUST_CHECK fq_status fq_cells_collect(fq_cells *cells, const fq_search *search, const float *x, size_t n);

/* The same for samples first .. first+n-1 of (seed, purpose), drawn as they are used: no memory grows
 * with n. */
FQ_MUST_CHECK fq_status fq_cells_collect_source(fq_cells *cells, const fq_search *search,
                                                const fq_source *source, uint64_t seed, fq_purpose purpose,
                                                uint64_t first, size_t n);

/* into = keep * into + new, for statistics that forget. */
void fq_cells_blend(fq_cells *into, double keep, const fq_cells *new_cells);

/* Sum over the cells of |x - c|^2, for these words and for the cells' own means. */
double fq_cells_error(const fq_cells *cells, const float *words);
double fq_cells_error_of_means(const fq_cells *cells);

/* words = the cells' means where a cell is not empty. Empty cells, taken in order, are repaired: the
 * word moves next to the word of the cell with the largest error not yet split, which it halves; the
 * offset is a hundredth of that cell's spread in a direction from (seed, FQ_PURPOSE_REPAIR, iteration).
 * Returns the number of repairs. */
size_t fq_cells_update(float *words, fq_cells *cells, uint64_t seed, uint64_t iteration);

#ifdef __cplusplus
}
#endif
#endif
