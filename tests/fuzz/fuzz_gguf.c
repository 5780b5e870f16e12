/* A GGUF file: header, model, every tensor, and its tokenizer on the file's own bytes. */
#include <string.h>

#include "checkpoint_internal.h"
#include "fuzz_target.h"
#include "memory.h"
#include "tokenizer.h"

static void read_tensors(const fq_checkpoint *c) {
    for (size_t layer = 0; layer < c->config.layers; layer++) {
        for (int role = 0; role < FQ_TENSOR_ROLES; role++) {
            size_t rows = 0, columns = 0;
            if (!fq_checkpoint_tensor_shape(c, (fq_tensor_role)role, layer, &rows, &columns))
                continue;
            float *out = NULL;
            if (rows * columns > 1u << 20 || fq_alloc(&out, rows * columns, sizeof *out) != FQ_OK)
                continue;
            const fq_status status =
                fq_checkpoint_read_tensor(c, (fq_tensor_role)role, layer, rows, columns, out);
            FQ_FUZZ_REQUIRE(status == FQ_OK || status == FQ_ERR_NONFINITE || status == FQ_ERR_MEMORY);
            fq_free(out);
        }
    }
}

static void use_tokenizer(const fq_checkpoint *c, const uint8_t *data, size_t size) {
    fq_tokenizer *t = NULL;
    if (fq_tokenizer_open(&t, c) != FQ_OK)
        return;
    uint32_t *ids = NULL;
    size_t count = 0, length = 0;
    char *text = NULL;
    if (fq_tokenizer_encode(t, data, size < 512 ? size : 512, &ids, &count) == FQ_OK) {
        FQ_FUZZ_REQUIRE(fq_tokenizer_decode(t, ids, count, &text, &length) == FQ_OK);
        fq_free(text);
        fq_free(ids);
    }
    fq_tokenizer_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char path[] = "fuzz.gguf";
    fq_mapped_file file = {path, data, size}; /* not mapped: never given to fq_mapped_file_close */
    fq_checkpoint c;
    memset(&c, 0, sizeof c);
    c.files = &file;
    c.file_count = 1;
    if (fq_checkpoint_open_gguf(&c) == FQ_OK) {
        read_tensors(&c);
        use_tokenizer(&c, data, size);
    }
    fq_gguf_clear(&c.gguf);
    fq_free(c.places);
    return 0;
}
