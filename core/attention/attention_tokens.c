#include "attention_tokens.h"

#include <math.h>
#include <string.h>

#include "memory.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, LANES = 8 };
static const double table_range = 32000; /* + half a unit for each of 1024 positions still fits 16 bits */
static const float weight_units = 8191;  /* see attention_kernels.h */
static const float outlier = 64;         /* times the mean weight: these are not rounded to units */

/* <y, words of all positions>: product[positions][choices]. */
static void all_products(float *product, const fq_attention_group *g, const float *y) {
    for (size_t p = 0; p < g->positions; p++)
        for (size_t c = 0; c < g->choices; c++) {
            double sum = 0;
            for (size_t t = 0; t < g->coordinates; t++)
                sum += (double)y[p * g->coordinates + t] * (double)g->words[c * g->coordinates + t];
            product[p * g->choices + c] = (float)sum;
        }
}

static bool all_finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* The products of group i as whole numbers, of which no sum over positions leaves 16 bits. */
static fq_status make_table(fq_attention_query *query, size_t i, const fq_attention_group *g,
                            const float *product) {
    double largest_sum = 0;
    if (!all_finite(product, g->positions * g->choices))
        return FQ_FAIL(FQ_ERR_RANGE, "queries", "queries and scale whose scores float32 can hold");
    for (size_t p = 0; p < g->positions; p++) {
        float most = 0;
        for (size_t c = 0; c < g->choices; c++)
            most = fabsf(product[g->choices * p + c]) > most ? fabsf(product[g->choices * p + c]) : most;
        largest_sum += (double)most;
    }
    const double units = largest_sum > 0 ? table_range / largest_sum : 0;
    query->unit[i] = units > 0 ? (float)(1 / units) : 0;
    if (g->nibbles)
        FQ_TRY(fq_alloc(&query->nibble_table[i], g->positions, 32));
    else
        FQ_TRY(fq_alloc(&query->byte_table[i], g->positions * 256, sizeof *query->byte_table[i]));
    for (size_t p = 0; p < g->positions; p++) {
        int16_t number[256];
        for (size_t c = 0; c < g->choices; c++)
            number[c] = (int16_t)lrint((double)product[g->choices * p + c] * units);
        if (g->nibbles)
            fq_attention_split(query->nibble_table[i] + 32 * p, number);
        else
            memcpy(query->byte_table[i] + 256 * p, number, sizeof number);
    }
    return FQ_OK;
}

/* The part of the row that belongs to group i, a trellis code. */
static fq_status fill_trellis(fq_attention_query *query, size_t i, const fq_attention_group *g) {
    const float *row = query->row + g->group->offset;
    if (!all_finite(row, g->group->dim))
        return FQ_FAIL(FQ_ERR_RANGE, "queries", "queries and scale whose scores float32 can hold");
    query->unit[i] = 0;
    FQ_TRY(fq_attention_trellis_query_init(&query->trellis[i], g->trellis, row));
    query->unit[i] = query->trellis[i].unit * g->trellis->code->unit;
    return FQ_OK;
}

static fq_status query_fill(fq_attention_query *query, const fq_attention_codes *keys, const float *rotated,
                            double scale) {
    FQ_TRY(fq_alloc(&query->row, keys->dim, sizeof *query->row));
    for (size_t j = 0; j < keys->dim; j++)
        query->row[j] = (float)((double)rotated[j] * scale);
    for (size_t i = 0; i < keys->groups; i++) {
        const fq_attention_group *g = &keys->group[i];
        float *product = NULL;
        if (g->trellis) {
            FQ_TRY(fill_trellis(query, i, g));
            continue;
        }
        FQ_TRY(fq_alloc(&product, g->positions * g->choices, sizeof *product));
        all_products(product, g, query->row + g->group->offset);
        const fq_status status = make_table(query, i, g, product);
        fq_free(product);
        if (status != FQ_OK)
            return status;
    }
    return FQ_OK;
}

fq_status fq_attention_query_init(fq_attention_query *query, const fq_attention_codes *keys,
                                  const float *rotated, double scale) {
    *query = (fq_attention_query){0};
    const fq_status status = query_fill(query, keys, rotated, scale);
    if (status != FQ_OK)
        fq_attention_query_clear(query);
    return status;
}

