#include "memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t allocations;
static atomic_size_t failing_allocation;
static atomic_size_t live;

size_t fq_alloc_fail_at(size_t n) {
    const size_t before = atomic_exchange(&allocations, 0);
    atomic_store(&failing_allocation, n);
    return before;
}

fq_status fq_size_multiply(size_t *product, size_t a, size_t b, const char *argument) {
    if (b != 0 && a > SIZE_MAX / b)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, argument, a, "a size whose product fits in size_t");
    *product = a * b;
    return FQ_OK;
}

fq_status fq_alloc(void *out_pointer, size_t count, size_t size) {
    size_t bytes = 0;
    FQ_TRY(fq_size_multiply(&bytes, count, size, "count"));
    if (bytes > SIZE_MAX - FQ_ALIGNMENT)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "count", count, "fewer bytes than SIZE_MAX");
    const size_t ordinal = atomic_fetch_add(&allocations, 1) + 1;
    void *pointer = NULL;
    if (ordinal != atomic_load(&failing_allocation)) {
        /* aligned_alloc wants a multiple of the alignment */
        const size_t rounded = (bytes + FQ_ALIGNMENT - 1) / FQ_ALIGNMENT * FQ_ALIGNMENT;
        pointer = aligned_alloc(FQ_ALIGNMENT, rounded ? rounded : FQ_ALIGNMENT);
    }
    if (!pointer)
        return FQ_FAIL_VALUE(FQ_ERR_MEMORY, "bytes", bytes, "what the machine has free");
    atomic_fetch_add(&live, 1);
    memcpy(out_pointer, &pointer, sizeof pointer);
    return FQ_OK;
}

fq_status fq_alloc_zero(void *out_pointer, size_t count, size_t size) {
    void *pointer = NULL;
    FQ_TRY(fq_alloc(&pointer, count, size));
    memset(pointer, 0, count * size);
    memcpy(out_pointer, &pointer, sizeof pointer);
    return FQ_OK;
}

size_t fq_alloc_live(void) {
    return atomic_load(&live);
}

void fq_free(void *pointer) {
    if (pointer)
        atomic_fetch_sub(&live, 1);
    free(pointer);
}
