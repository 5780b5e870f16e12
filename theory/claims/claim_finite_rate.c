/* Claim 6. N^{2/k} D(N) tends to d G_k ||f_{d,k}||_{k/(k+2)} as N grows, k fixed (Zador); no code of rate b
 * has D below the Shannon bound d exp(2h/k)/(2 pi e) 4^-b.
 *
 * Check, k = 1: the optimal D at L = 2..64 levels, from an enclosure of the optimal thresholds, in ball
 * arithmetic: L^2 D rises towards its limit from below, the gap shrinking by more than a quarter at each
 * doubling; by quadrature on to L = 4096, where the gap is 1/L to within a tenth. k = 2, 3, 4: trained codes
 * measured on fresh samples: N^{2/k} D rises, and the last of each ladder is within 8 per cent of the limit
 * with the best known cell (G_3 and G_4 are best known, not proved). A trained code is not the optimal one
 * and can lie above the limit: (2,1024) does, by 1 to 2 per cent. The distance of each code from the limit
 * and from the Shannon bound is reported. The high-rate formula with the sphere bound for G_k, below which no
 * limit can be, exceeds the Shannon bound: in ball arithmetic. core's and theory's doubles agree with the
 * balls. Every cell constant G_k of gains.h is measured anew: uniform points of a
 * fundamental region, decoded exactly (lattice_moment.h). The paper's closed-form initialisation is to have
 * the optimal point density, so that N^{2/k} D stays within twice the limit: it does for k = 2 and k >= 4,
 * not for k = 3, see F4. Stored results: every measured point handed in (verify --store FILE) is compared
 * with the Shannon bound of its block; it is refuted if it lies below by more than 6.1 standard errors; and
 * with the bound for every code of as many words (claim 15), which is far nearer. Not covered: the speed of
 * convergence for vectors, and codes larger than training can make optimal. */
#include <math.h>
#include <stdio.h>

#include "ball_cells.h"
#include "ball_formulas.h"
#include "ball_scalar.h"
#include "claim_balls.h"
#include "code_distortion.h"
#include "every_code.h"
#include "gains.h"
#include "lattice_moment.h"
#include "stream_ranges.h"

typedef struct setting {
    long d, k;
    const fq_scalar_box *box, *twice;
    fq_perturbation perturbation;
} setting;

static fq_ball limit(fq_balls *w, const setting *p, fq_ball cell) {
    return fq_ball_multiply(w, fq_ball_high_rate_limit(w, p->d, p->k, cell),
                            fq_ball_double(w, p->perturbation.constant));
}

static void scalar_margin(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_scalar_box_margin(w, p->box, (p->perturbation.constant - 1) * p->box->high[1]);
    *right = fq_ball_integer(w, 0);
}

static fq_ball scaled_optimum(fq_balls *w, const setting *p, const fq_scalar_box *box) {
    const fq_ball levels = fq_ball_integer(w, 2 * (long)box->half);
    const fq_ball power = fq_ball_power(
        w, levels, fq_ball_add(w, fq_ball_integer(w, 2), fq_ball_double(w, p->perturbation.exponent)));
    return fq_ball_multiply(w, power, fq_scalar_box_distortion(w, box));
}

static void scalar_below_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = scaled_optimum(w, p, p->box);
    *right = limit(w, p, fq_ball_ratio(w, 1, 12));
}

static void scalar_gap_shrinks(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    fq_ball end, value;
    scalar_below_limit(w, p, &value, &end);
    *left = fq_ball_subtract(w, end, scaled_optimum(w, p, p->twice));
    *right = fq_ball_multiply(w, fq_ball_ratio(w, 3, 4), fq_ball_subtract(w, end, value));
}

/* Shannon's bound over 4^-b: what a block's dependence leaves it short by. */
static void shannon_over_rate(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_shannon_bound(w, p->d, p->k, 1);
    *right = fq_ball_multiply(w, fq_ball_ratio(w, 993, 1000), fq_ball_double(w, p->perturbation.constant));
}

static void shannon_below_rate(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_shannon_bound(w, p->d, p->k, 1);
    *right = fq_ball_double(w, p->perturbation.constant);
}

