#include "packing.h"

#include <assert.h>
#include <string.h>

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

fq_status fq_packing_plan_init(fq_packing_plan *plan, fq_packing kind, size_t count,
                               uint32_t radix) {
    if (kind != FQ_PACK_BITS && kind != FQ_PACK_RADIX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kind", kind, "FQ_PACK_BITS or FQ_PACK_RADIX");
    if (count > FQ_PACKING_COUNT_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "count", count, "0 to 16384");
    if (radix < 1 || radix > FQ_PACKING_RADIX_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "radix", radix, "1 to 1048576");
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

static void pack_bits(const fq_packing_plan *plan, uint8_t *bytes, const uint32_t *index) {
    const unsigned width = plan->width;
    uint64_t waiting = 0; /* at most 31 bits before each turn, 51 after */
    unsigned held = 0;
    for (size_t i = 0; i < plan->count; i++) {
        assert(index[i] < plan->radix);
        waiting |= (uint64_t)index[i] << held;
        held += width;
        if (held >= 32) {
            for (int b = 0; b < 4; b++)
                *bytes++ = (uint8_t)(waiting >> 8 * b);
            waiting >>= 32;
            held -= 32;
        }
    }
    for (; held; held = held > 8 ? held - 8 : 0, waiting >>= 8)
        *bytes++ = (uint8_t)waiting;
}

static bool unpack_bits(const fq_packing_plan *plan, uint32_t *index, const uint8_t *bytes) {
    const unsigned width = plan->width;
    const uint32_t mask = (uint32_t)((1u << width) - 1);
    const uint8_t *end = bytes + plan->bytes;
    uint64_t waiting = 0;
    unsigned held = 0;
    uint32_t worst = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (held < width) {
            if (end - bytes >= 4) {
                waiting |= ((uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
                            (uint64_t)bytes[3] << 24)
                           << held;
                bytes += 4;
                held += 32;
            } else {
                for (; bytes < end; held += 8)
                    waiting |= (uint64_t)*bytes++ << held;
            }
        }
        index[i] = (uint32_t)waiting & mask;
        worst = index[i] > worst ? index[i] : worst;
        waiting >>= width;
        held -= width;
    }
    return worst < plan->radix && waiting == 0;
}

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
