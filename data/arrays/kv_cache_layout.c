#include "kv_cache_layout.h"

#include <stdio.h>

#include "hdf5_util.h"
#include "memory.h"
#include "source.h"

const char *fq_kv_kind_name(fq_kv_kind kind) {
    static const char *const names[FQ_KV_KINDS] = {"query", "key", "value"};
    return kind >= FQ_KV_QUERY && kind <= FQ_KV_VALUE ? names[kind] : "?";
}

hid_t fq_kv_half_type(void) {
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type >= 0 && (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 ||
                      H5Tset_ebias(type, 15) < 0)) {
        fq_h5_close(type);
        return H5I_INVALID_HID;
    }
    return type;
}

void fq_kv_group_name(char name[FQ_KV_GROUP_MAX], size_t layer) {
    snprintf(name, FQ_KV_GROUP_MAX, "layer_%02zu", layer);
}

void fq_kv_object_name(char name[FQ_KV_OBJECT_MAX], size_t layer, fq_kv_kind kind) {
    char group[FQ_KV_GROUP_MAX];
    fq_kv_group_name(group, layer);
    snprintf(name, FQ_KV_OBJECT_MAX, "%s/%s", group, fq_kv_kind_name(kind));
}

size_t fq_kv_heads(const fq_kv_shape *shape, fq_kv_kind kind) {
    return kind == FQ_KV_QUERY ? shape->query_heads : shape->heads;
}

fq_status fq_kv_shape_check(const fq_kv_shape *shape) {
    size_t product = 0;
    if (shape->layers < 1 || shape->layers > FQ_KV_LAYERS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "layers", shape->layers, "1 to 1000");
    if (shape->tokens < 1)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tokens", shape->tokens, "1 or more");
    if (shape->heads < 1 || shape->heads > FQ_KV_HEADS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "heads", shape->heads, "1 to 4096");
    if (shape->query_heads < 1 || shape->query_heads > FQ_KV_HEADS_MAX ||
        shape->query_heads % shape->heads != 0)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "query_heads", shape->query_heads,
                             "1 to 4096, a multiple of heads");
    if (shape->dim < 1 || shape->dim > FQ_DIM_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", shape->dim, "1 to 16384");
    if (shape->element_bytes != 2 && shape->element_bytes != 4)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "element_bytes", shape->element_bytes, "2 or 4");
    return fq_size_multiply(&product, shape->tokens, shape->query_heads * shape->dim * shape->element_bytes,
                            "tokens");
}
