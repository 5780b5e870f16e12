#include "hadamard.h"

#include <assert.h>
#include <math.h>

#include "vector_kernels.h"

/* The first three strides inside eight neighbours. */
static void butterflies_of_eight(float *x) {
    float a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = x[i] + x[i + 1];
        a[i + 1] = x[i] - x[i + 1];
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = i; j < i + 2; j++) {
            b[j] = a[j] + a[j + 2];
            b[j + 2] = a[j] - a[j + 2];
        }
    }
    for (int j = 0; j < 4; j++) {
        x[j] = b[j] + b[j + 4];
        x[j + 4] = b[j] - b[j + 4];
    }
}

void fq_hadamard_ref(float *x, size_t p) {
    assert(p > 0 && (p & (p - 1)) == 0);
    size_t stride = 1;
    if (p >= 8) {
        for (size_t i = 0; i < p; i += 8)
            butterflies_of_eight(x + i);
        stride = 8;
    }
    for (; stride < p; stride *= 2) {
        for (size_t i = 0; i < p; i += 2 * stride) {
            float *low = x + i, *high = x + i + stride;
            for (size_t j = 0; j < stride; j++) {
                const float sum = low[j] + high[j], difference = low[j] - high[j];
                low[j] = sum;
                high[j] = difference;
            }
        }
    }
    const float scale = (float)(1 / sqrt((double)p));
    for (size_t i = 0; i < p; i++)
        x[i] *= scale;
}

void fq_hadamard(float *x, size_t p) {
    fq_vector_kernels_best()->hadamard(x, x, 1, p, NULL, NULL);
}
