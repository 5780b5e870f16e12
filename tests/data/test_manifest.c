#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "failure.h"
#include "manifest.h"
#include "memory.h"
#include "stream.h"

static fq_status parse(fq_manifest *manifest, const char *text) {
    return fq_manifest_parse(manifest, "m.yaml", text, strlen(text));
}

static const char good[] = "experiment: e\n"
                           "seeds: [3, 4]\n"
                           "replicates: 2\n"
                           "codecs: [fp16, {family: fib, k: [2, 4], N: [16, 256]}]\n"
                           "grid:\n"
                           "  dim: {from: 16, to: 128, factor: 2}\n"
                           "  x: {from: 0.1, to: 0.3, step: 0.1}\n"
                           "  zip: {a: [1, 2], b: [u, v]}\n";

static void given_a_manifest_expect_its_axes_and_points(void) {
    static const char *const codecs[] = {"fp16", "fib:k=2,N=16", "fib:k=2,N=256", "fib:k=4,N=16",
                                         "fib:k=4,N=256"};
    fq_manifest m;
    size_t points = 0, chosen[8], replicate = 9;
    uint64_t seed = 0;
    if (!FQ_CHECK_OK(parse(&m, good)))
        return;
    FQ_CHECK(m.block_count == 1 && m.blocks[0].group_count == 4);
    const fq_manifest_block *b = &m.blocks[0];
    const fq_manifest_axis *codec = &b->groups[0].axes[0];
    FQ_CHECK(strcmp(codec->name, "codec") == 0 && codec->count == 5);
    for (size_t i = 0; i < 5; i++)
        FQ_CHECK(strcmp(codec->values[i].text, codecs[i]) == 0 && codec->values[i].line == 4);
    FQ_CHECK(b->groups[1].count == 4 && strcmp(b->groups[1].axes[0].values[3].text, "128") == 0);
    FQ_CHECK(b->groups[2].count == 3 && strcmp(b->groups[2].axes[0].values[2].text, "0.3") == 0);
    FQ_CHECK(b->groups[3].axis_count == 2 && b->groups[3].count == 2);
    FQ_CHECK_OK(fq_manifest_points(&points, &m));
    FQ_CHECK(points == 5 * 4 * 3 * 2 * 2 * 2);
    fq_manifest_point(b, points - 2, chosen, &seed, &replicate);
    FQ_CHECK(chosen[0] == 4 && chosen[1] == 3 && chosen[2] == 2 && chosen[3] == 1);
    FQ_CHECK(seed == 4 && replicate == 0);
    fq_manifest_clear(&m);
}

/* Text, and what the message must contain. */
static const char *const bad[][3] = {
    {"", "m.yaml", "empty"},
    {"grid: {a: 1}", "m.yaml:1", "\"experiment\": missing"},
    {"experiment: e\nsede: 1", "m.yaml:2", "\"sede\": unknown key"},
    {"experiment: e\nseed: -1", "m.yaml:2", "whole number in 0.."},
    {"experiment: e\nseed: 1\nseed: 2", "m.yaml:3", "given twice"},
    {"experiment: e\nseed: 1\nseeds: [1]", "m.yaml:3", "both seed and seeds"},
    {"experiment: e\nreplicates: 0", "m.yaml:2", "1..100000"},
    {"experiment: e\ngrid: {a: []}", "m.yaml:2", "an empty list"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 2}", "m.yaml:3", "incomplete range"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 2, step: -1}", "m.yaml:3", "step leads away"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 9, factor: 1}", "m.yaml:3", "factor"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 1e12, step: 1}", "m.yaml:3", "range too long"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 2, step: 1, stop: 3}", "m.yaml:3", "unknown key in a range"},
    {"experiment: e\ngrid:\n  zip: {a: [1, 2],\n    b: [1]}", "m.yaml:4", "1 values in a zip"},
    {"experiment: e\ncodecs: [fp16]\ngrid: {codec: tq}", "m.yaml:3", "has values already"},
    {"experiment: e\ngrid: {a: [[1]]}", "m.yaml:2", "a list or mapping stands here"},
    {"experiment: e\ngrid: {a: \"x\\ny\"}", "m.yaml:2", "control character"},
    {"experiment: e\n---\nexperiment: f", "m.yaml:2", "second document"},
    {"experiment: e\n  grid: 3", "m.yaml:2", "not valid YAML"},
    {"experiments: [{experiment: e}]\ngrid: {a: 1}", "m.yaml:1", "beside experiment or grid"},
    {"experiment: e\noutputs: {result: x}", "m.yaml:2", "unknown key in outputs"},
    {"- 1\n- 2", "m.yaml:1", "no mapping"},
    {"&a [*a]", "m.yaml:1", "no mapping"},
    {"experiment: e\ngrid:\n  a: {from: 1, to: 100000, count: 100000}\n"
     "  b: {from: 1, to: 50, step: 1}",
     "m.yaml", "too many points"},
};

