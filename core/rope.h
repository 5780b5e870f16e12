/* Rotary position encoding (Su et al., arXiv 2104.09864), and back.
 *
 * The encoding of x at position p turns the plane of the i-th pair of coordinates, i = 0..d/2-1, by the angle
 * p base^(-2i/d). A pair is (2i, 2i+1) where interleaved, else (i, d/2 + i). Turning by -p undoes it. Since
 * <R_p q, R_s k> = <R_{p-s} q, k>, a constant part of all keys before the encoding is one vector, after it as
 * many as there are positions.
 *
 * x[n][d] row-major float32. Angles in double, products in float32: an encoding undone is off by some
 * 1e-7 of the vector's length.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_ROPE_H
#define FQ_ROPE_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_rope {
    double base; /* above 0, 10000 in most models; 0: the model encodes no positions so, nothing is turned */
    int interleaved; /* pairs (2i, 2i+1), or (i, d/2 + i) */
} fq_rope;

/* Cosines and sines of the positions first..first+n-1: table[n][d/2][2]. dim even. */
void fq_rope_table(float *table, const fq_rope *rope, size_t dim, size_t first, size_t n);

/* Turns heads vectors a position, x[n][heads][dim] in place, by a table of n positions; back: the other way.
 * dim even. Cost: 3 flops a coordinate. */
void fq_rope_apply(const fq_rope *rope, float *x, const float *table, size_t n, size_t heads, size_t dim,
                   int back);

#ifdef __cplusplus
}
#endif
#endif
