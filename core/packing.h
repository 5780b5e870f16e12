/* A fixed number of indices below N as a fixed number of bits.
 *
 * m indices i_0..i_{m-1}, each in 0..N-1, become one integer of W bits, written little-endian (bit t
 * of the integer is bit t mod 8 of byte t/8), the rest of the last byte zero:
 *   bits   sum_j i_j 2^(w j),  w = smallest with 2^w >= N,    W = m w
 *   radix  sum_j i_j N^j,      W = smallest with 2^W >= N^m,  so W < m log2 N + 1
 * At a power of two both are the same bytes. N = 1 takes no bits. W is found in exact integer
 * arithmetic. A packing is a plain value: copy it, share it between threads.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_PACKING_H
#define FQ_PACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "size_limits.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fq_packing { FQ_PACK_BITS = 0, FQ_PACK_RADIX = 1 } fq_packing;

typedef struct fq_packing_plan {
    fq_packing kind; /* FQ_PACK_BITS whenever N is a power of two: the bytes are the same */
    size_t count;    /* m */
    uint32_t radix;  /* N */
    unsigned width;  /* w, bits of one index in the bits layout */
    size_t bits;     /* W */
    size_t bytes;    /* W/8 rounded up */
    /* radix only: digits are taken `group` at a time, base N^group just below 2^64, divided by its
     * reciprocal (Moeller and Granlund, Improved division by invariant integers, 2011) */
    unsigned group;
    uint64_t group_base; /* N^group */
    uint64_t last_base;  /* N^(m mod group), or group_base if that is 0 */
    unsigned shift;      /* leading zeros of group_base */
    uint64_t reciprocal; /* of group_base 2^shift */
} fq_packing_plan;

/* 0 <= count <= FQ_PACKING_COUNT_MAX, 1 <= radix <= FQ_PACKING_RADIX_MAX.
 * Cost of the radix layout: (W/64)^2 multiplications, once. */
FQ_MUST_CHECK fq_status fq_packing_plan_init(fq_packing_plan *plan, fq_packing kind, size_t count,
                                             uint32_t radix);

/* bytes[plan->bytes] from index[count]; every index must be below N (asserted). Cost: count steps
 * for bits; for radix count + (W/64)^2/2 multiplications. */
void fq_packing_pack(const fq_packing_plan *plan, uint8_t *bytes, const uint32_t *index);

/* The inverse. False if the bytes are not what pack writes for any indices: an index of N or more,
 * an integer of N^m or more, or padding bits set; index is then undefined. */
FQ_MUST_CHECK bool fq_packing_unpack(const fq_packing_plan *plan, uint32_t *index, const uint8_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
