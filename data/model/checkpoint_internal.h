/* What the readers of the two kinds of checkpoint (GGUF, folder of safetensors) fill in. */
#ifndef FQ_CHECKPOINT_INTERNAL_H
#define FQ_CHECKPOINT_INTERNAL_H

#include "checkpoint.h"
#include "checkpoint_file.h"
#include "dequantize.h"
#include "gguf.h"

enum { FQ_TENSOR_NAME_MAX = 192, FQ_MAX_LAYERS = 4096 };

/* Where a role's numbers lie. The file's matrix is [stored_rows][stored_columns]; the tensor is rows
 * first..first+rows-1 of it, or, if transposed, columns first.. of it turned. element FQ_ELEMENTS: absent. */
typedef struct fq_tensor_place {
    fq_element element;
    bool transposed;
    const fq_mapped_file *file;
    const unsigned char *bytes; /* in the mapped file */
    size_t stored_rows, stored_columns;
    size_t first;
    size_t rows, columns;
    char name[FQ_TENSOR_NAME_MAX]; /* in the file, for messages */
} fq_tensor_place;

struct fq_checkpoint {
    fq_model_config config;
    bool is_folder;
    char *folder;          /* of a folder: its path; else NULL */
    fq_mapped_file *files; /* weight files */
    size_t file_count;
    fq_gguf gguf;            /* of a GGUF file; its tokenizer reads it */
    fq_tensor_place *places; /* [layers][FQ_TENSOR_ROLES]; roles without layer at layer 0 */
    size_t place_layers;     /* layers that places has room for */
};

/* Files of a folder besides the weights that its SHA-256 covers and its tokenizer reads. */
#define FQ_FOLDER_CONFIG           "config.json"
#define FQ_FOLDER_TOKENIZER        "tokenizer.json"
#define FQ_FOLDER_TOKENIZER_CONFIG "tokenizer_config.json"
#define FQ_FOLDER_VOCABULARY       "vocab.json"
#define FQ_FOLDER_MERGES           "merges.txt"

bool fq_role_has_layer(fq_tensor_role role);

/* The part of a tensor's name behind "<before>N.", N a decimal number without leading zeros below layers;
 * NULL if the name has another form. */
const char *fq_name_in_layer(const char *name, const char *before, size_t layers);

/* The role's name in messages: "QUERY_BIAS". */
const char *fq_role_name(fq_tensor_role role);

/* The shape and necessity that config gives a role; *rows = 0 if the architecture has no such role. */
void fq_role_shape(const fq_model_config *config, fq_tensor_role role, size_t *rows, size_t *columns,
                   bool *required);

/* Checks what fq_model_config promises; where names the file in messages. */
FQ_MUST_CHECK fq_status fq_model_config_check(const fq_model_config *config, const char *where);

/* Makes room for the places of config.layers layers, all absent. */
FQ_MUST_CHECK fq_status fq_checkpoint_make_places(fq_checkpoint *checkpoint);
fq_tensor_place *fq_checkpoint_place(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer);

/* After all places were filled in: every shape is the config's, nothing required is missing, and what is
 * optional is there in every layer or in none. */
FQ_MUST_CHECK fq_status fq_checkpoint_check_places(const fq_checkpoint *checkpoint, const char *where);

/* Fill in config and places of a checkpoint whose path is a GGUF file (mapped as files[0]), or a folder. */
FQ_MUST_CHECK fq_status fq_checkpoint_open_gguf(fq_checkpoint *checkpoint);
FQ_MUST_CHECK fq_status fq_checkpoint_open_folder(fq_checkpoint *checkpoint);

#endif
