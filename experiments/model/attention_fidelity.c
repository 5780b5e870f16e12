#include "attention_fidelity.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "memory.h"

static bool is_zero(const float *a, size_t n) {
    for (size_t j = 0; j < n; j++)
        if (a[j] != 0.0F)
            return false;
    return true;
}

/* Of an a that is not zero. */
static double cosine(const float *a, const float *b, size_t n) {
    double aa = 0.0, bb = 0.0, ab = 0.0;
    if (memcmp(a, b, n * sizeof *a) == 0) { /* rounding must not blur what is identical */
        for (size_t j = 0; j < n; j++)
            aa += (double)a[j] * (double)a[j];
        return aa / aa; /* 1, but NaN for what is not finite */
    }
    for (size_t j = 0; j < n; j++) {
        aa += (double)a[j] * (double)a[j];
        bb += (double)b[j] * (double)b[j];
        ab += (double)a[j] * (double)b[j];
    }
    return aa == 0.0 || bb == 0.0 ? 0.0 : ab / sqrt(aa * bb);
}

static void softmax(float *x, size_t last, size_t tokens) {
    float most = x[0];
    double sum = 0.0;
    for (size_t s = 1; s <= last; s++)
        most = x[s] > most ? x[s] : most;
    for (size_t s = 0; s <= last; s++) {
        x[s] = expf(x[s] - most);
        sum += (double)x[s];
    }
    for (size_t s = 0; s <= last; s++)
        x[s] = (float)((double)x[s] / sum);
    memset(x + last + 1, 0, (tokens - last - 1) * sizeof *x);
}

static void scores(float *score, const fq_attention_pair *p, const float *query, const float *key, size_t n) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)p->tokens, (int)p->dim,
                (float)(1.0 / sqrt((double)p->dim)), query, (int)p->dim, key, (int)p->dim, 0.0F, score,
                (int)p->tokens);
}

static void outputs(float *out, const fq_attention_pair *p, const float *weight, const float *value,
                    size_t n) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)p->dim, (int)p->tokens, 1.0F, weight,
                (int)p->tokens, value, (int)p->dim, 0.0F, out, (int)p->dim);
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

fq_status fq_attention_fidelity(fq_query_fidelity *out, const fq_attention_pair *pair, const float *query,
                                size_t n, size_t first, size_t stride) {
    const size_t tokens = pair->tokens, dim = pair->dim;
    float *weight = NULL, *result = NULL;
    size_t size = 0;
    if (n > 0 && (first >= tokens || (n - 1) * stride >= tokens - first))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "n", n, "positions below the number of tokens");
    FQ_TRY(fq_size_multiply(&size, 2 * n, tokens, "tokens"));
    FQ_TRY(fq_alloc(&weight, size, sizeof *weight));
    fq_status status = fq_alloc(&result, 4 * n, dim * sizeof *result);
    if (status == FQ_OK) {
        float *decoded = weight + n * tokens, *plain = result, *value = result + n * dim,
              *key = value + n * dim, *both = key + n * dim;
        scores(weight, pair, query, pair->key, n);
        scores(decoded, pair, query, pair->key_decoded, n);
        for (size_t i = 0; i < n; i++) {
            const size_t last = first + i * stride;
            compare_scores(&out[i], weight + i * tokens, decoded + i * tokens, last);
            softmax(weight + i * tokens, last, tokens);
            softmax(decoded + i * tokens, last, tokens);
        }
        outputs(plain, pair, weight, pair->value, n);
        outputs(value, pair, weight, pair->value_decoded, n);
        outputs(key, pair, decoded, pair->value, n);
        outputs(both, pair, decoded, pair->value_decoded, n);
        for (size_t i = 0; i < n && status == FQ_OK; i++) {
            const size_t at = i * dim;
            const bool none = is_zero(plain + at, dim);
            out[i].key = none ? (double)NAN : cosine(plain + at, key + at, dim);
            out[i].value = none ? (double)NAN : cosine(plain + at, value + at, dim);
            out[i].both = none ? (double)NAN : cosine(plain + at, both + at, dim);
            if (!isfinite(out[i].score_error + (none ? 0.0 : out[i].key + out[i].value + out[i].both)))
                status = FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "query", i, "finite attention outputs");
        }
    }
    fq_free(result);
    fq_free(weight);
    return status;
}
