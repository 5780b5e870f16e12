/* Memory beyond the data itself: that of ten times the samples or vectors is no larger. Each measurement is
 * taken in a process of its own, as the rise of its resident set to the peak while the work is done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "bench.h"
#include "codebook_initial.h"
#include "codebook_training.h"
#include "codec.h"
#include "failure.h"
#include "lloyd.h"
#include "memory.h"
#include "stream_ranges.h"

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
    const char *name;                                           /* of the rows */
    fq_status (*prepare)(void **data, size_t n, uint64_t seed); /* the data itself, all touched */
    fq_status (*run)(void *data);
    bool (*right)(void *data);         /* whether what run left is right; asked once the peak is known */
    const char *before, *after, *work; /* around n in a row's name; the case's line */
    size_t full, small;                /* n, and n with --quick */
} task;

/* In the child: the rise, or a negative number. */
enum { FAILED = -1, WRONG = -2 };
static double rise(const task *t, size_t n, uint64_t seed) {
    void *data = NULL;
    if (t->prepare(&data, n, seed) != FQ_OK || !reset_peak())
        return FAILED;
    const double before = field("VmRSS");
    if (t->run(data) != FQ_OK)
        return FAILED;
    const double peak = field("VmHWM");
    if (!t->right(data))
        return WRONG;
    return before > 0 && peak >= before ? peak - before : FAILED;
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

/* Every sample is in one cell, and the words are near them. */
static bool right_samples(void *data) {
    const sample_data *const d = data;
    double total = 0;
    for (size_t i = 0; i < d->cells.codewords; i++)
        total += d->cells.weight[i];
    const double distortion = fq_cells_error_of_means(&d->cells) * DIM / 4 / (double)d->n;
    return total == (double)d->n && distortion > 0 && distortion < 0.2; /* a good code has 0.094 */
}

/* A whole training: the smaller the tolerance, the more samples are drawn. */
typedef struct training {
    fq_train_options options;
    fq_codebook codebook;
} training;

static fq_status prepare_training(void **data, size_t n, uint64_t seed) {
    static training t;
    t.options = (fq_train_options){.dim = DIM,
                                   .block = 2,
                                   .codewords = 16,
                                   .recipe = FQ_RECIPE_POPULATION,
                                   .seed = seed,
                                   .tolerance = 1 / (double)n};
    fq_codebook_init(&t.codebook);
    *data = &t;
    return FQ_OK;
}

static fq_status run_training(void *data) {
    training *const t = data;
    return fq_codebook_train(&t->codebook, &t->options);
}

/* No worse than the product code, on samples that neither saw, up to six standard errors. */
static bool right_training(void *data) {
    training *const t = data;
    fq_codebook product;
    fq_train_options options = t->options;
    options.recipe = FQ_RECIPE_PRODUCT;
    fq_codebook_init(&product);
    const bool good = fq_codebook_train(&product, &options) == FQ_OK &&
                      fq_codebook_measure(&product, 1, 65536) == FQ_OK &&
                      fq_codebook_measure(&t->codebook, 1, 65536) == FQ_OK &&
                      t->codebook.distortion <= product.distortion + 6 * product.distortion_se;
    fq_codebook_clear(&product);
    return good;
}

/* Vectors and codes, both there before. */
typedef struct vector_data {
    fq_codec *codec;
    float *x;
    uint8_t *codes;
    size_t n, code_bytes;
    uint64_t seed;
} vector_data;

enum { CHUNK = 1024 };

/* Vectors first .. first+n-1 of an endless sequence. */
static void draw(float *x, uint64_t seed, size_t first, size_t n) {
    for (size_t i = 0; i < n; i++) {
        fq_stream stream;
        fq_stream_init_in(&stream, seed, FQ_RANGE_BENCH_STREAMED, first + i);
        for (size_t j = 0; j < DIM; j++)
            x[i * DIM + j] = (float)fq_stream_uniform(&stream) - 0.5F;
    }
}

static fq_status prepare_coding(vector_data *d, size_t n, uint64_t seed) {
    fq_codec_spec spec;
    FQ_TRY(fq_codec_spec_parse(&spec, "fib:k=4,N=256,recipe=initial"));
    FQ_TRY(fq_codec_create(&d->codec, &spec, DIM, NULL));
    d->code_bytes = fq_codec_get_cost(d->codec).code_bytes;
    d->n = n;
    d->seed = seed;
    FQ_TRY(fq_alloc(&d->codes, n, d->code_bytes));
    memset(d->codes, 0xff, n * d->code_bytes);
    return FQ_OK;
}

static fq_status prepare_vectors(void **data, size_t n, uint64_t seed) {
    static vector_data d;
    FQ_TRY(prepare_coding(&d, n, seed));
    FQ_TRY(fq_alloc(&d.x, n * DIM, sizeof *d.x));
    draw(d.x, seed, 0, n);
    *data = &d;
    return FQ_OK;
}

static fq_status run_encode(void *data) {
    const vector_data *const d = data;
    return fq_codec_encode(d->codec, d->codes, d->x, d->n);
}

/* Vectors come a thousand at a time, as tokens do, and go again; only their codes stay. */
static fq_status prepare_stream(void **data, size_t n, uint64_t seed) {
    static vector_data d;
    *data = &d;
    return prepare_coding(&d, n, seed);
}

static fq_status run_stream(void *data) {
    const vector_data *const d = data;
    float *x = NULL;
    fq_status status = fq_alloc(&x, (size_t)CHUNK * DIM, sizeof *x);
    for (size_t first = 0; first < d->n && status == FQ_OK; first += CHUNK) {
        const size_t count = d->n - first < CHUNK ? d->n - first : CHUNK;
        draw(x, d->seed, first, count);
        status = fq_codec_encode(d->codec, d->codes + first * d->code_bytes, x, count);
    }
    fq_free(x);
    return status;
}

static fq_status prepare_codes(void **data, size_t n, uint64_t seed) {
    FQ_TRY(prepare_vectors(data, n, seed));
    FQ_TRY(run_encode(*data));
    memset(((vector_data *)*data)->x, 0, n * DIM * sizeof(float));
    return FQ_OK;
}

static fq_status run_decode(void *data) {
    const vector_data *const d = data;
    return fq_codec_decode(d->codec, d->x, d->codes, d->n);
}

/* Whether every vector is near the one drawn: as decoded, or as its code decodes. */
static bool near(const vector_data *d, const float *decoded) {
    static float x[CHUNK * DIM], back[CHUNK * DIM];
    for (size_t first = 0; first < d->n; first += CHUNK) {
        const size_t count = d->n - first < CHUNK ? d->n - first : CHUNK;
        draw(x, d->seed, first, count);
        if (!decoded && fq_codec_decode(d->codec, back, d->codes + first * d->code_bytes, count) != FQ_OK)
            return false;
        const float *const y = decoded ? decoded + first * DIM : back;
        for (size_t i = 0; i < count; i++) {
            double error = 0, energy = 0;
            for (size_t j = i * DIM; j < (i + 1) * DIM; j++) {
                error += ((double)x[j] - (double)y[j]) * ((double)x[j] - (double)y[j]);
                energy += (double)x[j] * (double)x[j];
            }
            if (!(error <= 0.5 * energy)) /* 0.1 on average; another vector's would be about 2 */
                return false;
        }
    }
    return true;
}

static bool right_codes(void *data) {
    return near(data, NULL);
}

static bool right_decoded(void *data) {
    const vector_data *const d = data;
    return near(d, d->x);
}

/* Measures in a child, whose one thread is the one that forks. */
static void measure_child(const task *t, size_t n, uint64_t seed, double *bytes) {
    int ends[2];
    *bytes = FAILED;
    if (pipe(ends) != 0)
        return;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
#ifdef _OPENMP
        omp_set_num_threads(1);
#endif
        const double result = rise(t, n, seed);
        _exit(write(ends[1], &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
    }
    close(ends[1]);
    const bool whole = child > 0 && read(ends[0], bytes, sizeof *bytes) == (ssize_t)sizeof *bytes;
    close(ends[0]);
    int state;
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (!whole)
        *bytes = FAILED;
}

static fq_status measure(fq_bench_session *session, const task *t) {
    char names[2][FQ_BENCH_NAME_MAX];
    double bytes[2] = {0, 0};
    const fq_bench_case the_case = {.name = t->name, .unit = "B", .amount = 1, .work = t->work};
    fq_bench_begin(session, &the_case);
    for (size_t i = 0; i < 2; i++) {
        const size_t count = (i ? MORE : 1) * fq_bench_size(session, t->full, t->small);
        measure_child(t, count, fq_bench_seed(session), &bytes[i]);
        snprintf(names[i], sizeof names[i], "%s%zu%s", t->before, count, t->after);
        /* pages are 4 KiB, and the C library keeps a few of its own */
        const fq_bench_target target = {FQ_GOAL_VALUE, bytes[0] + 262144, NULL};
        FQ_TRY(fq_bench_note(session, names[i], bytes[i], "B", i ? &target : NULL, bytes[i] >= 0,
                             bytes[i] == WRONG ? "the output is wrong" : "the measurement failed"));
    }
    return fq_bench_measure(session);
}

static fq_status run(fq_bench_session *session) {
    static const task tasks[] = {
        {"training samples", prepare_samples, run_samples, right_samples, "", " samples",
         "peak beyond the data of cells (4,256) over samples drawn as they are used", 1000000, 20000},
        {"training", prepare_training, run_training, right_training, "tolerance 1/", "",
         "the same of a codebook (64,2,16); samples drawn grow as one over the tolerance", 50, 5},
        {"encode", prepare_vectors, run_encode, right_codes, "", " vectors",
         "the same of vectors and codes in memory", 100000, 4000},
        {"encode, streaming", prepare_stream, run_stream, right_codes, "", " vectors",
         "the same of vectors that come in chunks and go, codes that stay", 100000, 4000},
        {"decode", prepare_codes, run_decode, right_decoded, "", " vectors",
         "the same of vectors and codes in memory", 100000, 4000}};
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++)
        if (fq_bench_wanted(session, tasks[i].name))
            FQ_TRY(measure(session, &tasks[i]));
    return FQ_OK;
}

const fq_bench fq_bench_memory = {"memory", "peak memory beyond the data, once and for ten times as much",
                                  false, run};
