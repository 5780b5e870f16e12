/* Untrusted files are read once in a child process, where a crash of the HDF5 library costs nothing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "hdf5_util.h"
#include "machine_memory.h"

enum { CHILD_READ = 40, CHILD_REFUSED = 41, SECONDS_MIN = 5, BYTES_A_SECOND = 20 << 20 };

#if defined(__SANITIZE_ADDRESS__)
#define FQ_ADDRESS_SPACE_LIMITED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FQ_ADDRESS_SPACE_LIMITED 0 /* the sanitizer's shadow memory fills the address space */
#endif
#endif
#ifndef FQ_ADDRESS_SPACE_LIMITED
#define FQ_ADDRESS_SPACE_LIMITED 1
#endif

static bool enabled = true;

void fq_h5_guard_on(bool on) {
    enabled = on;
}

static bool in_child; /* limits are this process's own and may be raised */

/* The soft limit alone: it can be raised again. */
static void limit(int resource, rlim_t most) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return;
    now.rlim_cur = now.rlim_max == RLIM_INFINITY || most < now.rlim_max ? most : now.rlim_max;
    (void)setrlimit(resource, &now);
}

static void raise_limit(int resource, rlim_t more) {
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_cur != RLIM_INFINITY)
        limit(resource, now.rlim_cur < RLIM_INFINITY - more ? now.rlim_cur + more : RLIM_INFINITY);
}

static void limit_memory(uint64_t file_bytes) {
    unsigned long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm)
        return;
    const int got = fscanf(statm, "%llu", &pages);
    fclose(statm);
    const long page = sysconf(_SC_PAGESIZE);
    if (got == 1 && page > 0)
        limit(RLIMIT_AS, (rlim_t)(pages * (unsigned long long)page + (1ULL << 30) + 4 * file_bytes));
}

fq_status fq_h5_make_room(const fq_h5_file *file, const char *object, uint64_t bytes) {
    const uint64_t left = fq_machine_memory_left();
    const double gib = 1.0 / (1 << 30);
    if (bytes > left)
        return FQ_FAIL_TEXT(FQ_ERR_MEMORY,
                            "%s: %.100s: takes %.2f GiB of memory; %.2f GiB are left on this machine",
                            file->path, object, gib * (double)bytes, gib * (double)left);
    if (in_child) {
        raise_limit(RLIMIT_CPU, (rlim_t)(bytes / BYTES_A_SECOND));
        if (FQ_ADDRESS_SPACE_LIMITED)
            raise_limit(RLIMIT_AS, (rlim_t)bytes);
    }
    return FQ_OK;
}

/* Runs the check; a refusal's error record goes through the pipe. It is smaller than PIPE_BUF. */
static _Noreturn void child(int to_parent, uint64_t file_bytes, fq_status (*check)(void *context),
                            void *context) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    const int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)dup2(nowhere, STDERR_FILENO);
    }
    in_child = true;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(SECONDS_MIN + file_bytes / BYTES_A_SECOND));
    if (FQ_ADDRESS_SPACE_LIMITED)
        limit_memory(file_bytes);
    if (check(context) == FQ_OK)
        _exit(CHILD_READ);
    const ssize_t sent = write(to_parent, fq_error_last(), sizeof(fq_error));
    _exit(sent == (ssize_t)sizeof(fq_error) ? CHILD_REFUSED : EXIT_FAILURE);
}

/* What the child's end means. error is what came through the pipe. */
static fq_status judge(const char *path, int outcome, bool received, const fq_error *error) {
    if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == CHILD_READ)
        return FQ_OK;
    if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == CHILD_REFUSED && received && error->status != FQ_OK)
        return fq_error_restore(error);
    if (WIFSIGNALED(outcome) && (WTERMSIG(outcome) == SIGXCPU || WTERMSIG(outcome) == SIGKILL))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: damaged: reading it does not end", path);
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: damaged: the HDF5 library crashes on it", path);
}

fq_status fq_h5_guard(const char *path, fq_status (*check)(void *context), void *context) {
    if (!enabled)
        return check(context);
    struct stat about;
    fq_error error;
    int ends[2], outcome = 0;
    const uint64_t bytes = stat(path, &about) == 0 && about.st_size > 0 ? (uint64_t)about.st_size : 0;
    if (pipe(ends) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "%s: no pipe to its reader: %s", path, strerror(errno));
    const pid_t pid = fork();
    if (pid == 0)
        child(ends[1], bytes, check, context);
    close(ends[1]);
    bool lost = pid < 0;
    ssize_t got = -1;
    if (!lost)
        do
            got = read(ends[0], &error, sizeof error);
        while (got < 0 && errno == EINTR);
    close(ends[0]);
    while (!lost && waitpid(pid, &outcome, 0) < 0)
        lost = errno != EINTR;
    if (lost)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "%s: no process to read it in: %s", path, strerror(errno));
    return judge(path, outcome, got == (ssize_t)sizeof error, &error);
}
