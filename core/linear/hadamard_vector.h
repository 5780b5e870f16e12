/* The normalised Hadamard transform with signs, in vectors: the one source of every instruction set's kernel.
 *
 * The strides below VECTOR_LANES are inside each vector, the next ones between the HADAMARD_VECTORS vectors
 * that are in registers at a time, the largest go through memory. Each number goes through the additions of
 * hadamard.h.
 *
 * The including file defines what dense_parts_vector.h names, and v_sub, v_mul, v_butterfly(x, stride) for
 * the strides inside a vector, HADAMARD_VECTORS (8 or 16), copy_beyond, and fallback, the same for p <
 * VECTOR_LANES.
 */
#include <math.h>

typedef struct hadamard_ends {
    const float *before, *after; /* signs or NULL */
    VECTOR scale;
    bool stream; /* y is not read again soon; whole transforms only */
} hadamard_ends;

/* The scale with the sign that follows it, which changes no magnitude and so no rounding. */
TARGET static ALWAYS_INLINE VECTOR hadamard_factor(const hadamard_ends *ends, size_t i) {
    return ends->after ? v_mul(v_load(ends->after + i), ends->scale) : ends->scale;
}

TARGET static ALWAYS_INLINE VECTOR hadamard_end(VECTOR value, VECTOR factor, const hadamard_ends *ends) {
    return ends->after ? v_multiply_add(value, factor, v_set(0.0F)) : v_mul(value, factor);
}

/* `count` vectors from element `first` on, which are all of the transform if factors are given. */
TARGET static ALWAYS_INLINE void hadamard_block(float *y, const float *x, size_t first, size_t count,
                                                const VECTOR *factor, const hadamard_ends *ends) {
    VECTOR value[HADAMARD_VECTORS];
    for (size_t i = 0; i < count; i++) {
        const size_t at = first + i * VECTOR_LANES;
        value[i] = v_load(x + at);
        if (ends->before)
            value[i] = v_multiply_add(value[i], v_load(ends->before + at), v_set(0.0F));
    }
    for (size_t stride = 1; stride < VECTOR_LANES; stride *= 2) /* one after the other: all vectors at once */
        for (size_t i = 0; i < count; i++)
            value[i] = v_butterfly(value[i], stride);
    for (size_t stride = 1; stride < count; stride *= 2)
        for (size_t i = 0; i < count; i++)
            if (!(i & stride)) {
                const VECTOR low = value[i], high = value[i + stride];
                value[i] = v_add(low, high);
                value[i + stride] = v_sub(low, high);
            }
    for (size_t i = 0; i < count; i++) {
        const size_t at = first + i * VECTOR_LANES;
        const VECTOR result = factor ? hadamard_end(value[i], factor[i], ends) : value[i];
        if (factor && ends->stream)
            v_stream(y + at, result);
        else
            v_store(y + at, result);
    }
}

TARGET static ALWAYS_INLINE void hadamard_large(float *y, const float *x, size_t p,
                                                const hadamard_ends *ends) {
    enum { BLOCK = HADAMARD_VECTORS * VECTOR_LANES };
    for (size_t i = 0; i < p; i += BLOCK)
        hadamard_block(y, x, i, HADAMARD_VECTORS, NULL, ends);
    for (size_t stride = BLOCK; stride < p; stride *= 2) {
        const bool last = 2 * stride == p;
        for (size_t i = 0; i < p; i += 2 * stride)
            for (size_t j = i; j < i + stride; j += VECTOR_LANES) {
                const VECTOR low = v_load(y + j), high = v_load(y + j + stride);
                const VECTOR sum = v_add(low, high), difference = v_sub(low, high);
                v_store(y + j, last ? hadamard_end(sum, hadamard_factor(ends, j), ends) : sum);
                v_store(y + j + stride,
                        last ? hadamard_end(difference, hadamard_factor(ends, j + stride), ends)
                             : difference);
            }
    }
}

/* What follows the sums is the same for all transforms: made once. */
#define HADAMARD_ALL(count)                                                                                  \
    case count:                                                                                              \
        for (size_t i = 0; i < (count); i++)                                                                 \
            factor[i] = hadamard_factor(ends, i * VECTOR_LANES);                                             \
        for (size_t i = 0; i < n; i++)                                                                       \
            hadamard_block(y + i * p, x + i * p, 0, count, factor, ends);                                    \
        return

TARGET static ALWAYS_INLINE void hadamard_with(float *y, const float *x, size_t n, size_t p,
                                               const hadamard_ends *ends) {
    VECTOR factor[HADAMARD_VECTORS];
    switch (p / VECTOR_LANES) {
    case 0:
        break;
        HADAMARD_ALL(1);
        HADAMARD_ALL(2);
        HADAMARD_ALL(4);
        HADAMARD_ALL(8);
#if HADAMARD_VECTORS == 16
        HADAMARD_ALL(16);
#endif
    default:
        for (size_t i = 0; i < n; i++)
            hadamard_large(y + i * p, x + i * p, p, ends);
    }
}
#undef HADAMARD_ALL

TARGET static void hadamard(float *y, const float *x, size_t n, size_t p, const float *before,
                            const float *after) {
    if (p < VECTOR_LANES) {
        fallback(y, x, n, p, before, after);
        return;
    }
    const VECTOR scale = v_set((float)(1 / sqrt((double)p)));
    if (before && !after) /* what is known here needs no asking in the loops */
        hadamard_with(y, x, n, p, &(hadamard_ends){before, NULL, scale, false});
    else if (after && !before)
        hadamard_with(y, x, n, p, &(hadamard_ends){NULL, after, scale, false});
    else
        hadamard_with(y, x, n, p, &(hadamard_ends){before, after, scale, false});
}

/* x is work space. Transforms that pass through memory stay there until they are done. */
TARGET static void hadamard_beyond(float *y, float *x, size_t n, size_t p, const float *after) {
    if (p < VECTOR_LANES || p > HADAMARD_VECTORS * VECTOR_LANES || (uintptr_t)y % sizeof(VECTOR)) {
        hadamard(x, x, n, p, NULL, after);
        copy_beyond(y, x, n * p);
        return;
    }
    const VECTOR scale = v_set((float)(1 / sqrt((double)p)));
    hadamard_with(y, x, n, p, &(hadamard_ends){NULL, after, scale, true});
}
