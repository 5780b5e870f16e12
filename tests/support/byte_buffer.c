#include "byte_buffer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

static _Noreturn void stop(const char *why) {
    perror(why);
    exit(1);
}

void fq_bytes_add(fq_bytes *b, const void *data, size_t size) {
    if (b->size + size > b->room) {
        b->room = 2 * (b->size + size);
        b->data = realloc(b->data, b->room);
        if (!b->data)
            stop("byte buffer");
    }
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put(fq_bytes *b, uint64_t value, size_t bytes) {
    unsigned char little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (unsigned char)(value >> 8 * i);
    fq_bytes_add(b, little, bytes);
}

void fq_bytes_u32(fq_bytes *b, uint32_t value) {
    put(b, value, 4);
}

void fq_bytes_u64(fq_bytes *b, uint64_t value) {
    put(b, value, 8);
}

void fq_bytes_f32(fq_bytes *b, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(b, bits, 4);
}

void fq_bytes_text(fq_bytes *b, const char *text) {
    fq_bytes_add(b, text, strlen(text));
}

void fq_bytes_gguf_string(fq_bytes *b, const char *text) {
    fq_bytes_u64(b, strlen(text));
    fq_bytes_text(b, text);
}

void fq_bytes_pad(fq_bytes *b, size_t multiple) {
    while (b->size % multiple != 0)
        fq_bytes_add(b, "", 1);
}

void fq_bytes_free(fq_bytes *b) {
    free(b->data);
    memset(b, 0, sizeof *b);
}

void fq_gguf_put_key(fq_bytes *b, const char *key, uint32_t type) {
    fq_bytes_gguf_string(b, key);
    fq_bytes_u32(b, type);
}

void fq_gguf_put_u32(fq_bytes *b, const char *key, uint32_t value) {
    fq_gguf_put_key(b, key, 4);
    fq_bytes_u32(b, value);
}

void fq_gguf_put_f32(fq_bytes *b, const char *key, float value) {
    fq_gguf_put_key(b, key, 6);
    fq_bytes_f32(b, value);
}

void fq_gguf_put_string(fq_bytes *b, const char *key, const char *value) {
    fq_gguf_put_key(b, key, 8);
    fq_bytes_gguf_string(b, value);
}

void fq_gguf_put_tensor(fq_bytes *b, const char *name, size_t columns, size_t rows, uint32_t type,
                        size_t offset) {
    fq_bytes_gguf_string(b, name);
    fq_bytes_u32(b, rows ? 2 : 1);
    fq_bytes_u64(b, columns);
    if (rows)
        fq_bytes_u64(b, rows);
    fq_bytes_u32(b, type);
    fq_bytes_u64(b, offset);
}

/* GPT-2's character for a byte, as UTF-8: itself where printable, else the next from U+0100. */
static void byte_character(unsigned byte, char out[4]) {
    unsigned c = 0x100;
    for (unsigned i = 0; i <= byte; i++) {
        const bool itself = (i >= 0x21 && i <= 0x7e) || (i >= 0xa1 && i <= 0xac) || i >= 0xae;
        if (i == byte && itself)
            c = byte;
        else if (i < byte && !itself)
            c++;
    }
    memset(out, 0, 4);
    if (c < 0x80) {
        out[0] = (char)c;
    } else {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
    }
}

static void put_small_tokenizer(fq_bytes *b) {
    fq_gguf_put_string(b, "tokenizer.ggml.model", "gpt2");
    fq_gguf_put_string(b, "tokenizer.ggml.pre", "smollm");
    fq_gguf_put_key(b, "tokenizer.ggml.tokens", 9);
    fq_bytes_u32(b, 8);
    fq_bytes_u64(b, 258);
    char spelt[4];
    for (unsigned i = 0; i < 256; i++) {
        byte_character(i, spelt);
        fq_bytes_gguf_string(b, spelt);
    }
    fq_bytes_gguf_string(b, "he");
    fq_bytes_gguf_string(b, "the");
    fq_gguf_put_key(b, "tokenizer.ggml.merges", 9);
    fq_bytes_u32(b, 8);
    fq_bytes_u64(b, 2);
    fq_bytes_gguf_string(b, "h e");
    fq_bytes_gguf_string(b, "t he");
}

typedef struct small_tensor {
    char name[48];
    size_t columns, rows;
    bool quantised;
} small_tensor;

static size_t tensor_bytes(const small_tensor *t) {
    const size_t n = t->columns * (t->rows ? t->rows : 1);
    return t->quantised ? n / 32 * 34 : 4 * n;
}

static void put_tensor_data(fq_bytes *b, const small_tensor *t, fq_stream *s) {
    const size_t n = t->columns * (t->rows ? t->rows : 1);
    for (size_t i = 0; i < n; i++) {
        if (!t->quantised) {
            fq_bytes_f32(b, (float)(0.1 * fq_stream_normal(s)));
            continue;
        }
        if (i % 32 == 0)
            put(b, 0x1400 + fq_stream_below(s, 0x400), 2); /* float16 from 2^-10 to 2^-9 */
        put(b, fq_stream_u32(s) & 0xff, 1);
    }
}

void fq_gguf_put_small_llama(fq_bytes *b, uint64_t index) {
    const fq_gguf_changes none = {0};
    fq_gguf_put_changed_llama(b, index, &none);
}

void fq_gguf_put_changed_llama(fq_bytes *b, uint64_t index, const fq_gguf_changes *changes) {
    static const struct {
        const char *name;
        size_t columns, rows;
    } layer[] = {{"attn_norm", 32, 0}, {"attn_q", 32, 32},      {"attn_k", 32, 16},
                 {"attn_v", 32, 16},   {"attn_output", 32, 32}, {"ffn_norm", 32, 0},
                 {"ffn_gate", 32, 64}, {"ffn_up", 32, 64},      {"ffn_down", 64, 32}};
    small_tensor tensors[24] = {{"token_embd.weight", 32, 258, true}, {"output_norm.weight", 32, 0, false}};
    size_t count = 2;
    for (int l = 0; l < 2; l++)
        for (size_t i = 0; i < sizeof layer / sizeof layer[0]; i++, count++) {
            small_tensor *t = &tensors[count];
            snprintf(t->name, sizeof t->name, "blk.%d.%s.weight", l, layer[i].name);
            t->columns = layer[i].columns;
            t->rows = layer[i].rows;
            t->quantised = l == 1 && t->rows != 0;
        }
    if (changes->tensor) {
        snprintf(tensors[count].name, sizeof tensors[count].name, "%s", changes->tensor);
        tensors[count++].columns = changes->columns ? changes->columns : 4;
    }
    fq_bytes_text(b, "GGUF");
    fq_bytes_u32(b, 3);
    fq_bytes_u64(b, count);
    fq_bytes_u64(b, 14u + (changes->keys[0] ? 1u : 0u) + (changes->keys[1] ? 1u : 0u));
    for (int i = 0; i < 2; i++)
        if (changes->keys[i])
            fq_gguf_put_u32(b, changes->keys[i], changes->values[i]);
    fq_gguf_put_string(b, "general.architecture", "llama");
    fq_gguf_put_string(b, "general.name", "small llama");
    fq_gguf_put_u32(b, "llama.block_count", changes->layers ? changes->layers : 2);
    fq_gguf_put_u32(b, "llama.context_length", 16);
    fq_gguf_put_u32(b, "llama.embedding_length", 32);
    fq_gguf_put_u32(b, "llama.feed_forward_length", 64);
    fq_gguf_put_u32(b, "llama.attention.head_count", 4);
    fq_gguf_put_u32(b, "llama.attention.head_count_kv", 2);
    fq_gguf_put_f32(b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    fq_gguf_put_f32(b, "llama.rope.freq_base", 5000.0f);
    put_small_tokenizer(b);
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        const small_tensor *t = &tensors[i];
        fq_gguf_put_tensor(b, t->name, t->columns, t->rows, t->quantised ? 8 : 0, offset);
        offset = (offset + tensor_bytes(t) + 31) / 32 * 32;
    }
    fq_stream s;
    fq_stream_init(&s, 20260511, FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < count; i++) {
        fq_bytes_pad(b, 32);
        for (size_t k = 0; changes->tensor && i + 1 == count && k < tensors[i].columns; k++)
            fq_bytes_f32(b, changes->value);
        if (i + 1 < count || !changes->tensor)
            put_tensor_data(b, &tensors[i], &s);
    }
}

void fq_bytes_save(const fq_bytes *b, const char *folder, const char *name, char *path) {
    snprintf(path, 256, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || (b->size && fwrite(b->data, 1, b->size, file) != b->size) || fclose(file) != 0)
        stop(path);
}

fq_bytes fq_bytes_load(const char *path) {
    fq_bytes b = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        stop(path);
    unsigned char chunk[4096];
    size_t n = 0;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        fq_bytes_add(&b, chunk, n);
    if (ferror(file))
        stop(path);
    fclose(file);
    return b;
}
