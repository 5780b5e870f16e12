/* What the verbs share: provenance of this program, JSON on standard output, options all have. */
#ifndef FQ_VERB_SUPPORT_H
#define FQ_VERB_SUPPORT_H

#include <jansson.h>

#include "options.h"
#include "provenance.h"

/* fq_provenance_gather plus the versions only upper layers know: FLINT, Arb. */
FQ_MUST_CHECK fq_status fq_verb_provenance(fq_provenance *provenance, int argc, const char *const *argv,
                                           uint64_t seed);

/* Prints the document, newline at the end, and releases it; NULL is FQ_ERR_MEMORY. Numbers read back
 * to the same double. */
FQ_MUST_CHECK fq_status fq_verb_print_json(json_t *document);

/* A number, or null where it is not finite: JSON has no NaN. */
json_t *fq_json_number(double value);

/* A text as JSON wants it: valid UTF-8, other bytes spelt out as in printable.h. */
json_t *fq_json_text(const char *text);

/* Rows for option tables. */
#define FQ_OPTION_JSON(variable)                                                                             \
    {                                                                                                        \
        .name = "json", .kind = FQ_OPTION_FLAG, .value = &(variable),                                        \
        .help = "print one JSON document and nothing else on standard output"                                \
    }
#define FQ_OPTION_QUIET(variable)                                                                            \
    {                                                                                                        \
        .name = "quiet", .letter = 'q', .kind = FQ_OPTION_FLAG, .value = &(variable),                        \
        .help = "no progress and no notes on standard error"                                                 \
    }
#define FQ_OPTION_NO_PROGRESS(variable)                                                                      \
    {                                                                                                        \
        .name = "no-progress", .kind = FQ_OPTION_FLAG, .value = &(variable),                                 \
        .help = "no bar: a plain line now and then"                                                          \
    }
#define FQ_OPTION_OUTPUT(variable, must)                                                                     \
    {                                                                                                        \
        .name = "output", .letter = 'o', .kind = FQ_OPTION_TEXT, .value = &(variable),                       \
        .argument = "FILE.h5", .required = (must), .help = "file to write, replaced in one step"             \
    }

#endif
