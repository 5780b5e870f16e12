/* A file that points read: it must hold, while they do, what its SHA-256 in their identity says.
 *
 * Hashing a large file for every point would cost more than many points, so the file is recognised by what
 * the system says of it (device, inode, size, times), and hashed again only when that has changed.
 */
#ifndef FQ_INPUT_FILE_H
#define FQ_INPUT_FILE_H

#include <stdint.h>

#include "sha256.h"

typedef struct fq_input_file {
    uint64_t device, inode;
    int64_t size, modified_ns, changed_ns; /* times since 1970, which need not be true */
} fq_input_file;

/* Hashes the file and remembers how it looked. FQ_ERR_INPUT if it cannot be read, or changes meanwhile. */
FQ_MUST_CHECK fq_status fq_input_file_take(fq_input_file *file, char digest[FQ_SHA256_HEX], const char *path);

/* FQ_ERR_INPUT if the file is gone or no longer has that digest. Cost: a stat, unless it looks different. */
FQ_MUST_CHECK fq_status fq_input_file_check(const fq_input_file *file, const char *digest, const char *path);

#endif
