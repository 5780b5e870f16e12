#include <cblas.h>
#include <math.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "memory.h"
#include "transformer.h"

/* score[t][s] = <q_t, k_s> scale. */
static void score_all(float *score, const float *query, size_t stride, const float *key, size_t n,
                      size_t tokens, size_t dim) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)tokens, (int)dim,
                (float)(1.0 / sqrt((double)dim)), query, (int)stride, key, (int)dim, 0.0F, score,
                (int)tokens);
}

static void add_values(float *out, size_t stride, const float *weight, const float *value, size_t n,
                       size_t tokens, size_t dim, float keep) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)dim, (int)tokens, 1.0F, weight,
                (int)tokens, value, (int)dim, keep, out, (int)stride);
}

/* weight[0..last] = softmax, zeros after. The sum is in double: thousands of small terms. */
static void softmax(float *weight, size_t last, size_t tokens) {
    float most = weight[0];
    double sum = 0.0;
    for (size_t s = 1; s <= last; s++)
        most = weight[s] > most ? weight[s] : most;
    for (size_t s = 0; s <= last; s++) {
        weight[s] = expf(weight[s] - most);
        sum += (double)weight[s];
    }
    const float scale = (float)(1.0 / sum);
    for (size_t s = 0; s <= last; s++)
        weight[s] *= scale;
    memset(weight + last + 1, 0, (tokens - last - 1) * sizeof *weight);
}

typedef struct attention_job {
    const fq_kv_store *store;
    size_t layer, heads, kv_heads, dim;
    const float *query; /* [n][heads][dim] */
    float *out;
} attention_job;

/* Head h of the n queries from the first-th on, which stand at positions of their own up to tokens - 1.
 * scratch: 2 n tokens floats. */
static void attend_block(const attention_job *job, size_t h, size_t first, size_t n, size_t tokens,
                         float *scratch) {
    const size_t window = fq_kv_store_window(job->store),
                 key_group = fq_kv_store_together(job->store, FQ_OF_KEYS),
                 value_group = fq_kv_store_together(job->store, FQ_OF_VALUES), dim = job->dim,
                 stride = job->heads * dim;
    const float *query = job->query + first * stride + h * dim;
    float *out = job->out + first * stride + h * dim, *weight = scratch, *near_weight = scratch + n * tokens;
    const fq_kv_view view = fq_kv_store_view(job->store, job->layer, h / (job->heads / job->kv_heads));
    const bool split = window > 0 && (view.key != view.near_key || view.value != view.near_value);
    score_all(weight, query, stride, view.key, n, tokens, dim);
    if (split)
        score_all(near_weight, query, stride, view.near_key, n, tokens, dim);
    for (size_t t = 0; t < n; t++) {
        const size_t last = tokens - n + t, keys = fq_treatment_near_from(last, window, key_group),
                     values = fq_treatment_near_from(last, window, value_group);
        float *far_row = weight + t * tokens, *near_row = near_weight + t * tokens;
        if (split)
            memcpy(far_row + keys, near_row + keys, (last + 1 - keys) * sizeof *far_row);
        softmax(far_row, last, tokens);
        if (split) { /* weights of the uncompressed band apart from the others */
            memset(near_row, 0, tokens * sizeof *near_row);
            memcpy(near_row + values, far_row + values, (last + 1 - values) * sizeof *near_row);
            memset(far_row + values, 0, (last + 1 - values) * sizeof *far_row);
        }
    }
    add_values(out, stride, weight, view.value, n, tokens, dim, 0.0F);
    if (split)
        add_values(out, stride, near_weight, view.near_value, n, tokens, dim, 1.0F);
}

enum { BLOCK = 128 }; /* queries: products stop at the last key that the block's last query sees */

fq_status fq_transformer_attend(const fq_kv_store *store, size_t layer, size_t heads, size_t kv_heads,
                                size_t dim, const float *query, size_t n, float *out) {
    const attention_job job = {store, layer, heads, kv_heads, dim, query, out};
    const size_t tokens = fq_kv_store_tokens(store, layer), held = tokens - n, rows = n < BLOCK ? n : BLOCK;
    const size_t blocks = (n + BLOCK - 1) / BLOCK;
    size_t threads = 1, each = 0;
    float *scratch = NULL;
#ifdef _OPENMP
    threads = (size_t)omp_get_max_threads();
    threads = threads < blocks * heads ? threads : blocks * heads;
#endif
    FQ_TRY(fq_size_multiply(&each, 2 * rows, tokens, "tokens"));
    FQ_TRY(fq_alloc(&scratch, threads, each * sizeof *scratch));
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t work = 0; work < blocks * heads; work++) {
        size_t thread = 0;
#ifdef _OPENMP
        thread = (size_t)omp_get_thread_num();
#endif
        const size_t first = (blocks - 1 - work / heads) * BLOCK; /* the longest blocks first */
        const size_t count = n - first < BLOCK ? n - first : BLOCK;
        attend_block(&job, work % heads, first, count, held + first + count, scratch + thread * each);
    }
    fq_free(scratch);
    return FQ_OK;
}
