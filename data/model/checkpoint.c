#include "checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint_internal.h"
#include "failure.h"
#include "memory.h"

static bool ends_with(const char *text, const char *end) {
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The folder part of path, "." if it has none. */
static fq_status folder_of(char **folder, const char *path) {
    const char *base = fq_path_base(path);
    const size_t length = (size_t)(base - path);
    FQ_TRY(fq_path_join(folder, "", length ? path : "."));
    if (length)
        (*folder)[length] = '\0';
    return FQ_OK;
}

static fq_status open_single(fq_checkpoint *c, const char *path) {
    FQ_TRY(fq_alloc_zero(&c->files, 1, sizeof *c->files));
    c->file_count = 1;
    FQ_TRY(fq_mapped_file_open(&c->files[0], path));
    if (c->files[0].size < 4 || memcmp(c->files[0].bytes, "GGUF", 4) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: byte 0: magic: not a GGUF file; allowed: a GGUF file, a .safetensors "
                            "file, or a folder with config.json and model.safetensors",
                            path);
    return fq_checkpoint_open_gguf(c);
}

static fq_status open_any(fq_checkpoint *c, const char *path) {
    struct stat about;
    const bool is_folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (!is_folder && !ends_with(path, ".safetensors"))
        return open_single(c, path);
    c->is_folder = true;
    if (is_folder)
        FQ_TRY(fq_path_join(&c->folder, "", path));
    else
        FQ_TRY(folder_of(&c->folder, path));
    if (!is_folder) {
        FQ_TRY(fq_alloc_zero(&c->files, 1, sizeof *c->files));
        c->file_count = 1;
        FQ_TRY(fq_mapped_file_open(&c->files[0], path));
    }
    return fq_checkpoint_open_folder(c);
}

fq_status fq_checkpoint_open(fq_checkpoint **out, const char *path) {
    *out = NULL;
    fq_checkpoint *c = NULL;
    FQ_TRY(fq_alloc_zero(&c, 1, sizeof *c));
    const fq_status status = open_any(c, path);
    if (status != FQ_OK)
        fq_checkpoint_close(c);
    else
        *out = c;
    return status;
}

void fq_checkpoint_close(fq_checkpoint *checkpoint) {
    if (!checkpoint)
        return;
    fq_gguf_clear(&checkpoint->gguf);
    for (size_t i = 0; checkpoint->files && i < checkpoint->file_count; i++)
        fq_mapped_file_close(&checkpoint->files[i]);
    fq_free(checkpoint->files);
    fq_free(checkpoint->folder);
    fq_free(checkpoint->places);
    fq_free(checkpoint);
}

const fq_model_config *fq_checkpoint_config(const fq_checkpoint *checkpoint) {
    return &checkpoint->config;
}

static const fq_tensor_place *present(const fq_checkpoint *c, fq_tensor_role role, size_t layer) {
    if ((int)role < 0 || role >= FQ_TENSOR_ROLES || (fq_role_has_layer(role) && layer >= c->config.layers))
        return NULL;
    const fq_tensor_place *place = fq_checkpoint_place(c, role, layer);
    return place->element == FQ_ELEMENTS ? NULL : place;
}

bool fq_checkpoint_tensor_shape(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer,
                                size_t *rows, size_t *columns) {
    const fq_tensor_place *place = present(checkpoint, role, layer);
    if (rows)
        *rows = place ? place->rows : 0;
    if (columns)
        *columns = place ? place->columns : 0;
    return place != NULL;
}

const char *fq_checkpoint_tensor_type(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer) {
    const fq_tensor_place *place = present(checkpoint, role, layer);
    return place ? fq_element_about(place->element)->name : "";
}

/* Elements first..first+rows-1 of every stored row, as rows of out. Types of one element a block only. */
static fq_status read_transposed(const fq_tensor_place *p, float *out) {
    const size_t bytes = fq_element_about(p->element)->block_bytes;
    float *row = NULL;
    FQ_TRY(fq_alloc(&row, p->rows, sizeof *row));
    for (size_t c = 0; c < p->columns; c++) {
        fq_dequantize(row, p->element, p->bytes + (c * p->stored_columns + p->first) * bytes, p->rows);
        for (size_t r = 0; r < p->rows; r++)
            out[r * p->columns + c] = row[r];
    }
    fq_free(row);
    return FQ_OK;
}

fq_status fq_checkpoint_read_tensor(const fq_checkpoint *checkpoint, fq_tensor_role role, size_t layer,
                                    size_t rows, size_t columns, float *out) {
    const fq_tensor_place *p = present(checkpoint, role, layer);
    if (!p)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "%s of layer %zu: this checkpoint has no such tensor",
                            fq_role_name(role), layer);
    if (p->rows != rows || p->columns != columns)
        return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "%s: asked for as %zu x %zu, but it is %zu x %zu", p->name, rows,
                            columns, p->rows, p->columns);
    if (p->transposed) {
        FQ_TRY(read_transposed(p, out));
    } else {
        const fq_element_layout *layout = fq_element_about(p->element);
        const size_t row_bytes = p->stored_columns / layout->block_elements * layout->block_bytes;
        /* a vector is one stored row: a slice of it starts inside the row */
        const unsigned char *start =
            p->stored_rows == 1 ? p->bytes + p->first * layout->block_bytes : p->bytes + p->first * row_bytes;
        fq_dequantize(out, p->element, start, rows * columns);
    }
    for (size_t i = 0; i < rows * columns; i++)
        if (!isfinite(out[i]))
            return FQ_FAIL_TEXT(FQ_ERR_NONFINITE, "%s: byte %zu: tensor %s: element %zu is %g", p->file->path,
                                (size_t)(p->bytes - p->file->bytes), p->name, i, (double)out[i]);
    return FQ_OK;
}

