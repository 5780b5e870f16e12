/* Model checkpoints: the weights, shape and tokenizer data of a GPT-2 or Llama model, whatever file
 * they come from.
 *
 * A path names one of
 *   - a GGUF file, version 2 or 3 (tensors F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K);
 *   - a folder with config.json and model.safetensors, or model.safetensors.index.json and its shards
 *     (tensors F32, F16, BF16), and the tokenizer's files, as published on model hubs;
 *   - the .safetensors file of such a folder.
 * Files are mapped, never copied whole; every header field is checked before it is believed, and an
 * error names the file, the byte offset (or the key) and the field.
 *
 * Whatever the file's own layout, a weight matrix is handed out as W[out][in], row-major, float32, to
 * be used as y = W x + bias; vectors have rows = 1. After a successful open, every tensor that the
 * architecture requires exists with exactly the shape listed below, so readers need not ask.
 *
 *   role                      shape                           required for
 *   TOKEN_EMBEDDING           vocabulary x width              both
 *   POSITION_EMBEDDING        context x width                 GPT-2
 *   ATTENTION_NORM, FFN_NORM  1 x width                       both; _BIAS for GPT-2
 *   QUERY                     heads*head_dim x width          both; _BIAS for GPT-2
 *   KEY, VALUE                kv_heads*head_dim x width       both; _BIAS for GPT-2
 *   ATTENTION_OUTPUT          width x heads*head_dim          both; _BIAS for GPT-2
 *   FFN_GATE                  feed_forward x width            Llama
 *   FFN_UP                    feed_forward x width            both; _BIAS for GPT-2
 *   FFN_DOWN                  width x feed_forward            both; _BIAS for GPT-2
 *   OUTPUT_NORM               1 x width                       both; _BIAS for GPT-2
 *   OUTPUT                    vocabulary x width              neither: absent when tied_embeddings
 *
 * Biases of a Llama model's matrices are absent in the published models; where a file has one it is
 * handed out, and the model is to add it. GPT-2's fused matrix of query, key and value is split here,
 * and its transposed matrices are turned. Head h owns rows h*head_dim to (h+1)*head_dim - 1 of QUERY
 * (and of KEY and VALUE); query head h reads key head h / (heads / kv_heads).
 *
 * A checkpoint may be read by several threads at once.
 */
#ifndef FQ_CHECKPOINT_H
#define FQ_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct fq_checkpoint fq_checkpoint;

typedef enum fq_architecture {
    FQ_ARCH_LLAMA, /* RMSNorm, rotary positions, SwiGLU, grouped-query attention */
    FQ_ARCH_GPT2   /* LayerNorm, learned positions, GELU in its tanh form */
} fq_architecture;

enum { FQ_MODEL_NAME_MAX = 128 };

/* Every number has been checked: positive, heads a multiple of kv_heads, products fit in size_t. */
typedef struct fq_model_config {
    fq_architecture architecture;
    size_t layers;
    size_t heads;        /* query heads */
    size_t kv_heads;     /* key and value heads; divides heads */
    size_t head_dim;     /* even for Llama */
    size_t width;        /* of the residual stream; need not be heads*head_dim for Llama */
    size_t feed_forward; /* hidden width of the feed-forward layer */
    size_t vocabulary;   /* rows of the embedding */
    size_t context;      /* longest sequence the model was made for */
    double norm_epsilon; /* added to the mean square (RMSNorm) or variance (LayerNorm) */
    double rope_base;    /* theta: pair i turns by position * theta^(-2i/head_dim); 0 for GPT-2 */
    /* Which coordinates of a head form rotary pair i: (2i, 2i+1) if true, as GGUF files of the llama
     * architecture store Q and K; (i, i + head_dim/2) if false, as safetensors files do. The two
     * differ by a fixed permutation of the rows of Q and K within each head. False for GPT-2. */
    bool rope_interleaved;
    bool tied_embeddings;         /* OUTPUT is absent and TOKEN_EMBEDDING takes its place */
    char name[FQ_MODEL_NAME_MAX]; /* as people know it: the file's, or its own */
} fq_model_config;

