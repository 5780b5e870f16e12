#include "sweep_pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"
#include "progress_bar.h"

enum { MESSAGE_MAX = 1 << 30, FIRST_ROOM = 4096 };
static const double patience_seconds = 2.0; /* for idle workers to end by themselves */

/* A pair of connected sockets that no program started from here inherits: a worker ends when the other end
 * of its socket is closed everywhere. */
static bool make_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return false;
    if (fcntl(pair[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(pair[1], F_SETFD, FD_CLOEXEC) == 0)
        return true;
    close(pair[0]);
    close(pair[1]);
    return false;
}

static fq_status start(fq_pool *pool, size_t w) {
    int pair[2];
    fq_pool_worker *worker = &pool->workers[w];
    if (!make_pair(pair))
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "no socket for a worker process: %s", strerror(errno));
    fflush(stdout);
    fflush(stderr);
    const pid_t owner = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        const int why = errno;
        close(pair[0]);
        close(pair[1]);
        return FQ_FAIL_TEXT(FQ_ERR_MEMORY, "no worker process could be started: %s", strerror(why));
    }
    if (pid == 0) {
        close(pair[0]);
        for (size_t i = 0; i < pool->count; i++)
            if (pool->workers[i].socket >= 0)
                close(pool->workers[i].socket);
        fq_worker_main(pair[1], owner, pool->plan, pool->cache_folder);
    }
    close(pair[1]);
    worker->pid = pid;
    worker->socket = pair[0];
    worker->busy = false;
    worker->received = 0;
    return FQ_OK;
}

fq_status fq_pool_create(fq_pool *pool, const fq_plan *plan, size_t workers, const char *cache_folder) {
    fq_pool p = {.plan = plan, .cache_folder = cache_folder};
    FQ_TRY(fq_alloc_zero(&p.workers, workers, sizeof *p.workers));
    fq_status status = fq_alloc_zero(&p.polls, workers, sizeof *p.polls);
    for (size_t w = 0; w < workers; w++)
        p.workers[w].socket = -1;
    p.count = workers;
    for (size_t w = 0; status == FQ_OK && w < workers; w++)
        status = start(&p, w);
    if (status == FQ_OK)
        *pool = p;
    else
        fq_pool_destroy(&p);
    return status;
}

/* Ends a worker at once and collects its exit status. */
static int end_now(fq_pool_worker *worker) {
    int how = 0;
    if (worker->socket >= 0)
        close(worker->socket);
    worker->socket = -1;
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, &how, 0) < 0 && errno == EINTR) {
        }
    }
    worker->pid = 0;
    return how;
}

/* Whether a worker told to end has done so. */
static bool has_ended(fq_pool_worker *worker) {
    const pid_t got = worker->pid > 0 ? waitpid(worker->pid, NULL, WNOHANG) : 0;
    if (got > 0 || (got < 0 && errno == ECHILD))
        worker->pid = 0;
    return worker->pid == 0;
}

/* Closed sockets tell idle workers to end; whoever does not within the time allowed is killed. */
void fq_pool_destroy(fq_pool *pool) {
    const size_t count = pool->workers ? pool->count : 0;
    for (size_t w = 0; w < count; w++) {
        fq_pool_worker *worker = &pool->workers[w];
        if (worker->busy)
            end_now(worker);
        else if (worker->socket >= 0)
            close(worker->socket);
        worker->socket = -1;
    }
    const double deadline = fq_clock_monotonic() + patience_seconds;
    for (size_t w = 0; w < count; w++) {
        while (!has_ended(&pool->workers[w]) && fq_clock_monotonic() < deadline)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        end_now(&pool->workers[w]);
        fq_free(pool->workers[w].bytes);
    }
    fq_free(pool->workers);
    fq_free(pool->polls);
    *pool = (fq_pool){0};
}

fq_status fq_pool_assign(fq_pool *pool, size_t w, size_t point, int threads) {
    fq_pool_worker *worker = &pool->workers[w];
    const fq_worker_order order = {.point = point, .threads = threads};
    assert(!worker->busy);
    worker->busy = true;
    worker->point = point;
    worker->fraction = 0.0;
    worker->training[0] = '\0';
    /* A worker that died meanwhile is noticed in fq_pool_wait, like one that dies later. */
    (void)fq_worker_send(worker->socket, &order, sizeof order);
    return FQ_OK;
}

