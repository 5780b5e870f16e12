/* Short strings put together in a caller's buffer, for names and error records: core has no stdio.
 * What does not fit is cut; the buffer is always terminated. */
#ifndef FQ_TEXT_BUILDER_H
#define FQ_TEXT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fq_text {
    char *buffer;
    size_t capacity, length;
    bool cut; /* something did not fit */
} fq_text;

/* An empty text in buffer[capacity], capacity >= 1. */
fq_text fq_text_begin(char *buffer, size_t capacity);
void fq_text_add(fq_text *text, const char *string);
void fq_text_add_span(fq_text *text, const char *from, size_t length);
void fq_text_add_number(fq_text *text, uint64_t number);

/* A number >= 0 and below 2^53 rounded to six decimals, without zeros at its end. */
#define FQ_MILLIONTHS 1e6
void fq_text_add_decimal(fq_text *text, double decimal);

#endif