static void limit_above_shannon(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = limit(w, p, fq_ball_sphere_bound(w, p->k));
    *right = fq_ball_shannon_bound(w, p->d, p->k, 1);
}

/* Only the right side is used: the left is theory's double. */
static void limit_of_cubes(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    *left = fq_ball_integer(w, 0);
    *right = limit(w, parameters, fq_ball_ratio(w, 1, 12));
}

static void shannon_at_zero(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, fq_ball_shannon_bound(w, p->d, p->k, 1),
                              fq_ball_double(w, p->perturbation.constant));
}

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series, long d, long k,
                     size_t codewords) {
    if (codewords)
        fq_evidence_init(row, series, "d=%ld k=%ld N=%zu", d, k, codewords);
    else
        fq_evidence_init(row, series, "d=%ld k=%ld", d, k);
    row->dim = (double)d;
    row->block = (double)k;
    row->codewords = codewords ? (double)codewords : (double)NAN;
    row->rate = codewords ? log2((double)codewords) / (double)k : (double)NAN;
    row->seed = context->seed;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p, size_t codewords) {
    fq_evidence row;
    describe(&row, context, series, p.d, p.k, codewords);
    row.relation = relation;
    if (sides != scalar_margin)
        row.least = 0;
    if (sides == scalar_below_limit) /* L^2 D */
        row.most = (double)codewords * (double)codewords;
    p.perturbation = context->perturbation;
    return fq_ball_emit(context, &row, sides, &p);
}

static fq_status emit_double(fq_claim_context *context, const char *series, fq_ball_sides sides, setting p,
                             double value) {
    fq_evidence row;
    describe(&row, context, series, p.d, p.k, 0);
    p.perturbation = context->perturbation;
    /* Differences of log-gammas of up to 1e4. */
    return fq_ball_emit_value(context, &row, sides, &p, value, 1e-10 * value);
}

static fq_status run_scalar(fq_claim_context *context, size_t d) {
    const size_t most = (size_t)fq_ball_reach(context->quick ? 8 : 32, 4);
    fq_scalar_box box, twice;
    FQ_TRY(fq_scalar_box_init(&box, d, 1));
    for (size_t half = 1; half <= most; half *= 2) {
        const setting p = {.d = (long)d, .k = 1, .box = &box, .twice = &twice};
        FQ_TRY(emit(context, "thresholds_enclosed", scalar_margin, FQ_RELATION_GREATER, p, 2 * half));
        FQ_TRY(emit(context, "scaled_distortion", scalar_below_limit, FQ_RELATION_LESS, p, 2 * half));
        if (2 * half <= most) {
            FQ_TRY(fq_scalar_box_init(&twice, d, 2 * half));
            FQ_TRY(emit(context, "gap_shrinks", scalar_gap_shrinks, FQ_RELATION_LESS, p, 2 * half));
            box = twice;
        }
    }
    /* On with doubles: relative gaps e(L), and e(L) L constant to within a tenth. */
    double before = 0;
    for (size_t levels = 64; levels <= 4096; levels *= 4) {
        fq_source source;
        double end, distortion;
        FQ_TRY(fq_source_init(&source, d, 1));
        FQ_TRY(fq_gains_high_rate_distortion(&end, &source, 0, 1.0 / 12));
        FQ_TRY(fq_scalar_code_distortion(&distortion, d, levels));
        const double l = (double)levels, power = pow(l, 2 + context->perturbation.exponent);
        const double gap = 1 - distortion * power / (end * context->perturbation.constant);
        if (levels > 64) {
            fq_evidence row;
            describe(&row, context, "gap_as_1_over_L", (long)d, 1, levels);
            row.relation = FQ_RELATION_LESS;
            row.left = fabs(4 * gap / before - 1);
            row.left_error = 4e-15 * l * l / before; /* rounding of D, which is E|X|^2 less E|Q|^2 */
            row.right = 0.1;
            row.right_error = 0;
            FQ_TRY(fq_claim_emit(context, &row));
        }
        before = gap;
    }
    return FQ_OK;
}

