/* How far reconstructions are from their originals, with standard errors over vectors.
 *
 * x[n][d] originals, y[n][d] reconstructions, q[m][d] queries, row-major float32. For vector i:
 *   distortion  |x - y|^2 / |x|^2, the mean squared error per coordinate over the mean square of a
 *               coordinate, so 1 for y = 0; its mean is the normalised D
 *   cosine      <x, y> / (|x| |y|); 0 if y = 0
 *   gain        <x, y> / |x|^2; 1 - gain is the bias towards zero
 *   product error  (<q, y> - <q, x>) / (|q| |x|), averaged over the queries: mean is the bias, and
 *               the mean of its square the mean squared error
 * Zero originals have no direction: they are left out and counted. Anything not finite is refused, so
 * a NaN cannot hide in a mean. Sums run in double in the order of the vectors: the result does not
 * depend on threads.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_METRICS_H
#define FQ_METRICS_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sample mean and its standard error sqrt(s^2/n); the error is NaN below two vectors, the mean
 * below one. */
typedef struct fq_estimate {
    double mean, se;
} fq_estimate;

typedef struct fq_metrics {
    size_t vectors;      /* counted in the means */
    size_t zero_vectors; /* left out because x = 0 */
    fq_estimate distortion, cosine, gain;
    fq_estimate product_bias;          /* signed error; NaN without queries */
    fq_estimate product_squared_error; /* NaN without queries */
} fq_metrics;

/* Zero queries are refused (FQ_ERR_ARGUMENT names the first). FQ_ERR_NONFINITE names the array and
 * the index of its first bad element. queries may be NULL if m = 0. Cost n d (m + 3). */
FQ_MUST_CHECK fq_status fq_metrics_measure(fq_metrics *metrics, size_t dim, const float *x, const float *y,
                                           size_t n, const float *queries, size_t m);

/* Mean and standard error of value[n], two passes in order. */
fq_estimate fq_estimate_of(const double *value, size_t n);

#ifdef __cplusplus
}
#endif
#endif
