#include "sweep_engine.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"
#include "progress_bar.h"
#include "sha256.h"
#include "sweep_cores.h"
#include "sweep_cost.h"
#include "sweep_lock.h"
#include "sweep_mpi.h"
#include "sweep_pool.h"

static volatile int stop_requested; /* sig_atomic_t is int here; volatile int suits both readers */
static volatile int storing;        /* there is, or will be, something to bring to an orderly end */
static pid_t owner;

/* While a store is open a signal asks for an orderly end. Before (MPI starts) and after (it ends, workers go)
 * nothing can be lost, and libraries that wait for others must not keep the process. */
static void on_signal(int number) {
    stop_requested = number;
    if (!storing && getpid() == owner) {
        static const char line[] = "sweep: interrupted\n";
        (void)!write(STDERR_FILENO, line, sizeof line - 1);
        _exit(130);
    }
}

static void catch_signals(void) {
    struct sigaction action;
    owner = getpid();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a full disk like any other */
}

enum { TRAINING_TEXT = FQ_WORKER_TEXT + 32 };

typedef struct task {
    size_t point;
    double cost;
} task;

typedef struct engine {
    const fq_plan *plan;
    const fq_sweep_options *options;
    fq_sweep_summary *summary;
    fq_pool pool;
    fq_mpi mpi;
    fq_sweep_store *store;
    fq_sweep_lock lock;
    fq_progress_bar bar;
    double expected, finished; /* seconds of one core: of all tasks, and of those that are done */
    fq_sweep_state state;
    task *tasks;
    size_t task_count, next, running;
    size_t **running_point; /* [rank][slot]: the point it computes, SIZE_MAX: idle; one allocation */
    size_t *running_room;
    double *costs; /* [plan->count] */
    int from;      /* rank of the outcome being handled */
    double last_fold, fold_seconds;
} engine;

