#include "text_windows.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "kv_setup.h"
#include "memory.h"
#include "sweep_plan.h"

typedef struct request {
    const char *model, *text; /* files */
    size_t length, count;
    float key_offset;
} request;

/* A loaded model and its text ------------------------------------------------------------------ */

static void model_destroy(void *object) {
    fq_model_text *m = object;
    fq_model_text_clear(m);
    fq_free(m);
}

static fq_status model_make(void **object, size_t *bytes, void *context) {
    const request *q = context;
    fq_model_text *m = NULL;
    FQ_TRY(fq_alloc_zero(&m, 1, sizeof *m));
    const fq_status status = fq_model_text_load(m, q->model, q->text);
    if (status != FQ_OK) {
        fq_free(m);
        return status;
    }
    *bytes = (size_t)600 << 20; /* 135 million parameters; an upper bound is not needed */
    *object = m;
    return FQ_OK;
}

/* What it says of the windows uncompressed ----------------------------------------------------- */

typedef struct reference {
    uint32_t *tokens; /* [count][length] */
    float *hidden;    /* [count][length][width] */
    fq_estimate shared[2];
} reference;

enum { BEFORE, AFTER, SIDES };

/* Sums over the keys of every head, before and after the position encoding. */
typedef struct key_sums {
    const fq_transformer *model;
    fq_rope rope;
    size_t count;          /* keys of a head so far, times layers */
    double *sum[SIDES];    /* [layers][kv_heads][d] */
    double *square[SIDES]; /* [layers][kv_heads] */
    float *key, *table;    /* [length][kv_heads][d], [length][d] */
} key_sums;

typedef struct reference_request {
    const request *q;
    const fq_text_windows *windows;
} reference_request;

static void reference_destroy(void *object) {
    reference *r = object;
    if (!r)
        return;
    fq_free(r->tokens);
    fq_free(r->hidden);
    fq_free(r);
}

static fq_status make_store(const fq_text_windows *w, const fq_kv_options *options, fq_kv_store **store) {
    const fq_model_config *c = &w->model.config;
    return fq_kv_store_create(store, c->layers, c->kv_heads, c->head_dim, w->length, options);
}

static void add_keys(key_sums *s, int side, size_t layer, size_t n, const float *key) {
    const fq_model_config *c = &s->model->config;
    const size_t d = c->head_dim;
    for (size_t i = 0; i < n * c->kv_heads; i++) {
        const size_t head = layer * c->kv_heads + i % c->kv_heads;
        for (size_t j = 0; j < d; j++) {
            const double x = (double)key[i * d + j];
            s->sum[side][head * d + j] += x;
            s->square[side][head] += x * x;
        }
    }
}

static fq_status see_keys(void *context, size_t layer, size_t first, size_t n, const float *query,
                          const float *key, const float *value) {
    key_sums *s = context;
    const fq_model_config *c = &s->model->config;
    (void)query;
    (void)value;
    add_keys(s, AFTER, layer, n, key);
    memcpy(s->key, key, n * c->kv_heads * c->head_dim * sizeof *key);
    fq_rope_table(s->table, &s->rope, c->head_dim, first, n);
    fq_rope_apply(&s->rope, s->key, s->table, n, c->kv_heads, c->head_dim, 1);
    add_keys(s, BEFORE, layer, n, s->key);
    s->count += n;
    return FQ_OK;
}

static void key_sums_clear(key_sums *s) {
    for (int side = BEFORE; side < SIDES; side++) {
        fq_free(s->sum[side]);
        fq_free(s->square[side]);
    }
    fq_free(s->key);
    fq_free(s->table);
}

static fq_status key_sums_init(key_sums *s, const fq_transformer *model, size_t length) {
    const fq_model_config *c = &model->config;
    const size_t heads = c->layers * c->kv_heads;
    *s = (key_sums){.model = model, .rope = fq_transformer_rope(c)};
    for (int side = BEFORE; side < SIDES; side++) {
        FQ_TRY(fq_alloc_zero(&s->sum[side], heads, c->head_dim * sizeof(double)));
        FQ_TRY(fq_alloc_zero(&s->square[side], heads, sizeof(double)));
    }
    FQ_TRY(fq_alloc(&s->key, length, c->kv_heads * c->head_dim * sizeof(float)));
    return fq_alloc(&s->table, length, c->head_dim * sizeof(float));
}

