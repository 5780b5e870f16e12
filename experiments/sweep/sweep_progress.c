#include "sweep_progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep_clock.h"

enum { BAR_WIDTH = 28 };

void fq_duration_text(char text[FQ_DURATION_TEXT], double seconds) {
    if (!(seconds >= 0.0) || seconds > 1e9)
        strcpy(text, "?");
    else if (seconds < 100.0)
        snprintf(text, FQ_DURATION_TEXT, "%.0f s", seconds);
    else if (seconds < 6000.0)
        snprintf(text, FQ_DURATION_TEXT, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(text, FQ_DURATION_TEXT, "%d h %02d min", (int)(seconds / 3600.0),
                 (int)(seconds / 60.0) % 60);
}

void fq_sweep_progress_start(fq_sweep_progress *progress, size_t total, double expected_seconds, bool quiet,
                             bool plain) {
    *progress = (fq_sweep_progress){.total = total, .expected = expected_seconds, .quiet = quiet};
    progress->terminal = !plain && isatty(STDERR_FILENO);
    progress->start = progress->last = fq_clock_monotonic();
}

/* Points differ in cost, so the fraction done is of expected seconds where those are known. */
static double fraction(const fq_sweep_progress *p, double running_weight) {
    const double by_weight = p->expected > 0.0 ? (p->finished + running_weight) / p->expected : (double)NAN;
    const double by_count = p->total ? (double)(p->done + p->failed) / (double)p->total : 1.0;
    return isnan(by_weight) ? by_count : fmin(by_weight, 1.0);
}

double fq_sweep_progress_eta(const fq_sweep_progress *p, double running_weight) {
    const double done = fraction(p, running_weight);
    const double elapsed = fq_clock_monotonic() - p->start;
    return done > 0.0 ? elapsed * (1.0 - done) / done : (double)NAN;
}

void fq_sweep_progress_show(fq_sweep_progress *p, size_t running, double running_weight, bool now) {
    const double time = fq_clock_monotonic();
    if (p->quiet || (!now && time - p->last < (p->terminal ? 0.2 : 10.0)))
        return;
    p->last = time;
    char left[FQ_DURATION_TEXT];
    const double elapsed = time - p->start;
    const size_t finished = p->done + p->failed;
    fq_duration_text(left, fq_sweep_progress_eta(p, running_weight));
    if (!p->terminal) {
        fprintf(stderr, "sweep: %zu of %zu points, %zu failed, %zu running, %.3g points/s, %s left\n",
                finished, p->total, p->failed, running, elapsed > 0.0 ? (double)finished / elapsed : 0.0,
                left);
        return;
    }
    const int filled = (int)(fraction(p, running_weight) * BAR_WIDTH + 0.5);
    fprintf(stderr, "\r[%.*s%.*s] %zu/%zu done, %zu failed, %.3g/s, %s left\033[K", filled,
            "############################", BAR_WIDTH - filled, "............................", finished,
            p->total, p->failed, elapsed > 0.0 ? (double)finished / elapsed : 0.0, left);
    fflush(stderr);
    p->shown = true;
}

void fq_sweep_progress_end(fq_sweep_progress *p) {
    if (p->shown)
        fputc('\n', stderr);
    p->shown = false;
}
