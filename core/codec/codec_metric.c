#include "codec_metric.h"

#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "codec_norm.h"
#include "memory.h"
#include "vector_kernels.h"

enum { SWEEPS = 3 };

struct fq_codec_metric {
    const fq_codec *codec;
    const fq_codec_group *group;
    float *m;         /* M' = Pi M Pi^T, [d][d] */
    float *words;     /* [k][N]: the words' coordinates side by side */
    float *quadratic; /* w^T M'_BB w, [blocks][N] */
};

/* Work space of one call. */
typedef struct workspace {
    float *unit, *y, *error, *gradient; /* [d] each */
    float *score;                       /* [N] */
    uint32_t *index;                    /* [blocks] */
} workspace;

void fq_codec_metric_destroy(fq_codec_metric *metric) {
    if (!metric)
        return;
    fq_free(metric->m);
    fq_free(metric->words);
    fq_free(metric->quadratic);
    fq_free(metric);
}

/* M' = Pi M Pi^T: the rows turned, then the columns. */
static fq_status turn(fq_codec_metric *metric, const float *m) {
    const size_t d = metric->group->dim;
    float *rows = NULL;
    FQ_TRY(fq_alloc(&rows, d * d, sizeof *rows));
    fq_rotation_apply(metric->group->rotation, rows, m, d); /* M Pi^T */
    for (size_t i = 0; i < d; i++)
        for (size_t j = i + 1; j < d; j++) {
            const float other = rows[i * d + j];
            rows[i * d + j] = rows[j * d + i];
            rows[j * d + i] = other;
        }
    fq_rotation_apply(metric->group->rotation, metric->m, rows, d); /* its transpose, Pi M, turned: M' */
    fq_free(rows);
    return FQ_OK;
}

static void fill(fq_codec_metric *metric) {
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim, k = group->block, words = group->codewords;
    for (size_t n = 0; n < words; n++)
        for (size_t j = 0; j < k; j++)
            metric->words[j * words + n] = group->words[n * k + j];
    for (size_t b = 0; b < group->blocks; b++)
        for (size_t n = 0; n < words; n++) {
            const float *w = group->words + n * k;
            double sum = 0.0;
            for (size_t i = 0; i < k; i++)
                for (size_t j = 0; j < k; j++)
                    sum += (double)w[i] * (double)metric->m[(b * k + i) * d + b * k + j] * (double)w[j];
            metric->quadratic[b * words + n] = (float)sum;
        }
}

