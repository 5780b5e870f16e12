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

static fq_status make_table(fq_attention_query *query, size_t i, const fq_attention_group *g, const float *product) {
    double largest_sum = 0;
    for (size_t p = 0; p < g->positions; p++) {
        float most = 0;
        for (size_t c = 0; c < 16; c++)
            most = fabsf(product[16 * p + c]) > most ? fabsf(product[16 * p + c]) : most;
        largest_sum += (double)most;
    }
    const double units = largest_sum > 0 ? table_range / largest_sum : 0;
    query->unit[i] = units > 0 ? (float)(1 / units) : 0;
    FQ_TRY(fq_alloc(&query->table[i], g->positions, 32));
    for (size_t p = 0; p < g->positions; p++) {
        int16_t number[16];
        for (size_t c = 0; c < 16; c++)
            number[c] = (int16_t)lrint((double)product[16 * p + c] * units);
        fq_attention_split(query->table[i] + 32 * p, number);
    }
    return FQ_OK;
}

static fq_status query_fill(fq_attention_query *query, const fq_attention_codes *keys, const float *rotated, double scale) {
    FQ_TRY(fq_alloc(&query->row, keys->dim, sizeof *query->row));
    for (size_t j = 0; j < keys->dim; j++)
        query->row[j] = (float)((double)rotated[j] * scale);
    for (size_t i = 0; i < keys->groups; i++) {
        const fq_attention_group *g = &keys->group[i];
        FQ_TRY(fq_alloc(&query->product[i], g->positions * g->choices, sizeof *query->product[i]));
        all_products(query->product[i], g, query->row + g->group->offset);
        for (size_t j = 0; j < g->positions * g->choices; j++)
            if (!isfinite(query->product[i][j]))
                return FQ_FAIL(FQ_ERR_RANGE, "queries", "queries and scale whose scores float32 can hold");
        if (g->nibbles)
            FQ_TRY(make_table(query, i, g, query->product[i]));
    }
    return FQ_OK;
}

fq_status fq_attention_query_init(fq_attention_query *query, const fq_attention_codes *keys, const float *rotated,
                                  double scale) {
    *query = (fq_attention_query){0};
    const fq_status status = query_fill(query, keys, rotated, scale);
    if (status != FQ_OK)
        fq_attention_query_clear(query);
    return status;
}

void fq_attention_query_clear(fq_attention_query *query) {
    fq_free(query->row);
    for (size_t i = 0; i < FQ_CODEC_GROUPS_MAX; i++) {
        fq_free(query->table[i]);
        fq_free(query->product[i]);
    }
    *query = (fq_attention_query){0};
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static fq_status room_fill(fq_attention_room *room, const fq_attention_codes *keys, const fq_attention_codes *values) {
    size_t bytes = 1;
    for (size_t i = 0; i < keys->groups; i++)
        bytes = larger(bytes, keys->group[i].index_bytes);
    for (size_t i = 0; i < values->groups; i++)
        bytes = larger(bytes, values->group[i].index_bytes);
    FQ_TRY(fq_alloc(&room->columns, bytes + bytes % 2, CHUNK));
    FQ_TRY(fq_alloc_zero(&room->norm, CHUNK, sizeof *room->norm));
    FQ_TRY(fq_alloc_zero(&room->score, room->m * CHUNK, sizeof *room->score));
    FQ_TRY(fq_alloc_zero(&room->weight, CHUNK, sizeof *room->weight));
    FQ_TRY(fq_alloc_zero(&room->sum, CHUNK, sizeof *room->sum));
    FQ_TRY(fq_alloc_zero(&room->total, values->dim, sizeof *room->total));
    if (keys->rows || values->rows)
        FQ_TRY(fq_alloc(&room->rows, CHUNK * values->dim, sizeof *room->rows));
    for (size_t i = 0; i < values->groups; i++) {
        const fq_attention_group *g = &values->group[i];
        room->histogram_size[i] = g->nibbles ? 0 : g->positions * g->choices;
        FQ_TRY(fq_alloc_zero(&room->histogram[i], larger(1, room->m * room->histogram_size[i]), sizeof(float)));
    }
    return FQ_OK;
}

fq_status fq_attention_room_init(fq_attention_room *room, const fq_attention_codes *keys, const fq_attention_codes *values,
                                 size_t m) {
    *room = (fq_attention_room){.m = m};
    const fq_status status = room_fill(room, keys, values);
    if (status != FQ_OK)
        fq_attention_room_clear(room);
    return status;
}

void fq_attention_room_clear(fq_attention_room *room) {
    fq_free(room->columns);
    fq_free(room->norm);
    fq_free(room->score);
    fq_free(room->weight);
    fq_free(room->sum);
    fq_free(room->total);
    fq_free(room->rows);
    for (size_t i = 0; i < FQ_CODEC_GROUPS_MAX; i++)
        fq_free(room->histogram[i]);
    *room = (fq_attention_room){0};
}

void fq_attention_room_reset(fq_attention_room *room) {
    for (size_t i = 0; i < FQ_CODEC_GROUPS_MAX; i++)
        if (room->histogram_size[i])
            memset(room->histogram[i], 0, room->m * room->histogram_size[i] * sizeof(float));
}

static fq_status corrupt(const char *which, size_t token) {
    return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, which, token, "codes that this codec writes; the value is the token's number");
}

