#include "checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"

fq_status fq_path_join(char **path, const char *folder, const char *name) {
    const size_t a = strlen(folder), b = strlen(name);
    char *joined = NULL;
    FQ_TRY(fq_alloc(&joined, a + b + 2, 1));
    memcpy(joined, folder, a);
    size_t at = a;
    if (a > 0 && folder[a - 1] != '/')
        joined[at++] = '/';
    memcpy(joined + at, name, b + 1);
    *path = joined;
    return FQ_OK;
}

const char *fq_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static fq_status map(fq_mapped_file *file, int descriptor, const char *path) {
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: not a regular file", path);
    if ((uintmax_t)about.st_size > SIZE_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: too large to map", path);
    file->size = (size_t)about.st_size;
    if (file->size == 0)
        return FQ_OK;
    void *bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
        file->size = 0;
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be mapped: %s", path, strerror(errno));
    }
    file->bytes = bytes;
    return FQ_OK;
}

fq_status fq_mapped_file_open(fq_mapped_file *file, const char *path) {
    memset(file, 0, sizeof *file);
    /* not blocking: a named pipe is refused, not waited for */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    fq_status status = map(file, descriptor, path);
    close(descriptor);
    if (status == FQ_OK)
        status = fq_path_join(&file->path, "", path);
    if (status != FQ_OK)
        fq_mapped_file_close(file);
    return status;
}

void fq_mapped_file_close(fq_mapped_file *file) {
    if (file->bytes) {
        /* munmap takes a pointer to non-const, and changes nothing behind it */
        void *bytes = NULL;
        memcpy(&bytes, &file->bytes, sizeof bytes);
        munmap(bytes, file->size);
    }
    fq_free(file->path);
    memset(file, 0, sizeof *file);
}

fq_status fq_sha256_hex(const void *bytes, size_t size, char hex[65]) {
    if (sodium_init() < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "libsodium cannot be initialised");
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, size ? bytes : (const void *)"", size);
    sodium_bin2hex(hex, 65, digest, sizeof digest);
    return FQ_OK;
}
