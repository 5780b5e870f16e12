/* The table that people read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench_report.h"

/* A number with three significant digits and a prefix: "78.1 G". */
static void with_prefix(char *text, size_t room, double value, const char *unit) {
    static const char *const prefixes[] = {"n", "u", "m", "", "k", "M", "G", "T"};
    int i = 3;
    if (!isfinite(value)) {
        snprintf(text, room, "-");
        return;
    }
    for (; fabs(value) >= 999.5 && i < 7; i++)
        value /= 1000;
    for (; value != 0 && fabs(value) < 0.9995 && i > 0; i--)
        value *= 1000;
    snprintf(text, room, "%.*f %s%s",
             fabs(value) < 9.995   ? 2
             : fabs(value) < 99.95 ? 1
                                   : 0,
             value, prefixes[i], unit);
}

static void bytes_text(char *text, size_t room, double value) {
    if (value < 1024 * 1024)
        snprintf(text, room, "%.0f KiB", value / 1024);
    else
        snprintf(text, room, "%.1f MiB", value / (1024 * 1024));
}

static void times_text(char *text, size_t room, double value) {
    if (isfinite(value))
        snprintf(text, room, "%.*f x", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
    else
        snprintf(text, room, "-");
}

static void percent_text(char *text, size_t room, double value, const char *of) {
    if (isfinite(value))
        snprintf(text, room, "%.*f %%%s%s", 100 * value < 9.95 ? 1 : 0, 100 * value, of[0] ? " " : "", of);
    else
        snprintf(text, room, "-");
}

void fq_bench_print_head(void) {
    printf("  %-26s %-7s %2s %10s %7s %20s %9s %9s %10s  %s\n", "variant", "kind", "T", "median", "spread",
           "rate", "naive", "library", "limit", "target");
}

static const char *verdict(const fq_bench_row *r) {
    return r->met == 1 ? ": met" : r->met == 0 ? ": missed" : r->target[0] ? ": not measured" : "";
}

static void print_row(const fq_bench_row *r) {
    char median[24], spread[24], rate[48], naive[24], library[24], limit[32];
    if (!r->good) {
        printf("  %-26s %-7s WRONG, not timed: %s\n", r->variant, fq_bench_kind_name(r->kind), r->why);
        return;
    }
    with_prefix(median, sizeof median, r->seconds.median, "s");
    percent_text(spread, sizeof spread, (r->seconds.upper - r->seconds.lower) / r->seconds.median, "");
    if (r->rounds == 0 && !strcmp(r->unit, "B"))
        bytes_text(rate, sizeof rate, r->rate);
    else if (!strcmp(r->unit, "1")) /* a plain number */
        snprintf(rate, sizeof rate, "%.2g", r->rate);
    else
        with_prefix(rate, sizeof rate, r->rate, r->rate_unit);
    times_text(naive, sizeof naive, r->times_naive.median);
    times_text(library, sizeof library, r->times_library.median);
    if (r->kind == FQ_BENCH_STAGE)
        percent_text(limit, sizeof limit, r->share.median, "share");
    else
        percent_text(limit, sizeof limit, r->of_limit, r->limit);
    printf("  %-26s %-7s %2zu %10s %7s %20s %9s %9s %10s  %s%s\n", r->variant, fq_bench_kind_name(r->kind),
           r->threads, median, r->rounds > 1 ? spread : "-", rate, naive, library, limit, r->target,
           verdict(r));
}

void fq_bench_print_rows(const fq_bench_report *report, size_t first) {
    for (size_t i = first; i < report->row_count; i++) {
        if (i == first)
            printf("%s %s: %s\n", report->rows[i].bench, report->rows[i].name, report->rows[i].work);
        print_row(&report->rows[i]);
    }
    fflush(stdout);
}

void fq_bench_print_end(const fq_bench_report *report) {
    size_t wrong = 0, met = 0, missed = 0, disturbed = 0;
    for (size_t i = 0; i < report->row_count; i++) {
        const fq_bench_row *const r = &report->rows[i];
        wrong += !r->good;
        met += r->met == 1;
        missed += r->met == 0;
        disturbed += r->good && r->busy < 0.95 && r->threads == 1;
    }
    printf("\nmedian: seconds of a run. spread: quartile distance over median. T: threads. naive, library: "
           "how many\n"
           "times as fast as those, on the same work in the same rounds. limit: fraction of what bounds the "
           "work,\n"
           "counted as the line above says (peak: multiply-adds in registers; copy: memcpy beyond the "
           "caches, both\n"
           "of one core times T); for a stage, its share of our whole.\n");
    if (isfinite(report->clock))
        printf("Clock: %.2f GHz.", report->clock / 1e9);
    printf(" %zu rows; targets: %zu met, %zu missed.\n", report->row_count, met, missed);
    if (disturbed)
        printf("Other programs were running: %zu rows had less than 95 %% of a processor.\n", disturbed);
    if (report->quick)
        printf("Small sizes (--quick): times mean nothing.\n");
    if (wrong)
        printf("%zu rows are WRONG.\n", wrong);
}
