#include "sphere_hull.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { DIM = 4 };

/* Above the rounding of a facet's plane, below what tells points of it apart. */
static const double visible_from = 1e-12, allowed_beyond = 1e-10, degenerate_below = 1e-10;

typedef struct facet {
    double normal[DIM], offset; /* normal . x <= offset for all points */
    uint32_t vertex[DIM];
} facet;

typedef struct ridge {
    uint32_t vertex[DIM - 1]; /* rising */
} ridge;

typedef struct hull {
    const double *u;
    size_t n, k;
    double inside[DIM]; /* a point of the interior */
    facet *facets;
    size_t count, room;
    ridge *ridges;
    size_t ridge_count, ridge_room;
    bool degenerate;
} hull;

static double dot(const double *a, const double *b, size_t k) {
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += a[j] * b[j];
    return sum;
}

static double determinant3(const double a[3], const double b[3], const double c[3]) {
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
}

/* Unit normal of the hyperplane through the facet's vertices: minors of the matrix of its k - 1 edges.
 * Returns its length before it is made one, relative to the edges'. */
static double normal_of(double normal[DIM], const hull *h, const uint32_t vertex[DIM]) {
    double edge[DIM - 1][DIM], scale = 1;
    const size_t k = h->k;
    for (size_t i = 0; i + 1 < k; i++) {
        for (size_t j = 0; j < k; j++)
            edge[i][j] = h->u[vertex[i + 1] * k + j] - h->u[vertex[0] * k + j];
        scale *= sqrt(dot(edge[i], edge[i], k));
    }
    if (k == 3) {
        for (size_t j = 0; j < 3; j++)
            normal[j] =
                edge[0][(j + 1) % 3] * edge[1][(j + 2) % 3] - edge[0][(j + 2) % 3] * edge[1][(j + 1) % 3];
    } else {
        for (size_t j = 0; j < 4; j++) {
            double minor[3][3];
            for (size_t i = 0; i < 3; i++)
                for (size_t m = 0, to = 0; m < 4; m++)
                    if (m != j)
                        minor[i][to++] = edge[i][m];
            normal[j] = (j % 2 ? -1 : 1) * determinant3(minor[0], minor[1], minor[2]);
        }
    }
    const double length = sqrt(dot(normal, normal, k));
    for (size_t j = 0; j < k; j++)
        normal[j] /= length;
    return length / scale;
}

static fq_status add_facet(hull *h, const uint32_t vertex[DIM]) {
    if (h->count == h->room) {
        facet *larger;
        const size_t room = h->room ? 2 * h->room : 256;
        FQ_TRY(fq_alloc(&larger, room, sizeof *larger));
        if (h->count)
            memcpy(larger, h->facets, h->count * sizeof *larger);
        fq_free(h->facets);
        h->facets = larger;
        h->room = room;
    }
    facet *const f = &h->facets[h->count++];
    *f = (facet){.offset = 0};
    memcpy(f->vertex, vertex, h->k * sizeof *vertex);
    if (!(normal_of(f->normal, h, vertex) > degenerate_below))
        h->degenerate = true;
    f->offset = dot(f->normal, h->u + vertex[0] * h->k, h->k);
    if (dot(f->normal, h->inside, h->k) > f->offset) {
        for (size_t j = 0; j < h->k; j++)
            f->normal[j] = -f->normal[j];
        f->offset = -f->offset;
    }
    return FQ_OK;
}

static fq_status add_ridges(hull *h, const facet *f) {
    if (h->ridge_count + h->k > h->ridge_room) {
        ridge *larger;
        const size_t room = 2 * (h->ridge_room + 64);
        FQ_TRY(fq_alloc(&larger, room, sizeof *larger));
        if (h->ridge_count)
            memcpy(larger, h->ridges, h->ridge_count * sizeof *larger);
        fq_free(h->ridges);
        h->ridges = larger;
        h->ridge_room = room;
    }
    for (size_t out = 0; out < h->k; out++) {
        ridge *const r = &h->ridges[h->ridge_count++];
        size_t filled = 0;
        *r = (ridge){{0}};
        for (size_t i = 0; i < h->k; i++) {
            if (i == out)
                continue;
            size_t at = filled++;
            for (; at > 0 && r->vertex[at - 1] > f->vertex[i]; at--)
                r->vertex[at] = r->vertex[at - 1];
            r->vertex[at] = f->vertex[i];
        }
    }
    return FQ_OK;
}

