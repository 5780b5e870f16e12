/* QSGD (Alistarh et al. 2017): |x_i|/|x| to a multiple of 1/s at random so that the mean stays. The variance
 * of a coordinate is at most |x|^2/(4 s^2) and at most |x_i| |x|/s: omega = min(d/(4 s^2), sqrt(d)/s), the
 * paper's with its d/s^2 sharpened. The norm as a float32, and d symbols of 2s + 1 packed at a fixed width
 * (the paper's Elias codes are shorter in the mean, but of no fixed length). */
#include <math.h>

#include "compressor_family.h"

static const fq_codec_key keys[] = {{.name = "s",
                                     .help = "levels above zero",
                                     .type = FQ_TYPE_INTEGER,
                                     .required = true,
                                     .least = 1,
                                     .most = 65535},
                                    {0}};

static fq_status about(fq_compressor_about *about, const double *value, size_t dim) {
    const double d = (double)dim, s = value[0], omega = fmin(d / (4.0 * s * s), sqrt(d) / s);
    *about = (fq_compressor_about){.bits = 32.0 + ceil(d * log2(2.0 * s + 1.0)),
                                   .alpha = 1.0 / (1.0 + omega),
                                   .omega = omega,
                                   .random = true};
    return FQ_OK;
}

static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    const double s = value[0];
    double square = 0.0;
    for (size_t i = 0; i < dim; i++)
        square += x[i] * x[i];
    const double norm = sqrt(square), sent = (double)(float)norm;
    for (size_t i = 0; i < dim; i++) {
        const double u = fq_stream_uniform(stream), place = norm > 0.0 ? s * fabs(x[i]) / norm : 0.0,
                     below = floor(place), level = fmin(below + (u < place - below ? 1.0 : 0.0), s);
        y[i] = (x[i] < 0.0 ? -sent : sent) * level / s;
    }
}

const fq_compressor_family fq_compressor_family_qsgd = {.name = "qsgd",
                                                        .summary = "random rounding to s levels of the norm",
                                                        .keys = keys,
                                                        .about = about,
                                                        .apply = apply};
