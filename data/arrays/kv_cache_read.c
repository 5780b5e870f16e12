#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "failure.h"
#include "fp16.h"
#include "hdf5_util.h"
#include "kv_cache_layout.h"
#include "memory.h"

enum { PIECE_ELEMENTS = FQ_KV_PIECE_ELEMENTS };

struct fq_kv_cache {
    fq_h5_file file;
    char *path; /* file.path */
    fq_kv_shape shape;
    fq_kv_origin origin;
    hid_t *datasets; /* [layers][kinds] */
    bool *filtered;  /* [layers][kinds] */
    hid_t half;
    struct whole *whole; /* [kinds] */
};

/* A compressed dataset is unpacked once for all of its heads: the layer last read, as it is stored. */
struct whole {
    unsigned char *bytes; /* NULL: none */
    size_t layer;
};

const fq_kv_shape *fq_kv_cache_shape(const fq_kv_cache *cache) {
    return &cache->shape;
}

const fq_kv_origin *fq_kv_cache_origin(const fq_kv_cache *cache) {
    return &cache->origin;
}

void fq_kv_cache_close(fq_kv_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; cache->datasets && i < cache->shape.layers * FQ_KV_KINDS; i++)
        fq_h5_close(cache->datasets[i]);
    for (size_t kind = 0; cache->whole && kind < FQ_KV_KINDS; kind++)
        fq_free(cache->whole[kind].bytes);
    fq_h5_close(cache->half);
    fq_h5_file_close(&cache->file);
    fq_free(cache->whole);
    fq_free(cache->filtered);
    fq_free(cache->datasets);
    fq_free(cache->path);
    fq_free(cache);
}

static fq_status read_digest(const fq_h5_file *file, const char *name, char hex[FQ_SHA256_HEX]) {
    FQ_TRY(fq_h5_read_text(file, file->id, "/", name, hex, FQ_SHA256_HEX));
    const size_t length = strlen(hex);
    if (strspn(hex, "0123456789abcdefABCDEF") != length || (length != 64 && length != 0))
        return FQ_H5_MALFORMED(file, "/", "attribute %s is not 64 hexadecimal digits or empty", name);
    return FQ_OK;
}

/* The rotary encoding: both attributes, or neither. */
static fq_status read_rope(const fq_h5_file *file, fq_kv_origin *origin) {
    char pairs[32];
    const bool has_base = H5Aexists(file->id, "rope_base") > 0,
               has_pairs = H5Aexists(file->id, "rope_pairs") > 0;
    if (!has_base && !has_pairs)
        return FQ_OK;
    if (!has_base || !has_pairs)
        return FQ_H5_MALFORMED(file, "/", "attribute %s without %s", has_base ? "rope_base" : "rope_pairs",
                               has_base ? "rope_pairs" : "rope_base");
    FQ_TRY(fq_h5_read_double(file, file->id, "/", "rope_base", &origin->rope.base));
    FQ_TRY(fq_h5_read_text(file, file->id, "/", "rope_pairs", pairs, sizeof pairs));
    if (!isfinite(origin->rope.base) || origin->rope.base < 0.0)
        return FQ_H5_MALFORMED(file, "/", "attribute rope_base is %g; allowed: 0 (none) or above",
                               origin->rope.base);
    if (strcmp(pairs, "interleaved") != 0 && strcmp(pairs, "halves") != 0)
        return FQ_H5_MALFORMED(file, "/", "attribute rope_pairs is neither interleaved nor halves");
    origin->rope.interleaved = strcmp(pairs, "interleaved") == 0;
    origin->rope_known = true;
    return FQ_OK;
}

static fq_status read_origin(const fq_h5_file *file, fq_kv_origin *origin) {
    FQ_TRY(fq_h5_read_text(file, file->id, "/", "model", origin->model, sizeof origin->model));
    FQ_TRY(read_digest(file, "model_sha256", origin->model_sha256));
    FQ_TRY(fq_h5_read_text(file, file->id, "/", "text", origin->text, sizeof origin->text));
    FQ_TRY(read_digest(file, "text_sha256", origin->text_sha256));
    if (H5Aexists(file->id, "text_first") > 0)
        FQ_TRY(fq_h5_read_u64(file, file->id, "/", "text_first", &origin->text_first));
    return read_rope(file, origin);
}

