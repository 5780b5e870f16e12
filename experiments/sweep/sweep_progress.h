/* What a sweep says while it runs: a bar with done, failed, rate and time left on a terminal, a
 * plain line now and then elsewhere, nothing when quiet. On standard error.
 */
#ifndef FQ_SWEEP_PROGRESS_H
#define FQ_SWEEP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fq_sweep_progress {
    bool terminal, quiet;
    double start, last;        /* monotonic */
    size_t total;              /* points to compute in this run */
    double expected, finished; /* weights: expected seconds of all points and of those finished */
    size_t done, failed;
    bool shown;
} fq_sweep_progress;

void fq_sweep_progress_start(fq_sweep_progress *progress, size_t total, double expected_seconds, bool quiet,
                             bool plain);

/* running_weight: expected seconds already worked off in the points under way. */
void fq_sweep_progress_show(fq_sweep_progress *progress, size_t running, double running_weight, bool now);

/* Ends the bar's line. */
void fq_sweep_progress_end(fq_sweep_progress *progress);

/* Seconds left; NaN until something is known. */
double fq_sweep_progress_eta(const fq_sweep_progress *progress, double running_weight);

/* "1 h 02 min", "3 min 20 s", "12 s", "?". */
enum { FQ_DURATION_TEXT = 32 };
void fq_duration_text(char text[FQ_DURATION_TEXT], double seconds);

#endif