static void given_a_bad_manifest_expect_its_line_and_what_is_allowed(void) {
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fq_manifest m;
        char line[FQ_FAILURE_LINE_MAX];
        if (!FQ_CHECK_FAILS(parse(&m, bad[i][0]), FQ_ERR_INPUT))
            continue;
        fq_failure_line(line, fq_error_last());
        if (!FQ_CHECK(strstr(line, bad[i][1]) != NULL && strstr(line, bad[i][2]) != NULL))
            fprintf(stderr, "  %zu: %s\n", i, line);
    }
}

static void given_aliases_that_multiply_expect_a_refusal_and_no_flood(void) {
    char text[2000] = "experiment: e\ngrid:\n  a: &a0 [1, 2, 3, 4, 5, 6, 7, 8]\n";
    fq_manifest m;
    for (int i = 1; i < 20; i++) {
        char line[80];
        snprintf(line, sizeof line, "  a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                 i - 1);
        strcat(text, line);
    }
    FQ_CHECK_FAILS(parse(&m, text), FQ_ERR_INPUT);
    char *large = malloc(FQ_MANIFEST_BYTES_MAX + 2);
    if (!FQ_CHECK(large != NULL))
        return;
    memset(large, ' ', FQ_MANIFEST_BYTES_MAX + 1);
    FQ_CHECK_FAILS(fq_manifest_parse(&m, "m", large, FQ_MANIFEST_BYTES_MAX + 1), FQ_ERR_INPUT);
    memset(large, '&', 5000);
    FQ_CHECK_FAILS(fq_manifest_parse(&m, "m", large, 5000), FQ_ERR_INPUT);
    free(large);
}

/* 250 kB of lists or mappings inside each other, in each of YAML's ways to write them: the line is named, and
 * it takes no time that grows as the square. */
static void given_deep_nesting_expect_the_line_at_once(void) {
    static const struct {
        const char *begin, *step;
        const char *line;
    } cases[] = {
        {"experiment: e\ngrid: ", "[", "m.yaml:2: lists and mappings nested too deep"},
        {"experiment: e\ngrid: ", "{a: ", "m.yaml:2: lists and mappings nested too deep"},
        {"experiment: e\ngrid: ", "[\n", "m.yaml:33: lists and mappings nested too deep"},
        {"experiment: e\ngrid:\n ", "- ", "m.yaml:3: lists and mappings nested too deep"},
        {"experiment: e\ngrid:\n ", "? ", "m.yaml:3: lists and mappings nested too deep"},
    };
    enum { LENGTH = 250000 };
    char *text = malloc(LENGTH);
    if (!FQ_CHECK(text != NULL))
        return;
    const clock_t start = clock();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_manifest m;
        size_t length = strlen(cases[i].begin);
        memcpy(text, cases[i].begin, length);
        for (; length + strlen(cases[i].step) < LENGTH; length += strlen(cases[i].step))
            memcpy(text + length, cases[i].step, strlen(cases[i].step));
        FQ_CHECK_FAILS(fq_manifest_parse(&m, "m.yaml", text, length), FQ_ERR_INPUT);
        if (!FQ_CHECK(strstr(fq_error_last()->text, cases[i].line) != NULL))
            fprintf(stderr, "%s: %s\n", cases[i].step, fq_error_last()->text);
    }
    FQ_CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 2.0);
    free(text);
}

