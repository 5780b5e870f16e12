/* Evidence of a verification run, kept in memory, and written for people, as JSON or for figures. */
#ifndef FQ_CLAIM_REPORT_H
#define FQ_CLAIM_REPORT_H

#include <jansson.h>

#include "claim.h"

typedef struct fq_claim_result {
    const fq_claim *claim;
    fq_claim_summary summary;
    size_t first, count; /* its rows in the report */
} fq_claim_result;

typedef struct fq_claim_report {
    size_t claim_count, row_count, row_room;
    fq_claim_result *claims; /* [fq_claim_count()]; owned */
    fq_evidence *rows;       /* [row_room]; owned */
} fq_claim_report;

FQ_MUST_CHECK fq_status fq_claim_report_init(fq_claim_report *report);
void fq_claim_report_clear(fq_claim_report *report);

/* Runs a claim and adds its rows; context->sink is replaced by the report. */
FQ_MUST_CHECK fq_status fq_claim_report_run(fq_claim_report *report, const fq_claim *claim,
                                            fq_claim_context *context);

/* 1 if a row is refuted without a finding or holds against one, else 5 if one is undecided, else 0. */
int fq_claim_report_exit_code(const fq_claim_report *report);

/* Table and summary on standard output; details adds each row that is undecided or refuted. */
void fq_claim_report_print(const fq_claim_report *report, bool quick);

/* A new document {"format": "fibquant claims", "version": 2, "claims": [...]}, or NULL (memory). */
json_t *fq_claim_report_json(const fq_claim_report *report, const fq_claim_context *context);

#endif
