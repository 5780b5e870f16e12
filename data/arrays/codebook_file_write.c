/* Whole files, with where their content is from. */
#include "codebook_file.h"

fq_status fq_codebook_file_write(const char *path, const fq_codebook *codebook,
                                 const fq_provenance *provenance) {
    hid_t file = H5I_INVALID_HID;
    FQ_TRY(fq_h5_create(&file));
    fq_status status = fq_h5_write_text(file, "format", "fibquant codebook");
    if (status == FQ_OK)
        status = fq_codebook_dataset_write(file, codebook);
    if (status == FQ_OK && provenance)
        status = fq_provenance_write(provenance, file);
    if (status == FQ_OK)
        return fq_h5_save(file, path);
    fq_h5_close(file);
    return status;
}
