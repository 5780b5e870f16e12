/* Many small objects with one lifetime: allocated one by one, freed together.
 *
 * Not thread-safe. Everything comes from core/memory.h, so injected allocation faults reach it.
 */
#ifndef FQ_ARENA_H
#define FQ_ARENA_H

#include "status.h"

typedef struct fq_arena_chunk fq_arena_chunk;

typedef struct fq_arena {
    fq_arena_chunk *newest; /* all NULL / 0: empty */
} fq_arena;

/* Frees everything; the arena is empty and usable again. */
void fq_arena_clear(fq_arena *arena);

/* *out_pointer = room for count objects of size bytes, zeroed, aligned for any type. */
FQ_MUST_CHECK fq_status fq_arena_alloc(fq_arena *arena, void *out_pointer, size_t count, size_t size);

/* *copy = a terminated copy of text[0..length-1]. */
FQ_MUST_CHECK fq_status fq_arena_text(fq_arena *arena, const char **copy, const char *text, size_t length);

#endif
