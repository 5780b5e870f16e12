/* The AVX2 kernels that the AVX-512 set shares: short transforms, and what is bounded by loads, stores or
 * conversions, not by the width. */
#ifndef FQ_VECTOR_KERNELS_X86_H
#define FQ_VECTOR_KERNELS_X86_H

#include <stddef.h>
#include <stdint.h>

void fq_vector_hadamard_avx2(float *y, const float *x, size_t n, size_t p, const float *before,
                             const float *after);
double fq_vector_dot_avx2(const float *a, const float *b, size_t n);
void fq_vector_scale_avx2(float *y, const float *x, double factor, size_t n);
void fq_vector_expand_bytes_avx2(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                                 const float *scale, size_t n, size_t count, const float *table,
                                 size_t width);
void fq_vector_expand_avx2(float *y, const uint32_t *index, size_t count, const float *table, size_t width,
                           float scale);
void fq_vector_fence_x86(void);
size_t fq_vector_pack_avx2(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width);

#endif
