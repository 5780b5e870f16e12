#include "trellis_viterbi.h"

#include "cpu.h"

static const fq_trellis_kernels *const kernels[] = {
    &fq_trellis_kernels_portable,
#if defined(__x86_64__)
    &fq_trellis_kernels_avx2,
    &fq_trellis_kernels_avx512,
#endif
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const fq_trellis_kernels *fq_trellis_kernels_at(size_t i) {
    for (size_t k = 0; k < KERNELS; k++)
        if (fq_cpu_has(kernels[k]->needs) && i-- == 0)
            return kernels[k];
    return NULL;
}

const fq_trellis_kernels *fq_trellis_kernels_best(void) {
    size_t k = KERNELS - 1;
    while (!fq_cpu_has(kernels[k]->needs))
        k--;
    return kernels[k];
}
