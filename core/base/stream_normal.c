/* Standard normal draws by the ziggurat method (Marsaglia and Tsang, J. Stat. Software 5(8), 2000), in the
 * form and with the tables that GSL has: the same draws to the bit, for a library that needs no GSL.
 */
#include <math.h>

#include "stream.h"

/* From the curve's top down; the last has the tail beside it. normal_strips.def says what the numbers are. */
static const struct strip {
    uint32_t certain;
    double width, height;
} strips[] = {
#define FQ_NORMAL_STRIP(certain, width, height) {certain, width, height},
#include "normal_strips.def"
#undef FQ_NORMAL_STRIP
};
enum { LAST = sizeof strips / sizeof strips[0] - 1 };
static const double tail_begins = 3.44428647676;

static double uniform(fq_stream *s) {
    return fq_stream_u32(s) * 0x1p-32;
}

double fq_stream_normal(fq_stream *s) {
    for (;;) {
        const uint32_t word = fq_stream_u32(s), i = word & LAST, j = word >> 8;
        double x = j * strips[i].width, height;
        if (j >= strips[i].certain && i < LAST) {
            height = strips[i + 1].height + (strips[i].height - strips[i + 1].height) * uniform(s);
        } else if (j >= strips[i].certain) { /* under the envelope f(R) exp(-R (x - R)) of the tail */
            const double first = 1 - uniform(s), second = uniform(s);
            x = tail_begins - log(first) / tail_begins;
            height = exp(-tail_begins * (x - 0.5 * tail_begins)) * second;
        }
        if (j < strips[i].certain || height < exp(-0.5 * x * x))
            return word & (LAST + 1) ? x : -x;
    }
}
