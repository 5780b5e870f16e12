#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_falling_x(const void *a, const void *b) {
    const fq_curve_point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? 1 : -1;
    return p->y == q->y ? 0 : p->y < q->y ? 1 : -1;
}

size_t fq_pareto(fq_curve_point *points, size_t n) {
    size_t good = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(points[i].x) && !isnan(points[i].y))
            points[good++] = points[i];
    if (good == 0)
        return 0;
    qsort(points, good, sizeof *points, by_falling_x);
    for (size_t i = 0; i < good; i++)
        if (kept == 0 || points[i].y > points[kept - 1].y)
            points[kept++] = points[i];
    for (size_t i = 0; i < kept / 2; i++) {
        const fq_curve_point swap = points[i];
        points[i] = points[kept - 1 - i];
        points[kept - 1 - i] = swap;
    }
    return kept;
}
