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
