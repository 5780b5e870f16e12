/* A loaded model and the tokens of a text: what the verbs and experiments on real models start from. */
#ifndef FQ_MODEL_TEXT_H
#define FQ_MODEL_TEXT_H

#include "sha256.h"
#include "transformer.h"

typedef struct fq_model_text {
    fq_transformer model;
    char model_sha256[FQ_SHA256_HEX], text_sha256[FQ_SHA256_HEX];
    uint32_t *tokens; /* [count] of the text, without a begin-of-text token */
    size_t count;
    const char *text; /* its path, the caller's */
    bool adds_bos;    /* the model expects bos in front */
    uint32_t bos;
} fq_model_text;

/* Loads all weights and tokenises the whole text (at most 256 MiB); text must outlive the result.
 * FQ_ERR_INPUT names the file. */
FQ_MUST_CHECK fq_status fq_model_text_load(fq_model_text *loaded, const char *model, const char *text);
void fq_model_text_clear(fq_model_text *loaded); /* accepts a struct of zeros */

/* Whether window below can be made and the model can read it: FQ_ERR_INPUT, naming the text's file, if it is
 * too short; FQ_ERR_USAGE if n is beyond the model's context. */
FQ_MUST_CHECK fq_status fq_model_text_check(const fq_model_text *loaded, size_t first, size_t n);

/* window[n]: tokens first.. of the text, behind bos if the model expects one (which then is window[0]).
 * Fails as check does. */
FQ_MUST_CHECK fq_status fq_model_text_window(const fq_model_text *loaded, uint32_t *window, size_t first,
                                             size_t n);

#endif
