#include "sweep_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "progress_bar.h"

enum { STATE_TEXT = 1024 };

/* Keys and formats of the text, one line each; a fixed length, so that one write replaces it. */
static const char form[] =
    "fibquant sweep 1\nhost %.63s\npid %" PRId64
    "\nstarted %.3f\nupdated %.3f\nelapsed %.3f\neta %.3f\ntotal %" PRIu64 "\nstored_before %" PRIu64
    "\ndone %" PRIu64 "\nfailed %" PRIu64 "\nrunning %" PRIu64 "\nworkers %" PRIu64 "\nranks %" PRIu64 "\n";

static bool lock_path(char *path, size_t room, const char *results) {
    return (size_t)snprintf(path, room, "%s.lock", results) < room;
}

static struct flock whole_file(short type) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static fq_status parse(const char *text, fq_sweep_state *s) {
    memset(s, 0, sizeof *s);
    const int n = sscanf(
        text,
        "fibquant sweep 1\nhost %63s\npid %" SCNd64
        "\nstarted %lf\nupdated %lf\nelapsed %lf\neta %lf\ntotal %" SCNu64 "\nstored_before %" SCNu64
        "\ndone %" SCNu64 "\nfailed %" SCNu64 "\nrunning %" SCNu64 "\nworkers %" SCNu64 "\nranks %" SCNu64,
        s->host, &s->pid, &s->started, &s->updated, &s->elapsed_seconds, &s->eta_seconds, &s->total,
        &s->stored_before, &s->done, &s->failed, &s->running, &s->workers, &s->ranks);
    return n == 13 ? FQ_OK : FQ_FAIL_TEXT(FQ_ERR_INPUT, "lock file: not understood");
}

static fq_status read_state(int file, fq_sweep_state *state) {
    char text[STATE_TEXT + 1];
    const ssize_t got = pread(file, text, STATE_TEXT, 0);
    if (got <= 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "lock file: empty");
    text[got] = '\0';
    return parse(text, state);
}

static fq_status refuse(int file, const char *results) {
    fq_sweep_state state;
    if (read_state(file, &state) == FQ_OK)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "%s: another sweep writes it (host %s, pid %" PRId64
                            "); wait for it (fibquant status), or choose another file with -o",
                            results, state.host, state.pid);
    return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                        "%s: another sweep writes it; wait for it, or choose another file with -o", results);
}

/* Where record locks do not work at all (ENOLCK and friends), the text has to do. */
static bool owner_lives(int file) {
    fq_sweep_state state;
    char host[64] = "";
    if (read_state(file, &state) != FQ_OK)
        return false;
    gethostname(host, sizeof host - 1);
    if (strcmp(host, state.host) != 0)
        return true; /* cannot be told from here: refuse rather than damage */
    return state.pid != getpid() && (kill((pid_t)state.pid, 0) == 0 || errno == EPERM);
}

fq_status fq_sweep_lock_take(fq_sweep_lock *lock, const char *results) {
    lock->file = -1;
    if (!lock_path(lock->path, sizeof lock->path, results))
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%.200s...: name too long", results);
    for (;;) {
        const int file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0)
            return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be made: %s", lock->path, strerror(errno));
        struct flock wanted = whole_file(F_WRLCK);
        if (fcntl(file, F_SETLK, &wanted) != 0) {
            const bool taken = errno == EACCES || errno == EAGAIN || owner_lives(file);
            if (taken) {
                const fq_status status = refuse(file, results);
                close(file);
                return status;
            }
        }
        /* Another sweep may have removed the file between our opening and locking it. */
        struct stat here, there;
        if (fstat(file, &here) == 0 && stat(lock->path, &there) == 0 && here.st_ino == there.st_ino &&
            here.st_dev == there.st_dev) {
            lock->file = file;
            return FQ_OK;
        }
        close(file);
    }
}

void fq_sweep_lock_show(fq_sweep_lock *lock, const fq_sweep_state *s) {
    char text[STATE_TEXT + 1];
    memset(text, '\n', sizeof text);
    if (lock->file < 0)
        return;
    const int n = snprintf(text, sizeof text, form, s->host, s->pid, s->started, s->updated,
                           s->elapsed_seconds, s->eta_seconds, s->total, s->stored_before, s->done, s->failed,
                           s->running, s->workers, s->ranks);
    if (n > 0 && n < STATE_TEXT)
        text[n] = '\n';
    (void)!pwrite(lock->file, text, STATE_TEXT, 0);
}

void fq_sweep_lock_release(fq_sweep_lock *lock) {
    if (lock->file < 0)
        return;
    unlink(lock->path);
    close(lock->file);
    lock->file = -1;
}

fq_status fq_sweep_lock_read(const char *results, fq_sweep_state *state, bool *alive) {
    char path[4200];
    *alive = false;
    if (!lock_path(path, sizeof path, results))
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%.200s...: name too long", results);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no sweep is running: %s", path, strerror(errno));
    struct flock probe = whole_file(F_WRLCK);
    if (fcntl(file, F_GETLK, &probe) == 0)
        *alive = probe.l_type != F_UNLCK;
    else
        *alive = owner_lives(file);
    const fq_status status = read_state(file, state);
    close(file);
    return status;
}
