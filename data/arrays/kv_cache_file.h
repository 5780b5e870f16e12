/* KV caches: queries, keys (as attention reads them: after the position encoding) and values of every
 * layer and head of a model over a text, in HDF5.
 *
 *   /                     attributes model, model_sha256, text, text_sha256: texts; the digests are
 *                         64 hexadecimal digits, or "" where there is no file; and optional: text_first, the
 *                         token of the text that the cache begins at (0 where it is missing), and of the
 * rotary encoding that queries and keys carry (rope.h): rope_base, a number, 0 for none, and rope_pairs,
 * "interleaved" or "halves". Where they are missing, what needs keys before their encoding says so
 *   /layer_00/query       tokens x query heads x d, float16 or float32, little-endian
 *   /layer_00/key         tokens x heads x d; the number of query heads is a multiple of heads
 *   /layer_00/value       tokens x heads x d
 *   /layer_01/...         every layer alike, numbered without a gap, two digits or more; no other object's
 *                         name begins with "layer"
 *
 * Any HDF5 writer will do; README.md beside this file has a function for h5py.
 *
 * What we write has units, axes and descriptions, content_sha256 of each dataset's bytes, and /provenance
 * besides; all that is optional in reading. A digest that is there must fit. Chunked and compressed (gzip)
 * datasets are read as well, one layer's in memory at a time; other filters are refused. Notation: T tokens,
 * H heads, d dimension; x[T][H][d] row-major float32.
 */
#ifndef FQ_KV_CACHE_FILE_H
#define FQ_KV_CACHE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "provenance.h"
#include "rope.h"
#include "sha256.h"
#include "status.h"

typedef enum fq_kv_kind { FQ_KV_QUERY = 0, FQ_KV_KEY = 1, FQ_KV_VALUE = 2 } fq_kv_kind;

/* "query", "key", "value". */
const char *fq_kv_kind_name(fq_kv_kind kind);

enum { FQ_KV_LAYERS_MAX = 1000, FQ_KV_HEADS_MAX = 4096, FQ_KV_NAME_MAX = 512 };

typedef struct fq_kv_shape {
    size_t layers, tokens;
    size_t query_heads, heads; /* heads: of keys and of values */
    size_t dim;                /* d, 1..16384 */
    size_t element_bytes;      /* 2: float16, 4: float32 */
} fq_kv_shape;

typedef struct fq_kv_origin {
    char model[FQ_KV_NAME_MAX], model_sha256[FQ_SHA256_HEX];
    char text[FQ_KV_NAME_MAX], text_sha256[FQ_SHA256_HEX];
    uint64_t text_first; /* the text's token that the cache begins at; 0 as well where it is not known */
    bool rope_known;
    fq_rope rope; /* all zero where it is not known */
} fq_kv_origin;

/* Writing: a temporary file of the final size at once, so a disk too small is found before the model
 * runs; then rows in any order; then commit puts it in place. A kill leaves nothing at path. */
typedef struct fq_kv_writer fq_kv_writer;

/* FQ_ERR_ARGUMENT for a shape of zeros or out of range, FQ_ERR_OUTPUT. provenance may be NULL. */
FQ_MUST_CHECK fq_status fq_kv_writer_create(fq_kv_writer **writer, const char *path, const fq_kv_shape *shape,
                                            const fq_kv_origin *origin, const fq_provenance *provenance);

/* Rows first..first+count-1 of a layer's query, key or value: x[count][H][d]. FQ_ERR_NONFINITE; with
 * float16 FQ_ERR_RANGE for a magnitude that rounds above 65504; both name layer, kind, token, head and
 * coordinate. FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_kv_writer_put(fq_kv_writer *writer, size_t layer, fq_kv_kind kind, size_t first,
                                         size_t count, const float *x);

/* Vectors put so far that float16 turned to zero, though they are not: every magnitude 2^-25 or less. where,
 * of FQ_KV_NAME_MAX bytes, names the first one, or is "". */
size_t fq_kv_writer_vanished(const fq_kv_writer *writer, char *where);

/* Destroys the writer, whatever happens. FQ_ERR_ARGUMENT if fewer rows than the shape has were put. */
FQ_MUST_CHECK fq_status fq_kv_writer_commit(fq_kv_writer *writer);
void fq_kv_writer_abandon(fq_kv_writer *writer); /* NULL accepted */

/* Reading. Opening checks everything, that all values are finite included, in a child process (see
 * hdf5_util.h): it reads the whole file once, about a second a gigabyte. */
typedef struct fq_kv_cache fq_kv_cache;

FQ_MUST_CHECK fq_status fq_kv_cache_open(fq_kv_cache **cache, const char *path);
void fq_kv_cache_close(fq_kv_cache *cache); /* NULL accepted */

const fq_kv_shape *fq_kv_cache_shape(const fq_kv_cache *cache);
const fq_kv_origin *fq_kv_cache_origin(const fq_kv_cache *cache);

/* Rows first..first+count-1 of one head (a query head for FQ_KV_QUERY): x[count][d]. */
FQ_MUST_CHECK fq_status fq_kv_cache_read(const fq_kv_cache *cache, size_t layer, fq_kv_kind kind, size_t head,
                                         size_t first, size_t count, float *x);

#endif
