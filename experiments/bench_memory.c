/* Memory beyond the data itself: that of ten times the samples or vectors is no larger. Each measurement is
 * taken in a process of its own, as the rise of its resident set to the peak while the work is done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "codebook_initial.h"
#include "codec.h"
#include "failure.h"
#include "lloyd.h"
#include "memory.h"

enum { DIM = 64, MORE = 10 };

/* A field of /proc/self/status in bytes; 0 if it cannot be read. */
static double field(const char *name) {
    char line[256];
    double kib = 0;
    FILE *const file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtod(line + strlen(name) + 1, NULL);
    if (file)
        fclose(file);
    return 1024 * kib;
}

static bool reset_peak(void) {
    FILE *const file = fopen("/proc/self/clear_refs", "w");
    const bool good = file && fputs("5\n", file) >= 0;
    return file && fclose(file) == 0 && good;
}

typedef struct task {
    const char *name;                          /* of the rows */
    fq_status (*prepare)(void **data, size_t n, uint64_t seed); /* the data itself, all touched */
    fq_status (*run)(void *data);
} task;

/* In the child: the rise, or a negative number. */
static double rise(const task *t, size_t n, uint64_t seed) {
    void *data = NULL;
    if (t->prepare(&data, n, seed) != FQ_OK || !reset_peak())
        return -1;
    const double before = field("VmRSS");
    if (t->run(data) != FQ_OK)
        return -2;
    const double peak = field("VmHWM");
    return before > 0 && peak >= before ? peak - before : -3;
}

/* Samples: no data; drawn as they are used. */
typedef struct sample_data {
    fq_source source;
    fq_search *search;
    fq_cells cells;
    size_t n;
} sample_data;

static fq_status prepare_samples(void **data, size_t n, uint64_t seed) {
    (void)seed;
    enum { BLOCK = 4, WORDS = 256 };
    static sample_data d;
    static float words[WORDS * BLOCK];
    d.n = n;
    FQ_TRY(fq_source_init(&d.source, DIM, BLOCK));
    fq_initial_words(words, &d.source, WORDS);
    FQ_TRY(fq_search_create(&d.search, words, WORDS, BLOCK, n));
    FQ_TRY(fq_cells_init(&d.cells, WORDS, BLOCK));
    *data = &d;
    return FQ_OK;
}

static fq_status run_samples(void *data) {
    sample_data *const d = data;
    return fq_cells_collect_source(&d->cells, d->search, &d->source, 1, FQ_PURPOSE_BENCH, 0, d->n);
}

/* Vectors and codes, both there before. */
typedef struct vector_data {
    fq_codec *codec;
    float *x;
    uint8_t *codes;
    size_t n;
} vector_data;

static fq_status prepare_vectors(void **data, size_t n, uint64_t seed) {
    static vector_data d;
    fq_codec_spec spec;
    fq_stream stream;
    FQ_TRY(fq_codec_spec_parse(&spec, "fib:k=4,N=256,recipe=initial"));
    FQ_TRY(fq_codec_create(&d.codec, &spec, DIM, NULL));
    const size_t bytes = fq_codec_get_cost(d.codec).code_bytes;
    FQ_TRY(fq_alloc(&d.x, n * DIM, sizeof *d.x));
    FQ_TRY(fq_alloc(&d.codes, n, bytes));
    fq_stream_init(&stream, seed, FQ_PURPOSE_BENCH, UINT64_C(1) << 42);
    for (size_t i = 0; i < n * DIM; i++)
        d.x[i] = (float)fq_stream_uniform(&stream) - 0.5F;
    memset(d.codes, 0xff, n * bytes);
    d.n = n;
    *data = &d;
    return FQ_OK;
}

static fq_status run_encode(void *data) {
    const vector_data *const d = data;
    return fq_codec_encode(d->codec, d->codes, d->x, d->n);
}

static fq_status prepare_codes(void **data, size_t n, uint64_t seed) {
    FQ_TRY(prepare_vectors(data, n, seed));
    return run_encode(*data);
}

static fq_status run_decode(void *data) {
    const vector_data *const d = data;
    return fq_codec_decode(d->codec, d->x, d->codes, d->n);
}

/* Measures in a child; false if that failed. */
static bool measure_child(const task *t, size_t n, uint64_t seed, double *bytes) {
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const double result = rise(t, n, seed);
        _exit(write(ends[1], &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
    }
    close(ends[1]);
    const bool whole = child > 0 && read(ends[0], bytes, sizeof *bytes) == (ssize_t)sizeof *bytes;
    close(ends[0]);
    int state;
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    return whole && *bytes >= 0;
}

static fq_status measure(fq_bench_session *session, const task *t, const char *unit, size_t n) {
    char names[2][FQ_BENCH_NAME_MAX];
    double bytes[2] = {0, 0};
    const fq_bench_case the_case = {.name = t->name, .unit = "B", .amount = 1,
                                    .work = "peak of memory beyond the data itself, once and for ten times as much"};
    fq_bench_begin(session, &the_case);
    for (size_t i = 0; i < 2; i++) {
        const size_t count = i ? MORE * n : n;
        const bool good = measure_child(t, count, fq_bench_seed(session), &bytes[i]);
        snprintf(names[i], sizeof names[i], "%zu %s", count, unit);
        /* pages are 4 KiB, and the C library keeps a few of its own */
        const fq_bench_target target = {FQ_GOAL_VALUE, bytes[0] + 262144, NULL};
        FQ_TRY(fq_bench_note(session, names[i], bytes[i], "B", i ? &target : NULL, good, "the measurement failed"));
    }
    return fq_bench_measure(session);
}

static fq_status run(fq_bench_session *session) {
    static const task tasks[] = {{"training samples", prepare_samples, run_samples},
                                 {"encode", prepare_vectors, run_encode},
                                 {"decode", prepare_codes, run_decode}};
    for (size_t i = 0; i < 3; i++)
        if (fq_bench_wanted(session, tasks[i].name))
            FQ_TRY(measure(session, &tasks[i], i ? "vectors" : "samples",
                           fq_bench_size(session, i ? 100000 : 1000000, i ? 4000 : 20000)));
    return FQ_OK;
}

const fq_bench fq_bench_memory = {"memory", "peak memory beyond the data, once and for ten times as much", false, run};
