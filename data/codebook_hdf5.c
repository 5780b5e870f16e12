#include "codebook_hdf5.h"

#include <hdf5.h>

#include "codebook_file.h"

/* HDF5 prints its own stack of errors unless told not to; the caller's setting is put back afterwards. */
typedef struct printing {
    H5E_auto2_t function;
    void *data;
} printing;

static printing silence(void) {
    printing before = {0};
    H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static void restore(printing before) {
    H5Eset_auto2(H5E_DEFAULT, before.function, before.data);
}

fq_status fq_codebook_hdf5_read(fq_codebook *codebook, const char *path) {
    const printing before = silence();
    const fq_status status = fq_codebook_file_read(codebook, path);
    restore(before);
    return status;
}

static fq_status write_file(const char *path, const fq_codebook *codebook) {
    hid_t file = H5I_INVALID_HID;
    FQ_TRY(fq_h5_create(&file));
    fq_status status = fq_h5_write_text(file, "format", "fibquant codebook");
    if (status == FQ_OK)
        status = fq_codebook_dataset_write(file, codebook);
    if (status == FQ_OK)
        return fq_h5_save(file, path);
    fq_h5_close(file);
    return status;
}

fq_status fq_codebook_hdf5_write(const char *path, const fq_codebook *codebook) {
    const printing before = silence();
    const fq_status status = write_file(path, codebook);
    restore(before);
    return status;
}