/* Decodes n codes, rotated, into room->rows; the number in a failure's record counts all tokens. */
static fq_status decode_rows(const fq_attention_codes *codes, fq_attention_room *room, const uint8_t *code,
                             const char *which, size_t token, size_t n) {
    const fq_status status = fq_codec_decode_rotated(codes->codec, room->rows, code, n);
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

static void score_bytes(float *restrict score, const fq_attention_group *g, const float *restrict product,
                        const float *restrict norm, const uint8_t *restrict index, size_t stride, size_t n) {
    const size_t positions = g->positions;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = index + i * stride;
        float a = 0, b = 0, c = 0, d = 0;
        size_t p = 0;
        for (; p + 4 <= positions; p += 4) {
            const float *row = product + p * 256;
            a += row[at[p]];
            b += row[256 + at[p + 1]];
            c += row[512 + at[p + 2]];
            d += row[768 + at[p + 3]];
        }
        for (; p < positions; p++)
            a += product[p * 256 + at[p]];
        score[i] += norm[i] * ((a + b) + (c + d));
    }
}

fq_status fq_attention_score(const fq_attention_codes *keys, const fq_attention_kernels *kernels, fq_attention_room *room,
                             const fq_attention_query *query, size_t m, const uint8_t *codes, size_t token, size_t n,
                             fq_attention_ahead ahead) {
    memset(room->score, 0, m * CHUNK * sizeof *room->score);
    if (keys->rows) {
        FQ_TRY(decode_rows(keys, room, codes, "key_codes", token, n));
        for (size_t q = 0; q < m; q++)
            for (size_t i = 0; i < n; i++)
                room->score[q * CHUNK + i] = dot(query[q].row, room->rows + i * keys->dim, keys->dim);
    }
    for (size_t i = 0; i < keys->groups; i++) {
        const fq_attention_group *g = &keys->group[i];
        const uint8_t *index = codes + g->group->index_offset;
        size_t bad = 0;
        if (!fq_attention_read_norms(keys, g, kernels, room->norm, codes, n, &bad))
            return corrupt("key_codes", token + bad);
        if (g->nibbles)
            kernels->columns(room->columns, index, keys->stride, g->index_bytes, n);
        for (size_t q = 0; q < m; q++) {
            float *score = room->score + q * CHUNK;
            if (!g->nibbles) {
                score_bytes(score, g, query[q].product[i], room->norm, index, keys->stride, n);
                continue;
            }
            kernels->nibble_scores(room->sum, room->columns, g->index_bytes, query[q].table[i], ahead);
            ahead.bytes = 0; /* once is enough */
            kernels->add_scores(score, room->sum, room->norm, query[q].unit[i]);
        }
    }
    return FQ_OK;
}

bool fq_attention_largest(const fq_attention_kernels *kernels, float *most, float *score, size_t n) {
    for (size_t i = n; i < CHUNK; i++)
        score[i] = score[0];
    return kernels->largest(most, score);
}

double fq_attention_soften(const fq_attention_kernels *kernels, fq_attention_room *room, size_t q, float most, size_t n) {
    float *p = room->score + q * CHUNK;
    kernels->exponentials(p, p, most);
    memset(p + n, 0, (CHUNK - n) * sizeof *p);
    return kernels->total(p);
}

