/* GGUF files, versions 2 and 3, little-endian: the header, checked in full and indexed.
 *
 *   "GGUF" | u32 version | u64 tensors | u64 keys | keys x {string key, u32 type, value}
 *   | tensors x {string name, u32 dimensions, u64 sizes[], u32 type, u64 offset}
 *   | padding to `general.alignment` (32 if absent) | tensor data
 * A string is u64 length and bytes; an array is u32 element type, u64 count and elements; sizes[0] is
 * the fastest-running index; offsets count from the start of the tensor data.
 *
 * What is checked: every length and count against the bytes that are left; types; nesting of arrays (at
 * most 4); booleans are 0 or 1; names are printable ASCII, not empty and unique; sizes are positive, their
 * product fits, rows are whole blocks; offsets are aligned, tensors lie inside the file and do not
 * overlap. After a successful parse, everything indexed can be read without further checks.
 */
#ifndef FQ_GGUF_H
#define FQ_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dequantize.h"
#include "status.h"

typedef enum fq_gguf_type {
    FQ_GGUF_U8 = 0,
    FQ_GGUF_I8 = 1,
    FQ_GGUF_U16 = 2,
    FQ_GGUF_I16 = 3,
    FQ_GGUF_U32 = 4,
    FQ_GGUF_I32 = 5,
    FQ_GGUF_F32 = 6,
    FQ_GGUF_BOOL = 7,
    FQ_GGUF_STRING = 8,
    FQ_GGUF_ARRAY = 9,
    FQ_GGUF_U64 = 10,
    FQ_GGUF_I64 = 11,
    FQ_GGUF_F64 = 12,
    FQ_GGUF_TYPES
} fq_gguf_type;

enum { FQ_GGUF_MAX_ENTRIES = 1 << 16, FQ_GGUF_MAX_NAME = 256, FQ_GGUF_MAX_DIMENSIONS = 4 };

typedef struct fq_gguf_entry {
    const char *key; /* not terminated */
    size_t key_length;
    fq_gguf_type type;
    fq_gguf_type element_type; /* of an array */
    uint64_t count;            /* of an array */
    size_t offset;             /* in the file, of the value (of an array's first element) */
} fq_gguf_entry;

typedef struct fq_gguf_tensor {
    const char *name; /* not terminated */
    size_t name_length;
    fq_element element;
    size_t columns;    /* sizes[0] */
    size_t rows;       /* product of the other sizes */
    size_t dimensions; /* 1..4 */
    size_t offset;     /* in the file */
    size_t bytes;
    size_t header_offset; /* in the file, of the entry that describes it */
} fq_gguf_tensor;

typedef struct fq_gguf {
    const char *file; /* for messages; the caller's */
    const unsigned char *bytes;
    size_t size;
    uint32_t version;
    size_t alignment;
    size_t entries, tensors;
    fq_gguf_entry *entry;   /* sorted by key */
    fq_gguf_tensor *tensor; /* sorted by name */
} fq_gguf;

/* Parses bytes[0..size), which must outlive *gguf, as must the name. On failure *gguf is all zero. */
FQ_MUST_CHECK fq_status fq_gguf_parse(fq_gguf *gguf, const char *file, const unsigned char *bytes,
                                      size_t size);

/* Frees the index; a zeroed gguf is accepted. */
void fq_gguf_clear(fq_gguf *gguf);

/* NULL if not there. */
const fq_gguf_entry *fq_gguf_find(const fq_gguf *gguf, const char *key);
const fq_gguf_tensor *fq_gguf_find_tensor(const fq_gguf *gguf, const char *name);

/* Values by key: *found (which may be NULL: then absence is FQ_ERR_INPUT) tells whether the key is there,
 * and *out is untouched if not. A value of another kind or out of range is FQ_ERR_INPUT, naming file,
 * offset and key. An unsigned value may be stored as any integer type, a real as F32 or F64. */
FQ_MUST_CHECK fq_status fq_gguf_get_unsigned(const fq_gguf *gguf, const char *key, uint64_t least,
                                             uint64_t most, uint64_t *out, bool *found);
FQ_MUST_CHECK fq_status fq_gguf_get_real(const fq_gguf *gguf, const char *key, double least, double most,
                                         double *out, bool *found);
FQ_MUST_CHECK fq_status fq_gguf_get_bool(const fq_gguf *gguf, const char *key, bool *out, bool *found);
/* *out points into the file, *length bytes, not terminated. */
FQ_MUST_CHECK fq_status fq_gguf_get_string(const fq_gguf *gguf, const char *key, const char **out,
                                           size_t *length, bool *found);
/* An array of that element type; NULL with FQ_OK if absent and found is not NULL. */
FQ_MUST_CHECK fq_status fq_gguf_get_array(const fq_gguf *gguf, const char *key, fq_gguf_type element_type,
                                          const fq_gguf_entry **out, bool *found);

/* Walks an array of strings: *at starts as the entry's offset; gives the next string and moves on. */
void fq_gguf_next_string(const fq_gguf *gguf, size_t *at, const char **out, size_t *length);

/* Element i of an array of I32, U32 or F32. */
int32_t fq_gguf_array_i32(const fq_gguf *gguf, const fq_gguf_entry *array, size_t i);
float fq_gguf_array_f32(const fq_gguf *gguf, const fq_gguf_entry *array, size_t i);

#endif
