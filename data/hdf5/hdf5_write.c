/* The writing half of hdf5_util.h. HDF5 works in memory alone: no full disk and no kill can catch it
 * in the middle of something. */
#include <string.h>

#include "atomic_file.h"
#include "failure.h"
#include "hdf5_util.h"
#include "memory.h"

enum { IMAGE_STEP = 1 << 20 };

static fq_status internal(const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: %s failed", what);
}

void fq_h5_close(hid_t id) {
    if (id >= 0)
        H5Idec_ref(id);
}

fq_status fq_h5_create(hid_t *file) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t made = H5I_INVALID_HID;
    if (access >= 0 && creation >= 0 && H5Pset_fapl_core(access, IMAGE_STEP, false) >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0)
        made = H5Fcreate("fibquant in memory", H5F_ACC_TRUNC, creation, access);
    fq_h5_close(creation);
    fq_h5_close(access);
    if (made < 0)
        return internal("making a file in memory");
    *file = made;
    return FQ_OK;
}

fq_status fq_h5_save(hid_t file, const char *path) {
    unsigned char *bytes = NULL;
    fq_status status = FQ_OK;
    ssize_t size = -1;
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 || (size = H5Fget_file_image(file, NULL, 0)) <= 0)
        status = internal("measuring the file");
    if (status == FQ_OK)
        status = fq_alloc(&bytes, (size_t)size, 1);
    if (status == FQ_OK && H5Fget_file_image(file, bytes, (size_t)size) != size)
        status = internal("copying the file");
    fq_h5_close(file);
    if (status == FQ_OK)
        status = fq_atomic_file_write(path, bytes, (size_t)size);
    fq_free(bytes);
    return status;
}

fq_status fq_h5_create_group(hid_t *group, hid_t where, const char *name) {
    const hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    hid_t made = H5I_INVALID_HID;
    if (creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        made = H5Gcreate2(where, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    fq_h5_close(creation);
    if (made < 0)
        return internal("making a group");
    *group = made;
    return FQ_OK;
}

static fq_status write_attribute(hid_t where, const char *name, hid_t disk_type, hid_t memory_type,
                                 const void *value) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute =
        space >= 0 ? H5Acreate2(where, name, disk_type, space, H5P_DEFAULT, H5P_DEFAULT) : H5I_INVALID_HID;
    const bool good = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    fq_h5_close(attribute);
    fq_h5_close(space);
    return good ? FQ_OK : internal("writing an attribute");
}

/* Variable-length strings, because h5py gives those to its user as str and fixed ones as bytes. */
fq_status fq_h5_write_text(hid_t where, const char *name, const char *text) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        fq_h5_close(type);
        return internal("making a text type");
    }
    const fq_status status = write_attribute(where, name, type, type, &text);
    fq_h5_close(type);
    return status;
}

fq_status fq_h5_write_u64(hid_t where, const char *name, uint64_t value) {
    return write_attribute(where, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

fq_status fq_h5_write_double(hid_t where, const char *name, double value) {
    return write_attribute(where, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

fq_status fq_h5_write_about(hid_t dataset, const fq_h5_about *about) {
    FQ_TRY(fq_h5_write_text(dataset, "units", about->units));
    FQ_TRY(fq_h5_write_text(dataset, "axes", about->axes));
    return fq_h5_write_text(dataset, "description", about->description);
}

fq_status fq_h5_write_dataset(hid_t *dataset, hid_t where, const char *name, int rank, const size_t *dims,
                              hid_t disk_type, hid_t memory_type, const void *data,
                              const fq_h5_about *about) {
    hsize_t extent[4] = {0};
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        extent[i] = dims[i];
        empty = empty || dims[i] == 0;
    }
    const hid_t space = H5Screate_simple(rank, extent, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t made = H5I_INVALID_HID;
    if (space >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        made = H5Dcreate2(where, name, disk_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    fq_status status = made >= 0 ? FQ_OK : internal("making a dataset");
    if (status == FQ_OK && !empty && H5Dwrite(made, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        status = internal("writing a dataset");
    if (status == FQ_OK)
        status = fq_h5_write_about(made, about);
    fq_h5_close(creation);
    fq_h5_close(space);
    if (status == FQ_OK && dataset)
        *dataset = made;
    else
        fq_h5_close(made);
    return status;
}
