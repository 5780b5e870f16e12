#include "claim_store.h"

#include <string.h>

#include "row_writer.h"

#define PARAMETER   FQ_ROLE_PARAMETER
#define VALUE       FQ_ROLE_VALUE
#define BOOKKEEPING FQ_ROLE_BOOKKEEPING

static const fq_value_column claim_columns[] = {
    {"claim", FQ_VALUE_TEXT, 32, "", "id of the claim", PARAMETER},
    {"number", FQ_VALUE_INTEGER, 0, "1", "number of the claim", PARAMETER},
    {"quick", FQ_VALUE_INTEGER, 0, "1", "1: small grids", PARAMETER},
    {"seed", FQ_VALUE_TEXT, 20, "1", "seed of samples and random parameters", PARAMETER},
    {"precision_cap", FQ_VALUE_INTEGER, 0, "bits", "cap of the rising precision", PARAMETER},
    {"title", FQ_VALUE_TEXT, 128, "", "title", VALUE},
    {"statement", FQ_VALUE_TEXT, 1024, "", "the statement, words and formula", VALUE},
    {"domain", FQ_VALUE_TEXT, 512, "", "parameters the statement is for", VALUE},
    {"citation", FQ_VALUE_TEXT, 256, "", "where it is stated", VALUE},
    {"checked", FQ_VALUE_TEXT, 1024, "", "what is checked", VALUE},
    {"not_covered", FQ_VALUE_TEXT, 1024, "", "what is not", VALUE},
    {"verdict", FQ_VALUE_TEXT, 16, "", "on the statement: its weakest comparison, exceptions left out",
     VALUE},
    {"practice_verdict", FQ_VALUE_TEXT, 16, "", "on what was trained, codecs and others' constants", VALUE},
    {"certified", FQ_VALUE_INTEGER, 0, "1", "comparisons certified", VALUE},
    {"computed", FQ_VALUE_INTEGER, 0, "1", "comparisons computed", VALUE},
    {"measured", FQ_VALUE_INTEGER, 0, "1", "comparisons measured", VALUE},
    {"undecided", FQ_VALUE_INTEGER, 0, "1", "comparisons undecided", VALUE},
    {"refuted", FQ_VALUE_INTEGER, 0, "1", "comparisons refuted without a finding", VALUE},
    {"exceptions", FQ_VALUE_INTEGER, 0, "1", "comparisons refuted as a finding says", VALUE},
    {"unexpected", FQ_VALUE_INTEGER, 0, "1", "comparisons that hold against a finding", VALUE},
    {"values", FQ_VALUE_INTEGER, 0, "1", "rows without comparison", VALUE},
    {"seconds", FQ_VALUE_REAL, 0, "s", "time taken", BOOKKEEPING},
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", BOOKKEEPING},
};

static const fq_value_column evidence_columns[] = {
    {"claim", FQ_VALUE_TEXT, 32, "", "id of the claim", PARAMETER},
    {"series", FQ_VALUE_TEXT, FQ_EVIDENCE_SERIES, "", "which quantity", PARAMETER},
    {"parameters", FQ_VALUE_TEXT, FQ_EVIDENCE_TEXT, "", "parameters, for people", PARAMETER},
    {"dim", FQ_VALUE_REAL, 0, "1", "d, nan if none", PARAMETER},
    {"block", FQ_VALUE_REAL, 0, "1", "k, nan if none", PARAMETER},
    {"codewords", FQ_VALUE_REAL, 0, "1", "N, nan if none", PARAMETER},
    {"rate", FQ_VALUE_REAL, 0, "bits per coordinate", "rate, nan if none", PARAMETER},
    {"seed", FQ_VALUE_TEXT, 20, "1", "seed, 0 if none", PARAMETER},
    {"left", FQ_VALUE_REAL, 0, "1", "left side", VALUE},
    {"left_error", FQ_VALUE_REAL, 0, "1",
     "its half width (certified), error estimate (computed) or standard error (measured)", VALUE},
    {"relation", FQ_VALUE_TEXT, 8, "", "<, >, = or value (no comparison)", VALUE},
    {"right", FQ_VALUE_REAL, 0, "1", "right side, nan if none", VALUE},
    {"right_error", FQ_VALUE_REAL, 0, "1", "as left_error", VALUE},
    {"tolerance", FQ_VALUE_REAL, 0, "1", "half width that still decides an equality", VALUE},
    {"verdict", FQ_VALUE_TEXT, 16, "", "outcome of the comparison", VALUE},
    {"finding", FQ_VALUE_TEXT, FQ_EVIDENCE_FINDING, "", "finding that explains a refutation", VALUE},
    {"rests_on", FQ_VALUE_TEXT, FQ_EVIDENCE_RESTS_ON, "", "what is taken from elsewhere", VALUE},
    {"precision", FQ_VALUE_INTEGER, 0, "bits", "of ball arithmetic, 0 if none", VALUE},
    {"samples", FQ_VALUE_INTEGER, 0, "1", "sample size, 0 if none", VALUE},
    {"enclosure", FQ_VALUE_TEXT, FQ_EVIDENCE_TEXT, "", "left side with its certified digits", VALUE},
    {"seconds", FQ_VALUE_REAL, 0, "s", "time taken", BOOKKEEPING},
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", BOOKKEEPING},
};
static const fq_value_column series_columns[] = {
    {"claim", FQ_VALUE_TEXT, 32, "", "id of the claim", PARAMETER},
    {"series", FQ_VALUE_TEXT, FQ_EVIDENCE_SERIES, "", "which quantity", PARAMETER},
    {"part", FQ_VALUE_TEXT, 16, "", "statement, check (a second route) or practice", VALUE},
    {"meaning", FQ_VALUE_TEXT, 192, "", "what left and right are", VALUE},
    {"run", FQ_VALUE_INTEGER, 0, "1", "group of /provenance, from 1", BOOKKEEPING},
};
enum {
    SERIES_COLUMNS = sizeof series_columns / sizeof series_columns[0],
    CLAIM_COLUMNS = sizeof claim_columns / sizeof claim_columns[0],
    EVIDENCE_COLUMNS = sizeof evidence_columns / sizeof evidence_columns[0]
};

