#include "attention.h"

#include "attention_kernel_choice.h"
#include "attention_run.h"
#include "cpu.h"
#include "memory.h"

static const fq_attention_kernels *const kernels[] = {
    &fq_attention_kernels_portable,
#if defined(__x86_64__)
    &fq_attention_kernels_avx2,
    &fq_attention_kernels_avx512,
#endif
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const fq_attention_kernels *fq_attention_kernels_of(fq_attention_kernel kernel) {
    for (size_t k = KERNELS; k-- > 0;)
        if ((kernel == FQ_ATTENTION_BEST || kernels[k]->kernel == kernel) && fq_cpu_has(kernels[k]->needs))
            return kernels[k];
    return NULL;
}

bool fq_attention_kernel_available(fq_attention_kernel kernel) {
    return fq_attention_kernels_of(kernel) != NULL;
}

const char *fq_attention_kernel_name(fq_attention_kernel kernel) {
    static const char *const names[FQ_ATTENTION_KERNELS] = {"best", "portable", "avx2", "avx512"};
    return (unsigned)kernel < FQ_ATTENTION_KERNELS ? names[kernel] : "?";
}

fq_status fq_attention_create_kernel(fq_attention **attention, const fq_codec *key, const fq_codec *value,
                                     fq_attention_kernel kernel) {
    if (fq_codec_get_cost(key).dim != fq_codec_get_cost(value).dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "value", fq_codec_get_cost(value).dim,
                             "a codec of the keys' dimension");
    if (!fq_attention_kernels_of(kernel))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kernel", kernel, "a kernel that this processor can run");
    fq_attention *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->kernels = fq_attention_kernels_of(kernel);
    fq_status status = fq_attention_codes_init(&made->key, key);
    if (status == FQ_OK)
        status = fq_attention_codes_init(&made->value, value);
    if (status != FQ_OK) {
        fq_attention_destroy(made);
        return status;
    }
    *attention = made;
    return FQ_OK;
}

fq_status fq_attention_create(fq_attention **attention, const fq_codec *key, const fq_codec *value) {
    return fq_attention_create_kernel(attention, key, value, FQ_ATTENTION_BEST);
}

void fq_attention_destroy(fq_attention *attention) {
    if (!attention)
        return;
    fq_attention_codes_clear(&attention->key);
    fq_attention_codes_clear(&attention->value);
    fq_free(attention);
}

fq_status fq_attention_run(const fq_attention *attention, float *out, const float *queries, size_t m,
                           const uint8_t *key_codes, const uint8_t *value_codes, size_t n, double scale) {
    if (n < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", 0, "at least 1");
    const fq_attention_source source = {.key_codes = key_codes, .value_codes = value_codes, .n = n};
    return fq_attention_over(attention, out, queries, m, &source, scale);
}
