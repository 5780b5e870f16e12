#include <math.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "search_path.h"
#include "search_planar.h"
#include "search_words.h"
#include "stream.h"

enum { POINTS = 97, PRUNED_PATHS = 2 };

static const fq_search_path pruned_paths[PRUNED_PATHS] = {FQ_SEARCH_PRUNED, FQ_SEARCH_PRUNED_AVX512};

/* Words and points with ties, duplicates, zeros, subnormals and large values among ordinary ones. */
static float awkward(fq_stream *s) {
    static const float special[] = {0.0f, -0.0f, 1e-42f, -1e-42f, 0.25f, -0.25f, 1e15f, -1e15f};
    if (fq_stream_below(s, 8) == 0)
        return special[fq_stream_below(s, sizeof special / sizeof special[0])];
    return (float)(0.25 * floor(8 * fq_stream_uniform(s)) - 1) +
           (fq_stream_below(s, 2) ? 0.0f : (float)fq_stream_normal(s));
}

/* Every path that this processor has and that takes these words, all points at once and in odd pieces. */
static void every_path_gives(const uint32_t *wanted, const float *words, size_t N, size_t k, const float *x,
                             size_t n) {
    uint32_t *got = NULL;
    if (!FQ_CHECK_OK(fq_alloc(&got, n, sizeof *got)))
        return;
    for (int path = 0; path < FQ_SEARCH_PATHS; path++) {
        fq_search *search = NULL;
        if (!fq_search_path_available((fq_search_path)path, k))
            continue;
        if (fq_search_create_path(&search, words, N, k, (fq_search_path)path) != FQ_OK) {
            /* may refuse words; their own tests have those they may not */
            FQ_CHECK(path == FQ_SEARCH_PLANAR || path == FQ_SEARCH_PRUNED || path == FQ_SEARCH_PRUNED_AVX512);
            continue;
        }
        FQ_CHECK(path == FQ_SEARCH_BEST || fq_search_get_path(search) == (fq_search_path)path);
        memset(got, 0xff, n * sizeof *got);
        fq_search_nearest(search, got, x, n);
        FQ_CHECK(memcmp(got, wanted, n * sizeof *got) == 0);
        memset(got, 0xff, n * sizeof *got);
        for (size_t first = 0, step = 1; first < n; first += step, step = step % 23 + 1)
            fq_search_nearest(search, got + first, x + first * k, step < n - first ? step : n - first);
        FQ_CHECK(memcmp(got, wanted, n * sizeof *got) == 0);
        fq_search_destroy(search);
    }
    fq_free(got);
}

static void search_equals_the_definition(void) {
    for (unsigned round = 0; round < 400 * fq_test_multiplier(); round++) {
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7000 + round);
        const size_t k = 1 + fq_stream_below(&s, round % 4 ? 9 : 70);
        const size_t n = 1 + fq_stream_below(&s, round % 3 ? 40 : 700);
        float *words = NULL, *room = NULL;
        uint32_t wanted[POINTS];
        if (!FQ_CHECK_OK(fq_alloc(&words, n * k, sizeof *words)) ||
            !FQ_CHECK_OK(fq_alloc(&room, POINTS * k + 1, sizeof *room)))
            return;
        float *x = room + 1; /* not aligned to any vector */
        for (size_t i = 0; i < n * k; i++)
            words[i] = awkward(&s);
        for (size_t i = 0; i < POINTS * k; i++)
            x[i] = awkward(&s);
        for (size_t i = 1; i < n; i += 3) /* duplicate words */
            memcpy(words + i * k, words + fq_stream_below(&s, i) * k, k * sizeof *words);
        for (size_t i = 0; i < POINTS; i += 5) /* points on words */
            memcpy(x + i * k, words + fq_stream_below(&s, n) * k, k * sizeof *x);
        fq_search_nearest_ref(wanted, words, n, k, x, POINTS);
        every_path_gives(wanted, words, n, k, x, POINTS);
        fq_free(room);
        fq_free(words);
    }
}

/* Words as codebooks have them, and points where a grid could go wrong: on its lines, on the borders of cells
 * (midpoints of words) and a bit to their sides, on words, outside, far outside, infinitely small. */
