/* Cell constants: the doubles and the balls are one table; closed forms of A_n, D_n and D_n*; every lattice's
 * decoder; constants as the literature prints them. */
#include <math.h>

#include "ball_cells.h"
#include "ball_formulas.h"
#include "check.h"
#include "gains.h"
#include "lattice_moment.h"

static double ball_of(fq_balls *w, fq_ball value, double *error) {
    double middle = (double)NAN;
    *error = (double)NAN;
    FQ_CHECK_OK(fq_ball_get(w, value, &middle, error));
    return middle;
}

/* As Conway and Sloane (table 2.3), Agrell and Allen (table I) and their successors print them. */
static void constants_as_printed(void) {
    static const struct {
        size_t k;
        double printed, unit;
        fq_cell_basis basis;
    } cells[] = {{1, 0.0833333333, 1e-10, FQ_CELL_PROVED},    {2, 0.0801875373874, 1e-13, FQ_CELL_PROVED},
                 {3, 0.0785432812172, 1e-13, FQ_CELL_CLOSED}, {4, 0.0766032346285, 1e-13, FQ_CELL_CLOSED},
                 {5, 0.075625443, 1e-9, FQ_CELL_CLOSED},      {6, 0.074243697, 1e-9, FQ_CELL_CLOSED},
                 {7, 0.073116493, 1e-9, FQ_CELL_CLOSED},      {8, 0.071682099, 1e-9, FQ_CELL_CLOSED},
                 {9, 0.071622594, 1e-9, FQ_CELL_PUBLISHED},   {10, 0.070813818, 1e-9, FQ_CELL_CLOSED},
                 {11, 0.070426259, 1e-9, FQ_CELL_PUBLISHED},  {12, 0.070034, 1e-6, FQ_CELL_PUBLISHED},
                 {15, 0.068871726, 1e-9, FQ_CELL_PUBLISHED},  {16, 0.068297622, 1e-9, FQ_CELL_PUBLISHED},
                 {24, 0.065771, 1e-6, FQ_CELL_SAMPLED}};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        fq_cell cell;
        FQ_CHECK_OK(fq_gains_best_cell(&cell, cells[i].k));
        FQ_CHECK_NEAR(cell.second_moment, cells[i].printed, cells[i].unit);
        FQ_CHECK(cell.basis == cells[i].basis);
    }
    fq_cell cell;
    FQ_CHECK_OK(fq_gains_best_cell(&cell, 32)); /* Leech and E8: as weak as the Leech lattice's constant */
    FQ_CHECK(cell.basis == FQ_CELL_SAMPLED);
    FQ_CHECK_NEAR(32 * log(cell.second_moment), 24 * log(0.065771) + 8 * log(929. / 12960), 1e-9);
    FQ_CHECK_OK(fq_gains_best_cell(&cell, 13));
    FQ_CHECK(cell.basis == FQ_CELL_PUBLISHED);
}

/* The two tables of one constant: equal where it is exact, else the ball is above by what is not known. */
static void doubles_and_balls_agree(void) {
    fq_balls *w = NULL;
    if (!FQ_CHECK_OK(fq_balls_create(&w, 128)))
        return;
    for (long k = 1; k <= 64; k++) {
        fq_cell cell;
        double error;
        fq_balls_reset(w, 128);
        FQ_CHECK_OK(fq_gains_best_cell(&cell, (size_t)k));
        const double upper = ball_of(w, fq_ball_cell(w, k, FQ_CELL_SAMPLED), &error);
        if (cell.basis <= FQ_CELL_CLOSED)
            FQ_CHECK_NEAR(upper / cell.second_moment, 1, 1e-13);
        else
            FQ_CHECK(upper > cell.second_moment && upper < 1.0012 * cell.second_moment);
        const double sphere = ball_of(w, fq_ball_sphere_bound(w, k), &error);
        FQ_CHECK_NEAR(sphere / fq_gains_sphere_bound((size_t)k), 1, 1e-13);
        FQ_CHECK_NEAR(ball_of(w, fq_ball_zador_bound(w, k), &error) / fq_gains_zador_bound((size_t)k), 1,
                      1e-13);
        FQ_CHECK(k == 1 || sphere < cell.second_moment); /* no cell is rounder than the ball */
    }
    fq_balls_destroy(w);
}

