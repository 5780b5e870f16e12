/* Byte-pair encoding of one word: a heap of possible merges over a linked list of symbols, O(n log n) for
 * n bytes, so that a word as long as the text is no trap. */
#include "failure.h"
#include "memory.h"
#include "tokenizer_internal.h"

typedef struct symbol {
    uint32_t start, length;  /* in the word */
    uint32_t token;          /* FQ_NO_TOKEN: a character that is none */
    uint32_t previous, next; /* FQ_NO_TOKEN at the ends */
} symbol;

/* A merge that was possible when it was put in: stale if either side has changed since. */
typedef struct candidate {
    float score;   /* higher first */
    uint32_t rank; /* then lower first */
    uint32_t left; /* symbol; then lower first */
    uint32_t right;
    uint32_t left_length, right_length;
    uint32_t result;
} candidate;

typedef struct work {
    const fq_tokenizer *t;
    const char *word;
    symbol *symbols;
    candidate *heap;
    size_t heap_count;
} work;

static bool before(const candidate *a, const candidate *b) {
    if (a->score != b->score)
        return a->score > b->score;
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->left < b->left;
}

static void push(work *w, candidate c) {
    size_t i = w->heap_count++;
    while (i > 0) {
        const size_t parent = (i - 1) / 2;
        if (!before(&c, &w->heap[parent]))
            break;
        w->heap[i] = w->heap[parent];
        i = parent;
    }
    w->heap[i] = c;
}

static candidate pop(work *w) {
    const candidate top = w->heap[0];
    const candidate last = w->heap[--w->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= w->heap_count)
            break;
        if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    if (w->heap_count > 0)
        w->heap[i] = last;
    return top;
}

/* Puts the merge of symbols left and right into the heap, if there is one. */
static void consider(work *w, uint32_t left, uint32_t right) {
    if (left == FQ_NO_TOKEN || right == FQ_NO_TOKEN)
        return;
    const symbol *a = &w->symbols[left], *b = &w->symbols[right];
    candidate c = {0.0f, 0, left, right, a->length, b->length, FQ_NO_TOKEN};
    if (w->t->by_score) {
        /* any two neighbours that together are a token, whether or not they are tokens themselves */
        c.result = fq_tokenizer_find(w->t, w->word + a->start, (size_t)a->length + b->length);
        if (c.result == FQ_NO_TOKEN)
            return;
        c.score = w->t->tokens[c.result].score;
    } else {
        if (a->token == FQ_NO_TOKEN || b->token == FQ_NO_TOKEN)
            return;
        const fq_merge *m = fq_tokenizer_find_merge(w->t, a->token, b->token);
        if (!m)
            return;
        c.rank = m->rank;
        c.result = m->result;
    }
    push(w, c);
}

static void merge_all(work *w) {
    while (w->heap_count > 0) {
        const candidate c = pop(w);
        symbol *a = &w->symbols[c.left], *b = &w->symbols[c.right];
        if (a->length != c.left_length || b->length != c.right_length || a->next != c.right)
            continue;
        a->length += b->length;
        a->token = c.result;
        a->next = b->next;
        b->length = 0;
        if (a->next != FQ_NO_TOKEN)
            w->symbols[a->next].previous = c.left;
        consider(w, a->previous, c.left);
        consider(w, c.left, a->next);
    }
}

static size_t split_symbols(work *w, size_t length) {
    const fq_tokenizer *t = w->t;
    size_t n = 0;
    for (size_t at = 0; at < length; n++) {
        size_t bytes = 1;
        uint32_t token = FQ_NO_TOKEN;
        if (t->kind == FQ_TOKENIZER_BYTE_LEVEL) {
            token = t->byte_token[(unsigned char)w->word[at]];
        } else {
            bytes = fq_character_length(w->word + at, length - at);
            token = fq_tokenizer_find(t, w->word + at, bytes);
        }
        w->symbols[n] = (symbol){(uint32_t)at, (uint32_t)bytes, token, n > 0 ? (uint32_t)n - 1 : FQ_NO_TOKEN,
                                 (uint32_t)n + 1};
        at += bytes;
    }
    w->symbols[n - 1].next = FQ_NO_TOKEN;
    return n;
}

static fq_status emit(const work *w, size_t offset, uint32_t *ids, size_t *count) {
    const fq_tokenizer *t = w->t;
    bool unknown_before = false; /* a run of unknown characters is one unknown token */
    for (uint32_t i = 0; i != FQ_NO_TOKEN; i = w->symbols[i].next) {
        const symbol *s = &w->symbols[i];
        if (s->token != FQ_NO_TOKEN) {
            ids[(*count)++] = s->token;
            unknown_before = false;
            continue;
        }
        bool all = true;
        for (uint32_t b = 0; b < s->length; b++)
            all = all && t->byte_token[(unsigned char)w->word[s->start + b]] != FQ_NO_TOKEN;
        if (all && t->kind == FQ_TOKENIZER_SENTENCEPIECE) {
            for (uint32_t b = 0; b < s->length; b++)
                ids[(*count)++] = t->byte_token[(unsigned char)w->word[s->start + b]];
            unknown_before = false;
        } else if (t->unknown != FQ_NO_TOKEN) {
            if (!unknown_before)
                ids[(*count)++] = t->unknown;
            unknown_before = true;
        } else {
            return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                                "offset %zu: byte 0x%02x has no token in this vocabulary, which has "
                                "no token for the unknown either",
                                offset + s->start, (unsigned)(unsigned char)w->word[s->start]);
        }
    }
    return FQ_OK;
}

fq_status fq_tokenizer_merge_word(const fq_tokenizer *t, const char *word, size_t length, size_t offset,
                                  uint32_t *ids, size_t *count) {
    if (length == 0)
        return FQ_OK;
    if (length > UINT32_MAX / 4)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "text: a piece of %zu bytes; allowed: fewer than 2^30", length);
    work w = {t, word, NULL, NULL, 0};
    fq_status status = FQ_OK;
    /* at first a candidate for each pair, then at most two for each of at most length - 1 merges */
    FQ_TRY_GOTO(status, fq_alloc(&w.symbols, length, sizeof *w.symbols), done);
    FQ_TRY_GOTO(status, fq_alloc(&w.heap, 3 * length, sizeof *w.heap), done);
    const size_t n = split_symbols(&w, length);
    for (size_t i = 0; i + 1 < n; i++)
        consider(&w, (uint32_t)i, (uint32_t)i + 1);
    merge_all(&w);
    status = emit(&w, offset, ids, count);
done:
    fq_free(w.heap);
    fq_free(w.symbols);
    return status;
}
