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
 */
#ifndef FQ_SEARCH_H
#define FQ_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_search fq_search;

enum { FQ_CODEWORDS_MAX = 1 << 20 };

/* The ways to search; all give the same indices. */
typedef enum fq_search_path {
    FQ_SEARCH_BEST = 0,      /* the fastest for the sizes, the processor and the number of points */
    FQ_SEARCH_PORTABLE,      /* all words, plain C */
    FQ_SEARCH_AVX2,          /* all words; x86-64 with AVX2 and FMA */
    FQ_SEARCH_AVX512,        /* all words; x86-64 with AVX-512F */
    FQ_SEARCH_NEON,          /* all words; AArch64 */
    FQ_SEARCH_PLANAR,        /* k = 2: a grid of the plane; few words are looked at, mostly one */
    FQ_SEARCH_PRUNED,        /* k <= 64; x86-64 with AVX2 and FMA: bounds in bytes leave few words to score */
    FQ_SEARCH_PRUNED_AVX512, /* the same; x86-64 with AVX-512F, DQ and VNNI */
    FQ_SEARCH_PATHS
} fq_search_path;

/* "best", "portable", ... */
const char *fq_search_path_name(fq_search_path path);

/* Whether this processor and this block dimension can take the path. */
bool fq_search_path_available(fq_search_path path, size_t block);

/* Prepares a search over a copy of words[N][k]: 1 <= codewords <= FQ_CODEWORDS_MAX,
 * 1 <= block <= FQ_BLOCK_MAX. FQ_ERR_NONFINITE names the first bad element. points: about how many
 * the search will be asked for; a grid of the plane or bounds
 * in bytes are made only if that pays (SIZE_MAX: many). */
FQ_MUST_CHECK fq_status fq_search_create(fq_search **search, const float *words, size_t codewords,
                                         size_t block, size_t points);

/* The same by a path of the caller's choice. FQ_ERR_ARGUMENT if it is not available, or does not suit
 * the words (a grid of the plane needs words that are spread about; bounds, words of common sizes). */
FQ_MUST_CHECK fq_status fq_search_create_path(fq_search **search, const float *words, size_t codewords,
                                              size_t block, fq_search_path path);
void fq_search_destroy(fq_search *search); /* NULL accepted */

/* The path taken, never FQ_SEARCH_BEST. */
fq_search_path fq_search_get_path(const fq_search *search);

/* index[i] for points x[n][k]. x must be finite (not checked here: encode checks once); no
 * alignment needed; index and x must not overlap. */
void fq_search_nearest(const fq_search *search, uint32_t *index, const float *x, size_t n);

/* The definition above in plain loops: the oracle of every test. Cost n N k fused multiply-adds. */
void fq_search_nearest_ref(uint32_t *index, const float *words, size_t codewords, size_t block,
                           const float *x, size_t n);

#ifdef __cplusplus
}
#endif
#endif
