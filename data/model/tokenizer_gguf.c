/* Tokenizers from GGUF metadata (tokenizer.ggml.*). */
#include <string.h>

#include "failure.h"
#include "tokenizer_internal.h"

/* Token types of the file format. */
enum { GGUF_NORMAL = 1, GGUF_UNKNOWN, GGUF_CONTROL, GGUF_USER_DEFINED, GGUF_UNUSED, GGUF_BYTE };

static bool is(const char *text, size_t length, const char *word) {
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static fq_status read_kind(fq_tokenizer *t, const fq_gguf *g, fq_architecture architecture) {
    const char *text = NULL;
    size_t length = 0;
    bool found = false;
    FQ_TRY(fq_gguf_get_string(g, "tokenizer.ggml.model", &text, &length, NULL));
    if (is(text, length, "llama")) {
        t->kind = FQ_TOKENIZER_SENTENCEPIECE;
        t->by_score = true;
        t->adds_space = true;
        FQ_TRY(fq_gguf_get_bool(g, "tokenizer.ggml.add_space_prefix", &t->adds_space, &found));
        bool removes = false;
        FQ_TRY(fq_gguf_get_bool(g, "tokenizer.ggml.remove_extra_whitespaces", &removes, &found));
        if (removes)
            return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED,
                                "%s: tokenizer.ggml.remove_extra_whitespaces is not supported", g->file);
        return FQ_OK;
    }
    if (!is(text, length, "gpt2"))
        return FQ_FAIL_TEXT(
            FQ_ERR_UNSUPPORTED, "%s: byte %zu: tokenizer.ggml.model: \"%.*s\"; supported: gpt2, llama",
            g->file, fq_gguf_find(g, "tokenizer.ggml.model")->offset, length > 40 ? 40 : (int)length, text);
    t->kind = FQ_TOKENIZER_BYTE_LEVEL;
    FQ_TRY(fq_gguf_get_string(g, "tokenizer.ggml.pre", &text, &length, &found));
    if (!found && architecture == FQ_ARCH_GPT2) { /* files older than the key */
        text = "gpt-2";
        length = 5;
    } else if (!found) {
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: the metadata key tokenizer.ggml.pre is missing", g->file);
    }
    if (is(text, length, "gpt-2"))
        t->words = FQ_WORDS_GPT2;
    else if (is(text, length, "smollm"))
        t->words = FQ_WORDS_DIGITS;
    else
        return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: tokenizer.ggml.pre: \"%.*s\"; supported: gpt-2, smollm",
                            g->file, length > 40 ? 40 : (int)length, text);
    return FQ_OK;
}

static fq_status kind_of(const fq_gguf *g, const fq_gguf_entry *types, size_t id, fq_token_kind *kind) {
    const int32_t number = types ? fq_gguf_array_i32(g, types, id) : GGUF_NORMAL;
    switch (number) {
    case GGUF_NORMAL:
        *kind = FQ_TOKEN_NORMAL;
        return FQ_OK;
    case GGUF_CONTROL:
        *kind = FQ_TOKEN_CONTROL;
        return FQ_OK;
    case GGUF_UNKNOWN:
    case GGUF_USER_DEFINED:
    case GGUF_UNUSED:
        *kind = FQ_TOKEN_PLAIN;
        return FQ_OK;
    case GGUF_BYTE:
        *kind = FQ_TOKEN_BYTE;
        return FQ_OK;
    default:
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: byte %zu: tokenizer.ggml.token_type: element %zu is %d; allowed: 1 to 6",
                            g->file, types->offset + 4 * id, id, (int)number);
    }
}

static fq_status same_count(const fq_gguf *g, const fq_gguf_entry *array, const char *key, size_t count) {
    if (array && array->count != count)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: %s: has %llu elements, but there are %zu tokens",
                            g->file, array->offset, key, (unsigned long long)array->count, count);
    return FQ_OK;
}

/* Bytes that an array of strings takes, its lengths included. */
static size_t strings_bytes(const fq_gguf *g, const fq_gguf_entry *array) {
    size_t at = array->offset;
    for (uint64_t i = 0; i < array->count; i++) {
        const char *text = NULL;
        size_t length = 0;
        fq_gguf_next_string(g, &at, &text, &length);
    }
    return at - array->offset;
}

