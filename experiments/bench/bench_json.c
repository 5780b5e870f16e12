/* The same as one JSON document. */
#include <math.h>

#include "bench_report.h"
#include "verb_support.h"

static json_t *ratio_json(const fq_bench_ratio *r) {
    return json_pack("{s:o,s:o,s:o}", "median", fq_json_number(r->median), "low", fq_json_number(r->low),
                     "high", fq_json_number(r->high));
}

static json_t *samples_json(const fq_bench_row *r, const double *values) {
    json_t *const list = json_array();
    for (size_t i = 0; i < r->rounds; i++)
        json_array_append_new(list, fq_json_number(values[r->first + i]));
    return list;
}

static json_t *row_json(const fq_bench_report *report, const fq_bench_row *r) {
    const fq_bench_summary *const s = &r->seconds;
    json_t *const seconds =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "median", fq_json_number(s->median), "lower_quartile",
                  fq_json_number(s->lower), "upper_quartile", fq_json_number(s->upper), "minimum",
                  fq_json_number(s->minimum), "median_low", fq_json_number(s->median_low), "median_high",
                  fq_json_number(s->median_high));
    json_t *const row =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:b,s:s}", "bench", r->bench, "case", r->name, "variant",
                  r->variant, "kind", fq_bench_kind_name(r->kind), "work", r->work, "unit", r->unit,
                  "threads", (json_int_t)r->threads, "verified", r->good, "wrong", r->why);
    json_t *const more =
        json_pack("{s:o,s:o,s:o,s:I,s:I,s:o,s:o,s:o,s:s}", "amount", fq_json_number(r->amount), "flops",
                  fq_json_number(r->flops), "bytes", fq_json_number(r->bytes), "rounds",
                  (json_int_t)r->rounds, "repeats", (json_int_t)r->repeats, "seconds", seconds, "busy",
                  fq_json_number(r->busy), "rate", fq_json_number(r->rate), "rate_unit", r->rate_unit);
    json_t *const ratios =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "times_naive", ratio_json(&r->times_naive),
                  "times_library", ratio_json(&r->times_library), "times_other", ratio_json(&r->times_other),
                  "share", ratio_json(&r->share), "of_peak", ratio_json(&r->of_peak), "of_copy",
                  ratio_json(&r->of_copy), "of_limit", fq_json_number(r->of_limit), "limit", r->limit);
    json_t *const rest = json_pack(
        "{s:s,s:o,s:s,s:o,s:o,s:o,s:o}", "target", r->target, "target_met",
        r->met < 0 ? json_null() : json_boolean(r->met), "axis", r->axis, "axis_value",
        fq_json_number(r->axis_value), "axis_slope", fq_json_number(r->axis_slope), "samples_wall_s",
        samples_json(r, report->wall), "samples_cpu_s", samples_json(r, report->cpu));
    const bool whole = row && more && ratios && rest && json_object_update(row, more) == 0 &&
                       json_object_update(row, ratios) == 0 && json_object_update(row, rest) == 0;
    json_decref(more);
    json_decref(ratios);
    json_decref(rest);
    if (whole)
        return row;
    json_decref(row);
    return NULL;
}

json_t *fq_bench_report_json(const fq_bench_report *report) {
    json_t *const rows = json_array();
    for (size_t i = 0; i < report->row_count; i++)
        if (json_array_append_new(rows, row_json(report, &report->rows[i])) != 0) {
            json_decref(rows);
            return NULL;
        }
    return json_pack("{s:s,s:i,s:b,s:I,s:o,s:i,s:o}", "format", "fibquant bench", "version", 1, "quick",
                     report->quick, "seed", (json_int_t)report->seed, "clock_hz",
                     fq_json_number(report->clock), "exit_code", fq_bench_report_exit_code(report), "rows",
                     rows);
}
