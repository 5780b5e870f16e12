#include "input_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"

enum { ATTEMPTS = 3 };

static int64_t nanoseconds(struct timespec t) {
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static fq_status look(fq_input_file *file, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    *file = (fq_input_file){.device = (uint64_t)about.st_dev,
                            .inode = (uint64_t)about.st_ino,
                            .size = (int64_t)about.st_size,
                            .modified_ns = nanoseconds(about.st_mtim),
                            .changed_ns = nanoseconds(about.st_ctim)};
    return FQ_OK;
}

static bool same(const fq_input_file *a, const fq_input_file *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

fq_status fq_input_file_take(fq_input_file *file, char digest[FQ_SHA256_HEX], const char *path) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        fq_input_file after = {0};
        FQ_TRY(look(file, path));
        FQ_TRY(fq_sha256_file(digest, path));
        FQ_TRY(look(&after, path));
        if (same(file, &after))
            return FQ_OK;
    }
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: keeps changing while it is read", path);
}

fq_status fq_input_file_check(const fq_input_file *file, const char *digest, const char *path) {
    fq_input_file here = {0};
    char found[FQ_SHA256_HEX];
    FQ_TRY(look(&here, path));
    if (same(file, &here))
        return FQ_OK;
    FQ_TRY(fq_sha256_file(found, path));
    if (strcmp(found, digest) == 0)
        return FQ_OK;
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "%s: changed while the sweep ran (SHA-256 was %.12s, is %.12s): what it holds is "
                        "another point; start the sweep again",
                        path, digest, found);
}