static fq_status read_tokens(fq_tokenizer *t, const fq_gguf *g, size_t merges) {
    const fq_gguf_entry *tokens = NULL, *types = NULL, *scores = NULL;
    bool found = false;
    FQ_TRY(fq_gguf_get_array(g, "tokenizer.ggml.tokens", FQ_GGUF_STRING, &tokens, NULL));
    FQ_TRY(fq_gguf_get_array(g, "tokenizer.ggml.token_type", FQ_GGUF_I32, &types, &found));
    FQ_TRY(fq_gguf_get_array(g, "tokenizer.ggml.scores", FQ_GGUF_F32, &scores, t->by_score ? NULL : &found));
    if (tokens->count > FQ_TOKENS_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: tokenizer.ggml.tokens: %llu tokens; allowed: %d",
                            g->file, tokens->offset, (unsigned long long)tokens->count, FQ_TOKENS_MAX);
    const size_t count = (size_t)tokens->count;
    FQ_TRY(same_count(g, types, "tokenizer.ggml.token_type", count));
    FQ_TRY(same_count(g, scores, "tokenizer.ggml.scores", count));
    FQ_TRY(fq_tokenizer_reserve(t, g->file, count, strings_bytes(g, tokens), merges));
    size_t at = tokens->offset;
    for (size_t id = 0; id < count; id++) {
        const char *text = NULL;
        size_t length = 0;
        fq_token_kind kind = FQ_TOKEN_NORMAL;
        fq_gguf_next_string(g, &at, &text, &length);
        FQ_TRY(kind_of(g, types, id, &kind));
        const float score = t->by_score ? fq_gguf_array_f32(g, scores, id) : 0.0f;
        FQ_TRY(fq_tokenizer_set_token(t, g->file, id, text, length, kind, score));
    }
    return fq_tokenizer_index(t, g->file);
}

static fq_status read_merges(fq_tokenizer *t, const fq_gguf *g, const fq_gguf_entry *merges) {
    size_t at = merges->offset;
    for (uint64_t i = 0; i < merges->count; i++) {
        const char *text = NULL;
        size_t length = 0;
        fq_gguf_next_string(g, &at, &text, &length);
        FQ_TRY(fq_tokenizer_add_merge_line(t, g->file, text, length));
    }
    fq_tokenizer_index_merges(t);
    return FQ_OK;
}

static fq_status read_id(const fq_tokenizer *t, const fq_gguf *g, const char *key, uint32_t *id,
                         bool *found) {
    uint64_t value = 0;
    FQ_TRY(fq_gguf_get_unsigned(g, key, 0, t->info.vocabulary - 1, &value, found));
    if (*found)
        *id = (uint32_t)value;
    return FQ_OK;
}

fq_status fq_tokenizer_read_gguf(fq_tokenizer *t, const fq_checkpoint *checkpoint) {
    const fq_gguf *g = &checkpoint->gguf;
    const fq_gguf_entry *merges = NULL;
    bool found = false;
    FQ_TRY(read_kind(t, g, checkpoint->config.architecture));
    if (!t->by_score) {
        FQ_TRY(fq_gguf_get_array(g, "tokenizer.ggml.merges", FQ_GGUF_STRING, &merges, NULL));
        if (merges->count > FQ_TOKENS_MAX)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: tokenizer.ggml.merges: %llu; allowed: %d",
                                g->file, merges->offset, (unsigned long long)merges->count, FQ_TOKENS_MAX);
    }
    FQ_TRY(read_tokens(t, g, merges ? (size_t)merges->count : 0));
    if (merges)
        FQ_TRY(read_merges(t, g, merges));
    FQ_TRY(read_id(t, g, "tokenizer.ggml.bos_token_id", &t->info.bos, &t->info.has_bos));
    FQ_TRY(read_id(t, g, "tokenizer.ggml.eos_token_id", &t->info.eos, &t->info.has_eos));
    /* byte-level vocabularies name an unknown token that nothing ever needs */
    if (t->kind == FQ_TOKENIZER_SENTENCEPIECE)
        FQ_TRY(read_id(t, g, "tokenizer.ggml.unknown_token_id", &t->unknown, &found));
    t->info.adds_bos = t->kind == FQ_TOKENIZER_SENTENCEPIECE;
    FQ_TRY(fq_gguf_get_bool(g, "tokenizer.ggml.add_bos_token", &t->info.adds_bos, &found));
    t->info.adds_bos = t->info.adds_bos && t->info.has_bos;
    return FQ_OK;
}