/* One dataset against the shape all share; the first one read sets it. */
static fq_status open_dataset(fq_kv_cache *cache, hid_t group, size_t layer, fq_kv_kind kind) {
    char object[FQ_KV_OBJECT_MAX];
    fq_h5_shape found;
    hid_t dataset = H5I_INVALID_HID;
    fq_kv_shape *shape = &cache->shape;
    fq_kv_object_name(object, layer, kind);
    FQ_TRY(fq_h5_open_dataset(&cache->file, &dataset, &found, group, fq_kv_kind_name(kind), 3, H5T_FLOAT));
    cache->datasets[layer * FQ_KV_KINDS + (size_t)kind] = dataset;
    cache->filtered[layer * FQ_KV_KINDS + (size_t)kind] = found.filtered;
    const hid_t type = H5Dget_type(dataset);
    const bool known = type >= 0 && (H5Tequal(type, cache->half) > 0 || H5Tequal(type, H5T_IEEE_F32LE) > 0);
    fq_h5_close(type);
    if (!known)
        return FQ_H5_MALFORMED(&cache->file, object, "allowed are float16 and float32, little-endian");
    if (layer == 0 && kind == FQ_KV_QUERY) {
        shape->tokens = found.dims[0];
        shape->query_heads = found.dims[1];
        shape->dim = found.dims[2];
        shape->element_bytes = found.bytes;
    }
    if (layer == 0 && kind == FQ_KV_KEY)
        shape->heads = found.dims[1];
    if (found.dims[0] != shape->tokens || found.dims[1] != fq_kv_heads(shape, kind) ||
        found.dims[2] != shape->dim || found.bytes != shape->element_bytes)
        return FQ_H5_MALFORMED(
            &cache->file, object,
            "is %zu x %zu x %zu of %zu bytes; the other datasets want %zu x %zu x %zu of %zu", found.dims[0],
            found.dims[1], found.dims[2], found.bytes, shape->tokens, fq_kv_heads(shape, kind), shape->dim,
            shape->element_bytes);
    return FQ_OK;
}

/* Which layers a file has, and the first name that looks like a layer's and is none. */
typedef struct layer_names {
    bool there[FQ_KV_LAYERS_MAX];
    char stray[FQ_KV_OBJECT_MAX];
} layer_names;

static herr_t note_name(hid_t file, const char *name, const H5L_info_t *info, void *context) {
    layer_names *names = context;
    char canonical[FQ_KV_GROUP_MAX];
    (void)file;
    (void)info;
    if (strncasecmp(name, "layer", 5) != 0)
        return 0;
    const char *digits = name + strcspn(name, "0123456789");
    const unsigned long layer = strtoul(digits, NULL, 10);
    fq_kv_group_name(canonical, layer < FQ_KV_LAYERS_MAX ? layer : 0);
    if (layer < FQ_KV_LAYERS_MAX && strcmp(name, canonical) == 0)
        names->there[layer] = true;
    else if (!names->stray[0])
        snprintf(names->stray, sizeof names->stray, "%s", name);
    return 0;
}

/* *layers = how many there are, 0..layers-1 and no others: a layer left out would be a wrong result. */
static fq_status count_layers(const fq_h5_file *file, size_t *layers) {
    layer_names names = {.stray = ""};
    char missing[FQ_KV_GROUP_MAX], later[FQ_KV_GROUP_MAX];
    if (H5Literate(file->id, H5_INDEX_NAME, H5_ITER_INC, NULL, note_name, &names) < 0)
        return FQ_H5_MALFORMED(file, "/", "its objects cannot be listed: damaged");
    size_t n = 0;
    while (n < FQ_KV_LAYERS_MAX && names.there[n])
        n++;
    for (size_t layer = n; layer < FQ_KV_LAYERS_MAX; layer++)
        if (names.there[layer]) {
            fq_kv_group_name(missing, n);
            fq_kv_group_name(later, layer);
            return FQ_H5_MALFORMED(file, missing, "missing, though there is %s", later);
        }
    if (names.stray[0])
        return FQ_H5_MALFORMED(file, names.stray,
                               "is no name of a layer; allowed: layer_00, layer_01, ... layer_%d",
                               FQ_KV_LAYERS_MAX - 1);
    *layers = n;
    return FQ_OK;
}

