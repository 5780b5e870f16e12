#include "gguf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"

enum { MAX_NESTING = 4, DEFAULT_ALIGNMENT = 32, MAX_ALIGNMENT = 1 << 20 };
/* Fewest bytes an entry (empty key, one byte of value) and a tensor's description can take. */
enum { LEAST_ENTRY = 8 + 4 + 1, LEAST_TENSOR = 8 + 4 + 8 + 4 + 8 };

typedef struct cursor {
    const char *file;
    const unsigned char *bytes;
    size_t size, at; /* at <= size always */
} cursor;

#define FAIL_AT(c, offset, field, ...) fail_at((c)->file, (offset), (field), __LINE__, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static fq_status
fail_at(const char *file, size_t offset, const char *field, int line, const char *format, ...) {
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return fq_failure_format(FQ_ERR_INPUT, __FILE__, line, "%s: byte %zu: %s: %s", file, offset, field, what);
}

static fq_status take(cursor *c, size_t bytes, const char *field, const unsigned char **out) {
    if (c->size - c->at < bytes)
        return FAIL_AT(c, c->at, field, "the file ends here, %zu bytes early", bytes - (c->size - c->at));
    *out = c->bytes + c->at;
    c->at += bytes;
    return FQ_OK;
}

static fq_status take_unsigned(cursor *c, size_t bytes, const char *field, uint64_t *out) {
    const unsigned char *p = NULL;
    FQ_TRY(take(c, bytes, field, &p));
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)p[i] << 8 * i;
    return FQ_OK;
}

static fq_status take_string(cursor *c, const char *field, const char **out, size_t *length) {
    uint64_t claimed = 0;
    const size_t start = c->at;
    FQ_TRY(take_unsigned(c, 8, field, &claimed));
    if (claimed > c->size - c->at)
        return FAIL_AT(c, start, field, "a string of %llu bytes, but %zu are left in the file",
                       (unsigned long long)claimed, c->size - c->at);
    const unsigned char *p = NULL;
    FQ_TRY(take(c, (size_t)claimed, field, &p));
    *out = (const char *)p;
    *length = (size_t)claimed;
    return FQ_OK;
}

/* A string that can be printed and compared. */
static fq_status take_name(cursor *c, const char *field, const char **out, size_t *length) {
    const size_t start = c->at;
    FQ_TRY(take_string(c, field, out, length));
    if (*length == 0 || *length > FQ_GGUF_MAX_NAME)
        return FAIL_AT(c, start, field, "a name of %zu bytes; allowed: 1 to %d", *length, FQ_GGUF_MAX_NAME);
    for (size_t i = 0; i < *length; i++)
        if ((*out)[i] <= ' ' || (*out)[i] > '~')
            return FAIL_AT(c, start + 8 + i, field, "byte 0x%02x in a name; allowed: printable ASCII",
                           (unsigned char)(*out)[i]);
    return FQ_OK;
}

