/* The reading half of hdf5_util.h. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "hdf5_util.h"
#include "memory.h"

enum { START_BYTES = 64, DEFLATE_RATIO_MAX = 1040, CHUNK_BYTES_MAX = 256 << 20 };

fq_status fq_h5_malformed_impl(const char *path, const char *object, const char *source_file, int source_line,
                               const char *format, ...) {
    char problem[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return fq_failure_format(FQ_ERR_INPUT, source_file, source_line, "%s: %.100s: %s", path, object, problem);
}

static uint64_t little_endian(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* Checks superblock and length from the first bytes behind a user block, where the signature is. */
static fq_status check_start(const char *path, const unsigned char *start, size_t available,
                             uint64_t user_block, uint64_t file_length) {
    if (available < START_BYTES)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cut off in the superblock, at byte %llu", path,
                            (unsigned long long)(user_block + available));
    const unsigned version = start[8];
    if (version > 3)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: offset %llu: superblock version %u; allowed: 0 to 3", path,
                            (unsigned long long)user_block + 8, version);
    const size_t sizes = version < 2 ? 13 : 9;
    if (start[sizes] != 8 || start[sizes + 1] != 8)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: offset %llu: addresses of %u and sizes of %u bytes; allowed: 8", path,
                            (unsigned long long)user_block + sizes, start[sizes], start[sizes + 1]);
    const size_t base_at = version == 0 ? 24 : version == 1 ? 28 : 12;
    const uint64_t base = little_endian(start + base_at), end = little_endian(start + base_at + 16);
    if (base != 0 && base != user_block)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: offset %llu: base address %llu; allowed: 0, or %llu, where the "
                            "superblock is",
                            path, (unsigned long long)(user_block + base_at), (unsigned long long)base,
                            (unsigned long long)user_block);
    /* addresses count from the base; h5jam puts a user block in front and leaves them as they were */
    const uint64_t stated = base == user_block ? end : end + user_block;
    if (stated != file_length)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: has %llu bytes where its superblock says %llu: cut off, appended to, or "
                            "never closed; write it again",
                            path, (unsigned long long)file_length, (unsigned long long)stated);
    return FQ_OK;
}

static fq_status no_signature(const char *path) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "%s: offset 0: no HDF5 signature, nor at 512, 1024, 2048, ...; this is no HDF5 "
                        "file",
                        path);
}

static uint64_t next_place(uint64_t place) {
    return place ? 2 * place : 512;
}

fq_status fq_h5_open_bytes(fq_h5_file *file, const char *path, const unsigned char *bytes, size_t length) {
    uint64_t at = 0;
    while (at + sizeof signature <= length && memcmp(bytes + at, signature, sizeof signature) != 0)
        at = next_place(at);
    if (at + sizeof signature > length)
        return no_signature(path);
    FQ_TRY(check_start(path, bytes + at, length - at < START_BYTES ? length - at : START_BYTES, at, length));
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* HDF5 wants to change the image; it gets a copy of it, and const is cast away for its sake. */
    void *image = NULL;
    memcpy(&image, &bytes, sizeof image);
    hid_t id = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_fapl_core(access, 1 << 16, false) >= 0 &&
        H5Pset_file_image(access, image, length) >= 0)
        id = H5Fopen("fibquant in memory", H5F_ACC_RDONLY, access);
    fq_h5_close(access);
    if (id < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: HDF5 cannot open it: damaged", path);
    *file = (fq_h5_file){.id = id, .path = path, .length = length, .bytes = bytes};
    return FQ_OK;
}

/* Reads the start of the superblock, behind a user block or without one. */
static fq_status check_start_of_path(const char *path, uint64_t length) {
    unsigned char start[START_BYTES];
    size_t got = 0;
    FILE *plain = fopen(path, "rb");
    if (!plain)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    uint64_t at = 0;
    bool found = false;
    while (!found && at + sizeof signature <= length && fseeko(plain, (off_t)at, SEEK_SET) == 0) {
        got = fread(start, 1, sizeof start, plain);
        found = got >= sizeof signature && memcmp(start, signature, sizeof signature) == 0;
        if (!found)
            at = next_place(at);
    }
    fclose(plain);
    return found ? check_start(path, start, got, at, length) : no_signature(path);
}

