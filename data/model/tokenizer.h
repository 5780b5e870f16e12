/* Tokenizers, from the checkpoint's own data: bytes to token ids and back.
 *
 * Two families:
 *   - byte-level byte-pair encoding (GPT-2, SmolLM2): the text is cut into words by a fixed pattern over
 *     Unicode classes, each word's bytes are merged by rank. Byte 0 and malformed UTF-8 are legal: a
 *     byte that belongs to no UTF-8 character is treated as one punctuation character. decode(encode(x))
 *     = x for all x whenever the vocabulary holds all 256 single bytes;
 *   - SentencePiece-style byte-pair encoding (Llama): spaces become U+2581, a space is put in front if
 *     the model says so, pieces are merged by score, and what remains unknown falls back to bytes.
 *     decode removes the space that encode put in front.
 * Text is text: the spelling of a control token in it ("<|im_end|>") is encoded as those characters,
 * never as the control token.
 *
 * A tokenizer may be used by several threads at once.
 */
#ifndef FQ_TOKENIZER_H
#define FQ_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checkpoint.h"
#include "status.h"

typedef struct fq_tokenizer fq_tokenizer;

typedef struct fq_tokenizer_info {
    size_t vocabulary; /* ids are 0..vocabulary-1; never more than the model's vocabulary */
    bool has_bos, has_eos;
    uint32_t bos, eos;   /* begin and end of text; 0 if not there */
    bool adds_bos;       /* whether the model expects bos in front of a text */
    const char *kind;    /* "byte-level BPE" or "SentencePiece BPE" */
    const char *pattern; /* how words are cut: "gpt-2", "smollm", ...; "" for SentencePiece */
} fq_tokenizer_info;

/* Makes the checkpoint's tokenizer; the checkpoint may be closed afterwards. FQ_ERR_INPUT if its data is
 * missing or malformed, FQ_ERR_UNSUPPORTED for another kind of tokenizer. On failure *out is NULL. */
FQ_MUST_CHECK fq_status fq_tokenizer_open(fq_tokenizer **out, const fq_checkpoint *checkpoint);

/* NULL accepted. */
void fq_tokenizer_close(fq_tokenizer *tokenizer);

/* Valid until the tokenizer is closed. */
const fq_tokenizer_info *fq_tokenizer_about(const fq_tokenizer *tokenizer);

/* *ids = the tokens of bytes[0..length), to be freed with fq_free; *count of them. No bos or eos is
 * added: callers do that, knowing adds_bos. FQ_ERR_INPUT if a byte cannot be expressed (a vocabulary
 * without it and without an unknown token), naming its offset. Cost: O(length log length). */
FQ_MUST_CHECK fq_status fq_tokenizer_encode(const fq_tokenizer *tokenizer, const void *bytes, size_t length,
                                            uint32_t **ids, size_t *count);

/* *bytes = the text of ids[0..count), with a zero byte after it that *length does not count, to be freed
 * with fq_free. Control tokens (bos, eos, ...) give no text. FQ_ERR_ARGUMENT for an id out of range. */
FQ_MUST_CHECK fq_status fq_tokenizer_decode(const fq_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                                            char **bytes, size_t *length);

#endif
