/* The codecs and the treatment that a point of an experiment names, as a KV store takes them: parameters
 * codec, value_codec (a codec's name, or "same"), treatment and calibration. */
#ifndef FQ_KV_SETUP_H
#define FQ_KV_SETUP_H

#include "experiment.h"
#include "kv_store.h"
#include "moments.h"

/* The parameter of every such experiment. */
#define FQ_CALIBRATION_PARAMETER                                                                             \
    {                                                                                                        \
        .name = "calibration", .type = FQ_PARAMETER_FILE, .fallback = "",                                    \
        .description = "another cache of the model, or the model: whose moments matrix:from=given takes"     \
    }

typedef struct fq_kv_setup {
    fq_treatment treatment;
    const fq_codec **key_codecs, **value_codecs; /* as many as the treatment has classes */
    const fq_moments *moments;                   /* of the calibration; NULL: none. The resources'. */
} fq_kv_setup;

/* Whether the point's names can be read; for an experiment's check. */
FQ_MUST_CHECK fq_status fq_kv_setup_check(const fq_point *point);

/* Heads of dimension dim. The codecs are the resources'. On failure nothing is to be cleared. */
FQ_MUST_CHECK fq_status fq_kv_setup_make(fq_kv_setup *setup, const fq_point *point, fq_resources *resources,
                                         size_t dim);

/* What the heads of a layer are given; NULL where there is no calibration. */
const fq_head_moments *fq_kv_setup_given(const fq_kv_setup *setup, fq_treatment_side side, size_t layer);

/* FQ_ERR_INPUT, naming the file, where the calibration is of a model of another shape or encoding. */
FQ_MUST_CHECK fq_status fq_kv_setup_check_moments(const fq_kv_setup *setup, const fq_point *point,
                                                  size_t layers, size_t heads, size_t dim,
                                                  const fq_rope *rope);
void fq_kv_setup_clear(fq_kv_setup *setup); /* accepts a struct of zeros */

/* Payload bits a coordinate, mean of keys and values. */
double fq_kv_setup_rate(const fq_kv_setup *setup);

/* One codec for both sides, no treatment, Haar rotation and the norm as it is: as published. */
bool fq_kv_setup_is_plain(const fq_kv_setup *setup);

#endif
