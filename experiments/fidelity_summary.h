/* The paper's headline claims on fidelity beside what a store has measured. */
#ifndef FQ_FIDELITY_SUMMARY_H
#define FQ_FIDELITY_SUMMARY_H

#include <stdio.h>

#include "result_file.h"

/* From table fidelity, for each source (cache and protocol): for each claim (5x at an attention cosine of
 * 0.99, 34x at 0.95) and each series of the frontier figure the best measured point with at least that
 * compression, of the payload and of everything stored, the largest measured compression whose cosine is at
 * least the claimed one ("-" where there is none), and that compression between the points of the series'
 * curve, with its error; cosines at equal compression; what to take at 3x, 4x, 6x, 8x and 12x; and every
 * measured variant at 8x of payload. Between points log(1 - cosine) goes straight over the logarithm of the
 * compression. FQ_ERR_INPUT if the table is missing or empty. */
FQ_MUST_CHECK fq_status fq_fidelity_summary_print(FILE *to, const fq_results *store);

#endif
