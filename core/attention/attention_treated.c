#include "attention_treated.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "attention_codes.h"
#include "attention_tokens.h"
#include "attention_turned.h"
#include "head_coder_read.h"
#include "memory.h"
#include "parallel.h"
#include "threads.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, RUN = 16 * CHUNK, QUERIES = FQ_ATTENTION_QUERIES };

/* Codes of one side, by rotation class. */
typedef struct side {
    size_t classes;
    fq_attention_codes *codes; /* [classes] */
} side;

struct fq_attention_treated {
    size_t dim;
    side key, value;
    const fq_attention_kernels *kernels;
};

static fq_status side_init(side *s, const fq_codec *const *codecs, size_t classes) {
    FQ_TRY(fq_alloc_zero(&s->codes, classes, sizeof *s->codes));
    for (s->classes = 0; s->classes < classes; s->classes++)
        FQ_TRY(fq_attention_codes_init(&s->codes[s->classes], codecs[s->classes]));
    return FQ_OK;
}

static void side_clear(side *s) {
    for (size_t c = 0; s->codes && c < s->classes; c++)
        fq_attention_codes_clear(&s->codes[c]);
    fq_free(s->codes);
}

fq_status fq_attention_treated_create(fq_attention_treated **attention, const fq_codec *const *key_codecs,
                                      size_t key_classes, const fq_codec *const *value_codecs,
                                      size_t value_classes) {
    fq_attention_treated *made = NULL;
    if (key_classes < 1 || value_classes < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "classes", 0, "at least 1");
    if (fq_codec_get_cost(key_codecs[0]).dim != fq_codec_get_cost(value_codecs[0]).dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "value", fq_codec_get_cost(value_codecs[0]).dim,
                             "codecs of the keys' dimension");
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->dim = fq_codec_get_cost(key_codecs[0]).dim;
    made->kernels = fq_attention_kernels_of(FQ_ATTENTION_BEST);
    fq_status status = side_init(&made->key, key_codecs, key_classes);
    if (status == FQ_OK)
        status = side_init(&made->value, value_codecs, value_classes);
    if (status != FQ_OK) {
        fq_attention_treated_destroy(made);
        return status;
    }
    *attention = made;
    return FQ_OK;
}

void fq_attention_treated_destroy(fq_attention_treated *attention) {
    if (!attention)
        return;
    side_clear(&attention->key);
    side_clear(&attention->value);
    fq_free(attention);
}

/* The parts of one result, from a run of tokens, for each query: relative to exp(most). */
typedef struct partial {
    float most;    /* -FLT_MAX: no token */
    double total;  /* sum of exp(score - most) */
    double *value; /* [classes][d], sum of exp(score - most) v, rotated */
} partial;

/* What all runs of tokens share. */
typedef struct job {
    const fq_attention_treated *attention;
    const fq_treated_head *head;
    size_t m;
    double scale;
    fq_attention_query *query; /* [classes][m], of keys */
    size_t terms;
    float *term[FQ_TREATMENT_STEPS_MAX]; /* [m][d]: queries that the keys' means are multiplied with */
    partial *partials;                   /* [runs][m] */
} job;

/* A thread's. */
typedef struct workspace {
    fq_attention_workspace chunk;
    fq_attention_turned turned;
    float *score;   /* [m][RUN] */
    uint8_t *codes; /* [CHUNK] codes of a class gathered, where they are decoded */
} workspace;

static void workspace_clear(workspace *w) {
    fq_attention_workspace_clear(&w->chunk);
    fq_attention_turned_clear(&w->turned);
    fq_free(w->score);
    fq_free(w->codes);
}

static fq_status workspace_init(workspace *w, const job *j) {
    const fq_attention_treated *a = j->attention;
    const size_t key = a->key.codes[0].stride, value = a->value.codes[0].stride;
    FQ_TRY(fq_attention_workspace_init(&w->chunk, &a->key.codes[0], &a->value.codes[0], j->m));
    FQ_TRY(fq_attention_turned_init(&w->turned, a->dim));
    FQ_TRY(fq_alloc(&w->score, j->m, RUN * sizeof *w->score));
    return fq_alloc(&w->codes, CHUNK, key > value ? key : value);
}

