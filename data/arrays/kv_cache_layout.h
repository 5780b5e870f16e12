/* What writer and reader of KV caches share. Private to data/kv_cache_*.c. */
#ifndef FQ_KV_CACHE_LAYOUT_H
#define FQ_KV_CACHE_LAYOUT_H

#include <hdf5.h>

#include "kv_cache_file.h"

enum { FQ_KV_KINDS = 3, FQ_KV_GROUP_MAX = 32, FQ_KV_OBJECT_MAX = 48 };

/* The HDF5 type of IEEE binary16, little-endian: below 0 if HDF5 fails. The caller closes it. */
hid_t fq_kv_half_type(void);

/* "layer_07", and "layer_07/key". */
void fq_kv_group_name(char name[FQ_KV_GROUP_MAX], size_t layer);
void fq_kv_object_name(char name[FQ_KV_OBJECT_MAX], size_t layer, fq_kv_kind kind);

/* How many elements writer and reader take at a time. */
enum { FQ_KV_PIECE_ELEMENTS = 1 << 18 };

size_t fq_kv_heads(const fq_kv_shape *shape, fq_kv_kind kind);

/* Ranges, and query heads a multiple of heads: FQ_ERR_ARGUMENT naming the member. */
FQ_MUST_CHECK fq_status fq_kv_shape_check(const fq_kv_shape *shape);

#endif
