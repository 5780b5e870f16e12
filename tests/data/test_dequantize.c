/* Block types against the gguf package's expansion of random blocks (golden/make_dequantize.py), bit for
 * bit, and the two that it does not expand against the definition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "dequantize.h"

static uint32_t word(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void given_random_blocks_expect_the_independent_expansion_bit_for_bit(void) {
    fq_bytes golden = fq_bytes_load(FQ_GOLDEN "/dequantize.golden");
    size_t at = 0, types = 0;
    while (at + 8 <= golden.size) {
        const fq_element element = fq_element_of_gguf(word(golden.data + at));
        const size_t count = word(golden.data + at + 4);
        if (!FQ_CHECK(element < FQ_ELEMENTS))
            break;
        const fq_element_layout *layout = fq_element_about(element);
        const size_t bytes = count / layout->block_elements * layout->block_bytes;
        if (!FQ_CHECK(golden.size - at - 8 >= bytes + 4 * count))
            break;
        float *out = malloc(count * sizeof *out);
        fq_dequantize(out, element, golden.data + at + 8, count);
        size_t different = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t bits;
            memcpy(&bits, &out[i], sizeof bits);
            different += bits != word(golden.data + at + 8 + bytes + 4 * i);
        }
        FQ_CHECK(different == 0);
        free(out);
        at += 8 + bytes + 4 * count;
        types++;
    }
    FQ_CHECK(at == golden.size && types == 12);
    fq_bytes_free(&golden);
}

static void given_types_without_golden_blocks_expect_the_definition(void) {
    unsigned char block[292];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)(37 * i + 11);
    const float d = -0.375f;
    memcpy(block, &d, 4);
    float out[256];
    fq_dequantize(out, FQ_ELEMENT_Q8_K, block, 256);
    for (size_t i = 0; i < 256; i++)
        FQ_CHECK_NEAR((double)out[i], -0.375 * (double)(signed char)block[4 + i], 0.0);
    fq_dequantize(out, FQ_ELEMENT_F32, block, 1);
    FQ_CHECK_NEAR((double)out[0], -0.375, 0.0);
    FQ_CHECK_NEAR((double)fq_bfloat_to_float(0xc040), -3.0, 0.0);
    FQ_CHECK(isinf(fq_bfloat_to_float(0x7f80)) && isnan(fq_bfloat_to_float(0x7fc0)));
}

static void given_every_type_expect_consistent_layout_numbers(void) {
    for (int i = 0; i < FQ_ELEMENTS; i++) {
        const fq_element_layout *layout = fq_element_about((fq_element)i);
        FQ_CHECK(fq_element_of_gguf(layout->gguf_number) == (fq_element)i);
        FQ_CHECK(layout->block_elements == 1 || layout->block_elements == 32 ||
                 layout->block_elements == 256);
    }
    FQ_CHECK(fq_element_of_gguf(4) == FQ_ELEMENTS && fq_element_of_gguf(UINT32_MAX) == FQ_ELEMENTS);
}

static const fq_test tests[] = {
    {"golden blocks", given_random_blocks_expect_the_independent_expansion_bit_for_bit},
    {"Q8_K, F32, BF16 by definition", given_types_without_golden_blocks_expect_the_definition},
    {"layout table", given_every_type_expect_consistent_layout_numbers},
    {0},
};
const fq_suite fq_suite_dequantize = {"dequantize", tests};
