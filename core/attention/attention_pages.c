#include "attention_pages.h"

#include <math.h>
#include <string.h>

#include "attention_run.h"
#include "fp16.h"
#include "memory.h"

struct fq_attention_scratch {
    const fq_attention *attention;
    size_t most_queries, most_tokens;
    fq_codec_scratch *key, *value; /* for tokens that come one by one */
    float *rows;                   /* [16][d] */
    fq_alloc_room room;            /* for attention */
};

/* What attention will take of the room, once, over zero vectors. */
static fq_status rehearse(const fq_attention *a, float *out, const float *queries, size_t m,
                          const uint8_t *const *pages, size_t tokens) {
    const fq_attention_source source = {.key_pages = pages, .value_pages = pages, .n = tokens};
    return fq_attention_over(a, out, queries, m, &source, 1);
}

/* A room of some capacity, or what the rehearsal took of it. */
static fq_status make_room(fq_alloc_room *room, size_t capacity) {
    *room = (fq_alloc_room){.capacity = capacity};
    return fq_alloc(&room->base, capacity, 1);
}

/* The capacity that the rehearsal needs, found by doubling. */
static fq_status find_capacity(size_t *capacity, const fq_attention *a, size_t m, size_t tokens) {
    const size_t d = a->key.dim, stride = a->key.stride > a->value.stride ? a->key.stride : a->value.stride;
    const size_t pages = (tokens + FQ_PAGE_TOKENS - 1) / FQ_PAGE_TOKENS;
    float *numbers = NULL; /* queries, then outputs */
    uint8_t *page = NULL;  /* zero vectors' codes */
    const uint8_t **table = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc_zero(&numbers, 2 * m, d * sizeof *numbers), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&page, FQ_PAGE_TOKENS, stride), done);
    FQ_TRY_GOTO(status, fq_alloc(&table, pages, sizeof *table), done);
    for (size_t p = 0; p < pages; p++)
        table[p] = page;
    status = FQ_ERR_MEMORY;
    for (size_t size = (size_t)1 << 18; status == FQ_ERR_MEMORY && size <= (size_t)1 << 40; size *= 2) {
        fq_alloc_room room;
        FQ_TRY_GOTO(status, make_room(&room, size), done);
        fq_alloc_from(&room);
        status = rehearse(a, numbers + m * d, numbers, m, table, tokens);
        fq_alloc_from(NULL);
        fq_free(room.base);
        *capacity = room.most;
    }
done:
    fq_free(table);
    fq_free(page);
    fq_free(numbers);
    return status;
}

fq_status fq_attention_scratch_create(fq_attention_scratch **scratch, const fq_attention *attention,
                                      size_t most_queries, size_t most_tokens) {
    size_t capacity = 0;
    fq_attention_scratch *made = NULL;
    if (most_queries < 1 || most_tokens < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, most_queries < 1 ? "most_queries" : "most_tokens", 0,
                             "at least 1");
    FQ_TRY(find_capacity(&capacity, attention, most_queries, most_tokens));
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->attention = attention;
    made->most_queries = most_queries;
    made->most_tokens = most_tokens;
    fq_status status = make_room(&made->room, capacity);
    if (status == FQ_OK)
        status = fq_codec_scratch_create(&made->key, attention->key.codec);
    if (status == FQ_OK)
        status = fq_codec_scratch_create(&made->value, attention->value.codec);
    if (status == FQ_OK)
        status = fq_alloc(&made->rows, FQ_PAGE_TOKENS * attention->key.dim, sizeof *made->rows);
    if (status != FQ_OK) {
        fq_attention_scratch_destroy(made);
        return status;
    }
    *scratch = made;
    return FQ_OK;
}

void fq_attention_scratch_destroy(fq_attention_scratch *scratch) {
    if (!scratch)
        return;
    fq_free(scratch->rows);
    fq_codec_scratch_destroy(scratch->value);
    fq_codec_scratch_destroy(scratch->key);
    fq_free(scratch->room.base);
    fq_free(scratch);
}

static size_t ring_of(const fq_paged_head *head) {
    return head->window + FQ_PAGE_TOKENS;
}

