#include <math.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "search.h"
#include "stream.h"

enum { POINTS = 97 };

/* Words and points with ties, duplicates, zeros, subnormals and large values among ordinary ones. */
static float awkward(fq_stream *s) {
    static const float special[] = {0.0f, -0.0f, 1e-42f, -1e-42f, 0.25f, -0.25f, 1e15f, -1e15f};
    if (fq_stream_below(s, 8) == 0)
        return special[fq_stream_below(s, sizeof special / sizeof special[0])];
    return (float)(0.25 * floor(8 * fq_stream_uniform(s)) - 1) +
           (fq_stream_below(s, 2) ? 0.0f : (float)fq_stream_normal(s));
}

static void search_equals_the_definition(void) {
    for (unsigned round = 0; round < 400 * fq_test_multiplier(); round++) {
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7000 + round);
        const size_t k = 1 + fq_stream_below(&s, round % 4 ? 9 : 70);
        const size_t n = 1 + fq_stream_below(&s, round % 3 ? 40 : 700);
        float *words = NULL, *room = NULL;
        uint32_t got[POINTS], wanted[POINTS];
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
        fq_search *search = NULL;
        if (FQ_CHECK_OK(fq_search_create(&search, words, n, k))) {
            fq_search_nearest(search, got, x, POINTS);
            fq_search_nearest_ref(wanted, words, n, k, x, POINTS);
            FQ_CHECK(memcmp(got, wanted, sizeof got) == 0);
        }
        fq_search_destroy(search);
        fq_free(room);
        fq_free(words);
    }
}

static void bad_words_are_named(void) {
    fq_search *search = NULL;
    float words[8] = {0, 1, 2, 3, NAN, 5, 6, 7};
    FQ_CHECK_FAILS(fq_search_create(&search, words, 4, 2), FQ_ERR_NONFINITE);
    FQ_CHECK(fq_error_last()->value == 4);
    FQ_CHECK_FAILS(fq_search_create(&search, words, 0, 2), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_search_create(&search, words, 4, 0), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_search_create(&search, words, FQ_CODEWORDS_MAX + 1, 1), FQ_ERR_ARGUMENT);
    for (size_t fail = 1; fail <= 3; fail++) {
        fq_alloc_fail_at(fail);
        FQ_CHECK_FAILS(fq_search_create(&search, words, 2, 2), FQ_ERR_MEMORY);
    }
    fq_alloc_fail_at(0);
    FQ_CHECK(search == NULL);
    fq_search_destroy(NULL);
}

static const fq_test tests[] = {
    {"search equals the definition", search_equals_the_definition},
    {"bad words", bad_words_are_named},
    {0},
};
const fq_suite fq_suite_search = {"search", tests};
