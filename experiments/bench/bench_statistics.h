/* Order statistics of samples of time: no assumption about their law. */
#ifndef FQ_BENCH_STATISTICS_H
#define FQ_BENCH_STATISTICS_H

#include "status.h"

typedef struct fq_bench_summary {
    double median, lower, upper; /* quartiles, interpolated */
    double minimum;
    double median_low, median_high; /* 95 % confidence interval of the median: the narrowest pair of
                                       order statistics, symmetric in rank, with at least that
                                       coverage under the binomial law; fewer than six samples: all */
} fq_bench_summary;

/* Of n >= 1 samples, which are sorted. All NaN for n = 0. */
fq_bench_summary fq_bench_summarise(double *samples, size_t n);

#endif
