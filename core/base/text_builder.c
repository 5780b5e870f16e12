#include "text_builder.h"

#include <math.h>
#include <string.h>

fq_text fq_text_begin(char *buffer, size_t capacity) {
    buffer[0] = '\0';
    return (fq_text){buffer, capacity, 0, false};
}

void fq_text_add_span(fq_text *text, const char *from, size_t length) {
    const size_t room = text->capacity - 1 - text->length;
    if (length > room) {
        length = room;
        text->cut = true;
    }
    memcpy(text->buffer + text->length, from, length);
    text->length += length;
    text->buffer[text->length] = '\0';
}

void fq_text_add(fq_text *text, const char *string) {
    fq_text_add_span(text, string, strlen(string));
}

void fq_text_add_number(fq_text *text, uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    fq_text_add_span(text, digits + first, sizeof digits - first);
}

void fq_text_add_decimal(fq_text *text, double decimal) {
    double whole = floor(decimal);
    uint64_t fraction = (uint64_t)llround((decimal - whole) * FQ_MILLIONTHS), place = 100000;
    whole += fraction == 1000000;
    fraction %= 1000000;
    fq_text_add_number(text, (uint64_t)whole);
    if (fraction)
        fq_text_add(text, ".");
    for (; fraction; fraction %= place, place /= 10)
        fq_text_add_number(text, fraction / place);
}