void fq_attention_query_clear(fq_attention_query *query) {
    fq_free(query->row);
    for (size_t i = 0; i < FQ_CODEC_GROUPS_MAX; i++) {
        fq_free(query->nibble_table[i]);
        fq_free(query->byte_table[i]);
        fq_attention_trellis_query_clear(&query->trellis[i]);
    }
    *query = (fq_attention_query){0};
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static fq_status workspace_fill(fq_attention_workspace *work, const fq_attention_codes *keys,
                                const fq_attention_codes *values) {
    size_t bytes = 1;
    for (size_t i = 0; i < keys->groups; i++)
        bytes = larger(bytes, keys->group[i].index_bytes);
    for (size_t i = 0; i < values->groups; i++)
        bytes = larger(bytes, values->group[i].index_bytes);
    FQ_TRY(fq_alloc(&work->columns, bytes + bytes % 2, CHUNK));
    FQ_TRY(fq_alloc_zero(&work->norm, CHUNK, sizeof *work->norm));
    FQ_TRY(fq_alloc_zero(&work->score, work->m * CHUNK, sizeof *work->score));
    FQ_TRY(fq_alloc_zero(&work->weight, CHUNK, sizeof *work->weight));
    FQ_TRY(fq_alloc_zero(&work->sum, work->m * CHUNK, sizeof *work->sum));
    FQ_TRY(fq_alloc_zero(&work->sums, work->m * CHUNK, sizeof *work->sums));
    FQ_TRY(fq_alloc_zero(&work->total, work->m * values->dim, sizeof *work->total));
    if (keys->rows || values->rows)
        FQ_TRY(fq_alloc(&work->rows, CHUNK * values->dim, sizeof *work->rows));
    return FQ_OK;
}

fq_status fq_attention_workspace_init(fq_attention_workspace *work, const fq_attention_codes *keys,
                                      const fq_attention_codes *values, size_t m) {
    *work = (fq_attention_workspace){.m = m};
    const fq_status status = workspace_fill(work, keys, values);
    if (status != FQ_OK)
        fq_attention_workspace_clear(work);
    return status;
}

void fq_attention_workspace_clear(fq_attention_workspace *work) {
    fq_free(work->columns);
    fq_free(work->norm);
    fq_free(work->score);
    fq_free(work->weight);
    fq_free(work->sum);
    fq_free(work->sums);
    fq_free(work->total);
    fq_free(work->rows);
    *work = (fq_attention_workspace){0};
}

static fq_status corrupt(const char *which, size_t token) {
    return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, which, token,
                         "codes that this codec writes; the value is the token's number");
}

/* Decodes n codes, rotated, into work->rows; the number in a failure's record counts all tokens. */
static fq_status decode_rows(const fq_attention_codes *codes, fq_attention_workspace *work,
                             const uint8_t *code, const char *which, size_t token, size_t n) {
    const fq_status status = fq_codec_decode_rotated(codes->codec, work->rows, code, n);
    return status == FQ_ERR_CORRUPT ? corrupt(which, token + (size_t)fq_error_last()->value) : status;
}

