#include "sweep_outcome.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "failure.h"
#include "memory.h"
#include "progress_bar.h"

static double cpu_now(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0.0;
    return (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec +
           (double)usage.ru_stime.tv_sec + 1e-6 * (double)usage.ru_stime.tv_usec;
}

/* Linux keeps the peak resident set and can start it afresh; elsewhere the peak is the process's. */
static void peak_reset(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) {
        fputs("5", file);
        fclose(file);
    }
}

static int64_t peak_bytes(void) {
    char line[160];
    long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    struct rusage usage;
    if (kilobytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        kilobytes = usage.ru_maxrss;
    return (int64_t)kilobytes * 1024;
}

static void init(fq_outcome *outcome, const fq_plan *plan, size_t point) {
    memset(outcome, 0, sizeof *outcome);
    outcome->point = point;
    fq_rows_init(&outcome->rows, plan->points[point].experiment);
    if (gethostname(outcome->host, sizeof outcome->host) != 0)
        strcpy(outcome->host, "unknown");
    outcome->host[sizeof outcome->host - 1] = '\0';
    outcome->started = fq_clock_wall();
}

static void set_error(fq_outcome *outcome, const char *text) {
    snprintf(outcome->error, sizeof outcome->error, "%.*s", FQ_OUTCOME_ERROR_MAX - 1, text);
    for (char *c = outcome->error; *c; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' '; /* one line, whatever a library put into its message */
}

void fq_outcome_fail(fq_outcome *outcome, const fq_plan *plan, size_t point, fq_status status,
                     const char *error) {
    init(outcome, plan, point);
    outcome->status = status;
    set_error(outcome, error);
}

/* Runs the point between two looks at the files it reads: rows of a file that was replaced meanwhile would be
 * stored under the digest of the old one. */
static fq_status run_on_unchanged_files(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    FQ_TRY(fq_point_check_files(point));
    const fq_status status = point->experiment->run(point, resources, rows);
    const fq_error error = *fq_error_last();
    FQ_TRY(fq_point_check_files(point));
    if (status != FQ_OK)
        fq_error_restore(&error);
    return status;
}

void fq_outcome_compute(fq_outcome *outcome, const fq_plan *plan, size_t point, int threads,
                        fq_resources *resources, void (*progress)(void *, double), void *context) {
    const fq_point *p = &plan->points[point];
    init(outcome, plan, point);
    outcome->threads = threads;
    outcome->rows.progress = progress;
    outcome->rows.context = context;
#ifdef _OPENMP
    omp_set_num_threads(threads);
#endif
    peak_reset();
    const double start = fq_clock_monotonic(), cpu_start = cpu_now();
    fq_error_clear();
    outcome->status = run_on_unchanged_files(p, resources, &outcome->rows);
    outcome->wall_seconds = fq_clock_monotonic() - start;
    outcome->cpu_seconds = cpu_now() - cpu_start;
    outcome->peak_memory_bytes = peak_bytes();
    if (outcome->status == FQ_OK && outcome->rows.table.count == 0)
        outcome->status = FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "experiment %s gave no row", p->experiment->name);
    if (outcome->status != FQ_OK) {
        char line[FQ_FAILURE_LINE_MAX];
        fq_failure_line(line, fq_error_last());
        set_error(outcome, line[0] ? line : fq_status_message(outcome->status));
        fq_rows_clear(&outcome->rows);
    }
    fq_resources_release(resources);
}

void fq_outcome_clear(fq_outcome *outcome) {
    fq_rows_clear(&outcome->rows);
}

/* Bytes -------------------------------------------------------------------------------------- */

typedef struct head {
    char magic[8];
    uint64_t point, rows, row_bytes;
    int64_t status, threads, peak_memory_bytes;
    double wall_seconds, cpu_seconds, started;
    char error[FQ_OUTCOME_ERROR_MAX];
    char host[FQ_OUTCOME_HOST_MAX];
} head;

static const char magic[8] = {'f', 'q', 'p', 'o', 'i', 'n', 't', '1'};

fq_status fq_outcome_pack(const fq_outcome *outcome, unsigned char **bytes, size_t *length) {
    const fq_table *rows = &outcome->rows.table;
    const size_t row_bytes = rows->count * rows->record_bytes;
    head h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, magic, sizeof magic);
    h.point = outcome->point;
    h.rows = rows->count;
    h.row_bytes = row_bytes;
    h.status = outcome->status;
    h.threads = outcome->threads;
    h.peak_memory_bytes = outcome->peak_memory_bytes;
    h.wall_seconds = outcome->wall_seconds;
    h.cpu_seconds = outcome->cpu_seconds;
    h.started = outcome->started;
    memcpy(h.error, outcome->error, sizeof h.error);
    memcpy(h.host, outcome->host, sizeof h.host);
    FQ_TRY(fq_alloc(bytes, sizeof h + row_bytes, 1));
    memcpy(*bytes, &h, sizeof h);
    if (row_bytes)
        memcpy(*bytes + sizeof h, rows->records, row_bytes);
    *length = sizeof h + row_bytes;
    return FQ_OK;
}

fq_status fq_outcome_unpack(fq_outcome *outcome, const fq_plan *plan, const unsigned char *bytes,
                            size_t length) {
    head h;
    if (length < sizeof h)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "outcome", length, "a whole message");
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, magic, sizeof magic) != 0 || h.point >= plan->count ||
        h.row_bytes != length - sizeof h || h.rows > FQ_ROWS_MAX || h.error[sizeof h.error - 1] ||
        h.host[sizeof h.host - 1])
        return FQ_FAIL(FQ_ERR_CORRUPT, "outcome", "a message of this program");
    memset(outcome, 0, sizeof *outcome);
    outcome->point = (size_t)h.point;
    outcome->status = (fq_status)h.status;
    outcome->threads = (int)h.threads;
    outcome->peak_memory_bytes = h.peak_memory_bytes;
    outcome->wall_seconds = h.wall_seconds;
    outcome->cpu_seconds = h.cpu_seconds;
    outcome->started = h.started;
    memcpy(outcome->error, h.error, sizeof h.error);
    memcpy(outcome->host, h.host, sizeof h.host);
    fq_rows_init(&outcome->rows, plan->points[outcome->point].experiment);
    const fq_status status =
        fq_rows_set(&outcome->rows, bytes + sizeof h, (size_t)h.rows, (size_t)h.row_bytes);
    if (status != FQ_OK)
        fq_rows_clear(&outcome->rows);
    return status;
}
