/* Nearest codeword, exactly.
 *
 * Notation: words c[N][k] and points x[n][k], row-major float32, all finite.
 * "Nearest" is defined to the last bit, so that every path gives the same index:
 *
 *   h_i = float32( -1/2 sum_j c_ij^2 )         summed in double, j ascending
 *   s_i = fma(x_{k-1}, c_{i,k-1}, ... fma(x_1, c_i1, fma(x_0, c_i0, h_i)))     in float32
 *   index = the smallest i with s_i = max.
 *
 * |x - c_i|^2 = |x|^2 - 2 s_i up to rounding. A search is immutable after creation: any number of
 * threads may share one. Calls are single-threaded; callers split the points.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_SEARCH_H
#define FQ_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "size_limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_search fq_search;

/* Prepares a search over a copy of words[N][k]: 1 <= codewords <= FQ_CODEWORDS_MAX,
 * 1 <= block <= FQ_BLOCK_MAX. FQ_ERR_NONFINITE names the first bad element. points: about how many
 * the search will be asked for; a grid of the plane or bounds
 * in bytes are made only if that pays (SIZE_MAX: many). */
FQ_MUST_CHECK fq_status fq_search_create(fq_search **search, const float *words, size_t codewords,
                                         size_t block, size_t points);

void fq_search_destroy(fq_search *search); /* NULL accepted */

/* index[i] for points x[n][k]. x must be finite (not checked here: encode checks once); no
 * alignment needed; index and x must not overlap. */
void fq_search_nearest(const fq_search *search, uint32_t *index, const float *x, size_t n);

#ifdef __cplusplus
}
#endif
#endif
