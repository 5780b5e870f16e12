/* What the verbs share: provenance of this program, JSON on standard output, options all have. */
#ifndef FQ_VERB_SUPPORT_H
#define FQ_VERB_SUPPORT_H

#include <jansson.h>

#include "codec_spec.h"
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

/* A text as JSON wants it: valid UTF-8, other bytes spelt out as in printable.h; null for NULL. */
json_t *fq_json_text(const char *text);

/* How many vectors of dimension dim are coded between two steps of a progress bar. */
size_t fq_verb_piece(size_t dim);

/* Says on standard error, where a codec's Haar rotation takes long, how long and what does not: its cost
 * grows as dim^3. chosen: the codec can still be chosen (encoding), so the remedy is named. */
void fq_verb_note_rotation(const fq_usage *usage, const fq_codec_spec *spec, size_t dim, bool chosen);

/* Says on standard error if the bytes of a text file are not the UTF-8 that a model's tokenizer expects
 * (data/model/text_encoding.h). A file that cannot be read is left to who needs it. */
void fq_verb_note_encoding(const fq_usage *usage, const char *path);

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
