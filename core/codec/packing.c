#include "packing.h"

#include <assert.h>
#include <string.h>

#include "vector_kernels.h"

__extension__ typedef unsigned __int128 wide;

/* Limbs of the largest integer: FQ_PACKING_COUNT_MAX indices of 20 bits, and one for carries. */
enum { LIMBS_MAX = FQ_PACKING_COUNT_MAX * 20 / 64 + 1 };

/* limb[0..used) = limb * factor + addend; returns the new number of limbs. */
static size_t multiply_add(uint64_t *limb, size_t used, uint64_t factor, uint64_t addend) {
    uint64_t carry = addend;
    for (size_t i = 0; i < used; i++) {
        const wide product = (wide)limb[i] * factor + carry;
        limb[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry)
        limb[used++] = carry;
    return used;
}

/* Bits of radix^count - 1, the largest integer to be stored. */
static size_t radix_bits(size_t count, uint32_t radix) {
    uint64_t limb[LIMBS_MAX + 1];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) /* Horner with every digit at its largest */
        used = multiply_add(limb, used, radix, radix - 1);
    if (used == 0)
        return 0;
    return used * 64 - (size_t)__builtin_clzll(limb[used - 1]);
}

fq_status fq_packing_plan_init(fq_packing_plan *plan, fq_packing kind, size_t count, uint32_t radix) {
    if (kind != FQ_PACK_BITS && kind != FQ_PACK_RADIX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kind", kind, "FQ_PACK_BITS or FQ_PACK_RADIX");
    FQ_TRY(fq_check_size("count", count, 0, FQ_PACKING_COUNT_MAX));
    FQ_TRY(fq_check_size("radix", radix, 1, FQ_PACKING_RADIX_MAX));
    *plan = (fq_packing_plan){.kind = kind, .count = count, .radix = radix};
    while ((1u << plan->width) < radix)
        plan->width++;
    if ((1u << plan->width) == radix)
        plan->kind = FQ_PACK_BITS;
    if (plan->kind == FQ_PACK_BITS) {
        plan->bits = count * plan->width;
    } else {
        plan->bits = radix_bits(count, radix);
        plan->group_base = radix;
        plan->group = 1;
        while (plan->group_base <= UINT64_MAX / radix) {
            plan->group_base *= radix;
            plan->group++;
        }
        plan->last_base = 1;
        for (size_t i = 0; i < (count % plan->group ? count % plan->group : plan->group); i++)
            plan->last_base *= radix;
        plan->shift = (unsigned)__builtin_clzll(plan->group_base);
        const uint64_t normalised = plan->group_base << plan->shift;
        plan->reciprocal = (uint64_t)(((wide)~normalised << 64 | UINT64_MAX) / normalised);
    }
    plan->bytes = (plan->bits + 7) / 8;
    return FQ_OK;
}

/* Limbs as little-endian bytes and back, whatever the machine's own order. */
static void store_limbs(uint8_t *bytes, size_t n, const uint64_t *limb) {
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(limb[i / 8] >> (i % 8 * 8));
}

static void load_limbs(uint64_t *limb, const uint8_t *bytes, size_t n) {
    memset(limb, 0, (n + 7) / 8 * 8);
    for (size_t i = 0; i < n; i++)
        limb[i / 8] |= (uint64_t)bytes[i] << (i % 8 * 8);
}

static bool all_below(const uint32_t *index, size_t count, uint32_t radix) {
    uint32_t any = 0, beyond = 0;
    if ((radix & (radix - 1)) == 0) {
        for (size_t i = 0; i < count; i++)
            any |= index[i];
        return any < radix;
    }
    for (size_t i = 0; i < count; i++) /* the top bit is set for N or more: N is at most 2^20 */
        beyond |= index[i] | (radix - 1 - index[i]);
    return beyond >> 31 == 0;
}

static uint64_t little_endian(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* The low n bytes of word, n <= 8. */
static inline void store_bytes(uint8_t *bytes, uint64_t word, size_t n) {
    word = little_endian(word);
    memcpy(bytes, &word, n);
}

/* The first n bytes as a number, n <= 8. */
static inline uint64_t load_bytes(const uint8_t *bytes, size_t n) {
    uint64_t word = 0;
    memcpy(&word, bytes, n);
    return little_endian(word);
}

/* Eight indices of up to 8 bits, side by side. */
static inline uint64_t join_eight(const uint32_t *index, unsigned width) {
    const uint64_t a = index[0] | (uint64_t)index[1] << width, b = index[2] | (uint64_t)index[3] << width;
    const uint64_t c = index[4] | (uint64_t)index[5] << width, d = index[6] | (uint64_t)index[7] << width;
    return (a | b << 2 * width) | (c | d << 2 * width) << 4 * width;
}

static inline void split_eight(uint32_t *index, uint64_t word, unsigned width) {
    const uint32_t mask = (uint32_t)((1U << width) - 1);
    for (unsigned i = 0; i < 8; i++)
        index[i] = (uint32_t)(word >> i * width) & mask;
}

/* What is left below eight indices, or all of them when they have more than 8 bits. */
static void pack_some(uint8_t *bytes, const uint32_t *index, size_t count, unsigned width) {
    uint64_t waiting = 0; /* at most 31 bits before each turn, 51 after */
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        waiting |= (uint64_t)index[i] << held;
        held += width;
        if (held >= 32) {
            store_bytes(bytes, waiting, 4);
            bytes += 4;
            waiting >>= 32;
            held -= 32;
        }
    }
    for (; held; held = held > 8 ? held - 8 : 0, waiting >>= 8)
        *bytes++ = (uint8_t)waiting;
}

/* Indices of up to 8 bits: eight of them are `width` whole bytes. Stores of eight bytes run over what follows
 * as long as it is the same code's. */
static inline void pack_narrow(uint8_t *bytes, const uint8_t *end, const uint32_t *index, size_t count,
                               unsigned width) {
    size_t i = 0;
    for (; i + 8 <= count && end - bytes >= 8; i += 8, bytes += width)
        store_bytes(bytes, join_eight(index + i, width), 8);
    for (; i + 8 <= count; i += 8, bytes += width)
        store_bytes(bytes, join_eight(index + i, width), width);
    pack_some(bytes, index + i, count - i, width);
}

static inline void unpack_narrow(uint32_t *index, const uint8_t *bytes, const uint8_t *end, size_t count,
                                 unsigned width) {
    size_t i = 0;
    for (; i + 8 <= count && end - bytes >= 8; i += 8, bytes += width)
        split_eight(index + i, load_bytes(bytes, 8), width);
    for (; i + 8 <= count; i += 8, bytes += width)
        split_eight(index + i, load_bytes(bytes, width), width);
    const uint32_t mask = (uint32_t)((1U << width) - 1);
    uint64_t rest = load_bytes(bytes, (size_t)(end - bytes)); /* of fewer than eight indices */
    for (; i < count; i++, rest >>= width)
        index[i] = (uint32_t)rest & mask;
}

/* Each index from the eight bytes around it. */
static void unpack_wide(uint32_t *index, const uint8_t *bytes, size_t n_bytes, size_t count, unsigned width) {
    const uint32_t mask = (uint32_t)((1U << width) - 1);
    const size_t window = n_bytes < 8 ? n_bytes : 8, last = n_bytes - window;
    for (size_t i = 0; i < count; i++) {
        const size_t bit = i * width, at = bit / 8 < last ? bit / 8 : last;
        index[i] = (uint32_t)(load_bytes(bytes + at, window) >> (bit - 8 * at)) & mask;
    }
}

/* Indices of whole bits side by side: by vectors as far as these take them, then 32 bits at a time. */
static void pack_bits(const fq_packing_plan *plan, uint8_t *bytes, const uint32_t *index) {
    const uint8_t *const end = bytes + plan->bytes;
    const unsigned width = plan->width;
    size_t count = plan->count;
    assert(all_below(index, count, plan->radix));
    if (width && 8 % width == 0) {
        const size_t done = fq_vector_kernels_best()->pack(bytes, index, count, width);
        bytes += done / 8 * width;
        index += done;
        count -= done;
        if (count == 0)
            return;
    }
    switch (width) { /* the usual ones for the compiler to know */
    case 0:
        break;
    case 1:
        pack_narrow(bytes, end, index, count, 1);
        break;
    case 2:
        pack_narrow(bytes, end, index, count, 2);
        break;
    case 4:
        pack_narrow(bytes, end, index, count, 4);
        break;
    case 8:
        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)index[i];
        break;
    default:
        if (width < 8)
            pack_narrow(bytes, end, index, count, width);
        else
            pack_some(bytes, index, count, width);
    }
}

