/* Natural compression (Horvath et al. 2019): every coordinate to one of the two powers of two beside it, at
 * random so that the mean stays. With |x| = 2^e m, 1 <= m < 2, the variance is (m-1)(2-m) 4^e, at most 1/8 of
 * x^2 (at m = 4/3): omega = 1/8. A sign and the 8 bits of a float32's exponent; below 2^-126, zero or that.
 */
#include <math.h>

#include "compressor_family.h"

static fq_status about(fq_compressor_about *about, const double *value, size_t dim) {
    (void)value;
    *about = (fq_compressor_about){
        .bits = 9.0 * (double)dim, .alpha = 8.0 / 9.0, .omega = 1.0 / 8.0, .random = true};
    return FQ_OK;
}

static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    (void)value;
    for (size_t i = 0; i < dim; i++) {
        const double u = fq_stream_uniform(stream), size = fabs(x[i]);
        int exponent;
        const double m = 2.0 * frexp(size, &exponent), below = ldexp(1.0, exponent - 1);
        double power = 0.0;
        if (size >= 0x1p-126)
            power = u < m - 1.0 ? 2.0 * below : below;
        else if (u < size * 0x1p126)
            power = 0x1p-126;
        y[i] = x[i] < 0.0 ? -power : power;
    }
}

const fq_compressor_family fq_compressor_family_natural = {
    .name = "natural", .summary = "coordinates to powers of two", .about = about, .apply = apply};
