#include "vector_kernels.h"

#include <stdatomic.h>

const fq_vector_kernels *fq_vector_kernels_at(size_t i) {
    const fq_vector_kernels *have[4] = {&fq_vector_kernels_portable};
    size_t count = 1;
#if defined(__x86_64__)
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2)
        have[count++] = &fq_vector_kernels_avx2;
    if (avx2 && __builtin_cpu_supports("avx512f"))
        have[count++] = &fq_vector_kernels_avx512;
#elif defined(__aarch64__)
    have[count++] = &fq_vector_kernels_neon;
#endif
    return i < count ? have[i] : NULL;
}

const fq_vector_kernels *fq_vector_kernels_best(void) {
    /* Asking the processor costs as much as rotating a vector. Threads that ask at once find the same. */
    static _Atomic(const fq_vector_kernels *) known;
    const fq_vector_kernels *best = atomic_load_explicit(&known, memory_order_relaxed);
    if (best)
        return best;
    for (size_t i = 0; fq_vector_kernels_at(i); i++)
        best = fq_vector_kernels_at(i);
    atomic_store_explicit(&known, best, memory_order_relaxed);
    return best;
}
