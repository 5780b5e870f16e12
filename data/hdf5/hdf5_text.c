/* Texts of hdf5_util.h beyond a single attribute: one a column of a table, and long ones. */
#include <string.h>

#include "failure.h"
#include "hdf5_util.h"
#include "memory.h"

static fq_status internal(const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: %s failed", what);
}

hid_t fq_h5_text_type(size_t bytes) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && H5Tset_size(type, bytes ? bytes : 1) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    fq_h5_close(type);
    return H5I_INVALID_HID;
}

static hid_t variable_text_type(void) {
    return fq_h5_text_type(H5T_VARIABLE);
}

fq_status fq_h5_write_texts(hid_t where, const char *name, size_t count, const char *const *texts) {
    const hsize_t extent = count;
    const hid_t type = variable_text_type(), space = H5Screate_simple(1, &extent, NULL);
    hid_t attribute = H5I_INVALID_HID;
    if (type >= 0 && space >= 0)
        attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Awrite(attribute, type, texts) >= 0;
    fq_h5_close(attribute);
    fq_h5_close(space);
    fq_h5_close(type);
    return good ? FQ_OK : internal("writing an attribute");
}

/* Room for count texts of the stored type, each terminated; *wanted is the type to read them as. */
static fq_status make_room(const fq_h5_file *file, hid_t stored, size_t count, char **room, size_t *width,
                           hid_t *wanted) {
    const size_t size =
        H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) == 0 ? H5Tget_size(stored) : 0;
    if (size == 0 || count == 0 || size > file->length / count)
        return FQ_ERR_INPUT;
    *width = size + 1;
    *wanted = fq_h5_text_type(*width);
    if (*wanted < 0 || H5Tset_cset(*wanted, H5Tget_cset(stored)) < 0)
        return FQ_ERR_INPUT;
    return fq_alloc_zero(room, count, *width);
}

/* Texts that the library allocated, as one block: text i at *texts + i * *width. */
static fq_status gather(const fq_h5_file *file, char *const *read, size_t count, char **texts,
                        size_t *width) {
    size_t longest = 0, all = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t length = read[i] ? strlen(read[i]) : 0;
        longest = length > longest ? length : longest;
        all += length;
    }
    if (all > file->length)
        return FQ_ERR_INPUT;
    FQ_TRY(fq_alloc_zero(texts, count, longest + 1));
    for (size_t i = 0; i < count; i++)
        if (read[i])
            strcpy(*texts + i * (longest + 1), read[i]);
    *width = longest + 1;
    return FQ_OK;
}

/* Texts of variable length, as ours and those of h5py are. */
static fq_status read_variable(const fq_h5_file *file, hid_t attribute, hid_t stored, size_t count,
                               char **texts, size_t *width) {
    char **read = NULL;
    if (count == 0 || count > file->length)
        return FQ_ERR_INPUT;
    FQ_TRY(fq_alloc_zero(&read, count, sizeof *read));
    const hid_t wanted = variable_text_type();
    fq_status status =
        wanted >= 0 && H5Tset_cset(wanted, H5Tget_cset(stored)) >= 0 && H5Aread(attribute, wanted, read) >= 0
            ? FQ_OK
            : FQ_ERR_INPUT;
    if (status == FQ_OK)
        status = gather(file, read, count, texts, width);
    for (size_t i = 0; i < count; i++)
        if (read[i])
            H5free_memory(read[i]);
    fq_free(read);
    fq_h5_close(wanted);
    return status;
}

fq_status fq_h5_read_texts(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                           size_t count, char **texts, size_t *width) {
    if (!fq_h5_has_attribute(where, name))
        return FQ_H5_MALFORMED(file, object, "attribute %.60s is missing", name);
    char *room = NULL;
    hid_t wanted = H5I_INVALID_HID;
    const hid_t attribute = H5Aopen(where, name, H5P_DEFAULT);
    const hid_t stored = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5I_INVALID_HID;
    fq_status status = FQ_ERR_INPUT;
    if (stored >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == (hssize_t)count)
        status = H5Tis_variable_str(stored) > 0 ? read_variable(file, attribute, stored, count, &room, width)
                                                : make_room(file, stored, count, &room, width, &wanted);
    if (status == FQ_OK && wanted >= 0 && H5Aread(attribute, wanted, room) < 0)
        status = FQ_ERR_INPUT;
    fq_h5_close(wanted);
    fq_h5_close(space);
    fq_h5_close(stored);
    fq_h5_close(attribute);
    if (status == FQ_OK) {
        *texts = room;
        return FQ_OK;
    }
    fq_free(room);
    return status == FQ_ERR_MEMORY
               ? status
               : FQ_H5_MALFORMED(file, object, "attribute %.60s is no list of %zu texts", name, count);
}

fq_status fq_h5_write_long_text(hid_t where, const char *name, const char *text) {
    const hid_t type = fq_h5_text_type(strlen(text) + 1), space = H5Screate(H5S_SCALAR),
                creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        dataset = H5Dcreate2(where, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    fq_status status = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0
                           ? FQ_OK
                           : internal("writing a text");
    if (status == FQ_OK) {
        const fq_h5_about about = {"", "", "text, verbatim"};
        status = fq_h5_write_about(dataset, &about);
    }
    fq_h5_close(dataset);
    fq_h5_close(creation);
    fq_h5_close(space);
    fq_h5_close(type);
    return status;
}

fq_status fq_h5_read_long_text(const fq_h5_file *file, hid_t where, const char *object, const char *name,
                               char **text) {
    char *room = NULL;
    size_t width = 0;
    hid_t wanted = H5I_INVALID_HID;
    const hid_t dataset = H5Dopen2(where, name, H5P_DEFAULT);
    const hid_t stored = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    const hid_t space = dataset >= 0 ? H5Dget_space(dataset) : H5I_INVALID_HID;
    fq_status status = FQ_ERR_INPUT;
    if (stored >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1)
        status = make_room(file, stored, 1, &room, &width, &wanted);
    if (status == FQ_OK && (H5Dget_storage_size(dataset) != width - 1 ||
                            H5Dread(dataset, wanted, H5S_ALL, H5S_ALL, H5P_DEFAULT, room) < 0))
        status = FQ_ERR_INPUT;
    fq_h5_close(wanted);
    fq_h5_close(space);
    fq_h5_close(stored);
    fq_h5_close(dataset);
    if (status == FQ_OK) {
        *text = room;
        return FQ_OK;
    }
    fq_free(room);
    return status == FQ_ERR_MEMORY ? status
                                   : FQ_H5_MALFORMED(file, object, "%.60s is no text, or damaged", name);
}
