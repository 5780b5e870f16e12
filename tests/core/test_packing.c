#include <math.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "packing.h"
#include "stream.h"

/* The definition, one bit of the integer at a time: schoolbook arithmetic on an array of bits. */
static void pack_naive(uint8_t *bytes, size_t n_bytes, const fq_packing_plan *plan, const uint32_t *index) {
    memset(bytes, 0, n_bytes);
    for (size_t i = plan->count; i-- > 0;) { /* integer = integer * factor + index */
        const uint64_t factor = plan->kind == FQ_PACK_RADIX ? plan->radix : (uint64_t)1 << plan->width;
        uint64_t carry = index[i];
        for (size_t b = 0; b < n_bytes; b++) {
            carry += bytes[b] * factor;
            bytes[b] = (uint8_t)carry;
            carry >>= 8;
        }
        FQ_CHECK(carry == 0);
    }
}

static void check_round_trip(fq_packing kind, size_t count, uint32_t radix, uint64_t test) {
    fq_packing_plan plan;
    if (!FQ_CHECK_OK(fq_packing_plan_init(&plan, kind, count, radix)))
        return;
    uint32_t *index = NULL, *back = NULL;
    uint8_t *bytes = NULL, *naive = NULL;
    if (!FQ_CHECK_OK(fq_alloc(&index, count, sizeof *index)) ||
        !FQ_CHECK_OK(fq_alloc(&back, count, sizeof *back)) ||
        !FQ_CHECK_OK(fq_alloc(&bytes, plan.bytes + 2, 1)) || !FQ_CHECK_OK(fq_alloc(&naive, plan.bytes, 1)))
        return;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, test);
    for (int pattern = 0; pattern < 4; pattern++) { /* all 0, all N-1, random, sparse random */
        for (size_t i = 0; i < count; i++)
            index[i] = pattern == 0                                  ? 0
                       : pattern == 1                                ? radix - 1
                       : pattern == 2 || fq_stream_below(&s, 5) == 0 ? (uint32_t)fq_stream_below(&s, radix)
                                                                     : 0;
        memset(bytes, 0xa5, plan.bytes + 2);
        fq_packing_pack(&plan, bytes + 1, index); /* an odd address */
        FQ_CHECK(bytes[0] == 0xa5 && bytes[plan.bytes + 1] == 0xa5);
        pack_naive(naive, plan.bytes, &plan, index);
        FQ_CHECK(memcmp(naive, bytes + 1, plan.bytes) == 0);
        FQ_CHECK(fq_packing_unpack(&plan, back, bytes + 1));
        FQ_CHECK(memcmp(index, back, count * sizeof *index) == 0);
    }
    fq_free(naive);
    fq_free(bytes);
    fq_free(back);
    fq_free(index);
}