/* A class's codes, `count` of them from token `first` on: as they lie, `classes` codes apart, or one after
 * the other where a codec decodes them. */
static const uint8_t *class_codes(fq_attention_codes *codes, const side *s, size_t which, workspace *w,
                                  const uint8_t *all, size_t first, size_t count) {
    *codes = s->codes[which];
    const uint8_t *const at = all + first * codes->stride;
    if (!codes->rows || s->classes == 1) {
        codes->stride *= codes->rows ? 1 : s->classes;
        return at;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(w->codes + i * codes->stride, at + i * s->classes * codes->stride, codes->stride);
    return w->codes;
}

/* A failure's record counts tokens of a class from the chunk's first one, or from 0: here the head's tokens.
 */
static fq_status name_token(fq_status status, size_t first, size_t classes) {
    fq_error error = *fq_error_last();
    if (status != FQ_ERR_CORRUPT)
        return status;
    return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, error.argument, (double)first + (double)classes * error.value,
                         "codes that this codec writes; the value is the token's number");
}

/* How many of n tokens from first on are of a class, and where the first of them is. */
static size_t of_class(size_t *start, size_t first, size_t n, size_t which, size_t classes) {
    *start = (which + classes - first % classes) % classes;
    return *start < n ? (n - *start - 1) / classes + 1 : 0;
}

/* score[m][RUN] of n tokens from first on with the codes alone. */
static fq_status score_codes(const job *j, workspace *w, size_t first, size_t n) {
    const side *s = &j->attention->key;
    for (size_t c = 0; c < s->classes; c++) {
        size_t start;
        const size_t count = of_class(&start, first, n, c, s->classes);
        for (size_t at = 0; at < count; at += CHUNK) {
            const size_t some = count - at < CHUNK ? count - at : CHUNK, local = start + at * s->classes;
            fq_attention_codes codes;
            const uint8_t *const from = class_codes(&codes, s, c, w, j->head->key_codes, first + local, some);
            const size_t ahead = local + CHUNK * s->classes < n && !codes.rows ? some * codes.stride : 0;
            const fq_status status = fq_attention_score(
                &codes, j->attention->kernels, &w->chunk, j->query + c * j->m, j->m, from, 0, some,
                (fq_attention_prefetch){from + some * codes.stride, s->classes == 1 ? ahead : 0});
            if (status != FQ_OK)
                return name_token(status, first + local, s->classes);
            for (size_t q = 0; q < j->m; q++)
                for (size_t i = 0; i < some; i++)
                    w->score[q * RUN + local + i * s->classes] = w->chunk.score[q * CHUNK + i];
        }
    }
    return FQ_OK;
}

/* Adds what the keys' means add. */
static void score_means(const job *j, workspace *w, size_t first, size_t n) {
    const fq_head_coder *key = j->head->key;
    const size_t d = j->attention->dim;
    for (size_t t = 0; t < j->terms; t++)
        for (size_t at = first, until; at < first + n; at = until) {
            bool turns;
            const float *const mean = fq_head_coder_mean(key, t, at, &turns, &until);
            until = until < first + n ? until : first + n;
            if (turns)
                fq_attention_add_turned(&w->turned, j->attention->kernels, w->score + (at - first), RUN,
                                        j->term[t], j->m, mean, fq_head_coder_rope(key), at, until - at,
                                        j->scale);
            for (size_t q = 0; q < j->m && !turns; q++) {
                double sum = 0;
                for (size_t i = 0; i < d; i++)
                    sum += (double)j->term[t][q * d + i] * (double)mean[i];
                for (size_t i = at; i < until; i++)
                    w->score[q * RUN + i - first] += (float)(j->scale * sum);
            }
        }
}

