/* Top-K: the K coordinates of largest absolute value (of equal ones the first), as float32, each with its
 * place in ceil(log2 d) bits. alpha = K/d, attained by vectors of equal absolute values; biased. */
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
    *about = (fq_compressor_about){.bits = k * (32.0 + ceil(log2(d))), .alpha = k / d, .omega = (double)NAN};
    return FQ_OK;
}

static void apply(const double *value, double *y, const double *x, size_t dim, fq_stream *stream) {
    (void)stream;
    for (size_t i = 0; i < dim; i++)
        y[i] = 0.0;
    double last = HUGE_VAL; /* value and place of the coordinate taken before */
    size_t place = 0;
    for (size_t taken = 0; taken < (size_t)value[0]; taken++) {
        double best = -1.0;
        size_t at = 0;
        for (size_t i = 0; i < dim; i++) {
            const double size = fabs(x[i]);
            const bool later = size < last || (size == last && i > place);
            if (later && size > best) {
                best = size;
                at = i;
            }
        }
        y[at] = (double)(float)x[at];
        last = best;
        place = at;
    }
}

const fq_compressor_family fq_compressor_family_topk = {
    .name = "topk", .summary = "the K largest coordinates", .keys = keys, .about = about, .apply = apply};
