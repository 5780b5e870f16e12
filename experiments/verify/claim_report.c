#include "claim_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

fq_status fq_claim_report_init(fq_claim_report *report) {
    *report = (fq_claim_report){0};
    return fq_alloc_zero(&report->claims, fq_claim_count(), sizeof *report->claims);
}

void fq_claim_report_clear(fq_claim_report *report) {
    fq_free(report->claims);
    fq_free(report->rows);
    *report = (fq_claim_report){0};
}

static fq_status add_row(void *sink_context, const fq_evidence *row) {
    fq_claim_report *const report = sink_context;
    if (report->row_count == report->row_room) {
        const size_t room = report->row_room ? 2 * report->row_room : 256;
        fq_evidence *rows;
        FQ_TRY(fq_alloc(&rows, room, sizeof *rows));
        if (report->row_count)
            memcpy(rows, report->rows, report->row_count * sizeof *rows);
        fq_free(report->rows);
        report->rows = rows;
        report->row_room = room;
    }
    report->rows[report->row_count++] = *row;
    fq_claim_result *const result = &report->claims[report->claim_count - 1];
    result->count++;
    const fq_series *const series = fq_claim_series(result->claim, row->series);
    fq_claim_summary_add(&result->summary, row, series ? series->part : FQ_PART_STATEMENT);
    return FQ_OK;
}

fq_status fq_claim_report_run(fq_claim_report *report, const fq_claim *claim, fq_claim_context *context) {
    if (report->claim_count == fq_claim_count())
        return FQ_FAIL(FQ_ERR_ARGUMENT, "report", "every claim once");
    fq_claim_result *const result = &report->claims[report->claim_count++];
    *result = (fq_claim_result){.claim = claim, .first = report->row_count};
    fq_claim_summary_init(&result->summary);
    fq_claim_context run = *context;
    fq_claim_context fresh;
    fq_claim_context_init(&fresh, context->seed, add_row, report);
    run.sink = add_row;
    run.sink_context = report;
    run.last_emit_s = fresh.last_emit_s;
    return claim->run(&run);
}

int fq_claim_report_exit_code(const fq_claim_report *report) {
    bool undecided = false;
    for (size_t i = 0; i < report->claim_count; i++) {
        if (report->claims[i].summary.refuted || report->claims[i].summary.unexpected)
            return 1;
        undecided |= report->claims[i].summary.verdict == FQ_VERDICT_UNDECIDED;
    }
    return undecided ? 5 : 0;
}

static void print_row(const fq_evidence *row) {
    printf("      %s (%s): %.12g +- %.2g %s %.12g +- %.2g  %s\n", row->series, row->parameters, row->left,
           row->left_error, fq_relation_sign(row->relation), row->right, row->right_error,
           fq_verdict_name(row->verdict));
}

/* The rows that are no success, at most a few of each claim. */
static void print_trouble(const fq_claim_report *report, const fq_claim_result *result) {
    enum { SHOWN = 5 };
    size_t trouble = 0;
    for (size_t i = result->first; i < result->first + result->count; i++) {
        const fq_evidence *const row = &report->rows[i];
        const bool unexpected = row->finding[0] && !row->sometimes && row->verdict < FQ_VERDICT_UNDECIDED;
        const bool bad =
            row->verdict == FQ_VERDICT_UNDECIDED || (row->verdict == FQ_VERDICT_REFUTED && !row->finding[0]);
        if ((bad || unexpected) && trouble++ < SHOWN)
            print_row(row);
        if (unexpected && trouble <= SHOWN)
            printf("      ... which holds, though finding %s says that it does not: FINDINGS.md or the row "
                   "is wrong\n",
                   row->finding);
    }
    if (trouble > SHOWN)
        printf("      ... and %zu more\n", trouble - SHOWN);
}

/* One line for each finding and series that a claim's exceptions name, with how many rows and the
 * first of them. */
