#include "sweep_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "memory.h"
#include "progress_bar.h"
#include "sweep_outcome.h"

/* _exit throughout: a worker shares the owner's open files and must run none of its exit code. */

bool fq_worker_send(int socket, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        const ssize_t sent = send(socket, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool receive_order(int socket, fq_worker_order *order) {
    char *at = (char *)order;
    size_t left = sizeof *order;
    while (left > 0) {
        const ssize_t got = recv(socket, at, left, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        left -= (size_t)got;
    }
    return true;
}

typedef struct reporter {
    int socket;
    double last;
} reporter;

static void report(void *context, double fraction) {
    reporter *r = context;
    const double now = fq_clock_monotonic();
    if (now - r->last < 0.2)
        return;
    r->last = now;
    const fq_worker_head head = {.kind = FQ_WORKER_PROGRESS, .fraction = fraction};
    if (!fq_worker_send(r->socket, &head, sizeof head))
        _exit(1); /* nobody is left to compute for */
}

static void report_training(void *context, const char *codebook, double fraction) {
    reporter *r = context;
    const double now = fq_clock_monotonic();
    if (now - r->last < 0.2 && fraction < 1.0)
        return;
    r->last = now;
    const bool over = fraction >= 1.0; /* back to the point, which starts from nothing */
    const fq_worker_head head = {.kind = over ? FQ_WORKER_PROGRESS : FQ_WORKER_TRAINING,
                                 .length = over ? 0 : strlen(codebook),
                                 .fraction = over ? 0.0 : fraction};
    if (!fq_worker_send(r->socket, &head, sizeof head) ||
        !fq_worker_send(r->socket, codebook, (size_t)head.length))
        _exit(1);
}

static void die_with(pid_t owner) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != owner)
        _exit(1);
}

_Noreturn void fq_worker_main(int socket, pid_t owner, const fq_plan *plan, const char *cache_folder) {
    die_with(owner);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN); /* a launcher may send these to the whole process group */
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    fq_resources *resources = NULL;
    if (fq_resources_create(&resources, cache_folder) != FQ_OK)
        _exit(70);
    fq_worker_order order;
    reporter r = {.socket = socket, .last = fq_clock_monotonic()};
    fq_resources_watch(resources, report_training, &r);
    while (receive_order(socket, &order)) {
        fq_outcome outcome;
        unsigned char *bytes = NULL;
        size_t length = 0;
        fq_outcome_compute(&outcome, plan, (size_t)order.point, (int)order.threads, resources, report, &r);
        const fq_status status = fq_outcome_pack(&outcome, &bytes, &length);
        fq_outcome_clear(&outcome);
        if (status != FQ_OK)
            _exit(70);
        const fq_worker_head head = {.kind = FQ_WORKER_DONE, .length = length, .fraction = 1.0};
        if (!fq_worker_send(socket, &head, sizeof head) || !fq_worker_send(socket, bytes, length))
            _exit(1);
        fq_free(bytes);
    }
    _exit(0);
}
