#include "kv_setup.h"

#include <string.h>

#include "memory.h"

fq_status fq_kv_setup_check(const fq_point *point) {
    fq_treatment treatment;
    return fq_treatment_parse(&treatment, fq_point_text(point, "treatment"));
}

static fq_status make_side(const fq_codec ***codecs, size_t classes, const fq_codec_spec *spec,
                           fq_resources *resources, size_t dim) {
    FQ_TRY(fq_alloc_zero(codecs, classes, sizeof **codecs));
    for (size_t c = 0; c < classes; c++)
        FQ_TRY(fq_resources_codec_class(resources, &(*codecs)[c], spec, dim, c));
    return FQ_OK;
}

fq_status fq_kv_setup_make(fq_kv_setup *setup, const fq_point *point, fq_resources *resources, size_t dim) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const char *value_name = fq_point_text(point, "value_codec");
    fq_codec_spec value_spec = *spec;
    memset(setup, 0, sizeof *setup);
    FQ_TRY(fq_treatment_parse(&setup->treatment, fq_point_text(point, "treatment")));
    if (strcmp(value_name, "same") != 0)
        FQ_TRY(fq_codec_spec_parse(&value_spec, value_name));
    fq_status status = make_side(&setup->key_codecs, fq_treatment_classes(&setup->treatment, FQ_OF_KEYS),
                                 spec, resources, dim);
    if (status == FQ_OK)
        status = make_side(&setup->value_codecs, fq_treatment_classes(&setup->treatment, FQ_OF_VALUES),
                           &value_spec, resources, dim);
    if (status != FQ_OK)
        fq_kv_setup_clear(setup);
    return status;
}

void fq_kv_setup_clear(fq_kv_setup *setup) {
    fq_free(setup->key_codecs);
    fq_free(setup->value_codecs);
    memset(setup, 0, sizeof *setup);
}

double fq_kv_setup_rate(const fq_kv_setup *setup) {
    return 0.5 *
           (fq_codec_get_cost(setup->key_codecs[0]).rate + fq_codec_get_cost(setup->value_codecs[0]).rate);
}

bool fq_kv_setup_is_plain(const fq_kv_setup *setup) {
    const fq_codec_spec *spec = fq_codec_get_spec(setup->key_codecs[0]);
    return setup->key_codecs[0] == setup->value_codecs[0] && setup->treatment.steps == 0 &&
           spec->norm == FQ_NORM_INPUT && spec->rotation == FQ_ROTATION_HAAR;
}
