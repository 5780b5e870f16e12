/* Vectors and codes in HDF5.
 *
 * Vectors:  /vectors  n x d floating point (we write float32; float16 and float64 are read)
 * Codes:    /codes    n x code_bytes uint8, attributes codec (its canonical name) and dim
 *           /codebook the codebook, for codecs that have one: codes can be decoded anywhere
 * Both with units, axes, description, content_sha256 (checked where it is there) and /provenance. Reading
 * refuses values that are not finite. n >= 1. Errors: FQ_ERR_INPUT naming file and object, FQ_ERR_OUTPUT.
 */
#ifndef FQ_VECTORS_FILE_H
#define FQ_VECTORS_FILE_H

#include "codebook.h"
#include "codec_spec.h"
#include "provenance.h"

typedef struct fq_vectors {
    size_t count, dim;
    float *x; /* [count][dim], owned */
} fq_vectors;

FQ_MUST_CHECK fq_status fq_vectors_write(const char *path, const fq_vectors *vectors,
                                         const fq_provenance *provenance);
FQ_MUST_CHECK fq_status fq_vectors_read(fq_vectors *vectors, const char *path);
void fq_vectors_clear(fq_vectors *vectors); /* a struct of zeros is fine */

typedef struct fq_codes {
    size_t count, code_bytes, dim;
    uint8_t *bytes; /* [count][code_bytes], owned */
    char codec[FQ_SPEC_TEXT_MAX];
    fq_codebook codebook; /* words NULL if there is none; owned */
} fq_codes;

FQ_MUST_CHECK fq_status fq_codes_write(const char *path, const fq_codes *codes,
                                       const fq_provenance *provenance);
FQ_MUST_CHECK fq_status fq_codes_read(fq_codes *codes, const char *path);
void fq_codes_clear(fq_codes *codes);

#endif
