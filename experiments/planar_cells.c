#include "planar_cells.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_math.h>

#include "memory.h"

/* Keeps the part of the polygon with <normal, p> <= offset (Sutherland and Hodgman). to has room for
 * one corner more than from. */
static size_t clip(double (*to)[2], double (*from)[2], size_t corners, const double normal[2],
                   double offset) {
    size_t kept = 0;
    for (size_t i = 0; i < corners; i++) {
        const double *a = from[i], *b = from[(i + 1) % corners];
        const double side_a = normal[0] * a[0] + normal[1] * a[1] - offset;
        const double side_b = normal[0] * b[0] + normal[1] * b[1] - offset;
        if (side_a <= 0) {
            to[kept][0] = a[0];
            to[kept++][1] = a[1];
        }
        if ((side_a < 0 && side_b > 0) || (side_a > 0 && side_b < 0)) {
            const double t = side_a / (side_a - side_b);
            to[kept][0] = a[0] + t * (b[0] - a[0]);
            to[kept++][1] = a[1] + t * (b[1] - a[1]);
        }
    }
    return kept;
}

fq_status fq_planar_cell_make(fq_planar_cell *cell, const float *words, size_t codewords, size_t which,
                              double radius) {
    double(*now)[2] = NULL, (*next)[2] = NULL;
    const size_t room = FQ_CELL_BORDER + 2 * codewords + 2; /* one more a clip, were it exact */
    FQ_TRY(fq_alloc(&now, room, sizeof *now));
    const fq_status status = fq_alloc(&next, room, sizeof *next);
    if (status != FQ_OK) {
        fq_free(now);
        return status;
    }
    size_t corners = FQ_CELL_BORDER;
    for (size_t i = 0; i < corners; i++) {
        const double angle = 2 * M_PI * (double)i / (double)corners;
        now[i][0] = radius * cos(angle);
        now[i][1] = radius * sin(angle);
    }
    const double x = (double)words[2 * which], y = (double)words[2 * which + 1];
    for (size_t i = 0; i < codewords && corners > 0; i++) {
        const double other_x = (double)words[2 * i], other_y = (double)words[2 * i + 1];
        const double normal[2] = {other_x - x, other_y - y};
        if (i == which)
            continue;
        if (normal[0] == 0 && normal[1] == 0) {
            if (i < which)
                corners = 0;
            continue;
        }
        const double offset = (other_x * other_x + other_y * other_y - x * x - y * y) / 2;
        corners = clip(next, now, corners, normal, offset);
        assert(corners + 2 <= room);
        double(*swap)[2] = now;
        now = next;
        next = swap;
    }
    fq_free(next);
    cell->corner = now;
    cell->corners = corners;
    return FQ_OK;
}

void fq_planar_cell_clear(fq_planar_cell *cell) {
    fq_free(cell->corner);
    memset(cell, 0, sizeof *cell);
}

double fq_planar_cell_area(const fq_planar_cell *cell) {
    double twice = 0;
    for (size_t i = 0; i < cell->corners; i++) {
        const double *a = cell->corner[i], *b = cell->corner[(i + 1) % cell->corners];
        twice += a[0] * b[1] - a[1] * b[0];
    }
    return twice / 2;
}