static void the_grid_of_the_plane_is_exact(void) {
    enum { MOST = 700, EACH = 3000 };
    static const size_t sizes[] = {1, 2, 3, 16, 64, 100, 256, 700};
    float *words = NULL, *x = NULL;
    uint32_t *wanted = NULL, *got = NULL;
    FQ_CHECK_OK(fq_alloc(&words, 2 * MOST, sizeof *words));
    FQ_CHECK_OK(fq_alloc(&x, 2 * EACH + 1, sizeof *x));
    FQ_CHECK_OK(fq_alloc(&wanted, EACH, sizeof *wanted));
    FQ_CHECK_OK(fq_alloc(&got, EACH, sizeof *got));
    for (unsigned round = 0; round < 3 * 8 * fq_test_multiplier(); round++) {
        const size_t N = sizes[round % 8];
        const float scale = round % 3 == 0 ? 0.2F : round % 3 == 1 ? 1e-3F : 300.0F;
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 17000 + round);
        for (size_t i = 0; i < 2 * N; i++) /* every fourth codebook on a lattice: ties everywhere */
            words[i] =
                round % 4 ? scale * (float)fq_stream_normal(&s) : scale * (float)fq_stream_below(&s, 30);
        for (size_t i = 0; i < EACH; i++) {
            const float *a = words + 2 * fq_stream_below(&s, N), *b = words + 2 * fq_stream_below(&s, N);
            const double away = i % 7 == 0 ? 0.0 : i % 7 == 1 ? 1e-7 : i % 7 == 2 ? 1e-3 : 1.0;
            for (size_t j = 0; j < 2; j++)
                x[2 * i + j] =
                    i % 5 == 0    ? scale * (float)fq_stream_normal(&s)
                    : i % 5 == 1  ? a[j]
                    : i % 5 < 4   ? 0.5F * (a[j] + b[j]) + scale * (float)(away * fq_stream_normal(&s))
                    : i % 35 == 4 ? (float)(fq_stream_normal(&s) * pow(10.0, 80 * fq_stream_uniform(&s) - 42))
                                  : scale * (float)(9 * fq_stream_normal(&s));
        }
        for (size_t i = 0; i < 2 * EACH; i++)
            x[i] = isfinite(x[i]) ? x[i] : 3e38F;
        fq_search_nearest_ref(wanted, words, N, 2, x, EACH);
        every_path_gives(wanted, words, N, 2, x, EACH);
        fq_search *search = NULL;
        const fq_status status = fq_search_create_path(&search, words, N, 2, FQ_SEARCH_PLANAR);
        FQ_CHECK(status == FQ_OK || N < 16);
        fq_search_destroy(search);
        fq_search_words laid = {0};
        fq_search_planar *planar = NULL;
        if (status == FQ_OK && FQ_CHECK_OK(fq_search_words_init(&laid, words, N, 2)) &&
            FQ_CHECK_OK(fq_search_planar_create(&planar, &laid))) {
            memset(got, 0xff, EACH * sizeof *got);
            fq_search_planar_nearest_portable(planar, got, x, EACH);
            FQ_CHECK(memcmp(got, wanted, EACH * sizeof *got) == 0);
        }
        fq_search_planar_destroy(planar);
        fq_search_words_clear(&laid);
    }
    fq_free(words);
    fq_free(x);
    fq_free(wanted);
    fq_free(got);
}

/* Several bands of words, the last one not full: as codebooks have them, on a lattice (ties everywhere), all
 * the same (every word is scored), some far larger than the others; points among them, on words, on borders,
 * and out of the range that bounds are made for. */
