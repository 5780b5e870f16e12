/* Rows of a result table as Markdown or LaTeX, the way people print them: a value with its standard error in
 * one cell, as many digits as the error leaves meaning to.
 */
#ifndef FQ_RESULTS_TYPESET_H
#define FQ_RESULTS_TYPESET_H

#include <stdio.h>

#include "result_table.h"

typedef enum fq_typeset { FQ_TYPESET_MARKDOWN, FQ_TYPESET_LATEX } fq_typeset;

/* value and its standard error as 0.104936(49): the error in units of the last digit shown, rounded to two
 * digits. Values whose error is 0, NaN, or so large that no digit before the point means anything (1e15 and
 * more), and values that are not finite, are written with six digits and no error. */
enum { FQ_VALUE_WITH_ERROR = 64 };
const char *fq_value_with_error(char text[FQ_VALUE_WITH_ERROR], double value, double standard_error);

/* Prints columns[count] of rows[row_count]. Where X and X_se are both among the columns, X_se is shown in X's
 * cell. Markdown is the pipe table of GitHub; LaTeX a tabular that needs no package. What either language
 * would read as an instruction is escaped, control characters are spelt out. */
void fq_results_typeset(FILE *to, fq_typeset form, const fq_table *table, const size_t *columns, size_t count,
                        const size_t *rows, size_t row_count);

#endif
