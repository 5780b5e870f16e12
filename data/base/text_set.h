/* A set of texts by hashing: adding and looking up take a time that does not grow with the set. One thread at
 * a time. */
#ifndef FQ_TEXT_SET_H
#define FQ_TEXT_SET_H

#include "arena.h"

typedef struct fq_text_set {
    const char **slots; /* [room], NULL: free; the texts in arena */
    size_t count, room; /* room: 0 or a power of two, at least twice count */
    fq_arena arena;
} fq_text_set;

/* A set of zeros is empty; clear makes it so again. */
void fq_text_set_clear(fq_text_set *set);

bool fq_text_set_has(const fq_text_set *set, const char *text);

/* Adds a copy, unless it is there. FQ_ERR_MEMORY leaves the set as it was. */
FQ_MUST_CHECK fq_status fq_text_set_add(fq_text_set *set, const char *text);

#endif
