/* Progress on standard error: a bar on a terminal, now and then a plain line elsewhere.
 *
 *   codebook  [#########-----------]  45 %  9/20 points  3.1/s  left 0:04
 *
 * Nothing appears within the first second, nor with `quiet`; with `no_bar`, NO_COLOR or a standard
 * error that is no terminal there are plain lines, at most one every ten seconds. Standard output is never
 * touched. One thread at a time.
 */
#ifndef FQ_PROGRESS_BAR_H
#define FQ_PROGRESS_BAR_H

#include <stdint.h>

#include "codebook.h"

typedef struct fq_progress_bar {
    const char *label, *unit; /* not copied: static texts */
    uint64_t total, done;
    int64_t started_ns, shown_ns;
    bool quiet, terminal, drawn;
} fq_progress_bar;

/* total 0 means unknown. unit is a plural: "points". */
void fq_progress_bar_start(fq_progress_bar *bar, const char *label, const char *unit, uint64_t total,
                           bool quiet, bool no_bar);
void fq_progress_bar_update(fq_progress_bar *bar, uint64_t done);

/* Clears the bar's line. */
void fq_progress_bar_finish(fq_progress_bar *bar);

/* For library calls that report fractions: total must be FQ_PROGRESS_STEPS. */
enum { FQ_PROGRESS_STEPS = 1000 };
fq_progress fq_progress_bar_hook(fq_progress_bar *bar);

#endif