/* The first kept token from position on. */
static size_t first_kept(const fq_treated_head *head, size_t position) {
    size_t low = 0, high = head->kept;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (head->kept_position[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One query's scores of n tokens become weights, kept tokens' 0; into the partial. */
static fq_status soften(const job *j, float *score, partial *part, size_t q, size_t first, size_t n) {
    const fq_treated_head *head = j->head;
    const fq_attention_kernels *kernels = j->attention->kernels;
    const size_t padded = (n + CHUNK - 1) / CHUNK * CHUNK;
    for (size_t i = n; i < padded; i++)
        score[i] = -FLT_MAX;
    for (size_t i = first_kept(head, first); i < head->kept && head->kept_position[i] < first + n; i++)
        score[head->kept_position[i] - first] = -FLT_MAX;
    part->most = -FLT_MAX;
    for (size_t i = 0; i < padded; i += CHUNK) {
        float most = 0;
        if (!kernels->largest(&most, score + i))
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "queries", q,
                                 "queries and scale whose scores float32 can hold");
        part->most = most > part->most ? most : part->most;
    }
    if (part->most > -FLT_MAX) {
        for (size_t i = 0; i < padded; i += CHUNK) {
            kernels->exponentials(score + i, score + i, part->most);
            part->total += kernels->total(score + i);
        }
        return FQ_OK;
    }
    memset(score, 0, padded * sizeof *score);
    return FQ_OK;
}

/* Adds the values of n tokens from first on, weighted, to the partials of the run, by class. */
static fq_status add_values(const job *j, workspace *w, partial *parts, size_t first, size_t n) {
    const side *s = &j->attention->value;
    for (size_t c = 0; c < s->classes; c++) {
        double *sum[QUERIES];
        size_t start;
        const size_t count = of_class(&start, first, n, c, s->classes);
        for (size_t q = 0; q < j->m; q++)
            sum[q] = parts[q].value + c * j->attention->dim;
        for (size_t at = 0; at < count; at += CHUNK) {
            const size_t some = count - at < CHUNK ? count - at : CHUNK, local = start + at * s->classes;
            fq_attention_codes codes;
            const uint8_t *const from =
                class_codes(&codes, s, c, w, j->head->value_codes, first + local, some);
            for (size_t q = 0; q < j->m; q++) {
                for (size_t i = 0; i < some; i++)
                    w->chunk.score[q * CHUNK + i] = w->score[q * RUN + local + i * s->classes];
                memset(w->chunk.score + q * CHUNK + some, 0, (CHUNK - some) * sizeof *w->chunk.score);
            }
            const fq_status status = fq_attention_accumulate(&codes, j->attention->kernels, &w->chunk, sum,
                                                             j->m, from, 0, some, (fq_attention_prefetch){0});
            if (status != FQ_OK)
                return name_token(status, first + local, s->classes);
        }
    }
    return FQ_OK;
}

static fq_status run_tokens(const job *j, workspace *w, size_t run) {
    const size_t first = run * RUN, n = j->head->coded - first < RUN ? j->head->coded - first : RUN;
    partial *const parts = j->partials + run * j->m;
    FQ_TRY(score_codes(j, w, first, n));
    score_means(j, w, first, n);
    for (size_t q = 0; q < j->m; q++)
        FQ_TRY(soften(j, w->score + q * RUN, &parts[q], q, first, n));
    return add_values(j, w, parts, first, n);
}

/* A job and who does it. */
typedef struct shared_job {
    const job *job;
    workspace *work; /* [workers] */
    size_t runs, workers;
} shared_job;

/* One worker's runs, up to the first failure. */
static fq_status run_share(void *context, size_t worker) {
    const shared_job *s = context;
    const fq_slice slice = fq_slice_of(s->runs, s->workers, worker);
    for (size_t run = slice.first; run < slice.end; run++)
        FQ_TRY(run_tokens(s->job, &s->work[worker], run));
    return FQ_OK;
}

/* All runs, on all threads; the failure of the first one that fails. */
static fq_status run_all(const job *j, size_t runs) {
    const size_t most = (size_t)fq_threads_get(), threads = most < runs ? most : runs;
    shared_job shared = {.job = j, .runs = runs, .workers = threads};
    fq_status status;
    if (runs == 0)
        return FQ_OK;
    FQ_TRY(fq_alloc_zero(&shared.work, threads, sizeof *shared.work));
    for (size_t t = 0; t < threads; t++)
        FQ_TRY_GOTO(status, workspace_init(&shared.work[t], j), done);
    status = fq_parallel_try(threads, run_share, &shared);
done:
    for (size_t t = 0; t < threads; t++)
        workspace_clear(&shared.work[t]);
    fq_free(shared.work);
    return status;
}

/* y[d], rotated back and through the steps, of one query's sums over all runs, relative to exp(most); weights
 * of codes are total. */
static fq_status finish_codes(const job *j, double *out, size_t q, size_t runs, double most, double total) {
    const fq_attention_treated *a = j->attention;
    const size_t d = a->dim;
    float *y = NULL;
    FQ_TRY(fq_alloc_zero(&y, 3, d * sizeof *y));
    fq_status status = FQ_OK;
    for (size_t c = 0; status == FQ_OK && c < a->value.classes; c++) {
        for (size_t i = 0; i < d; i++) {
            double sum = 0;
            for (size_t r = 0; r < runs; r++) {
                const partial *p = &j->partials[r * j->m + q];
                if (p->most > -FLT_MAX)
                    sum += p->value[c * d + i] * exp((double)p->most - most);
            }
            y[d + i] = (float)(sum / total);
        }
        status = fq_codec_rotate_back(a->value.codes[c].codec, y + 2 * d, y + d, 1);
        for (size_t i = 0; i < d; i++)
            y[i] += y[2 * d + i];
    }
    if (status == FQ_OK)
        status = fq_head_coder_back(j->head->value, y);
    for (size_t i = 0; status == FQ_OK && i < d; i++)
        out[i] = total * (double)y[i];
    fq_free(y);
    return status;
}

/* One query's result from its sums over codes and the kept tokens, these in double. */
static fq_status combine(const job *j, float *out, const float *query, size_t q, size_t runs) {
    const fq_treated_head *head = j->head;
    const size_t d = j->attention->dim;
    double *sum = NULL, most = -HUGE_VAL, total = 0;
    FQ_TRY(fq_alloc_zero(&sum, d + head->kept, sizeof *sum));
    double *const score = sum + d;
    for (size_t r = 0; r < runs; r++)
        if (j->partials[r * j->m + q].most > -FLT_MAX)
            most = fmax(most, (double)j->partials[r * j->m + q].most);
    for (size_t i = 0; i < head->kept; i++) {
        for (size_t c = 0; c < d; c++)
            score[i] += (double)query[c] * (double)head->kept_keys[i * d + c];
        score[i] *= j->scale;
        most = fmax(most, score[i]);
    }
    for (size_t r = 0; r < runs; r++)
        if (j->partials[r * j->m + q].most > -FLT_MAX)
            total += j->partials[r * j->m + q].total * exp((double)j->partials[r * j->m + q].most - most);
    fq_status status = total > 0 ? finish_codes(j, sum, q, runs, most, total) : FQ_OK;
    for (size_t i = 0; i < head->kept; i++) {
        const double weight = exp(score[i] - most);
        total += weight;
        for (size_t c = 0; c < d; c++)
            sum[c] += weight * (double)head->kept_values[i * d + c];
    }
    for (size_t c = 0; c < d; c++)
        out[c] = (float)(sum[c] / total);
    fq_free(sum);
    return status;
}

/* The queries in every form that the keys are read with. */
static fq_status make_queries(job *j, const float *queries) {
    const fq_attention_treated *a = j->attention;
    const size_t d = a->dim, m = j->m;
    float *changed = NULL;
    FQ_TRY(fq_alloc(&changed, 2 * m, d * sizeof *changed));
    float *const rotated = changed + m * d;
    memcpy(changed, queries, m * d * sizeof *changed);
    fq_status status = fq_head_coder_change_queries(j->head->key, changed, m, j->term);
    for (size_t c = 0; status == FQ_OK && c < a->key.classes; c++) {
        status = fq_codec_rotate_queries(a->key.codes[c].codec, rotated, changed, m);
        for (size_t q = 0; status == FQ_OK && q < m; q++)
            status =
                fq_attention_query_init(&j->query[c * m + q], &a->key.codes[c], rotated + q * d, j->scale);
    }
    fq_free(changed);
    return status;
}

/* m <= QUERIES queries. */
static fq_status run_queries(const fq_attention_treated *a, float *out, const float *queries, size_t m,
                             const fq_treated_head *head, double scale) {
    const size_t d = a->dim, runs = (head->coded + RUN - 1) / RUN, each = a->value.classes * d;
    job j = {.attention = a, .head = head, .m = m, .scale = scale, .terms = fq_head_coder_terms(head->key)};
    double *values = NULL;
    size_t count = 0;
    fq_status status;
    FQ_TRY_GOTO(status, fq_size_multiply(&count, runs * m, each, "coded"), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&j.query, a->key.classes * m, sizeof *j.query), done);
    for (size_t t = 0; t < j.terms; t++)
        FQ_TRY_GOTO(status, fq_alloc(&j.term[t], m, d * sizeof *j.term[t]), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&j.partials, runs * m, sizeof *j.partials), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&values, count, sizeof *values), done);
    for (size_t i = 0; i < runs * m; i++)
        j.partials[i].value = values + i * each;
    FQ_TRY_GOTO(status, make_queries(&j, queries), done);
    FQ_TRY_GOTO(status, run_all(&j, runs), done);
    for (size_t q = 0; q < m; q++)
        FQ_TRY_GOTO(status, combine(&j, out + q * d, queries + q * d, q, runs), done);
