#include "ball_cells.h"

#include <math.h>

#include "gains.h"

/* numerator/denominator * base^(p/q) for each listed dimension; base 1 where there is no root. */
static const struct {
    long block, numerator, denominator, base, p, q;
} cells[] = {
    {1, 1, 12, 1, 1, 1},
    {2, 5, 36, 3, -1, 2},
    {3, 19, 192, 2, -1, 3},
    {4, 13, 120, 2, -1, 2},
    {5, 75625444, 1000000000, 1, 1, 1},
    {6, 12619, 204120, 3, 1, 6},
    {7, 21361, 161280, 2, -6, 7},
    {8, 929, 12960, 1, 1, 1},
    {9, 71622595, 1000000000, 1, 1, 1},
    {10, 70813819, 1000000000, 1, 1, 1},
    {11, 70426260, 1000000000, 1, 1, 1},
    {12, 70035, 1000000, 1, 1, 1},
    {15, 68871727, 1000000000, 1, 1, 1},
    {16, 68297623, 1000000000, 1, 1, 1},
    {24, 65845, 1000000, 1, 1, 1},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static fq_ball listed(fq_balls *w, size_t block) {
    for (int i = 0; i < CELLS; i++)
        if ((size_t)cells[i].block == block)
            return fq_ball_multiply(w, fq_ball_ratio(w, cells[i].numerator, cells[i].denominator),
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
