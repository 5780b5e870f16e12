#include "ball_cells.h"

#include <math.h>

/* The lines of numbers/cells.def. */
static const struct {
    long block, most, denominator, base, p, q;
} cells[] = {
#define FQ_CELL(k, name, numerator, most, denominator, base, p, q, basis) {k, most, denominator, base, p, q},
#include "cells.def"
#undef FQ_CELL
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static fq_ball listed(fq_balls *w, size_t block) {
    for (int i = 0; i < CELLS; i++)
        if ((size_t)cells[i].block == block)
            return fq_ball_multiply(w, fq_ball_ratio(w, cells[i].most, cells[i].denominator),
                                    fq_ball_power(w, fq_ball_integer(w, cells[i].base),
                                                  fq_ball_ratio(w, cells[i].p, cells[i].q)));
    return fq_ball_double(w, (double)NAN);
}

fq_ball fq_ball_cell(fq_balls *w, long k, fq_cell_basis weakest) {
    fq_ball log_sum = fq_ball_integer(w, 0);
    for (long left = k; left > 0;) {
        fq_cell cell;
        size_t part;
        if (fq_gains_cell_resting_on(&cell, &part, (size_t)left, weakest) != FQ_OK)
            return fq_ball_double(w, (double)NAN);
        if ((long)part == k)
            return listed(w, part);
        log_sum = fq_ball_add(
            w, log_sum, fq_ball_multiply(w, fq_ball_integer(w, (long)part), fq_ball_log(w, listed(w, part))));
        left -= (long)part;
    }
    return fq_ball_exp(w, fq_ball_divide(w, log_sum, fq_ball_integer(w, k)));
}

fq_ball fq_ball_cell_of_a(fq_balls *w, long n) {
    const fq_ball sum = fq_ball_add(w, fq_ball_ratio(w, 1, 12), fq_ball_ratio(w, 1, 6 * (n + 1)));
    return fq_ball_divide(w, sum, fq_ball_power(w, fq_ball_integer(w, n + 1), fq_ball_ratio(w, 1, n)));
}

fq_ball fq_ball_cell_of_d(fq_balls *w, long n) {
    const fq_ball sum = fq_ball_add(w, fq_ball_ratio(w, 1, 12), fq_ball_ratio(w, 1, 2 * n * (n + 1)));
    return fq_ball_divide(w, sum, fq_ball_power(w, fq_ball_integer(w, 2), fq_ball_ratio(w, 2, n)));
}

fq_ball fq_ball_cell_of_d_dual(fq_balls *w, long n) {
    fq_ball excess = fq_ball_integer(w, 0), over = fq_ball_integer(w, 1);
    long binomial = 1;
    for (long j = 0; 2 * j < n; j++) {
        fq_ball power = fq_ball_integer(w, j % 2 ? -binomial : binomial);
        for (long i = 0; i <= n; i++)
            power = fq_ball_multiply(w, power, fq_ball_ratio(w, n - 2 * j, 2));
        excess = fq_ball_add(w, excess, power);
        binomial = binomial * (n - j) / (j + 1);
    }
    for (long i = 2; i <= n + 1; i++)
        over = fq_ball_multiply(w, over, fq_ball_integer(w, i));
    const fq_ball share = fq_ball_divide(w, excess, fq_ball_multiply(w, over, fq_ball_integer(w, 2 * n)));
    return fq_ball_multiply(w, fq_ball_power(w, fq_ball_integer(w, 2), fq_ball_ratio(w, 2, n)),
                            fq_ball_subtract(w, fq_ball_ratio(w, 1, 12), share));
}