static size_t scalar_bytes(fq_gguf_type type) {
    static const size_t bytes[FQ_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return bytes[type];
}

static fq_status take_type(cursor *c, const char *field, fq_gguf_type *type) {
    uint64_t number = 0;
    const size_t start = c->at;
    FQ_TRY(take_unsigned(c, 4, field, &number));
    if (number >= FQ_GGUF_TYPES)
        return FAIL_AT(c, start, field, "value type %llu; allowed: 0 to %d", (unsigned long long)number,
                       FQ_GGUF_TYPES - 1);
    *type = (fq_gguf_type)number;
    return FQ_OK;
}

static fq_status skip_array(cursor *c, const char *field, int depth);

/* Moves past count values of a type that is no array of arrays beyond the limit. */
static fq_status skip_values(cursor *c, const char *field, fq_gguf_type type, uint64_t count, int depth) {
    const size_t bytes = scalar_bytes(type);
    if (bytes > 0) {
        if (count > (c->size - c->at) / bytes)
            return FAIL_AT(c, c->at, field, "%llu values of %zu bytes, but %zu bytes are left",
                           (unsigned long long)count, bytes, c->size - c->at);
        const unsigned char *p = NULL;
        FQ_TRY(take(c, (size_t)count * bytes, field, &p));
        for (size_t i = 0; type == FQ_GGUF_BOOL && i < (size_t)count; i++)
            if (p[i] > 1)
                return FAIL_AT(c, c->at - (size_t)count + i, field, "boolean %u; allowed: 0, 1", p[i]);
        return FQ_OK;
    }
    for (uint64_t i = 0; i < count; i++) { /* ends: each takes at least 8 bytes */
        if (type == FQ_GGUF_STRING) {
            const char *text = NULL;
            size_t length = 0;
            FQ_TRY(take_string(c, field, &text, &length));
        } else {
            FQ_TRY(skip_array(c, field, depth + 1));
        }
    }
    return FQ_OK;
}

static fq_status take_array_head(cursor *c, const char *field, fq_gguf_type *type, uint64_t *count) {
    FQ_TRY(take_type(c, field, type));
    return take_unsigned(c, 8, field, count);
}

static fq_status skip_array(cursor *c, const char *field, int depth) {
    if (depth > MAX_NESTING)
        return FAIL_AT(c, c->at, field, "arrays nested deeper than %d", MAX_NESTING);
    fq_gguf_type type = FQ_GGUF_U8;
    uint64_t count = 0;
    FQ_TRY(take_array_head(c, field, &type, &count));
    return skip_values(c, field, type, count, depth);
}

static fq_status take_entry(cursor *c, fq_gguf_entry *e) {
    FQ_TRY(take_name(c, "metadata key", &e->key, &e->key_length));
    char field[FQ_GGUF_MAX_NAME + 1];
    memcpy(field, e->key, e->key_length);
    field[e->key_length] = '\0';
    FQ_TRY(take_type(c, field, &e->type));
    e->element_type = FQ_GGUF_TYPES;
    e->count = 1;
    if (e->type != FQ_GGUF_ARRAY) {
        e->offset = c->at;
        return skip_values(c, field, e->type, 1, 0);
    }
    FQ_TRY(take_array_head(c, field, &e->element_type, &e->count));
    e->offset = c->at;
    return skip_values(c, field, e->element_type, e->count, 1);
}

/* offset stays relative to the tensor data here; the caller, who knows where that starts, adds it. */
static fq_status take_tensor(cursor *c, fq_gguf_tensor *t) {
    t->header_offset = c->at;
    FQ_TRY(take_name(c, "tensor name", &t->name, &t->name_length));
    char field[FQ_GGUF_MAX_NAME + 32];
    snprintf(field, sizeof field, "tensor %.*s", (int)t->name_length, t->name);
    uint64_t dimensions = 0;
    size_t start = c->at;
    FQ_TRY(take_unsigned(c, 4, field, &dimensions));
    if (dimensions < 1 || dimensions > FQ_GGUF_MAX_DIMENSIONS)
        return FAIL_AT(c, start, field, "%llu dimensions; allowed: 1 to %d", (unsigned long long)dimensions,
                       FQ_GGUF_MAX_DIMENSIONS);
    t->dimensions = (size_t)dimensions;
    t->rows = 1;
    for (size_t i = 0; i < t->dimensions; i++) {
        uint64_t size = 0;
        start = c->at;
        FQ_TRY(take_unsigned(c, 8, field, &size));
        /* no tensor has more elements than 2^48: products below cannot overflow 64 bits unnoticed */
        if (size < 1 || size > (UINT64_C(1) << 48))
            return FAIL_AT(c, start, field, "size %zu is %llu; allowed: 1 to 2^48", i,
                           (unsigned long long)size);
        if (i == 0)
            t->columns = (size_t)size;
        else if (t->rows > SIZE_MAX / 64 / (size_t)size / t->columns)
            return FAIL_AT(c, start, field, "the product of its sizes overflows");
        else
            t->rows *= (size_t)size;
    }
    uint64_t type = 0, offset = 0;
    start = c->at;
    FQ_TRY(take_unsigned(c, 4, field, &type));
    t->element = fq_element_of_gguf((uint32_t)type);
    if (t->element == FQ_ELEMENTS) {
        (void)FAIL_AT(c, start, field, "element type %llu is not one this program reads",
                      (unsigned long long)type);
        return fq_error_set_text(FQ_ERR_UNSUPPORTED, __FILE__, __LINE__, fq_error_last()->text);
    }
    const fq_element_layout *layout = fq_element_about(t->element);
    if (t->columns % layout->block_elements != 0)
        return FAIL_AT(c, start, field, "rows of %zu elements are no whole %s blocks of %zu", t->columns,
                       layout->name, layout->block_elements);
    t->bytes = t->columns / layout->block_elements * layout->block_bytes * t->rows;
    start = c->at;
    FQ_TRY(take_unsigned(c, 8, field, &offset));
    if (offset > c->size)
        return FAIL_AT(c, start, field, "data offset %llu is past the end of the file",
                       (unsigned long long)offset);
    t->offset = (size_t)offset;
    return FQ_OK;
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length) {
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_key(const void *a, const void *b) {
    const fq_gguf_entry *x = a, *y = b;
    return compare_names(x->key, x->key_length, y->key, y->key_length);
}

static int by_name(const void *a, const void *b) {
    const fq_gguf_tensor *x = a, *y = b;
    return compare_names(x->name, x->name_length, y->name, y->name_length);
}

static int by_offset(const void *a, const void *b) {
    const fq_gguf_tensor *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static fq_status take_count(cursor *c, const char *field, size_t least_bytes, size_t *out) {
    uint64_t count = 0;
    const size_t start = c->at;
    FQ_TRY(take_unsigned(c, 8, field, &count));
    if (count > FQ_GGUF_MAX_ENTRIES || count > (c->size - c->at) / least_bytes)
        return FAIL_AT(c, start, field, "%llu; allowed: at most %d, and no more than the file holds",
                       (unsigned long long)count, FQ_GGUF_MAX_ENTRIES);
    *out = (size_t)count;
    return FQ_OK;
}

static fq_status take_header(cursor *c, fq_gguf *g) {
    const unsigned char *magic = NULL;
    FQ_TRY(take(c, 4, "magic", &magic));
    if (memcmp(magic, "GGUF", 4) != 0)
        return FAIL_AT(c, 0, "magic", "not a GGUF file");
    uint64_t version = 0;
    FQ_TRY(take_unsigned(c, 4, "version", &version));
    if (version != 2 && version != 3) {
        const bool swapped = version == 2u << 24 || version == 3u << 24;
        return FAIL_AT(c, 4, "version", "%llu; allowed: 2, 3%s", (unsigned long long)version,
                       swapped ? " (this file is big-endian)" : "");
    }
    g->version = (uint32_t)version;
    FQ_TRY(take_count(c, "tensor count", LEAST_TENSOR, &g->tensors));
    FQ_TRY(take_count(c, "metadata count", LEAST_ENTRY, &g->entries));
    return FQ_OK;
}

static fq_status take_entries(cursor *c, fq_gguf *g) {
    FQ_TRY(fq_alloc_zero(&g->entry, g->entries, sizeof *g->entry));
    for (size_t i = 0; i < g->entries; i++)
        FQ_TRY(take_entry(c, &g->entry[i]));
    qsort(g->entry, g->entries, sizeof *g->entry, by_key);
    for (size_t i = 1; i < g->entries; i++)
        if (by_key(&g->entry[i - 1], &g->entry[i]) == 0)
            return FAIL_AT(c, g->entry[i].offset, "metadata key", "%.*s occurs twice",
                           (int)g->entry[i].key_length, g->entry[i].key);
    uint64_t alignment = DEFAULT_ALIGNMENT;
    bool found = false;
    FQ_TRY(fq_gguf_get_unsigned(g, "general.alignment", 1, MAX_ALIGNMENT, &alignment, &found));
    if ((alignment & (alignment - 1)) != 0)
        return FAIL_AT(c, fq_gguf_find(g, "general.alignment")->offset, "general.alignment",
                       "%llu; allowed: powers of two", (unsigned long long)alignment);
    g->alignment = (size_t)alignment;
    return FQ_OK;
}

static fq_status place_tensors(cursor *c, fq_gguf *g) {
    const size_t mask = g->alignment - 1;
    const size_t data = (c->at + mask) & ~mask;
    for (size_t i = 0; i < g->tensors; i++) {
        fq_gguf_tensor *t = &g->tensor[i];
        char field[FQ_GGUF_MAX_NAME + 32];
        snprintf(field, sizeof field, "tensor %.*s", (int)t->name_length, t->name);
        if ((t->offset & mask) != 0)
            return FAIL_AT(c, t->header_offset, field, "data offset %zu is no multiple of %zu", t->offset,
                           g->alignment);
        if (data > c->size || t->offset > c->size - data || t->bytes > c->size - data - t->offset)
            return FAIL_AT(c, t->header_offset, field,
                           "its %zu bytes at data offset %zu reach past the end of the file", t->bytes,
                           t->offset);
        t->offset += data;
    }
    qsort(g->tensor, g->tensors, sizeof *g->tensor, by_offset);
    for (size_t i = 1; i < g->tensors; i++) {
        const fq_gguf_tensor *a = &g->tensor[i - 1], *b = &g->tensor[i];
        if (b->offset - a->offset < a->bytes)
            return FAIL_AT(c, b->header_offset, "tensor data", "%.*s overlaps %.*s", (int)b->name_length,
                           b->name, (int)a->name_length, a->name);
    }
    qsort(g->tensor, g->tensors, sizeof *g->tensor, by_name);
    for (size_t i = 1; i < g->tensors; i++)
        if (by_name(&g->tensor[i - 1], &g->tensor[i]) == 0)
            return FAIL_AT(c, g->tensor[i].header_offset, "tensor name", "%.*s occurs twice",
                           (int)g->tensor[i].name_length, g->tensor[i].name);
    return FQ_OK;
}

static fq_status parse(cursor *c, fq_gguf *g) {
    FQ_TRY(take_header(c, g));
    FQ_TRY(take_entries(c, g));
    FQ_TRY(fq_alloc_zero(&g->tensor, g->tensors, sizeof *g->tensor));
    for (size_t i = 0; i < g->tensors; i++)
        FQ_TRY(take_tensor(c, &g->tensor[i]));
    return place_tensors(c, g);
}

fq_status fq_gguf_parse(fq_gguf *gguf, const char *file, const unsigned char *bytes, size_t size) {
    memset(gguf, 0, sizeof *gguf);
    gguf->file = file;
    gguf->bytes = bytes;
    gguf->size = size;
    cursor c = {file, bytes, size, 0};
    const fq_status status = parse(&c, gguf);
    if (status != FQ_OK)
        fq_gguf_clear(gguf);
    return status;
}

void fq_gguf_clear(fq_gguf *gguf) {
    fq_free(gguf->entry);
    fq_free(gguf->tensor);
    memset(gguf, 0, sizeof *gguf);
}
