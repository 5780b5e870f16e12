/* Rows of a table by what they are called: series of a figure are rows with the same label. */
#ifndef FQ_SERIES_H
#define FQ_SERIES_H

#include <stddef.h>

#include "status.h"

typedef struct fq_labels {
    char **label; /* [count], in order of their first appearance */
    size_t count, room;
} fq_labels;

/* The number of a label, added if it is new. clear accepts a struct of zeros. */
FQ_MUST_CHECK fq_status fq_labels_add(fq_labels *labels, const char *label, size_t *number);
void fq_labels_clear(fq_labels *labels);

#endif
