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

fq_status fq_codebook_hdf5_write(const char *path, const fq_codebook *codebook) {
    const printing before = silence();
    const fq_status status = fq_codebook_file_write(path, codebook, NULL);
    restore(before);
    return status;
}