typedef enum fq_tensor_role {
    FQ_TENSOR_TOKEN_EMBEDDING,
    FQ_TENSOR_POSITION_EMBEDDING,
    FQ_TENSOR_ATTENTION_NORM,
    FQ_TENSOR_ATTENTION_NORM_BIAS,
    FQ_TENSOR_QUERY,
    FQ_TENSOR_QUERY_BIAS,
    FQ_TENSOR_KEY,
    FQ_TENSOR_KEY_BIAS,
    FQ_TENSOR_VALUE,
    FQ_TENSOR_VALUE_BIAS,
    FQ_TENSOR_ATTENTION_OUTPUT,
    FQ_TENSOR_ATTENTION_OUTPUT_BIAS,
    FQ_TENSOR_FFN_NORM,
    FQ_TENSOR_FFN_NORM_BIAS,
    FQ_TENSOR_FFN_GATE,
    FQ_TENSOR_FFN_GATE_BIAS,
    FQ_TENSOR_FFN_UP,
    FQ_TENSOR_FFN_UP_BIAS,
    FQ_TENSOR_FFN_DOWN,
    FQ_TENSOR_FFN_DOWN_BIAS,
    FQ_TENSOR_OUTPUT_NORM,
    FQ_TENSOR_OUTPUT_NORM_BIAS,
    FQ_TENSOR_OUTPUT,
    FQ_TENSOR_ROLES /* how many there are */
} fq_tensor_role;

/* Opens the checkpoint at path, checks all headers and finds every tensor; weights are not read yet.
 * FQ_ERR_INPUT: unreadable or malformed. FQ_ERR_UNSUPPORTED: well-formed, but an architecture, tensor
 * type or feature (scaled rotary positions, sliding windows, another activation) that this program does
 * not have; the message names it. On failure *out is NULL. */
FQ_MUST_CHECK fq_status fq_checkpoint_open(fq_checkpoint **out, const char *path);

/* NULL accepted. */
void fq_checkpoint_close(fq_checkpoint *checkpoint);

/* Valid until the checkpoint is closed. */
const fq_model_config *fq_checkpoint_config(const fq_checkpoint *checkpoint);

/* Whether there is such a tensor; if so *rows and *columns (either may be NULL) are its shape, else
 * they are 0. layer is 0..layers-1, and is ignored for the roles that have no layer (the embeddings,
 * OUTPUT_NORM, OUTPUT). A layer out of range has no tensors. */
bool fq_checkpoint_tensor_shape(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer,
                                size_t *rows, size_t *columns);

/* The tensor's type in the file, "Q4_1" say, or "" if absent. Static storage. */
const char *fq_checkpoint_tensor_type(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer);

/* out[rows][columns] = the tensor, dequantised; rows and columns must be its shape (FQ_ERR_ARGUMENT,
 * also if it is absent). FQ_ERR_NONFINITE if the file holds an infinity or a NaN, naming tensor and
 * element; out is then unspecified. Cost: one pass over the file's bytes of it. */
FQ_MUST_CHECK fq_status fq_checkpoint_read_tensor(const fq_checkpoint *checkpoint, fq_tensor_role role,
                                                  size_t layer, size_t rows, size_t columns, float *out);

/* SHA-256 as 64 hex digits: of the file's bytes, as sha256sum prints it, for a GGUF file; for a folder,
 * of the lines "<sha256 of the file>  <file name>\n" of config.json, the tokenizer's files that are
 * present and the weight files, sorted by name. Cost: reads everything; the result is not kept. */
FQ_MUST_CHECK fq_status fq_checkpoint_sha256(const fq_checkpoint *checkpoint, char hex[65]);

#endif