/* Sums by lanes of eight, then the lanes in order: what the compiler may do with vectors. */
static float dot(const float *a, const float *b, size_t n) {
    float lane[LANES] = {0}, sum = 0;
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += a[j + l] * b[j + l];
    for (; j < n; j++)
        sum += a[j] * b[j];
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

static void transpose(const fq_attention_group *g, const fq_attention_kernels *kernels,
                      fq_attention_workspace *work, const uint8_t *index, size_t stride, size_t n) {
    if (g->trellis)
        work->tokens = fq_attention_trellis_kernels_for(kernels->kernel)
                           ->arrange(g->trellis, work->columns, index, stride, n);
    else
        (g->nibbles ? kernels->columns : kernels->byte_columns)(work->columns, index, stride, g->index_bytes,
                                                                n);
}

/* Adds all queries' scores with group i, a trellis code. */
static void score_trellis(const fq_attention_group *g, const fq_attention_kernels *kernels,
                          fq_attention_workspace *work, const fq_attention_query *query, size_t i, size_t m,
                          fq_attention_prefetch next) {
    const fq_attention_trellis_query *parts[FQ_ATTENTION_QUERIES];
    for (size_t q = 0; q < m; q++)
        parts[q] = &query[q].trellis[i];
    fq_attention_trellis_kernels_for(kernels->kernel)
        ->scores(work->sums, g->trellis, &work->tokens, parts, m, next);
    for (size_t q = 0; q < m; q++)
        kernels->add_long_scores(work->score + q * CHUNK, work->sums + q * CHUNK, work->norm,
                                 query[q].unit[i]);
}

fq_status fq_attention_score(const fq_attention_codes *keys, const fq_attention_kernels *kernels,
                             fq_attention_workspace *work, const fq_attention_query *query, size_t m,
                             const uint8_t *codes, size_t token, size_t n, fq_attention_prefetch next) {
    memset(work->score, 0, m * CHUNK * sizeof *work->score);
    if (keys->rows) {
        FQ_TRY(decode_rows(keys, work, codes, "key_codes", token, n));
        for (size_t q = 0; q < m; q++)
            for (size_t i = 0; i < n; i++)
                work->score[q * CHUNK + i] = dot(query[q].row, work->rows + i * keys->dim, keys->dim);
    }
    for (size_t i = 0; i < keys->groups; i++) {
        const fq_attention_group *g = &keys->group[i];
        const uint8_t *index = codes + g->group->index_offset;
        size_t bad = 0;
        if (!fq_attention_read_norms(keys, g, kernels, work->norm, codes, n, &bad))
            return corrupt("key_codes", token + bad);
        transpose(g, kernels, work, index, keys->stride, n);
        if (g->trellis) {
            score_trellis(g, kernels, work, query, i, m, next);
            next.bytes = 0;
            continue;
        }
        for (size_t q = 0; q < m; q++) {
            if (g->nibbles)
                kernels->nibble_scores(work->sum, work->columns, g->index_bytes, query[q].nibble_table[i],
                                       next);
            else
                kernels->byte_scores(work->sum, work->columns, g->index_bytes, query[q].byte_table[i], next);
            next.bytes = 0; /* once is enough */
            kernels->add_scores(work->score + q * CHUNK, work->sum, work->norm, query[q].unit[i]);
        }
    }
    return FQ_OK;
}

bool fq_attention_largest(const fq_attention_kernels *kernels, float *most, float *score, size_t n) {
    for (size_t i = n; i < CHUNK; i++)
        score[i] = score[0];
    return kernels->largest(most, score);
}

double fq_attention_softmax(const fq_attention_kernels *kernels, fq_attention_workspace *work, size_t q,
                            float most, size_t n) {
    float *p = work->score + q * CHUNK;
    kernels->exponentials(p, p, most);
    memset(p + n, 0, (CHUNK - n) * sizeof *p);
    return kernels->total(p);
}

/* A value too heavy to be rounded to units, by its words or levels as they are. */
static void add_exactly(double *value, const fq_attention_group *g, const uint8_t *index, double weight) {
    if (g->trellis) {
        int8_t level[FQ_ATTENTION_TRELLIS_DIM_MAX];
        fq_trellis_levels(g->trellis->code, level, index);
        for (size_t j = 0; j < g->group->dim; j++)
            value[j] += weight * (double)g->trellis->code->unit * (double)level[j];
        return;
    }
    for (size_t p = 0; p < g->positions; p++) {
        const unsigned nibble = p % 2 ? index[p / 2] >> 4 : index[p / 2] & 15;
        const float *word = g->words + (g->nibbles ? nibble : index[p]) * g->coordinates;
        for (size_t t = 0; t < g->coordinates; t++)
            value[p * g->coordinates + t] += weight * (double)word[t];
    }
}

/* Query q's weights in units, into work->sum + q CHUNK, where q is how many are there already; those too
 * heavy for that are added to value at once. Returns the unit; 0 where there is nothing else, or next to
 * nothing. */
static double weigh(const fq_attention_group *g, const fq_attention_kernels *kernels,
                    fq_attention_workspace *work, size_t q, double *value, const float *p,
                    const uint8_t *index, size_t stride, size_t n) {
    float *weight = work->weight, mean, most;
    kernels->weights(weight, &mean, &most, p, work->norm);
    const float heavy = (float)((double)outlier * (double)mean * CHUNK / (double)n);
    for (size_t first = 0; most > heavy && first < CHUNK; first += FQ_ATTENTION_GROUP) {
        int any = 0;
        for (size_t i = first; i < first + FQ_ATTENTION_GROUP; i++)
            any |= weight[i] > heavy;
        for (size_t i = first; any && i < first + FQ_ATTENTION_GROUP; i++)
            if (weight[i] > heavy) { /* of the first n: the others' are zero */
                add_exactly(value, g, index + i * stride, (double)weight[i]);
                weight[i] = 0;
            }
    }
    const float all_units = g->trellis ? (float)FQ_ATTENTION_TRELLIS_MOST : weight_units;
    const float top = most > heavy ? heavy : most, units = all_units / top;
    if (!(top > 0) || !isfinite(units))
        return 0;
    kernels->units(work->sum + q * CHUNK, weight, units);
    return (double)top / (double)all_units * (double)(g->trellis ? g->trellis->code->unit : g->word_unit);
}

static void add_totals(double *value, const int64_t *total, double unit, size_t n) {
    for (size_t j = 0; j < n; j++)
        value[j] += unit * (double)total[j];
}

/* Adds a group's words, times the weights of their tokens, to the sum of one query. */
static void accumulate_group(const fq_attention_group *g, const fq_attention_kernels *kernels,
                             fq_attention_workspace *work, double *value, const float *p,
                             const uint8_t *index, size_t stride, size_t n, fq_attention_prefetch next) {
    const double unit = weigh(g, kernels, work, 0, value, p, index, stride, n);
    if (!(unit > 0))
        return;
    if (g->nibbles)
        kernels->nibble_values(work->total, work->columns, g->index_bytes, g->word_table, g->coordinates,
                               work->sum, next);
    else
        kernels->byte_values(work->total, work->columns, g->index_bytes, &g->bytes, work->sum, next);
    add_totals(value, work->total, unit, g->group->dim);
}

/* The same of a trellis code's levels, to the sums of all queries, which share the reading of labels. */
static void accumulate_trellis(const fq_attention_group *g, const fq_attention_kernels *kernels,
                               fq_attention_workspace *work, double *const *value, size_t m,
                               const uint8_t *index, size_t stride, size_t n, fq_attention_prefetch next) {
    double unit[FQ_ATTENTION_QUERIES], *to[FQ_ATTENTION_QUERIES];
    size_t count = 0;
    for (size_t q = 0; q < m; q++) {
        to[count] = value[q] + g->group->offset;
        unit[count] = weigh(g, kernels, work, count, to[count], work->score + q * CHUNK, index, stride, n);
        count += unit[count] > 0;
    }
    fq_attention_trellis_kernels_for(kernels->kernel)
        ->values(work->total, g->trellis, &work->tokens, work->sum, count, next);
    for (size_t q = 0; q < count; q++)
        add_totals(to[q], work->total + q * g->group->dim, unit[q], g->group->dim);
}

static void accumulate_rows(double *value, const float *weight, const float *rows, size_t d, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            value[j] += (double)weight[i] * (double)rows[i * d + j];
}

fq_status fq_attention_accumulate(const fq_attention_codes *values, const fq_attention_kernels *kernels,
                                  fq_attention_workspace *work, double *const *value, size_t m,
                                  const uint8_t *codes, size_t token, size_t n, fq_attention_prefetch next) {
    if (values->rows) {
        FQ_TRY(decode_rows(values, work, codes, "value_codes", token, n));
        for (size_t q = 0; q < m; q++)
            accumulate_rows(value[q], work->score + q * CHUNK, work->rows, values->dim, n);
    }
    for (size_t i = 0; i < values->groups; i++) {
        const fq_attention_group *g = &values->group[i];
        const uint8_t *index = codes + g->group->index_offset;
        size_t bad = 0;
        if (!fq_attention_read_norms(values, g, kernels, work->norm, codes, n, &bad))
            return corrupt("value_codes", token + bad);
        transpose(g, kernels, work, index, values->stride, n);
        if (g->trellis) {
            accumulate_trellis(g, kernels, work, value, m, index, values->stride, n, next);
            next.bytes = 0;
            continue;
        }
        for (size_t q = 0; q < m; q++) {
            accumulate_group(g, kernels, work, value[q] + g->group->offset, work->score + q * CHUNK, index,
                             values->stride, n, next);
            next.bytes = 0;
        }
    }
    return FQ_OK;
}