/* Mean over heads of |mean key|^2 / mean |key|^2. */
static fq_status shared_energy(fq_estimate *shared, const key_sums *s, int side) {
    const fq_model_config *c = &s->model->config;
    const size_t heads = c->layers * c->kv_heads, d = c->head_dim;
    const double n = (double)(s->count / c->layers);
    double *of_head = NULL;
    FQ_TRY(fq_alloc(&of_head, heads, sizeof *of_head));
    for (size_t h = 0; h < heads; h++) {
        double mean = 0.0;
        for (size_t j = 0; j < d; j++)
            mean += (s->sum[side][h * d + j] / n) * (s->sum[side][h * d + j] / n);
        of_head[h] = s->square[side][h] > 0.0 ? mean / (s->square[side][h] / n) : 0.0;
    }
    *shared = fq_estimate_of(of_head, heads);
    fq_free(of_head);
    return FQ_OK;
}

/* Every window of the text through the model with nothing compressed. */
static fq_status run_uncompressed(reference *r, const fq_text_windows *windows, key_sums *sums) {
    const size_t n = windows->length, width = windows->model.config.width,
                 step = windows->m->count / windows->count;
    const fq_transformer_observer observer = {see_keys, sums};
    fq_kv_store *store = NULL;
    FQ_TRY(make_store(windows, NULL, &store));
    fq_status status = FQ_OK;
    for (size_t w = 0; status == FQ_OK && w < windows->count; w++) {
        status = fq_model_text_window(windows->m, r->tokens + w * n, w * step, n);
        fq_kv_store_reset(store);
        if (status == FQ_OK)
            status = fq_transformer_run(&windows->model, store, r->tokens + w * n, n,
                                        r->hidden + w * n * width, &observer);
    }
    fq_kv_store_destroy(store);
    return status;
}

static fq_status reference_fill(reference *r, const reference_request *of) {
    const fq_text_windows *windows = of->windows;
    key_sums sums = {0};
    if (windows->m->count / windows->count < windows->length)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; %zu windows of %zu need more", of->q->text,
                            windows->m->count, windows->count, windows->length);
    FQ_TRY(fq_alloc(&r->tokens, windows->count, windows->length * sizeof *r->tokens));
    FQ_TRY(fq_alloc(&r->hidden, windows->count * windows->length,
                    windows->model.config.width * sizeof *r->hidden));
    fq_status status = key_sums_init(&sums, &windows->model, windows->length);
    if (status == FQ_OK)
        status = run_uncompressed(r, windows, &sums);
    for (int side = BEFORE; status == FQ_OK && side < SIDES; side++)
        status = shared_energy(&r->shared[side], &sums, side);
    key_sums_clear(&sums);
    return status;
}

static fq_status reference_make(void **object, size_t *bytes, void *context) {
    const reference_request *of = context;
    reference *r = NULL;
    FQ_TRY(fq_alloc_zero(&r, 1, sizeof *r));
    const fq_status status = reference_fill(r, of);
    if (status != FQ_OK) {
        reference_destroy(r);
        return status;
    }
    *bytes = of->windows->count * of->windows->length *
             (sizeof *r->tokens + of->windows->model.config.width * sizeof *r->hidden);
    *object = r;
    return FQ_OK;
}

fq_status fq_text_windows_model(const fq_model_text **m, fq_resources *resources, const fq_point *point) {
    static const fq_resource_kind kind = {model_make, model_destroy};
    request q = {.model = fq_point_file(point, "model"), .text = fq_point_file(point, "text")};
    char key[320];
    const void *object = NULL;
    snprintf(key, sizeof key, "model_text:%s:%s", fq_point_file_sha256(point, "model"),
             fq_point_file_sha256(point, "text"));
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, &q));
    *m = object;
    return FQ_OK;
}