/* A value too heavy to be rounded to units, by its words as they are. */
static void add_exactly(double *value, const fq_attention_group *g, const uint8_t *index, double weight) {
    for (size_t p = 0; p < g->positions; p++) {
        const float *word = g->words + (size_t)(p % 2 ? index[p / 2] >> 4 : index[p / 2] & 15) * g->coordinates;
        for (size_t t = 0; t < g->coordinates; t++)
            value[p * g->coordinates + t] += weight * (double)word[t];
    }
}

static void weigh_nibbles(const fq_attention_group *g, const fq_attention_kernels *kernels, fq_attention_room *room,
                          double *value, const float *p, const uint8_t *index, size_t stride, size_t n,
                          fq_attention_ahead ahead) {
    float *weight = room->weight, mean, most;
    kernels->weights(weight, &mean, &most, p, room->norm);
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
    const float top = most > heavy ? heavy : most, units = weight_units / top;
    if (!(top > 0) || !isfinite(units)) /* nothing, or next to nothing */
        return;
    kernels->units(room->sum, weight, units);
    kernels->nibble_values(room->total, room->columns, g->index_bytes, g->word_table, g->coordinates, room->sum,
                           ahead);
    const double unit = (double)top / (double)weight_units * (double)g->word_unit;
    for (size_t j = 0; j < g->positions * g->coordinates; j++)
        value[j] += unit * (double)room->total[j];
}

static void weigh_bytes(float *restrict histogram, const float *restrict p, const float *restrict norm,
                        const uint8_t *restrict index, size_t stride, size_t positions, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = index + i * stride;
        const float w = p[i] * norm[i];
        size_t j = 0;
        for (; j + 4 <= positions; j += 4) {
            float *h = histogram + j * 256;
            h[at[j]] += w;
            h[256 + at[j + 1]] += w;
            h[512 + at[j + 2]] += w;
            h[768 + at[j + 3]] += w;
        }
        for (; j < positions; j++)
            histogram[j * 256 + at[j]] += w;
    }
}

static void weigh_rows(double *value, const float *weight, const float *rows, size_t d, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            value[j] += (double)weight[i] * (double)rows[i * d + j];
}

fq_status fq_attention_weigh(const fq_attention_codes *values, const fq_attention_kernels *kernels, fq_attention_room *room,
                             double *const *value, size_t m, const uint8_t *codes, size_t token, size_t n,
                             fq_attention_ahead ahead) {
    if (values->rows) {
        FQ_TRY(decode_rows(values, room, codes, "value_codes", token, n));
        for (size_t q = 0; q < m; q++)
            weigh_rows(value[q], room->score + q * CHUNK, room->rows, values->dim, n);
    }
    for (size_t i = 0; i < values->groups; i++) {
        const fq_attention_group *g = &values->group[i];
        const uint8_t *index = codes + g->group->index_offset;
        size_t bad = 0;
        if (!fq_attention_read_norms(values, g, kernels, room->norm, codes, n, &bad))
            return corrupt("value_codes", token + bad);
        if (g->nibbles)
            kernels->columns(room->columns, index, values->stride, g->index_bytes, n);
        for (size_t q = 0; q < m; q++) {
            const float *p = room->score + q * CHUNK;
            if (g->nibbles)
                weigh_nibbles(g, kernels, room, value[q] + g->group->offset, p, index, values->stride, n, ahead);
            else
                weigh_bytes(room->histogram[i] + q * room->histogram_size[i], p, room->norm, index, values->stride,
                            g->positions, n);
            ahead.bytes = 0;
        }
    }
    return FQ_OK;
}

void fq_attention_shrink(const fq_attention_codes *values, fq_attention_room *room, size_t q, float factor) {
    for (size_t i = 0; i < values->groups; i++)
        for (size_t j = 0; j < room->histogram_size[i]; j++)
            room->histogram[i][q * room->histogram_size[i] + j] *= factor;
}

static void add_words(double *restrict value, const float *restrict histogram, const float *restrict words, size_t k) {
    for (size_t c = 0; c < 256; c++)
        for (size_t t = 0; t < k; t++)
            value[t] += (double)histogram[c] * (double)words[c * k + t];
}

void fq_attention_settle(const fq_attention_codes *values, const fq_attention_room *room, size_t q, double *value) {
    for (size_t i = 0; i < values->groups; i++) {
        const fq_attention_group *g = &values->group[i];
        const float *histogram = room->histogram[i] + q * room->histogram_size[i];
        for (size_t p = 0; !g->nibbles && p < g->positions; p++)
            add_words(value + g->group->offset + p * g->coordinates, histogram + p * 256, g->words, g->coordinates);
    }
}
