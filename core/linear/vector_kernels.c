#include "vector_kernels.h"

#include "cpu.h"

static const fq_vector_kernels *const kernels[] = {
    &fq_vector_kernels_portable,
#if defined(__x86_64__)
    &fq_vector_kernels_avx2,
    &fq_vector_kernels_avx512,
#elif defined(__aarch64__)
    &fq_vector_kernels_neon,
#endif
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const fq_vector_kernels *fq_vector_kernels_at(size_t i) {
    for (size_t k = 0; k < KERNELS; k++)
        if (fq_cpu_has(kernels[k]->needs) && i-- == 0)
            return kernels[k];
    return NULL;
}

const fq_vector_kernels *fq_vector_kernels_best(void) {
    size_t k = KERNELS - 1;
    while (!fq_cpu_has(kernels[k]->needs))
        k--;
    return kernels[k];
}
