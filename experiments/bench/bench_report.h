/* What a run of benchmarks found, for people, as JSON and in a result store. */
#ifndef FQ_BENCH_REPORT_H
#define FQ_BENCH_REPORT_H

#include <jansson.h>

#include "bench.h"
#include "bench_statistics.h"
#include "provenance.h"

enum { FQ_BENCH_WORK_MAX = 160, FQ_BENCH_UNIT_MAX = 24, FQ_BENCH_TARGET_MAX = 64 };

/* A ratio within rounds: median and its 95 % interval; NaN where there is nothing to compare with. */
typedef struct fq_bench_ratio {
    double median, low, high;
} fq_bench_ratio;

typedef struct fq_bench_row {
    char bench[FQ_BENCH_NAME_MAX], name[FQ_BENCH_NAME_MAX], variant[FQ_BENCH_NAME_MAX];
    char work[FQ_BENCH_WORK_MAX], unit[FQ_BENCH_UNIT_MAX];
    fq_bench_kind kind;
    size_t threads;
    double amount, flops, bytes; /* of a run of this variant */
    bool good;
    char why[FQ_BENCH_WHY_MAX]; /* what is wrong; "" if nothing */
    size_t rounds, repeats;     /* samples, and runs in a sample */
    size_t first;               /* sample in the report */
    fq_bench_summary seconds;   /* of a run */
    double busy;                /* median of CPU time / (wall time x threads) */
    double rate;                /* amount / median; for a note the value itself */
    char rate_unit[FQ_BENCH_UNIT_MAX];
    fq_bench_ratio times_naive, times_library, times_other, share;
    fq_bench_ratio of_peak, of_copy;
    double of_limit; /* the larger of the two medians: what bounds it, and how closely */
    char limit[16];  /* "peak", "copy" or "" */
    char target[FQ_BENCH_TARGET_MAX];
    double target_of_limit; /* the speed aimed at, as a fraction of the limit; NaN without one */
    int met;                /* 1 yes, 0 no, -1 no target or not decided */
    char axis[16];
    double axis_value, axis_slope;
} fq_bench_row;

typedef struct fq_bench_report {
    size_t row_count, row_room, sample_count, sample_room;
    fq_bench_row *rows;
    double *wall, *cpu; /* seconds of a run in each sample */
    bool quick;
    uint64_t seed;
    double clock; /* cycles a second; NaN if it could not be measured */
} fq_bench_report;

typedef struct fq_bench_settings {
    const char *only[16]; /* BENCH or BENCH:CASE */
    size_t only_count;
    bool scaling, quick, quiet;
    size_t rounds, threads;
    double seconds; /* a case stops taking samples after this, with five rounds at least */
    uint64_t seed;
    void (*finished)(const fq_bench_report *report, size_t first_row); /* a case is done; may be NULL */
} fq_bench_settings;

void fq_bench_report_clear(fq_bench_report *report);

/* Runs what the settings ask for. FQ_ERR_USAGE if a name in only is no benchmark or case. */
FQ_MUST_CHECK fq_status fq_bench_report_run(fq_bench_report *report, const fq_bench_settings *settings);

/* Prints name and summary of every benchmark, and its cases. */
FQ_MUST_CHECK fq_status fq_bench_list(const fq_bench_settings *settings);

/* 1 if a row is wrong, else 0. */
int fq_bench_report_exit_code(const fq_bench_report *report);

/* The table: its head, a case's rows from first on, and the closing lines. */
void fq_bench_print_head(void);
void fq_bench_print_rows(const fq_bench_report *report, size_t first);
void fq_bench_print_end(const fq_bench_report *report);

/* A new document {"format": "fibquant bench", "version": 1, "rows": [...]}, or NULL (memory). */
json_t *fq_bench_report_json(const fq_bench_report *report);

#define FQ_BENCH_TABLE         "bench"
#define FQ_BENCH_SAMPLES_TABLE "bench-samples"

/* Tables bench (one row a variant) and bench-samples (one row a sample) of a result store. Cases that
 * are stored again replace those of an earlier run. Takes the store's lock. */
FQ_MUST_CHECK fq_status fq_bench_store_write(const char *path, const fq_bench_report *report,
                                             const fq_provenance *provenance);

#endif