static bool accepts(const char *experiment, const char *key, void *context) {
    (void)experiment;
    (void)context;
    return strcmp(key, "nothing") != 0;
}

static void given_assignments_expect_axes_replaced(void) {
    fq_manifest m;
    size_t points = 0;
    if (!FQ_CHECK_OK(parse(&m, good)))
        return;
    FQ_CHECK_OK(fq_manifest_set(&m, "dim=64", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_set(&m, "codec=[fp16, 'tq:b=2']", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_set(&m, "a=7", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_set(&m, "seed=5", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_set(&m, "replicates=1", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_set(&m, "new=[1, 2, 3]", accepts, NULL));
    FQ_CHECK_OK(fq_manifest_points(&points, &m));
    FQ_CHECK(points == 2 * 1 * 3 * 2 * 3);
    FQ_CHECK(strcmp(m.blocks[0].groups[3].axes[0].values[1].text, "7") == 0);
    FQ_CHECK(m.blocks[0].groups[1].axes[0].values[0].line == 0);
    FQ_CHECK_FAILS(fq_manifest_set(&m, "a=[1, 2, 3]", accepts, NULL), FQ_ERR_USAGE);
    FQ_CHECK_FAILS(fq_manifest_set(&m, "nothing=1", accepts, NULL), FQ_ERR_USAGE);
    FQ_CHECK_FAILS(fq_manifest_set(&m, "dim", accepts, NULL), FQ_ERR_USAGE);
    FQ_CHECK_FAILS(fq_manifest_set(&m, "dim=[", accepts, NULL), FQ_ERR_USAGE);
    fq_manifest_clear(&m);
}

static void given_damaged_text_expect_a_status_and_no_crash(void) {
    char text[sizeof good];
    const size_t rounds = 3000 * (size_t)fq_test_multiplier();
    size_t accepted = 0;
    for (size_t i = 0; i < rounds; i++) {
        fq_stream s;
        fq_manifest m;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, i);
        memcpy(text, good, sizeof good);
        const size_t length = (size_t)fq_stream_below(&s, sizeof good);
        for (int flips = 0; flips < 3; flips++)
            text[fq_stream_below(&s, sizeof good)] = (char)fq_stream_below(&s, 256);
        const fq_status status = fq_manifest_parse(&m, "m", text, length);
        if (status == FQ_OK) {
            accepted++;
            fq_manifest_clear(&m);
        } else if (status != FQ_ERR_INPUT) {
            FQ_CHECK_FAILS(status, FQ_ERR_INPUT);
        }
    }
    FQ_CHECK(accepted < rounds);
}

static void given_every_allocation_failing_expect_out_of_memory_and_no_leak(void) {
    for (size_t n = 1;; n++) {
        fq_manifest m;
        fq_alloc_fail_at(n);
        const fq_status status = parse(&m, good);
        const size_t used = fq_alloc_fail_at(0);
        if (status == FQ_OK) {
            fq_manifest_clear(&m);
            FQ_CHECK(used < n);
            return;
        }
        if (!FQ_CHECK_FAILS(status, FQ_ERR_MEMORY))
            return;
    }
}

static const fq_test tests[] = {
    {"axes and points", given_a_manifest_expect_its_axes_and_points},
    {"bad manifests", given_a_bad_manifest_expect_its_line_and_what_is_allowed},
    {"multiplying aliases", given_aliases_that_multiply_expect_a_refusal_and_no_flood},
    {"deep nesting", given_deep_nesting_expect_the_line_at_once},
    {"assignments", given_assignments_expect_axes_replaced},
    {"damaged text", given_damaged_text_expect_a_status_and_no_crash},
    {"failing allocations", given_every_allocation_failing_expect_out_of_memory_and_no_leak},
    {0},
};
const fq_suite fq_suite_manifest = {"manifest", tests};
