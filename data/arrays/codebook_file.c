#include "codebook_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "atomic_file.h"
#include "failure.h"
#include "memory.h"
#include "sha256.h"

enum { RECIPE_ROOM = 32 };
static const char dataset_name[] = "codebook";
static const size_t file_limit = (size_t)1 << 30;

static double rate_of(const fq_codebook *codebook) {
    return log2((double)codebook->codewords) / (double)codebook->block;
}

static bool is_certified(const fq_codebook *codebook) {
    return isfinite(codebook->certificate.low) && isfinite(codebook->certificate.high);
}

/* What the certificate says, and of which words. */
static void certificate_digest(char hex[FQ_SHA256_HEX], const fq_codebook *codebook) {
    char text[300];
    fq_sha256 hash;
    const int length = snprintf(text, sizeof text, "certificate %zu %zu %zu %a %a %" PRIu64, codebook->dim,
                                codebook->block, codebook->codewords, codebook->certificate.low,
                                codebook->certificate.high, codebook->certificate.parts);
    fq_sha256_init(&hash);
    fq_sha256_add(&hash, text, (size_t)length);
    fq_sha256_add(&hash, codebook->words, codebook->codewords * codebook->block * sizeof *codebook->words);
    fq_sha256_final(&hash, hex);
}

/* Numbers in hexadecimal: every bit counts. */
static void content_digest(char hex[FQ_SHA256_HEX], const fq_codebook *codebook) {
    char text[400];
    fq_sha256 hash;
    const int length =
        snprintf(text, sizeof text, "%zu %zu %zu %s %" PRIu64 " %a %a %" PRIu64, codebook->dim,
                 codebook->block, codebook->codewords, fq_recipe_name(codebook->recipe), codebook->seed,
                 codebook->distortion, codebook->distortion_se, codebook->distortion_samples);
    fq_sha256_init(&hash);
    fq_sha256_add(&hash, text, (size_t)length);
    fq_sha256_add(&hash, codebook->words, codebook->codewords * codebook->block * sizeof *codebook->words);
    if (is_certified(codebook)) {
        certificate_digest(hex, codebook);
        fq_sha256_add(&hash, hex, strlen(hex));
    }
    fq_sha256_final(&hash, hex);
}

static fq_status write_certificate(hid_t dataset, const fq_codebook *codebook) {
    char hex[FQ_SHA256_HEX];
    certificate_digest(hex, codebook);
    FQ_TRY(fq_h5_write_double(dataset, "certified_low", codebook->certificate.low));
    FQ_TRY(fq_h5_write_double(dataset, "certified_high", codebook->certificate.high));
    FQ_TRY(fq_h5_write_u64(dataset, "certified_parts", codebook->certificate.parts));
    return fq_h5_write_text(dataset, "certified_sha256", hex);
}

static fq_status write_attributes(hid_t dataset, const fq_codebook *codebook) {
    char hex[FQ_SHA256_HEX];
    content_digest(hex, codebook);
    if (is_certified(codebook))
        FQ_TRY(write_certificate(dataset, codebook));
    FQ_TRY(fq_h5_write_u64(dataset, "dim", codebook->dim));
    FQ_TRY(fq_h5_write_u64(dataset, "block", codebook->block));
    FQ_TRY(fq_h5_write_u64(dataset, "codewords", codebook->codewords));
    FQ_TRY(fq_h5_write_double(dataset, "rate", rate_of(codebook)));
    FQ_TRY(fq_h5_write_double(dataset, "distortion", codebook->distortion));
    FQ_TRY(fq_h5_write_double(dataset, "distortion_se", codebook->distortion_se));
    FQ_TRY(fq_h5_write_u64(dataset, "distortion_samples", codebook->distortion_samples));
    FQ_TRY(fq_h5_write_text(dataset, "recipe", fq_recipe_name(codebook->recipe)));
    FQ_TRY(fq_h5_write_u64(dataset, "seed", codebook->seed));
    return fq_h5_write_digest(dataset, hex);
}

