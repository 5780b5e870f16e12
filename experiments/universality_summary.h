/* Whether every layer and head of a cache has the canonical source's distortion, in words. */
#ifndef FQ_UNIVERSALITY_SUMMARY_H
#define FQ_UNIVERSALITY_SUMMARY_H

#include <stdio.h>

#include "result_file.h"

/* From table universality, for each codec and kind: how many heads were tested, the least and the largest
 * ratio to the canonical distortion, the scatter of t (1 if the theorem holds), how many vectors a head's
 * vectors are worth (median), and every head that deviates. FQ_ERR_INPUT if the table is missing or empty. */
FQ_MUST_CHECK fq_status fq_universality_summary_print(FILE *to, const fq_results *store);

#endif