static fq_status open_layers(fq_kv_cache *cache) {
    char name[FQ_KV_GROUP_MAX];
    size_t layers = 0;
    FQ_TRY(count_layers(&cache->file, &layers));
    if (layers == 0)
        return FQ_H5_MALFORMED(&cache->file, "layer_00", "missing: this is no KV cache");
    FQ_TRY(fq_alloc_zero(&cache->whole, FQ_KV_KINDS, sizeof *cache->whole));
    FQ_TRY(fq_alloc_zero(&cache->filtered, layers * FQ_KV_KINDS, sizeof *cache->filtered));
    FQ_TRY(fq_alloc(&cache->datasets, layers * FQ_KV_KINDS, sizeof *cache->datasets));
    for (size_t i = 0; i < layers * FQ_KV_KINDS; i++)
        cache->datasets[i] = H5I_INVALID_HID;
    cache->shape.layers = layers;
    for (size_t layer = 0; layer < layers; layer++) {
        hid_t group = H5I_INVALID_HID;
        fq_kv_group_name(name, layer);
        FQ_TRY(fq_h5_open_group(&cache->file, &group, cache->file.id, name));
        fq_status status = FQ_OK;
        for (int kind = 0; status == FQ_OK && kind < FQ_KV_KINDS; kind++)
            status = open_dataset(cache, group, layer, (fq_kv_kind)kind);
        fq_h5_close(group);
        FQ_TRY(status);
    }
    if (fq_kv_shape_check(&cache->shape) != FQ_OK)
        return FQ_H5_MALFORMED(&cache->file, "layer_00", "%s is %.0f; allowed: %s", fq_error_last()->argument,
                               fq_error_last()->value, fq_error_last()->allowed);
    return FQ_OK;
}

/* Everything but the values. */
static fq_status open_lightly(fq_kv_cache **cache, const char *path) {
    fq_kv_cache *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->file.id = H5I_INVALID_HID;
    made->half = fq_kv_half_type();
    fq_status status = made->half >= 0 ? fq_alloc(&made->path, strlen(path) + 1, 1)
                                       : FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: making a type failed");
    if (status == FQ_OK) {
        strcpy(made->path, path);
        status = fq_h5_open_path(&made->file, made->path);
    }
    if (status == FQ_OK)
        status = read_origin(&made->file, &made->origin);
    if (status == FQ_OK)
        status = open_layers(made);
    if (status != FQ_OK) {
        fq_kv_cache_close(made);
        return status;
    }
    *cache = made;
    return FQ_OK;
}

/* Unpacks a compressed dataset, unless it is the one unpacked last. */
static fq_status unpack(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind) {
    const fq_kv_shape *shape = &cache->shape;
    struct whole *whole = &cache->whole[kind];
    if (whole->bytes && whole->layer == layer)
        return FQ_OK;
    const size_t row = fq_kv_heads(shape, kind) * shape->dim * shape->element_bytes;
    char object[FQ_KV_OBJECT_MAX];
    fq_kv_object_name(object, layer, kind);
    if (!whole->bytes) {
        FQ_TRY(fq_h5_make_room(&cache->file, object, (uint64_t)shape->tokens * row));
        FQ_TRY(fq_alloc(&whole->bytes, shape->tokens, row));
    }
    whole->layer = layer;
    const fq_status status =
        fq_h5_read_dataset(&cache->file, cache->datasets[layer * FQ_KV_KINDS + (size_t)kind], object,
                           shape->element_bytes == 2 ? cache->half : H5T_IEEE_F32LE, whole->bytes);
    if (status != FQ_OK) {
        fq_free(whole->bytes);
        whole->bytes = NULL;
    }
    return status;
}

/* Rows first.. of heads head.. of a dataset, as they are stored. */
static fq_status read_stored(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind, size_t first,
                             size_t count, size_t head, size_t heads, void *stored) {
    const fq_kv_shape *shape = &cache->shape;
    const size_t vector = shape->dim * shape->element_bytes, row = fq_kv_heads(shape, kind) * vector;
    if (cache->filtered[layer * FQ_KV_KINDS + (size_t)kind]) {
        FQ_TRY(unpack(cache, layer, kind));
        for (size_t t = 0; t < count; t++)
            memcpy((unsigned char *)stored + t * heads * vector,
                   cache->whole[kind].bytes + (first + t) * row + head * vector, heads * vector);
        return FQ_OK;
    }
    const hid_t dataset = cache->datasets[layer * FQ_KV_KINDS + (size_t)kind];
    const hsize_t start[3] = {first, head, 0}, extent[3] = {count, heads, shape->dim};
    const hid_t from = H5Dget_space(dataset), to = H5Screate_simple(3, extent, NULL);
    fq_status status = FQ_OK;
    if (from < 0 || to < 0 || H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, extent, NULL) < 0 ||
        H5Dread(dataset, shape->element_bytes == 2 ? cache->half : H5T_IEEE_F32LE, to, from, H5P_DEFAULT,
                stored) < 0) {
        char object[FQ_KV_OBJECT_MAX];
        fq_kv_object_name(object, layer, kind);
        status = FQ_H5_MALFORMED(&cache->file, object, "rows from %zu cannot be read: damaged", first);
    }
    fq_h5_close(to);
    fq_h5_close(from);
    return status;
}

