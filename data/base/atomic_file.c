#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "machine_memory.h"
#include "memory.h"

static atomic_size_t operations, failing, serial;

size_t fq_atomic_file_fail_at(size_t n) {
    atomic_store(&failing, n);
    return atomic_exchange(&operations, 0);
}

/* Temporary files that are there now. A child process inherits the list, but not the files: hence the owner.
 */
enum { PLACES = 32, FREE = 0, TAKEN, LISTED };
static struct {
    atomic_int state;
    pid_t owner;
    char name[FQ_PATH_MAX];
} pending[PLACES];

/* Place, from 1; 0 if all are taken: then only the clean-up after a signal is lost. */
static size_t list_pending(const char *name) {
    for (size_t i = 0; i < PLACES; i++) {
        int expected = FREE;
        if (!atomic_compare_exchange_strong(&pending[i].state, &expected, TAKEN))
            continue;
        pending[i].owner = getpid();
        strcpy(pending[i].name, name);
        atomic_store(&pending[i].state, LISTED);
        return i + 1;
    }
    return 0;
}

static void strike_pending(fq_atomic_file *file) {
    if (file->place)
        atomic_store(&pending[file->place - 1].state, FREE);
    file->place = 0;
}

void fq_atomic_files_remove(void) {
    const pid_t self = getpid();
    for (size_t i = 0; i < PLACES; i++)
        if (atomic_load(&pending[i].state) == LISTED && pending[i].owner == self)
            unlink(pending[i].name);
}

static bool injected(void) {
    const size_t number = atomic_fetch_add(&operations, 1) + 1;
    if (number != atomic_load(&failing))
        return false;
    errno = ENOSPC;
    return true;
}

static fq_status failed(const char *path, const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s: %s", path, what, strerror(errno));
}

/* Looks at what is at file->path, which the new file is to replace. */
static fq_status look_at_old(fq_atomic_file *file) {
    struct stat about;
    if (stat(file->path, &about) != 0)
        return FQ_OK;
    /* the bits besides, because root may do everything */
    if ((about.st_mode & 0222) == 0 || access(file->path, W_OK) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: is write-protected; chmod u+w it, or give another name",
                            file->path);
    file->replaces = true;
    file->mode = about.st_mode & 0777;
    file->owner = about.st_uid;
    file->group = about.st_gid;
    return FQ_OK;
}

fq_status fq_atomic_file_begin(fq_atomic_file *file, const char *path) {
    memset(file, 0, sizeof *file);
    if (path[0] == '\0' || path[strlen(path) - 1] == '/')
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: is no regular file; give the name of a file", path);
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) /* /dev/stdout leads to names that are none */
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: is no regular file; give the name of a file", path);
    FQ_TRY(fq_path_follow(file->path, path));
    FQ_TRY(look_at_old(file));
    const int length = snprintf(file->temporary, sizeof file->temporary, "%s.tmp-%ld-%zu", file->path,
                                (long)getpid(), atomic_fetch_add(&serial, 1));
    if (length < 0 || (size_t)length >= sizeof file->temporary) {
        file->temporary[0] = '\0';
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s...: name too long", path);
    }
    file->place = list_pending(file->temporary);
    /* nobody else reads it before it has the old file's permissions */
    const int descriptor =
        open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->replaces ? 0600 : 0666);
    if (descriptor < 0) {
        const fq_status status = failed(path, "cannot be made");
        strike_pending(file);
        file->temporary[0] = '\0';
        return status;
    }
    close(descriptor);
    return FQ_OK;
}

fq_status fq_atomic_file_check(const char *path) {
    fq_atomic_file file;
    FQ_TRY(fq_atomic_file_begin(&file, path));
    fq_atomic_file_abandon(&file);
    return FQ_OK;
}

void fq_atomic_file_abandon(fq_atomic_file *file) {
    if (file->temporary[0])
        unlink(file->temporary);
    strike_pending(file);
    file->temporary[0] = '\0';
}

/* The rename is safe on disk only when the folder is; a folder that cannot be synced (some network
 * file systems) is no failure of the write. */
static void sync_folder(const char *path) {
    char folder[FQ_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    else
        snprintf(folder, sizeof folder, ".");
    const int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    (void)!fsync(descriptor);
    close(descriptor);
}

fq_status fq_atomic_file_commit(fq_atomic_file *file) {
    const int descriptor = open(file->temporary, O_RDWR | O_CLOEXEC);
    fq_status status = FQ_OK;
    if (descriptor < 0) {
        status = failed(file->path, "cannot be written");
    } else {
        if (file->replaces) { /* file systems without owners or modes have none to keep */
            (void)!fchown(descriptor, file->owner, file->group);
            (void)!fchmod(descriptor, file->mode);
        }
        if (injected() || fsync(descriptor) != 0)
            status = failed(file->path, "cannot be written");
        close(descriptor);
    }
    if (status == FQ_OK && (injected() || rename(file->temporary, file->path) != 0))
        status = failed(file->path, "cannot be replaced");
    if (status != FQ_OK) {
        fq_atomic_file_abandon(file);
        return status;
    }
    strike_pending(file);
    file->temporary[0] = '\0';
    sync_folder(file->path);
    return FQ_OK;
}

static fq_status write_all(int descriptor, const char *path, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        const ssize_t written = injected() ? -1 : write(descriptor, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return failed(path, "cannot be written");
        at += written;
        length -= (size_t)written;
    }
    return FQ_OK;
}

fq_status fq_atomic_file_write(const char *path, const void *bytes, size_t length) {
    fq_atomic_file file;
    FQ_TRY(fq_atomic_file_begin(&file, path));
    const int descriptor = open(file.temporary, O_WRONLY | O_CLOEXEC);
    fq_status status = FQ_OK;
    if (descriptor < 0) {
        status = failed(path, "cannot be written");
    } else {
        status = write_all(descriptor, path, bytes, length);
        if (close(descriptor) != 0 && status == FQ_OK)
            status = failed(path, "cannot be written");
    }
    if (status == FQ_OK)
        return fq_atomic_file_commit(&file);
    fq_atomic_file_abandon(&file);
    return status;
}

fq_status fq_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *length) {
    struct stat about;
    unsigned char *all = NULL;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    fq_status status = FQ_OK;
    if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode))
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: is no regular file", path);
    else if ((uintmax_t)about.st_size > limit)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: has %jd bytes; allowed: up to %zu", path,
                              (intmax_t)about.st_size, limit);
    else if ((uintmax_t)about.st_size > fq_machine_memory_left())
        status = FQ_FAIL_TEXT(FQ_ERR_MEMORY, "%s: has %jd bytes, more than the memory that is left", path,
                              (intmax_t)about.st_size);
    else
        status = fq_alloc(&all, (size_t)about.st_size + 1, 1);
    size_t have = 0;
    while (status == FQ_OK && have < (size_t)about.st_size) {
        const ssize_t got = read(descriptor, all + have, (size_t)about.st_size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    close(descriptor);
    if (status != FQ_OK) {
        fq_free(all);
        return status;
    }
    all[have] = 0;
    *bytes = all;
    *length = have;
    return FQ_OK;
}
