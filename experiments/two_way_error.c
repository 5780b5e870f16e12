#include "two_way_error.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "memory.h"

fq_status fq_two_way_init(fq_two_way *t, size_t layers, size_t heads_per_layer, size_t blocks) {
    size_t heads = 0, cells = 0;
    memset(t, 0, sizeof *t);
    FQ_TRY(fq_size_multiply(&heads, layers, heads_per_layer, "heads"));
    FQ_TRY(fq_size_multiply(&cells, heads, blocks, "cells"));
    FQ_TRY(fq_alloc_zero(&t->sum, cells, sizeof *t->sum));
    const fq_status status = fq_alloc_zero(&t->count, cells, sizeof *t->count);
    if (status != FQ_OK) {
        fq_two_way_clear(t);
        return status;
    }
    t->layers = layers;
    t->heads = heads;
    t->blocks = blocks;
    return FQ_OK;
}

void fq_two_way_clear(fq_two_way *t) {
    fq_free(t->sum);
    fq_free(t->count);
    memset(t, 0, sizeof *t);
}

void fq_two_way_add(fq_two_way *t, size_t head, size_t block, double sum, double count) {
    t->sum[head * t->blocks + block] += sum;
    t->count[head * t->blocks + block] += count;
}

size_t fq_two_way_block(size_t i, size_t n, size_t blocks) {
    const size_t length = (n + blocks - 1) / blocks;
    return i / length;
}

/* Mean over cells first, first + step, ...: of a head or a layer (step 1) or a block (step blocks). */
static double cluster_mean(const fq_two_way *t, size_t first, size_t step, size_t cells) {
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < cells; i++) {
        sum += t->sum[first + i * step];
        count += t->count[first + i * step];
    }
    return count > 0.0 ? sum / count : (double)NAN;
}

double fq_two_way_head_mean(const fq_two_way *t, size_t head) {
    return cluster_mean(t, head * t->blocks, 1, t->blocks);
}

/* Scatter over one way of clustering of mean(a) / mean(b), b NULL standing for all ones. */
typedef struct scatter {
    double se, freedom; /* clusters with values, less one */
} scatter;

static scatter scatter_of(const fq_two_way *a, const fq_two_way *b, size_t clusters, size_t next, size_t step,
                          size_t cells, double ratio, double base) {
    double n = 0.0, mean = 0.0, squares = 0.0;
    for (size_t c = 0; c < clusters; c++) {
        const double value = cluster_mean(a, c * next, step, cells);
        const double part = b ? (value - ratio * cluster_mean(b, c * next, step, cells)) / base : value;
        if (isnan(part))
            continue;
        const double before = part - mean;
        n += 1.0;
        mean += before / n;
        squares += before * (part - mean);
    }
    return (scatter){n < 2.0 ? (double)NAN : sqrt(squares / (n - 1.0) / n), n - 1.0};
}

static scatter over_layers(const fq_two_way *a, const fq_two_way *b, double ratio, double base) {
    const size_t clusters = a->layers > 1 ? a->layers : a->heads, cells = a->heads * a->blocks / clusters;
    return scatter_of(a, b, clusters, cells, 1, cells, ratio, base);
}

static double half_width(scatter a, scatter b) {
    const double va = a.se * a.se, vb = b.se * b.se;
    if (!(va + vb > 0.0))
        return va + vb; /* no scatter, or none known */
    const double freedom = (va + vb) * (va + vb) / (va * va / a.freedom + vb * vb / b.freedom);
    return gsl_cdf_tdist_Qinv(0.025, freedom) * sqrt(va + vb);
}

static fq_two_way_estimate estimate(const fq_two_way *a, const fq_two_way *b) {
    const double top = cluster_mean(a, 0, 1, a->heads * a->blocks);
    const double base = b ? cluster_mean(b, 0, 1, b->heads * b->blocks) : 1.0;
    fq_two_way_estimate e = {.mean = top / base};
    const scatter layers = over_layers(a, b, e.mean, base);
    const scatter blocks = scatter_of(a, b, a->blocks, 1, a->blocks, a->heads, e.mean, base);
    e.se_layers = layers.se;
    e.se_positions = blocks.se;
    e.se = hypot(e.se_layers, e.se_positions);
    e.half95 = half_width(layers, blocks);
    return e;
}

fq_two_way_estimate fq_two_way_mean(const fq_two_way *t) {
    return estimate(t, NULL);
}

fq_two_way_estimate fq_two_way_ratio(const fq_two_way *a, const fq_two_way *b) {
    return estimate(a, b);
}

fq_two_way_estimate fq_two_way_sqrt(fq_two_way_estimate e) {
    const double root = sqrt(e.mean), slope = root > 0.0 ? 0.5 / root : 0.0;
    return (fq_two_way_estimate){root, slope * e.se, slope * e.se_layers, slope * e.se_positions,
                                 slope * e.half95};
}
