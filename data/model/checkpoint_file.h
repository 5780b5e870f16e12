/* A file of a checkpoint, mapped read-only. Empty files are legal and have bytes = NULL. The mapping
 * stays valid after the file is unlinked or replaced; a file cut short by another program while it is
 * read is outside what can be checked here. */
#ifndef FQ_CHECKPOINT_FILE_H
#define FQ_CHECKPOINT_FILE_H

#include <stddef.h>

#include "status.h"

typedef struct fq_mapped_file {
    char *path;                 /* as given */
    const unsigned char *bytes; /* size of them */
    size_t size;
} fq_mapped_file;

/* Maps the regular file at path. FQ_ERR_INPUT with the system's reason. On failure *file is all zero. */
FQ_MUST_CHECK fq_status fq_mapped_file_open(fq_mapped_file *file, const char *path);

/* Unmaps and zeroes; a zeroed file is accepted. */
void fq_mapped_file_close(fq_mapped_file *file);

/* *path = folder/name (or name alone if folder is ""), to be freed with fq_free. */
FQ_MUST_CHECK fq_status fq_path_join(char **path, const char *folder, const char *name);

/* The part after the last slash. */
const char *fq_path_base(const char *path);

/* SHA-256 of bytes[0..size) as 64 hex digits and a terminator. */
FQ_MUST_CHECK fq_status fq_sha256_hex(const void *bytes, size_t size, char hex[65]);

#endif
