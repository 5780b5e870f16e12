/* Files put in place in one step: written under a temporary name in the same folder, fsync, rename,
 * fsync of the folder. Whoever opens the path finds the old file or the new one, whole; a kill leaves
 * at most a file NAME.tmp-PID-N behind, a signal that can be caught nothing. Two writers do not disturb
 * each other: the later one wins.
 *
 * As with writing into a file: where the path is a symbolic link, what it leads to is replaced and the link
 * stays; the file's permissions, and as far as the system lets us its owner, stay; a file that nobody may
 * write (mode 444, say) is refused, also for root. A new file's permissions are by the umask. Other names of
 * the old file (hard links) keep the old content.
 */
#ifndef FQ_ATOMIC_FILE_H
#define FQ_ATOMIC_FILE_H

#include <sys/types.h>

#include "file_place.h"
#include "status.h"

typedef struct fq_atomic_file {
    char path[FQ_PATH_MAX], temporary[FQ_PATH_MAX];
    size_t place;  /* in the list of what is to be removed, from 1; 0: not in it */
    bool replaces; /* a file that is there, with this mode, owner and group */
    mode_t mode;
    uid_t owner;
    gid_t group;
} fq_atomic_file;

/* Chooses the temporary name and creates it empty, so that an unwritable folder is found before any
 * work is done. FQ_ERR_OUTPUT names the file and what the system said. */
FQ_MUST_CHECK fq_status fq_atomic_file_begin(fq_atomic_file *file, const char *path);

/* Whether begin would do: begins and abandons. */
FQ_MUST_CHECK fq_status fq_atomic_file_check(const char *path);

/* Puts file->temporary, which must be complete and closed, in place of path. On failure the
 * temporary file is removed and the old file stands. */
FQ_MUST_CHECK fq_status fq_atomic_file_commit(fq_atomic_file *file);

/* Removes the temporary file; harmless after commit or on a struct of zeros. */
void fq_atomic_file_abandon(fq_atomic_file *file);

/* Removes the temporary files that this process has begun and neither committed nor abandoned. For signal
 * handlers that end the process: calls nothing that they may not. */
void fq_atomic_files_remove(void);

/* All of it for bytes in memory. */
FQ_MUST_CHECK fq_status fq_atomic_file_write(const char *path, const void *bytes, size_t length);

/* The whole of a regular file of at most limit bytes, with a zero behind; *bytes is the caller's to
 * fq_free. FQ_ERR_INPUT. */
FQ_MUST_CHECK fq_status fq_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *length);

/* For tests: the n-th write, fsync or rename from now (1-based) fails as on a full disk; 0 switches
 * that off. Returns how many there were since the last call. */
size_t fq_atomic_file_fail_at(size_t n);

#endif