static int dearest_first(const void *a, const void *b) {
    const task *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static fq_status list_tasks(engine *e) {
    FQ_TRY(fq_alloc(&e->tasks, e->plan->count, sizeof *e->tasks));
    FQ_TRY(fq_alloc(&e->costs, e->plan->count, sizeof *e->costs));
    fq_plan_cost cost;
    FQ_TRY(fq_plan_costs(&cost, e->costs, e->plan, e->options->cache_folder));
    for (size_t i = 0; i < e->plan->count; i++) {
        const fq_point_state state = fq_sweep_store_state(e->store, i);
        e->summary->stored_before += state == FQ_POINT_DONE;
        e->summary->failed_before += state == FQ_POINT_FAILED;
        if (state != FQ_POINT_ABSENT)
            continue;
        e->tasks[e->task_count++] = (task){i, e->costs[i]};
        e->expected += e->costs[i];
    }
    if (e->task_count)
        qsort(e->tasks, e->task_count, sizeof *e->tasks, dearest_first);
    e->summary->total = e->plan->count;
    fq_progress_bar_start(&e->bar, "sweep", "points", e->task_count, e->options->quiet, e->options->no_bar);
    return FQ_OK;
}

static fq_status list_slots(engine *e) {
    size_t slots = 0;
    for (int r = 0; r < e->mpi.size; r++)
        slots += e->mpi.active ? e->mpi.slots[r] : e->pool.count;
    FQ_TRY(fq_alloc(&e->running_room, slots, sizeof *e->running_room));
    FQ_TRY(fq_alloc(&e->running_point, (size_t)e->mpi.size, sizeof *e->running_point));
    size_t at = 0;
    for (int r = 0; r < e->mpi.size; r++) {
        e->running_point[r] = e->running_room + at;
        at += e->mpi.active ? e->mpi.slots[r] : e->pool.count;
    }
    for (size_t i = 0; i < slots; i++)
        e->running_room[i] = SIZE_MAX;
    e->state.workers = slots;
    e->state.ranks = (uint64_t)e->mpi.size;
    return FQ_OK;
}

static size_t slots_of(const engine *e, int rank) {
    return e->mpi.active ? e->mpi.slots[rank] : e->pool.count;
}

/* Gives idle slots work. Cores are shared out evenly between the points that can run at once. */
static fq_status hand_out(engine *e) {
    for (int r = 0; r < e->mpi.size; r++)
        for (size_t s = 0; s < slots_of(e, r) && e->next < e->task_count; s++) {
            if (e->running_point[r][s] != SIZE_MAX)
                continue;
            const size_t point = e->tasks[e->next].point;
            const size_t left = e->task_count - e->next + e->running;
            const size_t active = left < slots_of(e, r) ? left : slots_of(e, r);
            const size_t share = fq_sweep_cores() / active, limit = fq_sweep_thread_limit();
            const int threads = share < 1 ? 1 : (int)(share < limit ? share : limit);
            if (r == 0)
                FQ_TRY(fq_pool_assign(&e->pool, s, point, threads));
            else
                FQ_TRY(fq_mpi_assign(&e->mpi, r, s, point, threads));
            e->running_point[r][s] = point;
            e->running++;
            e->next++;
        }
    return FQ_OK;
}

static fq_status on_outcome(void *context, size_t slot, const unsigned char *bytes, size_t length) {
    engine *e = context;
    fq_outcome outcome;
    FQ_TRY(fq_outcome_unpack(&outcome, e->plan, bytes, length));
    e->running_point[e->from][slot] = SIZE_MAX;
    e->running--;
    /* A worker lost while the sweep is being stopped is no failure of its point. */
    const bool dropped = stop_requested && outcome.status != FQ_OK;
    const fq_status status = dropped ? FQ_OK : fq_sweep_store_put(e->store, &outcome);
    if (status == FQ_OK && !dropped) {
        fq_sweep_summary *s = e->summary;
        const bool failed = outcome.status != FQ_OK;
        s->done += !failed;
        s->failed += failed;
        s->cpu_seconds += outcome.cpu_seconds;
        s->slowest_seconds = fmax(s->slowest_seconds, outcome.wall_seconds);
        if (outcome.peak_memory_bytes > s->peak_memory_bytes)
            s->peak_memory_bytes = outcome.peak_memory_bytes;
        e->finished += e->costs[outcome.point];
    }
    fq_outcome_clear(&outcome);
    return status;
}

static double weight_under_way(const engine *e) {
    double weight = 0.0;
    for (size_t w = 0; w < e->pool.count; w++)
        if (e->pool.workers[w].busy)
            weight += e->pool.workers[w].fraction * e->costs[e->pool.workers[w].point];
    return weight;
}

/* What the first of the workers that train a codebook is at; "" if none does. */
static void training_under_way(const engine *e, char text[TRAINING_TEXT]) {
    text[0] = '\0';
    for (size_t w = 0; w < e->pool.count && !text[0]; w++) {
        const fq_pool_worker *worker = &e->pool.workers[w];
        if (worker->busy && worker->training[0])
            snprintf(text, TRAINING_TEXT, "training %s: %.0f %%", worker->training, 100.0 * worker->trained);
    }
}

static void show(engine *e) {
    char training[TRAINING_TEXT];
    training_under_way(e, training);
    /* Points differ in cost, so the fraction done is of expected seconds where those are known. */
    const fq_progress_state state = {
        .done = e->summary->done,
        .failed = e->summary->failed,
        .running = e->running,
        .fraction = e->expected > 0.0 ? (e->finished + weight_under_way(e)) / e->expected : (double)NAN,
        .doing = training};
    fq_progress_bar_show(&e->bar, &state);
    e->state.updated = fq_clock_wall();
    e->state.elapsed_seconds = fq_clock_monotonic() - e->bar.started;
    e->state.eta_seconds = fq_progress_bar_left(&e->bar, &state);
    e->state.total = e->plan->count;
    e->state.stored_before = e->summary->stored_before;
    e->state.done = e->summary->done;
    e->state.failed = e->summary->failed + e->summary->failed_before;
    e->state.running = e->running;
    fq_sweep_lock_show(&e->lock, &e->state);
}

/* Folding costs time that grows with the store: spend a twentieth of the sweep on it at most. */
static fq_status fold_now_and_then(engine *e) {
    const double now = fq_clock_monotonic();
    if (now - e->last_fold < fmax(10.0, 20.0 * e->fold_seconds))
        return FQ_OK;
    const fq_status status = fq_sweep_store_fold(e->store);
    e->last_fold = fq_clock_monotonic();
    e->fold_seconds = e->last_fold - now;
    return status;
}

static fq_status work(engine *e) {
    double shown = 0.0;
    while (!stop_requested && (e->next < e->task_count || e->running > 0)) {
        FQ_TRY(hand_out(e)); /* what is shown is a sweep at work, not one between two points */
        const double now = fq_clock_monotonic();
        if (now - shown > 0.2) {
            shown = now;
            show(e);
        }
        e->from = 0;
        FQ_TRY(fq_pool_wait(&e->pool, e->mpi.active && e->mpi.size > 1 ? 2 : 100, on_outcome, e));
        FQ_TRY(fq_mpi_poll(&e->mpi, &e->from, on_outcome, e));
        FQ_TRY(fold_now_and_then(e));
    }
    show(e);
    return FQ_OK;
}

/* Rank 0, or the only one: everything but computing happens here. */
static fq_status lead(engine *e, fq_provenance *provenance) {
    char number[24];
    e->summary->writer = true;
    gethostname(e->state.host, sizeof e->state.host - 1);
    e->state.pid = getpid();
    e->state.started = fq_clock_wall();
    FQ_TRY(list_slots(e));
    snprintf(number, sizeof number, "%d", e->mpi.size);
    FQ_TRY(fq_provenance_set(provenance, "ranks", number));
    FQ_TRY(fq_provenance_set(provenance, "mpi", e->mpi.active ? fq_mpi_library() : "none"));
    FQ_TRY(fq_sweep_lock_take(&e->lock, e->options->results));
    fq_status status =
        fq_sweep_store_open(&e->store, e->options->results, e->plan, provenance, &e->options->store);
    if (status == FQ_OK && fq_sweep_store_set_aside(e->store) && !e->options->quiet)
        fprintf(stderr, "sweep: the journal beside %s was of another store, which is gone; it is now %s\n",
                e->options->results, fq_sweep_store_set_aside(e->store));
    if (status == FQ_OK)
        status = list_tasks(e);
    if (status == FQ_OK) {
        e->last_fold = fq_clock_monotonic();
        status = work(e);
        fq_progress_bar_finish(&e->bar);
        fq_status finished = FQ_OK;
        const fq_error first = *fq_error_last();
        /* Even after a failure, what is in the journal may still fit into the file. */
        finished = fq_sweep_store_finish(e->store, stop_requested != 0);
        if (status != FQ_OK)
            fq_error_restore(&first);
        else
            status = finished;
    }
    e->summary->interrupted = stop_requested;
    e->summary->seconds = fq_clock_monotonic() - e->bar.started;
    fq_sweep_store_close(e->store);
    fq_sweep_lock_release(&e->lock);
    return status;
}

static void plan_digest(const fq_plan *plan, char digest[FQ_SHA256_HEX]) {
    fq_sha256 hash;
    fq_sha256_init(&hash);
    for (size_t i = 0; i < plan->count; i++)
        fq_sha256_add(&hash, plan->points[i].id, sizeof plan->points[i].id);
    fq_sha256_final(&hash, digest);
}

/* Tasks that were started together, each of which is alone for MPI, would all run the whole sweep. */
static fq_status refuse_split_job(const fq_mpi *mpi) {
    const char *variable = NULL;
    const size_t promised = fq_mpi_promised(&variable);
    if (mpi->size > 1 || promised == 1)
        return FQ_OK;
    return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                        "%s says that %zu tasks were started together, but %s: each would run all points; "
                        "start them with mpirun or srun --mpi=pmix%s, or give each its own --shard",
                        variable, promised,
                        FQ_HAVE_MPI ? "MPI sees one" : "this program was built without MPI",
                        FQ_HAVE_MPI ? "" : " and a program built with MPI");
}

