/* The table of perplexities that `fibquant perplexity` and `fibquant reproduce` print. */
#ifndef FQ_PERPLEXITY_SUMMARY_H
#define FQ_PERPLEXITY_SUMMARY_H

#include <stdio.h>

#include "result_file.h"

/* What rows must share to stand in one table: model and text by their SHA-256, number of windows, their
 * length, and the tokens of them that are context alone. Then they share the uncompressed model's
 * perplexity, too. */

/* Removes from a table perplexity the rows that do not share that with the row given. FQ_ERR_INPUT if it
 * lacks a column. */
FQ_MUST_CHECK fq_status fq_perplexity_summary_keep(fq_table *table, size_t row);

/* Prints the table perplexity of the store, one part after another for rows that share the above, and what
 * is to be set beside the paper's two statements about perplexity: the change at 4x (payload), and
 * TurboQuant's perplexity over FibQuant's at 8x, for rows that compress keys and values alike and keep no
 * token uncompressed; and of what stores at least 3, 4, 6, 8 and 12 times less the row of least
 * divergence, of all and of those without a treatment. FQ_ERR_INPUT if the table is not there or lacks a
 * column. */
FQ_MUST_CHECK fq_status fq_perplexity_summary_print(FILE *to, const fq_results *store);

#endif
