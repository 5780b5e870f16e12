#include "tokenizer.h"

#include <string.h>

#include "failure.h"
#include "memory.h"
#include "tokenizer_internal.h"

fq_status fq_tokenizer_open(fq_tokenizer **out, const fq_checkpoint *checkpoint) {
    *out = NULL;
    fq_tokenizer *t = NULL;
    FQ_TRY(fq_alloc_zero(&t, 1, sizeof *t));
    const char *where = checkpoint->is_folder ? checkpoint->folder : checkpoint->gguf.file;
    fq_status status = checkpoint->is_folder ? fq_tokenizer_read_folder(t, checkpoint)
                                             : fq_tokenizer_read_gguf(t, checkpoint);
    if (status == FQ_OK && t->info.vocabulary > checkpoint->config.vocabulary)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: the tokenizer has %zu tokens, the model only %zu", where,
                              t->info.vocabulary, checkpoint->config.vocabulary);
    t->info.kind = t->kind == FQ_TOKENIZER_BYTE_LEVEL ? "byte-level BPE" : "SentencePiece BPE";
    if (t->kind == FQ_TOKENIZER_BYTE_LEVEL)
        t->info.pattern = t->words == FQ_WORDS_GPT2 ? "gpt-2" : "smollm";
    else
        t->info.pattern = "";
    if (status != FQ_OK)
        fq_tokenizer_close(t);
    else
        *out = t;
    return status;
}

void fq_tokenizer_close(fq_tokenizer *tokenizer) {
    if (!tokenizer)
        return;
    fq_free(tokenizer->tokens);
    fq_free(tokenizer->pool);
    fq_free(tokenizer->sorted);
    fq_free(tokenizer->merges);
    fq_free(tokenizer);
}

const fq_tokenizer_info *fq_tokenizer_about(const fq_tokenizer *tokenizer) {
    return &tokenizer->info;
}

static fq_status encode_words(const fq_tokenizer *t, const char *text, size_t length, uint32_t *ids,
                              size_t *count) {
    for (size_t at = 0; at < length;) {
        const size_t word = fq_word_length(t->words, text + at, length - at);
        FQ_TRY(fq_tokenizer_merge_word(t, text + at, word, at, ids, count));
        at += word;
    }
    return FQ_OK;
}

/* The text is one word; tokens' bytes have plain spaces, so the text needs no U+2581 either. A U+2581 of
 * the text itself is a space to such a model. */
static fq_status encode_pieces(const fq_tokenizer *t, const char *text, size_t length, uint32_t *ids,
                               size_t *count) {
    char *word = NULL;
    FQ_TRY(fq_alloc(&word, length + 1, 1));
    size_t n = 0;
    if (t->adds_space)
        word[n++] = ' ';
    for (size_t at = 0; at < length;) {
        if (length - at >= 3 && memcmp(text + at, "\xe2\x96\x81", 3) == 0) {
            word[n++] = ' ';
            at += 3;
        } else {
            word[n++] = text[at++];
        }
    }
    const fq_status status = fq_tokenizer_merge_word(t, word, n, 0, ids, count);
    fq_free(word);
    return status;
}

fq_status fq_tokenizer_encode(const fq_tokenizer *tokenizer, const void *bytes, size_t length, uint32_t **ids,
                              size_t *count) {
    uint32_t *list = NULL;
    size_t n = 0;
    if (length > SIZE_MAX / 16)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "text: %zu bytes are too many", length);
    FQ_TRY(fq_alloc(&list, length + 1, sizeof *list));
    fq_status status = FQ_OK;
    if (length > 0)
        status = tokenizer->kind == FQ_TOKENIZER_BYTE_LEVEL
                     ? encode_words(tokenizer, bytes, length, list, &n)
                     : encode_pieces(tokenizer, bytes, length, list, &n);
    if (status != FQ_OK) {
        fq_free(list);
        return status;
    }
    *ids = list;
    *count = n;
    return FQ_OK;
}

fq_status fq_tokenizer_decode(const fq_tokenizer *tokenizer, const uint32_t *ids, size_t count, char **bytes,
                              size_t *length) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= tokenizer->info.vocabulary)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "ids", ids[i], "ids below the size of the vocabulary");
        total += tokenizer->tokens[ids[i]].length; /* each at most FQ_TOKEN_MAX_BYTES */
    }
    char *text = NULL;
    FQ_TRY(fq_alloc(&text, total + 1, 1));
    size_t n = 0;
    bool first = tokenizer->adds_space;
    for (size_t i = 0; i < count; i++) {
        const fq_token *token = &tokenizer->tokens[ids[i]];
        if (token->kind == FQ_TOKEN_CONTROL || token->length == 0)
            continue;
        const size_t skip = first && tokenizer->pool[token->start] == ' ' ? 1 : 0;
        memcpy(text + n, tokenizer->pool + token->start + skip, token->length - skip);
        n += token->length - skip;
        first = false;
    }
    text[n] = '\0';
    *bytes = text;
    *length = n;
    return FQ_OK;
}
