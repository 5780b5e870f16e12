/* Finding maps of trellis codes (trellis_code.h): columns by search, levels as conditional means.
 *
 * Everything is measured on uniform directions x of R^d, drawn in dimension FQ_TRELLIS_SEARCH_DIM unless said
 * otherwise. The larger d, the less tries make up for a map that cannot follow a vector's largest
 * coordinates; D = E|x - g c|^2 with the best gain g = <x,c>/|c|^2, so D = 1 - E[<x,c>^2/|c|^2].
 */
#ifndef FQ_TRELLIS_SEARCH_H
#define FQ_TRELLIS_SEARCH_H

#include "codebook.h"
#include "stream.h"
#include "trellis_encode.h"

enum { FQ_TRELLIS_SEARCH_DIM = 64 };

/* D of a code on samples first ... first + n - 1 of (seed, purpose), and its standard error; on all threads.
 */
FQ_MUST_CHECK fq_status fq_trellis_measure(double *distortion, double *error, const fq_trellis_code *code,
                                           const fq_trellis_search *search, uint64_t seed, fq_purpose purpose,
                                           uint64_t first, size_t n);

/* Levels that start a search: means of the 2^m cells of equal probability of a normal law of variance 1 -
 * 4^-b, rising with the label. Columns and the other numbers are kept. */
void fq_trellis_first_levels(fq_trellis_map *map);

/* One round of training in dimension dim: every level becomes the mean of what it stands for, sum g x / sum
 * g^2 over the coordinates of samples first ... first + n - 1 of (seed, FQ_PURPOSE_TRAIN) that carry its
 * label, g their vectors' gains; a level that is not met stays. Then all are rounded to multiples of the
 * largest / 127. */
FQ_MUST_CHECK fq_status fq_trellis_train_levels(fq_trellis_map *map, size_t dim,
                                                const fq_trellis_search *search, uint64_t seed,
                                                uint64_t first, size_t n);

typedef struct fq_trellis_plan {
    unsigned fresh, together, window, label_bits;
    size_t dim;                 /* of the vectors that maps are judged and trained on; 0: 64 */
    const fq_trellis_map *from; /* NULL, or a map of these numbers: it is the only start */
    uint64_t seed;
    size_t evaluations; /* maps to try */
    size_t samples;     /* vectors that each is judged on */
    unsigned tries;     /* of the encoder that judges */
    size_t training;    /* vectors of each of the last rounds of training; others have a quarter */
} fq_trellis_plan;

/* The best map found. Half of the evaluations go to eight starts: maps drawn at random, the best of which is
 * changed, a column or two drawn anew, added to others, swapped or flipped in one bit, and kept where the
 * same vectors have a smaller D; the other half to changes of the best start; with `from` all go to changes
 * of it. Levels are trained again now and then, and at the end with four tries. A map whose first vectors
 * leave little hope meets no more of them. Deterministic. progress may be NULL; FQ_ERR_INTERRUPTED if it
 * wants to stop. */
FQ_MUST_CHECK fq_status fq_trellis_find_map(fq_trellis_map *map, const fq_trellis_plan *plan,
                                            const fq_progress *progress);

#endif
