/* Claim 4. At high rate a vector code gains over the scalar product code
 *   [(1/12)/G_k] x [ ||f_{d,1}||_{1/3} / ||f_{d,k}||_{k/(k+2)} ],  both factors above 1 for k >= 2;
 * the shaping factor tends to 1.53 dB, the whole to sqrt(3) pi / 2 = 4.35 dB as k, then d grow.
 *
 * Check: both factors in ball arithmetic. Cells with closed forms (cells.def) and products of them carry the
 * certified rows; rows with the best known cell say which published or sampled constant they rest on, and are
 * called computed. Zador's bound shows that a cell (not necessarily a lattice) of that quality exists, the
 * sphere bound what no cell beats: with it the total stays below its limit at every d and k tried, so that no
 * code exceeds 4.35 dB at high rate. Limits: G_k lies between the sphere bound and Zador's, and both
 * enclosures close on 1/(2 pi e); the density factor's limit d -> infinity is the Gaussian one; sphere-bound
 * shaping rises with k. Second routes: cells by the definition of A_n, D_n, D_n*; the sphere bound by
 * factorials; Zador's at k = 1, 2, 4; norms by claim 3; the gain as the program prints it, in doubles. Not
 * covered: the high-rate formula itself is asymptotic in N (see the finite-rate claims). */
#include <math.h>
#include <stdio.h>

#include "ball_cells.h"
#include "ball_formulas.h"
#include "claim_balls.h"

typedef enum cell_kind { BEST_CELL, CLOSED_CELL, ZADOR, SPHERE } cell_kind;

typedef struct setting {
    long d, k;
    cell_kind cell;
    fq_perturbation perturbation;
} setting;

static fq_ball cell_constant(fq_balls *w, const setting *p) {
    switch (p->cell) {
    case BEST_CELL:
        return fq_ball_cell(w, p->k, FQ_CELL_SAMPLED);
    case CLOSED_CELL:
        return fq_ball_cell(w, p->k, FQ_CELL_CLOSED);
    case ZADOR:
        return fq_ball_zador_bound(w, p->k);
    case SPHERE:
        break;
    }
    return fq_ball_sphere_bound(w, p->k);
}

static fq_ball shaping_factor(fq_balls *w, const setting *p) {
    return fq_ball_divide(w, fq_ball_ratio(w, 1, 12), cell_constant(w, p));
}

static void above_sphere_bound(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = cell_constant(w, p);
    *right = fq_ball_multiply(w, fq_ball_sphere_bound(w, p->k), fq_ball_double(w, p->perturbation.constant));
}

/* k = 1, 2: A_n; 4: D_n; 3, 5: D_n*. */
static void cell_in_closed_form(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball closed = p->k <= 2   ? fq_ball_cell_of_a(w, p->k)
                           : p->k == 4 ? fq_ball_cell_of_d(w, p->k)
                                       : fq_ball_cell_of_d_dual(w, p->k);
    *left = cell_constant(w, p);
    *right = fq_ball_multiply(w, closed, fq_ball_double(w, p->perturbation.constant));
}

/* Gamma(k/2 + 1) = 1 2 3 ... k/2, or sqrt(pi) (1/2) (3/2) ... (k/2). */
static void sphere_by_factorials(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    fq_ball product = p->k % 2 ? fq_ball_sqrt(w, fq_ball_pi(w)) : fq_ball_integer(w, 1);
    for (long i = p->k % 2 ? 1 : 2; i <= p->k; i += 2)
        product = fq_ball_multiply(w, product, fq_ball_ratio(w, i, 2));
    const fq_ball root = fq_ball_power(w, product, fq_ball_ratio(w, 2, p->k));
    const fq_ball bound =
        fq_ball_divide(w, root, fq_ball_multiply(w, fq_ball_integer(w, p->k + 2), fq_ball_pi(w)));
    *left = fq_ball_sphere_bound(w, p->k);
    *right = fq_ball_multiply(w, bound, fq_ball_double(w, p->perturbation.constant));
}

/* 1/2, 1/(2 pi), sqrt(2/pi)/8 at k = 1, 2, 4. */
static void zador_in_closed_form(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball two = fq_ball_integer(w, 2), pi = fq_ball_pi(w);
    const fq_ball closed =
        p->k == 1   ? fq_ball_ratio(w, 1, 2)
        : p->k == 2 ? fq_ball_divide(w, fq_ball_ratio(w, 1, 2), pi)
                    : fq_ball_divide(w, fq_ball_sqrt(w, fq_ball_divide(w, two, pi)), fq_ball_integer(w, 8));
    *left = fq_ball_zador_bound(w, p->k);
    *right = fq_ball_multiply(w, closed, fq_ball_double(w, p->perturbation.constant));
}

