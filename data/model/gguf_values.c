/* Values of a parsed GGUF file: the parser has checked that all of them lie inside the file. */
#include "gguf.h"

#include <math.h>
#include <string.h>

#include "failure.h"

static uint64_t little_endian(const unsigned char *p, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

static int compare_text(const char *a, size_t a_length, const char *b, size_t b_length) {
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

const fq_gguf_entry *fq_gguf_find(const fq_gguf *gguf, const char *key) {
    size_t low = 0, high = gguf->entries;
    const size_t length = strlen(key);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const fq_gguf_entry *e = &gguf->entry[middle];
        const int order = compare_text(key, length, e->key, e->key_length);
        if (order == 0)
            return e;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const fq_gguf_tensor *fq_gguf_find_tensor(const fq_gguf *gguf, const char *name) {
    size_t low = 0, high = gguf->tensors;
    const size_t length = strlen(name);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const fq_gguf_tensor *t = &gguf->tensor[middle];
        const int order = compare_text(name, length, t->name, t->name_length);
        if (order == 0)
            return t;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The entry, or NULL with the status that absence has. */
static fq_status find_value(const fq_gguf *gguf, const char *key, bool *found, const fq_gguf_entry **out) {
    *out = fq_gguf_find(gguf, key);
    if (found)
        *found = *out != NULL;
    else if (!*out)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: the metadata key %s is missing", gguf->file, key);
    return FQ_OK;
}

static fq_status wrong_kind(const fq_gguf *gguf, const fq_gguf_entry *e, const char *wanted) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: %.*s: has type %d; allowed: %s", gguf->file, e->offset,
                        (int)e->key_length, e->key, (int)e->type, wanted);
}

fq_status fq_gguf_get_unsigned(const fq_gguf *gguf, const char *key, uint64_t least, uint64_t most,
                               uint64_t *out, bool *found) {
    const fq_gguf_entry *e = NULL;
    FQ_TRY(find_value(gguf, key, found, &e));
    if (!e)
        return FQ_OK;
    size_t bytes = 0;
    bool is_signed = false;
    switch (e->type) {
    case FQ_GGUF_I8:
        is_signed = true;
        bytes = 1;
        break;
    case FQ_GGUF_U8:
        bytes = 1;
        break;
    case FQ_GGUF_I16:
        is_signed = true;
        bytes = 2;
        break;
    case FQ_GGUF_U16:
        bytes = 2;
        break;
    case FQ_GGUF_I32:
        is_signed = true;
        bytes = 4;
        break;
    case FQ_GGUF_U32:
        bytes = 4;
        break;
    case FQ_GGUF_I64:
        is_signed = true;
        bytes = 8;
        break;
    case FQ_GGUF_U64:
        bytes = 8;
        break;
    case FQ_GGUF_F32:
    case FQ_GGUF_BOOL:
    case FQ_GGUF_STRING:
    case FQ_GGUF_ARRAY:
    case FQ_GGUF_F64:
    case FQ_GGUF_TYPES:
        return wrong_kind(gguf, e, "an integer");
    }
    const uint64_t value = little_endian(gguf->bytes + e->offset, bytes);
    const bool negative = is_signed && value >> (8 * bytes - 1) != 0;
    if (negative || value < least || value > most)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: %s: is %s%llu; allowed: %llu to %llu", gguf->file,
                            e->offset, key, negative ? "negative, bits " : "", (unsigned long long)value,
                            (unsigned long long)least, (unsigned long long)most);
    *out = value;
    return FQ_OK;
}

fq_status fq_gguf_get_real(const fq_gguf *gguf, const char *key, double least, double most, double *out,
                           bool *found) {
    const fq_gguf_entry *e = NULL;
    FQ_TRY(find_value(gguf, key, found, &e));
    if (!e)
        return FQ_OK;
    double value = 0.0;
    if (e->type == FQ_GGUF_F32) {
        const uint32_t bits = (uint32_t)little_endian(gguf->bytes + e->offset, 4);
        float single;
        memcpy(&single, &bits, sizeof single);
        value = (double)single;
    } else if (e->type == FQ_GGUF_F64) {
        const uint64_t bits = little_endian(gguf->bytes + e->offset, 8);
        memcpy(&value, &bits, sizeof value);
    } else {
        return wrong_kind(gguf, e, "float32 or float64");
    }
    if (!(value >= least && value <= most))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: %s: is %g; allowed: %g to %g", gguf->file, e->offset,
                            key, value, least, most);
    *out = value;
    return FQ_OK;
}

fq_status fq_gguf_get_bool(const fq_gguf *gguf, const char *key, bool *out, bool *found) {
    const fq_gguf_entry *e = NULL;
    FQ_TRY(find_value(gguf, key, found, &e));
    if (!e)
        return FQ_OK;
    if (e->type != FQ_GGUF_BOOL)
        return wrong_kind(gguf, e, "a boolean");
    *out = gguf->bytes[e->offset] != 0;
    return FQ_OK;
}

fq_status fq_gguf_get_string(const fq_gguf *gguf, const char *key, const char **out, size_t *length,
                             bool *found) {
    const fq_gguf_entry *e = NULL;
    FQ_TRY(find_value(gguf, key, found, &e));
    if (!e)
        return FQ_OK;
    if (e->type != FQ_GGUF_STRING)
        return wrong_kind(gguf, e, "a string");
    size_t at = e->offset;
    fq_gguf_next_string(gguf, &at, out, length);
    return FQ_OK;
}

fq_status fq_gguf_get_array(const fq_gguf *gguf, const char *key, fq_gguf_type element_type,
                            const fq_gguf_entry **out, bool *found) {
    const fq_gguf_entry *e = NULL;
    FQ_TRY(find_value(gguf, key, found, &e));
    if (e && (e->type != FQ_GGUF_ARRAY || e->element_type != element_type))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: byte %zu: %s: has type %d of elements %d; allowed: an array (9) of "
                            "elements of type %d",
                            gguf->file, e->offset, key, (int)e->type, (int)e->element_type,
                            (int)element_type);
    *out = e;
    return FQ_OK;
}

void fq_gguf_next_string(const fq_gguf *gguf, size_t *at, const char **out, size_t *length) {
    *length = (size_t)little_endian(gguf->bytes + *at, 8);
    *out = (const char *)gguf->bytes + *at + 8;
    *at += 8 + *length;
}

int32_t fq_gguf_array_i32(const fq_gguf *gguf, const fq_gguf_entry *array, size_t i) {
    const uint32_t bits = (uint32_t)little_endian(gguf->bytes + array->offset + 4 * i, 4);
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float fq_gguf_array_f32(const fq_gguf *gguf, const fq_gguf_entry *array, size_t i) {
    const uint32_t bits = (uint32_t)little_endian(gguf->bytes + array->offset + 4 * i, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
