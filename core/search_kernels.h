/* Exhaustive nearest-codeword kernels, one per instruction set; all give the index search.h defines. */
#ifndef FQ_SEARCH_KERNELS_H
#define FQ_SEARCH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { FQ_SEARCH_LANES = 16 };

/* words[groups][block][LANES], offset[groups][LANES], 64-byte aligned; x[n][block] anywhere. */
typedef void fq_search_kernel(uint32_t *index, const float *words, const float *offset,
                              size_t groups, size_t block, const float *x, size_t n);

fq_search_kernel fq_search_kernel_portable;
#if defined(__x86_64__)
fq_search_kernel fq_search_kernel_avx2;
#endif

/* The fastest kernel this processor can run. */
fq_search_kernel *fq_search_kernel_best(void);

/* h_i = float32(-1/2 |word|^2), summed in double. */
float fq_search_offset(const float *word, size_t block);

#endif
