/* Tensor element types of model files, and their expansion to float32.
 *
 * Quantised types store blocks of 32 or 256 consecutive elements of a row. With d and m the block's
 * float16 scale and offset and q an element's small integer:
 *   Q4_0 Q5_0 Q8_0   x = d (q - 8), d (q - 16), d q          (q of 4, 5, 8 bits; the last signed)
 *   Q4_1 Q5_1        x = d q + m
 *   Q2_K Q4_K Q5_K   x = (d s) q - (m t)    s, t: small integers of each run of 16 (Q2_K) or 32
 *   Q3_K Q6_K        x = (d s) (q - 4), (d s) (q - 32)   s: a signed integer of each run of 16
 *   Q8_K             x = d q                (d float32)
 * Brackets are the order of the float32 operations, so that results are bit for bit those of the
 * formats' reference implementation (ggml's dequantize_row_* functions). Everything is little-endian.
 */
#ifndef FQ_DEQUANTIZE_H
#define FQ_DEQUANTIZE_H

#include <stddef.h>
#include <stdint.h>

/* One list: enumerator, name, number in GGUF files, elements of a block, bytes of a block. */
#define FQ_ELEMENT_LIST(X)                                                                                   \
    X(FQ_ELEMENT_F32, "F32", 0, 1, 4)                                                                        \
    X(FQ_ELEMENT_F16, "F16", 1, 1, 2)                                                                        \
    X(FQ_ELEMENT_Q4_0, "Q4_0", 2, 32, 18)                                                                    \
    X(FQ_ELEMENT_Q4_1, "Q4_1", 3, 32, 20)                                                                    \
    X(FQ_ELEMENT_Q5_0, "Q5_0", 6, 32, 22)                                                                    \
    X(FQ_ELEMENT_Q5_1, "Q5_1", 7, 32, 24)                                                                    \
    X(FQ_ELEMENT_Q8_0, "Q8_0", 8, 32, 34)                                                                    \
    X(FQ_ELEMENT_Q2_K, "Q2_K", 10, 256, 84)                                                                  \
    X(FQ_ELEMENT_Q3_K, "Q3_K", 11, 256, 110)                                                                 \
    X(FQ_ELEMENT_Q4_K, "Q4_K", 12, 256, 144)                                                                 \
    X(FQ_ELEMENT_Q5_K, "Q5_K", 13, 256, 176)                                                                 \
    X(FQ_ELEMENT_Q6_K, "Q6_K", 14, 256, 210)                                                                 \
    X(FQ_ELEMENT_Q8_K, "Q8_K", 15, 256, 292)                                                                 \
    X(FQ_ELEMENT_BF16, "BF16", 30, 1, 2)

typedef enum fq_element {
#define FQ_ELEMENT_ENUM(name, text, number, elements, bytes) name,
    FQ_ELEMENT_LIST(FQ_ELEMENT_ENUM)
#undef FQ_ELEMENT_ENUM
        FQ_ELEMENTS /* how many there are; also "none" */
} fq_element;

typedef struct fq_element_layout {
    const char *name;
    uint32_t gguf_number;
    size_t block_elements, block_bytes;
} fq_element_layout;

/* The layout of element < FQ_ELEMENTS. */
const fq_element_layout *fq_element_about(fq_element element);

/* The element type with this number in GGUF files, or FQ_ELEMENTS if it is none of the above. */
fq_element fq_element_of_gguf(uint32_t number);

/* out[0..count) = the expansion of count elements at bytes, which holds count/block_elements whole
 * blocks; count must be a multiple of block_elements. Nothing needs to be aligned. Infinities and NaNs
 * come through. */
void fq_dequantize(float *out, fq_element element, const unsigned char *bytes, size_t count);

/* The value of bfloat16 bits, exact. */
float fq_bfloat_to_float(uint16_t bits);

#endif
