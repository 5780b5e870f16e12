/* HDF5 lays out the file, with every dataset in one piece and no value written; the rows then go to
 * their places with pwrite. So the library is never in the middle of a write when the disk fills. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "failure.h"
#include "fp16.h"
#include "hdf5_util.h"
#include "kv_cache_layout.h"
#include "memory.h"

enum { PIECE_ELEMENTS = FQ_KV_PIECE_ELEMENTS };
static const char no_digest[] = "0000000000000000000000000000000000000000000000000000000000000000";

struct fq_kv_writer {
    fq_atomic_file file;
    fq_kv_shape shape;
    int descriptor;
    uint64_t *offsets;   /* [layers][kinds], bytes from the start of the file */
    unsigned char *seen; /* [layers][kinds][tokens] */
    size_t missing;      /* rows not put yet */
    uint8_t *piece;      /* [PIECE_ELEMENTS] halves */
    size_t vanished;     /* vectors that became zero */
    char first_vanished[FQ_KV_NAME_MAX];
};

static fq_status failed(const fq_kv_writer *writer, int error) {
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be written: %s", writer->file.path, strerror(error));
}

static fq_status make_dataset(fq_kv_writer *writer, hid_t group, hid_t type, size_t layer, fq_kv_kind kind) {
    static const char *const descriptions[] = {"queries, after the position encoding",
                                               "keys as attention reads them: after the position encoding",
                                               "values"};
    const fq_h5_about about = {"1", "token, head, coordinate", descriptions[kind]};
    const hsize_t extent[3] = {writer->shape.tokens, fq_kv_heads(&writer->shape, kind), writer->shape.dim};
    const hid_t space = H5Screate_simple(3, extent, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(group, fq_kv_kind_name(kind), type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    const haddr_t offset = dataset >= 0 ? H5Dget_offset(dataset) : HADDR_UNDEF;
    fq_status status = offset == HADDR_UNDEF ? failed(writer, ENOSPC) : fq_h5_write_about(dataset, &about);
    if (status == FQ_OK)
        status = fq_h5_write_digest(dataset, no_digest);
    writer->offsets[layer * FQ_KV_KINDS + (size_t)kind] = offset;
    fq_h5_close(dataset);
    fq_h5_close(creation);
    fq_h5_close(space);
    return status;
}

static fq_status make_layers(fq_kv_writer *writer, hid_t file, hid_t type) {
    for (size_t layer = 0; layer < writer->shape.layers; layer++) {
        char name[FQ_KV_GROUP_MAX];
        hid_t group = H5I_INVALID_HID;
        fq_kv_group_name(name, layer);
        FQ_TRY(fq_h5_create_group(&group, file, name));
        fq_status status = FQ_OK;
        for (int kind = 0; status == FQ_OK && kind < FQ_KV_KINDS; kind++)
            status = make_dataset(writer, group, type, layer, (fq_kv_kind)kind);
        fq_h5_close(group);
        FQ_TRY(status);
    }
    return FQ_OK;
}

static fq_status fill_in(fq_kv_writer *writer, hid_t file, const fq_kv_origin *origin,
                         const fq_provenance *provenance) {
    FQ_TRY(fq_h5_write_text(file, "format", "fibquant KV cache"));
    FQ_TRY(fq_h5_write_text(file, "model", origin->model));
    FQ_TRY(fq_h5_write_text(file, "model_sha256", origin->model_sha256));
    FQ_TRY(fq_h5_write_text(file, "text", origin->text));
    FQ_TRY(fq_h5_write_text(file, "text_sha256", origin->text_sha256));
    FQ_TRY(fq_h5_write_u64(file, "text_first", origin->text_first));
    if (origin->rope_known) {
        FQ_TRY(fq_h5_write_double(file, "rope_base", origin->rope.base));
        FQ_TRY(fq_h5_write_text(file, "rope_pairs", origin->rope.interleaved ? "interleaved" : "halves"));
    }
    if (provenance)
        FQ_TRY(fq_provenance_write(provenance, file));
    const hid_t type = writer->shape.element_bytes == 2 ? fq_kv_half_type() : H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: making a type failed");
    const fq_status status = make_layers(writer, file, type);
    fq_h5_close(type);
    return status;
}

static fq_status lay_out(fq_kv_writer *writer, const fq_kv_origin *origin, const fq_provenance *provenance) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0)
        file = H5Fcreate(writer->file.temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    fq_h5_close(access);
    if (file < 0)
        return failed(writer, errno ? errno : EIO);
    fq_status status = fill_in(writer, file, origin, provenance);
    if (H5Fclose(file) < 0 && status == FQ_OK)
        status = failed(writer, ENOSPC);
    return status;
}

/* The file has its final length now, with holes; real room is asked for at once. */
static fq_status reserve(fq_kv_writer *writer) {
    struct stat about;
    writer->descriptor = open(writer->file.temporary, O_RDWR | O_CLOEXEC);
    if (writer->descriptor < 0 || fstat(writer->descriptor, &about) != 0)
        return failed(writer, errno);
    const int error = posix_fallocate(writer->descriptor, 0, about.st_size);
    return error == 0 || error == EOPNOTSUPP || error == EINVAL ? FQ_OK : failed(writer, error);
}

fq_status fq_kv_writer_create(fq_kv_writer **writer, const char *path, const fq_kv_shape *shape,
                              const fq_kv_origin *origin, const fq_provenance *provenance) {
    fq_kv_writer *made = NULL;
    size_t rows = 0;
    FQ_TRY(fq_kv_shape_check(shape));
    FQ_TRY(fq_size_multiply(&rows, shape->layers * FQ_KV_KINDS, shape->tokens, "tokens"));
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->shape = *shape;
    made->descriptor = -1;
    made->missing = rows;
    fq_status status = fq_alloc_zero(&made->offsets, shape->layers * FQ_KV_KINDS, sizeof *made->offsets);
    if (status == FQ_OK)
        status = fq_alloc_zero(&made->seen, rows, 1);
    if (status == FQ_OK)
        status = fq_alloc(&made->piece, PIECE_ELEMENTS, 2);
    if (status == FQ_OK)
        status = fq_atomic_file_begin(&made->file, path);
    if (status == FQ_OK)
        status = lay_out(made, origin, provenance);
    if (status == FQ_OK)
        status = reserve(made);
    if (status != FQ_OK) {
        fq_kv_writer_abandon(made);
        return status;
    }
    *writer = made;
    return FQ_OK;
}

void fq_kv_writer_abandon(fq_kv_writer *writer) {
    if (!writer)
        return;
    if (writer->descriptor >= 0)
        close(writer->descriptor);
    fq_atomic_file_abandon(&writer->file);
    fq_free(writer->offsets);
    fq_free(writer->seen);
    fq_free(writer->piece);
    fq_free(writer);
}

static fq_status write_at(const fq_kv_writer *writer, const void *bytes, size_t length, uint64_t offset) {
    const char *at = bytes;
    while (length > 0) {
        const ssize_t written = pwrite(writer->descriptor, at, length, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return failed(writer, written < 0 ? errno : ENOSPC);
        at += written;
        offset += (uint64_t)written;
        length -= (size_t)written;
    }
    return FQ_OK;
}

/* "layer 3, key, token 17, head 2" of element i of rows that begin at a token. */
static void name_vector(const fq_kv_shape *shape, size_t layer, fq_kv_kind kind, size_t first, size_t i,
                        char *name, size_t room) {
    const size_t row = fq_kv_heads(shape, kind) * shape->dim;
    snprintf(name, room, "layer %zu, %s, token %zu, head %zu", layer, fq_kv_kind_name(kind), first + i / row,
             i % row / shape->dim);
}

static fq_status check_values(const fq_kv_writer *writer, size_t layer, fq_kv_kind kind, size_t first,
                              const float *x, size_t count) {
    const fq_kv_shape *shape = &writer->shape;
    for (size_t i = 0; i < count; i++) {
        const bool large = shape->element_bytes == 2 && fabsf(x[i]) >= 65520.0f;
        if (isfinite(x[i]) && !large)
            continue;
        char name[FQ_KV_NAME_MAX];
        name_vector(shape, layer, kind, first, i, name, sizeof name);
        return FQ_FAIL_TEXT(
            isfinite(x[i]) ? FQ_ERR_RANGE : FQ_ERR_NONFINITE, "%s: %s, coordinate %zu is %g; allowed: %s",
            writer->file.path, name, i % shape->dim, (double)x[i],
            isfinite(x[i]) ? "magnitudes up to 65504 in float16; float32 holds it" : "finite numbers");
    }
    return FQ_OK;
}

/* Counts the vectors that are not zero in x and are zero in float16. */
static void count_vanished(fq_kv_writer *writer, size_t layer, fq_kv_kind kind, size_t first, const float *x,
                           size_t count) {
    const size_t dim = writer->shape.dim;
    for (size_t v = 0; writer->shape.element_bytes == 2 && v < count; v += dim) {
        float largest = 0.0f;
        for (size_t i = 0; i < dim; i++)
            largest = fabsf(x[v + i]) > largest ? fabsf(x[v + i]) : largest;
        if (!(largest > 0.0f && largest <= 0x1p-25f))
            continue;
        if (writer->vanished++ == 0)
            name_vector(&writer->shape, layer, kind, first, v, writer->first_vanished,
                        sizeof writer->first_vanished);
    }
}

size_t fq_kv_writer_vanished(const fq_kv_writer *writer, char *where) {
    memcpy(where, writer->first_vanished, sizeof writer->first_vanished);
    return writer->vanished;
}

fq_status fq_kv_writer_put(fq_kv_writer *writer, size_t layer, fq_kv_kind kind, size_t first, size_t count,
                           const float *x) {
    const fq_kv_shape *shape = &writer->shape;
    if (layer >= shape->layers)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "layer", layer, "below the number of layers");
    if (kind < FQ_KV_QUERY || kind > FQ_KV_VALUE)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "kind", kind, "query, key or value");
    if (first > shape->tokens || count > shape->tokens - first)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "first", first, "rows within the number of tokens");
    const size_t row = fq_kv_heads(shape, kind) * shape->dim, total = row * count;
    const size_t which = layer * FQ_KV_KINDS + (size_t)kind;
    uint64_t offset = writer->offsets[which] + (uint64_t)first * row * shape->element_bytes;
    FQ_TRY(check_values(writer, layer, kind, first, x, total));
    count_vanished(writer, layer, kind, first, x, total);
    for (size_t done = 0; done < total;) {
        const size_t now = total - done < PIECE_ELEMENTS ? total - done : PIECE_ELEMENTS;
        const void *bytes = x + done;
        if (shape->element_bytes == 2) {
            fq_fp16_encode(writer->piece, x + done, now);
            bytes = writer->piece;
        }
        FQ_TRY(write_at(writer, bytes, now * shape->element_bytes, offset));
        offset += (uint64_t)now * shape->element_bytes;
        done += now;
    }
    for (size_t t = first; t < first + count; t++) {
        writer->missing -= !writer->seen[which * shape->tokens + t];
        writer->seen[which * shape->tokens + t] = 1;
    }
    return FQ_OK;
}