static void print_exceptions(const fq_claim_report *report, const fq_claim_result *result) {
    const size_t end = result->first + result->count;
    for (size_t i = result->first; i < end; i++) {
        const fq_evidence *const row = &report->rows[i];
        if (row->verdict != FQ_VERDICT_REFUTED || !row->finding[0])
            continue;
        size_t same = 0;
        bool first = true;
        for (size_t j = result->first; j < end; j++) {
            const fq_evidence *const other = &report->rows[j];
            if (other->verdict == FQ_VERDICT_REFUTED && !strcmp(other->finding, row->finding) &&
                !strcmp(other->series, row->series)) {
                same++;
                first &= j >= i;
            }
        }
        const fq_series *const series = fq_claim_series(result->claim, row->series);
        if (first)
            printf("      exception %s: %s\n"
                   "         (%s, %zu rows, e.g. %s: %.6g %s %.6g does not hold)\n",
                   row->finding, series ? series->meaning : row->series, row->series, same, row->parameters,
                   row->left, fq_relation_sign(row->relation), row->right);
    }
}

/* "certified at 325 points, computed at 8" of the rows of one part, exceptions left out. */
static void count_by_verdict(char *text, size_t size, const fq_claim_report *report,
                             const fq_claim_result *result, fq_part part) {
    size_t counts[FQ_VERDICT_REFUTED + 1] = {0}, used = 0;
    for (size_t i = result->first; i < result->first + result->count; i++) {
        const fq_evidence *const row = &report->rows[i];
        const fq_series *const series = fq_claim_series(result->claim, row->series);
        const bool exception = row->verdict == FQ_VERDICT_REFUTED && row->finding[0];
        const bool value = row->relation == FQ_RELATION_REPORT && row->verdict < FQ_VERDICT_UNDECIDED;
        if (series && series->part == part && !exception && !value)
            counts[row->verdict]++;
    }
    text[0] = '\0';
    for (int v = 0; v <= FQ_VERDICT_REFUTED; v++)
        if (counts[v] && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s at %zu point%s", used ? ", " : "",
                                     fq_verdict_name((fq_verdict)v), counts[v], counts[v] == 1 ? "" : "s");
}

/* The three parts of a claim, each with its counts. */
static void print_parts(const fq_claim_report *report, const fq_claim_result *result) {
    static const char *const titles[FQ_PARTS] = {"Statement", "Second routes to its numbers",
                                                 "Trained codes, codecs and others' constants"};
    for (int part = 0; part < FQ_PARTS; part++) {
        char text[160];
        count_by_verdict(text, sizeof text, report, result, (fq_part)part);
        if (text[0])
            printf("   %s: %s.\n", titles[part], text);
    }
    if (result->summary.exceptions)
        printf("   %zu points are exceptions that theory/FINDINGS.md explains.\n",
               result->summary.exceptions);
}

static const char *verdict_of(const fq_claim_summary *s, fq_part part) {
    return s->part_rows[part] ? fq_verdict_name(s->part_verdict[part]) : "-";
}

void fq_claim_report_print(const fq_claim_report *report, bool quick) {
    printf("%-3s %-13s %-10s %-10s %9s %8s %8s %9s %7s %10s %7s\n", "", "claim", "statement", "practice",
           "certified", "computed", "measured", "undecided", "refuted", "exceptions", "s");
    size_t rows = 0, values = 0, exceptions = 0, unexpected = 0, good = 0;
    double seconds = 0;
    for (size_t i = 0; i < report->claim_count; i++) {
        const fq_claim_result *const result = &report->claims[i];
        const fq_claim_summary *const s = &result->summary;
        printf("%-3d %-13s %-10s %-10s %9zu %8zu %8zu %9zu %7zu %10zu %7.2f\n", result->claim->number,
               result->claim->id, fq_verdict_name(s->verdict), verdict_of(s, FQ_PART_PRACTICE), s->certified,
               s->computed, s->measured, s->undecided, s->refuted, s->exceptions, s->seconds);
        rows += result->count - s->values;
        values += s->values;
        exceptions += s->exceptions;
        unexpected += s->unexpected;
        good += s->verdict < FQ_VERDICT_UNDECIDED && !s->unexpected;
        seconds += s->seconds;
    }
    puts("\nstatement: what the claim says; practice: what was trained, what codecs do, what rests on "
         "constants of\n"
         "the literature. certified: interval arithmetic; computed: floating point with an error estimate; "
         "measured:\n"
         "samples (a comparison's false alarm 1e-9; 1e-6 for means over few sets).\n");
    for (size_t i = 0; i < report->claim_count; i++) {
        const fq_claim_result *const result = &report->claims[i];
        printf("%d. %s\n   %s\n", result->claim->number, result->claim->title, result->claim->statement);
        print_parts(report, result);
        printf("   Not covered: %s\n", result->claim->not_covered);
        print_trouble(report, result);
        print_exceptions(report, result);
    }
    if (unexpected)
        printf("\n%zu comparisons hold where a finding says that they do not.\n", unexpected);
    printf("\n%zu of %zu claims hold%s; %zu comparisons, %zu documented exceptions, %zu values "
           "without comparison, %.1f s%s.\n",
           good, report->claim_count, exceptions ? " outside the documented exceptions" : "", rows,
           exceptions, values, seconds, quick ? " (quick: small grids)" : "");
}

