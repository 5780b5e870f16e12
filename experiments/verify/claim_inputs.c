#include "claim_inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codebook_file.h"
#include "failure.h"
#include "kv_cache_file.h"
#include "result_store.h"
#include "source.h"

enum { POSITIONS_MAX = 1024 };

void fq_claim_inputs_init(fq_claim_inputs *inputs) {
    *inputs = (fq_claim_inputs){0};
}

void fq_claim_inputs_clear(fq_claim_inputs *inputs) {
    fq_arena_clear(&inputs->arena);
    *inputs = (fq_claim_inputs){0};
}

/* Columns of a table of measured codes; codec, source and samples may be missing. */
typedef struct columns {
    size_t dim, block, rate, distortion, distortion_se, codec, source, samples;
} columns;

static bool find(size_t *column, const fq_table *table, const char *name, fq_value_type type) {
    *column = fq_table_find(table, name);
    return *column < table->column_count && table->columns[*column].type == type;
}

static bool find_columns(columns *c, const fq_table *table) {
    if (!find(&c->codec, table, "codec", FQ_VALUE_TEXT))
        c->codec = table->column_count;
    if (!find(&c->source, table, "source", FQ_VALUE_TEXT))
        c->source = table->column_count;
    if (!find(&c->samples, table, "samples", FQ_VALUE_INTEGER))
        c->samples = table->column_count;
    return find(&c->dim, table, "dim", FQ_VALUE_INTEGER) &&
           find(&c->block, table, "block", FQ_VALUE_INTEGER) &&
           find(&c->rate, table, "rate", FQ_VALUE_REAL) &&
           find(&c->distortion, table, "distortion", FQ_VALUE_REAL) &&
           find(&c->distortion_se, table, "distortion_se", FQ_VALUE_REAL);
}

/* The bound is for what indices of blocks alone convey. A code that stores more than the payload its rate
 * counts (a fitted norm, norms of two groups of channels) is not held to it. */
static bool is_block_code(const fq_table *table, const columns *c, size_t row) {
    const int64_t dim = fq_table_integer(table, row, c->dim), block = fq_table_integer(table, row, c->block);
    if (block < 1 || block >= dim || dim > FQ_DIM_MAX || block > FQ_BLOCK_MAX)
        return false;
    if (c->source == table->column_count || strcmp(fq_table_text(table, row, c->source), "block") == 0)
        return true;
    const double rate = fq_table_real(table, row, c->rate);
    return c->codec < table->column_count && !strstr(fq_table_text(table, row, c->codec), "norm=") &&
           (block > 1 || rate == floor(rate));
}

static fq_status add_rows(fq_claim_inputs *inputs, fq_claim_point *points, const fq_table *table) {
    columns c;
    if (!find_columns(&c, table))
        return FQ_OK;
    for (size_t row = 0; row < table->count; row++) {
        if (!is_block_code(table, &c, row)) {
            inputs->skipped++;
            continue;
        }
        fq_claim_point *const point = &points[inputs->data.point_count];
        point->dim = (size_t)fq_table_integer(table, row, c.dim);
        point->block = (size_t)fq_table_integer(table, row, c.block);
        point->rate = fq_table_real(table, row, c.rate);
        point->distortion = fq_table_real(table, row, c.distortion);
        point->distortion_se = fq_table_real(table, row, c.distortion_se);
        if (c.samples < table->column_count && point->distortion_se > 0)
            point->samples = (uint64_t)fq_table_integer(table, row, c.samples);
        char text[FQ_EVIDENCE_TEXT];
        const int length =
            snprintf(text, sizeof text, "%.24s row %zu: d=%zu %.50s", table->name, row, point->dim,
                     c.codec < table->column_count ? fq_table_text(table, row, c.codec) : "");
        FQ_TRY(fq_arena_text(&inputs->arena, &point->source, text, (size_t)length));
        inputs->data.point_count++;
    }
    return FQ_OK;
}

