/* A tokenizer.json; what is accepted encodes the document itself, and a byte-level tokenizer that can
 * gives it back. */
#include <string.h>

#include "fuzz_target.h"
#include "json_text.h"
#include "memory.h"
#include "tokenizer_folder.h"

static void use(const fq_tokenizer *t, const uint8_t *data, size_t size) {
    uint32_t *ids = NULL;
    size_t count = 0, length = 0;
    char *text = NULL;
    if (fq_tokenizer_encode(t, data, size, &ids, &count) != FQ_OK)
        return;
    FQ_FUZZ_REQUIRE(fq_tokenizer_decode(t, ids, count, &text, &length) == FQ_OK);
    if (t->kind == FQ_TOKENIZER_BYTE_LEVEL)
        FQ_FUZZ_REQUIRE(length == size && memcmp(text, data, size) == 0);
    fq_free(text);
    fq_free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *root = NULL;
    fq_tokenizer *t = NULL;
    if (fq_json_parse(&root, "fuzz.json", data, size, 0, 1u << 20) != FQ_OK)
        return 0;
    if (fq_alloc_zero(&t, 1, sizeof *t) == FQ_OK && fq_tokenizer_read_json(t, "fuzz.json", root) == FQ_OK)
        use(t, data, size < 2048 ? size : 2048);
    fq_tokenizer_close(t);
    json_decref(root);
    return 0;
}
