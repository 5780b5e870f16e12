/* Error records as one line of text: what, where (file, offset or key), what to do. */
#ifndef FQ_FAILURE_H
#define FQ_FAILURE_H

#include "status.h"

/* Fills the thread's error record with a formatted line; returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
fq_status
fq_failure_format(fq_status status, const char *source_file, int source_line, const char *format, ...);

#define FQ_FAIL_TEXT(status, ...) fq_failure_format((status), __FILE__, __LINE__, __VA_ARGS__)

enum { FQ_FAILURE_LINE_MAX = 2048 };

/* Writes the record as one line without newline: its text if an upper layer set one, else the
 * status message with argument, value and what is allowed; control characters spelt out (printable.h). */
void fq_failure_line(char line[FQ_FAILURE_LINE_MAX], const fq_error *error);

/* Exit status of the program for a status: 0 ok, 2 usage (FQ_ERR_USAGE, _SPEC, _ARGUMENT), 3 input
 * that cannot be read, is malformed, not supported or too large for this machine (FQ_ERR_INPUT, _CORRUPT,
 * _NONFINITE, _RANGE, _UNSUPPORTED, _MEMORY, _OVERFLOW), 4 output, 130 interrupted, 5 what failed by no fault
 * of either (_CONVERGENCE, _INTERNAL): no number came of it. */
int fq_failure_exit_code(fq_status status);

#endif
