#include "caps_bound.h"

#include <math.h>

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_gamma.h>

#include "source.h"

/* 2F1(a + 1/2, 1; a + 1; y), 0 <= y <= 0.99: every term is below y times the one before. */
static double tail_series(double a, double y) {
    double sum = 1, term = 1;
    for (int n = 0; term > 1e-17 * sum; n++) {
        term *= (a + 0.5 + n) / (a + 1 + n) * y;
        sum += term;
    }
    return sum;
}

/* Beyond this y the series is long, and the tail so heavy that GSL's incomplete beta function has it. */
static const double series_end = 0.99;

/* ln P(X_1 > sqrt(1-y)); log_constant is ln C_{d,1}. */
static double log_tail(double a, double log_constant, double y) {
    if (y > series_end)
        return log(0.5 * gsl_sf_beta_inc(a, 0.5, y));
    return log_constant + a * log(y) + 0.5 * log1p(-y) + log(tail_series(a, y)) - log(2 * a);
}

fq_status fq_caps_bound_init(fq_caps_bound *bound, size_t dim, double bits) {
    if (dim < 2 || dim > FQ_DIM_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim, "2 to 16384");
    const double d = (double)dim, a = (d - 1) / 2;
    if (!(bits >= 1 && bits <= 64 * d))
        return FQ_FAIL(FQ_ERR_ARGUMENT, "bits", "1 to 64 dim");
    const double log_constant = gsl_sf_lngamma(d / 2) - 0.5 * log(M_PI) - gsl_sf_lngamma(a);
    /* ln y: above the larger end every cap is a half-sphere; y^a is at least 2^-B over a factor that e^40
     * covers. */
    double low = -(bits * M_LN2 + 40) / a, high = 0;
    for (int i = 0; i < 100; i++) {
        const double middle = 0.5 * (low + high);
        *(log_tail(a, log_constant, exp(middle)) > -bits * M_LN2 ? &high : &low) = middle;
    }
    const double y = exp(low), t = sqrt(-expm1(low));
    /* E[X_1; X_1 > t] = C y^a / (2a), by the series or by the measure, which is 2^-B. */
    const double m = y > series_end ? exp(log_constant + a * low - log(2 * a) + bits * M_LN2)
                                    : 1 / (t * tail_series(a, y));
    *bound = (fq_caps_bound){.height = t,
                             .fixed_words = (1 - m) * (1 + m),
                             .free_gain = (d - 1) * (1 - t * m) / d,
                             .error = 1e-14 + 1e-15 * d};
    return FQ_OK;
}

/* The u at which N P(X_1 > 1 - u) is power, u <= 1. */
static double height_where(double a, double log_constant, double bits, double power) {
    double low = -80 - bits * M_LN2 / a, high = 0; /* u = 1 is the half-sphere */
    for (int i = 0; i < 100; i++) {
        const double middle = 0.5 * (low + high), u = exp(middle);
        const double log_mass = bits * M_LN2 + log_tail(a, log_constant, u * (2 - u));
        *(log_mass > log(power) ? &high : &low) = middle;
    }
    return exp(high);
}

fq_status fq_random_code_distortion(double *distortion, size_t dim, double bits) {
    enum { NODES = 100, PIECES = 20 };
    fq_caps_bound unused;
    FQ_TRY(fq_caps_bound_init(&unused, dim, bits));
    if (dim < 3)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim, "3 to 16384");
    const double d = (double)dim, a = (d - 1) / 2;
    const double log_constant = gsl_sf_lngamma(d / 2) - 0.5 * log(M_PI) - gsl_sf_lngamma(a);
    const double begin = height_where(a, log_constant, bits, 1e-12);
    double end = height_where(a, log_constant, bits, 45);
    if (bits < 7) /* few words: the largest cosine may be negative */
        end = 2;
    gsl_integration_glfixed_table *const table = gsl_integration_glfixed_table_alloc(NODES);
    if (!table)
        return FQ_FAIL(FQ_ERR_MEMORY, "integration table", "enough memory");
    double e = begin;
    for (int piece = 0; piece < PIECES; piece++)
        for (size_t i = 0; i < NODES; i++) {
            double u, weight;
            const double step = (end - begin) / PIECES;
            gsl_integration_glfixed_point(begin + piece * step, begin + (piece + 1) * step, i, &u, &weight,
                                          table);
            const double log_tail_of = u <= 1 ? log_tail(a, log_constant, u * (2 - u))
                                              : log1p(-exp(log_tail(a, log_constant, u * (2 - u))));
            const double tail = exp(log_tail_of);
            /* N ln(1 - P), where N P may be all that doubles can hold */
            e += weight * exp(tail > 1e-10 ? exp2(bits) * log1p(-tail) : -exp(bits * M_LN2 + log_tail_of));
        }
    gsl_integration_glfixed_table_free(table);
    *distortion = e * (2 - e);
    return FQ_OK;
}
