/* Keys are encoded in the metric of the head's queries: see codec_metric.h. The decoder does not know of it.
 *
 * M is the second moment of the first tokens' queries before their position encoding, averaged over the
 * rotations of the positions 0..horizon-1 that queries will have, scaled to a trace of d, plus lambda I.
 */
#include <string.h>

#include "memory.h"
#include "treatment_family.h"

enum { TOKENS, HORIZON, LAMBDA };
static const fq_codec_key keys[] = {{.name = "tokens",
                                     .help = "first tokens whose queries are the metric",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 64,
                                     .least = 1,
                                     .most = 1048576},
                                    {.name = "horizon",
                                     .help = "positions over which it is averaged",
                                     .type = FQ_TYPE_INTEGER,
                                     .fallback = 1024,
                                     .least = 1,
                                     .most = 1048576},
                                    {.name = "lambda",
                                     .help = "weight of the plain squared error beside it",
                                     .type = FQ_TYPE_REAL,
                                     .fallback = 1,
                                     .least = 0.01,
                                     .most = 1000},
                                    {0}};

static size_t prefix_tokens(const fq_treatment_step *step) {
    return (size_t)step->value[TOKENS];
}

static size_t floats(const fq_treatment_step *step, size_t dim, size_t capacity) {
    (void)step;
    (void)capacity;
    return dim * dim;
}

/* The second moment of q[n][dim], in double. */
static void moment(double *m, const float *q, size_t n, size_t dim) {
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j <= i; j++)
                m[i * dim + j] += (double)q[v * dim + i] * (double)q[v * dim + j];
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < i; j++)
            m[j * dim + i] = m[i * dim + j];
}

/* average = mean over p < horizon of R_p m R_p^T, two coordinates by two. */
static void average_rotations(double *average, const double *m, const float *table, size_t horizon,
                              size_t dim, bool interleaved) {
    const size_t half = dim / 2;
    for (size_t i = 0; i < half; i++)
        for (size_t j = 0; j < half; j++) {
            double cc = 0.0, cs = 0.0, sc = 0.0, ss = 0.0;
            for (size_t p = 0; p < horizon; p++) {
                const double ci = (double)table[(p * half + i) * 2],
                             si = (double)table[(p * half + i) * 2 + 1];
                const double cj = (double)table[(p * half + j) * 2],
                             sj = (double)table[(p * half + j) * 2 + 1];
                cc += ci * cj;
                cs += ci * sj;
                sc += si * cj;
                ss += si * sj;
            }
            const size_t a = interleaved ? 2 * i : i, b = interleaved ? 2 * i + 1 : half + i;
            const size_t c = interleaved ? 2 * j : j, e = interleaved ? 2 * j + 1 : half + j;
            const double ac = m[a * dim + c], ae = m[a * dim + e], bc = m[b * dim + c], be = m[b * dim + e];
            const double n = (double)horizon;
            /* [ci -si; si ci] [ac ae; bc be] [cj sj; -sj cj] */
            average[a * dim + c] = (cc * ac - cs * ae - sc * bc + ss * be) / n;
            average[a * dim + e] = (cs * ac + cc * ae - ss * bc - sc * be) / n;
            average[b * dim + c] = (sc * ac - ss * ae + cc * bc - cs * be) / n;
            average[b * dim + e] = (ss * ac + sc * ae + cs * bc + cc * be) / n;
        }
}

static fq_status fill(const fq_treatment_step *step, float *state, const fq_head_prefix *p, float *query,
                      double *m, double *average) {
    const size_t d = p->dim, n = prefix_tokens(step), horizon = (size_t)step->value[HORIZON];
    const double *used = m;
    memcpy(query, p->query, n * p->group * d * sizeof *query);
    FQ_TRY(fq_treatment_turn("metric", p->rope, query, 0, n, p->group, d, true));
    moment(m, query, n * p->group, d);
    if (p->rope->base > 0.0) {
        float *table = NULL;
        FQ_TRY(fq_alloc(&table, horizon, d * sizeof *table));
        fq_rope_table(table, p->rope, d, 0, horizon);
        average_rotations(average, m, table, horizon, d, p->rope->interleaved != 0);
        fq_free(table);
        used = average;
    }
    double trace = 0.0;
    for (size_t i = 0; i < d; i++)
        trace += used[i * d + i];
    const double scale = trace > 0.0 ? (double)d / trace : 0.0;
    for (size_t i = 0; i < d * d; i++)
        state[i] = (float)(scale * used[i] + (i % (d + 1) == 0 ? step->value[LAMBDA] : 0.0));
    return FQ_OK;
}

static fq_status prepare(const fq_treatment_step *step, float *state, const fq_head_prefix *p) {
    const size_t d = p->dim, n = prefix_tokens(step);
    float *query = NULL;
    double *m = NULL, *average = NULL;
    fq_status status;
    if (!p->query || d % 2 != 0)
        return FQ_FAIL(FQ_ERR_SPEC, "metric", "keys of an even dimension, with their queries");
    FQ_TRY_GOTO(status, fq_alloc(&query, n * p->group, d * sizeof *query), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&m, d * d, sizeof *m), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&average, d * d, sizeof *average), done);
    status = fill(step, state, p, query, m, average);
done:
    fq_free(average);
    fq_free(m);
    fq_free(query);
    return status;
}

const fq_treatment_family fq_treatment_family_metric = {
    .name = "metric",
    .summary = "the encoder alone picks key words in the metric of the first tokens' queries",
    .keys = keys,
    .sides = fq_treatment_sides_keys,
    .prefix = prefix_tokens,
    .state_floats = floats,
    .prepare = prepare,
    .metric = true,
};
