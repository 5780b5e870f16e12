#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "printable.h"

fq_status fq_failure_format(fq_status status, const char *source_file, int source_line, const char *format,
                            ...) {
    char text[FQ_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fq_error_set_text(status, source_file, source_line, text);
}

void fq_failure_line(char line[FQ_FAILURE_LINE_MAX], const fq_error *error) {
    char raw[FQ_FAILURE_LINE_MAX];
    fq_error_text(raw, sizeof raw, error);
    fq_printable(line, FQ_FAILURE_LINE_MAX, raw);
}

int fq_failure_exit_code(fq_status status) {
    switch (status) {
    case FQ_OK:
        return 0;
    case FQ_ERR_USAGE:
    case FQ_ERR_SPEC:
    case FQ_ERR_ARGUMENT:
        return 2;
    case FQ_ERR_INPUT:
    case FQ_ERR_CORRUPT:
    case FQ_ERR_NONFINITE:
    case FQ_ERR_RANGE:
    case FQ_ERR_UNSUPPORTED:
    case FQ_ERR_MEMORY: /* the input asks for more than this machine has */
    case FQ_ERR_OVERFLOW:
        return 3;
    case FQ_ERR_OUTPUT:
        return 4;
    case FQ_ERR_INTERRUPTED:
        return 130;
    case FQ_ERR_CONVERGENCE:
    case FQ_ERR_INTERNAL:
        break;
    }
    return 5;
}
