#include "sphere_cover.h"
#include "sphere_hull.h"
#include "stream_ranges.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = FQ_SPHERE_DIM_MAX };

static double dot(const double *a, const double *b, size_t k) {
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += a[j] * b[j];
    return sum;
}

static void normalise(double *x, size_t k) {
    const double length = sqrt(dot(x, x, k));
    for (size_t j = 0; j < k; j++)
        x[j] /= length;
}

static double angle_of(double cosine) {
    return acos(fmax(-1, fmin(1, cosine)));
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void fq_sphere_random_directions(double *u, size_t n, size_t k, uint64_t seed, uint64_t index) {
    fq_stream stream;
    fq_stream_init(&stream, seed, FQ_PURPOSE_CLAIM, index);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < k; j++)
            u[i * k + j] = fq_stream_normal(&stream);
        normalise(u + i * k, k);
    }
}

double fq_sphere_cap_measure(const fq_source *coordinate, double cosine) {
    return (1 - fq_source_radial_cdf(coordinate, fmax(0, cosine))) / 2;
}

/* Indices of the k nearest of u[n][k] to p, nearest first, with the nearest one's cosine. */
static double nearest(size_t index[MAX], const double *p, const double *u, size_t n, size_t k) {
    double cosine[MAX];
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const double c = dot(p, u + i * k, k);
        if (found == k && c <= cosine[k - 1])
            continue;
        size_t at = found < k ? found++ : k - 1;
        for (; at > 0 && cosine[at - 1] < c; at--) {
            cosine[at] = cosine[at - 1];
            index[at] = index[at - 1];
        }
        cosine[at] = c;
        index[at] = i;
    }
    return cosine[0];
}

/* The unit c with the same cosine > 0 to the k directions: U c ~ 1 by elimination. False if there is none. */
static bool equidistant(double c[MAX], const size_t index[MAX], const double *u, size_t k) {
    double a[MAX][MAX + 1];
    for (size_t i = 0; i < k; i++) {
        memcpy(a[i], u + index[i] * k, k * sizeof **a);
        a[i][k] = 1;
    }
    for (size_t j = 0; j < k; j++) {
        size_t pivot = j;
        for (size_t i = j + 1; i < k; i++)
            if (fabs(a[i][j]) > fabs(a[pivot][j]))
                pivot = i;
        if (!(fabs(a[pivot][j]) > 1e-12))
            return false;
        for (size_t m = j; m <= k; m++) {
            const double swap = a[j][m];
            a[j][m] = a[pivot][m];
            a[pivot][m] = swap;
        }
        for (size_t i = j + 1; i < k; i++) {
            const double factor = a[i][j] / a[j][j];
            for (size_t m = j; m <= k; m++)
                a[i][m] -= factor * a[j][m];
        }
    }
    for (size_t j = k; j-- > 0;) {
        c[j] = a[j][k];
        for (size_t m = j + 1; m < k; m++)
            c[j] -= a[j][m] * c[m];
        c[j] /= a[j][j];
    }
    const double square = dot(c, c, k);
    normalise(c, k);
    return isfinite(square) && square > 0;
}

/* Climbs from p, which becomes the end, and returns the cosine to the nearest direction there. */
static double climb(double p[MAX], const double *u, size_t n, size_t k) {
    double c[MAX] = {0};
    size_t index[MAX] = {0}, other[MAX] = {0};
    double cosine = nearest(index, p, u, n, k);
    for (int step = 0; step < 20 && equidistant(c, index, u, k); step++) {
        double reached = nearest(other, c, u, n, k);
        for (int halving = 0; halving < 3 && !(reached < cosine - 1e-12); halving++) {
            for (size_t j = 0; j < k; j++)
                c[j] = (c[j] + p[j]) / 2;
            normalise(c, k);
            reached = nearest(other, c, u, n, k);
        }
        if (!(reached < cosine - 1e-12))
            break;
        cosine = reached;
        memcpy(p, c, k * sizeof *p);
        memcpy(index, other, sizeof index);
    }
    return cosine;
}

