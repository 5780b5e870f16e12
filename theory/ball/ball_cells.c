#include "ball_cells.h"

#include <math.h>

#include "gains.h"

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

fq_ball fq_ball_best_cell(fq_balls *w, long k) {
    fq_ball log_sum = fq_ball_integer(w, 0);
    for (long left = k; left > 0;) {
        fq_cell cell;
        size_t part;
        if (fq_gains_cell_part(&cell, &part, (size_t)left) != FQ_OK)
            return fq_ball_double(w, (double)NAN);
        if ((long)part == k)
            return listed(w, part);
        log_sum = fq_ball_add(
            w, log_sum, fq_ball_multiply(w, fq_ball_integer(w, (long)part), fq_ball_log(w, listed(w, part))));
        left -= (long)part;
    }
    return fq_ball_exp(w, fq_ball_divide(w, log_sum, fq_ball_integer(w, k)));
}
