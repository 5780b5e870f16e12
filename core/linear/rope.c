#include "rope.h"

#include <math.h>

void fq_rope_table(float *table, const fq_rope *rope, size_t dim, size_t first, size_t n) {
    for (size_t i = 0; i < dim / 2; i++) {
        const double step = rope->base > 0.0 ? pow(rope->base, -2.0 * (double)i / (double)dim) : 0.0;
        for (size_t t = 0; t < n; t++) {
            table[(t * (dim / 2) + i) * 2] = (float)cos((double)(first + t) * step);
            table[(t * (dim / 2) + i) * 2 + 1] = (float)sin((double)(first + t) * step);
        }
    }
}

void fq_rope_apply(const fq_rope *rope, float *x, const float *table, size_t n, size_t heads, size_t dim,
                   int back) {
    const size_t half = dim / 2;
    if (!(rope->base > 0.0))
        return;
    for (size_t v = 0; v < n * heads; v++)
        for (size_t i = 0; i < half; i++) {
            float *a = x + v * dim + (rope->interleaved ? 2 * i : i), *b = a + (rope->interleaved ? 1 : half);
            const float c = table[(v / heads * half + i) * 2], s = table[(v / heads * half + i) * 2 + 1];
            const float sine = back ? -s : s, turned = *a * c - *b * sine;
            *b = *a * sine + *b * c;
            *a = turned;
        }
}
