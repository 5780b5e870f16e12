#include "vectors_file.h"

#include <math.h>
#include <string.h>

#include "atomic_file.h"
#include "codebook_file.h"
#include "failure.h"
#include "hdf5_util.h"
#include "memory.h"
#include "sha256.h"

static const size_t file_limit = (size_t)64 << 30;

void fq_vectors_clear(fq_vectors *vectors) {
    fq_free(vectors->x);
    memset(vectors, 0, sizeof *vectors);
}

void fq_codes_clear(fq_codes *codes) {
    fq_free(codes->bytes);
    fq_codebook_clear(&codes->codebook);
    memset(codes, 0, sizeof *codes);
    fq_codebook_init(&codes->codebook);
}

/* Of the stored bytes (float32 and bytes have one form on the machines this runs on: little-endian), and of
 * what says how to read them. */
static void digest_of_vectors(char hex[FQ_SHA256_HEX], const float *x, size_t count, size_t dim) {
    fq_sha256 hash;
    const uint64_t shape[2] = {count, dim};
    fq_sha256_init(&hash);
    fq_sha256_add(&hash, shape, sizeof shape);
    fq_sha256_add(&hash, x, count * dim * sizeof *x);
    fq_sha256_final(&hash, hex);
}

static void digest_of_codes(char hex[FQ_SHA256_HEX], const char *codec, uint64_t dim, const uint8_t *bytes,
                            size_t count, size_t code_bytes) {
    fq_sha256 hash;
    const uint64_t shape[3] = {dim, count, code_bytes};
    fq_sha256_init(&hash);
    fq_sha256_add(&hash, codec, strlen(codec) + 1);
    fq_sha256_add(&hash, shape, sizeof shape);
    fq_sha256_add(&hash, bytes, count * code_bytes);
    fq_sha256_final(&hash, hex);
}

static fq_status save(hid_t file, fq_status status, const char *path, const fq_provenance *provenance) {
    if (status == FQ_OK && provenance)
        status = fq_provenance_write(provenance, file);
    if (status == FQ_OK)
        return fq_h5_save(file, path);
    fq_h5_close(file);
    return status;
}

fq_status fq_vectors_write(const char *path, const fq_vectors *vectors, const fq_provenance *provenance) {
    static const fq_h5_about about = {"1", "vector, coordinate", "vectors"};
    const size_t dims[2] = {vectors->count, vectors->dim};
    char digest[FQ_SHA256_HEX];
    hid_t file = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    digest_of_vectors(digest, vectors->x, vectors->count, vectors->dim);
    FQ_TRY(fq_h5_create(&file));
    fq_status status = fq_h5_write_dataset(&dataset, file, "vectors", 2, dims, H5T_IEEE_F32LE,
                                           H5T_NATIVE_FLOAT, vectors->x, &about);
    if (status == FQ_OK)
        status = fq_h5_write_digest(dataset, digest);
    fq_h5_close(dataset);
    return save(file, status, path, provenance);
}

fq_status fq_codes_write(const char *path, const fq_codes *codes, const fq_provenance *provenance) {
    static const fq_h5_about about = {"1", "vector, byte",
                                      "codes; each vector is decodable from its own row"};
    const size_t dims[2] = {codes->count, codes->code_bytes};
    char digest[FQ_SHA256_HEX];
    hid_t file = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    digest_of_codes(digest, codes->codec, codes->dim, codes->bytes, codes->count, codes->code_bytes);
    FQ_TRY(fq_h5_create(&file));
    fq_status status = fq_h5_write_dataset(&dataset, file, "codes", 2, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                           codes->bytes, &about);
    if (status == FQ_OK)
        status = fq_h5_write_text(dataset, "codec", codes->codec);
    if (status == FQ_OK)
        status = fq_h5_write_u64(dataset, "dim", codes->dim);
    if (status == FQ_OK)
        status = fq_h5_write_digest(dataset, digest);
    fq_h5_close(dataset);
    if (status == FQ_OK && codes->codebook.words)
        status = fq_codebook_dataset_write(file, &codes->codebook);
    return save(file, status, path, provenance);
}

static fq_status take_vectors(const fq_h5_file *file, fq_vectors *vectors) {
    fq_h5_shape shape;
    hid_t dataset = H5I_INVALID_HID;
    FQ_TRY(fq_h5_open_dataset(file, &dataset, &shape, file->id, "vectors", 2, H5T_FLOAT));
    fq_status status = FQ_OK;
    if (shape.dims[0] < 1 || shape.dims[1] < 1 || shape.dims[1] > FQ_DIM_MAX)
        status =
            FQ_H5_MALFORMED(file, "vectors", "is %zu x %zu; allowed: 1 vector or more of dimension 1 to %d",
                            shape.dims[0], shape.dims[1], FQ_DIM_MAX);
    if (status == FQ_OK)
        status = fq_h5_make_room(file, "vectors", (uint64_t)shape.elements * sizeof *vectors->x);
    if (status == FQ_OK)
        status = fq_alloc(&vectors->x, shape.elements, sizeof *vectors->x);
    if (status == FQ_OK)
        status = fq_h5_read_dataset(file, dataset, "vectors", H5T_NATIVE_FLOAT, vectors->x);
    if (status == FQ_OK && fq_h5_has_digest(dataset)) {
        char digest[FQ_SHA256_HEX];
        digest_of_vectors(digest, vectors->x, shape.dims[0], shape.dims[1]);
        status = fq_h5_check_digest(file, dataset, "vectors", digest);
    }
    fq_h5_close(dataset);
    for (size_t i = 0; status == FQ_OK && i < shape.elements; i++)
        if (!isfinite(vectors->x[i]))
            status = FQ_H5_MALFORMED(file, "vectors", "vector %zu, coordinate %zu is not a finite float32",
                                     i / shape.dims[1], i % shape.dims[1]);
    if (status == FQ_OK) {
        vectors->count = shape.dims[0];
        vectors->dim = shape.dims[1];
    }
    return status;
}

