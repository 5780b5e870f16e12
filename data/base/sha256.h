/* SHA-256 of bytes and files (libsodium), as 64 lower-case hexadecimal digits. */
#ifndef FQ_SHA256_H
#define FQ_SHA256_H

#include <sodium.h>

#include "status.h"

enum { FQ_SHA256_HEX = 65 };

typedef struct fq_sha256 {
    crypto_hash_sha256_state state;
} fq_sha256;

void fq_sha256_init(fq_sha256 *hash);
void fq_sha256_add(fq_sha256 *hash, const void *bytes, size_t length);
void fq_sha256_final(fq_sha256 *hash, char hex[FQ_SHA256_HEX]);

void fq_sha256_bytes(char hex[FQ_SHA256_HEX], const void *bytes, size_t length);

/* Of a whole file, read in pieces. FQ_ERR_INPUT names the file. */
FQ_MUST_CHECK fq_status fq_sha256_file(char hex[FQ_SHA256_HEX], const char *path);

#endif