fq_status fq_h5_open_path(fq_h5_file *file, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: is no regular file", path);
    FQ_TRY(check_start_of_path(path, (uint64_t)about.st_size));
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t id = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0)
        id = H5Fopen(path, H5F_ACC_RDONLY, access);
    fq_h5_close(access);
    if (id < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: HDF5 cannot open it: damaged", path);
    *file = (fq_h5_file){.id = id, .path = path, .length = (uint64_t)about.st_size};
    return FQ_OK;
}

void fq_h5_file_close(fq_h5_file *file) {
    fq_h5_close(file->id);
    file->id = H5I_INVALID_HID;
}

bool fq_h5_has(hid_t where, const char *name) {
    return H5Lexists(where, name, H5P_DEFAULT) > 0;
}

bool fq_h5_has_attribute(hid_t where, const char *name) {
    return H5Aexists(where, name) > 0;
}

static fq_status check_link(const fq_h5_file *file, hid_t where, const char *name) {
    H5L_info_t info;
    if (!fq_h5_has(where, name))
        return FQ_H5_MALFORMED(file, name, "missing");
    if (H5Lget_info(where, name, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
        return FQ_H5_MALFORMED(file, name, "is a soft or external link; allowed: hard links");
    return FQ_OK;
}

fq_status fq_h5_open_group(const fq_h5_file *file, hid_t *group, hid_t where, const char *name) {
    FQ_TRY(check_link(file, where, name));
    const hid_t id = H5Gopen2(where, name, H5P_DEFAULT);
    if (id < 0)
        return FQ_H5_MALFORMED(file, name, "is no group, or damaged");
    *group = id;
    return FQ_OK;
}

static fq_status check_filters(const fq_h5_file *file, const char *name, hid_t creation) {
    const int filters = H5Pget_nfilters(creation);
    for (int i = 0; i < filters; i++) {
        unsigned flags = 0, config = 0;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(creation, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            return FQ_H5_MALFORMED(file, name, "filter %d; allowed: deflate, shuffle, fletcher32",
                                   (int)filter);
    }
    return filters < 0 ? FQ_H5_MALFORMED(file, name, "unreadable filters") : FQ_OK;
}

/* Every chunk is there, and none so large that a damaged one takes all memory. */
static fq_status check_chunks(const fq_h5_file *file, const char *name, hid_t dataset, hid_t creation,
                              const fq_h5_shape *shape) {
    hsize_t chunk[4] = {0}, written = 0;
    uint64_t bytes = shape->bytes, wanted = 1;
    bool small = H5Pget_chunk(creation, 4, chunk) == shape->rank;
    for (int i = 0; small && i < shape->rank; i++) {
        small = chunk[i] > 0 && chunk[i] <= (uint64_t)CHUNK_BYTES_MAX / bytes;
        bytes *= small ? chunk[i] : 1;
        wanted *= small ? (shape->dims[i] + chunk[i] - 1) / chunk[i] : 1; /* at most the number of elements */
    }
    if (!small)
        return FQ_H5_MALFORMED(file, name, "chunks above %d MiB", CHUNK_BYTES_MAX >> 20);
    const hid_t space = H5Dget_space(dataset);
    const bool counted = space >= 0 && H5Dget_num_chunks(dataset, space, &written) >= 0;
    fq_h5_close(space);
    if (!counted)
        return FQ_H5_MALFORMED(file, name, "unreadable chunks");
    if (written != wanted)
        return FQ_H5_MALFORMED(file, name, "%llu of its %llu chunks were never written",
                               (unsigned long long)(wanted - (written < wanted ? written : wanted)),
                               (unsigned long long)wanted);
    return FQ_OK;
}

/* The dataset's elements against the bytes that hold them. */
static fq_status check_storage(const fq_h5_file *file, const char *name, hid_t dataset, fq_h5_shape *shape) {
    const hid_t creation = H5Dget_create_plist(dataset);
    if (creation < 0)
        return FQ_H5_MALFORMED(file, name, "unreadable storage properties");
    const H5D_layout_t layout = H5Pget_layout(creation);
    const uint64_t stored = H5Dget_storage_size(dataset), logical = (uint64_t)shape->elements * shape->bytes;
    fq_status status = FQ_OK;
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT)
        status = FQ_H5_MALFORMED(file, name, "virtual storage; allowed: contiguous, chunked, compact");
    else if (H5Pget_external_count(creation) != 0)
        status = FQ_H5_MALFORMED(file, name, "data in another file");
    else
        status = check_filters(file, name, creation);
    if (status == FQ_OK && stored > file->length)
        status = FQ_H5_MALFORMED(file, name, "claims %llu stored bytes, the file has %llu",
                                 (unsigned long long)stored, (unsigned long long)file->length);
    shape->filtered = status == FQ_OK && H5Pget_nfilters(creation) > 0;
    shape->native = layout == H5D_CONTIGUOUS && !shape->filtered;
    if (status == FQ_OK && logical > (shape->filtered ? stored * DEFLATE_RATIO_MAX : stored))
        status = FQ_H5_MALFORMED(file, name, "claims %llu bytes of elements, %llu bytes are stored",
                                 (unsigned long long)logical, (unsigned long long)stored);
    if (status == FQ_OK && layout == H5D_CHUNKED)
        status = check_chunks(file, name, dataset, creation, shape);
    fq_h5_close(creation);
    return status;
}

static fq_status read_shape(const fq_h5_file *file, const char *name, hid_t dataset, int rank,
                            H5T_class_t kind, fq_h5_shape *shape) {
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hsize_t extent[4] = {0};
    fq_status status = FQ_OK;
    *shape = (fq_h5_shape){.rank = rank, .elements = 1};
    if (type < 0 || space < 0) {
        status = FQ_H5_MALFORMED(file, name, "unreadable type or shape");
    } else if ((shape->kind = H5Tget_class(type)) != kind) {
        status = FQ_H5_MALFORMED(file, name, "wrong element type; allowed: %s",
                                 kind == H5T_FLOAT ? "floating point" : "integer");
    } else if ((shape->bytes = H5Tget_size(type)) == 0 || shape->bytes > 8) {
        status = FQ_H5_MALFORMED(file, name, "elements of %zu bytes; allowed: up to 8", shape->bytes);
    } else if (H5Sget_simple_extent_type(space) != H5S_SIMPLE || H5Sget_simple_extent_ndims(space) != rank ||
               H5Sget_simple_extent_dims(space, extent, NULL) != rank) {
        status = FQ_H5_MALFORMED(file, name, "has not %d dimensions", rank);
    }
    for (int i = 0; status == FQ_OK && i < rank; i++) {
        shape->dims[i] = (size_t)extent[i];
        if (extent[i] > SIZE_MAX ||
            fq_size_multiply(&shape->elements, shape->elements, (size_t)extent[i], name) != FQ_OK)
            status = FQ_H5_MALFORMED(file, name, "dimensions overflow");
    }
    if (status == FQ_OK && shape->elements > SIZE_MAX / 8)
        status = FQ_H5_MALFORMED(file, name, "dimensions overflow");
    fq_h5_close(space);
    fq_h5_close(type);
    return status;
}

fq_status fq_h5_open_dataset(const fq_h5_file *file, hid_t *dataset, fq_h5_shape *shape, hid_t where,
                             const char *name, int rank, H5T_class_t kind) {
    FQ_TRY(check_link(file, where, name));
    const hid_t id = H5Dopen2(where, name, H5P_DEFAULT);
    if (id < 0)
        return FQ_H5_MALFORMED(file, name, "is no dataset, or damaged");
    fq_h5_shape read;
    fq_status status = read_shape(file, name, id, rank, kind, &read);
    if (status == FQ_OK)
        status = check_storage(file, name, id, &read);
    if (status != FQ_OK) {
        fq_h5_close(id);
        return status;
    }
    *shape = read;
    *dataset = id;
    return FQ_OK;
}

fq_status fq_h5_read_dataset(const fq_h5_file *file, hid_t dataset, const char *name, hid_t memory_type,
                             void *data) {
    if (H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return FQ_H5_MALFORMED(file, name, "cannot be read: damaged");
    return FQ_OK;
}

/* Attributes ------------------------------------------------------------------------------- */

static fq_status open_attribute(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                                hid_t *attribute, hid_t *type) {
    if (!fq_h5_has_attribute(where, name))
        return FQ_H5_MALFORMED(file, object, "attribute %s is missing", name);
    const hid_t id = H5Aopen(where, name, H5P_DEFAULT);
    const hid_t stored = id >= 0 ? H5Aget_type(id) : H5I_INVALID_HID;
    const hid_t space = id >= 0 ? H5Aget_space(id) : H5I_INVALID_HID;
    const bool one = stored >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    fq_h5_close(space);
    if (!one) {
        fq_h5_close(stored);
        fq_h5_close(id);
        return FQ_H5_MALFORMED(file, object, "attribute %s is no single value", name);
    }
    *attribute = id;
    *type = stored;
    return FQ_OK;
}

static fq_status copy_text(const fq_h5_file *file, const char *object, const char *name, const char *from,
                           size_t available, char *text, size_t room) {
    const size_t length = strnlen(from, available);
    if (length >= room)
        return FQ_H5_MALFORMED(file, object, "attribute %s is longer than %zu bytes", name, room - 1);
    memcpy(text, from, length);
    text[length] = '\0';
    return FQ_OK;
}

fq_status fq_h5_read_text(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                          char *text, size_t room) {
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID;
    FQ_TRY(open_attribute(file, where, object, name, &attribute, &type));
    fq_status status = FQ_OK;
    const size_t size = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING) {
        status = FQ_H5_MALFORMED(file, object, "attribute %s is no text", name);
    } else if (H5Tis_variable_str(type) > 0) {
        char *value = NULL;
        if (H5Aread(attribute, type, &value) < 0)
            status = FQ_H5_MALFORMED(file, object, "attribute %s cannot be read", name);
        else
            status = copy_text(file, object, name, value ? value : "", value ? strlen(value) : 0, text, room);
        if (value)
            H5free_memory(value);
    } else if (size == 0 || size > 65536) {
        status = FQ_H5_MALFORMED(file, object, "attribute %s has %zu bytes", name, size);
    } else {
        char *value = NULL;
        status = fq_alloc_zero(&value, size + 1, 1);
        if (status == FQ_OK && H5Aread(attribute, type, value) < 0)
            status = FQ_H5_MALFORMED(file, object, "attribute %s cannot be read", name);
        if (status == FQ_OK)
            status = copy_text(file, object, name, value, size, text, room);
        fq_free(value);
    }
    fq_h5_close(type);
    fq_h5_close(attribute);
    return status;
}

fq_status fq_h5_read_u64(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                         uint64_t *value) {
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID;
    FQ_TRY(open_attribute(file, where, object, name, &attribute, &type));
    fq_status status = FQ_OK;
    int64_t whole = 0;
    uint64_t natural = 0;
    if (H5Tget_class(type) != H5T_INTEGER || H5Tget_size(type) > 8)
        status = FQ_H5_MALFORMED(file, object, "attribute %s is no whole number", name);
    else if (H5Tget_sign(type) == H5T_SGN_2) {
        if (H5Aread(attribute, H5T_NATIVE_INT64, &whole) < 0 || whole < 0)
            status = FQ_H5_MALFORMED(file, object, "attribute %s is negative or unreadable", name);
        natural = (uint64_t)whole;
    } else if (H5Aread(attribute, H5T_NATIVE_UINT64, &natural) < 0) {
        status = FQ_H5_MALFORMED(file, object, "attribute %s cannot be read", name);
    }
    fq_h5_close(type);
    fq_h5_close(attribute);
    if (status == FQ_OK)
        *value = natural;
    return status;
}

fq_status fq_h5_read_double(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                            double *value) {
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID;
    FQ_TRY(open_attribute(file, where, object, name, &attribute, &type));
    const H5T_class_t kind = H5Tget_class(type);
    double read = 0;
    fq_status status = FQ_OK;
    if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || H5Tget_size(type) > 8 ||
        H5Aread(attribute, H5T_NATIVE_DOUBLE, &read) < 0)
        status = FQ_H5_MALFORMED(file, object, "attribute %s is no number", name);
    fq_h5_close(type);
    fq_h5_close(attribute);
    if (status == FQ_OK)
        *value = read;
    return status;
}