static fq_ball density_factor(fq_balls *w, long d, long k) {
    return fq_ball_exp(w, fq_ball_subtract(w, fq_ball_log_norm(w, d, 1), fq_ball_log_norm(w, d, k)));
}

static void shaping_above_one(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = shaping_factor(w, p);
    *right = fq_ball_double(w, p->perturbation.constant);
}

static void density_above_one(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = density_factor(w, p->d, p->k);
    *right = fq_ball_double(w, p->perturbation.constant);
}

static fq_ball total_gain(fq_balls *w, const setting *p) {
    return fq_ball_multiply(w, shaping_factor(w, p), density_factor(w, p->d, p->k));
}

static fq_ball limit_of_total(fq_balls *w) { /* sqrt(3) pi / 2 */
    return fq_ball_divide(w, fq_ball_multiply(w, fq_ball_sqrt(w, fq_ball_integer(w, 3)), fq_ball_pi(w)),
                          fq_ball_integer(w, 2));
}

/* Only the right side is used. */
static void gain_of_balls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_integer(w, 0);
    *right = fq_ball_multiply(w, total_gain(w, p), fq_ball_double(w, p->perturbation.constant));
}

static void total_below_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = total_gain(w, p);
    *right = fq_ball_multiply(w, limit_of_total(w), fq_ball_double(w, p->perturbation.constant));
}

/* What blocks gain at d = 64 of what they gain in the limit of large d (here 2^20), against 0.97. */
static void gain_of_small_dimension(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = fq_ball_divide(w, density_factor(w, p->d, p->k), density_factor(w, 1L << 20, p->k));
    *right = fq_ball_multiply(w, fq_ball_ratio(w, 97, 100), fq_ball_double(w, p->perturbation.constant));
}

/* Sphere-bound shaping at 2k exceeds that at k, and both are below 2 pi e / 12. */
static void shaping_rises(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const setting twice = {p->d, 2 * p->k, p->cell, p->perturbation};
    *left = shaping_factor(w, p);
    *right = fq_ball_multiply(w, shaping_factor(w, &twice), fq_ball_double(w, p->perturbation.constant));
}

static void density_rises(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    *left = density_factor(w, p->d, p->k);
    *right =
        fq_ball_multiply(w, density_factor(w, p->d, p->k + 1), fq_ball_double(w, p->perturbation.constant));
}

/* (x/limit - 1)^2 against (slack)^2. */
static void near_limit(fq_balls *w, const setting *p, fq_ball x, fq_ball limit, fq_ball *left,
                       fq_ball *right) {
    const fq_ball stated = fq_ball_multiply(w, limit, fq_ball_double(w, p->perturbation.constant));
    const fq_ball off = fq_ball_subtract(w, fq_ball_divide(w, x, stated), fq_ball_integer(w, 1));
    const fq_ball slack =
        fq_ball_divide(w, fq_ball_log(w, fq_ball_integer(w, p->k)), fq_ball_ratio(w, p->k, 4));
    *left = fq_ball_multiply(w, off, off);
    *right = fq_ball_multiply(w, slack, slack);
}

/* Shaping by Zador's cell or the sphere bound is within (4 ln k)/k of pi e / 6, relatively. */
static void shaping_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    const fq_ball limit =
        fq_ball_divide(w, fq_ball_multiply(w, fq_ball_pi(w), fq_ball_e(w)), fq_ball_integer(w, 6));
    near_limit(w, p, shaping_factor(w, p), limit, left, right);
}

/* Zador's cell at k, d = k^2: total gain within (4 ln k)/k of sqrt(3) pi / 2. */
static void total_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const setting *const p = parameters;
    near_limit(w, p, total_gain(w, p), limit_of_total(w), left, right);
}

static void describe(fq_evidence *row, const char *series, const setting *p) {
    if (p->d)
        fq_evidence_init(row, series, "d=%ld k=%ld", p->d, p->k);
    else
        fq_evidence_init(row, series, "k=%ld", p->k);
    row->dim = p->d ? (double)p->d : (double)NAN;
    row->block = (double)p->k;
}

