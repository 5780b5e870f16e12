#include "distributed_runs.h"

#include <math.h>

#include "failure.h"
#include "memory.h"

fq_status fq_point_compressor(fq_compressor **compressor, const fq_point *point, const char *parameter,
                              fq_resources *resources, size_t dim) {
    const char *name = fq_point_text(point, parameter);
    const fq_codebook *codebook = NULL;
    fq_codec_spec spec;
    fq_codec_description about;
    if (fq_compressor_is_codec(&spec, name)) {
        FQ_TRY(fq_codec_describe(&about, &spec, dim));
        if (about.trained)
            FQ_TRY(fq_resources_codebook(resources, &codebook, &about.training));
    }
    return fq_compressor_create(compressor, name, dim, codebook);
}

fq_status fq_point_check_compressor(const fq_point *point, const char *parameter, size_t dim) {
    char why[FQ_ERROR_LINE_MAX];
    if (fq_compressor_check(fq_point_text(point, parameter), dim) == FQ_OK)
        return FQ_OK;
    fq_error_text(why, sizeof why, fq_error_last());
    return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"%s\": \"%s\" for vectors of %zu coordinates: %s", parameter,
                        fq_point_text(point, parameter), dim, why);
}

void fq_cost_add_compressor(fq_point_cost *cost, const fq_point *point, const char *parameter, size_t dim,
                            double vectors) {
    fq_codec_spec spec;
    const double d = (double)dim;
    if (!fq_compressor_is_codec(&spec, fq_point_text(point, parameter))) {
        cost->seconds += vectors * 2e-8 * d;
        return;
    }
    cost->seconds += vectors * (8e-9 * d * d + fq_cost_encoding(&spec)) +
                     FQ_COMPRESSOR_CALIBRATION * (2e-6 + fq_cost_encoding(&spec));
    fq_cost_add_codec(cost, &spec, dim);
}

size_t fq_checkpoint_next(size_t round, size_t last) {
    const size_t next = round + 1 + round / 5;
    return next < last ? next : last;
}

size_t fq_checkpoint_count(size_t last) {
    size_t count = 1;
    for (size_t round = 0; round < last; round = fq_checkpoint_next(round, last))
        count++;
    return count;
}

fq_status fq_runs_init(fq_runs *r, size_t runs, size_t checkpoints) {
    r->runs = runs;
    r->checkpoints = checkpoints;
    FQ_TRY(fq_alloc(&r->value, runs * checkpoints, sizeof *r->value));
    for (size_t i = 0; i < runs * checkpoints; i++)
        r->value[i] = (double)NAN;
    return FQ_OK;
}

void fq_runs_clear(fq_runs *r) {
    fq_free(r->value);
    r->value = NULL;
}

void fq_runs_set(fq_runs *r, size_t checkpoint, size_t run, double value) {
    r->value[checkpoint * r->runs + run] = value;
}

fq_estimate fq_runs_mean(const fq_runs *r, size_t checkpoint) {
    return fq_estimate_of(r->value + checkpoint * r->runs, r->runs);
}
