#include "random_reflections.h"

#include <math.h>

/* For j = 1..d: the vector v_j[j] with |v_j|^2 = 2, and the sign of the map. */
size_t fq_reflections_size(size_t dim) {
    return dim * (dim + 1) / 2 + dim;
}

void fq_reflections_draw(double *reflections, size_t dim, fq_stream *stream) {
    double *at = reflections;
    for (size_t j = 1; j <= dim; j++) {
        double square = 0.0;
        for (size_t i = 0; i < j; i++) {
            at[i] = fq_stream_normal(stream);
            square += at[i] * at[i];
        }
        const double length = sqrt(square), sign = at[0] < 0.0 ? -1.0 : 1.0;
        at[0] += sign * length; /* v = g + sign |g| e_1, |v|^2 = 2 |g| (|g| + |g_1|) */
        const double scale = sqrt(length * fabs(at[0]));
        for (size_t i = 0; i < j; i++)
            at[i] = scale > 0.0 ? at[i] / scale : 0.0;
        at[j] = -sign;
        at += j + 1;
    }
}

/* x = sign (x - <v, x> v), |v|^2 = 2. */
static void reflect(const double *v, double sign, double *x, size_t n) {
    double product = 0.0;
    for (size_t i = 0; i < n; i++)
        product += v[i] * x[i];
    for (size_t i = 0; i < n; i++)
        x[i] = sign * (x[i] - product * v[i]);
}

void fq_reflections_apply(const double *reflections, double *x, size_t dim, bool back) {
    for (size_t step = 1; step <= dim; step++) {
        const size_t j = back ? dim + 1 - step : step;
        const double *v = reflections + (j - 1) * (j + 2) / 2;
        reflect(v, v[j], x + (dim - j), j);
    }
}