static bool in_report(const fq_table *table, size_t row, const void *context) {
    const fq_claim_report *report = context;
    for (size_t i = 0; i < report->claim_count; i++)
        if (strcmp(report->claims[i].claim->id, fq_table_text(table, row, 0)) == 0)
            return true;
    return false;
}

/* The table of that name, made if missing, without rows of the claims in the report. */
static fq_status ready_table(fq_table **table, fq_results *results, const char *name,
                             const fq_value_column *columns, size_t count, const fq_claim_report *report) {
    FQ_TRY(fq_row_table(table, results, name, columns, count));
    fq_row_table_drop(*table, in_report, report);
    return FQ_OK;
}

static fq_status add_claim(fq_table *table, const fq_claim_result *result, const fq_claim_context *context,
                           size_t run) {
    const fq_claim *const c = result->claim;
    const fq_claim_summary *const s = &result->summary;
    fq_row_writer w;
    FQ_TRY(fq_row_begin(&w, table));
    fq_row_text(&w, c->id);
    fq_row_integer(&w, (int64_t)c->number);
    fq_row_integer(&w, (int64_t)context->quick);
    fq_row_seed(&w, context->seed);
    fq_row_integer(&w, (int64_t)context->precision_cap);
    const char *const texts[] = {
        c->title,
        c->statement,
        c->domain,
        c->citation,
        c->checked,
        c->not_covered,
        fq_verdict_name(s->verdict),
        s->part_rows[FQ_PART_PRACTICE] ? fq_verdict_name(s->part_verdict[FQ_PART_PRACTICE]) : ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fq_row_text(&w, texts[i]);
    const size_t counts[] = {s->certified, s->computed,   s->measured,   s->undecided,
                             s->refuted,   s->exceptions, s->unexpected, s->values};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        fq_row_integer(&w, (int64_t)counts[i]);
    fq_row_real(&w, s->seconds);
    fq_row_integer(&w, (int64_t)run);
    return FQ_OK;
}

static fq_status add_evidence(fq_table *table, const char *id, const fq_evidence *r, size_t run) {
    fq_row_writer w;
    FQ_TRY(fq_row_begin(&w, table));
    fq_row_text(&w, id);
    fq_row_text(&w, r->series);
    fq_row_text(&w, r->parameters);
    const double axes[] = {r->dim, r->block, r->codewords, r->rate};
    for (size_t i = 0; i < 4; i++)
        fq_row_real(&w, axes[i]);
    fq_row_seed(&w, r->seed);
    fq_row_real(&w, r->left);
    fq_row_real(&w, r->left_error);
    fq_row_text(&w, fq_relation_sign(r->relation));
    fq_row_real(&w, r->right);
    fq_row_real(&w, r->right_error);
    fq_row_real(&w, r->tolerance);
    fq_row_text(&w, fq_verdict_name(r->verdict));
    fq_row_text(&w, r->finding);
    fq_row_text(&w, r->rests_on);
    fq_row_integer(&w, (int64_t)r->precision);
    fq_row_integer(&w, (int64_t)r->samples);
    fq_row_text(&w, r->enclosure);
    fq_row_real(&w, r->seconds);
    fq_row_integer(&w, (int64_t)run);
    return FQ_OK;
}

static fq_status add_series(fq_table *table, const fq_claim *claim, size_t run) {
    for (const fq_series *s = claim->series; s && s->name; s++) {
        fq_row_writer w;
        FQ_TRY(fq_row_begin(&w, table));
        fq_row_text(&w, claim->id);
        fq_row_text(&w, s->name);
        fq_row_text(&w, fq_part_name(s->part));
        fq_row_text(&w, s->meaning);
        fq_row_integer(&w, (int64_t)run);
    }
    return FQ_OK;
}

static fq_status add_rows(fq_table *claims, fq_table *evidence, fq_table *series,
                          const fq_claim_report *report, const fq_claim_context *context, size_t run) {
    for (size_t i = 0; i < report->claim_count; i++) {
        const fq_claim_result *const result = &report->claims[i];
        FQ_TRY(add_claim(claims, result, context, run));
        FQ_TRY(add_series(series, result->claim, run));
        for (size_t j = result->first; j < result->first + result->count; j++)
            FQ_TRY(add_evidence(evidence, result->claim->id, &report->rows[j], run));
    }
    return FQ_OK;
}

typedef struct source {
    const fq_claim_report *report;
    const fq_claim_context *context;
} source;

static fq_status add_all(fq_results *results, size_t run, const void *context) {
    const source *from = context;
    const fq_claim_report *report = from->report;
    fq_table *claims, *evidence, *series;
    FQ_TRY(ready_table(&claims, results, FQ_CLAIMS_TABLE, claim_columns, CLAIM_COLUMNS, report));
    FQ_TRY(ready_table(&evidence, results, FQ_EVIDENCE_TABLE, evidence_columns, EVIDENCE_COLUMNS, report));
    FQ_TRY(ready_table(&series, results, FQ_SERIES_TABLE, series_columns, SERIES_COLUMNS, report));
    return add_rows(claims, evidence, series, report, from->context, run);
}

fq_status fq_claim_store_write(const char *path, const fq_claim_report *report,
                               const fq_claim_context *context, const fq_provenance *provenance) {
    return fq_row_store_write(path, provenance, add_all, &(source){report, context});
}