bool fq_paged_head_needs_page(const fq_paged_head *head) {
    const size_t page = head->tokens / FQ_PAGE_TOKENS;
    return head->recent == ring_of(head) &&
           (page >= head->page_count || !head->key_pages[page] || !head->value_pages[page]);
}

/* The oldest 16 rows of the ring into one page. */
static fq_status code_page(const fq_paged_head *head, const fq_attention_codes *codes,
                           fq_codec_scratch *scratch, float *rows, const uint16_t *recent, uint8_t *page) {
    const size_t d = codes->dim;
    for (size_t i = 0; i < FQ_PAGE_TOKENS; i++) {
        const uint16_t *const row = recent + (head->oldest + i) % ring_of(head) * d;
        for (size_t j = 0; j < d; j++)
            rows[i * d + j] = fq_fp16_to_float(row[j]);
    }
    return fq_codec_encode_with(codes->codec, scratch, page, FQ_PAGE_TOKENS * codes->stride, rows,
                                FQ_PAGE_TOKENS);
}

static fq_status code_oldest(fq_paged_head *head, fq_attention_scratch *s) {
    const size_t page = head->tokens / FQ_PAGE_TOKENS;
    FQ_TRY(code_page(head, &s->attention->key, s->key, s->rows, head->recent_keys, head->key_pages[page]));
    FQ_TRY(code_page(head, &s->attention->value, s->value, s->rows, head->recent_values,
                     head->value_pages[page]));
    head->tokens += FQ_PAGE_TOKENS;
    head->recent -= FQ_PAGE_TOKENS;
    head->oldest = (head->oldest + FQ_PAGE_TOKENS) % ring_of(head);
    return FQ_OK;
}

static fq_status check_halves(const char *argument, const float *x, size_t d) {
    for (size_t j = 0; j < d; j++)
        if (!isfinite(fq_fp16_to_float(fq_fp16_from_float(x[j]))))
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, argument, j, "numbers that half precision holds");
    return FQ_OK;
}

fq_status fq_paged_head_append(fq_paged_head *head, const fq_attention *attention,
                               fq_attention_scratch *scratch, const float *key, const float *value) {
    const size_t d = attention->key.dim;
    if (scratch->attention != attention)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "scratch", "a work space made for this attention");
    if (fq_paged_head_needs_page(head))
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "page_count", head->page_count,
                             "a page for the next token in both tables");
    FQ_TRY(check_halves("key", key, d));
    FQ_TRY(check_halves("value", value, d));
    if (head->recent == ring_of(head))
        FQ_TRY(code_oldest(head, scratch));
    const size_t row = (head->oldest + head->recent++) % ring_of(head);
    for (size_t j = 0; j < d; j++) {
        head->recent_keys[row * d + j] = fq_fp16_from_float(key[j]);
        head->recent_values[row * d + j] = fq_fp16_from_float(value[j]);
    }
    return FQ_OK;
}

fq_status fq_attention_run_pages(const fq_attention *attention, fq_attention_scratch *scratch, float *out,
                                 size_t capacity, const float *queries, size_t m, const fq_paged_head *head,
                                 double scale) {
    const fq_attention_source source = {.key_pages = (const uint8_t *const *)head->key_pages,
                                        .value_pages = (const uint8_t *const *)head->value_pages,
                                        .n = head->tokens,
                                        .recent_keys = head->recent_keys,
                                        .recent_values = head->recent_values,
                                        .recent = head->recent,
                                        .ring = ring_of(head),
                                        .oldest = head->oldest};
    if (scratch->attention != attention)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "scratch", "a work space made for this attention");
    if (m > scratch->most_queries)
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "m", m, "at most as many queries as the work space was made for");
    if (head->tokens > scratch->most_tokens)
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "tokens", head->tokens,
                             "at most as many tokens as the work space was made for");
    if (m > capacity / attention->key.dim)
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "capacity", capacity, "room for m outputs");
    if (head->tokens + head->recent < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tokens", 0, "at least 1, with the recent ones");
    scratch->room.used = scratch->room.last = 0;
    fq_alloc_from(&scratch->room);
    const fq_status status = fq_attention_over(attention, out, queries, m, &source, scale);
    fq_alloc_from(NULL);
    return status;
}
