#include "two_way_error.h"

#include <math.h>
#include <string.h>

#include "memory.h"

fq_status fq_two_way_init(fq_two_way *t, size_t heads, size_t blocks) {
    size_t cells = 0;
    memset(t, 0, sizeof *t);
    FQ_TRY(fq_size_multiply(&cells, heads, blocks, "cells"));
    FQ_TRY(fq_alloc_zero(&t->sum, cells, sizeof *t->sum));
    const fq_status status = fq_alloc_zero(&t->count, cells, sizeof *t->count);
    if (status != FQ_OK) {
        fq_two_way_clear(t);
        return status;
    }
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

/* Mean over cells first, first + step, ...: a head's (step 1) or a block's (step blocks). */
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

/* Standard error over one way of clustering of mean(a) / mean(b); b NULL stands for all ones. */
static double standard_error(const fq_two_way *a, const fq_two_way *b, bool by_head, double ratio,
                             double base) {
    const size_t clusters = by_head ? a->heads : a->blocks, cells = by_head ? a->blocks : a->heads;
    const size_t next = by_head ? a->blocks : 1, step = by_head ? 1 : a->blocks;
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
    return n < 2.0 ? (double)NAN : sqrt(squares / (n - 1.0) / n);
}

static fq_two_way_estimate estimate(const fq_two_way *a, const fq_two_way *b) {
    const double top = cluster_mean(a, 0, 1, a->heads * a->blocks);
    const double base = b ? cluster_mean(b, 0, 1, b->heads * b->blocks) : 1.0;
    fq_two_way_estimate e = {.mean = top / base};
    e.se_heads = standard_error(a, b, true, e.mean, base);
    e.se_positions = standard_error(a, b, false, e.mean, base);
    e.se = hypot(e.se_heads, e.se_positions);
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
    return (fq_two_way_estimate){root, slope * e.se, slope * e.se_heads, slope * e.se_positions};
}
