/* Claim 11. m = d/k indices below N take m ceil(log2 N) bits packed one by one, and the least W with
 * 2^W >= N^m as one integer: m log2 N <= W < m log2 N + 1, the least that any fixed-size code of them can
 * take. So with every N >= 2 the available rates leave gaps of at most
 *   1/k (bits; attained between powers of two)   and   ceil(m log2(3/2)) / d (radix) bits a coordinate.
 *
 * Check: W of core's packing against ball arithmetic's m log2 N on both sides, at random (d, k, N), and
 * equality at powers of two. Gaps below 4 bits by exact integers over every N up to where one more word
 * costs at most a bit a vector: ceil(x + y) - ceil(x) <= ceil(y), and m log2(1 + 1/N) <= 1 from N = 2m on.
 * The largest step W is ceil(m log2(3/2)): m log2(3/2) < W < m log2(3/2) + 1 in ball arithmetic. Not covered:
 * the norm's bits; rates between the gaps by mixing codes. */
#include "claim_balls.h"
#include "packing.h"
#include "stream_ranges.h"

typedef struct setting {
    long count, radix, bits, offset;
    fq_perturbation perturbation;
} setting;

static fq_ball information(fq_balls *w, const setting *p) {
    const fq_ball log2_radix = fq_ball_divide(w, fq_ball_log(w, fq_ball_integer(w, p->radix)),
                                              fq_ball_log(w, fq_ball_integer(w, 2)));
    const fq_ball exact = fq_ball_multiply(w, fq_ball_integer(w, p->count), log2_radix);
    return fq_ball_multiply(w, exact, fq_ball_double(w, p->perturbation.constant));
}

static void bits_against_information(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, p->bits);
    *right = fq_ball_add(w, information(w, p), fq_ball_integer(w, p->offset));
}

static fq_status emit_bits(fq_claim_context *context, const char *series, fq_relation relation, size_t d,
                           size_t k, setting p) {
    fq_evidence row;
    fq_evidence_init(&row, series, "d=%zu k=%zu N=%ld", d, k, p.radix);
    row.dim = (double)d;
    row.block = (double)k;
    row.codewords = (double)p.radix;
    row.rate = (double)p.bits / (double)d;
    row.relation = relation;
    row.least = 0;
    row.tolerance = 1e-12;
    row.seed = context->seed;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, bits_against_information, &p);
}

static fq_status check_bits(fq_claim_context *context, size_t d, size_t k, uint32_t radix) {
    fq_packing_plan plan;
    FQ_TRY(fq_packing_plan_init(&plan, FQ_PACK_RADIX, d / k, radix));
    const setting p = {.count = (long)(d / k), .radix = (long)radix, .bits = (long)plan.bits};
    setting above = p;
    above.offset = 1;
    if ((radix & (radix - 1)) == 0)
        return emit_bits(context, "radix_at_power_of_two", FQ_RELATION_EQUAL, d, k, p);
    FQ_TRY(emit_bits(context, "radix_holds_all", FQ_RELATION_GREATER, d, k, p));
    return emit_bits(context, "radix_within_one_bit", FQ_RELATION_LESS, d, k, above);
}

/* Largest step in bits a vector between neighbouring N >= 2 with rate below 4. */
static fq_status largest_step(size_t *step, fq_packing kind, size_t d, size_t k) {
    const size_t m = d / k;
    const size_t top = 4 * k >= 20 ? (size_t)FQ_PACKING_RADIX_MAX : (size_t)1 << (4 * k);
    const size_t last = kind == FQ_PACK_RADIX && 2 * m + 2 < top ? 2 * m + 2 : top;
    fq_packing_plan plan;
    FQ_TRY(fq_packing_plan_init(&plan, kind, m, 2));
    *step = 1;
    for (size_t n = 3; n <= last; n++) {
        const size_t before = plan.bits;
        FQ_TRY(fq_packing_plan_init(&plan, kind, m, (uint32_t)n));
        if (plan.bits - before > *step)
            *step = plan.bits - before;
    }
    return FQ_OK;
}

/* Whole numbers on both sides, as exact balls. */
static void step_against_whole(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, p->bits);
    *right = fq_ball_multiply(w, fq_ball_integer(w, p->count), fq_ball_double(w, p->perturbation.constant));
}

/* m log2(3/2) + offset. */
static void step_against_ratio(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball log2_ratio =
        fq_ball_divide(w, fq_ball_log(w, fq_ball_ratio(w, 3, 2)), fq_ball_log(w, fq_ball_integer(w, 2)));
    const fq_ball exact = fq_ball_multiply(w, fq_ball_integer(w, p->count), log2_ratio);
    *left = fq_ball_integer(w, p->bits);
    *right = fq_ball_add(w, fq_ball_multiply(w, exact, fq_ball_double(w, p->perturbation.constant)),
                         fq_ball_integer(w, p->offset));
}

