/* The same in a result store. */
#include <string.h>

#include "bench_report.h"
#include "row_writer.h"

#define PARAMETER   FQ_ROLE_PARAMETER
#define VALUE       FQ_ROLE_VALUE
#define BOOKKEEPING FQ_ROLE_BOOKKEEPING
#define REAL(name, units, description)                                                                       \
    { name, FQ_VALUE_REAL, 0, units, description, BOOKKEEPING }

static const fq_value_column row_columns[] = {
    {"bench", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "benchmark", PARAMETER},
    {"case", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "parameters of the work", PARAMETER},
    {"variant", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "way to do it", PARAMETER},
    {"kind", FQ_VALUE_TEXT, 8, "", "limit, naive, library, ours or stage", PARAMETER},
    {"threads", FQ_VALUE_INTEGER, 0, "1", "threads", PARAMETER},
    {"quick", FQ_VALUE_INTEGER, 0, "1", "1: small sizes, times mean nothing", PARAMETER},
    {"axis", FQ_VALUE_TEXT, 16, "", "what a scaling curve runs over, or nothing", PARAMETER},
    {"axis_value", FQ_VALUE_REAL, 0, "1", "place on that curve", PARAMETER},
    {"axis_slope", FQ_VALUE_REAL, 0, "1", "expected exponent of the time a unit", PARAMETER},
    {"work", FQ_VALUE_TEXT, FQ_BENCH_WORK_MAX, "", "what a run does and how it is counted", VALUE},
    {"unit", FQ_VALUE_TEXT, FQ_BENCH_UNIT_MAX, "", "unit of the work", VALUE},
    {"verified", FQ_VALUE_INTEGER, 0, "1", "1: output equal to the reference", VALUE},
    {"wrong", FQ_VALUE_TEXT, FQ_BENCH_WHY_MAX, "", "what is wrong, or nothing", VALUE},
    {"target", FQ_VALUE_TEXT, FQ_BENCH_TARGET_MAX, "", "what it is meant to reach", VALUE},
    REAL("amount", "units", "work of a run"),
    REAL("flops", "flop", "floating-point operations of a run, as counted against the peak"),
    REAL("bytes", "bytes", "bytes of a run, as counted against the copy"),
    {"rounds", FQ_VALUE_INTEGER, 0, "1", "samples", BOOKKEEPING},
    {"repeats", FQ_VALUE_INTEGER, 0, "1", "runs in a sample", BOOKKEEPING},
    REAL("median", "s", "seconds of a run"),
    REAL("median_low", "s", "lower end of its 95 % interval"),
    REAL("median_high", "s", "upper end of its 95 % interval"),
    REAL("lower_quartile", "s", "of the samples"),
    REAL("upper_quartile", "s", "of the samples"),
    REAL("minimum", "s", "of the samples"),
    REAL("busy", "1", "processor time over wall time and thread"),
    REAL("rate", "units per s", "amount / median; for rows without samples the value itself"),
    REAL("times_naive", "1", "times as fast as the naive reference, median over rounds"),
    REAL("times_naive_low", "1", "lower end of its 95 % interval"),
    REAL("times_naive_high", "1", "upper end"),
    REAL("times_library", "1", "times as fast as the library, median over rounds"),
    REAL("times_library_low", "1", "lower end of its 95 % interval"),
    REAL("times_library_high", "1", "upper end"),
    REAL("times_other", "1", "times as fast as the variant that the target names"),
    REAL("share", "1", "of a stage in the whole"),
    REAL("of_peak", "1", "fraction of the FMA peak"),
    REAL("of_copy", "1", "fraction of the copy bandwidth"),
    REAL("of_limit", "1", "the larger of the two"),
    REAL("target_of_limit", "1", "the speed aimed at, as a fraction of the limit"),
    {"limit", FQ_VALUE_TEXT, 16, "", "which of the two", BOOKKEEPING},
    {"target_met", FQ_VALUE_INTEGER, 0, "1", "1 yes, 0 no, -1 none or not measured", BOOKKEEPING},
    REAL("clock", "Hz", "clock of a core as the run began"),
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", BOOKKEEPING},
};

