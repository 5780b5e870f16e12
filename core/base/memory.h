/* Allocation with overflow-checked sizes, cache-line aligned, and a seam for fault injection.
 *
 * Everything in fibquant allocates through these, so that tests can make the n-th allocation fail.
 */
#ifndef FQ_MEMORY_H
#define FQ_MEMORY_H

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FQ_ALIGNMENT = 64 };

/* *out = 64-byte aligned room for count objects of size bytes, not initialised; count 0 gives a
 * valid pointer to nothing. FQ_ERR_OVERFLOW if count*size overflows, FQ_ERR_MEMORY. */
FQ_MUST_CHECK fq_status fq_alloc(void *out_pointer, size_t count, size_t size);

/* The same, zeroed. */
FQ_MUST_CHECK fq_status fq_alloc_zero(void *out_pointer, size_t count, size_t size);

/* Frees what the two above gave; NULL accepted. */
void fq_free(void *pointer);

/* Memory for calls that must not take any from the heap. On the calling thread, from fq_alloc_from(room)
 * until fq_alloc_from(NULL), fq_alloc gives pieces of room->base[capacity], aligned as base is, and fq_free
 * takes them back: at once what was given last, the rest when all behind it is free. What does not fit is
 * FQ_ERR_MEMORY. */
typedef struct fq_alloc_room {
    unsigned char *base;         /* 64-byte aligned */
    size_t capacity, used, most; /* most: the largest used so far */
    size_t last;                 /* offset behind the header of the piece given last; 0: none */
} fq_alloc_room;

void fq_alloc_from(fq_alloc_room *room);
bool fq_alloc_is_from_room(void);

/* *product = a*b, or FQ_ERR_OVERFLOW naming the argument. */
FQ_MUST_CHECK fq_status fq_size_multiply(size_t *product, size_t a, size_t b, const char *argument);

/* For tests: the n-th allocation from now (1-based, counted over all threads) fails; 0 switches
 * that off. Returns the number of allocations since the last call. */
size_t fq_alloc_fail_at(size_t n);

/* For tests: how many allocations of this process have not been freed. */
size_t fq_alloc_live(void);

#ifdef __cplusplus
}
#endif
#endif
