/* The tokens of a tokenizer and its merges, as sorted tables: looked up by bisection, so that no crafted
 * vocabulary makes a look-up slow. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "failure.h"
#include "memory.h"
#include "tokenizer_internal.h"

/* --- GPT-2's alphabet: a printable character for every byte --- */

static bool stands_for_itself(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/* The byte that character c stands for, or -1: printable Latin-1 characters stand for themselves, U+0100
 * onwards for the 68 other bytes in order. */
static int byte_of_character(int32_t c) {
    if (c < 0x100)
        return c >= 0 && stands_for_itself((unsigned)c) ? (int)c : -1;
    int32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; byte++) {
        if (stands_for_itself(byte))
            continue;
        if (next++ == c)
            return (int)byte;
    }
    return -1;
}

/* Writes what a spelling stands for, at most length bytes; false if it is not in the alphabet. */
static bool decode_byte_level(const char *spelling, size_t length, char *out, size_t *out_length) {
    size_t at = 0, n = 0;
    while (at < length) {
        utf8proc_int32_t c = -1;
        const size_t left = length - at;
        const utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)spelling + at,
                                                       left < 4 ? (utf8proc_ssize_t)left : 4, &c);
        const int byte = used > 0 ? byte_of_character(c) : -1;
        if (byte < 0)
            return false;
        out[n++] = (char)byte;
        at += (size_t)used;
    }
    *out_length = n;
    return true;
}

/* U+2581 becomes a space. */
static size_t decode_spaces(const char *spelling, size_t length, char *out) {
    size_t n = 0;
    for (size_t at = 0; at < length;) {
        if (length - at >= 3 && memcmp(spelling + at, "\xe2\x96\x81", 3) == 0) {
            out[n++] = ' ';
            at += 3;
        } else {
            out[n++] = spelling[at++];
        }
    }
    return n;
}

/* "<0x0A>" is byte 10; -1 if it is not of this form. */
static int byte_of_spelling(const char *spelling, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    if (length != 6 || memcmp(spelling, "<0x", 3) != 0 || spelling[5] != '>')
        return -1;
    const char *high = memchr(digits, spelling[3], 16), *low = memchr(digits, spelling[4], 16);
    return high && low ? (int)(16 * (high - digits) + (low - digits)) : -1;
}

/* --- tokens --- */

fq_status fq_tokenizer_reserve(fq_tokenizer *t, const char *where, size_t count, size_t pool_bytes,
                               size_t merge_count) {
    if (count < 1 || count > FQ_TOKENS_MAX || merge_count > FQ_TOKENS_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: a vocabulary of %zu tokens and %zu merges; allowed: 1 to %d",
                            where, count, merge_count, FQ_TOKENS_MAX);
    FQ_TRY(fq_alloc_zero(&t->tokens, count, sizeof *t->tokens));
    FQ_TRY(fq_alloc(&t->pool, pool_bytes, 1));
    FQ_TRY(fq_alloc(&t->sorted, count, sizeof *t->sorted));
    FQ_TRY(fq_alloc(&t->merges, merge_count, sizeof *t->merges));
    t->pool_size = pool_bytes;
    t->merge_room = merge_count;
    t->info.vocabulary = count;
    t->unknown = FQ_NO_TOKEN;
    for (size_t i = 0; i < 256; i++)
        t->byte_token[i] = FQ_NO_TOKEN;
    for (size_t i = 0; i < count; i++)
        t->tokens[i].kind = FQ_TOKEN_CONTROL;
    return FQ_OK;
}

fq_status fq_tokenizer_set_token(fq_tokenizer *t, const char *where, size_t id, const char *spelling,
                                 size_t length, fq_token_kind kind, float score) {
    if (id >= t->info.vocabulary)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: token id %zu; allowed: 0 to %zu", where, id,
                            t->info.vocabulary - 1);
    if (length > FQ_TOKEN_MAX_BYTES || length > t->pool_size - t->pool_used)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: token %zu has %zu bytes; allowed: %d", where, id, length,
                            FQ_TOKEN_MAX_BYTES);
    if (!isfinite(score))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: token %zu has score %g; allowed: finite numbers", where, id,
                            (double)score);
    fq_token *token = &t->tokens[id];
    token->start = t->pool_used;
    token->score = score;
    token->kind = kind;
    char *out = t->pool + t->pool_used;
    if (kind == FQ_TOKEN_BYTE) {
        const int byte = byte_of_spelling(spelling, length);
        if (byte < 0)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: token %zu is a byte but not spelt <0x00> to <0xFF>", where,
                                id);
        out[0] = (char)byte;
        token->length = 1;
        t->byte_token[byte] = (uint32_t)id;
    } else if (t->kind == FQ_TOKENIZER_SENTENCEPIECE) {
        token->length = decode_spaces(spelling, length, out);
    } else if (kind != FQ_TOKEN_NORMAL || !decode_byte_level(spelling, length, out, &token->length)) {
        if (length)
            memcpy(out, spelling, length);
        token->length = length;
        if (kind == FQ_TOKEN_NORMAL)
            token->kind = FQ_TOKEN_PLAIN;
    }
    if (token->kind == FQ_TOKEN_NORMAL && token->length == 0)
        token->kind = FQ_TOKEN_PLAIN;
    t->pool_used += token->length;
    return FQ_OK;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* qsort has no room for a context, so what is sorted carries it. */
