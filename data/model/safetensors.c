#include "safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "json_text.h"
#include "memory.h"

static const size_t most_header = 100u << 20;

/* What is needed to name the place of an error: the header's bytes and where they start. */
typedef struct header {
    const char *file;
    const unsigned char *bytes;
    size_t size;
} header;

static size_t place_of(const header *h, const char *key) {
    return 8 + fq_json_find_key(h->bytes, h->size, key);
}

#define FAIL_TENSOR(h, name, ...) fail_tensor((h), (name), __LINE__, __VA_ARGS__)

static fq_status fail_tensor(const header *h, const char *name, int line, const char *what) {
    return fq_failure_format(FQ_ERR_INPUT, __FILE__, line, "%s: byte %zu: tensor %s: %s", h->file,
                             place_of(h, name), name, what);
}

/* Bytes of an element of a type, and which of ours it is; 0 for a type that is not in the format. */
static size_t element_bytes(const char *type, fq_element *element) {
    static const struct {
        const char *name;
        size_t bytes;
        fq_element element;
    } types[] = {
        {"F32", 4, FQ_ELEMENT_F32},  {"F16", 2, FQ_ELEMENT_F16},  {"BF16", 2, FQ_ELEMENT_BF16},
        {"F64", 8, FQ_ELEMENTS},     {"I64", 8, FQ_ELEMENTS},     {"U64", 8, FQ_ELEMENTS},
        {"I32", 4, FQ_ELEMENTS},     {"U32", 4, FQ_ELEMENTS},     {"I16", 2, FQ_ELEMENTS},
        {"U16", 2, FQ_ELEMENTS},     {"I8", 1, FQ_ELEMENTS},      {"U8", 1, FQ_ELEMENTS},
        {"F8_E4M3", 1, FQ_ELEMENTS}, {"F8_E5M2", 1, FQ_ELEMENTS}, {"BOOL", 1, FQ_ELEMENTS},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i].name) == 0) {
            *element = types[i].element;
            return types[i].bytes;
        }
    }
    return 0;
}

static fq_status read_shape(const header *h, fq_safetensor *t, const json_t *shape, size_t *bytes) {
    t->dimensions = json_array_size(shape);
    if (!json_is_array(shape) || t->dimensions > FQ_SAFETENSORS_MAX_DIMENSIONS)
        return FAIL_TENSOR(h, t->name, "shape: not an array of at most 8 sizes");
    for (size_t i = 0; i < t->dimensions; i++) {
        const json_t *size = json_array_get(shape, i);
        const json_int_t value = json_integer_value(size);
        if (!json_is_integer(size) || value < 0 || (uint64_t)value > SIZE_MAX)
            return FAIL_TENSOR(h, t->name, "shape: a size is no whole number from 0");
        t->sizes[i] = (size_t)value;
        if (value != 0 && *bytes > SIZE_MAX / 2 / (size_t)value)
            return FAIL_TENSOR(h, t->name, "shape: the product of the sizes overflows");
        *bytes *= (size_t)value;
    }
    return FQ_OK;
}

static fq_status read_tensor(const header *h, fq_safetensor *t, const json_t *entry, size_t data_bytes) {
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return FAIL_TENSOR(h, t->name, "allowed: exactly dtype, shape and data_offsets");
    const json_t *type = json_object_get(entry, "dtype"), *offsets = json_object_get(entry, "data_offsets");
    size_t bytes = json_is_string(type) ? element_bytes(json_string_value(type), &t->element) : 0;
    if (bytes == 0)
        return FAIL_TENSOR(h, t->name, "dtype: unknown element type");
    FQ_TRY(read_shape(h, t, json_object_get(entry, "shape"), &bytes));
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return FAIL_TENSOR(h, t->name, "data_offsets: not two whole numbers");
    const json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from || (uint64_t)to > data_bytes)
        return FAIL_TENSOR(h, t->name, "data_offsets: outside the file's data, or in the wrong order");
    if ((uint64_t)(to - from) != bytes)
        return FAIL_TENSOR(h, t->name, "data_offsets: not as many bytes as dtype and shape ask for");
    t->offset = (size_t)from; /* of the data: the caller adds where that starts */
    t->bytes = bytes;
    return FQ_OK;
}