/* JSON has no NaN and no infinity: null. */
static json_t *real_or_null(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *row_json(const fq_evidence *r) {
    return json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:o}", "series",
        r->series, "parameters", r->parameters, "dim", real_or_null(r->dim), "block", real_or_null(r->block),
        "codewords", real_or_null(r->codewords), "rate", real_or_null(r->rate), "left", real_or_null(r->left),
        "left_error", real_or_null(r->left_error), "relation", fq_relation_sign(r->relation), "right",
        real_or_null(r->right), "right_error", real_or_null(r->right_error), "tolerance",
        real_or_null(r->tolerance), "verdict", fq_verdict_name(r->verdict), "finding", r->finding, "rests_on",
        r->rests_on, "precision_bits", (json_int_t)r->precision, "samples", (json_int_t)r->samples, "seed",
        (json_int_t)r->seed, "enclosure", r->enclosure, "seconds", real_or_null(r->seconds));
}

static json_t *claim_json(const fq_claim_report *report, const fq_claim_result *result) {
    json_t *const rows = json_array();
    for (size_t i = result->first; i < result->first + result->count; i++)
        if (json_array_append_new(rows, row_json(&report->rows[i])) != 0) {
            json_decref(rows);
            return NULL;
        }
    const fq_claim *const c = result->claim;
    const fq_claim_summary *const s = &result->summary;
    json_t *const series = json_object();
    for (const fq_series *one = c->series; one && one->name; one++)
        json_object_set_new(series, one->name,
                            json_pack("{s:s,s:s}", "part", fq_part_name(one->part), "meaning", one->meaning));
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:o,s:o}",
                     "number", c->number, "id", c->id, "title", c->title, "statement", c->statement, "domain",
                     c->domain, "citation", c->citation, "checked", c->checked, "not_covered", c->not_covered,
                     "verdict", fq_verdict_name(s->verdict), "practice_verdict",
                     s->part_rows[FQ_PART_PRACTICE] ? fq_verdict_name(s->part_verdict[FQ_PART_PRACTICE]) : "",
                     "certified", (json_int_t)s->certified, "computed", (json_int_t)s->computed, "measured",
                     (json_int_t)s->measured, "undecided", (json_int_t)s->undecided, "refuted",
                     (json_int_t)s->refuted, "exceptions", (json_int_t)s->exceptions, "unexpected",
                     (json_int_t)s->unexpected, "values", (json_int_t)s->values, "seconds", s->seconds,
                     "series", series, "evidence", rows);
}

json_t *fq_claim_report_json(const fq_claim_report *report, const fq_claim_context *context) {
    json_t *const list = json_array();
    for (size_t i = 0; i < report->claim_count; i++)
        if (json_array_append_new(list, claim_json(report, &report->claims[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return json_pack("{s:s,s:i,s:b,s:I,s:I,s:i,s:o}", "format", "fibquant claims", "version", 2, "quick",
                     context->quick, "seed", (json_int_t)context->seed, "precision_cap_bits",
                     (json_int_t)context->precision_cap, "exit_code", fq_claim_report_exit_code(report),
                     "claims", list);
}
