#include "model_text.h"

#include <string.h>

#include "atomic_file.h"
#include "failure.h"
#include "memory.h"
#include "tokenizer.h"

enum { TEXT_MAX = 256 << 20 };

static fq_status tokenise(fq_model_text *m, const fq_checkpoint *checkpoint, const char *path) {
    unsigned char *bytes = NULL;
    size_t length = 0;
    fq_tokenizer *tokenizer = NULL;
    FQ_TRY(fq_file_read(path, TEXT_MAX, &bytes, &length));
    fq_sha256_bytes(m->text_sha256, bytes, length);
    fq_status status = fq_tokenizer_open(&tokenizer, checkpoint);
    if (status == FQ_OK) {
        const fq_tokenizer_info *info = fq_tokenizer_about(tokenizer);
        m->adds_bos = info->adds_bos && info->has_bos;
        m->bos = info->bos;
        status = fq_tokenizer_encode(tokenizer, bytes, length, &m->tokens, &m->count);
        if (status == FQ_ERR_INPUT) { /* it knows the offset, not the file */
            char line[FQ_FAILURE_LINE_MAX];
            fq_failure_line(line, fq_error_last());
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s", path, line);
        }
    }
    fq_tokenizer_close(tokenizer);
    fq_free(bytes);
    return status;
}

fq_status fq_model_text_load(fq_model_text *loaded, const char *model, const char *text) {
    fq_checkpoint *checkpoint = NULL;
    memset(loaded, 0, sizeof *loaded);
    loaded->text = text;
    FQ_TRY(fq_checkpoint_open(&checkpoint, model));
    fq_status status = fq_checkpoint_sha256(checkpoint, loaded->model_sha256);
    if (status == FQ_OK)
        status = tokenise(loaded, checkpoint, text);
    if (status == FQ_OK)
        status = fq_transformer_load(&loaded->model, checkpoint);
    fq_checkpoint_close(checkpoint);
    if (status != FQ_OK)
        fq_model_text_clear(loaded);
    return status;
}

void fq_model_text_clear(fq_model_text *loaded) {
    fq_transformer_clear(&loaded->model);
    fq_free(loaded->tokens);
    memset(loaded, 0, sizeof *loaded);
}

fq_status fq_model_text_check(const fq_model_text *loaded, size_t first, size_t n) {
    const size_t bos = loaded->adds_bos && n > 0;
    if (n > loaded->model.config.context)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%zu tokens at once; this model reads up to %zu", n,
                            loaded->model.config.context);
    if (first > loaded->count || n - bos > loaded->count - first)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %zu tokens; %zu are needed", loaded->text, loaded->count,
                            first + n - bos);
    return FQ_OK;
}

fq_status fq_model_text_window(const fq_model_text *loaded, uint32_t *window, size_t first, size_t n) {
    const size_t bos = loaded->adds_bos && n > 0;
    FQ_TRY(fq_model_text_check(loaded, first, n));
    if (bos)
        window[0] = loaded->bos;
    memcpy(window + bos, loaded->tokens + first, (n - bos) * sizeof *window);
    return FQ_OK;
}
