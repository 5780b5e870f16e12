/* Cutting text into words as GPT-2's pattern does, by hand: one pass, no backtracking, and bytes that are
 * no UTF-8 count as punctuation. */
#include <string.h>
#include <utf8proc.h>

#include "tokenizer_internal.h"

typedef enum char_class { CLASS_LETTER, CLASS_NUMBER, CLASS_SPACE, CLASS_OTHER, CLASS_END } char_class;

/* Unicode's White_Space property, which \s stands for. */
static bool is_space(utf8proc_int32_t c) {
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

static char_class class_of(utf8proc_int32_t c) {
    if (is_space(c))
        return CLASS_SPACE;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return CLASS_NUMBER;
    default:
        return CLASS_OTHER;
    }
}

/* The character at text+at: its class and length in bytes (0 at the end). */
static char_class look(const char *text, size_t length, size_t at, size_t *bytes) {
    *bytes = 0;
    if (at >= length)
        return CLASS_END;
    utf8proc_int32_t c = -1;
    const size_t left = length - at;
    const utf8proc_ssize_t used =
        utf8proc_iterate((const utf8proc_uint8_t *)text + at, left < 4 ? (utf8proc_ssize_t)left : 4, &c);
    *bytes = used > 0 ? (size_t)used : 1;
    return used > 0 ? class_of(c) : CLASS_OTHER;
}

size_t fq_character_length(const char *text, size_t length) {
    size_t bytes = 0;
    (void)look(text, length, 0, &bytes);
    return bytes;
}

static size_t contraction(const char *text, size_t length) {
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t n = strlen(endings[i]);
        if (length >= n && memcmp(text, endings[i], n) == 0)
            return n;
    }
    return 0;
}

size_t fq_word_length(fq_word_pattern pattern, const char *text, size_t length) {
    const bool digits = pattern == FQ_WORDS_DIGITS;
    const size_t short_form = contraction(text, length);
    if (short_form)
        return short_form;
    size_t bytes = 0;
    char_class first = look(text, length, 0, &bytes);
    size_t at = 0;
    if (text[0] == ' ') { /* one space may lead a word of any other class */
        size_t next_bytes = 0;
        const char_class next = look(text, length, 1, &next_bytes);
        if (next != CLASS_SPACE && next != CLASS_END && !(digits && next == CLASS_NUMBER)) {
            at = 1;
            first = next;
            bytes = next_bytes;
        }
    }
    if (first == CLASS_NUMBER && digits)
        return bytes;
    size_t last = at; /* where the last character of the run starts */
    char_class class = first;
    do {
        last = at;
        at += bytes;
        class = look(text, length, at, &bytes);
    } while (class == first);
    /* a run of spaces before a word leaves its last character to that word */
    const bool ends_piece = class == CLASS_END || (digits && class == CLASS_NUMBER);
    if (first == CLASS_SPACE && !ends_piece && last > 0)
        return last;
    return at;
}
