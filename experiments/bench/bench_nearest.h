/* The nearest-codeword work that several benchmarks share: points, words, the expected indices, and the
 * ways to find them. */
#ifndef FQ_BENCH_NEAREST_H
#define FQ_BENCH_NEAREST_H

#include "bench.h"
#include "search.h"

typedef struct fq_nearest_work {
    size_t codewords, block, n;
    size_t exact;     /* points whose index is compared with the reference to the last bit: the first */
    float *words, *x; /* [N][k]; [n][k] samples of f_{d,k} */
    uint32_t *index, *expected; /* [n] written by the variants; [exact] by fq_search_nearest_ref */
    float *scores, *offset;     /* OpenBLAS: [chunk][N]; [N] */
} fq_nearest_work;

/* Which words: the closed-form initial codebook of (d,k,N), or as many samples of the source. */
typedef enum fq_nearest_words { FQ_WORDS_INITIAL, FQ_WORDS_SAMPLES } fq_nearest_words;

/* exact_flops: the reference compares as many points as these allow, at least 64 of them. */
FQ_MUST_CHECK fq_status fq_nearest_work_init(fq_nearest_work *work, size_t dim, size_t block,
                                             size_t codewords, size_t n, fq_nearest_words kind, uint64_t seed,
                                             double exact_flops);
void fq_nearest_work_clear(fq_nearest_work *work); /* accepts zeros */

/* Distances and their smallest, in plain loops. */
fq_status fq_nearest_naive(void *work);

/* OpenBLAS: scores <x,c> - |c|^2/2 by sgemm, points in chunks whose scores stay in the second-level cache,
 * then the largest score of each row. */
fq_status fq_nearest_blas(void *work);

/* The same for any points: offset[N] = -|c|^2/2, scores room for chunk times N floats. */
size_t fq_nearest_blas_chunk(size_t codewords);
void fq_nearest_blas_points(uint32_t *index, const float *words, const float *offset, size_t codewords,
                            size_t block, const float *x, size_t n, float *scores);

/* The same indices as the reference. */
bool fq_nearest_check_exact(void *work, char why[FQ_BENCH_WHY_MAX]);

/* For the two above, which round in another order: the score of each index, in double, is the largest
 * one's up to the rounding of float32 sums. */
bool fq_nearest_check_close(void *work, char why[FQ_BENCH_WHY_MAX]);

/* Adds one variant of the case for each path that this processor and block dimension have, the one that
 * fq_search_create chooses first, with the target. paths must live until measure and be cleared after it,
 * also if this fails. */
enum { FQ_NEAREST_PATHS_MAX = 8 };
typedef struct fq_nearest_path {
    fq_nearest_work *work;
    fq_search *search;
    size_t n; /* points of a run */
    char name[FQ_BENCH_NAME_MAX];
} fq_nearest_path;
FQ_MUST_CHECK fq_status fq_nearest_add_paths(fq_bench_session *session, fq_nearest_work *work,
                                             fq_nearest_path paths[FQ_NEAREST_PATHS_MAX],
                                             const fq_bench_target *best_target);

/* Only the one that fq_search_create chooses, under the name given (not copied). */
FQ_MUST_CHECK fq_status fq_nearest_add_best(fq_bench_session *session, fq_nearest_work *work,
                                            fq_nearest_path *path, const char *name);
void fq_nearest_clear_paths(fq_nearest_path paths[FQ_NEAREST_PATHS_MAX]);

#endif