/* At k = 1 the interval is the ball; bounds against their closed forms in small dimensions. */
static void bounds_in_closed_form(void) {
    FQ_CHECK_NEAR(fq_gains_sphere_bound(1), 1. / 12, 1e-15);
    FQ_CHECK_NEAR(fq_gains_sphere_bound(2), 1 / (4 * M_PI), 1e-16);
    FQ_CHECK_NEAR(fq_gains_sphere_bound(4), sqrt(2.) / (6 * M_PI), 1e-16);
    FQ_CHECK_NEAR(fq_gains_zador_bound(1), 0.5, 1e-14);
    FQ_CHECK_NEAR(fq_gains_zador_bound(2), 1 / (2 * M_PI), 1e-15);
    FQ_CHECK_NEAR(fq_gains_zador_bound(4), sqrt(2.) * sqrt(M_PI) / 2 / (4 * M_PI), 1e-15);
    /* k = 2, by hand: a = 1/2, m = (d-4)/2, integral f^a = sqrt((d-2)/(2 pi)) pi / (m/2 + 1). */
    for (size_t d = 4; d <= 1024; d *= 4) {
        fq_source source;
        double log_norm;
        const double x = (double)d;
        FQ_CHECK_OK(fq_source_init(&source, d, 2));
        FQ_CHECK_OK(fq_gains_log_norm(&log_norm, &source));
        FQ_CHECK_NEAR(log_norm, 2 * log(sqrt((x - 2) / (2 * M_PI)) * M_PI / (x / 4)), 1e-12);
    }
}

/* Decoders on points whose nearest lattice point is known. */
static void nearest_points(void) {
    const double hole[4] = {1, 0, 0, 0}; /* deep hole of D_4 */
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_D, 4, 0, hole), 1, 1e-15);
    const double quarter[8] = {0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25};
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_D_PLUS, 8, 0, quarter), 0.5, 1e-15);
    const double third[9] = {1. / 3, 1. / 3, -2. / 3, 1. / 3, 1. / 3, -2. / 3, 1. / 3, 1. / 3, -2. / 3};
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_E6_STAR, 6, 0, third), 0, 1e-15);
    const double lone[9] = {1. / 3, 1. / 3, -2. / 3}; /* a hole of A_2 alone is no point of E6* */
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_E6_STAR, 6, 0, lone), 2. / 3, 1e-15);
    double x[24] = {0};
    for (size_t i = 0; i < 16; i++)
        x[i] = 1; /* a word of the Reed-Muller code */
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_BW16, 16, 0, x), 0, 1e-15);
    x[0] = 3; /* an odd sum of z */
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_BW16, 16, 0, x), 4, 1e-15);
    double folded[15] = {2 / M_SQRT2}; /* the same word, first two coordinates along (1, 1)/sqrt 2 */
    for (size_t i = 1; i < 15; i++)
        folded[i] = 1;
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_L15_DUAL, 15, 0, folded), 0, 1e-15);
    folded[0] += M_SQRT2;
    FQ_CHECK_NEAR(fq_lattice_distance(FQ_LATTICE_L15_DUAL, 15, 0, folded), 2, 1e-15);
}

/* Every lattice of the table by samples, within five standard errors of its constant; few samples here, many
 * in verify finite_rate. */
static void every_cell_by_samples(void) {
    static const struct {
        fq_lattice lattice;
        size_t n, cosets;
        uint64_t samples;
    } cells[] = {{FQ_LATTICE_COXETER, 2, 1, 40000},  {FQ_LATTICE_D_STAR, 3, 0, 40000},
                 {FQ_LATTICE_D, 4, 0, 40000},        {FQ_LATTICE_D_STAR, 5, 0, 40000},
                 {FQ_LATTICE_E6_STAR, 6, 0, 40000},  {FQ_LATTICE_COXETER, 7, 4, 40000},
                 {FQ_LATTICE_D_PLUS, 8, 0, 40000},   {FQ_LATTICE_AE9, 9, 0, 40000},
                 {FQ_LATTICE_D_PLUS, 10, 0, 40000},  {FQ_LATTICE_COXETER, 11, 3, 40000},
                 {FQ_LATTICE_D6_PAIR, 12, 0, 40000}, {FQ_LATTICE_L15_DUAL, 15, 0, 10000},
                 {FQ_LATTICE_BW16, 16, 0, 10000},    {FQ_LATTICE_LEECH, 24, 0, 400}};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        double moment, se;
        fq_cell cell;
        FQ_CHECK_OK(fq_gains_best_cell(&cell, cells[i].n));
        fq_lattice_moment(&moment, &se, cells[i].lattice, cells[i].n, cells[i].cosets, fq_test_seed(),
                          cells[i].samples);
        FQ_CHECK_NEAR(moment, cell.second_moment, 5 * se);
        FQ_CHECK(se < 0.006 * moment);
    }
}

static const fq_test tests[] = {
    {"constants as printed", constants_as_printed},   {"doubles and balls agree", doubles_and_balls_agree},
    {"bounds in closed form", bounds_in_closed_form}, {"nearest points", nearest_points},
    {"every cell by samples", every_cell_by_samples}, {0},
};
const fq_suite fq_suite_cells = {"cells", tests};