fq_status fq_codebook_dataset_write(hid_t where, const fq_codebook *codebook) {
    static const fq_h5_about about = {"1", "codeword, coordinate",
                                      "codewords of a block of unit vectors, in the closed unit ball"};
    const size_t dims[2] = {codebook->codewords, codebook->block};
    hid_t dataset = H5I_INVALID_HID;
    FQ_TRY(fq_h5_write_dataset(&dataset, where, dataset_name, 2, dims, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                               codebook->words, &about));
    const fq_status status = write_attributes(dataset, codebook);
    fq_h5_close(dataset);
    return status;
}

typedef struct header {
    uint64_t dim, block, codewords, seed, samples;
    double rate, distortion, distortion_se;
    fq_recipe recipe;
} header;

static fq_status read_header(const fq_h5_file *file, hid_t dataset, header *h) {
    char recipe[RECIPE_ROOM];
    FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, "dim", &h->dim));
    FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, "block", &h->block));
    FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, "codewords", &h->codewords));
    FQ_TRY(fq_h5_read_double(file, dataset, dataset_name, "rate", &h->rate));
    FQ_TRY(fq_h5_read_double(file, dataset, dataset_name, "distortion", &h->distortion));
    FQ_TRY(fq_h5_read_double(file, dataset, dataset_name, "distortion_se", &h->distortion_se));
    h->samples = 0;
    if (fq_h5_has_attribute(dataset, "distortion_samples"))
        FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, "distortion_samples", &h->samples));
    FQ_TRY(fq_h5_read_text(file, dataset, dataset_name, "recipe", recipe, sizeof recipe));
    FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, "seed", &h->seed));
    if (fq_recipe_parse(&h->recipe, recipe) != FQ_OK)
        return FQ_H5_MALFORMED(file, dataset_name, "attribute recipe is \"%s\"", recipe);
    if (h->dim < 1 || h->dim > FQ_DIM_MAX || h->block < 1 || h->block > h->dim || h->codewords < 1)
        return FQ_H5_MALFORMED(file, dataset_name,
                               "attributes dim %" PRIu64 ", block %" PRIu64 ", codewords %" PRIu64
                               " are out of range",
                               h->dim, h->block, h->codewords);
    if (!isnan(h->distortion) && !(h->distortion >= 0 && h->distortion <= 1e6))
        return FQ_H5_MALFORMED(file, dataset_name, "attribute distortion is %g", h->distortion);
    if (!isnan(h->distortion_se) && !(h->distortion_se >= 0 && h->distortion_se <= 1e6))
        return FQ_H5_MALFORMED(file, dataset_name, "attribute distortion_se is %g", h->distortion_se);
    const double rate = log2((double)h->codewords) / (double)h->block;
    if (!(fabs(h->rate - rate) <= 1e-9))
        return FQ_H5_MALFORMED(file, dataset_name, "attribute rate is %.10g where log2(N)/k is %.10g",
                               h->rate, rate);
    return FQ_OK;
}

/* The certificate of a codebook whose words are read, where the file has one. */
static fq_status read_certificate(const fq_h5_file *file, hid_t dataset, fq_codebook *codebook) {
    static const char *const names[] = {"certified_low", "certified_high", "certified_parts",
                                        "certified_sha256"};
    char stored[FQ_SHA256_HEX], hex[FQ_SHA256_HEX];
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        any = any || fq_h5_has_attribute(dataset, names[i]);
    if (!any)
        return FQ_OK;
    fq_codebook_certificate *const c = &codebook->certificate;
    FQ_TRY(fq_h5_read_double(file, dataset, dataset_name, names[0], &c->low));
    FQ_TRY(fq_h5_read_double(file, dataset, dataset_name, names[1], &c->high));
    FQ_TRY(fq_h5_read_u64(file, dataset, dataset_name, names[2], &c->parts));
    FQ_TRY(fq_h5_read_text(file, dataset, dataset_name, names[3], stored, sizeof stored));
    if (!(c->low <= c->high) || !isfinite(c->low) || !isfinite(c->high))
        return FQ_H5_MALFORMED(file, dataset_name,
                               "attributes certified_low and certified_high are %g and %g", c->low, c->high);
    certificate_digest(hex, codebook);
    if (strcmp(stored, hex) != 0)
        return FQ_H5_MALFORMED(file, dataset_name,
                               "attribute certified_sha256 is of another certificate or other words");
    return FQ_OK;
}

