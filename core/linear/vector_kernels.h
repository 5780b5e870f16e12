/* The inner loops of rotating, normalising and looking codewords up, once for each instruction set.
 *
 * Every member is defined to the last bit by its comment, and all sets give the same bits: a vector of
 * lanes does the same float32 or double operations, in the same order, as the plain loops. Pointers need no
 * alignment. n or count of 0 is allowed.
 */
#ifndef FQ_VECTOR_KERNELS_H
#define FQ_VECTOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dense.h"

enum { FQ_PANEL = 16 /* floats of a table's row: a line of the cache */ };

typedef struct fq_vector_kernels {
    const char *name; /* "portable", "avx2", "avx512", "neon" */
    unsigned needs;   /* of cpu.h */

    /* fq_dense_apply. */
    void (*dense)(const fq_dense *matrix, float *y, const float *x, size_t n);

    /* fq_dense_apply_parts. */
    void (*dense_parts)(const fq_dense *matrix, float *y, const float *x, size_t n, size_t part,
                        const float *scale);

    /* Sums of rows of one table for each of count >= 1 places, for n vectors: with r_i = table[i][index_i],
     * y[v][0..width) = fma(scale[v], ((r_0 + r_1) + r_2) + ..., 0), width at most FQ_PANEL.
     * table[count][256][FQ_PANEL]; strides as below. beyond: y is written as copy_beyond writes. */
    void (*sum_rows)(float *y, size_t y_stride, size_t width, const uint8_t *index, size_t index_stride,
                     const float *scale, size_t n, size_t count, const float *table, bool beyond);

    /* y[n][p] = after (H (before x)) for x[n][p], H the normalised transform of hadamard.h, before[p] and
     * after[p] signs +-1 to multiply by; a sign multiplied adds +0 as well, so that -0 becomes 0. Either may
     * be NULL: no signs. y may be x; p a power of two. */
    void (*hadamard)(float *y, const float *x, size_t n, size_t p, const float *before, const float *after);

    /* The same without signs before, y written as copy_beyond writes; x, which y does not overlap, is work
     * space. */
    void (*hadamard_beyond)(float *y, float *x, size_t n, size_t p, const float *after);

    /* sum_i a_i b_i in double: lane l of 8 sums i = l, l+8, ... in order; then
     * ((0 + 4) + (1 + 5)) + ((2 + 6) + (3 + 7)). */
    double (*dot)(const float *a, const float *b, size_t n);

    /* y_i = float32(double(x_i) factor); y may be x. */
    void (*scale)(float *y, const float *x, double factor, size_t n);

    /* y[i][width] = scale table[index_i][width] for count indices of four bytes. No overlap. */
    void (*expand)(float *y, const uint32_t *index, size_t count, const float *table, size_t width,
                   float scale);

    /* The same for n vectors of count indices of one byte each: vector v's indices start at index + v
     * index_stride, its numbers go to y + v y_stride, times scale[v]. */
    void (*expand_bytes)(float *y, size_t y_stride, const uint8_t *index, size_t index_stride,
                         const float *scale, size_t n, size_t count, const float *table, size_t width);

    /* y[n] = x[n] for numbers that will not be read again soon: past the caches where the processor can,
     * which saves reading the memory that is overwritten. Other threads may see them after fence alone. */
    void (*copy_beyond)(float *y, const float *x, size_t n);
    void (*fence)(void);

    /* The first indices, each below 2^width, side by side as packing.h has it: as many as this set of kernels
     * takes, a multiple of 16, which is returned; width 1, 2, 4 or 8. */
    size_t (*pack)(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width);
} fq_vector_kernels;

/* Those that this processor can run, slowest first; NULL at i and beyond their number. The first is plain C.
 */
const fq_vector_kernels *fq_vector_kernels_at(size_t i);

/* The fastest of them. */
const fq_vector_kernels *fq_vector_kernels_best(void);

extern const fq_vector_kernels fq_vector_kernels_portable;
#if defined(__x86_64__)
extern const fq_vector_kernels fq_vector_kernels_avx2, fq_vector_kernels_avx512;
#elif defined(__aarch64__)
extern const fq_vector_kernels fq_vector_kernels_neon;
#endif

#endif
