#include "attention_run.h"

#include <math.h>
#include <string.h>

#include "attention_pages.h"
#include "attention_tokens.h"
#include "fp16.h"
#include "memory.h"
#include "parallel.h"
#include "threads.h"

enum { SEGMENT = 16 * FQ_ATTENTION_CHUNK };

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
    const fq_attention_source *source;
    partial *partials; /* [segments][m] */
} attention_job;

/* What a worker needs: the chunk's work, and the codes of a chunk that lie in pages, side by side. */
typedef struct workspace {
    fq_attention_workspace chunk;
    uint8_t *keys, *values;
} workspace;

/* The codes of tokens at, ..., at + n - 1 in one piece: where they lie, or copied out of their pages. Behind
 * them in *next what the same will be asked for next, as far as that is known. */
static const uint8_t *codes_of(const uint8_t *codes, const uint8_t *const *pages, uint8_t *gathered,
                               size_t stride, size_t at, size_t n, size_t tokens,
                               fq_attention_prefetch *next) {
    const size_t page = FQ_PAGE_TOKENS * stride, behind = at + n;
    const size_t ahead = tokens - behind < FQ_ATTENTION_CHUNK ? tokens - behind : FQ_ATTENTION_CHUNK;
    if (codes) {
        *next = (fq_attention_prefetch){codes + behind * stride, ahead * stride};
        return codes + at * stride;
    }
    *next = (fq_attention_prefetch){ahead ? pages[behind / FQ_PAGE_TOKENS] : NULL,
                                    ahead < FQ_PAGE_TOKENS ? ahead * stride : page};
    const uint8_t *const first = pages[at / FQ_PAGE_TOKENS];
    bool together = true;
    for (size_t t = FQ_PAGE_TOKENS; t < n && together; t += FQ_PAGE_TOKENS)
        together = pages[(at + t) / FQ_PAGE_TOKENS] == first + t * stride;
    if (together)
        return first;
    /* While a page is copied, the one that takes its place in the next chunk is fetched. */
    for (size_t t = 0; t < n; t += FQ_PAGE_TOKENS) {
        if (t < ahead)
            for (size_t line = 0; line < page; line += 64)
                __builtin_prefetch(pages[(behind + t) / FQ_PAGE_TOKENS] + line, 0, 2);
        memcpy(gathered + t * stride, pages[(at + t) / FQ_PAGE_TOKENS],
               n - t < FQ_PAGE_TOKENS ? (n - t) * stride : page);
    }
    return gathered;
}

/* Sums so far, nothing at first, become relative to a larger score. */
static void raise_most(partial *part, float most, bool first, size_t d) {
    const double shrink = first ? 0 : exp((double)part->most - (double)most);
    part->most = most;
    part->total *= shrink;
    for (size_t j = 0; j < d; j++)
        part->value[j] *= shrink;
}

/* Tokens first.. of a segment into its partials. */
static fq_status run_segment(const attention_job *job, workspace *own, size_t segment) {
    const fq_attention *a = job->attention;
    const fq_attention_source *from = job->source;
    fq_attention_workspace *work = &own->chunk;
    partial *parts = job->partials + segment * job->m;
    const size_t first = segment * SEGMENT, end = job->n - first < SEGMENT ? job->n : first + SEGMENT;
    for (size_t at = first; at < end; at += FQ_ATTENTION_CHUNK) {
        const size_t n = end - at < FQ_ATTENTION_CHUNK ? end - at : FQ_ATTENTION_CHUNK;
        fq_attention_prefetch next_keys, next_values;
        const uint8_t *const key =
            codes_of(from->key_codes, from->key_pages, own->keys, a->key.stride, at, n, job->n, &next_keys);
        const uint8_t *const value = codes_of(from->value_codes, from->value_pages, own->values,
                                              a->value.stride, at, n, job->n, &next_values);
        FQ_TRY(fq_attention_score(&a->key, a->kernels, work, job->query, job->m, key, at, n, next_keys));
        for (size_t q = 0; q < job->m; q++) {
            partial *part = &parts[q];
            float most = 0;
            if (!fq_attention_largest(a->kernels, &most, work->score + q * FQ_ATTENTION_CHUNK, n))
                return FQ_FAIL_VALUE(FQ_ERR_RANGE, "queries", q,
                                     "queries and scale whose scores float32 can hold");
            if (at == first || most > part->most)
                raise_most(part, most, at == first, a->value.dim);
            part->total += fq_attention_softmax(a->kernels, work, q, part->most, n);
        }
        double *sum[FQ_ATTENTION_QUERIES];
        for (size_t q = 0; q < job->m; q++)
            sum[q] = parts[q].value;
        FQ_TRY(fq_attention_accumulate(&a->value, a->kernels, work, sum, job->m, value, at, n, next_values));
    }
    return FQ_OK;
}

