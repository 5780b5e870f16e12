#include "codebook_initial.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>

#include "beta_quantile.h"
#include "scalar_quantizer.h"

double fq_initial_radius(const fq_source *source, size_t n, size_t codewords) {
    const double d = (double)source->dim, k = (double)source->block;
    const double q = ((double)n + 0.5) / (double)codewords;
    if (source->block == source->dim)
        return 1;
    if (source->block == 2)
        return sqrt(-expm1(4 / d * log1p(-q)));
    return sqrt(fq_beta_quantile(q, k / 2, k / (k + 2) * (d - k - 2) / 2 + 1));
}

/* The positive root of x^{k+1} = x + 1, by Newton's method from above, where it converges downwards. */
static double roberts_root(double k) {
    double x = 2;
    for (int iteration = 0; iteration < 200; iteration++) {
        const double power = pow(x, k);
        const double next = x - (power * x - x - 1) / ((k + 1) * power - 1);
        if (!(next < x))
            break;
        x = next;
    }
    return x;
}

void fq_initial_direction(double *u, size_t block, size_t n, size_t codewords) {
    const double golden_angle = 2 * M_PI * (1 - 2 / (1 + sqrt(5)));
    const double angle = golden_angle * (double)n;
    if (block == 1) {
        u[0] = n % 2 ? -1 : 1;
    } else if (block == 2) {
        u[0] = cos(angle);
        u[1] = sin(angle);
    } else if (block == 3) {
        const double z = 1 - (2 * (double)n + 1) / (double)codewords;
        const double rest = sqrt(fmax(0, 1 - z * z));
        u[0] = rest * cos(angle);
        u[1] = rest * sin(angle);
        u[2] = z;
    } else {
        const double step = 1 / roberts_root((double)block);
        double power = 1, squared = 0;
        for (size_t j = 0; j < block; j++) {
            power *= step;
            double whole;
            const double fraction = modf(((double)n + 0.5) * power, &whole);
            u[j] = gsl_cdf_ugaussian_Pinv(fmin(fmax(fraction, 1e-16), 1 - 1e-16));
            squared += u[j] * u[j];
        }
        for (size_t j = 0; j < block; j++)
            u[j] = squared > 0 ? u[j] / sqrt(squared) : j == 0;
    }
}

void fq_initial_words(float *words, const fq_source *source, size_t codewords) {
    const size_t k = source->block;
    for (size_t n = 0; n < codewords; n++) {
        double u[FQ_BLOCK_MAX];
        const double radius = fq_initial_radius(source, n, codewords);
        fq_initial_direction(u, k, n, codewords);
        for (size_t j = 0; j < k; j++)
            words[n * k + j] = (float)(radius * u[j]);
    }
}

size_t fq_product_levels(size_t codewords, size_t block) {
    const size_t guess = (size_t)llround(pow((double)codewords, 1 / (double)block));
    for (size_t m = guess > 1 ? guess - 1 : 1; m <= guess + 1; m++) {
        size_t power = 1, j = 0;
        while (j < block && power <= codewords) {
            power *= m;
            j++;
            if (m == 1)
                break;
        }
        if (power == codewords && (j == block || m == 1))
            return m;
    }
    return 0;
}

fq_status fq_product_words(float *words, const fq_source *source, size_t codewords) {
    const size_t k = source->block, levels = fq_product_levels(codewords, k);
    if (!levels)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords", codewords, "a k-th power of a whole number");
    fq_scalar_quantizer scalar;
    FQ_TRY(fq_scalar_quantizer_init(&scalar, source->dim, levels));
    for (size_t n = 0; n < codewords; n++) {
        double squared = 0;
        for (size_t j = 0, rest = n; j < k; j++, rest /= levels)
            squared += gsl_pow_2(scalar.level[rest % levels]);
        const double scale = squared > 1 ? 1 / sqrt(squared) : 1;
        for (size_t j = 0, rest = n; j < k; j++, rest /= levels)
            words[n * k + j] = (float)(scale * scalar.level[rest % levels]);
    }
    fq_scalar_quantizer_clear(&scalar);
    return FQ_OK;
}
