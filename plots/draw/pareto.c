#include "pareto.h"

#include <math.h>
#include <stdlib.h>

static int by_falling_y(const void *a, const void *b) {
    const fq_curve_point *p = a, *q = b;
    if (p->y != q->y)
        return p->y < q->y ? 1 : -1;
    return p->x == q->x ? 0 : p->x < q->x ? 1 : -1;
}

size_t fq_pareto(fq_curve_point *points, size_t n, double slack) {
    size_t good = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(points[i].x) && !isnan(points[i].y))
            points[good++] = points[i];
    if (good == 0)
        return 0;
    qsort(points, good, sizeof *points, by_falling_y);
    for (size_t i = 0; i < good; i++)
        if (kept == 0 || (1.0 - slack) * points[i].x > points[kept - 1].x)
            points[kept++] = points[i];
    return kept;
}