double fq_sphere_largest_hole(const double *u, size_t n, size_t k, const double *start, size_t starts,
                              fq_stream *stream) {
    const int rounds = k < MAX ? 8 : 0;
    double best = 1;
    for (size_t i = 0; i < starts; i++) {
        double p[MAX], c[MAX];
        memcpy(p, start + i * k, k * sizeof *p);
        double cosine = climb(p, u, n, k);
        for (int around = 0; around < rounds && angle_of(cosine) > 0.88 * angle_of(best); around++) {
            for (size_t j = 0; j < k; j++)
                c[j] = p[j] + 0.5 * angle_of(cosine) * fq_stream_normal(stream) / sqrt((double)k - 1);
            normalise(c, k);
            const double reached = climb(c, u, n, k);
            if (reached < cosine - 1e-12) {
                cosine = reached;
                memcpy(p, c, k * sizeof *p);
                around = -1;
            }
        }
        best = fmin(best, cosine);
    }
    return best;
}

void fq_sphere_circle_gaps(double *most, double *least, double *angle, const double *u, size_t n) {
    for (size_t i = 0; i < n; i++)
        angle[i] = atan2(u[2 * i + 1], u[2 * i]);
    qsort(angle, n, sizeof *angle, by_value);
    *most = *least = angle[0] + 2 * M_PI - angle[n - 1];
    for (size_t i = 1; i < n; i++) {
        *most = fmax(*most, angle[i] - angle[i - 1]);
        *least = fmin(*least, angle[i] - angle[i - 1]);
    }
}

/* Over caps with the probes' centres and heights h/16, h = 0..15. */
static double cap_discrepancy(const fq_sphere_probes *probes, const double *u, size_t n, size_t k) {
    enum { HEIGHTS = 16 };
    double measure[HEIGHTS], most = 0;
    for (int h = 0; h < HEIGHTS; h++)
        measure[h] = fq_sphere_cap_measure(&probes->coordinate, (double)h / HEIGHTS);
    for (size_t p = 0; p < probes->caps; p++) {
        size_t inside[HEIGHTS] = {0};
        for (size_t i = 0; i < n; i++) {
            const double c = dot(probes->point + p * k, u + i * k, k);
            for (int h = 0; h < HEIGHTS && c >= (double)h / HEIGHTS; h++)
                inside[h]++;
        }
        for (int h = 0; h < HEIGHTS; h++)
            most = fmax(most, fabs((double)inside[h] / (double)n - measure[h]));
    }
    return most;
}

fq_status fq_sphere_qualities(double quality[FQ_SPHERE_QUALITIES], const fq_sphere_probes *probes,
                              double *angle, const double *u, size_t n, size_t k) {
    quality[FQ_SPHERE_DISCREPANCY] = cap_discrepancy(probes, u, n, k);
    if (k == 2) {
        double most;
        fq_sphere_circle_gaps(&most, &quality[FQ_SPHERE_SEPARATION], angle, u, n);
        quality[FQ_SPHERE_COVERING] = most / 2;
        return FQ_OK;
    }
    const size_t wanted = n > probes->caps && k < MAX ? n : probes->caps;
    const size_t starts = wanted < probes->count ? wanted : probes->count;
    double closest = -1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            closest = fmax(closest, dot(u + i * k, u + j * k, k));
    quality[FQ_SPHERE_SEPARATION] = angle_of(closest);
    double cosine;
    bool exact = false;
    if (k <= 4)
        FQ_TRY(fq_sphere_hull_largest_hole(&cosine, &exact, u, n, k));
    if (!exact) {
        fq_stream stream;
        fq_stream_init_in(&stream, probes->seed, FQ_RANGE_CLAIM_SPHERE_HOLES, k);
        cosine = fq_sphere_largest_hole(u, n, k, probes->point, starts, &stream);
    }
    quality[FQ_SPHERE_COVERING] = angle_of(cosine);
    return FQ_OK;
}
