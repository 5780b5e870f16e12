#include "threads.h"

#include <stdatomic.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static atomic_int chosen;

void fq_threads_set(int most) {
    atomic_store(&chosen, most > 0 ? most : 0);
}

int fq_threads_get(void) {
#ifdef _OPENMP
    const int most = atomic_load(&chosen), offered = omp_get_max_threads();
    return most > 0 && most < offered ? most : offered;
#else
    return 1;
#endif
}
