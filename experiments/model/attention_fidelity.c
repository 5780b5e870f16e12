#include "attention_fidelity.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "memory.h"
#include "treatment.h"

/* NaN for a = 0, which has no direction; 0 for b = 0 alone. */
static double cosine(fq_output_products *of, const float *a, const float *b, size_t n) {
    double aa = 0.0, bb = 0.0, ab = 0.0;
    for (size_t j = 0; j < n; j++) {
        aa += (double)a[j] * (double)a[j];
        bb += (double)b[j] * (double)b[j];
        ab += (double)a[j] * (double)b[j];
    }
    *of = (fq_output_products){aa, bb, ab};
    if (aa == 0.0)
        return NAN;
    if (memcmp(a, b, n * sizeof *a) == 0) /* rounding must not blur what is identical */
        return aa / aa;                   /* 1, but NaN for what is not finite */
    return bb == 0.0 ? 0.0 : ab / sqrt(aa * bb);
}

/* weight[0..last] = softmax of score[0..last], zeros behind. */
static void softmax(float *weight, const float *score, size_t last, size_t tokens) {
    float most = score[0];
    double sum = 0.0;
    for (size_t s = 1; s <= last; s++)
        most = score[s] > most ? score[s] : most;
    for (size_t s = 0; s <= last; s++) {
        weight[s] = expf(score[s] - most);
        sum += (double)weight[s];
    }
    for (size_t s = 0; s <= last; s++)
        weight[s] = (float)((double)weight[s] / sum);
    memset(weight + last + 1, 0, (tokens - last - 1) * sizeof *weight);
}

static void scores(float *score, const fq_attention_pair *p, const float *query, const float *key, size_t n) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)p->tokens, (int)p->dim,
                (float)(1.0 / sqrt((double)p->dim)), query, (int)p->dim, key, (int)p->dim, 0.0F, score,
                (int)p->tokens);
}

/* out[n][dim] = weight value, added to what is there if keep. */
static void outputs(float *out, const fq_attention_pair *p, const float *weight, const float *value, size_t n,
                    bool keep) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)p->dim, (int)p->tokens, 1.0F, weight,
                (int)p->tokens, value, (int)p->dim, keep ? 1.0F : 0.0F, out, (int)p->dim);
}

static void compare_scores(fq_query_fidelity *out, const float *a, const float *b, size_t last) {
    double error = 0.0, mean = 0.0, square = 0.0;
    for (size_t s = 0; s <= last; s++) {
        const double e = (double)b[s] - (double)a[s];
        error += e * e;
        mean += (double)a[s];
    }
    mean /= (double)(last + 1);
    for (size_t s = 0; s <= last; s++)
        square += ((double)a[s] - mean) * ((double)a[s] - mean);
    out->score_error = error / (double)(last + 1);
    out->score_power = square / (double)(last + 1);
}

enum { BLOCK = 32 }; /* queries */

/* Work space of a block of queries: scores and weights [BLOCK][tokens], outputs [BLOCK][dim]. */
typedef struct workspace {
    float *score, *decoded, *weight, *near_weight;
    float *plain, *value, *key, *both;
} workspace;

static fq_status workspace_make(workspace *w, const fq_attention_pair *p) {
    float **rows[] = {&w->score, &w->decoded, &w->weight, &w->near_weight};
    float **results[] = {&w->plain, &w->value, &w->key, &w->both};
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < 4; i++) {
        FQ_TRY(fq_alloc(rows[i], BLOCK, p->tokens * sizeof(float)));
        FQ_TRY(fq_alloc(results[i], BLOCK, p->dim * sizeof(float)));
    }
    return FQ_OK;
}

static void workspace_clear(workspace *w) {
    float *all[] = {w->score, w->decoded, w->weight, w->near_weight, w->plain, w->value, w->key, w->both};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fq_free(all[i]);
}

/* Takes the weights of each query's window out of weight and into near_weight, where values are others. */
static void split_window(const fq_attention_pair *p, workspace *w, size_t n, size_t first, size_t stride) {
    for (size_t i = 0; i < n; i++) {
        const size_t last = first + i * stride,
                     from = fq_treatment_near_from(last, p->window, p->value_group);
        float *far_row = w->weight + i * p->tokens, *near_row = w->near_weight + i * p->tokens;
        memset(near_row, 0, p->tokens * sizeof *near_row);
        memcpy(near_row + from, far_row + from, (last + 1 - from) * sizeof *far_row);
        memset(far_row + from, 0, (last + 1 - from) * sizeof *far_row);
    }
}

