#include "code_makers.h"

#include <stdatomic.h>

static fq_status missing(const char *what, const char *instead) {
    return FQ_FAIL(FQ_ERR_UNSUPPORTED, what, instead);
}

static const char instead_of_training[] =
    "a codebook given in fq_codec_parts, or libfibquant_training and fq_training_install()";
static const char only_training[] =
    "codes that libfibquant has, or libfibquant_training and fq_training_install()";

static fq_status no_codebook(fq_codebook *codebook, const fq_train_options *options) {
    (void)codebook, (void)options;
    return missing("codebook", instead_of_training);
}

static fq_status no_levels(float *levels, double *distortion, size_t dim, size_t count) {
    (void)levels, (void)distortion, (void)dim, (void)count;
    return missing("levels", instead_of_training);
}

static fq_status no_samples(float *x, size_t dim, size_t block, uint64_t seed, size_t n) {
    (void)x, (void)dim, (void)block, (void)seed, (void)n;
    return missing("scale of the lattice", only_training);
}

static fq_status no_map(fq_trellis_map *map) {
    (void)map;
    return missing("map of the trellis code", only_training);
}

static const fq_code_makers none = {no_codebook, no_levels, no_samples, no_map};
static _Atomic(const fq_code_makers *) installed = &none;

void fq_code_makers_set(const fq_code_makers *makers) {
    atomic_store(&installed, makers ? makers : &none);
}

const fq_code_makers *fq_code_makers_get(void) {
    return atomic_load(&installed);
}
