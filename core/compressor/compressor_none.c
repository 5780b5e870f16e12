/* No compression: the vector as float32. */
#include "compressor_family.h"

static fq_status about(fq_compressor_about *about, const double *value, size_t dim) {
    (void)value;
    *about = (fq_compressor_about){.bits = 32.0 * (double)dim, .alpha = 1.0, .omega = 0.0, .exact = true};
    return FQ_OK;
}

static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    (void)value;
    (void)stream;
    for (size_t i = 0; i < dim; i++)
        y[i] = (double)(float)x[i];
}

const fq_compressor_family fq_compressor_family_none = {
    .name = "none", .summary = "the vector itself as float32", .about = about, .apply = apply};
