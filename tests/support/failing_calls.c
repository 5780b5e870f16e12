/* Preloaded into the program by tests (LD_PRELOAD, glibc): makes calls of the C library fail or lie.
 *
 *   FAIL_MALLOC=n     the n-th allocation of a process, by whatever library, returns NULL
 *   FAIL_WRITE=n      the n-th write, sync, rename or creation of a regular file fails: no space left
 *   FAIL_FROM=1       these and all later ones fail, not the n-th alone
 *   CLOCK_JUMP=s      every look at the wall clock is s seconds before or after the one before, in turn
 *   COUNT_FILE=NAME   how many allocations and writes there were is written there at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong allocations, writes, looks;
static unsigned long failing_allocation, failing_write;
static long jump;
static bool from_there_on;

static unsigned long number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void read_environment(void) {
    failing_allocation = number("FAIL_MALLOC");
    failing_write = number("FAIL_WRITE");
    from_there_on = number("FAIL_FROM") != 0;
    jump = (long)number("CLOCK_JUMP");
    atomic_store(&allocations, 0);
}

__attribute__((destructor)) static void write_counts(void) {
    const char *name = getenv("COUNT_FILE");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (file) {
        fprintf(file, "%lu %lu\n", atomic_load(&allocations), atomic_load(&writes));
        fclose(file);
    }
}

static bool fails(atomic_ulong *counter, unsigned long at) {
    const unsigned long ordinal = atomic_fetch_add(counter, 1) + 1;
    return at != 0 && (ordinal == at || (from_there_on && ordinal > at));
}

static bool no_memory(void) {
    if (!fails(&allocations, failing_allocation))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) {
    return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return no_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size) {
    return no_memory() ? NULL : __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
    return no_memory() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    void *made = memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *pointer = made;
    return 0;
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}
/* ISO C has no conversion from a pointer to data to one to a function; POSIX has. */
#define NEXT(name, type) __extension__((type)next(name))

static bool no_space(void) {
    if (!fails(&writes, failing_write))
        return false;
    errno = ENOSPC;
    return true;
}

static bool regular(int file) {
    struct stat about;
    return fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

ssize_t write(int file, const void *bytes, size_t length) {
    if (regular(file) && no_space())
        return -1;
    return NEXT("write", ssize_t(*)(int, const void *, size_t))(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    if (no_space())
        return -1;
    return NEXT("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(file, bytes, length, at);
}

int fsync(int file) {
    return regular(file) && no_space() ? -1 : NEXT("fsync", int (*)(int))(file);
}

int fdatasync(int file) {
    return no_space() ? -1 : NEXT("fdatasync", int (*)(int))(file);
}

int rename(const char *from, const char *to) {
    return no_space() ? -1 : NEXT("rename", int (*)(const char *, const char *))(from, to);
}

int open(const char *name, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
        if (no_space())
            return -1;
    }
    return NEXT("open", int (*)(const char *, int, ...))(name, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    const int result = NEXT("clock_gettime", int (*)(clockid_t, struct timespec *))(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME && jump)
        now->tv_sec += atomic_fetch_add(&looks, 1) % 2 ? jump : -jump;
    return result;
}

time_t time(time_t *out) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