typedef struct sort_item {
    const char *bytes;
    size_t length;
    uint32_t id;
} sort_item;

static int by_bytes(const void *a, const void *b) {
    const sort_item *x = a, *y = b;
    const int order = compare_bytes(x->bytes, x->length, y->bytes, y->length);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

fq_status fq_tokenizer_index(fq_tokenizer *t, const char *where) {
    sort_item *items = NULL;
    FQ_TRY(fq_alloc(&items, t->info.vocabulary, sizeof *items));
    size_t n = 0;
    for (size_t id = 0; id < t->info.vocabulary; id++) {
        const fq_token *token = &t->tokens[id];
        if (token->kind != FQ_TOKEN_NORMAL)
            continue;
        items[n++] = (sort_item){t->pool + token->start, token->length, (uint32_t)id};
        if (t->kind == FQ_TOKENIZER_BYTE_LEVEL && token->length == 1)
            t->byte_token[(unsigned char)t->pool[token->start]] = (uint32_t)id;
    }
    qsort(items, n, sizeof *items, by_bytes);
    fq_status status = FQ_OK;
    for (size_t i = 0; i < n && status == FQ_OK; i++) {
        t->sorted[i] = items[i].id;
        if (i > 0 &&
            compare_bytes(items[i - 1].bytes, items[i - 1].length, items[i].bytes, items[i].length) == 0)
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: tokens %u and %u are the same text", where,
                                  (unsigned)items[i - 1].id, (unsigned)items[i].id);
    }
    t->sorted_count = n;
    fq_free(items);
    return status;
}

uint32_t fq_tokenizer_find(const fq_tokenizer *t, const char *bytes, size_t length) {
    size_t low = 0, high = t->sorted_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const fq_token *token = &t->tokens[t->sorted[middle]];
        const int order = compare_bytes(bytes, length, t->pool + token->start, token->length);
        if (order == 0)
            return t->sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return FQ_NO_TOKEN;
}

/* --- merges --- */

/* Appends the meaning of a spelling to joined. */
static bool decode_part(const fq_tokenizer *t, const char *spelling, size_t length, char *joined,
                        size_t *used) {
    size_t n = 0;
    if (t->kind == FQ_TOKENIZER_SENTENCEPIECE)
        n = decode_spaces(spelling, length, joined + *used);
    else if (!decode_byte_level(spelling, length, joined + *used, &n))
        return false;
    *used += n;
    return true;
}

fq_status fq_tokenizer_add_merge(fq_tokenizer *t, const char *where, const char *left, size_t left_length,
                                 const char *right, size_t right_length) {
    const size_t rank = t->merge_count;
    char joined[2 * FQ_TOKEN_MAX_BYTES];
    size_t split = 0, used = 0;
    if (rank >= t->merge_room || left_length > FQ_TOKEN_MAX_BYTES || right_length > FQ_TOKEN_MAX_BYTES)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: merge %zu is too long or one too many", where, rank);
    bool good = decode_part(t, left, left_length, joined, &used);
    split = used;
    good = good && decode_part(t, right, right_length, joined, &used);
    fq_merge *m = &t->merges[rank];
    if (good) {
        m->left = fq_tokenizer_find(t, joined, split);
        m->right = fq_tokenizer_find(t, joined + split, used - split);
        m->result = fq_tokenizer_find(t, joined, used);
    }
    if (!good || m->left == FQ_NO_TOKEN || m->right == FQ_NO_TOKEN || m->result == FQ_NO_TOKEN)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: merge %zu: its parts or its result are not in the vocabulary",
                            where, rank);
    m->rank = (uint32_t)rank;
    t->merge_count++;
    return FQ_OK;
}

fq_status fq_tokenizer_add_merge_line(fq_tokenizer *t, const char *where, const char *line, size_t length) {
    const char *space = length ? memchr(line, ' ', length) : NULL;
    const size_t left = space ? (size_t)(space - line) : 0;
    if (!space || left == 0 || left + 1 == length || memchr(space + 1, ' ', length - left - 1))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: merge %zu: not two tokens with one space between", where,
                            t->merge_count);
    return fq_tokenizer_add_merge(t, where, line, left, space + 1, length - left - 1);
}

static int by_pair(const void *a, const void *b) {
    const fq_merge *x = a, *y = b;
    if (x->left != y->left)
        return x->left < y->left ? -1 : 1;
    if (x->right != y->right)
        return x->right < y->right ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

void fq_tokenizer_index_merges(fq_tokenizer *t) {
    qsort(t->merges, t->merge_count, sizeof *t->merges, by_pair);
    size_t kept = 0;
    for (size_t i = 0; i < t->merge_count; i++)
        if (kept == 0 || t->merges[kept - 1].left != t->merges[i].left ||
            t->merges[kept - 1].right != t->merges[i].right)
            t->merges[kept++] = t->merges[i];
    t->merge_count = kept;
}

const fq_merge *fq_tokenizer_find_merge(const fq_tokenizer *t, uint32_t left, uint32_t right) {
    size_t low = 0, high = t->merge_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const fq_merge *m = &t->merges[middle];
        if (m->left == left && m->right == right)
            return m;
        if (left < m->left || (left == m->left && right < m->right))
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