done:
    for (size_t i = 0; j.query && i < a->key.classes * m; i++)
        fq_attention_query_clear(&j.query[i]);
    for (size_t t = 0; t < j.terms; t++)
        fq_free(j.term[t]);
    fq_free(j.query);
    fq_free(j.partials);
    fq_free(values);
    return status;
}

static fq_status check_side(const side *s, const fq_head_coder *coder, const char *which) {
    FQ_TRY(fq_head_coder_check_reads(coder));
    bool same = fq_head_coder_classes(coder) == s->classes;
    for (size_t c = 0; same && c < s->classes; c++)
        same = fq_head_coder_codec(coder, c) == s->codes[c].codec;
    return same ? FQ_OK
                : FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, which, fq_head_coder_classes(coder),
                                "a coder of this attention's codecs");
}

static fq_status check_head(const fq_attention_treated *a, const fq_treated_head *head) {
    FQ_TRY(check_side(&a->key, head->key, "key"));
    FQ_TRY(check_side(&a->value, head->value, "value"));
    for (size_t t = 0; t < fq_head_coder_terms(head->value); t++) {
        bool turns;
        size_t until;
        (void)fq_head_coder_mean(head->value, t, 0, &turns, &until);
        if (until < head->coded)
            return FQ_FAIL(FQ_ERR_UNSUPPORTED, "mean", "values' means that are not renewed");
    }
    for (size_t i = 1; i < head->kept; i++)
        if (head->kept_position[i] <= head->kept_position[i - 1])
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kept_position", i, "rising positions");
    return head->coded + head->kept >= 1 ? FQ_OK : FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "coded", 0, "a token");
}

fq_status fq_attention_treated_run(const fq_attention_treated *attention, float *out, const float *queries,
                                   size_t m, const fq_treated_head *head, double scale) {
    const size_t d = attention->dim;
    if (m < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "m", 0, "at least 1");
    if (!isfinite(scale))
        return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "scale", scale, "a finite number");
    FQ_TRY(check_head(attention, head));
    for (size_t i = 0; i < m * d; i++)
        if (!isfinite(queries[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "queries", i,
                                 "finite numbers; the value is the first other one's index");
    for (size_t q = 0; q < m; q += QUERIES)
        FQ_TRY(run_queries(attention, out + q * d, queries + q * d, m - q < QUERIES ? m - q : QUERIES, head,
                           scale));
    return FQ_OK;
}
