/* Codebooks in closed form: the radial-angular initialisation and the scalar product code.
 *
 * Notation: d dim, k block, N codewords; words[N][k] row-major float32, in memory of the caller.
 * Source: Lee and Kim, arXiv 2605.11478, section 3.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_CODEBOOK_INITIAL_H
#define FQ_CODEBOOK_INITIAL_H

#include "source.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Radius n of N (n = 0..N-1): sqrt(BetaInv((n + 1/2)/N; k/2, beta)), beta = k/(k+2) (d-k-2)/2 + 1, the
 * quantiles of the optimal point density's radial law; at k = 2 the closed form
 * sqrt(1 - (1 - q)^{4/d}). At k = d every radius is 1. */
double fq_initial_radius(const fq_source *source, size_t n, size_t codewords);

/* Directions u[k], unit length: k = 1 alternating signs; k = 2 the planar Fibonacci spiral, angle
 * 2 pi n (1 - 1/phi); k = 3 the Fibonacci sphere, z = 1 - (2n + 1)/N with that azimuth; k >= 4
 * Roberts-Kronecker: u_j = Phi^{-1}(frac((n + 1/2) phi_k^{-j})), j = 1..k, phi_k the positive root of
 * x^{k+1} = x + 1, then normalised. */
void fq_initial_direction(double *u, size_t block, size_t n, size_t codewords);

/* words[n] = radius n times direction n. */
void fq_initial_words(float *words, const fq_source *source, size_t codewords);

/* The m with m^k = codewords, or 0 if there is none. */
size_t fq_product_levels(size_t codewords, size_t block);

/* The k-th Cartesian power of the Lloyd-Max code of f_{d,1} with m levels; word i has digit j of i in
 * base m (least significant first) as its coordinate j, scaled into the unit ball where a corner sticks
 * out of it. FQ_ERR_ARGUMENT unless codewords = m^k. */
FQ_MUST_CHECK fq_status fq_product_words(float *words, const fq_source *source, size_t codewords);

#ifdef __cplusplus
}
#endif
#endif