static void describe_step(fq_evidence *row, const char *series, size_t d, size_t k) {
    fq_evidence_init(row, series, "d=%zu k=%zu", d, k);
    row->dim = (double)d;
    row->block = (double)k;
}

static fq_status emit_step(fq_claim_context *context, const char *series, fq_ball_sides sides,
                           fq_relation relation, size_t d, size_t k, setting p) {
    fq_evidence row;
    describe_step(&row, series, d, k);
    row.relation = relation;
    row.least = 0;
    row.tolerance = 1e-12;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

/* The largest radix step is ceil(m log2(3/2)), which is no whole number: above it and within one bit. */
static fq_status check_gaps(fq_claim_context *context, size_t d, size_t k) {
    size_t bits, radix;
    const long m = (long)(d / k);
    FQ_TRY(largest_step(&bits, FQ_PACK_BITS, d, k));
    FQ_TRY(largest_step(&radix, FQ_PACK_RADIX, d, k));
    const setting plain = {.count = m, .bits = (long)bits};
    const setting joint = {.count = m, .bits = (long)radix},
                  above = {.count = m, .bits = (long)radix, .offset = 1};
    FQ_TRY(emit_step(context, "largest_step_bits", step_against_whole, FQ_RELATION_EQUAL, d, k, plain));
    FQ_TRY(
        emit_step(context, "largest_step_radix_least", step_against_ratio, FQ_RELATION_GREATER, d, k, joint));
    FQ_TRY(emit_step(context, "largest_step_radix_most", step_against_ratio, FQ_RELATION_LESS, d, k, above));
    if (d / k >= 3)
        FQ_TRY(emit_step(context, "radix_is_denser", step_against_whole, FQ_RELATION_LESS, d, k,
                         (setting){.count = (long)bits, .bits = (long)radix}));
    fq_evidence row;
    describe_step(&row, "largest_gap_radix", d, k);
    row.left = (double)radix / (double)d;
    row.left_error = 0;
    return fq_claim_emit(context, &row);
}

static fq_status run(fq_claim_context *context) {
    static const size_t dims[] = {64, 128, 256};
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_RATES, 0);
    for (int i = 0; i < (context->quick ? 60 : 600); i++) {
        const size_t d = dims[fq_stream_below(&stream, 3)], k = (size_t)1 << fq_stream_below(&stream, 6);
        const uint64_t log2_n = 1 + fq_stream_below(&stream, 20);
        const uint64_t n =
            i % 4 ? 2 + fq_stream_below(&stream, ((uint64_t)1 << log2_n) - 1) : (uint64_t)1 << log2_n;
        FQ_TRY(check_bits(context, d, k, (uint32_t)n));
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 1; k <= 32; k *= 2)
            FQ_TRY(check_gaps(context, dims[i], k));
    for (size_t k = 3; k <= 24; k *= 2) { /* dimensions that are no power of two */
        FQ_TRY(check_gaps(context, 96, k));
        FQ_TRY(check_bits(context, 96, k, 3));
    }
    return FQ_OK;
}

static const fq_series series[] = {
    {"radix_at_power_of_two", FQ_PART_STATEMENT,
     "bits of d/k indices as one integer, N a power of two = (d/k) log2 N"},
    {"radix_holds_all", FQ_PART_STATEMENT, "bits of d/k indices as one integer, above (d/k) log2 N"},
    {"radix_within_one_bit", FQ_PART_STATEMENT, "bits of d/k indices as one integer, below (d/k) log2 N + 1"},
    {"largest_step_bits", FQ_PART_STATEMENT,
     "largest step of bits a vector between neighbouring N, indices packed one by one = d/k"},
    {"largest_step_radix_least", FQ_PART_STATEMENT, "the same as one integer, above (d/k) log2(3/2)"},
    {"largest_step_radix_most", FQ_PART_STATEMENT, "the same as one integer, below (d/k) log2(3/2) + 1"},
    {"radix_is_denser", FQ_PART_STATEMENT, "largest step as one integer, below that one by one"},
    {"largest_gap_radix", FQ_PART_STATEMENT, "largest gap between available rates, bits a coordinate"},
    {0},
};

const fq_claim fq_claim_rates = {
    .number = 11,
    .id = "rates",
    .title = "Bits of both packings and the density of the rate axis",
    .statement = "d/k indices below N take (d/k) ceil(log2 N) bits one by one and fewer than "
                 "(d/k) log2 N + 1 as one integer; the largest gap between available rates is 1/k and "
                 "ceil((d/k) log2 1.5)/d bits a coordinate.",
    .domain = "k divides d, 2 <= N <= 2^20, rates below 4 bits",
    .citation = "Lee and Kim 2026 (rate log2(N)/k); the packings are this program's",
    .checked = "The packed size against (d/k) log2 N in ball arithmetic at random (d, k, N), and every step "
               "between neighbouring N in exact integers.",
    .not_covered = "Stored norms, and rounding of a vector's bits up to bytes.",
    .series = series,
    .run = run,
};