/* Takes them apart again; false if an index is N or more or a padding bit is set. */
static bool unpack_bits(const fq_packing_plan *plan, uint32_t *index, const uint8_t *bytes) {
    const uint8_t *const end = bytes + plan->bytes;
    const size_t count = plan->count;
    switch (plan->width) {
    case 0:
        memset(index, 0, count * sizeof *index);
        return true;
    case 1:
        unpack_narrow(index, bytes, end, count, 1);
        break;
    case 2:
        unpack_narrow(index, bytes, end, count, 2);
        break;
    case 4:
        unpack_narrow(index, bytes, end, count, 4);
        break;
    case 8:
        for (size_t i = 0; i < count; i++)
            index[i] = bytes[i];
        break;
    default:
        if (plan->width < 8)
            unpack_narrow(index, bytes, end, count, plan->width);
        else
            unpack_wide(index, bytes, plan->bytes, count, plan->width);
    }
    return all_below(index, count, plan->radix) && (plan->bits % 8 == 0 || end[-1] >> plan->bits % 8 == 0);
}

/* As many indices as 64 bits hold are one number; these are the digits of one long number. */
static void pack_radix(const fq_packing_plan *plan, uint8_t *bytes, const uint32_t *index) {
    uint64_t limb[LIMBS_MAX + 1];
    const size_t groups = (plan->count + plan->group - 1) / plan->group;
    size_t used = 0;
    for (size_t g = groups; g-- > 0;) { /* Horner from the most significant group of digits */
        const size_t first = g * plan->group;
        size_t end = first + plan->group;
        if (end > plan->count)
            end = plan->count;
        uint64_t digits = 0;
        for (size_t i = end; i-- > first;) {
            assert(index[i] < plan->radix);
            digits = digits * plan->radix + index[i];
        }
        used = multiply_add(limb, used, plan->group_base, digits);
    }
    memset(limb + used, 0, ((plan->bits + 63) / 64 - used) * sizeof *limb);
    store_limbs(bytes, plan->bytes, limb);
}

