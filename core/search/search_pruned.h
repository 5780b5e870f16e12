/* Nearest codeword among many words of many coordinates, exactly, by bounds in whole numbers.
 *
 * Words are rounded to 8 bits and points to 7 or 8, c = a q + e, x = b r + f. Then
 *
 *   <x, c> <= a b <q, r> + |f| |a q| + |x| |e|,
 *
 * and <q, r> takes a third of the instructions of <x, c> or less: AVX2 sums 32 products of two bytes in pairs
 * by two instructions, VNNI 64 of them in fours by one. Only words whose bound reaches the best score so far,
 * a few in ten thousand, are scored as search.h defines; bounds include the rounding of that score, so the
 * index is the same to the last tie.
 *
 * Words stand in bands of like |c|, so that one threshold on <q, r> serves a band; each point starts from the
 * best of a few words of all bands. Nothing is left out unseen: at one bit a coordinate or less the nearest
 * word is not much nearer than the others, and neither cells, nor cones, nor half of the coordinates rule out
 * enough of them to pay.
 */
#ifndef FQ_SEARCH_PRUNED_H
#define FQ_SEARCH_PRUNED_H

#include <stdbool.h>

#include "search_words.h"

typedef struct fq_search_pruned fq_search_pruned;

/* Whether this processor has the path's instructions (FQ_SEARCH_PRUNED: AVX2, FMA; FQ_SEARCH_PRUNED_AVX512:
 * AVX-512 with VNNI) and 1 <= block <= 64. */
bool fq_search_pruned_available(fq_search_path path, size_t block);

/* The faster of the two, if it is available at all. */
fq_search_path fq_search_pruned_best(void);

/* Whether it beats the exhaustive search for so many points, making included. */
bool fq_search_pruned_pays(size_t codewords, size_t block, size_t points);

/* For words[words->codewords][words->block], laid out in `words` already, which must outlive the search.
 * *pruned = NULL, without failure, for words larger than 2^50 or all smaller than 2^-40. Memory 5 k + 8 bytes
 * a word beyond `words`. */
FQ_MUST_CHECK fq_status fq_search_pruned_create(fq_search_pruned **pruned, fq_search_path path,
                                                const fq_search_words *words, const float *rows);
void fq_search_pruned_destroy(fq_search_pruned *pruned); /* NULL accepted */

/* index[n] of x[n][block]. */
void fq_search_pruned_nearest(const fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n);

#endif
