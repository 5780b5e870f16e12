/* Texts from files and from other people (names, attributes, options) as something a terminal may be sent. */
#ifndef FQ_PRINTABLE_H
#define FQ_PRINTABLE_H

#include <stddef.h>

/* Copies text to out[room], terminated, and cut before a character that does not fit (room >= 1). Printable
 * UTF-8 stays as it is. What could steer a terminal, break a line or turn its direction is spelt out: \n, \r,
 * \t, else \xNN a byte; so are bytes that are no UTF-8. A backslash stays one. Returns the length of what is
 * in out. out and text must not overlap. */
size_t fq_printable(char *out, size_t room, const char *text);

#endif