static void every_codebook_size_up_to_300(void) {
    const size_t counts[] = {1, 2, 3, 8, 16, 21, 32, 64, 128};
    for (uint32_t radix = 1; radix <= 300; radix++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (int kind = 0; kind < 2; kind++)
                check_round_trip((fq_packing)kind, counts[c], radix, radix * 100 + c);
}

static void large_codebooks(void) {
    const uint32_t radices[] = {511,  512,   513,   625,   1000,  1023,    1025,
                                4095, 32767, 65535, 65536, 65537, 1048575, 1048576};
    const size_t counts[] = {0, 1, 4, 7, 33, 257};
    for (size_t r = 0; r < sizeof radices / sizeof radices[0]; r++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (int kind = 0; kind < 2; kind++)
                check_round_trip((fq_packing)kind, counts[c], radices[r], 50000 + r * 100 + c);
    check_round_trip(FQ_PACK_RADIX, 4096, 3, 60000);
    check_round_trip(FQ_PACK_RADIX, 1024, 1048575, 60001);
}

/* All integers of a small layout: exactly N^m byte patterns are accepted, all different tuples. */
static void every_byte_pattern_is_accepted_once_or_refused(void) {
    const uint32_t cases[][2] = {{3, 7}, {5, 5}, {7, 5}, {255, 2}, {10, 4}, {2, 9}, {6, 6}, {1, 5}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        for (int kind = 0; kind < 2; kind++) {
            fq_packing_plan plan;
            const uint32_t radix = cases[c][0], count = cases[c][1];
            if (!FQ_CHECK_OK(fq_packing_plan_init(&plan, (fq_packing)kind, count, radix)) ||
                !FQ_CHECK(plan.bytes <= 3))
                return;
            size_t accepted = 0, wrong = 0;
            for (uint32_t integer = 0; integer < 1u << 8 * plan.bytes; integer++) {
                uint8_t bytes[4], again[4] = {0};
                uint32_t index[9];
                for (int b = 0; b < 4; b++)
                    bytes[b] = (uint8_t)(integer >> 8 * b);
                if (!fq_packing_unpack(&plan, index, bytes))
                    continue;
                accepted++;
                for (size_t i = 0; i < count; i++)
                    wrong += index[i] >= radix;
                fq_packing_pack(&plan, again, index);
                wrong += memcmp(bytes, again, plan.bytes) != 0;
            }
            FQ_CHECK(wrong == 0);
            FQ_CHECK(accepted == (size_t)llround(pow(radix, count)));
        }
    }
}

/* Width against the logarithm, which decides it unless log2 N^m is within 1e-6 of an integer, and
 * against exact 64-bit powers where they fit. */
static void widths_are_the_smallest_possible(void) {
    for (uint32_t radix = 2; radix <= 1048576; radix = radix < 300 ? radix + 1 : radix * 7 / 5) {
        for (size_t count = 1; count <= 128; count += count < 20 ? 1 : 12) {
            fq_packing_plan bits, packed;
            if (!FQ_CHECK_OK(fq_packing_plan_init(&bits, FQ_PACK_BITS, count, radix)) ||
                !FQ_CHECK_OK(fq_packing_plan_init(&packed, FQ_PACK_RADIX, count, radix)))
                return;
            const double exact = (double)count * log2(radix);
            FQ_CHECK(bits.bits == count * (size_t)ceil(log2(radix) - 1e-12));
            FQ_CHECK((double)packed.bits > exact - 1e-6 && (double)packed.bits < exact + 1 + 1e-6);
            FQ_CHECK(packed.bits <= bits.bits && packed.bytes == (packed.bits + 7) / 8);
            if (exact < 63) {
                uint64_t power = 1;
                for (size_t i = 0; i < count; i++)
                    power *= radix;
                FQ_CHECK((uint64_t)1 << packed.bits >= power);
                FQ_CHECK(packed.bits == 0 || (uint64_t)1 << (packed.bits - 1) < power);
            }
        }
    }
    /* Known exactly: 3^5 = 243 <= 2^8, 3^17 = 129140163 <= 2^27; 5^28 just exceeds 2^65. */
    fq_packing_plan plan;
    FQ_CHECK_OK(fq_packing_plan_init(&plan, FQ_PACK_RADIX, 5, 3));
    FQ_CHECK(plan.bits == 8);
    FQ_CHECK_OK(fq_packing_plan_init(&plan, FQ_PACK_RADIX, 17, 3));
    FQ_CHECK(plan.bits == 27);
    FQ_CHECK_OK(fq_packing_plan_init(&plan, FQ_PACK_RADIX, 28, 5));
    FQ_CHECK(plan.bits == 66);
}

static void bad_plans_are_refused(void) {
    fq_packing_plan plan;
    FQ_CHECK_FAILS(fq_packing_plan_init(&plan, FQ_PACK_BITS, 4, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_packing_plan_init(&plan, FQ_PACK_BITS, 4, 1048577), FQ_ERR_ARGUMENT);
    FQ_CHECK(fq_error_last()->value == 1048577);
    FQ_CHECK_FAILS(fq_packing_plan_init(&plan, FQ_PACK_BITS, 16385, 4), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_packing_plan_init(&plan, (fq_packing)7, 4, 4), FQ_ERR_ARGUMENT);
}

static const fq_test tests[] = {
    {"every codebook size up to 300", every_codebook_size_up_to_300},
    {"large codebooks", large_codebooks},
    {"every byte pattern is accepted once or refused", every_byte_pattern_is_accepted_once_or_refused},
    {"widths are the smallest possible", widths_are_the_smallest_possible},
    {"bad plans are refused", bad_plans_are_refused},
    {0},
};
const fq_suite fq_suite_packing = {"packing", tests};
