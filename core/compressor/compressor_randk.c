/* Rand-K: K coordinates drawn without replacement, times d/K, as float32. The places follow from the stream
 * that both ends know and are not sent. omega = d/K - 1, an equality for every vector. */
#include <math.h>

#include "compressor_family.h"

static const fq_codec_key keys[] = {{.name = "K",
                                     .help = "coordinates kept",
                                     .type = FQ_TYPE_INTEGER,
                                     .required = true,
                                     .least = 1,
                                     .most = 16384},
                                    {0}};

static fq_status about(fq_compressor_about *about, const double *value, size_t dim) {
    const double d = (double)dim, k = value[0];
    if (k > d)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "K", k, "at most the dimension");
    *about = (fq_compressor_about){
        .bits = 32.0 * k, .alpha = k / d, .omega = d / k - 1.0, .exact = true, .random = true};
    return FQ_OK;
}

/* Knuth's selection sampling: coordinate i is taken with probability (still wanted)/(still to come). */
static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    size_t wanted = (size_t)value[0];
    const double scale = (double)dim / value[0];
    for (size_t i = 0; i < dim; i++) {
        const bool taken = fq_stream_below(stream, dim - i) < wanted;
        y[i] = taken ? scale * (double)(float)x[i] : 0.0;
        wanted -= taken ? 1 : 0;
    }
}

const fq_compressor_family fq_compressor_family_randk = {
    .name = "randk", .summary = "K random coordinates", .keys = keys, .about = about, .apply = apply};
