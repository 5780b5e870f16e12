#include "attention_bound.h"

#include <math.h>

static double distance(const float *a, const float *b, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        const double off = (double)a[i] - (double)b[i];
        sum += off * off;
    }
    return sqrt(sum);
}

static double product(const float *a, const float *b, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void softmax(double *p, const double *score, size_t n) {
    double most = -HUGE_VAL, sum = 0;
    for (size_t j = 0; j < n; j++)
        most = fmax(most, score[j]);
    for (size_t j = 0; j < n; j++)
        sum += p[j] = exp(score[j] - most);
    for (size_t j = 0; j < n; j++)
        p[j] /= sum;
}

static void output(double *o, const double *p, const float *value, size_t n, size_t d) {
    for (size_t i = 0; i < d; i++)
        o[i] = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < d; i++)
            o[i] += p[j] * (double)value[j * d + i];
}

void fq_attention_bound(fq_attention_error *result, const fq_attention_case *attention, double *workspace) {
    const size_t n = attention->tokens, d = attention->dim;
    double *const score = workspace, *const decoded = workspace + n, *const p = workspace + 2 * n,
                  *const p_decoded = workspace + 3 * n, *const eps = workspace + 4 * n,
                  *const f = workspace + 5 * n, *const o = workspace + 6 * n, *const o_decoded = o + d;
    const double root = sqrt((double)d);
    const double length = sqrt(product(attention->query, attention->query, d));
    double most_eps = 0, most_f = 0, squared_change = 0, squared_eps = 0;
    for (size_t j = 0; j < n; j++) {
        score[j] = product(attention->query, attention->key + j * d, d) / root;
        decoded[j] = product(attention->query, attention->key_decoded + j * d, d) / root;
        eps[j] = length * distance(attention->key + j * d, attention->key_decoded + j * d, d) / root;
        f[j] = distance(attention->value + j * d, attention->value_decoded + j * d, d);
        most_eps = fmax(most_eps, eps[j]);
        most_f = fmax(most_f, f[j]);
        squared_change += (decoded[j] - score[j]) * (decoded[j] - score[j]);
        squared_eps += eps[j] * eps[j];
    }
    softmax(p, score, n);
    softmax(p_decoded, decoded, n);
    output(o, p, attention->value, n, d);
    output(o_decoded, p_decoded, attention->value_decoded, n, d);
    double low = 0, high = 0; /* A and B */
    for (size_t j = 0; j < n; j++) {
        low += p[j] * exp(-eps[j]);
        high += p[j] * exp(eps[j]);
    }
    double values = 0, weights = 0, farthest = 0, known = 0;
    for (size_t j = 0; j < n; j++) {
        double squared = 0;
        for (size_t i = 0; i < d; i++) {
            const double off = (double)attention->value[j * d + i] - o[i];
            squared += off * off;
        }
        const double from_output = sqrt(squared);
        values += p[j] * exp(eps[j]) / low * f[j];
        weights += p[j] * fmax(exp(eps[j]) / low - 1, 1 - exp(-eps[j]) / high) * from_output;
        farthest = fmax(farthest, from_output);
        known += p_decoded[j] * f[j] + fabs(p_decoded[j] - p[j]) * from_output;
    }
    double error = 0, size = 0;
    for (size_t i = 0; i < d; i++) {
        error += (o_decoded[i] - o[i]) * (o_decoded[i] - o[i]);
        size += o[i] * o[i];
    }
    /* A value of exp beyond doubles makes a sum infinite or NaN: fmin then keeps the other bound. */
    *result =
        (fq_attention_error){.error = sqrt(error),
                             .bound = fmin(values, most_f) +
                                      fmin(weights, 2 * fq_softmax_variation_bound(2 * most_eps) * farthest),
                             .known_scores = known,
                             .output = sqrt(size),
                             .score_ratio = squared_change * (double)d / squared_eps};
}

double fq_reconstruction_bound(double norm, double direction_error, double direction_length) {
    return norm * (direction_error + direction_length / 2049);
}

double fq_softmax_variation_bound(double window) {
    return tanh(window / 4);
}

void fq_softmax_variation(double *variation, double *window, const double *score, const double *delta,
                          size_t n) {
    double most[2] = {-HUGE_VAL, -HUGE_VAL}, sum[2] = {0, 0}, low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t j = 0; j < n; j++) {
        most[0] = fmax(most[0], score[j]);
        most[1] = fmax(most[1], score[j] + delta[j]);
        low = fmin(low, delta[j]);
        high = fmax(high, delta[j]);
    }
    for (size_t j = 0; j < n; j++) {
        sum[0] += exp(score[j] - most[0]);
        sum[1] += exp(score[j] + delta[j] - most[1]);
    }
    *variation = 0;
    for (size_t j = 0; j < n; j++)
        *variation +=
            0.5 * fabs(exp(score[j] - most[0]) / sum[0] - exp(score[j] + delta[j] - most[1]) / sum[1]);
    *window = high - low;
}
