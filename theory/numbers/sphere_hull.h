/* The largest empty cap of directions in R^3 and R^4, exactly: the facets of their convex hull are the empty
 * caps with k directions on the rim, and the one nearest to the origin has the widest.
 *
 * The hull is built point by point: facets that see the new point go, and it is joined to the ridges between
 * them and the rest. Its result is checked: no direction lies beyond a facet. Source: beneath and beyond, own
 * implementation. */
#ifndef FQ_SPHERE_HULL_H
#define FQ_SPHERE_HULL_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

/* Cosine between the centre of the largest empty cap of u[n][k] (unit vectors) and its rim, to 1e-9; exact is
 * false, and cosine NaN, where the directions are in too special a position for doubles: k + 1 of them within
 * rounding of one hyperplane, as those of a cube are, or fewer than k + 1 independent ones. k = 3 or 4. Cost:
 * n facets, of which there are 2n and about 6.8n. */
FQ_MUST_CHECK fq_status fq_sphere_hull_largest_hole(double *cosine, bool *exact, const double *u, size_t n,
                                                    size_t k);

#endif
