/* The parts of a tokenizer: what a reader (GGUF, folder) fills in, and what encoding uses. */
#ifndef FQ_TOKENIZER_INTERNAL_H
#define FQ_TOKENIZER_INTERNAL_H

#include "checkpoint_internal.h"
#include "tokenizer.h"

enum { FQ_TOKEN_MAX_BYTES = 4096, FQ_TOKENS_MAX = 1 << 22 };
#define FQ_NO_TOKEN UINT32_MAX

typedef enum fq_token_kind {
    FQ_TOKEN_NORMAL,  /* made by merging */
    FQ_TOKEN_CONTROL, /* stands for no text */
    FQ_TOKEN_PLAIN,   /* has a text, but encoding never makes it (added by hand, unused, unknown) */
    FQ_TOKEN_BYTE     /* SentencePiece's <0x00> to <0xFF> */
} fq_token_kind;

typedef enum fq_tokenizer_kind { FQ_TOKENIZER_BYTE_LEVEL, FQ_TOKENIZER_SENTENCEPIECE } fq_tokenizer_kind;

typedef enum fq_word_pattern {
    FQ_WORDS_GPT2,  /* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
    FQ_WORDS_DIGITS /* the same between characters of \p{N}, each of which is a word */
} fq_word_pattern;

typedef struct fq_token {
    size_t start, length; /* in the pool of bytes: what the token decodes to */
    fq_token_kind kind;
    float score; /* SentencePiece with scores: higher merges first */
} fq_token;

typedef struct fq_merge {
    uint32_t left, right; /* adjacent tokens */
    uint32_t rank;        /* lower merges first */
    uint32_t result;
} fq_merge;

struct fq_tokenizer {
    fq_tokenizer_info info;
    fq_tokenizer_kind kind;
    fq_word_pattern words;    /* byte-level */
    bool adds_space;          /* SentencePiece: puts a space in front */
    bool by_score;            /* merges any two tokens that together are a token, best score first */
    uint32_t unknown;         /* or FQ_NO_TOKEN */
    uint32_t byte_token[256]; /* the token of a single byte, or FQ_NO_TOKEN */

    fq_token *tokens; /* info.vocabulary of them */
    char *pool;
    size_t pool_used, pool_size;

    uint32_t *sorted; /* NORMAL tokens by bytes */
    size_t sorted_count;
    fq_merge *merges; /* by (left, right) */
    size_t merge_count, merge_room;
};

/* --- filling in (tokenizer_vocabulary.c); where names the file in messages --- */

/* Room for count tokens of pool_bytes bytes together, and for merge_count merges. */
FQ_MUST_CHECK fq_status fq_tokenizer_reserve(fq_tokenizer *t, const char *where, size_t count,
                                             size_t pool_bytes, size_t merge_count);

/* Sets token id (in any order, each once): spelling is in the file's own alphabet (byte-level: GPT-2's
 * printable stand-ins for bytes; SentencePiece: U+2581 for a space), never longer when decoded. */
FQ_MUST_CHECK fq_status fq_tokenizer_set_token(fq_tokenizer *t, const char *where, size_t id,
                                               const char *spelling, size_t length, fq_token_kind kind,
                                               float score);

/* After all tokens: sorts them; refuses two NORMAL tokens of the same bytes. */
FQ_MUST_CHECK fq_status fq_tokenizer_index(fq_tokenizer *t, const char *where);

/* Adds the next merge, in order of rank, in the file's alphabet; after fq_tokenizer_index. */
FQ_MUST_CHECK fq_status fq_tokenizer_add_merge(fq_tokenizer *t, const char *where, const char *left,
                                               size_t left_length, const char *right, size_t right_length);

/* The same from "left right": exactly one space, not at an end. */
FQ_MUST_CHECK fq_status fq_tokenizer_add_merge_line(fq_tokenizer *t, const char *where, const char *line,
                                                    size_t length);

/* After all merges: sorts them; of a pair that occurs twice the first stays. */
void fq_tokenizer_index_merges(fq_tokenizer *t);

/* The NORMAL token of these bytes, or FQ_NO_TOKEN. */
uint32_t fq_tokenizer_find(const fq_tokenizer *t, const char *bytes, size_t length);

/* The merge of two adjacent tokens, or NULL. */
const fq_merge *fq_tokenizer_find_merge(const fq_tokenizer *t, uint32_t left, uint32_t right);

/* --- encoding --- */

/* Length of the first word of text[0..length), length >= 1 (tokenizer_words.c). */
size_t fq_word_length(fq_word_pattern pattern, const char *text, size_t length);

/* Bytes of the UTF-8 character at text, 1 for a byte that starts no well-formed one; length >= 1. */
size_t fq_character_length(const char *text, size_t length);

/* Merges one word: appends its tokens to ids at *count, for which there is room for length more. offset is
 * the word's place in the text, for messages (tokenizer_merge.c). */
FQ_MUST_CHECK fq_status fq_tokenizer_merge_word(const fq_tokenizer *t, const char *word, size_t length,
                                                size_t offset, uint32_t *ids, size_t *count);

/* --- readers --- */
FQ_MUST_CHECK fq_status fq_tokenizer_read_gguf(fq_tokenizer *t, const fq_checkpoint *checkpoint);
FQ_MUST_CHECK fq_status fq_tokenizer_read_folder(fq_tokenizer *t, const fq_checkpoint *checkpoint);

#endif
