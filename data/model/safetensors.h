/* Safetensors files: the header, checked in full and indexed.
 *
 *   u64 length (little-endian) | a JSON object of that many bytes | tensor data
 * The object maps names to {"dtype", "shape": [...], "data_offsets": [begin, end]}, offsets counted from
 * the start of the tensor data, and "__metadata__" to an object of strings. What is checked: the length
 * against the file and 100 MB; the JSON (nesting, duplicate names); names are printable ASCII; element
 * types are known; sizes multiply without overflow to exactly the bytes of the tensor; and the tensors
 * together cover the data without gap or overlap, as the format demands.
 */
#ifndef FQ_SAFETENSORS_H
#define FQ_SAFETENSORS_H

#include <stddef.h>

#include "dequantize.h"
#include "status.h"

enum { FQ_SAFETENSORS_MAX_NAME = 256, FQ_SAFETENSORS_MAX_DIMENSIONS = 8 };

typedef struct fq_safetensor {
    char *name;
    fq_element element; /* FQ_ELEMENTS for integers, booleans and float64: sized, but not read */
    size_t dimensions;  /* 0 for a scalar */
    size_t sizes[FQ_SAFETENSORS_MAX_DIMENSIONS]; /* the last runs fastest */
    size_t offset;                               /* in the file */
    size_t bytes;
} fq_safetensor;

typedef struct fq_safetensors {
    const char *file; /* for messages; the caller's */
    size_t count;
    fq_safetensor *tensors; /* sorted by name */
} fq_safetensors;

/* Parses bytes[0..size); only the file's name must outlive *out. On failure *out is all zero. */
FQ_MUST_CHECK fq_status fq_safetensors_parse(fq_safetensors *out, const char *file,
                                             const unsigned char *bytes, size_t size);

/* Frees the index; a zeroed one is accepted. */
void fq_safetensors_clear(fq_safetensors *tensors);

/* NULL if not there. */
const fq_safetensor *fq_safetensors_find(const fq_safetensors *tensors, const char *name);

#endif
