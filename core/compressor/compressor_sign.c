/* Scaled signs: (|x|_1/d) sign(x), the foot of x on the line of its signs, so |C(x) - x|^2 = |x|^2 -
 * |x|_1^2/d and alpha = 1/d, attained by a vector with one coordinate. Signs and a float32; biased. */
#include <math.h>

#include "compressor_family.h"

static fq_status about(fq_compressor_about *about, const double *value, size_t dim) {
    const double d = (double)dim;
    (void)value;
    *about = (fq_compressor_about){.bits = d + 32.0, .alpha = 1.0 / d, .omega = (double)NAN};
    return FQ_OK;
}

static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    double sum = 0.0;
    (void)value;
    (void)stream;
    for (size_t i = 0; i < dim; i++)
        sum += fabs(x[i]);
    const double scale = (double)(float)(sum / (double)dim);
    for (size_t i = 0; i < dim; i++)
        y[i] = x[i] < 0.0 ? -scale : scale;
}

const fq_compressor_family fq_compressor_family_sign = {
    .name = "sign", .summary = "signs, scaled by the mean absolute value", .about = about, .apply = apply};
