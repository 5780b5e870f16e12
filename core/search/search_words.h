/* Words as all searches read them, and the exhaustive kernels: what the ways to search share. */
#ifndef FQ_SEARCH_WORDS_H
#define FQ_SEARCH_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "search_path.h"

enum { FQ_SEARCH_LANES = 8 };

/* Groups of LANES words, each coordinate of a group's words side by side. Lanes beyond the last word have
 * zero coordinates and the offset -inf. */
typedef struct fq_search_words {
    size_t block, codewords, groups;
    float *lanes;  /* [groups][block][LANES], 64-byte aligned */
    float *offset; /* [groups][LANES]: h_i, 64-byte aligned */
} fq_search_words;

/* Lays words[codewords][block] out; on failure clear frees what there is. */
FQ_MUST_CHECK fq_status fq_search_words_init(fq_search_words *made, const float *words, size_t codewords,
                                             size_t block);
void fq_search_words_clear(fq_search_words *words); /* accepts a struct of zeros */

/* h_i = float32(-1/2 |word|^2), summed in double. */
float fq_search_offset(const float *word, size_t block);

/* Of one instruction set. */
typedef struct fq_search_kernels {
    fq_search_path path;
    unsigned needs; /* of cpu.h */
    /* index[n] of x[n][block], which may stand anywhere: search all words. */
    void (*nearest)(uint32_t *index, const fq_search_words *words, const float *x, size_t n);
} fq_search_kernels;

/* The exhaustive kernel of a path, or NULL if this processor cannot run it or the path is none of that kind;
 * path FQ_SEARCH_BEST: the fastest one it can run. */
const fq_search_kernels *fq_search_kernels_of(fq_search_path path);

extern const fq_search_kernels fq_search_kernels_portable;
#if defined(__x86_64__)
extern const fq_search_kernels fq_search_kernels_avx2, fq_search_kernels_avx512;
#elif defined(__aarch64__)
extern const fq_search_kernels fq_search_kernels_neon;
#endif

#endif
