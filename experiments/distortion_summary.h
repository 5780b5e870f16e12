/* The table of measured distortions that reproduce prints: every codec of a store, population codebooks
 * beside the paper's recipe, the scalar code of the same rate and the bounds. */
#ifndef FQ_DISTORTION_SUMMARY_H
#define FQ_DISTORTION_SUMMARY_H

#include <stdio.h>

#include "result_file.h"

/* Prints the table rate-distortion of the store. FQ_ERR_INPUT if it is not there or lacks a column. */
FQ_MUST_CHECK fq_status fq_distortion_summary_print(FILE *to, const fq_results *store);

#endif