static fq_status get_windows(fq_text_windows *windows, fq_resources *resources, const fq_point *point,
                             const request *wanted) {
    static const fq_resource_kind reference_kind = {reference_make, reference_destroy};
    char key[320];
    request q = *wanted;
    const void *object = NULL;
    *windows = (fq_text_windows){.length = q.length, .count = q.count};
    FQ_TRY(fq_text_windows_model(&windows->m, resources, point));
    windows->model = windows->m->model;
    windows->model.key_offset = q.key_offset;
    reference_request of = {&q, windows};
    snprintf(key, sizeof key, "text_windows:%s:%s:%zu:%zu:%a", windows->m->model_sha256,
             windows->m->text_sha256, q.length, q.count, (double)q.key_offset);
    FQ_TRY(fq_resources_get(resources, &object, key, &reference_kind, &of));
    const reference *r = object;
    windows->tokens = r->tokens;
    windows->hidden = r->hidden;
    windows->shared_before = r->shared[BEFORE];
    windows->shared_after = r->shared[AFTER];
    return FQ_OK;
}

/* A compressed run beside it -------------------------------------------------------------------- */

typedef struct window_scores {
    double loss, reference_loss, kl, agreement; /* means over the positions scored */
    double key_cosine, score_noise;             /* as the columns are */
} window_scores;

typedef struct position_scores {
    double loss, reference_loss, kl, agreement;
} position_scores;

static double log_sum_exp(const float *x, size_t n, size_t *best) {
    double sum = 0.0;
    *best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[*best])
            *best = i;
    for (size_t i = 0; i < n; i++)
        sum += (double)expf(x[i] - x[*best]);
    return (double)x[*best] + log(sum);
}

static position_scores score_position(const float *x, const float *y, size_t n, uint32_t next) {
    size_t best_x, best_y;
    const double zx = log_sum_exp(x, n, &best_x), zy = log_sum_exp(y, n, &best_y);
    double kl = 0.0;
    for (size_t i = 0; i < n; i++)
        kl += (double)expf((float)((double)x[i] - zx)) * (((double)x[i] - zx) - ((double)y[i] - zy));
    return (position_scores){zy - (double)y[next], zx - (double)x[next], kl, best_x == best_y ? 1.0 : 0.0};
}

enum { BATCH = 32 };

/* Means over the scored positions of a window; x: hidden states uncompressed, y: with the codec. */
static fq_status score_window(const fq_text_windows *r, size_t w, const float *x, const float *y, size_t skip,
                              window_scores *mean) {
    const fq_model_config *c = &r->model.config;
    const uint32_t *tokens = r->tokens + w * r->length;
    float *logits = NULL;
    FQ_TRY(fq_alloc(&logits, 2 * BATCH, c->vocabulary * sizeof *logits));
    memset(mean, 0, sizeof *mean);
    const double count = (double)(r->length - 1 - skip);
    for (size_t t = skip; t + 1 < r->length; t += BATCH) {
        const size_t n = r->length - 1 - t < BATCH ? r->length - 1 - t : BATCH;
        position_scores part[BATCH];
        fq_transformer_logits(&r->model, logits, x + t * c->width, n);
        fq_transformer_logits(&r->model, logits + BATCH * c->vocabulary, y + t * c->width, n);
#pragma omp parallel for schedule(static, 4)
        for (size_t i = 0; i < n; i++)
            part[i] = score_position(logits + i * c->vocabulary, logits + (BATCH + i) * c->vocabulary,
                                     c->vocabulary, tokens[t + i + 1]);
        for (size_t i = 0; i < n; i++) {
            mean->loss += part[i].loss;
            mean->reference_loss += part[i].reference_loss;
            mean->kl += part[i].kl;
            mean->agreement += part[i].agreement;
        }
    }
    mean->loss /= count;
    mean->reference_loss /= count;
    mean->kl /= count;
    mean->agreement /= count;
    fq_free(logits);
    return FQ_OK;
}

/* Queries of a window as attention uses them: [layers][length][heads][d]. */
typedef struct queries {
    float *x;
    size_t length, floats; /* of a token */
} queries;

static fq_status see_queries(void *context, size_t layer, size_t first, size_t n, const float *query,
                             const float *key, const float *value) {
    const queries *q = context;
    (void)key;
    (void)value;
    memcpy(q->x + (layer * q->length + first) * q->floats, query, n * q->floats * sizeof *query);
    return FQ_OK;
}

