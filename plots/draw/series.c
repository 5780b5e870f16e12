#include "series.h"

#include <string.h>

#include "memory.h"

fq_status fq_labels_add(fq_labels *labels, const char *label, size_t *number) {
    for (*number = 0; *number < labels->count; ++*number)
        if (strcmp(labels->label[*number], label) == 0)
            return FQ_OK;
    if (labels->count == labels->room) {
        char **more = NULL;
        const size_t room = labels->room ? 2 * labels->room : 16;
        FQ_TRY(fq_alloc(&more, room, sizeof *more));
        if (labels->count)
            memcpy(more, labels->label, labels->count * sizeof *more);
        fq_free(labels->label);
        labels->label = more;
        labels->room = room;
    }
    const size_t bytes = strlen(label) + 1;
    char *copy = NULL;
    FQ_TRY(fq_alloc(&copy, bytes, 1));
    memcpy(copy, label, bytes);
    labels->label[labels->count++] = copy;
    return FQ_OK;
}

void fq_labels_clear(fq_labels *labels) {
    for (size_t i = 0; i < labels->count; i++)
        fq_free(labels->label[i]);
    fq_free(labels->label);
    memset(labels, 0, sizeof *labels);
}