static fq_status append_digest(char **text, size_t *length, const fq_mapped_file *file) {
    char hex[65];
    FQ_TRY(fq_sha256_hex(file->bytes, file->size, hex));
    const char *base = fq_path_base(file->path);
    const size_t more = 64 + 2 + strlen(base) + 1;
    char *longer = NULL;
    FQ_TRY(fq_alloc(&longer, *length + more + 1, 1));
    if (*length)
        memcpy(longer, *text, *length);
    snprintf(longer + *length, more + 1, "%s  %s\n", hex, base);
    fq_free(*text);
    *text = longer;
    *length += more;
    return FQ_OK;
}

static fq_status digest_folder(const fq_checkpoint *c, char **text, size_t *length) {
    /* sorted by name; the weights' names (model...) come between the two */
    static const char *const names[] = {
        FQ_FOLDER_CONFIG,    FQ_FOLDER_MERGES,           NULL,
        FQ_FOLDER_TOKENIZER, FQ_FOLDER_TOKENIZER_CONFIG, FQ_FOLDER_VOCABULARY};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!names[i]) {
            for (size_t f = 0; f < c->file_count; f++)
                FQ_TRY(append_digest(text, length, &c->files[f]));
            continue;
        }
        char *path = NULL;
        FQ_TRY(fq_path_join(&path, c->folder, names[i]));
        struct stat about;
        fq_mapped_file file = {0};
        fq_status status = FQ_OK;
        if (stat(path, &about) == 0) {
            status = fq_mapped_file_open(&file, path);
            if (status == FQ_OK)
                status = append_digest(text, length, &file);
            fq_mapped_file_close(&file);
        }
        fq_free(path);
        FQ_TRY(status);
    }
    return FQ_OK;
}

fq_status fq_checkpoint_sha256(const fq_checkpoint *checkpoint, char hex[65]) {
    if (!checkpoint->is_folder)
        return fq_sha256_hex(checkpoint->files[0].bytes, checkpoint->files[0].size, hex);
    char *text = NULL;
    size_t length = 0;
    fq_status status = digest_folder(checkpoint, &text, &length);
    if (status == FQ_OK)
        status = fq_sha256_hex(text, length, hex);
    fq_free(text);
    return status;
}