static fq_status emit(fq_claim_context *context, const char *series, fq_ball_sides sides,
                      fq_relation relation, setting p) {
    fq_evidence row;
    describe(&row, series, &p);
    row.relation = relation;
    row.tolerance = 1e-12;
    row.least = 0;
    if (sides == shaping_above_one) /* no cell has more than the ball in the limit */
        row.most = M_PI * M_E / 6;
    if (sides == total_below_limit)
        row.most = sqrt(3) * M_PI / 2;
    p.perturbation = context->perturbation;
    FQ_TRY(fq_ball_decide(&row, sides, &p, context->precision_cap));
    const bool of_cell =
        sides == shaping_above_one || sides == total_below_limit || sides == above_sphere_bound;
    fq_cell cell = {.basis = FQ_CELL_PROVED};
    if (of_cell && p.cell == BEST_CELL)
        FQ_TRY(fq_gains_best_cell(&cell, (size_t)p.k));
    if (cell.basis > FQ_CELL_CLOSED) { /* as firm as the literature, and no firmer */
        snprintf(row.rests_on, sizeof row.rests_on, "%s constant of %s", fq_cell_basis_name(cell.basis),
                 cell.name);
        row.verdict = fq_verdict_weaker(row.verdict, FQ_VERDICT_COMPUTED);
    }
    return fq_claim_emit_decided(context, &row);
}

static fq_status emit_doubles(fq_claim_context *context, setting p) {
    fq_evidence row;
    fq_gain gain;
    describe(&row, "gain_in_doubles", &p);
    p.perturbation = context->perturbation;
    FQ_TRY(fq_gains_over_product(&gain, (size_t)p.d, (size_t)p.k, fq_gains_sphere_bound((size_t)p.k)));
    return fq_ball_emit_value(context, &row, gain_of_balls, &p, gain.total, 1e-11 * gain.total);
}

static fq_status run_cells(fq_claim_context *context) {
    const fq_relation above = FQ_RELATION_GREATER, below = FQ_RELATION_LESS, equal = FQ_RELATION_EQUAL;
    for (long k = 2; k <= 32; k++) {
        FQ_TRY(emit(context, "shaping_factor", shaping_above_one, above, (setting){.k = k}));
        FQ_TRY(emit(context, "shaping_factor_closed_form", shaping_above_one, above,
                    (setting){.k = k, .cell = CLOSED_CELL}));
        FQ_TRY(emit(context, "shaping_factor_sphere_bound", shaping_above_one, above,
                    (setting){.k = k, .cell = SPHERE}));
        FQ_TRY(emit(context, "cell_above_sphere_bound", above_sphere_bound, above, (setting){.k = k}));
        /* Zador's random-coding bound is weak at small k: above one only from some k on. */
        FQ_TRY(emit(context, "shaping_factor_zador", shaping_above_one,
                    k < FQ_ZADOR_GAINS_FROM ? below : above, (setting){.k = k, .cell = ZADOR}));
    }
    for (long k = 1; k <= 32; k++)
        FQ_TRY(emit(context, "sphere_bound_by_factorials", sphere_by_factorials, equal, (setting){.k = k}));
    for (long k = 1; k <= 5; k++)
        FQ_TRY(emit(context, "cell_in_closed_form", cell_in_closed_form, equal, (setting){.k = k}));
    for (long k = 1; k <= 4; k *= 2)
        FQ_TRY(emit(context, "zador_in_closed_form", zador_in_closed_form, equal, (setting){.k = k}));
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    static const long dims[] = {16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 384, 512, 768, 1024};
    enum { DIMS = sizeof dims / sizeof dims[0] };
    const fq_relation above = FQ_RELATION_GREATER, below = FQ_RELATION_LESS;
    FQ_TRY(run_cells(context));
    for (size_t i = 0; i < DIMS; i += context->quick ? 3 : 1)
        for (long k = 2; k <= 32 && k < dims[i]; k++) {
            FQ_TRY(
                emit(context, "density_factor", density_above_one, above, (setting){.d = dims[i], .k = k}));
            if (k + 1 < dims[i])
                FQ_TRY(emit(context, "density_factor_rises", density_rises, below,
                            (setting){.d = dims[i], .k = k}));
            FQ_TRY(emit(context, "total_gain", total_below_limit, below, (setting){.d = dims[i], .k = k}));
            const setting ball = {.d = dims[i], .k = k, .cell = SPHERE};
            FQ_TRY(emit(context, "total_gain_sphere_bound", total_below_limit, below, ball));
            if (k % 5 == 2)
                FQ_TRY(emit_doubles(context, ball));
        }
    for (long k = 2; k <= 16; k *= 2)
        FQ_TRY(emit(context, "gain_at_small_dimension", gain_of_small_dimension, above,
                    (setting){.d = 64, .k = k}));
    for (long d = 3; d <= 100000; d = 2 * d + 1) {
        const long blocks[] = {2, d / 2, d - 1};
        for (size_t i = 0; i < 3; i++)
            if (blocks[i] >= 2 && blocks[i] < 2000 && (i == 0 || blocks[i] > blocks[i - 1]))
                FQ_TRY(emit(context, "total_gain_sphere_bound", total_below_limit, below,
                            (setting){.d = d, .k = blocks[i], .cell = SPHERE}));
    }
    for (long k = 1; k <= 1 << 20; k *= 2)
        FQ_TRY(emit(context, "sphere_bound_rises", shaping_rises, below, (setting){.k = k, .cell = SPHERE}));
    for (long k = 100; k <= 1000000000; k *= 10) {
        FQ_TRY(emit(context, "shaping_limit_zador", shaping_limit, below, (setting){.k = k, .cell = ZADOR}));
        FQ_TRY(
            emit(context, "shaping_limit_sphere", shaping_limit, below, (setting){.k = k, .cell = SPHERE}));
        if (k <= fq_ball_reach(1000000000, 10000))
            FQ_TRY(emit(context, "total_limit", total_limit, below,
                        (setting){.d = k * k, .k = k, .cell = ZADOR}));
    }
    return FQ_OK;
}