static void bounds_in_bytes_are_exact(void) {
    enum { WORDS = 1500, EACH = 260, BLOCK = 64 };
    static const size_t blocks[] = {1, 2, 7, 8, 16, 31, 32, 64}, sizes[] = {1, 255, 256, 257, 1100, WORDS};
    static const float scales[] = {0.2F, 1.5e-12F, 1e3F, 1e12F};
    float *words = NULL, *x = NULL;
    uint32_t *wanted = NULL;
    FQ_CHECK_OK(fq_alloc(&words, WORDS * BLOCK, sizeof *words));
    FQ_CHECK_OK(fq_alloc(&x, EACH * BLOCK, sizeof *x));
    FQ_CHECK_OK(fq_alloc(&wanted, EACH, sizeof *wanted));
    for (unsigned round = 0; round < 48 * fq_test_multiplier(); round++) {
        const size_t k = blocks[round % 8], N = sizes[round % 6];
        const float scale = scales[round / 8 % 4];
        const unsigned kind = round % 5;
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 19000 + round);
        for (size_t i = 0; i < N * k; i++)
            words[i] = kind == 0   ? scale * (float)fq_stream_below(&s, 3)
                       : kind == 1 ? scale
                                   : scale * (float)fq_stream_normal(&s);
        for (size_t i = 0; kind == 2 && i < N; i += 50)
            for (size_t j = 0; j < k; j++)
                words[i * k + j] *= 100;
        for (size_t i = 0; i < EACH; i++) {
            const float *a = words + fq_stream_below(&s, N) * k, *b = words + fq_stream_below(&s, N) * k;
            const double away = i % 4 < 2 ? 0 : i % 4 == 2 ? 0.1 : 1;
            const float out = i % 37 == 5 ? 0.0F : i % 37 == 6 ? 1e-22F : i % 37 == 7 ? 1e18F : 1.0F;
            for (size_t j = 0; j < k; j++)
                x[i * k + j] =
                    out *
                    (i % 4 == 0 ? a[j] : 0.5F * (a[j] + b[j]) + scale * (float)(away * fq_stream_normal(&s)));
        }
        fq_search_nearest_ref(wanted, words, N, k, x, EACH);
        every_path_gives(wanted, words, N, k, x, EACH);
        if (N == 1 && kind != 1) /* one word may be too small */
            continue;
        for (size_t i = 0; i < PRUNED_PATHS; i++) {
            fq_search *search = NULL;
            if (!fq_search_path_available(pruned_paths[i], k))
                continue;
            FQ_CHECK_OK(fq_search_create_path(&search, words, N, k, pruned_paths[i]));
            fq_search_destroy(search);
        }
    }
    fq_free(words);
    fq_free(x);
    fq_free(wanted);
}

/* Words of one norm and points so small that every product is below half a unit of the score's last place:
 * what rounding takes from a score is then as much as it can be. One word's first product carries it up by a
 * unit and its others, all lost, are negative: computed, it is the nearest, while its exact score is nearly
 * k/2 units below that. All other words end a unit below h. A bound that allows for half of the rounding
 * misses it. */
static void rounding_of_scores_is_allowed_for(void) {
    enum { N = 1100, BLOCK = 56, EACH = 12 };
    static const size_t blocks[] = {16, 24, 32, 48, BLOCK};
    static float words[N * BLOCK], x[EACH * BLOCK];
    uint32_t wanted[EACH];
    for (unsigned round = 0; round < 10 * fq_test_multiplier(); round++) {
        const size_t k = blocks[round % 5], special = 1 + 97 * (round % 11);
        const double h = 1.01 * (round % 2 ? 1024 : 0.5), size = sqrt(2 * h / (double)k);
        const double unit = ldexp(1, ilogb(h) - 23);
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 21000 + round);
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < k; j++)
                words[i * k + j] = (float)(j == 0 || fq_stream_u32(&s) & 1 ? -size : size);
        for (size_t j = 0; j < k; j++)
            words[special * k + j] = (float)(j == 0 ? size : -size);
        for (size_t p = 0; p < EACH; p++)
            for (size_t j = 0; j < k; j++)
                x[p * k + j] = (float)((j == 0 ? 0.6 : 0.49 - 0.002 * (double)p) * unit / size);
        fq_search_nearest_ref(wanted, words, N, k, x, EACH);
        for (size_t p = 0; p < EACH; p++)
            FQ_CHECK(wanted[p] == special);
        every_path_gives(wanted, words, N, k, x, EACH);
    }
}

