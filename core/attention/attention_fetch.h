/* Asking for what will be read next, part by part, while there is something to compute. */
#ifndef FQ_ATTENTION_FETCH_H
#define FQ_ATTENTION_FETCH_H

#include "attention_kernels.h"

/* Part `part` of `parts` of what will be read next, into the second-level cache: it takes more requests at a
 * time than the first one. */
static inline __attribute__((always_inline)) void fetch(fq_attention_ahead ahead, size_t part, size_t parts) {
    const size_t share = ahead.bytes / parts + 1,
                 end = ahead.bytes < (part + 1) * share ? ahead.bytes : (part + 1) * share;
    for (size_t b = part * share; b < end; b += 64)
        __builtin_prefetch(ahead.from + b, 0, 2);
}

#endif
