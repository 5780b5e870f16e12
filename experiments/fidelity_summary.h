/* The paper's headline claims on fidelity beside what a store has measured. */
#ifndef FQ_FIDELITY_SUMMARY_H
#define FQ_FIDELITY_SUMMARY_H

#include <stdio.h>

#include "result_file.h"

/* From table fidelity, for each claim (5x at an attention cosine of 0.99, 34x at 0.95) and each series of the
 * frontier figure: the best measured point with at least that compression, of the payload and of everything
 * stored, and the largest measured compression whose cosine is at least the claimed one. Measured points
 * only, nothing interpolated; "-" where there is none. Then every measured variant at 8x of payload.
 * FQ_ERR_INPUT if the table is missing or empty. */
FQ_MUST_CHECK fq_status fq_fidelity_summary_print(FILE *to, const fq_results *store);

#endif
