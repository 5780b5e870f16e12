/* Token ids and logits of a checkpoint, for comparison with independent programs:
 *   model_logits MODEL tokenise TEXT IDS    IDS: uint32, the whole text
 *   model_logits MODEL run IDS LOGITS       LOGITS: float32, ids x vocabulary
 */
#include <stdio.h>
#include <string.h>

#include "atomic_file.h"
#include "checkpoint.h"
#include "memory.h"
#include "tokenizer.h"
#include "transformer.h"

enum { FILE_MAX = 64 << 20 };

static fq_status tokenise(const fq_checkpoint *checkpoint, const void *text, size_t length, const char *out) {
    fq_tokenizer *tokenizer = NULL;
    uint32_t *ids = NULL;
    size_t count = 0;
    FQ_TRY(fq_tokenizer_open(&tokenizer, checkpoint));
    fq_status status = fq_tokenizer_encode(tokenizer, text, length, &ids, &count);
    if (status == FQ_OK)
        status = fq_atomic_file_write(out, ids, count * sizeof *ids);
    fq_free(ids);
    fq_tokenizer_close(tokenizer);
    return status;
}

static fq_status run(const fq_checkpoint *checkpoint, const uint32_t *ids, size_t count, const char *out) {
    fq_transformer model;
    fq_kv_store *store = NULL;
    float *hidden = NULL, *logits = NULL;
    FQ_TRY(fq_transformer_load(&model, checkpoint));
    const fq_model_config *c = &model.config;
    fq_status status = fq_kv_store_create(&store, c->layers, c->kv_heads, c->head_dim, count, NULL);
    if (status == FQ_OK)
        status = fq_alloc(&hidden, count, c->width * sizeof *hidden);
    if (status == FQ_OK)
        status = fq_alloc(&logits, count, c->vocabulary * sizeof *logits);
    if (status == FQ_OK)
        status = fq_transformer_run(&model, store, ids, count, hidden, NULL);
    if (status == FQ_OK) {
        fq_transformer_logits(&model, logits, hidden, count);
        status = fq_atomic_file_write(out, logits, count * c->vocabulary * sizeof *logits);
    }
    fq_free(logits);
    fq_free(hidden);
    fq_kv_store_destroy(store);
    fq_transformer_clear(&model);
    return status;
}

int main(int argc, char **argv) {
    fq_checkpoint *checkpoint = NULL;
    unsigned char *input = NULL;
    size_t length = 0;
    if (argc != 5 || (strcmp(argv[2], "tokenise") != 0 && strcmp(argv[2], "run") != 0)) {
        fputs("usage: model_logits MODEL tokenise TEXT IDS | model_logits MODEL run IDS LOGITS\n", stderr);
        return 2;
    }
    fq_status status = fq_checkpoint_open(&checkpoint, argv[1]);
    if (status == FQ_OK)
        status = fq_file_read(argv[3], FILE_MAX, &input, &length);
    if (status == FQ_OK && strcmp(argv[2], "tokenise") == 0) {
        status = tokenise(checkpoint, input, length, argv[4]);
    } else if (status == FQ_OK) {
        uint32_t *ids = NULL;
        status = fq_alloc(&ids, length / sizeof *ids, sizeof *ids);
        if (status == FQ_OK) {
            memcpy(ids, input, length / sizeof *ids * sizeof *ids);
            status = run(checkpoint, ids, length / sizeof *ids, argv[4]);
        }
        fq_free(ids);
    }
    if (status != FQ_OK)
        fprintf(stderr, "model_logits: %s\n", fq_error_last()->text);
    fq_free(input);
    fq_checkpoint_close(checkpoint);
    return status == FQ_OK ? 0 : 1;
}
