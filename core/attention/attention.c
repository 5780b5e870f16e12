#include "attention.h"

#include "attention_codes.h"
#include "attention_kernel_choice.h"
#include "attention_tokens.h"
#include "cpu.h"
#include "memory.h"
#include "parallel.h"
#include "threads.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { SEGMENT = 16 * FQ_ATTENTION_CHUNK };

struct fq_attention {
    fq_attention_codes key, value;
    const fq_attention_kernels *kernels;
};

static const fq_attention_kernels *const kernels[] = {
    &fq_attention_kernels_portable,
#if defined(__x86_64__)
    &fq_attention_kernels_avx2,
    &fq_attention_kernels_avx512,
#endif
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const fq_attention_kernels *fq_attention_kernels_of(fq_attention_kernel kernel) {
    for (size_t k = KERNELS; k-- > 0;)
        if ((kernel == FQ_ATTENTION_BEST || kernels[k]->kernel == kernel) && fq_cpu_has(kernels[k]->needs))
            return kernels[k];
    return NULL;
}

bool fq_attention_kernel_available(fq_attention_kernel kernel) {
    return fq_attention_kernels_of(kernel) != NULL;
}

const char *fq_attention_kernel_name(fq_attention_kernel kernel) {
    static const char *const names[FQ_ATTENTION_KERNELS] = {"best", "portable", "avx2", "avx512"};
    return (unsigned)kernel < FQ_ATTENTION_KERNELS ? names[kernel] : "?";
}

fq_status fq_attention_create_kernel(fq_attention **attention, const fq_codec *key, const fq_codec *value,
                                     fq_attention_kernel kernel) {
    if (fq_codec_get_cost(key).dim != fq_codec_get_cost(value).dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "value", fq_codec_get_cost(value).dim,
                             "a codec of the keys' dimension");
    if (!fq_attention_kernels_of(kernel))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kernel", kernel, "a kernel that this processor can run");
    fq_attention *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->kernels = fq_attention_kernels_of(kernel);
    fq_status status = fq_attention_codes_init(&made->key, key);
    if (status == FQ_OK)
        status = fq_attention_codes_init(&made->value, value);
    if (status != FQ_OK) {
        fq_attention_destroy(made);
        return status;
    }
    *attention = made;
    return FQ_OK;
}

fq_status fq_attention_create(fq_attention **attention, const fq_codec *key, const fq_codec *value) {
    return fq_attention_create_kernel(attention, key, value, FQ_ATTENTION_BEST);
}

void fq_attention_destroy(fq_attention *attention) {
    if (!attention)
        return;
    fq_attention_codes_clear(&attention->key);
    fq_attention_codes_clear(&attention->value);
    fq_free(attention);
}

/* The parts of one result, from a run of tokens, for each query: relative to exp(most). */
typedef struct partial {
    float most;
    double total;  /* sum of exp(score - most) */
    double *value; /* [d], sum of exp(score - most) v, rotated */
} partial;

typedef struct attention_job {
    const fq_attention *attention;
    const fq_attention_query *query; /* [m] */
    size_t m, n;
    const uint8_t *key_codes, *value_codes;
    partial *partials; /* [segments][m] */
} attention_job;

/* Tokens first.. of a segment into its partials. */
static fq_status run_segment(const attention_job *job, fq_attention_workspace *work, size_t segment) {
    const fq_attention *a = job->attention;
    partial *parts = job->partials + segment * job->m;
    const size_t first = segment * SEGMENT, end = job->n - first < SEGMENT ? job->n : first + SEGMENT;
    for (size_t at = first; at < end; at += FQ_ATTENTION_CHUNK) {
        const size_t n = end - at < FQ_ATTENTION_CHUNK ? end - at : FQ_ATTENTION_CHUNK, next = at + n;
        const size_t ahead = job->n - next < FQ_ATTENTION_CHUNK ? job->n - next : FQ_ATTENTION_CHUNK;
        const uint8_t *const key = job->key_codes + at * a->key.stride;
        const uint8_t *const value = job->value_codes + at * a->value.stride;
        FQ_TRY(fq_attention_score(&a->key, a->kernels, work, job->query, job->m, key, at, n,
                                  (fq_attention_prefetch){key + n * a->key.stride, ahead * a->key.stride}));
        for (size_t q = 0; q < job->m; q++) {
            partial *part = &parts[q];
            float most = 0;
            if (!fq_attention_largest(a->kernels, &most, work->score + q * FQ_ATTENTION_CHUNK, n))
                return FQ_FAIL_VALUE(FQ_ERR_RANGE, "queries", q,
                                     "queries and scale whose scores float32 can hold");
            if (at == first || most > part->most) {
                const double shrink = at == first ? 0 : exp((double)part->most - (double)most);
                part->most = most;
                part->total *= shrink;
                for (size_t j = 0; j < a->value.dim; j++)
                    part->value[j] *= shrink;
            }
            part->total += fq_attention_softmax(a->kernels, work, q, part->most, n);
        }
        double *sum[FQ_ATTENTION_QUERIES];
        for (size_t q = 0; q < job->m; q++)
            sum[q] = parts[q].value;
        FQ_TRY(fq_attention_accumulate(
            &a->value, a->kernels, work, sum, job->m, value, at, n,
            (fq_attention_prefetch){value + n * a->value.stride, ahead * a->value.stride}));
    }
    return FQ_OK;
}

/* A job and who does it. */
typedef struct shared_job {
    const attention_job *job;
    fq_attention_workspace *work; /* [workers] */
    size_t *failed;               /* [workers], the first segment that failed, or SIZE_MAX */
    fq_error *error;              /* [workers], why */
    size_t segments, workers;
} shared_job;

/* One worker's segments; after a failure it goes no further. */
static void run_share(void *context, size_t worker) {
    const shared_job *s = context;
    const fq_slice slice = fq_slice_of(s->segments, s->workers, worker);
    s->failed[worker] = SIZE_MAX;
    for (size_t segment = slice.first; segment < slice.end && s->failed[worker] == SIZE_MAX; segment++)
        if (run_segment(s->job, &s->work[worker], segment) != FQ_OK) {
            s->failed[worker] = segment;
            s->error[worker] = *fq_error_last();
        }
}

/* All segments, on all threads; the failure of the first one that fails. */
static fq_status run_segments(const attention_job *job, size_t segments) {
    const size_t most = (size_t)fq_threads_get(), threads = most < segments ? most : segments;
    shared_job shared = {.job = job, .segments = segments, .workers = threads};
    fq_status status;
    FQ_TRY(fq_alloc_zero(&shared.work, threads, sizeof *shared.work));
    FQ_TRY_GOTO(status, fq_alloc(&shared.failed, threads, sizeof *shared.failed), done);
    FQ_TRY_GOTO(status, fq_alloc(&shared.error, threads, sizeof *shared.error), done);
    for (size_t t = 0; t < threads; t++)
        FQ_TRY_GOTO(status,
                    fq_attention_workspace_init(&shared.work[t], &job->attention->key, &job->attention->value,
                                                job->m),
                    done);
    fq_parallel(threads, run_share, &shared);
    for (size_t t = 0; t < threads && status == FQ_OK; t++)
        if (shared.failed[t] != SIZE_MAX)
            status = fq_error_restore(&shared.error[t]);
done:
    for (size_t t = 0; t < threads; t++)
        fq_attention_workspace_clear(&shared.work[t]);
    fq_free(shared.work);
    fq_free(shared.error);
    fq_free(shared.failed);
    return status;
}

/* y[m][d], rotated, from the partials of all segments, in their order. */
static void combine(float *y, const partial *partials, size_t segments, size_t m, size_t d) {
    for (size_t q = 0; q < m; q++) {
        float most = partials[q].most;
        double total = 0;
        for (size_t s = 1; s < segments; s++)
            most = partials[s * m + q].most > most ? partials[s * m + q].most : most;
        for (size_t s = 0; s < segments; s++)
            total += partials[s * m + q].total * exp((double)partials[s * m + q].most - (double)most);
        for (size_t j = 0; j < d; j++) {
            double sum = 0;
            for (size_t s = 0; s < segments; s++)
                sum += partials[s * m + q].value[j] * exp((double)partials[s * m + q].most - (double)most);
            y[q * d + j] = (float)(sum / total);
        }
    }
}

/* m <= FQ_ATTENTION_QUERIES queries, rotated. */
static fq_status run_queries(const fq_attention *a, float *y, const float *rotated, size_t m,
                             const uint8_t *key_codes, const uint8_t *value_codes, size_t n, double scale) {
    const size_t d = a->key.dim, segments = (n - 1) / SEGMENT + 1;
    fq_attention_query query[FQ_ATTENTION_QUERIES] = {0};
    partial *partials = NULL;
    double *values = NULL;
    size_t count = 0;
    fq_status status;
    FQ_TRY_GOTO(status, fq_size_multiply(&count, segments * m, d, "n"), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&partials, segments * m, sizeof *partials), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&values, count, sizeof *values), done);
    for (size_t i = 0; i < segments * m; i++)
        partials[i].value = values + i * d;
    for (size_t q = 0; q < m; q++)
        FQ_TRY_GOTO(status, fq_attention_query_init(&query[q], &a->key, rotated + q * d, scale), done);
    const attention_job job = {a, query, m, n, key_codes, value_codes, partials};
    FQ_TRY_GOTO(status, run_segments(&job, segments), done);
    combine(y, partials, segments, m, d);