static fq_status emit_bounded(fq_claim_context *context, const char *series, const setting *p,
                              size_t codewords, const fq_code_distortion *measured, double scale,
                              fq_relation relation, double bound, double bound_se) {
    fq_evidence row;
    describe(&row, context, series, p->d, p->k, codewords);
    fq_evidence_measured(&row, context, measured->distortion, measured->se, measured->samples);
    row.left *= scale;
    row.left_error *= scale;
    row.relation = relation;
    row.right = bound;
    row.right_error = bound_se;
    return fq_claim_emit(context, &row);
}

/* Codes with N = first, 4^{k/2} first, ... words: half the spacing each time. */
static fq_status run_ladder(fq_claim_context *context, long d, long k, size_t first, size_t last) {
    const setting p = {.d = d, .k = k};
    fq_source source;
    fq_cell cell;
    double end;
    FQ_TRY(fq_source_init(&source, (size_t)d, (size_t)k));
    FQ_TRY(fq_gains_best_cell(&cell, (size_t)k));
    FQ_TRY(fq_gains_high_rate_distortion(&end, &source, 0, cell.second_moment));
    end *= context->perturbation.constant;
    double before = 0, before_se = 0;
    for (size_t n = first; n <= last; n <<= k) {
        fq_code_distortion measured;
        FQ_TRY(fq_code_distortion_of(&measured, (size_t)d, (size_t)k, n, FQ_RECIPE_POPULATION, 0.05,
                                     context->seed, context->quick ? 200000 : 1000000));
        const double rate = log2((double)n) / (double)k;
        const double scale = pow((double)n, 2 / (double)k + context->perturbation.exponent);
        if (n > first)
            FQ_TRY(emit_bounded(context, "rises_with_rate", &p, n, &measured, scale, FQ_RELATION_GREATER,
                                before, before_se));
        FQ_TRY(emit_bounded(context, "above_shannon", &p, n, &measured, 1, FQ_RELATION_GREATER,
                            fq_gains_shannon_bound(&source, rate), 0));
        FQ_TRY(emit_bounded(context, "ratio_to_limit", &p, n, &measured, scale / end, FQ_RELATION_REPORT,
                            (double)NAN, 0));
        FQ_TRY(emit_bounded(context, "ratio_to_shannon", &p, n, &measured,
                            1 / fq_gains_shannon_bound(&source, rate), FQ_RELATION_REPORT, (double)NAN, 0));
        if (n << k > last) {
            fq_evidence row;
            describe(&row, context, "near_limit", d, k, n);
            fq_evidence_measured(&row, context, measured.distortion, measured.se, measured.samples);
            row.relation = FQ_RELATION_LESS;
            row.left = fabs(row.left * scale / end - 1);
            row.left_error *= scale / end;
            row.right = 0.08;
            row.right_error = 0;
            FQ_TRY(fq_claim_emit(context, &row));
        }
        before = measured.distortion * scale;
        before_se = measured.se * scale;
    }
    return FQ_OK;
}

