/* Whether a file's bytes look like the UTF-8 text that tokenizers expect. Other encodings are read without an
 * error (every byte has a token) and give numbers that mean nothing: callers warn. */
#ifndef FQ_TEXT_ENCODING_H
#define FQ_TEXT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum { FQ_TEXT_DOUBT_MAX = 200 };

/* false for UTF-8 without a byte order mark (an empty text is one). Otherwise doubt says what is wrong and
 * where: UTF-16 or UTF-32 (a byte order mark, or zeros at every other byte), a byte order mark of UTF-8,
 * bytes that are no UTF-8 (how many, the first one's offset, and whether it may be an 8-bit code like
 * Latin-1). Cost: one pass. */
bool fq_text_encoding_doubt(const void *bytes, size_t length, char doubt[FQ_TEXT_DOUBT_MAX]);

#endif
