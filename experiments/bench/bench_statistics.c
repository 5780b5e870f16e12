#include "bench_statistics.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

fq_bench_summary fq_bench_summarise(double *samples, size_t n) {
    const double none = (double)NAN;
    fq_bench_summary s = {none, none, none, none, none, none};
    if (n == 0)
        return s;
    gsl_sort(samples, 1, n);
    s.median = gsl_stats_quantile_from_sorted_data(samples, 1, n, 0.5);
    s.lower = gsl_stats_quantile_from_sorted_data(samples, 1, n, 0.25);
    s.upper = gsl_stats_quantile_from_sorted_data(samples, 1, n, 0.75);
    s.minimum = samples[0];
    /* P(x_(j) < median < x_(n+1-j)) = 1 - 2 P(Binomial(n, 1/2) < j), ranks from 1 */
    size_t rank = 1;
    while (2 * (rank + 1) <= n && 2 * gsl_cdf_binomial_P((unsigned)rank, 0.5, (unsigned)n) <= 0.05)
        rank++;
    s.median_low = samples[rank - 1];
    s.median_high = samples[n - rank];
    return s;
}