/* A head's errors of keys, [length][d]: as they are read when old, and from the window. */
static void key_errors(float *old, float *near, const fq_kv_view *view, size_t numbers) {
    for (size_t i = 0; i < numbers; i++) {
        old[i] = view->key[i] - view->raw_key[i];
        near[i] = view->near_key[i] - view->raw_key[i];
    }
}

enum { QUERY_BLOCK = 64 };

/* Sum over the queries first..first+n-1 of the variance, over the keys that each reads, of the error of its
 * scores. query: stride floats apart; score: [2][QUERY_BLOCK][length] to work in. */
static double block_noise(const float *query, size_t stride, const float *old, const float *near,
                          size_t window, size_t group, size_t first, size_t n, size_t dim, float *score) {
    const size_t tokens = first + n;
    const float scale = (float)(1.0 / sqrt((double)dim));
    float *const near_score = score + QUERY_BLOCK * tokens;
    double sum = 0.0;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)tokens, (int)dim, scale, query,
                (int)stride, old, (int)dim, 0.0F, score, (int)tokens);
    if (window > 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)tokens, (int)dim, scale, query,
                    (int)stride, near, (int)dim, 0.0F, near_score, (int)tokens);
    for (size_t i = 0; i < n; i++) {
        const size_t reads = first + i + 1,
                     from = window > 0 ? fq_treatment_near_from(first + i, window, group) : reads;
        double mean = 0.0, square = 0.0;
        for (size_t s = 0; s < reads; s++) {
            const double e = (double)(s >= from ? near_score : score)[i * tokens + s];
            mean += e;
            square += e * e;
        }
        mean /= (double)reads;
        sum += fmax(square / (double)reads - mean * mean, 0.0);
    }
    return sum;
}

/* The two measures of a window's keys, behind a run: key_cosine and score_noise. */
static fq_status score_keys(const fq_text_windows *r, const fq_kv_store *store, const queries *q, size_t skip,
                            window_scores *scores) {
    const fq_model_config *c = &r->model.config;
    const size_t d = c->head_dim, n = r->length, group = c->heads / c->kv_heads;
    float *work = NULL;
    double noise = 0.0, cosine = 0.0;
    FQ_TRY(fq_alloc(&work, 2 * n, (d + QUERY_BLOCK) * sizeof *work));
    float *const old = work, *const near = work + n * d, *const score = work + 2 * n * d;
    for (size_t layer = 0; layer < c->layers; layer++)
        for (size_t kv = 0; kv < c->kv_heads; kv++) {
            const fq_kv_view view = fq_kv_store_view(store, layer, kv);
            fq_metrics m;
            const fq_status status = fq_metrics_measure(&m, d, view.raw_key, view.key, n, NULL, 0);
            if (status != FQ_OK) {
                fq_free(work);
                return status;
            }
            cosine += m.cosine.mean;
            key_errors(old, near, &view, n * d);
            for (size_t h = kv * group; h < (kv + 1) * group; h++)
                for (size_t first = skip; first < n; first += QUERY_BLOCK)
                    noise += block_noise(q->x + (layer * n + first) * q->floats + h * d, q->floats, old, near,
                                         fq_kv_store_window(store), fq_kv_store_together(store, FQ_OF_KEYS),
                                         first, n - first < QUERY_BLOCK ? n - first : QUERY_BLOCK, d, score);
        }
    scores->key_cosine = cosine / (double)(c->layers * c->kv_heads);
    scores->score_noise = sqrt(noise / (double)(c->layers * c->heads * (n - skip)));
    fq_free(work);
    return FQ_OK;
}

/* A window through the store, and what it is worth. */
static fq_status measure_window(const fq_text_windows *r, size_t w, fq_kv_store *store, float *hidden,
                                queries *q, size_t skip, window_scores *scores) {
    const size_t size = r->length * r->model.config.width;
    const fq_transformer_observer observer = {see_queries, q};
    fq_kv_store_reset(store);
    FQ_TRY(fq_transformer_run(&r->model, store, r->tokens + w * r->length, r->length, hidden, &observer));
    FQ_TRY(score_window(r, w, r->hidden + w * size, hidden, skip, scores));
    return score_keys(r, store, q, skip, scores);
}

