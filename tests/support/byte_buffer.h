/* A growing array of bytes for tests that write files: little-endian numbers, GGUF strings. Stops the test
 * program when memory runs out. */
#ifndef FQ_BYTE_BUFFER_H
#define FQ_BYTE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Files that other implementations wrote, with the scripts that made them write. */
#define FQ_GOLDEN FQ_SOURCE_DIR "/tests/golden"

typedef struct fq_bytes {
    unsigned char *data;
    size_t size, room;
} fq_bytes;

void fq_bytes_add(fq_bytes *b, const void *data, size_t size);
void fq_bytes_u32(fq_bytes *b, uint32_t value);
void fq_bytes_u64(fq_bytes *b, uint64_t value);
void fq_bytes_f32(fq_bytes *b, float value);
void fq_bytes_text(fq_bytes *b, const char *text);        /* without its length */
void fq_bytes_gguf_string(fq_bytes *b, const char *text); /* u64 length first */
void fq_bytes_pad(fq_bytes *b, size_t multiple);
void fq_bytes_free(fq_bytes *b);

/* GGUF pieces: a metadata key with its value type, and common whole entries. */
void fq_gguf_put_key(fq_bytes *b, const char *key, uint32_t type);
void fq_gguf_put_u32(fq_bytes *b, const char *key, uint32_t value);
void fq_gguf_put_f32(fq_bytes *b, const char *key, float value);
void fq_gguf_put_string(fq_bytes *b, const char *key, const char *value);
/* A tensor's description; rows 0 means one dimension. */
void fq_gguf_put_tensor(fq_bytes *b, const char *name, size_t columns, size_t rows, uint32_t type,
                        size_t offset);

/* A complete llama checkpoint with a byte-level tokenizer of 258 tokens and two merges: 2 layers, 4 heads, 2
 * key heads of 8, width 32, feed-forward 64, context 16, float32 and Q8_0 tensors with numbers from the
 * test stream `index`. */
void fq_gguf_put_small_llama(fq_bytes *b, uint64_t index);

/* The same with some of it changed: what the configuration says of the number of layers (0: the 2 there are),
 * further metadata keys of whole numbers, a tensor more (of columns, 0 for 4, float32, all of this value). */
typedef struct fq_gguf_changes {
    uint32_t layers;
    const char *keys[2];
    uint32_t values[2];
    const char *tensor;
    size_t columns;
    float value;
} fq_gguf_changes;
void fq_gguf_put_changed_llama(fq_bytes *b, uint64_t index, const fq_gguf_changes *changes);

/* Writes the bytes to folder/name and leaves the path in path (of at least 256 bytes). */
void fq_bytes_save(const fq_bytes *b, const char *folder, const char *name, char *path);

/* The whole file, or stops the program. */
fq_bytes fq_bytes_load(const char *path);

#endif
