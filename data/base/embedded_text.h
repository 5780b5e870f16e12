/* Text files that the program carries inside itself: gnuplot scripts, manifests. */
#ifndef FQ_EMBEDDED_TEXT_H
#define FQ_EMBEDDED_TEXT_H

#include <stddef.h>

#include "status.h"

typedef struct fq_embedded_text {
    const char *name;
    const unsigned char *bytes; /* with a zero byte behind the last */
    size_t length;
} fq_embedded_text;

/* The text of that name in a table that ends with a NULL name, or NULL. */
const fq_embedded_text *fq_embedded_text_find(const fq_embedded_text *table, const char *name);

/* Writes it to folder/name (replacing a file there). FQ_ERR_OUTPUT names the path. */
FQ_MUST_CHECK fq_status fq_embedded_text_write(const fq_embedded_text *text, const char *folder);

#endif