fq_status fq_claim_inputs_add_store(fq_claim_inputs *inputs, const char *path) {
    fq_results results = {0};
    fq_claim_point *points = NULL;
    fq_status status =
        fq_store_read(path, &results); /* with what a running or killed sweep has in its journal */
    if (status != FQ_OK)
        return status;
    const size_t before = inputs->data.point_count;
    size_t room = before;
    for (size_t i = 0; i < results.table_count; i++)
        room += results.tables[i].count;
    FQ_TRY_GOTO(status, fq_arena_alloc(&inputs->arena, &points, room, sizeof *points), done);
    for (size_t i = 0; i < before; i++)
        points[i] = inputs->data.points[i];
    inputs->data.points = points;
    for (size_t i = 0; i < results.table_count; i++)
        FQ_TRY_GOTO(status, add_rows(inputs, points, &results.tables[i]), done);
    if (inputs->data.point_count == before)
        status =
            FQ_FAIL_TEXT(FQ_ERR_INPUT,
                         "%s: no table with columns dim, block, rate, distortion, distortion_se and a row "
                         "of a block code; a sweep of experiment rate-distortion makes one",
                         path);
done:
    fq_results_clear(&results);
    return status;
}

static fq_status read_head(fq_claim_inputs *inputs, const float **x, const fq_kv_cache *cache, size_t layer,
                           fq_kv_kind kind, size_t head, size_t tokens) {
    float *room;
    FQ_TRY(fq_arena_alloc(&inputs->arena, &room, tokens * fq_kv_cache_shape(cache)->dim, sizeof *room));
    *x = room;
    return fq_kv_cache_read(cache, layer, kind, head, 0, tokens, room);
}

static fq_status add_layer(fq_claim_inputs *inputs, fq_claim_head *heads, const fq_kv_cache *cache,
                           size_t layer, size_t tokens) {
    const fq_kv_shape *const shape = fq_kv_cache_shape(cache);
    const size_t group = shape->query_heads / shape->heads;
    for (size_t h = 0; h < shape->query_heads; h++) {
        fq_claim_head *const head = &heads[inputs->data.head_count];
        char name[48];
        const int length = snprintf(name, sizeof name, "layer %zu head %zu", layer, h);
        *head = (fq_claim_head){.tokens = tokens, .dim = shape->dim};
        FQ_TRY(fq_arena_text(&inputs->arena, &head->name, name, (size_t)length));
        FQ_TRY(read_head(inputs, &head->query, cache, layer, FQ_KV_QUERY, h, tokens));
        if (h % group) {
            head->key = head[-1].key;
            head->value = head[-1].value;
        } else {
            FQ_TRY(read_head(inputs, &head->key, cache, layer, FQ_KV_KEY, h / group, tokens));
            FQ_TRY(read_head(inputs, &head->value, cache, layer, FQ_KV_VALUE, h / group, tokens));
        }
        inputs->data.head_count++;
    }
    return FQ_OK;
}

fq_status fq_claim_inputs_add_cache(fq_claim_inputs *inputs, const char *path) {
    fq_kv_cache *cache;
    FQ_TRY(fq_kv_cache_open(&cache, path));
    const fq_kv_shape *const shape = fq_kv_cache_shape(cache);
    const size_t before = inputs->data.head_count;
    const size_t tokens = shape->tokens < POSITIONS_MAX ? shape->tokens : POSITIONS_MAX;
    fq_claim_head *heads;
    fq_status status =
        fq_arena_alloc(&inputs->arena, &heads, before + shape->layers * shape->query_heads, sizeof *heads);
    if (status == FQ_OK) {
        for (size_t i = 0; i < before; i++)
            heads[i] = inputs->data.heads[i];
        inputs->data.heads = heads;
    }
    for (size_t layer = 0; layer < shape->layers && status == FQ_OK; layer++)
        status = add_layer(inputs, heads, cache, layer, tokens);
    fq_kv_cache_close(cache);
    return status;
}

fq_status fq_claim_inputs_add_codebook(fq_claim_inputs *inputs, const char *path) {
    fq_codebook codebook;
    fq_claim_codebook *all;
    float *words;
    fq_codebook_init(&codebook);
    FQ_TRY(fq_codebook_file_read(&codebook, path));
    const size_t before = inputs->data.codebook_count, size = codebook.codewords * codebook.block;
    fq_status status = fq_arena_alloc(&inputs->arena, &all, before + 1, sizeof *all);
    if (status == FQ_OK)
        status = fq_arena_alloc(&inputs->arena, &words, size, sizeof *words);
    if (status == FQ_OK)
        status = fq_arena_text(&inputs->arena, &all[before].name, path, strlen(path));
    if (status == FQ_OK) { /* the words belong to the arena */
        for (size_t i = 0; i < before; i++)
            all[i] = inputs->data.codebooks[i];
        memcpy(words, codebook.words, size * sizeof *words);
        all[before].codebook = codebook;
        all[before].codebook.words = words;
        inputs->data.codebooks = all;
        inputs->data.codebook_count++;
    }
    fq_codebook_clear(&codebook);
    return status;
}
