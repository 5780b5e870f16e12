/* A verification run in a result store: three tables beside whatever else the file holds.
 *
 *   claims          one row a claim: what it says, its verdict, counts of rows, time
 *   claim-evidence  one row a comparison: all of fq_evidence, with its claim's id
 *   claim-series    one row a series of a claim: its part and what it means
 *
 * Rows of the claims that are stored replace those of an earlier run; the others stay.
 */
#ifndef FQ_CLAIM_STORE_H
#define FQ_CLAIM_STORE_H

#include "claim_report.h"
#include "provenance.h"

#define FQ_CLAIMS_TABLE   "claims"
#define FQ_EVIDENCE_TABLE "claim-evidence"
#define FQ_SERIES_TABLE   "claim-series"

/* Takes the store's lock for as long as it writes. FQ_ERR_USAGE if a sweep holds it or the tables
 * have other columns, FQ_ERR_INPUT if the file is no result store, FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_claim_store_write(const char *path, const fq_claim_report *report,
                                             const fq_claim_context *context,
                                             const fq_provenance *provenance);

#endif