/* Divides limb[0..used) by group_base in place, returns the remainder. */
static uint64_t divide(const fq_packing_plan *plan, uint64_t *limb, size_t used) {
    const unsigned shift = plan->shift;
    const uint64_t divisor = plan->group_base << shift;
    uint64_t rest = shift ? limb[used - 1] >> (64 - shift) : 0; /* rest < divisor throughout */
    for (size_t i = used; i-- > 0;) {
        uint64_t low = limb[i] << shift;
        if (shift && i)
            low |= limb[i - 1] >> (64 - shift);
        const wide estimate = (wide)plan->reciprocal * rest + ((wide)rest << 64 | low);
        uint64_t quotient = (uint64_t)(estimate >> 64) + 1;
        rest = low - quotient * divisor;
        if (rest > (uint64_t)estimate) {
            quotient--;
            rest += divisor;
        }
        if (rest >= divisor) {
            quotient++;
            rest -= divisor;
        }
        limb[i] = quotient;
    }
    return rest >> shift;
}

/* Divides the long number by the base of a group again and again; false for a number too large. */
static bool unpack_radix(const fq_packing_plan *plan, uint32_t *index, const uint8_t *bytes) {
    uint64_t limb[LIMBS_MAX + 1];
    size_t used = (plan->bits + 63) / 64;
    load_limbs(limb, bytes, plan->bytes);
    for (size_t first = 0; first < plan->count; first += plan->group) {
        const bool last = first + plan->group >= plan->count;
        const size_t end = last ? plan->count : first + plan->group;
        uint64_t digits;
        if (last) { /* what is left must be below N^(digits left), bits beyond W included */
            if (used > 1 || (used == 1 && plan->last_base <= limb[0]))
                return false;
            digits = used ? limb[0] : 0;
        } else {
            digits = used ? divide(plan, limb, used) : 0;
        }
        while (used && limb[used - 1] == 0)
            used--;
        for (size_t i = first; i < end; i++) {
            index[i] = (uint32_t)(digits % plan->radix);
            digits /= plan->radix;
        }
    }
    return true;
}

void fq_packing_pack(const fq_packing_plan *plan, uint8_t *bytes, const uint32_t *index) {
    if (plan->kind == FQ_PACK_RADIX)
        pack_radix(plan, bytes, index);
    else
        pack_bits(plan, bytes, index);
}

bool fq_packing_unpack(const fq_packing_plan *plan, uint32_t *index, const uint8_t *bytes) {
    if (plan->kind == FQ_PACK_RADIX)
        return unpack_radix(plan, index, bytes);
    return unpack_bits(plan, index, bytes);
}
