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

static _Thread_local fq_alloc_room *room;

void fq_alloc_from(fq_alloc_room *given) {
    room = given;
}

bool fq_alloc_is_from_room(void) {
    return room != NULL;
}

/* Before every piece of a room: which piece was given before it, and whether it was taken back. */
typedef struct piece {
    size_t before;
    bool free;
} piece;

static piece *piece_at(const fq_alloc_room *r, size_t offset) {
    return (piece *)(void *)(r->base + offset - FQ_ALIGNMENT);
}

/* bytes is a multiple of the alignment; NULL if there is no room. */
static void *take_piece(fq_alloc_room *r, size_t bytes) {
    if (bytes > r->capacity || r->capacity - bytes < r->used + FQ_ALIGNMENT)
        return NULL;
    const size_t offset = r->used + FQ_ALIGNMENT;
    *piece_at(r, offset) = (piece){.before = r->last};
    r->last = offset;
    r->used = offset + bytes;
    r->most = r->used > r->most ? r->used : r->most;
    return r->base + offset;
}

static void give_back(fq_alloc_room *r, const void *pointer) {
    piece_at(r, (size_t)((const unsigned char *)pointer - r->base))->free = true;
    while (r->last && piece_at(r, r->last)->free) {
        r->used = r->last - FQ_ALIGNMENT;
        r->last = piece_at(r, r->last)->before;
    }
}

fq_status fq_alloc(void *out_pointer, size_t count, size_t size) {
    size_t bytes = 0;
    FQ_TRY(fq_size_multiply(&bytes, count, size, "count"));
    if (bytes > SIZE_MAX - FQ_ALIGNMENT)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "count", count, "fewer bytes than SIZE_MAX");
    void *pointer = NULL;
    /* aligned_alloc wants a multiple of the alignment */
    const size_t rounded = (bytes + FQ_ALIGNMENT - 1) / FQ_ALIGNMENT * FQ_ALIGNMENT;
    if (room) {
        pointer = take_piece(room, rounded);
        if (!pointer)
            return FQ_FAIL_VALUE(FQ_ERR_MEMORY, "bytes", bytes, "what the work space has free");
        memcpy(out_pointer, &pointer, sizeof pointer);
        return FQ_OK;
    }
    const size_t ordinal = atomic_fetch_add(&allocations, 1) + 1;
    if (ordinal != atomic_load(&failing_allocation)) {
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
    if (room && pointer) {
        give_back(room, pointer);
        return;
    }
    if (pointer)
        atomic_fetch_sub(&live, 1);
    free(pointer);
}