static void paths_are_what_they_say(void) {
    static const float words[6] = {0, 0, 1, 0, 0, 1};
    fq_search *search = NULL;
    FQ_CHECK(fq_search_path_available(FQ_SEARCH_PORTABLE, 5) && fq_search_path_available(FQ_SEARCH_BEST, 5));
    FQ_CHECK(!fq_search_path_available(FQ_SEARCH_PLANAR, 3) && !fq_search_path_available(FQ_SEARCH_PATHS, 3));
    FQ_CHECK_FAILS(fq_search_create_path(&search, words, 2, 3, FQ_SEARCH_PLANAR), FQ_ERR_ARGUMENT);
    static const float line[6] = {0, 0, 1, 0, 2, 0}; /* no area */
    FQ_CHECK_FAILS(fq_search_create_path(&search, line, 3, 2, FQ_SEARCH_PLANAR), FQ_ERR_ARGUMENT);
    FQ_CHECK(search == NULL);
    for (size_t i = 0; i < PRUNED_PATHS; i++) {
        static const float large[4] = {1e30F, 0, 0, 1}, small[4] = {1e-30F, 0, 0, 0};
        FQ_CHECK(!fq_search_path_available(pruned_paths[i], 65));
        if (!fq_search_path_available(pruned_paths[i], 2))
            continue;
        FQ_CHECK_FAILS(fq_search_create_path(&search, large, 2, 2, pruned_paths[i]), FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_search_create_path(&search, small, 2, 2, pruned_paths[i]), FQ_ERR_ARGUMENT);
    }
    float many[2 * 256];
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 18000);
    for (size_t i = 0; i < 512; i++)
        many[i] = (float)fq_stream_normal(&s);
    FQ_CHECK_OK(fq_search_create(&search, many, 256, 2, 1000));
    FQ_CHECK(fq_search_get_path(search) != FQ_SEARCH_PLANAR);
    fq_search_destroy(search);
    FQ_CHECK_OK(fq_search_create(&search, many, 256, 2, SIZE_MAX));
    FQ_CHECK(fq_search_get_path(search) == FQ_SEARCH_PLANAR);
    fq_search_destroy(search);
    FQ_CHECK_OK(fq_search_create(&search, many, 64, 8, SIZE_MAX)); /* few words: all of them are faster */
    FQ_CHECK(fq_search_get_path(search) < FQ_SEARCH_PLANAR);
    fq_search_destroy(search);
}

static void bad_words_are_named(void) {
    fq_search *search = NULL;
    float words[8] = {0, 1, 2, 3, NAN, 5, 6, 7};
    FQ_CHECK_FAILS(fq_search_create(&search, words, 4, 2, 1), FQ_ERR_NONFINITE);
    FQ_CHECK(fq_error_last()->value == 4);
    FQ_CHECK_FAILS(fq_search_create(&search, words, 0, 2, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_search_create(&search, words, 4, 0, 1), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_search_create(&search, words, FQ_CODEWORDS_MAX + 1, 1, 1), FQ_ERR_ARGUMENT);
    static const float triangle[6] = {0, 0, 1, 0, 0, 1};
    for (size_t fail = 1; fail <= 8; fail++) {
        fq_alloc_fail_at(fail);
        FQ_CHECK_FAILS(fq_search_create_path(&search, triangle, 3, 2, FQ_SEARCH_PLANAR), FQ_ERR_MEMORY);
    }
    for (size_t i = 0; i < PRUNED_PATHS; i++)
        for (size_t fail = 1; fail <= 11 && fq_search_path_available(pruned_paths[i], 2); fail++) {
            fq_alloc_fail_at(fail);
            FQ_CHECK_FAILS(fq_search_create_path(&search, triangle, 3, 2, pruned_paths[i]), FQ_ERR_MEMORY);
        }
    fq_alloc_fail_at(0);
    FQ_CHECK(search == NULL);
    fq_search_destroy(NULL);
}

static const fq_test tests[] = {
    {"search equals the definition", search_equals_the_definition},
    {"the grid of the plane is exact", the_grid_of_the_plane_is_exact},
    {"bounds in bytes are exact", bounds_in_bytes_are_exact},
    {"rounding of scores is allowed for", rounding_of_scores_is_allowed_for},
    {"paths are what they say", paths_are_what_they_say},
    {"bad words", bad_words_are_named},
    {0},
};
const fq_suite fq_suite_search = {"search", tests};
