/* Random orthogonal maps Pi of R^d, and their inverses Pi^T.
 *
 * haar      Q of a Gaussian matrix's QR factorisation in double, columns signed so that R has a
 *           positive diagonal, which makes Q uniform on O(d) (Mezzadri, Notices AMS 54, 2007); then
 *           rounded to float32. 2 d^2 floats of storage, d^2 multiply-adds a vector.
 * hadamard  two rounds, each a random sign flip and a normalised Hadamard transform of all d
 *           coordinates, d a power of two. One round would map a coordinate vector to entries of
 *           equal magnitude, far from the law of a random direction. For other d, with p the largest
 *           power of two below d, a round is a random sign flip, the transform of the first p
 *           coordinates, another sign flip, the transform of the last p (they overlap), and a
 *           random permutation. Orthogonal for every d; 2 d log2 d additions a vector (up to 4 p
 *           log2 p for other d) and 24 d bytes.
 *
 * Pi is a function of (kind, d, seed, number) and nothing else: the factorisation is our own and
 * sums in a fixed order, and each result is defined to the last bit (see dense.h), so a code can be
 * decoded on another machine, with other threads, in other batches. |Pi Pi^T - I| stays below
 * 1e-6 in every entry. Vectors x[n][d] row-major float32. A rotation is immutable: threads may share
 * one. Calls are single-threaded.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_ROTATION_H
#define FQ_ROTATION_H

#include <stdint.h>

#include "size_limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fq_rotation_kind { FQ_ROTATION_HAAR = 0, FQ_ROTATION_HADAMARD = 1 } fq_rotation_kind;

typedef struct fq_rotation fq_rotation;

/* Whether there is such a rotation: FQ_ERR_ARGUMENT if not. */
FQ_MUST_CHECK fq_status fq_rotation_check(fq_rotation_kind kind, size_t dim);

/* dim 1..FQ_ROTATION_HAAR_MAX or ..HADAMARD_MAX; number tells rotations of one seed apart.
 * Draws stream (seed, FQ_PURPOSE_ROTATION, number). Cost: 8/3 d^3 flops for haar. */
FQ_MUST_CHECK fq_status fq_rotation_create(fq_rotation **rotation, fq_rotation_kind kind, size_t dim,
                                           uint64_t seed, uint64_t number);
void fq_rotation_destroy(fq_rotation *rotation); /* NULL accepted */

/* y = Pi x and y = Pi^T x for n vectors. y and x must not overlap; no alignment needed; finite x
 * expected (not checked). */
void fq_rotation_apply(const fq_rotation *rotation, float *y, const float *x, size_t n);
void fq_rotation_apply_transpose(const fq_rotation *rotation, float *y, const float *x, size_t n);

#ifdef __cplusplus
}
#endif
#endif
