/* What the NEON kernels of trellis codes share; for them alone to include. Products of a bit matrix with
 * bytes are two table look-ups, one for each four bits, and their sum; levels are looked up in tables of 64.
 */
#ifndef FQ_TRELLIS_NEON_H
#define FQ_TRELLIS_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE uint8x16_t multiply(uint8x16_t byte, const uint8_t table[2][16]) {
    return veorq_u8(vqtbl1q_u8(vld1q_u8(table[0]), vandq_u8(byte, vdupq_n_u8(15))),
                    vqtbl1q_u8(vld1q_u8(table[1]), vshrq_n_u8(byte, 4)));
}

/* Bytes level[label] of labels of at most `bits` bits, 6 to 8: an index beyond a table gives zero, or keeps
 * what stood there. */
static ALWAYS_INLINE uint8x16_t look_up(const uint8_t *level, uint8x16_t label, unsigned bits) {
    uint8x16_t found = vqtbl4q_u8(vld1q_u8_x4(level), label);
    if (bits > 6)
        found = vqtbx4q_u8(found, vld1q_u8_x4(level + 64), vsubq_u8(label, vdupq_n_u8(64)));
    if (bits > 7) {
        found = vqtbx4q_u8(found, vld1q_u8_x4(level + 128), vsubq_u8(label, vdupq_n_u8(128)));
        found = vqtbx4q_u8(found, vld1q_u8_x4(level + 192), vsubq_u8(label, vdupq_n_u8(192)));
    }
    return found;
}

#endif
