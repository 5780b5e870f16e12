/* The digest of what an object holds, in its attribute content_sha256. */
#include <string.h>

#include "hdf5_util.h"
#include "sha256.h"

static const char attribute_name[] = FQ_H5_DIGEST;

fq_status fq_h5_write_digest(hid_t object, const char *hex) {
    return fq_h5_write_text(object, attribute_name, hex);
}

fq_status fq_h5_replace_digest(hid_t object, const char *hex) {
    const hid_t attribute = H5Aopen(object, attribute_name, H5P_DEFAULT),
                type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    const bool good = type >= 0 && H5Tis_variable_str(type) > 0 && H5Awrite(attribute, type, &hex) >= 0;
    fq_h5_close(type);
    fq_h5_close(attribute);
    return good ? FQ_OK
                : FQ_FAIL(FQ_ERR_INTERNAL, attribute_name, "HDF5 to write an attribute that is there");
}

bool fq_h5_has_digest(hid_t object) {
    return fq_h5_has_attribute(object, attribute_name);
}

fq_status fq_h5_check_digest(const fq_h5_file *file, hid_t object, const char *name, const char *found) {
    char stated[FQ_SHA256_HEX];
    if (!fq_h5_has_digest(object))
        return FQ_OK;
    FQ_TRY(fq_h5_read_text(file, object, name, attribute_name, stated, sizeof stated));
    if (strcmp(stated, found) != 0)
        return FQ_H5_MALFORMED(file, name,
                               "%s does not fit the content: damaged, or changed by another program",
                               attribute_name);
    return FQ_OK;
}