fq_status fq_codec_metric_create(fq_codec_metric **metric, const fq_codec *codec, const float *m) {
    const fq_codec_group *group = &codec->group[0];
    if (codec->groups != 1 || codec->family->encode || !group->words || group->sketch_rows ||
        codec->channel_order)
        return FQ_FAIL(FQ_ERR_SPEC, codec->family->name,
                       "codecs of one group of words, for a metric in the encoder");
    fq_codec_metric *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->codec = codec;
    made->group = group;
    size_t table = 0;
    fq_status status = fq_size_multiply(&table, group->blocks, group->codewords, "codewords");
    if (status == FQ_OK)
        status = fq_alloc(&made->m, group->dim * group->dim, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc(&made->words, group->block * group->codewords, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc(&made->quadratic, table, sizeof(float));
    if (status == FQ_OK)
        status = turn(made, m);
    if (status != FQ_OK) {
        fq_codec_metric_destroy(made);
        return status;
    }
    fill(made);
    *metric = made;
    return FQ_OK;
}

/* The word for a block that minimises the error while all others stay. */
static uint32_t best_word(const fq_codec_metric *metric, workspace *w, size_t b) {
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim, k = group->block, words = group->codewords, at = b * k;
    float *score = w->score;
    memcpy(score, metric->quadratic + b * words, words * sizeof *score);
    for (size_t j = 0; j < k; j++) {
        /* t = M_BB y_B - (gradient less this block's own part), gradient = M e, e = c - y */
        float t = -w->gradient[at + j];
        for (size_t i = 0; i < k; i++)
            t += metric->m[(at + j) * d + at + i] * (w->error[at + i] + w->y[at + i]);
        const float *column = metric->words + j * words;
        for (size_t n = 0; n < words; n++)
            score[n] -= 2.0F * t * column[n];
    }
    size_t best = 0;
    for (size_t n = 1; n < words; n++)
        if (score[n] < score[best])
            best = n;
    /* a tie or a rounding error must not make it wander */
    return score[best] < score[w->index[b]] ? (uint32_t)best : w->index[b];
}

/* Block b takes another word: error and gradient follow. */
static void replace(const fq_codec_metric *metric, workspace *w, size_t b, uint32_t index) {
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim, k = group->block;
    for (size_t j = 0; j < k; j++) {
        const size_t c = b * k + j;
        const float change = group->words[(size_t)index * k + j] - group->words[(size_t)w->index[b] * k + j];
        w->error[c] += change;
        for (size_t i = 0; i < d; i++)
            w->gradient[i] += change * metric->m[c * d + i];
    }
    w->index[b] = index;
}

static void descend(const fq_codec_metric *metric, workspace *w) {
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim;
    for (size_t i = 0; i < d; i++) {
        float sum = 0.0F;
        for (size_t j = 0; j < d; j++)
            sum += metric->m[i * d + j] * w->error[j];
        w->gradient[i] = sum;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        bool changed = false;
        for (size_t b = 0; b < group->blocks; b++) {
            const uint32_t best = best_word(metric, w, b);
            if (best != w->index[b]) {
                replace(metric, w, b, best);
                changed = true;
            }
        }
        if (!changed)
            return;
    }
}

/* <y, c>_M / <c, c>_M with c = y + error. */
static double gain(const fq_codec_metric *metric, const workspace *w) {
    const size_t d = metric->group->dim;
    double cross = 0.0, square = 0.0;
    for (size_t i = 0; i < d; i++) {
        double row = 0.0; /* (M c)_i */
        for (size_t j = 0; j < d; j++)
            row += (double)metric->m[i * d + j] * ((double)w->y[j] + (double)w->error[j]);
        cross += (double)w->y[i] * row;
        square += ((double)w->y[i] + (double)w->error[i]) * row;
    }
    return square > 0.0 ? cross / square : 0.0;
}

static fq_status encode_one(const fq_codec_metric *metric, workspace *w, uint8_t *code, const float *x) {
    const fq_codec *codec = metric->codec;
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim, k = group->block;
    double square = 0.0;
    for (size_t i = 0; i < d; i++)
        square += (double)x[i] * (double)x[i];
    double norm = sqrt(square);
    if (!isfinite(norm))
        return FQ_FAIL(FQ_ERR_NONFINITE, "x", "finite numbers");
    for (size_t i = 0; i < d; i++)
        w->unit[i] = norm > 0.0 ? (float)((double)x[i] / norm) : 0.0F;
    fq_rotation_apply(group->rotation, w->y, w->unit, 1);
    fq_search_nearest(group->search, w->index, w->y, group->blocks);
    for (size_t i = 0; i < d; i++)
        w->error[i] = group->words[(size_t)w->index[i / k] * k + i % k] - w->y[i];
    descend(metric, w);
    if (codec->spec.norm != FQ_NORM_INPUT)
        norm *= fmax(0.0, gain(metric, w));
    if (norm > fq_norm_most(group->norm))
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "stored norm", norm, "norms that normbits can store");
    memset(code, 0, codec->cost.code_bytes);
    if (fq_norm_store(group->norm, code + group->byte_offset, norm))
        fq_packing_pack(&group->packing, code + group->index_offset, w->index);
    return FQ_OK;
}

fq_status fq_codec_metric_encode(const fq_codec_metric *metric, uint8_t *codes, const float *x, size_t n) {
    const fq_codec_group *group = metric->group;
    const size_t d = group->dim, bytes = metric->codec->cost.code_bytes;
    workspace w = {0};
    float *floats = NULL;
    FQ_TRY(fq_alloc(&floats, 4 * d + group->codewords, sizeof *floats));
    fq_status status = fq_alloc(&w.index, group->blocks, sizeof *w.index);
    w.unit = floats;
    w.y = floats + d;
    w.error = floats + 2 * d;
    w.gradient = floats + 3 * d;
    w.score = floats + 4 * d;
    for (size_t i = 0; status == FQ_OK && i < n; i++)
        status = encode_one(metric, &w, codes + i * bytes, x + i * d);
    fq_free(w.index);
    fq_free(floats);
    return status;
}