/* Constants of best known cells, measured anew. */
static fq_status run_cells(fq_claim_context *context) {
    static const struct {
        fq_lattice lattice;
        size_t n, cosets;
        uint64_t samples;
    } cells[] = {{FQ_LATTICE_D_PLUS, 8, 0, 400000},   {FQ_LATTICE_D_PLUS, 10, 0, 400000},
                 {FQ_LATTICE_AE9, 9, 0, 400000},      {FQ_LATTICE_COXETER, 11, 3, 400000},
                 {FQ_LATTICE_D, 4, 0, 400000},        {FQ_LATTICE_D_STAR, 5, 0, 400000},
                 {FQ_LATTICE_COXETER, 7, 4, 400000},  {FQ_LATTICE_BW16, 16, 0, 100000},
                 {FQ_LATTICE_LEECH, 24, 0, 6000},     {FQ_LATTICE_E6_STAR, 6, 0, 400000},
                 {FQ_LATTICE_D6_PAIR, 12, 0, 400000}, {FQ_LATTICE_L15_DUAL, 15, 0, 100000},
                 {FQ_LATTICE_D_STAR, 3, 0, 400000},   {FQ_LATTICE_COXETER, 2, 1, 400000}};
    const size_t count = context->quick ? 2 : sizeof cells / sizeof cells[0];
    for (size_t i = 0; i < count; i++) {
        fq_cell cell;
        fq_evidence row;
        FQ_TRY(fq_gains_best_cell(&cell, cells[i].n));
        fq_evidence_init(&row, "cell_by_samples", "k=%zu %s", cells[i].n, cell.name);
        row.block = (double)cells[i].n;
        row.relation = FQ_RELATION_EQUAL;
        row.verdict = FQ_VERDICT_MEASURED;
        row.samples = context->quick ? cells[i].samples / 10 : cells[i].samples;
        row.seed = context->seed;
        fq_lattice_moment(&row.left, &row.left_error, cells[i].lattice, cells[i].n, cells[i].cosets,
                          context->seed, row.samples);
        row.left += context->perturbation.bias * row.left_error * sqrt((double)row.samples);
        row.right = cell.second_moment;
        row.right_error = 0;
        FQ_TRY(fq_claim_emit(context, &row));
    }
    return FQ_OK;
}

/* Radius and direction of word n both follow n. */
static fq_status run_initial(fq_claim_context *context) {
    static const struct {
        long k;
        size_t codewords;
        const char *finding;
    } codes[] = {{2, 1024, ""}, {3, 512, "F4"}, {3, 64, "F4"}, {3, 4096, "F4"},
                 {2, 64, ""},   {4, 256, ""},   {4, 4096, ""}};
    const long d = 64;
    for (size_t i = 0; i < (context->quick ? 2 : sizeof codes / sizeof codes[0]); i++) {
        const setting p = {.d = d, .k = codes[i].k};
        fq_source source;
        fq_cell cell;
        fq_code_distortion measured;
        double end;
        FQ_TRY(fq_source_init(&source, (size_t)d, (size_t)p.k));
        FQ_TRY(fq_gains_best_cell(&cell, (size_t)p.k));
        FQ_TRY(fq_gains_high_rate_distortion(&end, &source, 0, cell.second_moment));
        FQ_TRY(fq_code_distortion_of(&measured, (size_t)d, (size_t)p.k, codes[i].codewords, FQ_RECIPE_INITIAL,
                                     0, context->seed, context->quick ? 50000 : 400000));
        const double scale = pow((double)codes[i].codewords, 2 / (double)p.k);
        fq_evidence row;
        describe(&row, context, "initialisation_within_twice_limit", d, p.k, codes[i].codewords);
        fq_evidence_measured(&row, context, measured.distortion, measured.se, measured.samples);
        row.relation = FQ_RELATION_LESS;
        row.left *= scale;
        row.left_error *= scale;
        row.right = 2 * end;
        row.right_error = 0;
        snprintf(row.finding, sizeof row.finding, "%s", codes[i].finding);
        FQ_TRY(fq_claim_emit(context, &row));
    }
    return FQ_OK;
}

enum { KEPT = 64 };

/* A bound for every code that is known already; dim 0: none. */
typedef struct kept_bound {
    size_t dim, block, codewords;
    double bound;
} kept_bound;

/* A stored point against the bound for every code of as many words, where the block has one and N is whole:
 * judged where the difference is beyond the point's noise, else reported. Bounds are kept: a store has many
 * points of one (d, k, N). */