static fq_status workspace_init(workspace *own, const attention_job *job) {
    const fq_attention *a = job->attention;
    FQ_TRY(fq_attention_workspace_init(&own->chunk, &a->key, &a->value, job->m));
    if (job->source->key_codes)
        return FQ_OK;
    FQ_TRY(
        fq_alloc_zero(&own->keys, FQ_ATTENTION_CHUNK + 4, a->key.stride)); /* kernels may look a code ahead */
    return fq_alloc_zero(&own->values, FQ_ATTENTION_CHUNK + 4, a->value.stride);
}

static void workspace_clear(workspace *own) {
    fq_free(own->values);
    fq_free(own->keys);
    fq_attention_workspace_clear(&own->chunk);
}

/* A job and who does it. */
typedef struct shared_job {
    const attention_job *job;
    workspace *work; /* [workers] */
    size_t segments, workers;
} shared_job;

/* One worker's segments, up to the first failure. */
static fq_status run_share(void *context, size_t worker) {
    const shared_job *s = context;
    const fq_slice slice = fq_slice_of(s->segments, s->workers, worker);
    for (size_t segment = slice.first; segment < slice.end; segment++)
        FQ_TRY(run_segment(s->job, &s->work[worker], segment));
    return FQ_OK;
}

/* All segments, on all threads; the failure of the first one that fails. */
static fq_status run_segments(const attention_job *job, size_t segments) {
    const size_t most = (size_t)fq_threads_get(), threads = most < segments ? most : segments;
    shared_job shared = {.job = job, .segments = segments, .workers = threads};
    fq_status status;
    FQ_TRY(fq_alloc_zero(&shared.work, threads, sizeof *shared.work));
    for (size_t t = 0; t < threads; t++)
        FQ_TRY_GOTO(status, workspace_init(&shared.work[t], job), done);
    status = fq_parallel_try(threads, run_share, &shared);
done:
    for (size_t t = 0; t < threads; t++)
        workspace_clear(&shared.work[t]);
    fq_free(shared.work);
    return status;
}

/* The tokens that are not coded, for one query: scores by float32 products in the order of the channels, sums
 * in double. */
static fq_status run_recent(partial *part, const fq_attention_source *from, const float *query, size_t d,
                            double scale) {
    part->most = -INFINITY;
    part->total = 0;
    for (size_t t = 0; t < from->recent; t++) {
        const size_t row = (from->oldest + t) % from->ring;
        float score = 0;
        for (size_t j = 0; j < d; j++)
            score += query[j] * fq_fp16_to_float(from->recent_keys[row * d + j]);
        score *= (float)scale;
        if (!isfinite(score))
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "recent_keys", t,
                                 "keys and queries whose scores float32 can hold");
        if (score > part->most)
            raise_most(part, score, t == 0, d);
        const double weight = exp((double)score - (double)part->most);
        part->total += weight;
        for (size_t j = 0; j < d; j++)
            part->value[j] += weight * (double)fq_fp16_to_float(from->recent_values[row * d + j]);
    }
    return FQ_OK;
}

/* y[d], rotated, from the partials of a query's segments in their order, and plain[d] from those of the
 * tokens that are not coded. */
