/* The ways to search for the nearest codeword, for those who choose one themselves: benchmarks and tests.
 * Notation and the definition of "nearest" are those of search.h. */
#ifndef FQ_SEARCH_PATH_H
#define FQ_SEARCH_PATH_H

#include "search.h"

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

/* The same by a path of the caller's choice. FQ_ERR_ARGUMENT if it is not available, or does not suit
 * the words (a grid of the plane needs words that are spread about; bounds, words of common sizes). */
FQ_MUST_CHECK fq_status fq_search_create_path(fq_search **search, const float *words, size_t codewords,
                                              size_t block, fq_search_path path);

/* The path taken, never FQ_SEARCH_BEST. */
fq_search_path fq_search_get_path(const fq_search *search);

/* The definition of search.h in plain loops: the oracle of every test. Cost n N k fused multiply-adds. */
void fq_search_nearest_ref(uint32_t *index, const float *words, size_t codewords, size_t block,
                           const float *x, size_t n);

#endif
