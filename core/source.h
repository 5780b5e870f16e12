/* The spherical-Beta source f_{d,k}: the law of k coordinates of a uniform point on S^{d-1}.
 *
 *   f_{d,k}(x) = C (1 - |x|^2)^{(d-k-2)/2} on the unit ball of R^k,
 *   C = Gamma(d/2) / (pi^{k/2} Gamma((d-k)/2)),          1 <= k <= d-1,
 *   R^2 = |X|^2 ~ Beta(k/2, (d-k)/2), X/R uniform on S^{k-1} and independent of R.
 *
 * Notation: d dimension, k block, samples row-major x[n][k]. At k = d the source is the uniform law
 * on the sphere itself, which has no density: sampling and moments allow it, densities refuse it.
 * At k = d-1 the density diverges on the boundary, at k = d-2 it is constant on the ball.
 * Source: Lee and Kim, arXiv 2605.11478. All functions are thread-safe.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_SOURCE_H
#define FQ_SOURCE_H

#include <stdint.h>

#include "size_limits.h"
#include "status.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_source {
    size_t dim;          /* d, 2..FQ_DIM_MAX */
    size_t block;        /* k, 1..min(d, FQ_BLOCK_MAX) */
    double log_constant; /* ln C; NaN at k = d */
    double exponent;     /* (d-k-2)/2 */
} fq_source;

/* Checks 2 <= dim <= FQ_DIM_MAX and 1 <= block <= min(dim, FQ_BLOCK_MAX)
 * (k need not divide d here). */
FQ_MUST_CHECK fq_status fq_source_init(fq_source *source, size_t dim, size_t block);

/* ln f_{d,k} at radius r = |x|: -inf for r > 1; +inf at r = 1 if k = d-1. NaN if k = d. */
double fq_source_log_density(const fq_source *source, double radius);

/* Density of the radius R itself on [0,1]: surface area of S^{k-1} times r^{k-1} f(r). */
double fq_source_radial_density(const fq_source *source, double radius);

/* P(R <= r), and its inverse for probability in [0,1] (clamped outside). Relative accuracy about
 * 1e-12, from GSL's incomplete beta function. At k = d the radius is 1. */
double fq_source_radial_cdf(const fq_source *source, double radius);
double fq_source_radial_quantile(const fq_source *source, double probability);

/* E R^2 = k/d and Var R^2 = 2k(d-k) / (d^2 (d+2)). */
double fq_source_mean_squared_radius(const fq_source *source);
double fq_source_variance_squared_radius(const fq_source *source);

/* h(f_{d,k}) = -ln C - m [psi((d-k)/2) - psi(d/2)] in nats, m = (d-k-2)/2. NaN at k = d. */
double fq_source_entropy(const fq_source *source);

/* Chi-squared with nu > 0 degrees of freedom (GSL's gamma sampler). */
double fq_stream_chi_squared(fq_stream *s, double nu);

/* One exact draw: k normals g and an independent chi-squared S with d-k degrees of freedom,
 * x = g / sqrt(|g|^2 + S); so |x|^2 is Beta(k/2,(d-k)/2) and the direction uniform. */
void fq_source_draw(const fq_source *source, fq_stream *stream, double *x);

/* Samples first .. first+n-1 of the endless sequence (seed, purpose): x[n][k], float32. Sample i
 * depends on (seed, purpose, i) alone, so any split over threads gives the same numbers.
 * Parallel over samples. Cost about 60 ns + 10 ns k a sample and core. */
void fq_source_sample(const fq_source *source, uint64_t seed, fq_purpose purpose, uint64_t first, size_t n,
                      float *x);

/* The same on the calling thread alone, for callers that split the work themselves. */
void fq_source_sample_serial(const fq_source *source, uint64_t seed, fq_purpose purpose, uint64_t first,
                             size_t n, float *x);

#ifdef __cplusplus
}
#endif
#endif