static fq_status read_words(const fq_h5_file *file, hid_t dataset, const fq_h5_shape *shape,
                            fq_codebook *codebook) {
    header h;
    float *words = NULL;
    FQ_TRY(read_header(file, dataset, &h));
    if (shape->dims[0] != h.codewords || shape->dims[1] != h.block)
        return FQ_H5_MALFORMED(file, dataset_name,
                               "is %zu x %zu where its attributes say %" PRIu64 " x %" PRIu64, shape->dims[0],
                               shape->dims[1], h.codewords, h.block);
    FQ_TRY(fq_alloc(&words, shape->elements, sizeof *words));
    fq_status status = fq_h5_read_dataset(file, dataset, dataset_name, H5T_NATIVE_FLOAT, words);
    if (status == FQ_OK) {
        status = fq_codebook_set(codebook, (size_t)h.dim, (size_t)h.block, (size_t)h.codewords, words,
                                 h.recipe, h.seed);
        if (status != FQ_OK && status != FQ_ERR_MEMORY) {
            char line[FQ_FAILURE_LINE_MAX];
            fq_failure_line(line, fq_error_last());
            status = FQ_H5_MALFORMED(file, dataset_name, "%.300s", line);
        }
    }
    fq_free(words);
    FQ_TRY(status);
    codebook->distortion = h.distortion;
    codebook->distortion_se = h.distortion_se;
    codebook->distortion_samples = h.samples;
    FQ_TRY(read_certificate(file, dataset, codebook));
    char digest[FQ_SHA256_HEX];
    content_digest(digest, codebook);
    return fq_h5_check_digest(file, dataset, dataset_name, digest);
}

fq_status fq_codebook_dataset_read(const fq_h5_file *file, fq_codebook *codebook) {
    fq_h5_shape shape;
    hid_t dataset = H5I_INVALID_HID;
    FQ_TRY(fq_h5_open_dataset(file, &dataset, &shape, file->id, dataset_name, 2, H5T_FLOAT));
    const fq_status status = read_words(file, dataset, &shape, codebook);
    fq_h5_close(dataset);
    if (status != FQ_OK) {
        fq_codebook_clear(codebook);
        fq_codebook_init(codebook);
    }
    return status;
}

typedef struct reading {
    const char *path;
    const unsigned char *bytes;
    size_t length;
} reading;

static fq_status read_all(const reading *r, fq_codebook *codebook) {
    fq_h5_file file;
    FQ_TRY(fq_h5_open_bytes(&file, r->path, r->bytes, r->length));
    const fq_status status = fq_codebook_dataset_read(&file, codebook);
    fq_h5_file_close(&file);
    return status;
}

static fq_status check_all(void *context) {
    fq_codebook discarded;
    fq_codebook_init(&discarded);
    const fq_status status = read_all(context, &discarded);
    fq_codebook_clear(&discarded);
    return status;
}

fq_status fq_codebook_file_read(fq_codebook *codebook, const char *path) {
    unsigned char *bytes = NULL;
    reading r = {.path = path};
    FQ_TRY(fq_file_read(path, file_limit, &bytes, &r.length));
    r.bytes = bytes;
    fq_status status = fq_h5_guard(path, check_all, &r);
    if (status == FQ_OK)
        status = read_all(&r, codebook);
    fq_free(bytes);
    return status;
}
