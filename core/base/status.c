#include "status.h"

#include <stdio.h>
#include <string.h>

static _Thread_local fq_error last_error;

const char *fq_status_message(fq_status status) {
    switch (status) {
#define FQ_STATUS_CASE(name, number, text)                                                                   \
    case name:                                                                                               \
        return text;
        FQ_STATUS_LIST(FQ_STATUS_CASE)
#undef FQ_STATUS_CASE
    }
    return "unknown status";
}

const fq_error *fq_error_last(void) {
    return &last_error;
}

const char *fq_error_text(char *text, size_t capacity, const fq_error *error) {
    if (error->text[0]) {
        snprintf(text, capacity, "%s", error->text);
        return text;
    }
    char value[40] = "";
    if (error->has_value)
        snprintf(value, sizeof value, " is %.10g", error->value);
    snprintf(text, capacity, "%s%s%s%s%s%s", fq_status_message(error->status), error->argument[0] ? ": " : "",
             error->argument, value, error->allowed[0] ? "; allowed: " : "", error->allowed);
    return text;
}

void fq_error_clear(void) {
    memset(&last_error, 0, sizeof last_error);
}

fq_status fq_error_restore(const fq_error *error) {
    if (error != &last_error)
        last_error = *error;
    return last_error.status;
}

static void copy_text(char *to, size_t capacity, const char *from) {
    size_t length = from ? strlen(from) : 0;
    if (length > capacity - 1)
        length = capacity - 1;
    if (length)
        memmove(to, from, length); /* from may be a field of the record itself */
    to[length] = '\0';
}

fq_status fq_error_set(fq_status status, const char *source_file, int source_line, const char *argument,
                       bool has_value, double value, const char *allowed) {
    last_error.status = status;
    last_error.source_file = source_file;
    last_error.source_line = source_line;
    copy_text(last_error.argument, sizeof last_error.argument, argument);
    last_error.has_value = has_value;
    last_error.value = value;
    copy_text(last_error.allowed, sizeof last_error.allowed, allowed);
    last_error.text[0] = '\0';
    return status;
}

fq_status fq_error_set_text(fq_status status, const char *source_file, int source_line, const char *text) {
    char copy[FQ_ERROR_TEXT_MAX];
    copy_text(copy, sizeof copy, text);
    fq_error_set(status, source_file, source_line, NULL, false, 0.0, NULL);
    memcpy(last_error.text, copy, sizeof copy);
    return status;
}
