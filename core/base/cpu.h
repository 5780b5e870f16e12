/* What the processor can: the one place that asks it. Kernels of an instruction set stand in tables with what
 * they need, the fastest last; who chooses takes the last one whose needs fq_cpu_has.
 */
#ifndef FQ_CPU_H
#define FQ_CPU_H

#include <stdbool.h>

/* Groups of instructions, as bits. */
enum {
    FQ_CPU_AVX2 = 1 << 0, /* AVX2, FMA, F16C and BMI, which go together */
    FQ_CPU_AVX512F = 1 << 1,
    FQ_CPU_AVX512BW = 1 << 2,
    FQ_CPU_AVX512DQ = 1 << 3,
    FQ_CPU_AVX512VL = 1 << 4,
    FQ_CPU_VNNI = 1 << 5, /* AVX-512's forms of VNNI, VBMI and GFNI */
    FQ_CPU_VBMI = 1 << 6,
    FQ_CPU_GFNI = 1 << 7,
    FQ_CPU_NEON = 1 << 8,
    FQ_CPU_ALL = (1 << 9) - 1
};

/* All of these. A load from memory after the first call. Thread-safe. */
bool fq_cpu_has(unsigned needs);

/* For tests: from now on only these of what the processor has; FQ_CPU_ALL ends that. What was created before
 * keeps the kernels that it has. */
void fq_cpu_limit(unsigned allowed);

#endif