static const fq_series series[] = {
    {"shaping_factor_closed_form", FQ_PART_STATEMENT,
     "(1/12)/G_k of the best lattice, or product of lattices, whose constant is a closed form, above 1"},
    {"shaping_factor", FQ_PART_PRACTICE, "(1/12)/G_k of the best known cell, above 1"},
    {"shaping_factor_sphere_bound", FQ_PART_STATEMENT, "(1/12)/G_k of the ball, above 1"},
    {"shaping_factor_zador", FQ_PART_STATEMENT,
     "(1/12)/G_k of Zador's random code, above 1 from k = 7 on, below 1 before"},
    {"cell_above_sphere_bound", FQ_PART_CHECK, "G_k of the best known cell, above the sphere bound"},
    {"cell_in_closed_form", FQ_PART_CHECK, "G_k of the table = the closed forms of A_n, D_n and D_n*"},
    {"sphere_bound_by_factorials", FQ_PART_CHECK, "sphere bound by gamma functions = by factorials"},
    {"zador_in_closed_form", FQ_PART_CHECK,
     "Zador's bound by gamma functions = its closed form at k = 1, 2, 4"},
    {"density_factor", FQ_PART_STATEMENT, "||f_{d,1}||_{1/3} / ||f_{d,k}||_{k/(k+2)} > 1"},
    {"density_factor_rises", FQ_PART_STATEMENT, "the density factor at k, below that at k + 1"},
    {"gain_at_small_dimension", FQ_PART_STATEMENT,
     "high-rate gain at d = 64 over that at d = 2^20, above 0.97: the cell's factor is the same"},
    {"total_gain", FQ_PART_PRACTICE, "total gain with the best known cell, below sqrt(3) pi / 2"},
    {"total_gain_sphere_bound", FQ_PART_STATEMENT,
     "total gain with the ball for a cell, which no code exceeds at high rate, below sqrt(3) pi / 2"},
    {"gain_in_doubles", FQ_PART_CHECK, "total gain in balls = in doubles, as the program prints it"},
    {"sphere_bound_rises", FQ_PART_STATEMENT, "(1/12)/G of the ball at k, below that at 2k"},
    {"shaping_limit_zador", FQ_PART_STATEMENT,
     "(shaping by Zador's cell over pi e / 6, less 1)^2 < (4 ln k / k)^2"},
    {"shaping_limit_sphere", FQ_PART_STATEMENT,
     "(shaping by the ball over pi e / 6, less 1)^2 < (4 ln k / k)^2"},
    {"total_limit", FQ_PART_STATEMENT,
     "(total gain with Zador's cell at d = k^2 over sqrt(3) pi / 2, less 1)^2 < (4 ln k / k)^2"},
    {0},
};

const fq_claim fq_claim_gains = {
    .number = 4,
    .id = "gains",
    .title = "Cell-shaping and density-matching gains",
    .statement = "At high rate the gain over the scalar product code is (1/12)/G_k times "
                 "||f_{d,1}||_{1/3} / ||f_{d,k}||_{k/(k+2)}, both above 1 for k >= 2, with limits "
                 "1.53 dB (shaping) and 4.35 dB (total).",
    .domain = "2 <= k <= d-1, N to infinity",
    .citation = "Lee and Kim 2026; Zador 1982; Conway and Sloane 1999; Agrell and Allen 2023",
    .checked =
        "Both factors for d in 16..1024 and every k in 2..32 with cells of closed form, the sphere bound and "
        "Zador's, and the two limits, in ball arithmetic; with the best known cells as far as their "
        "published constants go.",
    .not_covered = "How soon a finite code reaches the high-rate formula.",
    .series = series,
    .run = run,
};