static fq_status stored_against_every_code(fq_claim_context *context, const fq_claim_point *point,
                                           kept_bound *kept) {
    const double words = rint(exp2(point->rate * (double)point->block));
    if (point->block < 2 || point->block > FQ_EVERY_CODE_BLOCK_MAX || point->block >= point->dim ||
        words < 2 || words > 1 << 20 || fabs(log2(words) - point->rate * (double)point->block) > 1e-9)
        return FQ_OK;
    const size_t n = (size_t)words;
    size_t at = 0;
    while (at < KEPT - 1 && kept[at].dim &&
           !(kept[at].dim == point->dim && kept[at].block == point->block && kept[at].codewords == n))
        at++;
    if (!(kept[at].dim == point->dim && kept[at].block == point->block && kept[at].codewords == n)) {
        fq_every_code code;
        FQ_TRY(fq_every_code_init(&code, point->dim, point->block, n));
        kept[at] = (kept_bound){point->dim, point->block, n, code.bound};
    }
    const double bound = kept[at].bound, noise = 6.1 * point->distortion_se + 1e-7 * bound;
    const bool judged = fabs(point->distortion - bound) > noise;
    fq_evidence row;
    describe(&row, context, judged ? "stored_point_every_code" : "stored_gap", (long)point->dim,
             (long)point->block, (size_t)words);
    snprintf(row.parameters, sizeof row.parameters, "%s", point->source);
    row.rate = point->rate;
    row.samples = point->samples;
    row.verdict = point->samples ? FQ_VERDICT_MEASURED : FQ_VERDICT_COMPUTED;
    row.relation = judged ? FQ_RELATION_GREATER : FQ_RELATION_REPORT;
    row.left = judged ? point->distortion : point->distortion / bound - 1;
    row.left_error = point->distortion_se / (judged ? 1 : bound);
    row.right = judged ? bound : (double)NAN;
    row.right_error = judged ? 1e-9 * bound : 0;
    return fq_claim_emit(context, &row);
}

static fq_status run_store(fq_claim_context *context) {
    kept_bound kept[KEPT] = {{0}};
    for (size_t i = 0; i < context->data.point_count; i++) {
        const fq_claim_point *const point = &context->data.points[i];
        fq_source source;
        FQ_TRY(fq_source_init(&source, point->dim, point->block));
        fq_evidence row;
        describe(&row, context, "stored_point", (long)point->dim, (long)point->block, 0);
        snprintf(row.parameters, sizeof row.parameters, "%s", point->source);
        row.rate = point->rate;
        row.relation = FQ_RELATION_GREATER;
        row.left = point->distortion;
        row.left_error = point->distortion_se;
        row.right = fq_gains_shannon_bound(&source, point->rate);
        row.right_error = 1e-11 * row.right;
        row.samples = point->samples;
        row.verdict = point->samples ? FQ_VERDICT_MEASURED : FQ_VERDICT_COMPUTED;
        FQ_TRY(fq_claim_emit(context, &row));
        FQ_TRY(stored_against_every_code(context, point, kept));
    }
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    static const size_t dims[] = {16, 64, 128, 1024};
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_FINITE_RATE, 0);
    FQ_TRY(run_store(context));
    for (size_t i = 0; i < (context->quick ? 2 : 4); i++)
        FQ_TRY(run_scalar(context, dims[i]));
    for (int i = 0; i < (context->quick ? 10 : 60); i++) {
        const long d = 6 + (long)fq_stream_below(&stream, 2000);
        const long k = 1 + (long)fq_stream_below(&stream, d < 68 ? (uint64_t)d - 5 : 64);
        const setting p = {.d = d, .k = k};
        fq_source source;
        double value;
        FQ_TRY(emit(context, "limit_above_shannon", limit_above_shannon, FQ_RELATION_GREATER, p, 0));
        FQ_TRY(fq_source_init(&source, (size_t)d, (size_t)k));
        FQ_TRY(fq_gains_high_rate_distortion(&value, &source, 0, 1.0 / 12));
        FQ_TRY(emit_double(context, "limit_in_doubles", limit_of_cubes, p, value));
        FQ_TRY(emit_double(context, "shannon_in_doubles", shannon_at_zero, p,
                           fq_gains_shannon_bound(&source, 0)));
    }
    for (long k = 1; k <= 32; k += context->quick ? 31 : 1) {
        const setting p = {.d = 64, .k = k};
        FQ_TRY(emit(context, "shannon_near_4_to_minus_b", shannon_over_rate, FQ_RELATION_GREATER, p, 0));
        FQ_TRY(emit(context, "shannon_below_4_to_minus_b", shannon_below_rate, FQ_RELATION_LESS, p, 0));
    }
    FQ_TRY(run_cells(context));
    FQ_TRY(run_initial(context));
    if (context->quick)
        return run_ladder(context, 64, 2, 4, 64);
    FQ_TRY(run_ladder(context, 64, 2, 4, 1024));
    FQ_TRY(run_ladder(context, 64, 3, 8, 512));
    FQ_TRY(run_ladder(context, 64, 4, 16, 256));
    FQ_TRY(run_ladder(context, 16, 3, 8, 512));
    return run_ladder(context, 128, 2, 4, 256);
}

