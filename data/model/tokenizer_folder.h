/* The part of the folder's tokenizer reader that tests and fuzzing reach without files. */
#ifndef FQ_TOKENIZER_FOLDER_H
#define FQ_TOKENIZER_FOLDER_H

#include <jansson.h>

#include "tokenizer_internal.h"

/* Fills in t, all zero before, from the document of a tokenizer.json: everything but info.bos, eos and
 * adds_bos, which other files say. where names the file in messages. */
FQ_MUST_CHECK fq_status fq_tokenizer_read_json(fq_tokenizer *t, const char *where, json_t *root);

#endif