static void combine(float *y, float *plain, const partial *partials, size_t segments, size_t stride,
                    const partial *recent, size_t d) {
    float most = recent->most;
    double total = 0;
    for (size_t s = 0; s < segments; s++)
        most = partials[s * stride].most > most ? partials[s * stride].most : most;
    for (size_t s = 0; s < segments; s++)
        total += partials[s * stride].total * exp((double)partials[s * stride].most - (double)most);
    const double shrink = recent->total > 0 ? exp((double)recent->most - (double)most) : 0;
    total += recent->total * shrink;
    for (size_t j = 0; j < d; j++) {
        double sum = 0;
        for (size_t s = 0; s < segments; s++)
            sum += partials[s * stride].value[j] * exp((double)partials[s * stride].most - (double)most);
        y[j] = (float)(sum / total);
        plain[j] = shrink > 0 ? (float)(recent->value[j] * shrink / total) : 0;
    }
}

/* m <= FQ_ATTENTION_QUERIES queries, plain and rotated: the coded tokens' share of the output, rotated, and
 * that of the others. */
static fq_status run_queries(const fq_attention *a, float *y, float *plain, const float *queries,
                             const float *rotated, size_t m, const fq_attention_source *source,
                             double scale) {
    const size_t d = a->key.dim, n = source->n, segments = n ? (n - 1) / SEGMENT + 1 : 0;
    const size_t parts = (segments + 1) * m; /* the last m are of the recent tokens */
    fq_attention_query query[FQ_ATTENTION_QUERIES] = {0};
    partial *partials = NULL;
    double *values = NULL;
    size_t count = 0;
    fq_status status;
    FQ_TRY_GOTO(status, fq_size_multiply(&count, parts, d, "n"), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&partials, parts, sizeof *partials), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&values, count, sizeof *values), done);
    for (size_t i = 0; i < parts; i++)
        partials[i].value = values + i * d;
    for (size_t q = 0; q < m; q++)
        FQ_TRY_GOTO(status, fq_attention_query_init(&query[q], &a->key, rotated + q * d, scale), done);
    const attention_job job = {a, query, m, n, source, partials};
    if (segments)
        FQ_TRY_GOTO(status, run_segments(&job, segments), done);
    for (size_t q = 0; q < m; q++) {
        partial *const recent = &partials[segments * m + q];
        FQ_TRY_GOTO(status, run_recent(recent, source, queries + q * d, d, scale), done);
        combine(y + q * d, plain + q * d, partials + q, segments, m, recent, d);
    }
done:
    for (size_t q = m; q-- > 0;)
        fq_attention_query_clear(&query[q]);
    fq_free(values);
    fq_free(partials);
    return status;
}

fq_status fq_attention_over(const fq_attention *attention, float *out, const float *queries, size_t m,
                            const fq_attention_source *source, double scale) {
    const size_t d = attention->key.dim;
    if (m < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "m", 0, "at least 1");
    if (!isfinite(scale))
        return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "scale", scale, "a finite number");
    for (size_t i = 0; i < m * d; i++)
        if (!isfinite(queries[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "queries", i,
                                 "finite numbers; the value is the first other one's index");
    float *rotated = NULL;
    FQ_TRY(fq_alloc(&rotated, 3 * m, d * sizeof *rotated));
    float *const y = rotated + m * d, *const plain = y + m * d;
    fq_status status = fq_codec_rotate_queries(attention->key.codec, rotated, queries, m);
    for (size_t q = 0; q < m && status == FQ_OK; q += FQ_ATTENTION_QUERIES) {
        const size_t count = m - q < FQ_ATTENTION_QUERIES ? m - q : FQ_ATTENTION_QUERIES;
        status = run_queries(attention, y + q * d, plain + q * d, queries + q * d, rotated + q * d, count,
                             source, scale);
    }
    if (status == FQ_OK)
        status = fq_codec_rotate_back(attention->value.codec, out, y, m);
    for (size_t i = 0; status == FQ_OK && source->recent && i < m * d; i++)
        out[i] += plain[i];
    fq_free(rotated);
    return status;
}