/* Sums of reconstructed values by w->weight, which is spoilt. */
static void reconstructed_outputs(float *out, const fq_attention_pair *p, workspace *w, size_t n,
                                  size_t first, size_t stride) {
    if (p->window)
        split_window(p, w, n, first, stride);
    outputs(out, p, w->weight, p->value_decoded, n, false);
    if (p->window)
        outputs(out, p, w->near_weight, p->value_near, n, true);
}

static void weigh(const fq_attention_pair *p, float *weight, const float *score, size_t n, size_t first,
                  size_t stride, size_t age) {
    for (size_t i = 0; i < n; i++) {
        const size_t last = first + i * stride;
        if (last >= age)
            softmax(weight + i * p->tokens, score + i * p->tokens, last - age, p->tokens);
        else
            memset(weight + i * p->tokens, 0, p->tokens * sizeof *weight);
    }
}

/* n queries, at most BLOCK, at positions first, first + stride, ... */
static fq_status compare_block(fq_query_fidelity *out, const fq_attention_pair *p, workspace *w,
                               const float *query, size_t n, size_t first, size_t stride) {
    const size_t d = p->dim, tokens = p->tokens;
    scores(w->score, p, query, p->key, n);
    scores(w->decoded, p, query, p->key_decoded, n);
    if (p->window)
        scores(w->near_weight, p, query, p->key_near, n);
    for (size_t i = 0; i < n; i++) {
        const size_t last = first + i * stride, from = fq_treatment_near_from(last, p->window, p->key_group);
        if (p->window)
            memcpy(w->decoded + i * tokens + from, w->near_weight + i * tokens + from,
                   (last + 1 - from) * sizeof(float));
        compare_scores(&out[i], w->score + i * tokens, w->decoded + i * tokens, last);
    }
    weigh(p, w->weight, w->score, n, first, stride, p->age);
    outputs(w->plain, p, w->weight, p->value, n, false);
    weigh(p, w->weight, w->decoded, n, first, stride, p->age);
    reconstructed_outputs(w->both, p, w, n, first, stride);
    for (size_t i = 0; i < n; i++)
        out[i].old = cosine(&out[i].of[FQ_OUTPUT_OLD], w->plain + i * d, w->both + i * d, d);
    weigh(p, w->weight, w->score, n, first, stride, 0);
    outputs(w->plain, p, w->weight, p->value, n, false);
    reconstructed_outputs(w->value, p, w, n, first, stride);
    weigh(p, w->weight, w->decoded, n, first, stride, 0);
    outputs(w->key, p, w->weight, p->value, n, false);
    reconstructed_outputs(w->both, p, w, n, first, stride);
    for (size_t i = 0; i < n; i++) {
        double plain = 0.0;
        for (size_t j = 0; j < d; j++)
            plain += fabs((double)w->plain[i * d + j]);
        out[i].key = cosine(&out[i].of[FQ_OUTPUT_KEY], w->plain + i * d, w->key + i * d, d);
        out[i].value = cosine(&out[i].of[FQ_OUTPUT_VALUE], w->plain + i * d, w->value + i * d, d);
        out[i].both = cosine(&out[i].of[FQ_OUTPUT_BOTH], w->plain + i * d, w->both + i * d, d);
        if (!isfinite(out[i].score_error) || !isfinite(plain) ||
            (plain > 0.0 && !isfinite(out[i].key + out[i].value + out[i].both)))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "position", first + i * stride,
                                 "finite attention outputs");
    }
    return FQ_OK;
}

fq_status fq_attention_fidelity(fq_query_fidelity *out, const fq_attention_pair *pair, const float *query,
                                size_t n, size_t first, size_t stride) {
    workspace w;
    if (n > 0 && (first >= pair->tokens || (n - 1) * stride >= pair->tokens - first))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "positions below the number of tokens");
    fq_status status = workspace_make(&w, pair);
    for (size_t i = 0; status == FQ_OK && i < n; i += BLOCK)
        status = compare_block(out + i, pair, &w, query + i * pair->dim, n - i < BLOCK ? n - i : BLOCK,
                               first + i * stride, stride);
    workspace_clear(&w);
    return status;
}
