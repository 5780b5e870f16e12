/* Status codes and the error record.
 *
 * Every function that can fail returns fq_status and must be checked. Three kinds of trouble are
 * kept apart: bad input or environment (a status), a broken invariant of ours (assert), and the
 * mathematical outcome of a check (theory/verdict.h), which is no error at all.
 *
 * A failing function also fills the calling thread's error record: which argument, which value,
 * what is allowed. fq_error_text turns it into one line; the library itself never prints.
 * On failure outputs are untouched unless the function says otherwise.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_STATUS_H
#define FQ_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One list: enumerator, number (never reused), message. */
#define FQ_STATUS_LIST(X)                                                                                    \
    X(FQ_OK, 0, "success")                                                                                   \
    X(FQ_ERR_ARGUMENT, 1, "argument out of range")                                                           \
    X(FQ_ERR_MEMORY, 2, "out of memory")                                                                     \
    X(FQ_ERR_OVERFLOW, 3, "size overflows")                                                                  \
    X(FQ_ERR_NONFINITE, 4, "value is not finite")                                                            \
    X(FQ_ERR_RANGE, 5, "value cannot be represented")                                                        \
    X(FQ_ERR_CONVERGENCE, 6, "iteration did not converge")                                                   \
    X(FQ_ERR_CORRUPT, 7, "code bytes are not valid for this codec")                                          \
    X(FQ_ERR_SPEC, 8, "codec name is malformed")                                                             \
    X(FQ_ERR_UNSUPPORTED, 9, "not supported by this build or codec")                                         \
    X(FQ_ERR_USAGE, 20, "wrong usage")                                                                       \
    X(FQ_ERR_INPUT, 21, "input unreadable or malformed")                                                     \
    X(FQ_ERR_OUTPUT, 22, "output could not be written")                                                      \
    X(FQ_ERR_INTERRUPTED, 23, "interrupted")                                                                 \
    X(FQ_ERR_INTERNAL, 30, "internal error")

typedef enum fq_status {
#define FQ_STATUS_ENUM(name, number, text) name = number,
    FQ_STATUS_LIST(FQ_STATUS_ENUM)
#undef FQ_STATUS_ENUM
} fq_status;

#if defined(__GNUC__)
#define FQ_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FQ_MUST_CHECK
#endif

enum { FQ_ERROR_NAME_MAX = 64, FQ_ERROR_TEXT_MAX = 768, FQ_ERROR_LINE_MAX = 2048 };

/* What went wrong last in this thread. Strings are always terminated; empty when not set. */
typedef struct fq_error {
    fq_status status;
    const char *source_file; /* static storage: where in our code */
    int source_line;
    char argument[FQ_ERROR_NAME_MAX]; /* which argument or key */
    bool has_value;
    double value;                    /* what was given */
    char allowed[FQ_ERROR_TEXT_MAX]; /* what is allowed */
    char text[FQ_ERROR_TEXT_MAX];    /* a ready line, set by upper layers only */
} fq_error;

/* Static English message of a status; "unknown status" for a number not in the list. */
const char *fq_status_message(fq_status status);

/* The calling thread's record. Never NULL; valid until the thread's next failure. */
const fq_error *fq_error_last(void);

/* Writes an error record as one line of text without a newline, cut to the capacity (at least 1), and returns
 * text: what went wrong, in which argument, its value and what is allowed. For the last failure of this
 * thread: char why[FQ_ERROR_LINE_MAX]; puts(fq_error_text(why, sizeof why, fq_error_last())); */
const char *fq_error_text(char *text, size_t capacity, const fq_error *error);

/* Sets the record to FQ_OK and empties it. */
void fq_error_clear(void);

/* Copies a record (from another thread, say) into the calling thread's; returns its status. */
fq_status fq_error_restore(const fq_error *error);

/* Fill the record and return status, for use as `return FQ_FAIL...`. Strings are copied and cut
 * to fit. Use the macros: they add the place. */
fq_status fq_error_set(fq_status status, const char *source_file, int source_line, const char *argument,
                       bool has_value, double value, const char *allowed);
fq_status fq_error_set_text(fq_status status, const char *source_file, int source_line, const char *text);

#define FQ_FAIL(status, argument, allowed)                                                                   \
    fq_error_set((status), __FILE__, __LINE__, (argument), false, 0.0, (allowed))
#define FQ_FAIL_VALUE(status, argument, value, allowed)                                                      \
    fq_error_set((status), __FILE__, __LINE__, (argument), true, (double)(value), (allowed))

/* Forward a failure unchanged. */
#define FQ_TRY(call)                                                                                         \
    do {                                                                                                     \
        const fq_status fq_try_status_ = (call);                                                             \
        if (fq_try_status_ != FQ_OK)                                                                         \
            return fq_try_status_;                                                                           \
    } while (0)

/* Forward a failure after cleaning up at label `done`, with the status in variable `status`. */
#define FQ_TRY_GOTO(status, call, done)                                                                      \
    do {                                                                                                     \
        (status) = (call);                                                                                   \
        if ((status) != FQ_OK)                                                                               \
            goto done;                                                                                       \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