static const fq_series series[] = {
    {"thresholds_enclosed", FQ_PART_STATEMENT,
     "least margin by which the optimal thresholds are enclosed, above 0"},
    {"scaled_distortion", FQ_PART_STATEMENT, "L^2 D of the scalar code, below its limit"},
    {"gap_shrinks", FQ_PART_STATEMENT, "gap of L^2 D to its limit at 2L levels, below 3/4 of that at L"},
    {"gap_as_1_over_L", FQ_PART_STATEMENT,
     "deviation of the gap from 1/L between L/4 and L levels, below a tenth"},
    {"limit_above_shannon", FQ_PART_STATEMENT,
     "high-rate limit with the sphere bound, above the Shannon bound, both at rate 0"},
    {"shannon_near_4_to_minus_b", FQ_PART_STATEMENT,
     "Shannon bound over 4^-b at d = 64, k = 1 to 32, above 0.993"},
    {"shannon_below_4_to_minus_b", FQ_PART_STATEMENT, "the same, below 1"},
    {"limit_in_doubles", FQ_PART_CHECK, "high-rate limit in doubles = in balls"},
    {"shannon_in_doubles", FQ_PART_CHECK, "Shannon bound in doubles = in balls"},
    {"cell_by_samples", FQ_PART_CHECK, "normalised second moment of a lattice by samples = its constant"},
    {"initialisation_within_twice_limit", FQ_PART_PRACTICE,
     "N^{2/k} D of the closed-form initialisation, below twice the high-rate limit"},
    {"above_shannon", FQ_PART_PRACTICE, "D of a trained code, above the Shannon bound"},
    {"ratio_to_limit", FQ_PART_PRACTICE,
     "N^{2/k} D of a trained code over the high-rate limit with the best known cell"},
    {"ratio_to_shannon", FQ_PART_PRACTICE, "D of a trained code over the Shannon bound"},
    {"rises_with_rate", FQ_PART_PRACTICE,
     "N^{2/k} D of a trained code, above that of the code of half the spacing"},
    {"near_limit", FQ_PART_PRACTICE,
     "relative distance of N^{2/k} D of the largest trained code from the limit, below 8 per cent"},
    {"stored_point", FQ_PART_PRACTICE, "D of a stored measurement, above the Shannon bound of its block"},
    {"stored_point_every_code", FQ_PART_PRACTICE,
     "D of a stored measurement, above what no code of as many words goes below"},
    {"stored_gap", FQ_PART_PRACTICE,
     "D of a stored measurement over that bound, less 1, where the difference is within its noise"},
    {0},
};

const fq_claim fq_claim_finite_rate = {
    .number = 6,
    .id = "finite_rate",
    .title = "Finite rate: towards Zador's limit, above Shannon's bound",
    .statement = "N^{2/k} D(N) tends to d G_k ||f_{d,k}||_{k/(k+2)}, and no code lies below the Shannon "
                 "bound d exp(2h/k)/(2 pi e) 4^-b.",
    .domain = "k fixed, N to infinity; the bound for every code of a block",
    .citation = "Zador 1982; Gersho 1979; Shannon 1959; Lee and Kim 2026, section 4",
    .checked = "k = 1: 2 to 64 levels in ball arithmetic, to 4096 by quadrature; k = 2, 3, 4: trained codes "
               "on fresh samples; every cell constant anew; every point of a result store (--store) against "
               "the bound, with a "
               "tolerance of 6.1 standard errors.",
    .not_covered =
        "The limit itself for k >= 2, which no finite code shows; G_k is proved only for k = 1, 2.",
    .series = series,
    .run = run,
};