done:
    for (size_t q = 0; q < m; q++)
        fq_attention_query_clear(&query[q]);
    fq_free(values);
    fq_free(partials);
    return status;
}

fq_status fq_attention_run(const fq_attention *attention, float *out, const float *queries, size_t m,
                           const uint8_t *key_codes, const uint8_t *value_codes, size_t n, double scale) {
    const size_t d = attention->key.dim;
    if (n < 1 || m < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, n < 1 ? "n" : "m", 0, "at least 1");
    if (!isfinite(scale))
        return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "scale", scale, "a finite number");
    for (size_t i = 0; i < m * d; i++)
        if (!isfinite(queries[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "queries", i,
                                 "finite numbers; the value is the first other one's index");
    float *rotated = NULL;
    FQ_TRY(fq_alloc(&rotated, 2 * m, d * sizeof *rotated));
    float *y = rotated + m * d;
    fq_status status = fq_codec_rotate_queries(attention->key.codec, rotated, queries, m);
    for (size_t q = 0; q < m && status == FQ_OK; q += FQ_ATTENTION_QUERIES) {
        const size_t count = m - q < FQ_ATTENTION_QUERIES ? m - q : FQ_ATTENTION_QUERIES;
        status = run_queries(attention, y + q * d, rotated + q * d, count, key_codes, value_codes, n, scale);
    }
    if (status == FQ_OK)
        status = fq_codec_rotate_back(attention->value.codec, out, y, m);
    fq_free(rotated);
    return status;
}
