#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the character at text, its number in *code; 0 if they are no UTF-8 (overlong, surrogate, cut). */
static size_t character(const unsigned char *text, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = text[0];
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (length > 1 && (lead < 0xC2 || lead > 0xF4))
        return 0;
    *code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3F);
    }
    const bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[length] || *code > 0x10FFFF || surrogate ? 0 : length;
}

/* Controls of both sets, line and paragraph separators, marks that turn the direction of text. */
static bool steers(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

/* One character, or one byte that is none, as it shall appear; how many bytes of text it was. */
static size_t spell(char piece[20], const char *text) {
    uint32_t code = 0;
    size_t length = character((const unsigned char *)text, &code), used = 0;
    if (length && !steers(code)) {
        memcpy(piece, text, length);
        piece[length] = '\0';
        return length;
    }
    const char *name = code == '\n' ? "\\n" : code == '\r' ? "\\r" : code == '\t' ? "\\t" : NULL;
    length = length ? length : 1;
    if (length == 1 && name) {
        strcpy(piece, name);
        return 1;
    }
    for (size_t i = 0; i < length; i++)
        used += (size_t)snprintf(piece + used, 20 - used, "\\x%02x", (unsigned)(unsigned char)text[i]);
    return length;
}

size_t fq_printable(char *out, size_t room, const char *text) {
    size_t used = 0;
    while (*text) {
        char piece[20];
        text += spell(piece, text);
        const size_t length = strlen(piece);
        if (used + length >= room)
            break;
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used] = '\0';
    return used;
}
