#include "cpu.h"

#include <stdatomic.h>

/* Asking costs as much as rotating a vector, so it is done once; threads that ask at once find the same. */
static atomic_uint known;
enum { ASKED = 1 << 30 };

/* Asks the processor for every group of instructions that cpu.h names. */
static unsigned ask(void) {
    unsigned has = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi"))
        has |= FQ_CPU_AVX2;
    if (has && __builtin_cpu_supports("avx512f"))
        has |= FQ_CPU_AVX512F;
    if (has & FQ_CPU_AVX512F) {
        has |= __builtin_cpu_supports("avx512bw") ? FQ_CPU_AVX512BW : 0;
        has |= __builtin_cpu_supports("avx512dq") ? FQ_CPU_AVX512DQ : 0;
        has |= __builtin_cpu_supports("avx512vl") ? FQ_CPU_AVX512VL : 0;
        has |= __builtin_cpu_supports("avx512vnni") ? FQ_CPU_VNNI : 0;
        has |= __builtin_cpu_supports("avx512vbmi") ? FQ_CPU_VBMI : 0;
        has |= __builtin_cpu_supports("gfni") ? FQ_CPU_GFNI : 0;
    }
#elif defined(__aarch64__)
    has |= FQ_CPU_NEON;
#endif
    return has;
}

bool fq_cpu_has(unsigned needs) {
    unsigned has = atomic_load_explicit(&known, memory_order_relaxed);
    if (!(has & ASKED)) {
        has = ask() | ASKED;
        atomic_store_explicit(&known, has, memory_order_relaxed);
    }
    return (needs & ~has) == 0;
}

void fq_cpu_limit(unsigned allowed) {
    atomic_store_explicit(&known, (ask() & allowed) | ASKED, memory_order_relaxed);
}
