#include "beta_quantile.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

double fq_beta_quantile(double probability, double a, double b) {
    if (!(probability > 0))
        return 0;
    if (probability >= 1)
        return 1;
    const bool upper = probability > 0.5;
    double low = 0, high = 1, x = a / (a + b);
    for (int iteration = 0; iteration < 400; iteration++) {
        /* Positive where x is too large. */
        const double excess =
            upper ? (1 - probability) - gsl_cdf_beta_Q(x, a, b) : gsl_cdf_beta_P(x, a, b) - probability;
        if (excess == 0)
            return x;
        if (excess > 0)
            high = x;
        else
            low = x;
        double next = x - excess / gsl_ran_beta_pdf(x, a, b);
        if (!(next > low && next < high)) /* outside the bracket, or not a number */
            next = low > 0 && high > 4 * low ? sqrt(low * high)
                   : low == 0                ? high / 16
                                             : low + (high - low) / 2;
        if (fabs(next - x) <= 2e-16 * x || high - low <= 4e-16 * high)
            return next;
        x = next;
    }
    return x;
}
