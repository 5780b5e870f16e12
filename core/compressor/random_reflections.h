/* A Haar rotation of R^d applied to few vectors, as a product of reflections: cheaper than its matrix.
 *
 * With g_j standard normal in R^j, H_j the reflection that takes e_1 to g_j/|g_j| up to sign and 1 + H the
 * map that leaves the first coordinates alone, Q = H_d (1 + H_{d-1}) ... (1 + H_1) is uniform on O(d): its
 * first column is g_d/|g_d|, the rest by induction (Stewart 1980; Mezzadri 2007). Doubles, sums in a fixed
 * order.
 */
#ifndef FQ_RANDOM_REFLECTIONS_H
#define FQ_RANDOM_REFLECTIONS_H

#include "status.h"
#include "stream.h"

/* Doubles that a rotation of R^d takes. */
size_t fq_reflections_size(size_t dim);

/* Draws d (d+1)/2 normal numbers. */
void fq_reflections_draw(double *reflections, size_t dim, fq_stream *stream);

/* x = Q x, or Q^T x if back. 2 d^2 flops. */
void fq_reflections_apply(const double *reflections, double *x, size_t dim, bool back);

#endif
