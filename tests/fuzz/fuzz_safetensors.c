/* A safetensors file: whatever is accepted has its tensors inside the file. */
#include "fuzz_target.h"
#include "safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fq_safetensors s;
    if (fq_safetensors_parse(&s, "fuzz.safetensors", data, size) != FQ_OK)
        return 0;
    for (size_t i = 0; i < s.count; i++) {
        const fq_safetensor *t = &s.tensors[i];
        FQ_FUZZ_REQUIRE(t->offset <= size && t->bytes <= size - t->offset);
        FQ_FUZZ_REQUIRE(fq_safetensors_find(&s, t->name) == t);
        size_t elements = 1;
        for (size_t k = 0; k < t->dimensions; k++)
            elements *= t->sizes[k];
        if (t->element != FQ_ELEMENTS)
            FQ_FUZZ_REQUIRE(elements * fq_element_about(t->element)->block_bytes == t->bytes);
    }
    fq_safetensors_clear(&s);
    return 0;
}
