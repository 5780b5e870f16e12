#include "code_makers.h"
#include "codebook_training.h"
#include "memory.h"
#include "scalar_quantizer.h"
#include "threads.h"
#include "threads_openmp.h"
#include "trellis_search.h"

static fq_status scalar_levels(float *levels, double *distortion, size_t dim, size_t count) {
    fq_scalar_quantizer quantizer = {0};
    FQ_TRY(fq_scalar_quantizer_init(&quantizer, dim, count));
    for (size_t i = 0; i < count; i++)
        levels[i] = (float)quantizer.level[i];
    *distortion = quantizer.distortion;
    fq_scalar_quantizer_clear(&quantizer);
    return FQ_OK;
}

static fq_status samples(float *x, size_t dim, size_t block, uint64_t seed, size_t n) {
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, block));
    fq_source_sample(&source, seed, FQ_PURPOSE_TRAIN, 0, n, x);
    return FQ_OK;
}

static fq_status trellis_map(fq_trellis_map *map) {
    const fq_trellis_plan plan = {.fresh = map->fresh,
                                  .together = map->together,
                                  .window = map->window,
                                  .label_bits = map->label_bits,
                                  .seed = 1,
                                  .evaluations = 200,
                                  .samples = 256,
                                  .tries = 1,
                                  .training = 2048};
    return fq_trellis_find_map(map, &plan, NULL);
}

void fq_training_install(void) {
    static const fq_code_makers makers = {fq_codebook_train, scalar_levels, samples, trellis_map};
    fq_code_makers_set(&makers);
    fq_threads_use_openmp();
}
