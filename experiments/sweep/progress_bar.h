/* Progress on standard error: a bar on a terminal, now and then a plain line elsewhere.
 *
 *   sweep  [#########---------------]  38 %  9/24 points, 0 failed, 2 running  3.1/s  4 s left
 *   sweep: 9 of 24 points, 0 failed, 2 running, 38 %, 3.1/s, 4 s left
 *
 * Nothing appears within the first second, nor with `quiet`. The bar is cut to the terminal's width. With
 * `no_bar`, on a terminal that says it is dumb, and where standard error is no terminal there are plain
 * lines, at most one every ten seconds. There are no colours, so NO_COLOR changes nothing. Standard output is
 * never touched. One thread at a time.
 */
#ifndef FQ_PROGRESS_BAR_H
#define FQ_PROGRESS_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "codebook.h"

/* Two clocks kept apart: durations and deadlines come from the monotonic one, so that setting the system's
 * time changes no rate, no estimate and no waiting; the wall clock only dates things. */
double fq_clock_monotonic(void); /* seconds since some point in the past */
double fq_clock_wall(void);      /* Unix time in seconds */

/* "1 h 02 min", "3 min 20 s", "12 s", "?". */
enum { FQ_DURATION_TEXT = 32 };
void fq_duration_text(char text[FQ_DURATION_TEXT], double seconds);

typedef struct fq_progress_bar {
    const char *label, *unit; /* not copied: static texts */
    uint64_t total, done;
    double started, shown; /* monotonic clock */
    bool quiet, terminal, drawn;
} fq_progress_bar;

/* Work of unequal parts, some of which can fail and several of which run at once. */
typedef struct fq_progress_state {
    uint64_t done, failed, running;
    double fraction;   /* of all the work, 0..1; NaN: (done + failed) / total */
    const char *doing; /* what takes long at the moment, "" or NULL if there is nothing to say */
} fq_progress_state;

/* total 0 means unknown. unit is a plural, "points", or NULL: then only the fraction is shown. */
void fq_progress_bar_start(fq_progress_bar *bar, const char *label, const char *unit, uint64_t total,
                           bool quiet, bool no_bar);
void fq_progress_bar_update(fq_progress_bar *bar, uint64_t done);
void fq_progress_bar_show(fq_progress_bar *bar, const fq_progress_state *state);

/* Seconds left if the rest goes on as the beginning did; NaN until something is known. */
double fq_progress_bar_left(const fq_progress_bar *bar, const fq_progress_state *state);

/* Clears the bar's line. */
void fq_progress_bar_finish(fq_progress_bar *bar);

/* For core's long functions: reports into the bar, which counts FQ_PROGRESS_STEPS then. */
enum { FQ_PROGRESS_STEPS = 1000 };
fq_progress fq_progress_bar_hook(fq_progress_bar *bar);

#endif
