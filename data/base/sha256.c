#include "sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "memory.h"

void fq_sha256_init(fq_sha256 *hash) {
    crypto_hash_sha256_init(&hash->state);
}

void fq_sha256_add(fq_sha256 *hash, const void *bytes, size_t length) {
    if (length)
        crypto_hash_sha256_update(&hash->state, bytes, length);
}

void fq_sha256_final(fq_sha256 *hash, char hex[FQ_SHA256_HEX]) {
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&hash->state, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void fq_sha256_bytes(char hex[FQ_SHA256_HEX], const void *bytes, size_t length) {
    fq_sha256 hash;
    fq_sha256_init(&hash);
    fq_sha256_add(&hash, bytes, length);
    fq_sha256_final(&hash, hex);
}

fq_status fq_sha256_file(char hex[FQ_SHA256_HEX], const char *path) {
    enum { PIECE = 1 << 20 };
    unsigned char *piece = NULL;
    fq_sha256 hash;
    struct stat about;
    if (stat(path, &about) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode)) /* a device or pipe may never end */
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: is no regular file", path);
    FQ_TRY(fq_alloc(&piece, PIECE, 1));
    FILE *file = fopen(path, "rb");
    fq_status status = FQ_OK;
    if (!file) {
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    } else {
        size_t got;
        fq_sha256_init(&hash);
        while ((got = fread(piece, 1, PIECE, file)) > 0)
            fq_sha256_add(&hash, piece, got);
        if (ferror(file))
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        fclose(file);
    }
    fq_free(piece);
    if (status == FQ_OK)
        fq_sha256_final(&hash, hex);
    return status;
}