static int by_vertices(const void *a, const void *b) {
    const ridge *const x = a, *const y = b;
    for (size_t i = 0; i < DIM - 1; i++)
        if (x->vertex[i] != y->vertex[i])
            return x->vertex[i] < y->vertex[i] ? -1 : 1;
    return 0;
}

/* Takes away the facets that see the point and joins it to the ridges that one of them alone had. */
static fq_status add_point(hull *h, uint32_t point) {
    const double *const x = h->u + (size_t)point * h->k;
    h->ridge_count = 0;
    for (size_t i = 0; i < h->count;) {
        if (!(dot(h->facets[i].normal, x, h->k) > h->facets[i].offset + visible_from)) {
            i++;
            continue;
        }
        FQ_TRY(add_ridges(h, &h->facets[i]));
        h->facets[i] = h->facets[--h->count];
    }
    qsort(h->ridges, h->ridge_count, sizeof *h->ridges, by_vertices);
    for (size_t i = 0; i < h->ridge_count && !h->degenerate; i++) {
        if (i + 1 < h->ridge_count && by_vertices(&h->ridges[i], &h->ridges[i + 1]) == 0) {
            i++; /* between two facets that went */
            continue;
        }
        uint32_t vertex[DIM] = {0};
        memcpy(vertex, h->ridges[i].vertex, (h->k - 1) * sizeof *vertex);
        vertex[h->k - 1] = point;
        FQ_TRY(add_facet(h, vertex));
    }
    return FQ_OK;
}

/* k + 1 points, each the farthest from the flat through those before. */
static void first_simplex(hull *h, uint32_t vertex[DIM + 1]) {
    double basis[DIM][DIM];
    const size_t k = h->k;
    vertex[0] = 0;
    for (size_t found = 1; found <= k; found++) {
        double most = 0;
        for (size_t i = 1; i < h->n; i++) {
            double rest[DIM];
            for (size_t j = 0; j < k; j++)
                rest[j] = h->u[i * k + j] - h->u[j];
            for (size_t b = 0; b + 1 < found; b++) {
                const double part = dot(rest, basis[b], k);
                for (size_t j = 0; j < k; j++)
                    rest[j] -= part * basis[b][j];
            }
            const double length = sqrt(dot(rest, rest, k));
            if (length > most) {
                most = length;
                vertex[found] = (uint32_t)i;
                for (size_t j = 0; j < k; j++)
                    basis[found - 1][j] = rest[j] / length;
            }
        }
        h->degenerate |= !(most > degenerate_below);
    }
    for (size_t j = 0; j < k; j++) {
        h->inside[j] = 0;
        for (size_t i = 0; i <= k; i++)
            h->inside[j] += h->u[vertex[i] * k + j] / (double)(k + 1);
    }
}

static fq_status build(hull *h) {
    uint32_t start[DIM + 1] = {0};
    first_simplex(h, start);
    for (size_t out = 0; out <= h->k && !h->degenerate; out++) {
        uint32_t vertex[DIM] = {0};
        for (size_t i = 0, to = 0; i <= h->k; i++)
            if (i != out)
                vertex[to++] = start[i];
        FQ_TRY(add_facet(h, vertex));
    }
    for (size_t i = 0; i < h->n && !h->degenerate; i++) {
        bool used = false;
        for (size_t j = 0; j <= h->k; j++)
            used |= start[j] == i;
        if (!used)
            FQ_TRY(add_point(h, (uint32_t)i));
    }
    return FQ_OK;
}

static bool all_within(const hull *h) {
    for (size_t f = 0; f < h->count; f++)
        for (size_t i = 0; i < h->n; i++)
            if (dot(h->facets[f].normal, h->u + i * h->k, h->k) > h->facets[f].offset + allowed_beyond)
                return false;
    return true;
}

fq_status fq_sphere_hull_largest_hole(double *cosine, bool *exact, const double *u, size_t n, size_t k) {
    *cosine = (double)NAN;
    *exact = false;
    if ((k != 3 && k != 4) || n > UINT32_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "k", k, "3 or 4");
    if (n <= k)
        return FQ_OK;
    hull h = {.u = u, .n = n, .k = k};
    const fq_status status = build(&h);
    if (status == FQ_OK && !h.degenerate && all_within(&h)) {
        double least = 1;
        for (size_t f = 0; f < h.count; f++)
            least = fmin(least, h.facets[f].offset);
        *cosine = least;
        *exact = true;
    }
    fq_free(h.facets);
    fq_free(h.ridges);
    return status;
}