/* Of one dataset's bytes as the file has them. */
static fq_status digest_of(const fq_kv_writer *writer, size_t which, char hex[FQ_SHA256_HEX]) {
    const fq_kv_shape *shape = &writer->shape;
    const size_t heads = fq_kv_heads(shape, (fq_kv_kind)(which % FQ_KV_KINDS));
    uint64_t offset = writer->offsets[which];
    size_t left = shape->tokens * heads * shape->dim * shape->element_bytes;
    fq_sha256 hash;
    fq_sha256_init(&hash);
    while (left > 0) {
        const size_t wanted = left < 2 * PIECE_ELEMENTS ? left : 2 * PIECE_ELEMENTS;
        const ssize_t got = pread(writer->descriptor, writer->piece, wanted, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed(writer, got < 0 ? errno : EIO);
        fq_sha256_add(&hash, writer->piece, (size_t)got);
        offset += (uint64_t)got;
        left -= (size_t)got;
    }
    fq_sha256_final(&hash, hex);
    return FQ_OK;
}

static fq_status set_digest(const fq_kv_writer *writer, hid_t file, size_t which) {
    char name[FQ_KV_OBJECT_MAX], hex[FQ_SHA256_HEX];
    FQ_TRY(digest_of(writer, which, hex));
    fq_kv_object_name(name, which / FQ_KV_KINDS, (fq_kv_kind)(which % FQ_KV_KINDS));
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const fq_status status = dataset >= 0 ? fq_h5_replace_digest(dataset, hex) : failed(writer, EIO);
    fq_h5_close(dataset);
    return status;
}

/* The attributes are there: their text is replaced where it lies. */
static fq_status set_digests(const fq_kv_writer *writer) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0)
        file = H5Fopen(writer->file.temporary, H5F_ACC_RDWR, access);
    fq_h5_close(access);
    fq_status status = file >= 0 ? FQ_OK : failed(writer, errno ? errno : EIO);
    for (size_t which = 0; status == FQ_OK && which < writer->shape.layers * FQ_KV_KINDS; which++)
        status = set_digest(writer, file, which);
    if (file >= 0 && H5Fclose(file) < 0 && status == FQ_OK)
        status = failed(writer, ENOSPC);
    return status;
}

fq_status fq_kv_writer_commit(fq_kv_writer *writer) {
    fq_status status = FQ_OK;
    if (writer->missing)
        status = FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "missing rows", writer->missing, "0: every row put");
    if (status == FQ_OK)
        status = set_digests(writer);
    if (status == FQ_OK && close(writer->descriptor) != 0)
        status = failed(writer, errno);
    if (status == FQ_OK) {
        writer->descriptor = -1;
        status = fq_atomic_file_commit(&writer->file);
    }
    fq_kv_writer_abandon(writer);
    return status;
}
