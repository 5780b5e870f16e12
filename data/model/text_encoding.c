#include "text_encoding.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

enum { LOOK = 4096 };

/* Zeros at more than a third of the even, or of the odd, bytes at the beginning: Latin letters in UTF-16 have
 * a zero at every other byte. */
static bool looks_like_utf16(const unsigned char *text, size_t length) {
    const size_t n = (length < LOOK ? length : LOOK) / 2;
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < 2 * n; i++)
        zeros[i % 2] += text[i] == 0;
    return n >= 2 && (3 * zeros[0] > n || 3 * zeros[1] > n);
}

/* Bytes that belong to no UTF-8 character, the first one's offset, and how many characters of more than one
 * byte. */
typedef struct census {
    size_t bad, first, wide;
} census;

static census count(const unsigned char *text, size_t length) {
    census c = {0};
    for (size_t at = 0; at < length;) {
        utf8proc_int32_t character = 0;
        utf8proc_ssize_t used = 1;
        if (text[at] >= 0x80) {
            const size_t left = length - at;
            used = utf8proc_iterate(text + at, left < 4 ? (utf8proc_ssize_t)left : 4, &character);
            if (used < 1 && c.bad++ == 0)
                c.first = at;
            c.wide += used > 1;
        }
        at += used < 1 ? 1 : (size_t)used;
    }
    return c;
}

bool fq_text_encoding_doubt(const void *bytes, size_t length, char doubt[FQ_TEXT_DOUBT_MAX]) {
    const unsigned char *text = bytes;
    const bool little = length >= 2 && text[0] == 0xff && text[1] == 0xfe;
    const bool big = length >= 2 && text[0] == 0xfe && text[1] == 0xff;
    if (little || big) {
        snprintf(doubt, FQ_TEXT_DOUBT_MAX, "begins with the byte order mark of UTF-16 or UTF-32");
        return true;
    }
    if (looks_like_utf16(text, length)) {
        snprintf(doubt, FQ_TEXT_DOUBT_MAX, "every other byte is zero, as in UTF-16");
        return true;
    }
    const census c = count(text, length);
    if (c.bad > 0) {
        snprintf(doubt, FQ_TEXT_DOUBT_MAX, "%zu bytes are no UTF-8, the first at offset %zu (0x%02x)%s",
                 c.bad, c.first, text[c.first], c.wide == 0 ? ": perhaps Latin-1 or another 8-bit code" : "");
        return true;
    }
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        snprintf(doubt, FQ_TEXT_DOUBT_MAX, "begins with a byte order mark, which is read as text");
        return true;
    }
    return false;
}
