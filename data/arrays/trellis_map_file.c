#include "trellis_map_file.h"

#include <string.h>

#include "hdf5_util.h"

typedef struct number {
    const char *name;
    uint64_t value;
} number;

static fq_status write_numbers(hid_t set, const number *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        FQ_TRY(fq_h5_write_u64(set, numbers[i].name, numbers[i].value));
    return FQ_OK;
}

static fq_status write_columns(hid_t file, const fq_trellis_map *map) {
    static const fq_h5_about about = {"1", "coordinate of a step, bit of a window",
                                      "what each bit of a window adds to a label, over GF(2)"};
    const size_t dims[2] = {map->together, map->window};
    const number numbers[] = {{"fresh", map->fresh},
                              {"together", map->together},
                              {"window", map->window},
                              {"label_bits", map->label_bits}};
    uint8_t columns[FQ_TRELLIS_TOGETHER_MAX * FQ_TRELLIS_WINDOW_MAX];
    for (size_t v = 0; v < map->together; v++)
        memcpy(columns + v * map->window, map->column[v], map->window);
    hid_t set = H5I_INVALID_HID;
    FQ_TRY(
        fq_h5_write_dataset(&set, file, "columns", 2, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, columns, &about));
    fq_status status = write_numbers(set, numbers, sizeof numbers / sizeof numbers[0]);
    if (status == FQ_OK)
        status = fq_h5_write_double(set, "rate", (double)map->fresh / map->together);
    fq_h5_close(set);
    return status;
}

static fq_status write_levels(hid_t file, const fq_trellis_map *map, const fq_trellis_map_about *about) {
    static const fq_h5_about said = {"step", "label", "levels by label"};
    const size_t dims[1] = {(size_t)1 << map->label_bits};
    const number numbers[] = {{"dim", about->dim},
                              {"tries", about->tries},
                              {"distortion_samples", about->samples},
                              {"seed", about->seed},
                              {"evaluations", about->evaluations}};
    hid_t set = H5I_INVALID_HID;
    FQ_TRY(
        fq_h5_write_dataset(&set, file, "levels", 1, dims, H5T_STD_I8LE, H5T_NATIVE_INT8, map->level, &said));
    fq_status status = write_numbers(set, numbers, sizeof numbers / sizeof numbers[0]);
    if (status == FQ_OK)
        status = fq_h5_write_double(set, "step", map->step);
    if (status == FQ_OK)
        status = fq_h5_write_double(set, "distortion", about->distortion);
    if (status == FQ_OK)
        status = fq_h5_write_double(set, "distortion_se", about->distortion_se);
    fq_h5_close(set);
    return status;
}

fq_status fq_trellis_map_file_write(const char *path, const fq_trellis_map *map,
                                    const fq_trellis_map_about *about, const fq_provenance *provenance) {
    hid_t file = H5I_INVALID_HID;
    FQ_TRY(fq_h5_create(&file));
    fq_status status = fq_h5_write_text(file, "format", "fibquant trellis map");
    if (status == FQ_OK)
        status = write_columns(file, map);
    if (status == FQ_OK)
        status = write_levels(file, map, about);
    if (status == FQ_OK && provenance)
        status = fq_provenance_write(provenance, file);
    if (status == FQ_OK)
        return fq_h5_save(file, path);
    fq_h5_close(file);
    return status;
}