static const fq_value_column sample_columns[] = {
    {"bench", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "benchmark", PARAMETER},
    {"case", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "parameters of the work", PARAMETER},
    {"variant", FQ_VALUE_TEXT, FQ_BENCH_NAME_MAX, "", "way to do it", PARAMETER},
    {"round", FQ_VALUE_INTEGER, 0, "1", "round, from 0", PARAMETER},
    REAL("wall", "s", "seconds of a run"),
    REAL("cpu", "s", "processor seconds of a run"),
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", BOOKKEEPING},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool in_report(const fq_table *table, size_t row, const void *context) {
    const fq_bench_report *report = context;
    for (size_t i = 0; i < report->row_count; i++)
        if (!strcmp(report->rows[i].bench, fq_table_text(table, row, 0)) &&
            !strcmp(report->rows[i].name, fq_table_text(table, row, 1)))
            return true;
    return false;
}

/* The table of that name, made if missing, without rows of the cases in the report. */
static fq_status ready_table(fq_table **table, fq_results *results, const char *name,
                             const fq_value_column *columns, size_t count, const fq_bench_report *report) {
    FQ_TRY(fq_row_table(table, results, name, columns, count));
    fq_row_table_drop(*table, in_report, report);
    return FQ_OK;
}

static void put_reals(fq_row_writer *w, size_t count, const double *values) {
    for (size_t i = 0; i < count; i++)
        fq_row_real(w, values[i]);
}

static fq_status add_row(fq_table *table, const fq_bench_report *report, const fq_bench_row *r, size_t run) {
    fq_row_writer w;
    FQ_TRY(fq_row_begin(&w, table));
    const fq_bench_summary *const s = &r->seconds;
    fq_row_text(&w, r->bench);
    fq_row_text(&w, r->name);
    fq_row_text(&w, r->variant);
    fq_row_text(&w, fq_bench_kind_name(r->kind));
    fq_row_integer(&w, (int64_t)r->threads);
    fq_row_integer(&w, report->quick);
    fq_row_text(&w, r->axis);
    put_reals(&w, 2, (const double[]){r->axis_value, r->axis_slope});
    fq_row_text(&w, r->work);
    fq_row_text(&w, r->rounds ? r->unit : r->rate_unit);
    fq_row_integer(&w, r->good);
    fq_row_text(&w, r->why);
    fq_row_text(&w, r->target);
    put_reals(&w, 3, (const double[]){r->amount, r->flops, r->bytes});
    fq_row_integer(&w, (int64_t)r->rounds);
    fq_row_integer(&w, (int64_t)r->repeats);
    put_reals(&w, 8,
              (const double[]){s->median, s->median_low, s->median_high, s->lower, s->upper, s->minimum,
                               r->busy, r->rate});
    put_reals(&w, 6,
              (const double[]){r->times_naive.median, r->times_naive.low, r->times_naive.high,
                               r->times_library.median, r->times_library.low, r->times_library.high});
    put_reals(&w, 6,
              (const double[]){r->times_other.median, r->share.median, r->of_peak.median, r->of_copy.median,
                               r->of_limit, r->target_of_limit});
    fq_row_text(&w, r->limit);
    fq_row_integer(&w, r->met);
    put_reals(&w, 1, &report->clock);
    fq_row_integer(&w, (int64_t)run);
    return FQ_OK;
}

static fq_status add_samples(fq_table *table, const fq_bench_report *report, const fq_bench_row *r,
                             size_t run) {
    for (size_t i = 0; i < r->rounds; i++) {
        fq_row_writer w;
        FQ_TRY(fq_row_begin(&w, table));
        fq_row_text(&w, r->bench);
        fq_row_text(&w, r->name);
        fq_row_text(&w, r->variant);
        fq_row_integer(&w, (int64_t)i);
        put_reals(&w, 2, (const double[]){report->wall[r->first + i], report->cpu[r->first + i]});
        fq_row_integer(&w, (int64_t)run);
    }
    return FQ_OK;
}

static fq_status add_all(fq_results *results, size_t run, const void *context) {
    const fq_bench_report *report = context;
    fq_table *rows, *samples;
    FQ_TRY(ready_table(&rows, results, FQ_BENCH_TABLE, row_columns, COUNT(row_columns), report));
    FQ_TRY(ready_table(&samples, results, FQ_BENCH_SAMPLES_TABLE, sample_columns, COUNT(sample_columns),
                       report));
    for (size_t i = 0; i < report->row_count; i++) {
        FQ_TRY(add_row(rows, report, &report->rows[i], run));
        FQ_TRY(add_samples(samples, report, &report->rows[i], run));
    }
    return FQ_OK;
}

fq_status fq_bench_store_write(const char *path, const fq_bench_report *report,
                               const fq_provenance *provenance) {
    return fq_row_store_write(path, provenance, add_all, report);
}
