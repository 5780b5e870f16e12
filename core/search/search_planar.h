/* Nearest codeword in the plane (k = 2) by a grid, exactly.
 *
 * A grid of squares covers the words. For each square the words that can have the largest score somewhere in
 * it are found beforehand; in most squares that is one word, and a point there costs a look-up whatever N is.
 * Elsewhere the few words of the square are compared as search.h defines. Points beyond the outermost
 * squares belong to these, which are taken to reach far out; beyond that, a point is compared with all words.
 *
 * A word is left out of a square only if its score as computed, rounding included, is below that of another
 * word at all four corners: the difference plus a bound of its rounding error is convex in the point.
 */
#ifndef FQ_SEARCH_PLANAR_H
#define FQ_SEARCH_PLANAR_H

#include "search_words.h"

typedef struct fq_search_planar fq_search_planar;

/* For words of block 2. *planar = NULL, without failure, where a grid of this kind does not help: words so
 * unevenly spread that the squares' lists would be long. Memory at most about 2 MiB. */
FQ_MUST_CHECK fq_status fq_search_planar_create(fq_search_planar **planar, const fq_search_words *words);
void fq_search_planar_destroy(fq_search_planar *planar); /* NULL accepted */

/* Points from which on making the grid and using it beats an exhaustive search. */
size_t fq_search_planar_worth(size_t codewords);

void fq_search_planar_nearest(const fq_search_planar *planar, uint32_t *index, const float *x, size_t n);

/* The same without instructions beyond the compiler's baseline, for tests. */
void fq_search_planar_nearest_portable(const fq_search_planar *planar, uint32_t *index, const float *x,
                                       size_t n);

#endif