/* A worker's end: its point failed, and another worker takes its place. */
static fq_status handle_death(fq_pool *pool, size_t w, fq_pool_done done, void *context) {
    fq_pool_worker *worker = &pool->workers[w];
    char why[240];
    const int how = end_now(worker);
    pool->deaths++;
    /* Whoever kills all processes of a sweep kills workers, too: that says nothing about the point.
     * If this process is to go as well, it goes before it can report a failure. */
    if (WIFSIGNALED(how))
        nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    if (WIFSIGNALED(how))
        snprintf(why, sizeof why, "worker process ended by signal %d (%s)%s", WTERMSIG(how),
                 strsignal(WTERMSIG(how)),
                 WTERMSIG(how) == SIGKILL ? "; the system kills processes when memory runs out" : "");
    else
        snprintf(why, sizeof why, "worker process ended with status %d", WEXITSTATUS(how));
    FQ_TRY(start(pool, w));
    if (worker->point == SIZE_MAX)
        return FQ_OK;
    fq_outcome outcome;
    unsigned char *bytes = NULL;
    size_t length = 0;
    fq_outcome_fail(&outcome, pool->plan, worker->point, FQ_ERR_INTERNAL, why);
    FQ_TRY(fq_outcome_pack(&outcome, &bytes, &length));
    const fq_status status = done(context, w, bytes, length);
    fq_free(bytes);
    return status;
}

static fq_status grow(fq_pool_worker *worker, size_t room) {
    unsigned char *larger = NULL;
    if (room <= worker->room)
        return FQ_OK;
    FQ_TRY(fq_alloc(&larger, room, 1));
    if (worker->received)
        memcpy(larger, worker->bytes, worker->received);
    fq_free(worker->bytes);
    worker->bytes = larger;
    worker->room = room;
    return FQ_OK;
}

/* Hands over the complete messages at the front of the buffer. */
static fq_status take_messages(fq_pool *pool, size_t w, fq_pool_done done, void *context) {
    fq_pool_worker *worker = &pool->workers[w];
    fq_worker_head head;
    while (worker->received >= sizeof head) {
        memcpy(&head, worker->bytes, sizeof head);
        if (head.length > MESSAGE_MAX)
            return FQ_FAIL_VALUE(FQ_ERR_INTERNAL, "message bytes", head.length, "up to 1 GiB");
        const size_t whole = sizeof head + (size_t)head.length;
        if (worker->received < whole)
            return grow(worker, whole);
        fq_status status = FQ_OK;
        if (head.kind == FQ_WORKER_TRAINING) {
            snprintf(worker->training, sizeof worker->training, "%.*s", (int)head.length,
                     (const char *)worker->bytes + sizeof head);
            worker->trained = head.fraction;
        } else {
            worker->training[0] = '\0';
            worker->fraction = head.fraction;
        }
        if (head.kind == FQ_WORKER_DONE) {
            worker->busy = false;
            status = done(context, w, worker->bytes + sizeof head, (size_t)head.length);
        }
        worker->received -= whole;
        memmove(worker->bytes, worker->bytes + whole, worker->received);
        FQ_TRY(status);
    }
    return FQ_OK;
}

static fq_status receive(fq_pool *pool, size_t w, fq_pool_done done, void *context) {
    fq_pool_worker *worker = &pool->workers[w];
    if (worker->received == worker->room)
        FQ_TRY(grow(worker, worker->room ? 2 * worker->room : FIRST_ROOM));
    const ssize_t got =
        recv(worker->socket, worker->bytes + worker->received, worker->room - worker->received, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return FQ_OK;
    if (got <= 0) {
        if (!worker->busy)
            worker->point = SIZE_MAX;
        worker->busy = false;
        return handle_death(pool, w, done, context);
    }
    worker->received += (size_t)got;
    return take_messages(pool, w, done, context);
}

fq_status fq_pool_wait(fq_pool *pool, int timeout_ms, fq_pool_done done, void *context) {
    for (size_t w = 0; w < pool->count; w++)
        pool->polls[w] = (struct pollfd){.fd = pool->workers[w].socket, .events = POLLIN};
    const int ready = poll(pool->polls, (nfds_t)pool->count, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "waiting for workers: %s", strerror(errno));
    for (size_t w = 0; ready > 0 && w < pool->count; w++)
        if (pool->polls[w].revents)
            FQ_TRY(receive(pool, w, done, context));
    return FQ_OK;
}
