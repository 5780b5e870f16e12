/* Covering, separation and discrepancy of directions, on polytopes where all three are known. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "sphere_cover.h"
#include "sphere_hull.h"

enum { PROBES = 400, MOST = 24 };

static void qualities_of(double quality[FQ_SPHERE_QUALITIES], double (*points)[4], size_t n, size_t k) {
    static double probe[PROBES * FQ_SPHERE_DIM_MAX];
    double u[MOST * 4], angle[MOST];
    fq_sphere_probes probes = {.point = probe, .count = PROBES, .caps = PROBES, .seed = fq_test_seed()};
    FQ_CHECK_OK(fq_source_init(&probes.coordinate, k, 1));
    fq_sphere_random_directions(probe, PROBES, k, fq_test_seed(), 77);
    for (size_t i = 0; i < n; i++) {
        double square = 0;
        for (size_t j = 0; j < k; j++)
            square += points[i][j] * points[i][j];
        for (size_t j = 0; j < k; j++)
            u[i * k + j] = points[i][j] / sqrt(square);
    }
    FQ_CHECK_OK(fq_sphere_qualities(quality, &probes, angle, u, n, k));
}

static void known_polytopes(void) {
    const double phi = (1 + sqrt(5)) / 2;
    double octahedron[6][4] = {{0}}, cube[8][4] = {{0}}, icosahedron[12][4] = {{0}}, cross[8][4] = {{0}},
           cell24[24][4] = {{0}}, square[4][4] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    for (size_t i = 0; i < 8; i++) {
        if (i < 6)
            octahedron[i][i / 2] = i % 2 ? -1 : 1;
        cross[i][i / 2] = i % 2 ? -1 : 1;
        for (size_t j = 0; j < 3; j++)
            cube[i][j] = i >> j & 1 ? 1 : -1;
    }
    for (size_t i = 0; i < 12; i++) {
        icosahedron[i][i / 4] = i & 1 ? 1 : -1;
        icosahedron[i][(i / 4 + 1) % 3] = i & 2 ? phi : -phi;
    }
    size_t n = 0;
    for (size_t a = 0; a < 4; a++)
        for (size_t b = a + 1; b < 4; b++)
            for (size_t s = 0; s < 4; s++, n++) {
                cell24[n][a] = s & 1 ? 1 : -1;
                cell24[n][b] = s & 2 ? 1 : -1;
            }
    const struct {
        double (*points)[4];
        size_t n, k;
        double covering, separation;
    } cases[] = {
        {square, 4, 2, M_PI / 4, M_PI / 2},
        {octahedron, 6, 3, acos(1 / sqrt(3)), M_PI / 2},
        {cube, 8, 3, acos(1 / sqrt(3)), acos(1. / 3)},
        {icosahedron, 12, 3, acos(sqrt((5 + 2 * sqrt(5)) / 15)), acos(1 / sqrt(5))},
        {cross, 8, 4, M_PI / 3, M_PI / 2},
        {cell24, 24, 4, M_PI / 4, M_PI / 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double quality[FQ_SPHERE_QUALITIES];
        qualities_of(quality, cases[i].points, cases[i].n, cases[i].k);
        FQ_CHECK_NEAR(quality[FQ_SPHERE_COVERING], cases[i].covering, 1e-9);
        FQ_CHECK_NEAR(quality[FQ_SPHERE_SEPARATION], cases[i].separation, 1e-9);
    }
    /* The open half circle around a probe between two of four points holds one or two of them, or none:
     * a cap of 1/4 of the circle whose rim just misses two neighbours is empty, so at most 1/4 is lost; a
     * half circle that holds three of four wins 1/4. Over random probes at 16 heights: nearly that. */
    double quality[FQ_SPHERE_QUALITIES];
    qualities_of(quality, square, 4, 2);
    FQ_CHECK(quality[FQ_SPHERE_DISCREPANCY] > 0.2 && quality[FQ_SPHERE_DISCREPANCY] <= 0.25 + 1e-12);
}

/* A cap's share of the circle, of the sphere, and of S^3 (angle a: (2a - sin 2a)/(2 pi)). */
static void measures_of_caps(void) {
    fq_source coordinate;
    for (double c = 0; c < 1; c += 0.13) {
        FQ_CHECK_OK(fq_source_init(&coordinate, 2, 1));
        FQ_CHECK_NEAR(fq_sphere_cap_measure(&coordinate, c), acos(c) / M_PI, 1e-13);
        FQ_CHECK_OK(fq_source_init(&coordinate, 3, 1));
        FQ_CHECK_NEAR(fq_sphere_cap_measure(&coordinate, c), (1 - c) / 2, 1e-13);
        FQ_CHECK_OK(fq_source_init(&coordinate, 4, 1));
        FQ_CHECK_NEAR(fq_sphere_cap_measure(&coordinate, c), (2 * acos(c) - sin(2 * acos(c))) / (2 * M_PI),
                      1e-13);
    }
}

