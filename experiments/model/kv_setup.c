#include "kv_setup.h"

#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "sha256.h"

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

static fq_status moments_make(void **object, size_t *bytes, void *context) {
    fq_moments *m = NULL;
    FQ_TRY(fq_alloc_zero(&m, 1, sizeof *m));
    const fq_status status = fq_moments_load(m, context);
    if (status != FQ_OK) {
        fq_free(m);
        return status;
    }
    *bytes = m->layers * m->heads * 3 * m->dim * m->dim * sizeof(float);
    *object = m;
    return FQ_OK;
}

static void moments_destroy(void *object) {
    fq_moments_clear(object);
    fq_free(object);
}

static fq_status get_moments(fq_kv_setup *setup, const fq_point *point, fq_resources *resources) {
    static const fq_resource_kind kind = {moments_make, moments_destroy};
    const char *path = fq_point_file(point, "calibration");
    char key[128], hash[FQ_SHA256_HEX];
    const void *object = NULL;
    if (!path[0])
        return FQ_OK;
    FQ_TRY(fq_sha256_file(hash, path));
    snprintf(key, sizeof key, "moments:%s", hash);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, (void *)(uintptr_t)path));
    setup->moments = object;
    return FQ_OK;
}

const fq_head_moments *fq_kv_setup_given(const fq_kv_setup *setup, fq_treatment_side side, size_t layer) {
    const fq_moments *m = setup->moments;
    return m ? (side == FQ_OF_KEYS ? m->keys : m->values) + layer * m->heads : NULL;
}

fq_status fq_kv_setup_check_moments(const fq_kv_setup *setup, const fq_point *point, size_t layers,
                                    size_t heads, size_t dim, const fq_rope *rope) {
    const fq_moments *m = setup->moments;
    if (!m)
        return FQ_OK;
    const bool same_rope = rope && rope->base == m->rope.base &&
                           (rope->base == 0.0 || !rope->interleaved == !m->rope.interleaved);
    if (m->layers == layers && m->heads == heads && m->dim == dim && same_rope)
        return FQ_OK;
    return FQ_FAIL_TEXT(
        FQ_ERR_INPUT,
        "%s: %zu layers of %zu heads of dimension %zu; key \"calibration\" must be of a model "
        "with %zu, %zu, %zu and the same position encoding",
        fq_point_file(point, "calibration"), m->layers, m->heads, m->dim, layers, heads, dim);
}

fq_status fq_kv_setup_make(fq_kv_setup *setup, const fq_point *point, fq_resources *resources, size_t dim) {
    const fq_codec_spec *spec = fq_point_codec(point, "codec");
    const char *value_name = fq_point_text(point, "value_codec");
    fq_codec_spec value_spec = *spec;
    memset(setup, 0, sizeof *setup);
    FQ_TRY(fq_treatment_parse(&setup->treatment, fq_point_text(point, "treatment")));
    if (strcmp(value_name, "same") != 0)
        FQ_TRY(fq_codec_spec_parse(&value_spec, value_name));
    FQ_TRY(get_moments(setup, point, resources));
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
