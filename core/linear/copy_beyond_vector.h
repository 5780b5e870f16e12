/* copy_beyond of vector_kernels.h by whole vectors: the one source of every instruction set's kernel.
 *
 * The including file defines TARGET, VECTOR, VECTOR_LANES, v_load (any address) and v_stream, a store past
 * the caches at an address that is a multiple of a vector's size.
 */
#include <stdint.h>
#include <string.h>

TARGET static void copy_beyond(float *y, const float *x, size_t n) {
    const size_t into = (uintptr_t)y % sizeof(VECTOR);
    const size_t before = into % sizeof *y ? n : into ? (sizeof(VECTOR) - into) / sizeof *y : 0;
    size_t i = before < n ? before : n;
    memcpy(y, x, i * sizeof *y);
    for (; i + VECTOR_LANES <= n; i += VECTOR_LANES)
        v_stream(y + i, v_load(x + i));
    memcpy(y + i, x + i, (n - i) * sizeof *y);
}
