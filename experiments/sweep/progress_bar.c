#include "progress_bar.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_ROOM = 400, CELLS_MAX = 24, USUAL_COLUMNS = 80 };
static const double bar_interval = 0.2, line_interval = 10.0, silence = 1.0; /* seconds */

static double now(clockid_t clock) {
    struct timespec t = {0, 0};
    clock_gettime(clock, &t); /* cannot fail for these two clocks */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double fq_clock_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

double fq_clock_wall(void) {
    return now(CLOCK_REALTIME);
}

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

/* Whether standard error can move its cursor back. */
static bool can_redraw(void) {
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && kind && kind[0] && strcmp(kind, "dumb") != 0;
}

/* Columns of the terminal; one that does not know its size is taken to be a usual one. */
static size_t terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
}

void fq_progress_bar_start(fq_progress_bar *bar, const char *label, const char *unit, uint64_t total,
                           bool quiet, bool no_bar) {
    *bar = (fq_progress_bar){.label = label, .unit = unit, .total = total, .quiet = quiet};
    bar->terminal = !no_bar && can_redraw();
    bar->started = bar->shown = fq_clock_monotonic();
}

/* Of all the work; NaN where the total is not known. */
static double fraction_of(const fq_progress_bar *bar, const fq_progress_state *s) {
    if (!isnan(s->fraction))
        return fmin(fmax(s->fraction, 0.0), 1.0);
    return bar->total ? (double)(s->done + s->failed) / (double)bar->total : (double)NAN;
}

double fq_progress_bar_left(const fq_progress_bar *bar, const fq_progress_state *state) {
    const double done = fraction_of(bar, state), elapsed = fq_clock_monotonic() - bar->started;
    return done > 0.0 ? elapsed * (1.0 - done) / done : (double)NAN;
}

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add(char line[LINE_ROOM], const char *format, ...) {
    const size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, LINE_ROOM - used, format, arguments);
    va_end(arguments);
}

static void add_cells(char line[LINE_ROOM], double fraction, size_t columns) {
    char cells[CELLS_MAX + 1];
    const size_t width = columns >= 80 ? CELLS_MAX : columns >= 60 ? CELLS_MAX / 2 : 0;
    for (size_t i = 0; i < width; i++)
        cells[i] = (double)i + 0.5 < fraction * (double)width ? '#' : '-';
    cells[width] = '\0';
    if (width)
        add(line, "  [%s]", cells);
}

/* What is said, for a terminal of so many columns or (0) as a plain line. counted: points that can fail. */
static void compose(char line[LINE_ROOM], const fq_progress_bar *bar, const fq_progress_state *s,
                    bool counted, size_t columns) {
    char left[FQ_DURATION_TEXT];
    const double fraction = fraction_of(bar, s), elapsed = fq_clock_monotonic() - bar->started;
    const uint64_t finished = s->done + s->failed;
    const char *gap = columns ? "  " : ", ";
    snprintf(line, LINE_ROOM, "%s%s", bar->label, columns ? "" : ": ");
    if (columns && bar->total)
        add_cells(line, fraction, columns);
    if (columns && !isnan(fraction))
        add(line, "  %3.0f %%", 100.0 * fraction);
    if (bar->unit && bar->total)
        add(line, columns ? "  %" PRIu64 "/%" PRIu64 " %s" : "%" PRIu64 " of %" PRIu64 " %s", finished,
            bar->total, bar->unit);
    else if (bar->unit)
        add(line, columns ? "  %" PRIu64 " %s" : "%" PRIu64 " %s", finished, bar->unit);
    if (counted)
        add(line, ", %" PRIu64 " failed, %" PRIu64 " running", s->failed, s->running);
    if (!columns && !isnan(fraction))
        add(line, "%s%.0f %%", bar->unit ? ", " : "", 100.0 * fraction);
    if (bar->unit)
        add(line, "%s%.3g/s", gap, elapsed > 0.0 ? (double)finished / elapsed : 0.0);
    if (!isnan(fraction)) {
        fq_duration_text(left, fq_progress_bar_left(bar, s));
        add(line, "%s%s left", gap, left);
    }
    if (s->doing && s->doing[0])
        add(line, "%s%s", gap, s->doing);
}

static void show(fq_progress_bar *bar, const fq_progress_state *state, bool counted) {
    const double time = fq_clock_monotonic(), interval = bar->terminal ? bar_interval : line_interval;
    char line[LINE_ROOM];
    if (bar->quiet || time - bar->started < silence || time - bar->shown < interval)
        return;
    bar->shown = time;
    const size_t columns = bar->terminal ? terminal_columns() : 0;
    compose(line, bar, state, counted, columns);
    if (columns && strlen(line) >= columns)
        line[columns - 1] = '\0'; /* the last column stays free: some terminals break the line there */
    fprintf(stderr, bar->terminal ? "\r%s\033[K" : "%s\n", line);
    fflush(stderr);
    bar->drawn = true;
}

void fq_progress_bar_show(fq_progress_bar *bar, const fq_progress_state *state) {
    bar->done = state->done;
    show(bar, state, true);
}

void fq_progress_bar_update(fq_progress_bar *bar, uint64_t done) {
    bar->done = bar->total && done > bar->total ? bar->total : done;
    show(bar, &(fq_progress_state){.done = bar->done, .fraction = (double)NAN}, false);
}

void fq_progress_bar_finish(fq_progress_bar *bar) {
    if (bar->drawn && bar->terminal) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    bar->drawn = false;
}

static bool report(void *context, double fraction) {
    fq_progress_bar *bar = context;
    const double clipped = fraction > 0 ? (fraction < 1 ? fraction : 1) : 0;
    fq_progress_bar_update(bar, (uint64_t)(clipped * FQ_PROGRESS_STEPS));
    return true;
}

fq_progress fq_progress_bar_hook(fq_progress_bar *bar) {
    bar->total = FQ_PROGRESS_STEPS;
    bar->unit = NULL;
    return (fq_progress){.report = report, .context = bar};
}
