/* How evenly n unit vectors u[n][k] (rows) fill the sphere S^{k-1}.
 *
 *   covering      largest angle from a point of the sphere to its nearest vector, radians
 *   separation    smallest angle between two vectors, radians
 *   discrepancy   largest difference between a cap's share of the vectors and its measure (share of the
 * sphere)
 *
 * Covering is exact at k = 2, and at k = 3 and 4 by the convex hull (sphere_hull.h) unless the vectors are in
 * so special a position that doubles cannot build it. Else holes are climbed to from given starts, so that
 * what is found is from below; so is the discrepancy, over given centres and 16 heights. Source: own
 * algorithms. */
#ifndef FQ_SPHERE_COVER_H
#define FQ_SPHERE_COVER_H

#include "source.h"
#include "stream.h"

enum { FQ_SPHERE_DIM_MAX = 8 };

typedef enum fq_sphere_quality {
    FQ_SPHERE_COVERING,
    FQ_SPHERE_SEPARATION,
    FQ_SPHERE_DISCREPANCY,
    FQ_SPHERE_QUALITIES
} fq_sphere_quality;

/* What the search for holes and the caps start from. */
typedef struct fq_sphere_probes {
    const double *point;  /* [count][k], unit vectors */
    size_t count, caps;   /* the first `caps` of them are centres of caps */
    uint64_t seed;        /* of the points around an end from which climbs go on */
    fq_source coordinate; /* fq_source_init(&coordinate, k, 1) */
} fq_sphere_probes;

/* All three. u[n][k], 2 <= k <= FQ_SPHERE_DIM_MAX, n > k (2 at k = 2); angle[n] is overwritten (k = 2 only).
 * Climbs start at as many probes as there are vectors (probes->count at most), and at all centres of caps;
 * at k = FQ_SPHERE_DIM_MAX at those alone. Cost: n (n + caps + 20 starts) k. */
FQ_MUST_CHECK fq_status fq_sphere_qualities(double quality[FQ_SPHERE_QUALITIES],
                                            const fq_sphere_probes *probes, double *angle, const double *u,
                                            size_t n, size_t k);

/* u[n][k] independent uniform directions: samples of (seed, FQ_PURPOSE_CLAIM, index). */
void fq_sphere_random_directions(double *u, size_t n, size_t k, uint64_t seed, uint64_t index);

/* Measure of a cap of S^{k-1} whose rim has this cosine >= 0; coordinate as above. Error about 1e-14. */
double fq_sphere_cap_measure(const fq_source *coordinate, double cosine);

/* Cosine between the centre of the largest empty cap found and the vectors on its rim, k >= 3. From each
 * start p the climb goes to the unit vector equally far from the k vectors nearest to p, while that is
 * farther from all. A climb can end where k vectors are equally near and still not at the top: one that ends
 * near the best so far goes on from points around its end (not at k = FQ_SPHERE_DIM_MAX, where nearly every
 * hole is near the best). */
double fq_sphere_largest_hole(const double *u, size_t n, size_t k, const double *start, size_t starts,
                              fq_stream *stream);

/* Largest and smallest gap, radians, of n directions u[n][2] of the circle; angle[n] is overwritten. */
void fq_sphere_circle_gaps(double *most, double *least, double *angle, const double *u, size_t n);

#endif
