/* Nearest codeword among many words of many coordinates, exactly, by bounds in whole numbers.
 *
 * Words and points are rounded to 8 and 7 bits, c = a q + e, x = b r + f. Then
 *
 *   <x, c> <= a b <q, r> + |f| |a q| + |x| |e|,
 *
 * and <q, r> takes a quarter of the instructions of <x, c>, since sixteen products of two bytes are summed in pairs
 * at once. Only words whose bound reaches the best score so far, a few in ten thousand, are scored as search.h
 * defines; bounds include the rounding of that score, so the index is the same to the last tie.
 *
 * Words stand in bands of like |c|, so that one threshold on <q, r> serves a band; each point starts from the best of
 * a few words of all bands. Nothing is left out unseen: at one bit a coordinate or less the nearest word is not much nearer
 * than the others, and neither cells, nor cones, nor half of the coordinates rule out enough of them to pay.
 */
#ifndef FQ_SEARCH_PRUNED_H
#define FQ_SEARCH_PRUNED_H

#include <stdbool.h>

#include "search_kernels.h"

typedef struct fq_search_pruned fq_search_pruned;

/* Whether this processor has the instructions (AVX2, FMA) and 1 <= block <= 64. */
bool fq_search_pruned_available(size_t block);

/* Whether it beats the exhaustive search for so many points, making included. */
bool fq_search_pruned_pays(size_t codewords, size_t block, size_t points);

/* For words[words->codewords][words->block], laid out in `words` already, which must outlive the search. *pruned =
 * NULL, without failure, for words larger than 2^50 or all smaller than 2^-40. Memory 5 k + 8 bytes a word
 * beyond `words`. */
FQ_MUST_CHECK fq_status fq_search_pruned_create(fq_search_pruned **pruned, const fq_search_words *words,
                                                const float *rows);
void fq_search_pruned_destroy(fq_search_pruned *pruned); /* NULL accepted */

/* index[n] of x[n][block]. */
void fq_search_pruned_nearest(const fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n);

#endif