/* The same as floats; as they are stored into hash, unless that is NULL. */
static fq_status read_slab(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind, size_t first,
                           size_t count, size_t head, size_t heads, float *x, fq_sha256 *hash) {
    const size_t elements = count * heads * cache->shape.dim;
    const bool half = cache->shape.element_bytes == 2;
    uint8_t *halves = NULL;
    if (half)
        FQ_TRY(fq_alloc(&halves, elements, 2));
    const fq_status status =
        read_stored(cache, layer, kind, first, count, head, heads, half ? (void *)halves : (void *)x);
    if (status == FQ_OK && hash)
        fq_sha256_add(hash, half ? (void *)halves : (void *)x, elements * cache->shape.element_bytes);
    if (status == FQ_OK && half)
        fq_fp16_decode(x, halves, elements);
    fq_free(halves);
    return status;
}

static fq_status check_values(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind, float *piece) {
    const fq_kv_shape *shape = &cache->shape;
    const size_t row = fq_kv_heads(shape, kind) * shape->dim;
    const size_t rows = PIECE_ELEMENTS / row ? PIECE_ELEMENTS / row : 1;
    const hid_t dataset = cache->datasets[layer * FQ_KV_KINDS + (size_t)kind];
    char object[FQ_KV_OBJECT_MAX], digest[FQ_SHA256_HEX];
    fq_kv_object_name(object, layer, kind);
    fq_sha256 hash;
    fq_sha256_init(&hash);
    for (size_t first = 0; first < shape->tokens; first += rows) {
        const size_t count = shape->tokens - first < rows ? shape->tokens - first : rows;
        FQ_TRY(read_slab(cache, layer, kind, first, count, 0, fq_kv_heads(shape, kind), piece,
                         fq_h5_has_digest(dataset) ? &hash : NULL));
        for (size_t i = 0; i < count * row; i++)
            if (!isfinite(piece[i]))
                return FQ_H5_MALFORMED(&cache->file, object,
                                       "value at token %zu, head %zu, coordinate %zu is not finite",
                                       first + i / row, i % row / shape->dim, i % shape->dim);
    }
    fq_sha256_final(&hash, digest);
    return fq_h5_check_digest(&cache->file, dataset, object, digest);
}

static fq_status check_everything(void *context) {
    const char *path = context;
    fq_kv_cache *cache = NULL;
    float *piece = NULL;
    FQ_TRY(open_lightly(&cache, path));
    const size_t row = cache->shape.query_heads * cache->shape.dim;
    fq_status status = fq_alloc(&piece, row > PIECE_ELEMENTS ? row : PIECE_ELEMENTS, sizeof *piece);
    for (size_t layer = 0; status == FQ_OK && layer < cache->shape.layers; layer++)
        for (int kind = 0; status == FQ_OK && kind < FQ_KV_KINDS; kind++)
            status = check_values(cache, layer, (fq_kv_kind)kind, piece);
    fq_free(piece);
    fq_kv_cache_close(cache);
    return status;
}

fq_status fq_kv_cache_open(fq_kv_cache **cache, const char *path) {
    char *copy = NULL;
    FQ_TRY(fq_alloc(&copy, strlen(path) + 1, 1));
    strcpy(copy, path);
    const fq_status status = fq_h5_guard(copy, check_everything, copy);
    fq_free(copy);
    FQ_TRY(status);
    return open_lightly(cache, path);
}

fq_status fq_kv_cache_read(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind, size_t head, size_t first,
                           size_t count, float *x) {
    const fq_kv_shape *shape = &cache->shape;
    if (layer >= shape->layers)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "layer", layer, "below the number of layers");
    if (kind < FQ_KV_QUERY || kind > FQ_KV_VALUE)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kind", kind, "query, key or value");
    if (head >= fq_kv_heads(shape, kind))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "head", head, "below the number of heads");
    if (first > shape->tokens || count > shape->tokens - first)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "first", first, "rows within the number of tokens");
    return count ? read_slab(cache, layer, kind, first, count, head, 1, x, NULL) : FQ_OK;
}
