#include "arena.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

enum { CHUNK_BYTES = 16384 };

struct fq_arena_chunk {
    fq_arena_chunk *older;
    size_t used, size;
    max_align_t bytes[];
};

void fq_arena_clear(fq_arena *arena) {
    while (arena->newest) {
        fq_arena_chunk *older = arena->newest->older;
        fq_free(arena->newest);
        arena->newest = older;
    }
}

fq_status fq_arena_alloc(fq_arena *arena, void *out_pointer, size_t count, size_t size) {
    const size_t unit = sizeof(max_align_t);
    size_t bytes = 0;
    FQ_TRY(fq_size_multiply(&bytes, count, size, "count"));
    if (bytes > SIZE_MAX / 2)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "bytes", bytes, "half the address space");
    bytes = (bytes + unit - 1) / unit * unit;
    if (!arena->newest || arena->newest->size - arena->newest->used < bytes) {
        const size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        fq_arena_chunk *chunk = NULL;
        FQ_TRY(fq_alloc_zero(&chunk, 1, offsetof(fq_arena_chunk, bytes) + room));
        chunk->older = arena->newest;
        chunk->size = room;
        arena->newest = chunk;
    }
    void *start = (char *)arena->newest->bytes + arena->newest->used;
    arena->newest->used += bytes;
    memcpy(out_pointer, &start, sizeof start);
    return FQ_OK;
}

fq_status fq_arena_text(fq_arena *arena, const char **copy, const char *text, size_t length) {
    char *room = NULL;
    if (length == SIZE_MAX)
        return FQ_FAIL(FQ_ERR_OVERFLOW, "length", "below SIZE_MAX");
    FQ_TRY(fq_arena_alloc(arena, &room, length + 1, 1));
    memcpy(room, text, length);
    *copy = room;
    return FQ_OK;
}
