#include "bench_slope.h"

#include <math.h>

double fq_bench_slope(const double *x, const double *y, size_t n) {
    double mean_x = 0, mean_y = 0, above = 0, below = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += log(x[i]) / (double)n;
        mean_y += log(y[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        above += (log(x[i]) - mean_x) * (log(y[i]) - mean_y);
        below += (log(x[i]) - mean_x) * (log(x[i]) - mean_x);
    }
    return n > 1 && below > 0 ? above / below : (double)NAN;
}
