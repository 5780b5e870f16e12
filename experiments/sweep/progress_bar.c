#include "progress_bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };
static const int64_t second_ns = 1000000000;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * second_ns + now.tv_nsec;
}

void fq_progress_bar_start(fq_progress_bar *bar, const char *label, const char *unit, uint64_t total,
                           bool quiet, bool no_bar) {
    const char *no_color = getenv("NO_COLOR");
    *bar = (fq_progress_bar){.label = label, .unit = unit, .total = total, .quiet = quiet};
    bar->terminal = !no_bar && !(no_color && no_color[0]) && isatty(STDERR_FILENO);
    bar->started_ns = bar->shown_ns = now_ns();
}

static void show(fq_progress_bar *bar, double seconds) {
    const double rate = (double)bar->done / seconds;
    char left[32] = "", filled[BAR_WIDTH + 1];
    if (bar->total && bar->done) {
        const double rest = (double)(bar->total - bar->done) / rate;
        snprintf(left, sizeof left, "  left %.0f:%02.0f", rest >= 60 ? (double)((int64_t)rest / 60) : 0.0,
                 (double)((int64_t)rest % 60));
    }
    const uint64_t total = bar->total ? bar->total : 1;
    const size_t cells = bar->total ? (size_t)((double)BAR_WIDTH * (double)bar->done / (double)total) : 0;
    for (size_t i = 0; i < BAR_WIDTH; i++)
        filled[i] = i < cells ? '#' : '-';
    filled[BAR_WIDTH] = '\0';
    if (bar->terminal)
        fprintf(stderr, "\r\033[K%s  [%s]  ", bar->label, filled);
    else
        fprintf(stderr, "%s  ", bar->label);
    if (bar->unit && bar->total)
        fprintf(stderr, "%3.0f %%  %" PRIu64 "/%" PRIu64 " %s  %.3g/s%s",
                100 * (double)bar->done / (double)total, bar->done, bar->total, bar->unit, rate, left);
    else if (bar->total)
        fprintf(stderr, "%3.0f %%%s", 100 * (double)bar->done / (double)total, left);
    else
        fprintf(stderr, "%" PRIu64 " %s  %.3g/s", bar->done, bar->unit ? bar->unit : "", rate);
    if (!bar->terminal)
        fputc('\n', stderr);
    fflush(stderr);
    bar->drawn = true;
}

void fq_progress_bar_update(fq_progress_bar *bar, uint64_t done) {
    bar->done = bar->total && done > bar->total ? bar->total : done;
    if (bar->quiet)
        return;
    const int64_t now = now_ns(), interval = bar->terminal ? second_ns / 5 : 10 * second_ns;
    if (now - bar->started_ns < second_ns || now - bar->shown_ns < interval)
        return;
    bar->shown_ns = now;
    show(bar, (double)(now - bar->started_ns) / (double)second_ns);
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