static fq_status measure(const fq_text_windows *r, const fq_kv_options *options, size_t skip, fq_rows *rows,
                         window_scores *all, double *bits) {
    const fq_model_config *c = &r->model.config;
    fq_kv_store *store = NULL;
    float *hidden = NULL;
    queries q = {.length = r->length, .floats = c->heads * c->head_dim};
    FQ_TRY(make_store(r, options, &store));
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&hidden, r->length, c->width * sizeof *hidden), done);
    FQ_TRY_GOTO(status, fq_alloc(&q.x, c->layers * r->length, q.floats * sizeof *q.x), done);
    for (size_t w = 0; w < r->count; w++) {
        FQ_TRY_GOTO(status, measure_window(r, w, store, hidden, &q, skip, &all[w]), done);
        fq_rows_progress(rows, (double)(w + 1) / (double)r->count);
    }
    *bits = fq_kv_store_bits(store);
done:
    fq_free(q.x);
    fq_free(hidden);
    fq_kv_store_destroy(store);
    return status;
}

static void put(fq_rows *rows, const char *column, fq_estimate e, double scale) {
    char name[FQ_TABLE_NAME_MAX + 1];
    fq_rows_real(rows, column, e.mean);
    snprintf(name, sizeof name, "%s_se", column);
    fq_rows_real(rows, name, scale * e.se);
}

static fq_status report(fq_rows *rows, const window_scores *all, size_t windows) {
    double *x = NULL;
    FQ_TRY(fq_alloc(&x, 7 * windows, sizeof *x));
    for (size_t w = 0; w < windows; w++) {
        x[w] = all[w].loss;
        x[windows + w] = all[w].reference_loss;
        x[2 * windows + w] = all[w].loss - all[w].reference_loss;
        x[3 * windows + w] = all[w].kl;
        x[4 * windows + w] = all[w].agreement;
        x[5 * windows + w] = all[w].score_noise;
        x[6 * windows + w] = all[w].key_cosine;
    }
    const fq_estimate loss = fq_estimate_of(x, windows), base = fq_estimate_of(x + windows, windows);
    const double p = exp(loss.mean), p0 = exp(base.mean);
    put(rows, "loss", loss, 1.0);
    put(rows, "perplexity", (fq_estimate){p, loss.se}, p);
    put(rows, "loss_change", fq_estimate_of(x + 2 * windows, windows), 1.0);
    put(rows, "kl", fq_estimate_of(x + 3 * windows, windows), 1.0);
    put(rows, "agreement", fq_estimate_of(x + 4 * windows, windows), 1.0);
    put(rows, "score_noise", fq_estimate_of(x + 5 * windows, windows), 1.0);
    put(rows, "key_cosine", fq_estimate_of(x + 6 * windows, windows), 1.0);
    for (size_t w = 0; w < windows; w++) /* first-order influence of window w on p - p0 */
        x[w] = p * all[w].loss - p0 * all[w].reference_loss;
    fq_rows_real(rows, "perplexity_reference", p0);
    put(rows, "perplexity_change", (fq_estimate){p - p0, fq_estimate_of(x, windows).se}, 1.0);
    fq_free(x);
    return FQ_OK;
}

/* Dimension of the model's keys and values; 0 where it cannot be read. */
static size_t model_dim(const char *path) {
    static char last[FQ_POINT_LABEL_MAX];
    static size_t dim;
    fq_checkpoint *checkpoint = NULL;
    if (dim && strcmp(last, path) == 0)
        return dim;
    dim = 0;
    if (strlen(path) < sizeof last && fq_checkpoint_open(&checkpoint, path) == FQ_OK) {
        strcpy(last, path);
        dim = fq_checkpoint_config(checkpoint)->head_dim;
        fq_checkpoint_close(checkpoint);
    }
    return dim;
}

