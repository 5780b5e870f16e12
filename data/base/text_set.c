#include "text_set.h"

#include <stdint.h>
#include <string.h>

#include "memory.h"

enum { FIRST_ROOM = 64 };

/* FNV-1a, 64 bits, and its upper half folded in, since only lower bits choose a slot. */
static size_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds the text, or the free one where it belongs. */
static size_t find(const char *const *slots, size_t room, const char *text) {
    size_t at = hash_of(text) & (room - 1);
    while (slots[at] && strcmp(slots[at], text) != 0)
        at = (at + 1) & (room - 1);
    return at;
}

void fq_text_set_clear(fq_text_set *set) {
    fq_free(set->slots);
    fq_arena_clear(&set->arena);
    *set = (fq_text_set){0};
}

bool fq_text_set_has(const fq_text_set *set, const char *text) {
    return set->room && set->slots[find(set->slots, set->room, text)];
}

static fq_status grow(fq_text_set *set) {
    const char **larger = NULL;
    const size_t room = set->room ? 2 * set->room : FIRST_ROOM;
    FQ_TRY(fq_alloc_zero(&larger, room, sizeof *larger));
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i])
            larger[find(larger, room, set->slots[i])] = set->slots[i];
    fq_free(set->slots);
    set->slots = larger;
    set->room = room;
    return FQ_OK;
}

fq_status fq_text_set_add(fq_text_set *set, const char *text) {
    if (fq_text_set_has(set, text))
        return FQ_OK;
    if (2 * (set->count + 1) > set->room)
        FQ_TRY(grow(set));
    const size_t at = find(set->slots, set->room, text);
    const char *copy = NULL;
    FQ_TRY(fq_arena_text(&set->arena, &copy, text, strlen(text)));
    set->slots[at] = copy;
    set->count++;
    return FQ_OK;
}
