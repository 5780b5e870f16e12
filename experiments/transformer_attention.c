#include <cblas.h>
#include <math.h>
#include <string.h>

#include "transformer.h"

/* score[t][s] = <q_t, k_s> scale. */
static void score_all(float *score, const float *query, size_t stride, const float *key, size_t n, size_t tokens,
                      size_t dim) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)tokens, (int)dim,
                (float)(1.0 / sqrt((double)dim)), query, (int)stride, key, (int)dim, 0.0F, score, (int)tokens);
}

static void add_values(float *out, size_t stride, const float *weight, const float *value, size_t n, size_t tokens,
                       size_t dim, float keep) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)dim, (int)tokens, 1.0F, weight, (int)tokens,
                value, (int)dim, keep, out, (int)stride);
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

/* Queries of the last n of the layer's first `tokens` tokens. */
static void attend_block(const fq_kv_store *store, size_t layer, size_t heads, size_t kv_heads, size_t dim,
                         size_t tokens, const float *query, size_t n, float *out, float *scratch) {
    const size_t first = tokens - n;
    const size_t recent = fq_kv_store_recent(store), stride = heads * dim;
    float *weight = scratch, *near_weight = scratch + n * tokens;
    for (size_t h = 0; h < heads; h++) {
        const fq_kv_view view = fq_kv_store_view(store, layer, h / (heads / kv_heads));
        const bool split = recent > 0 && (view.key != view.raw_key || view.value != view.raw_value);
        score_all(weight, query + h * dim, stride, view.key, n, tokens, dim);
        if (split)
            score_all(near_weight, query + h * dim, stride, view.raw_key, n, tokens, dim);
#pragma omp parallel for schedule(static, 16)
        for (size_t t = 0; t < n; t++) {
            const size_t last = first + t, band = recent < last + 1 ? last + 1 - recent : 0;
            float *far_row = weight + t * tokens, *near_row = near_weight + t * tokens;
            if (split)
                memcpy(far_row + band, near_row + band, (last + 1 - band) * sizeof *far_row);
            softmax(far_row, last, tokens);
            if (split) { /* weights of the uncompressed band apart from the others */
                memset(near_row, 0, tokens * sizeof *near_row);
                memcpy(near_row + band, far_row + band, (last + 1 - band) * sizeof *near_row);
                memset(far_row + band, 0, (last + 1 - band) * sizeof *far_row);
            }
        }
        add_values(out + h * dim, stride, weight, view.value, n, tokens, dim, 0.0F);
        if (split)
            add_values(out + h * dim, stride, near_weight, view.raw_value, n, tokens, dim, 1.0F);
    }
}

enum { BLOCK = 128 }; /* queries: products stop at the last key that the block's last query sees */

void fq_transformer_attend(const fq_kv_store *store, size_t layer, size_t heads, size_t kv_heads, size_t dim,
                           const float *query, size_t n, float *out, float *scratch) {
    const size_t first = fq_kv_store_tokens(store, layer) - n, stride = heads * dim;
    for (size_t t = 0; t < n; t += BLOCK) {
        const size_t count = n - t < BLOCK ? n - t : BLOCK;
        attend_block(store, layer, heads, kv_heads, dim, first + t + count, query + t * stride, count,
                     out + t * stride, scratch);
    }
}
