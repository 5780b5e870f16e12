#include "attention_turned.h"

#include <math.h>
#include <string.h>

#include "memory.h"

enum { TURN = FQ_ATTENTION_TURN };

fq_status fq_attention_turned_init(fq_attention_turned *turned, size_t dim) {
    const size_t half = dim / 2 + 1;
    *turned = (fq_attention_turned){.dim = dim};
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&turned->first, half, sizeof *turned->first), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->second, half, sizeof *turned->second), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->angle, half, sizeof *turned->angle), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->base, half, 2 * sizeof *turned->base), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->far, half, 2 * sizeof *turned->far), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->part, half, 2 * sizeof *turned->part), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->table, half, 2 * TURN * sizeof *turned->table), done);
    FQ_TRY_GOTO(status, fq_alloc(&turned->factor, half, 2 * sizeof *turned->factor), done);
done:
    if (status != FQ_OK)
        fq_attention_turned_clear(turned);
    return status;
}

void fq_attention_turned_clear(fq_attention_turned *turned) {
    void *const owned[] = {turned->first, turned->second, turned->angle, turned->base,
                           turned->far,   turned->part,   turned->table, turned->factor};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        fq_free(owned[i]);
    *turned = (fq_attention_turned){0};
}

/* Cosines and sines of multiples of the angle, each from the one before, in double. */
static void fill_table(float table[2 * TURN], double far[2], double angle) {
    const double c = cos(angle), s = sin(angle);
    double x = 1, y = 0;
    for (size_t i = 0; i < TURN; i++) {
        table[i] = (float)x;
        table[TURN + i] = (float)y;
        const double next = x * c - y * s;
        y = y * c + x * s;
        x = next;
    }
    far[0] = x;
    far[1] = y;
}

static void prepare(fq_attention_turned *turned, const float *mean, const fq_rope *rope) {
    const size_t half = turned->dim / 2;
    turned->mean = mean;
    turned->pairs = 0;
    for (size_t i = 0; i < half; i++) {
        const size_t a = rope->interleaved ? 2 * i : i, b = rope->interleaved ? 2 * i + 1 : half + i;
        if (mean[a] == 0 && mean[b] == 0)
            continue;
        const size_t j = turned->pairs++;
        turned->first[j] = a;
        turned->second[j] = b;
        turned->angle[j] = pow(rope->base, -2 * (double)i / (double)turned->dim);
        fill_table(turned->table + 2 * TURN * j, turned->far + 2 * j, turned->angle[j]);
    }
}

/* What one query's score is at the first position, a, and a quarter of a turn before, b: the score i
 * positions on is the sum over pairs of a cos(i angle) + b sin(i angle). */
static void set_parts(fq_attention_turned *t, const float *query, double scale) {
    for (size_t j = 0; j < t->pairs; j++) {
        const double qa = (double)query[t->first[j]], qb = (double)query[t->second[j]];
        const double ma = (double)t->mean[t->first[j]], mb = (double)t->mean[t->second[j]];
        const double along = scale * (qa * ma + qb * mb), across = scale * (qb * ma - qa * mb);
        const double c = t->base[2 * j], s = t->base[2 * j + 1];
        t->part[2 * j] = along * c + across * s;
        t->part[2 * j + 1] = across * c - along * s;
    }
}

/* On by TURN positions. */
static void advance(fq_attention_turned *t) {
    for (size_t j = 0; j < t->pairs; j++) {
        const double a = t->part[2 * j], b = t->part[2 * j + 1], c = t->far[2 * j], s = t->far[2 * j + 1];
        t->part[2 * j] = a * c + b * s;
        t->part[2 * j + 1] = b * c - a * s;
    }
}

static void add_row(fq_attention_turned *t, const fq_attention_kernels *kernels, float *score, size_t n) {
    for (size_t i = 0; i < n; i += TURN) {
        float last[TURN];
        const size_t left = n - i < TURN ? n - i : TURN;
        float *const to = left < TURN ? memset(last, 0, sizeof last) : score + i;
        if (left < TURN)
            memcpy(last, score + i, left * sizeof *score);
        for (size_t j = 0; j < 2 * t->pairs; j++)
            t->factor[j] = (float)t->part[j];
        kernels->add_turned(to, t->table, t->factor, t->pairs);
        if (left < TURN)
            memcpy(score + i, last, left * sizeof *score);
        advance(t);
    }
}

void fq_attention_add_turned(fq_attention_turned *turned, const fq_attention_kernels *kernels, float *score,
                             size_t stride, const float *query, size_t m, const float *mean,
                             const fq_rope *rope, size_t position, size_t n, double scale) {
    if (turned->mean != mean)
        prepare(turned, mean, rope);
    for (size_t j = 0; j < turned->pairs; j++) {
        turned->base[2 * j] = cos((double)position * turned->angle[j]);
        turned->base[2 * j + 1] = sin((double)position * turned->angle[j]);
    }
    for (size_t q = 0; q < m; q++) {
        set_parts(turned, query + q * turned->dim, scale);
        add_row(turned, kernels, score + q * stride, n);
    }
}
