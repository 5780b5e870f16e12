#include "hadamard_law.h"

#include <math.h>
#include <string.h>

#include "memory.h"

double fq_sign_sum_probability(long n, long sum) {
    const double x = (double)n, up = (double)(n + sum) / 2;
    return exp(lgamma(x + 1) - lgamma(up + 1) - lgamma(x - up + 1) - x * log(2));
}

/* out[0..2 top]: distribution of the sum of two independent whole numbers distributed as in[0..top]. */
static void convolve(double *out, const double *in, size_t top) {
    memset(out, 0, (2 * top + 1) * sizeof *out);
    for (size_t i = 0; i <= top; i++)
        for (size_t j = 0; in[i] > 0 && j <= top; j++)
            out[i + j] += in[i] * in[j];
}

/* one[t]: probability that the square of one class sum is t, in units of 1/d (ONE_HOT) or 1/(25 d). */
static void square_of_class(double *one, long d, fq_hadamard_input input) {
    const long quarter = d / 4, eighth = d / 8;
    if (input == FQ_HADAMARD_ONE_HOT) {
        for (long t = -quarter; t <= quarter; t += 2)
            one[t * t] += fq_sign_sum_probability(quarter, t);
        return;
    }
    for (long a = -eighth; a <= eighth; a += 2)
        for (long b = -eighth; b <= eighth; b += 2)
            one[(7 * a + b) * (7 * a + b)] +=
                fq_sign_sum_probability(eighth, a) * fq_sign_sum_probability(eighth, b);
}

fq_status fq_hadamard_law_init(fq_hadamard_law *law, size_t dim, fq_hadamard_input input) {
    const bool one_hot = input == FQ_HADAMARD_ONE_HOT;
    const size_t least = one_hot ? 8 : 16, largest = one_hot ? 4096 : 256;
    *law = (fq_hadamard_law){0};
    if (dim < least || dim > largest || (dim & (dim - 1)))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim,
                             one_hot ? "a power of two, 8 to 4096" : "a power of two, 16 to 256");
    const size_t quarter = dim / 4;
    const size_t most = one_hot ? quarter * quarter : 16 * quarter * quarter; /* 64 (d/8)^2 */
    double *one = NULL, *two = NULL;
    fq_status status;
    law->top = 4 * most;
    law->unit = 4 / ((double)dim * (double)dim * (one_hot ? 1 : 25));
    FQ_TRY_GOTO(status, fq_alloc_zero(&one, most + 1, sizeof *one), done);
    FQ_TRY_GOTO(status, fq_alloc(&two, 2 * most + 1, sizeof *two), done);
    FQ_TRY_GOTO(status, fq_alloc(&law->p, law->top + 1, sizeof *law->p), done);
    square_of_class(one, (long)dim, input);
    convolve(two, one, most);
    convolve(law->p, two, 2 * most);
done:
    fq_free(two);
    fq_free(one);
    return status;
}

void fq_hadamard_law_clear(fq_hadamard_law *law) {
    fq_free(law->p);
    *law = (fq_hadamard_law){0};
}

double fq_hadamard_law_distance(const fq_hadamard_law *law, const fq_source *source) {
    double below = 0, most = 0;
    for (size_t m = 0; m <= law->top; m++) {
        if (!(law->p[m] > 0))
            continue;
        const double f = fq_source_radial_cdf(source, sqrt(fmin(1, law->unit * (double)m)));
        most = fmax(most, fabs(f - below));
        below += law->p[m];
        most = fmax(most, fabs(f - below));
    }
    return most;
}

double fq_hadamard_law_distance_of(const fq_hadamard_law *law, const double *sorted, size_t count) {
    double below = 0, most = 0;
    size_t i = 0;
    for (size_t m = 0; m <= law->top; m++) {
        below += law->p[m];
        while (i < count && sorted[i] < law->unit * ((double)m + 0.5)) {
            if (fabs(sorted[i] / law->unit - (double)m) > 0.05)
                return 1;
            i++;
        }
        most = fmax(most, fabs(below - (double)i / (double)count));
    }
    return i == count ? most : 1;
}