/* One vertex of the icosahedron taken away: the hole is around it, as far as its five neighbours' circle. */
static void a_missing_vertex_is_found(void) {
    const double phi = (1 + sqrt(5)) / 2;
    double icosahedron[12][4] = {{0}}, quality[FQ_SPHERE_QUALITIES];
    for (size_t i = 0; i < 12; i++) {
        icosahedron[i][i / 4] = i & 1 ? 1 : -1;
        icosahedron[i][(i / 4 + 1) % 3] = i & 2 ? phi : -phi;
    }
    qualities_of(quality, icosahedron + 1, 11, 3);
    FQ_CHECK_NEAR(quality[FQ_SPHERE_COVERING], acos(1 / sqrt(5)), 1e-9);
}

/* The hull against climbs from so many starts that they find the hole of so few directions; simplices;
 * directions all on one side, whose largest empty cap is more than half of the sphere; and what it refuses.
 */
static void hulls_find_the_largest_hole(void) {
    enum { N = 60, STARTS = 3000 };
    static double u[N * 4], start[STARTS * 4];
    double cosine;
    bool exact;
    for (size_t k = 3; k <= 4; k++)
        for (uint64_t set = 0; set < 4; set++) {
            fq_stream stream;
            fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, set);
            fq_sphere_random_directions(u, N, k, fq_test_seed(), 80 + set);
            fq_sphere_random_directions(start, STARTS, k, fq_test_seed(), 79);
            FQ_CHECK_OK(fq_sphere_hull_largest_hole(&cosine, &exact, u, N, k));
            FQ_CHECK(exact);
            FQ_CHECK_NEAR(cosine, fq_sphere_largest_hole(u, N, k, start, STARTS, &stream), 1e-9);
        }
    for (size_t k = 3; k <= 4; k++) { /* e_1..e_k and -(1,..,1)/sqrt(k) */
        memset(u, 0, sizeof u);
        for (size_t i = 0; i < k; i++)
            u[i * k + i] = 1;
        for (size_t j = 0; j < k; j++)
            u[k * k + j] = -1 / sqrt((double)k);
        FQ_CHECK_OK(fq_sphere_hull_largest_hole(&cosine, &exact, u, k + 1, k));
        /* The facet of all but e_1 has normal (1 - k - sqrt(k), 1, .., 1), up to its length. */
        const double root = sqrt((double)k);
        FQ_CHECK(exact);
        FQ_CHECK_NEAR(cosine, 1 / sqrt(pow((double)k - 1 + root, 2) + (double)k - 1), 1e-12);
        FQ_CHECK_OK(fq_sphere_hull_largest_hole(&cosine, &exact, u, k, k));
        FQ_CHECK(!exact && isnan(cosine));
    }
    fq_sphere_random_directions(u, N, 3, fq_test_seed(), 90);
    for (size_t i = 0; i < N; i++)
        u[3 * i + 2] = fabs(u[3 * i + 2]);
    double lowest = 1;
    FQ_CHECK_OK(fq_sphere_hull_largest_hole(&cosine, &exact, u, N, 3));
    for (size_t i = 0; i < N; i++)
        lowest = fmin(lowest, u[3 * i + 2]);
    FQ_CHECK(exact && cosine <= -lowest && cosine < 0);
    FQ_CHECK_FAILS(fq_sphere_hull_largest_hole(&cosine, &exact, u, N / 2, 5), FQ_ERR_ARGUMENT);
}

static void gaps_of_the_circle(void) {
    double u[14], angle[7], most, least;
    for (int i = 0; i < 7; i++) {
        const double a =
            2 * M_PI * (i == 6 ? 6.5 : i) / 8; /* gaps of 1/8 but for 1.5/8 on both sides of the last */
        u[2 * i] = cos(a);
        u[2 * i + 1] = sin(a);
    }
    fq_sphere_circle_gaps(&most, &least, angle, u, 7);
    FQ_CHECK_NEAR(most, 2 * M_PI * 1.5 / 8, 1e-14);
    FQ_CHECK_NEAR(least, 2 * M_PI / 8, 1e-14);
}

static const fq_test tests[] = {
    {"known polytopes", known_polytopes},
    {"measures of caps", measures_of_caps},
    {"a missing vertex is found", a_missing_vertex_is_found},
    {"hulls find the largest hole", hulls_find_the_largest_hole},
    {"gaps of the circle", gaps_of_the_circle},
    {0},
};
const fq_suite fq_suite_sphere_cover = {"sphere_cover", tests};