static fq_status take_codes(const fq_h5_file *file, fq_codes *codes) {
    fq_h5_shape shape;
    hid_t dataset = H5I_INVALID_HID;
    uint64_t dim = 0;
    FQ_TRY(fq_h5_open_dataset(file, &dataset, &shape, file->id, "codes", 2, H5T_INTEGER));
    fq_status status = fq_h5_read_text(file, dataset, "codes", "codec", codes->codec, sizeof codes->codec);
    if (status == FQ_OK)
        status = fq_h5_read_u64(file, dataset, "codes", "dim", &dim);
    if (status == FQ_OK && (dim < 1 || dim > FQ_DIM_MAX))
        status = FQ_H5_MALFORMED(file, "codes", "attribute dim is out of 1..%d", FQ_DIM_MAX);
    if (status == FQ_OK && (shape.dims[0] < 1 || shape.dims[1] < 1 || shape.bytes != 1))
        status = FQ_H5_MALFORMED(file, "codes", "is %zu x %zu of %zu bytes; allowed: rows of bytes",
                                 shape.dims[0], shape.dims[1], shape.bytes);
    if (status == FQ_OK)
        status = fq_h5_make_room(file, "codes", shape.elements);
    if (status == FQ_OK)
        status = fq_alloc(&codes->bytes, shape.elements, 1);
    if (status == FQ_OK)
        status = fq_h5_read_dataset(file, dataset, "codes", H5T_NATIVE_UINT8, codes->bytes);
    if (status == FQ_OK && fq_h5_has_digest(dataset)) {
        char digest[FQ_SHA256_HEX];
        digest_of_codes(digest, codes->codec, dim, codes->bytes, shape.dims[0], shape.dims[1]);
        status = fq_h5_check_digest(file, dataset, "codes", digest);
    }
    fq_h5_close(dataset);
    if (status == FQ_OK && fq_h5_has(file->id, "codebook"))
        status = fq_codebook_dataset_read(file, &codes->codebook);
    if (status == FQ_OK) {
        codes->count = shape.dims[0];
        codes->code_bytes = shape.dims[1];
        codes->dim = (size_t)dim;
    }
    return status;
}

typedef struct reading {
    const char *path;
    const unsigned char *bytes;
    size_t length;
    fq_vectors *vectors; /* one of these two; NULL in the check */
    fq_codes *codes;
    bool wants_codes;
} reading;

static fq_status read_once(const reading *r, fq_vectors *vectors, fq_codes *codes) {
    fq_h5_file file;
    FQ_TRY(fq_h5_open_bytes(&file, r->path, r->bytes, r->length));
    const fq_status status = r->wants_codes ? take_codes(&file, codes) : take_vectors(&file, vectors);
    fq_h5_file_close(&file);
    return status;
}

static fq_status check(void *context) {
    fq_vectors vectors = {0};
    fq_codes codes = {0};
    fq_codebook_init(&codes.codebook);
    const fq_status status = read_once(context, &vectors, &codes);
    fq_vectors_clear(&vectors);
    fq_codes_clear(&codes);
    return status;
}

static fq_status read_file(reading *r) {
    unsigned char *bytes = NULL;
    FQ_TRY(fq_file_read(r->path, file_limit, &bytes, &r->length));
    r->bytes = bytes;
    fq_status status = fq_h5_guard(r->path, check, r);
    if (status == FQ_OK)
        status = read_once(r, r->vectors, r->codes);
    fq_free(bytes);
    return status;
}

fq_status fq_vectors_read(fq_vectors *vectors, const char *path) {
    reading r = {.path = path, .vectors = vectors};
    memset(vectors, 0, sizeof *vectors);
    const fq_status status = read_file(&r);
    if (status != FQ_OK)
        fq_vectors_clear(vectors);
    return status;
}

fq_status fq_codes_read(fq_codes *codes, const char *path) {
    reading r = {.path = path, .codes = codes, .wants_codes = true};
    memset(codes, 0, sizeof *codes);
    fq_codebook_init(&codes->codebook);
    const fq_status status = read_file(&r);
    if (status != FQ_OK)
        fq_codes_clear(codes);
    return status;
}
