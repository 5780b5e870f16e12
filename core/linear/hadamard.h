/* The normalised Walsh-Hadamard transform, in place: x <- H x, H_ij = (-1)^{popcount(i and j)} / sqrt(p).
 *
 * H is symmetric and its own inverse. p must be a power of two (asserted). Fixed order of float32
 * operations, so the same bits everywhere: butterflies of stride 1, 2, 4, ..., then one scaling.
 */
#ifndef FQ_HADAMARD_H
#define FQ_HADAMARD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* x[p]; p log2 p additions and p multiplications. By the processor's vectors where it has them. */
void fq_hadamard(float *x, size_t p);

/* The same in plain loops: the definition, for tests and for processors without vectors. */
void fq_hadamard_ref(float *x, size_t p);

#ifdef __cplusplus
}
#endif
#endif
