/* The kernels of attention on codes, for those who choose one themselves: benchmarks and tests. All give the
 * same numbers to the last bit. */
#ifndef FQ_ATTENTION_KERNEL_CHOICE_H
#define FQ_ATTENTION_KERNEL_CHOICE_H

#include "attention.h"

typedef enum fq_attention_kernel {
    FQ_ATTENTION_BEST = 0,
    FQ_ATTENTION_PORTABLE,
    FQ_ATTENTION_AVX2,   /* x86-64 with AVX2 and FMA */
    FQ_ATTENTION_AVX512, /* x86-64 with AVX-512F, BW, DQ, VL, VNNI and VBMI */
    FQ_ATTENTION_KERNELS
} fq_attention_kernel;

bool fq_attention_kernel_available(fq_attention_kernel kernel);

/* "best", "portable", "avx2", "avx512"; "?" for another number. */
const char *fq_attention_kernel_name(fq_attention_kernel kernel);

/* fq_attention_create with that kernel; FQ_ERR_ARGUMENT if it is not available. */
FQ_MUST_CHECK fq_status fq_attention_create_kernel(fq_attention **attention, const fq_codec *key,
                                                   const fq_codec *value, fq_attention_kernel kernel);

#endif