fq_status fq_text_windows_check(const fq_point *point) {
    if (fq_point_size(point, "skip") + 1 >= fq_point_size(point, "window"))
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"skip\": %zu; allowed: below window - 1",
                            fq_point_size(point, "skip"));
    FQ_TRY(fq_kv_setup_check(point));
    return fq_point_check_pair(point, model_dim(fq_point_file(point, "model")));
}

fq_point_cost fq_text_windows_cost(const fq_point *point) {
    const double tokens = (double)fq_point_size(point, "window") * (double)fq_point_size(point, "windows");
    fq_point_cost cost = {.seconds = 10.0 + tokens * 0.015, .memory_bytes = 1.2e9};
    fq_codec_spec value;
    const size_t known = model_dim(fq_point_file(point, "model")), dim = known ? known : FQ_COST_USUAL_DIM;
    fq_cost_add_codec(&cost, fq_point_codec(point, "codec"), dim);
    if (fq_codec_spec_parse(&value, fq_point_text(point, "value_codec")) == FQ_OK)
        fq_cost_add_codec(&cost, &value, dim);
    return cost;
}

/* Columns that do not come from scores. */
static void describe(fq_rows *rows, const fq_text_windows *w, const fq_kv_setup *setup, const char *text,
                     size_t skip, double bits) {
    const fq_model_config *c = &w->model.config;
    const double rate = fq_kv_setup_rate(setup);
    const char *slash = strrchr(text, '/');
    char protocol[160];
    fq_rows_text(rows, "family", fq_codec_get_spec(setup->key_codecs[0])->family);
    fq_rows_real(rows, "rate", rate);
    fq_rows_real(rows, "compression_payload", 16.0 / rate);
    fq_rows_real(rows, "compression_stored",
                 32.0 * (double)(c->layers * c->kv_heads * c->head_dim * w->length) / bits);
    fq_rows_integer(rows, "scored", (int64_t)(w->count * (w->length - 1 - skip)));
    fq_rows_text(rows, "model_name", c->name);
    fq_rows_text(rows, "text_name", slash ? slash + 1 : text);
    snprintf(protocol, sizeof protocol,
             "%zu windows of %zu tokens, first %zu not scored; prefill and own token read back compressed; "
             "SE by window",
             w->count, w->length, skip);
    fq_rows_text(rows, "protocol", protocol);
}

fq_status fq_text_windows_run(fq_text_windows *windows, const fq_point *point, fq_resources *resources,
                              fq_rows *rows, float key_offset) {
    const request q = {.model = fq_point_file(point, "model"),
                       .text = fq_point_file(point, "text"),
                       .length = fq_point_size(point, "window"),
                       .count = fq_point_size(point, "windows"),
                       .key_offset = key_offset};
    const size_t skip = fq_point_size(point, "skip");
    window_scores *all = NULL;
    fq_kv_setup setup;
    double bits = 0.0;
    FQ_TRY(get_windows(windows, resources, point, &q));
    const fq_model_config *c = &windows->model.config;
    const fq_rope rope = fq_transformer_rope(c);
    FQ_TRY(fq_kv_setup_make(&setup, point, resources, c->head_dim));
    const fq_kv_options options = {.key_codecs = setup.key_codecs,
                                   .value_codecs = setup.value_codecs,
                                   .treatment = setup.treatment,
                                   .rope = &rope,
                                   .given_keys = fq_kv_setup_given(&setup, FQ_OF_KEYS, 0),
                                   .given_values = fq_kv_setup_given(&setup, FQ_OF_VALUES, 0),
                                   .group = c->heads / c->kv_heads};
    fq_status status;
    FQ_TRY_GOTO(status, fq_kv_setup_check_moments(&setup, point, c->layers, c->kv_heads, c->head_dim, &rope),
                done);
    FQ_TRY_GOTO(status, fq_alloc(&all, q.count, sizeof *all), done);
    FQ_TRY_GOTO(status, measure(windows, &options, skip, rows, all, &bits), done);
    FQ_TRY_GOTO(status, fq_rows_add(rows), done);
    FQ_TRY_GOTO(status, report(rows, all, q.count), done);
    describe(rows, windows, &setup, q.text, skip, bits);
done:
    fq_free(all);
    fq_kv_setup_clear(&setup);
    return status;
}