fq_status fq_sweep_run(const fq_plan *plan, fq_provenance *provenance, const fq_sweep_options *options,
                       fq_sweep_summary *summary) {
    engine e = {.plan = plan, .options = options, .summary = summary, .lock = {.file = -1}};
    char digest[FQ_SHA256_HEX];
    const size_t jobs = fq_sweep_workers(plan->count, options->jobs);
    *summary = (fq_sweep_summary){0};
    plan_digest(plan, digest);
    catch_signals();
    FQ_TRY(fq_pool_create(&e.pool, plan, jobs, options->cache_folder));
    fq_status status = fq_mpi_start(&e.mpi, digest, jobs);
    if (status == FQ_OK)
        status = options->part ? FQ_OK : refuse_split_job(&e.mpi);
    storing = 1;
    if (status == FQ_OK)
        status = e.mpi.rank == 0 ? lead(&e, provenance) : fq_mpi_serve(&e.mpi, &e.pool, &stop_requested);
    if (e.mpi.rank > 0 && status == FQ_ERR_INTERRUPTED) {
        summary->interrupted = stop_requested ? stop_requested : SIGINT;
        status = FQ_OK;
    }
    const fq_error last = *fq_error_last();
    storing = 0;
    fq_pool_destroy(&e.pool);
    fq_mpi_end(&e.mpi, !summary->interrupted);
    fq_free(e.tasks);
    fq_free(e.costs);
    fq_free(e.running_point);
    fq_free(e.running_room);
    if (status != FQ_OK)
        fq_error_restore(&last);
    return status;
}