static int by_offset(const void *a, const void *b) {
    const fq_safetensor *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const fq_safetensor *)a)->name, ((const fq_safetensor *)b)->name);
}

static fq_status check_cover(const header *h, fq_safetensors *out, size_t data_bytes) {
    qsort(out->tensors, out->count, sizeof *out->tensors, by_offset);
    size_t reached = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (out->tensors[i].offset != reached)
            return FAIL_TENSOR(h, out->tensors[i].name,
                               "data_offsets: leaves a gap after, or overlaps, the tensor before it");
        reached += out->tensors[i].bytes;
        out->tensors[i].offset += 8 + h->size;
    }
    if (reached != data_bytes)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: %zu bytes after the last tensor", h->file,
                            8 + h->size + reached, data_bytes - reached);
    qsort(out->tensors, out->count, sizeof *out->tensors, by_name);
    return FQ_OK;
}

static fq_status check_name(const header *h, const char *name) {
    const size_t length = strlen(name);
    bool good = length > 0 && length <= FQ_SAFETENSORS_MAX_NAME;
    for (size_t i = 0; i < length && good; i++)
        good = name[i] > ' ' && name[i] <= '~';
    if (good)
        return FQ_OK;
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "%s: byte 8: a tensor name of %zu bytes; allowed: 1 to %d, printable ASCII", h->file,
                        length, FQ_SAFETENSORS_MAX_NAME);
}

static fq_status check_metadata(const header *h, json_t *metadata) {
    const char *key = NULL;
    json_t *value = NULL;
    bool good = json_is_object(metadata);
    json_object_foreach(metadata, key, value) good = good && json_is_string(value);
    return good ? FQ_OK
                : FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: __metadata__: not an object of texts", h->file,
                               place_of(h, "__metadata__"));
}

static fq_status read_all(const header *h, fq_safetensors *out, json_t *object, size_t data_bytes) {
    FQ_TRY(fq_alloc_zero(&out->tensors, json_object_size(object), sizeof *out->tensors));
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach(object, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            FQ_TRY(check_metadata(h, entry));
            continue;
        }
        FQ_TRY(check_name(h, name));
        fq_safetensor *t = &out->tensors[out->count];
        FQ_TRY(fq_alloc(&t->name, strlen(name) + 1, 1));
        memcpy(t->name, name, strlen(name) + 1);
        out->count++;
        FQ_TRY(read_tensor(h, t, entry, data_bytes));
    }
    return check_cover(h, out, data_bytes);
}

fq_status fq_safetensors_parse(fq_safetensors *out, const char *file, const unsigned char *bytes,
                               size_t size) {
    memset(out, 0, sizeof *out);
    if (size < 8)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: header length: the file ends here", file, size);
    uint64_t length = 0;
    for (size_t i = 0; i < 8; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    if (length > size - 8 || length > most_header)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: byte 0: header length: %llu bytes; allowed: at most %zu, and the file has "
                            "%zu more",
                            file, (unsigned long long)length, most_header, size - 8);
    const header h = {file, bytes + 8, (size_t)length};
    json_t *object = NULL;
    FQ_TRY(fq_json_parse(&object, file, h.bytes, h.size, 8, most_header));
    out->file = file;
    const fq_status status = read_all(&h, out, object, size - 8 - h.size);
    json_decref(object);
    if (status != FQ_OK)
        fq_safetensors_clear(out);
    return status;
}

void fq_safetensors_clear(fq_safetensors *tensors) {
    for (size_t i = 0; i < tensors->count; i++)
        fq_free(tensors->tensors[i].name);
    fq_free(tensors->tensors);
    memset(tensors, 0, sizeof *tensors);
}

const fq_safetensor *fq_safetensors_find(const fq_safetensors *tensors, const char *name) {
    size_t low = 0, high = tensors->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, tensors->tensors[middle].name);
        if (order == 0)
            return &tensors->tensors[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
