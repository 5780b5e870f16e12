/* The table of experiments, and a point's values by name. */
#include "experiment.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "failure.h"
#include "sweep_plan.h"

#define FQ_EXPERIMENT(name) extern const fq_experiment fq_experiment_##name;
#include "experiments.def"
#undef FQ_EXPERIMENT

static const fq_experiment *const experiments[] = {
#define FQ_EXPERIMENT(name) &fq_experiment_##name,
#include "experiments.def"
#undef FQ_EXPERIMENT
};

size_t fq_experiment_count(void) {
    return sizeof experiments / sizeof experiments[0];
}

const fq_experiment *fq_experiment_get(size_t i) {
    return i < fq_experiment_count() ? experiments[i] : NULL;
}

const fq_experiment *fq_experiment_find(const char *name) {
    for (size_t i = 0; i < fq_experiment_count(); i++)
        if (strcmp(experiments[i]->name, name) == 0)
            return experiments[i];
    return NULL;
}

static const fq_point_value *find(const fq_point *point, const char *name, fq_parameter_type *type) {
    const fq_parameter *parameters = point->experiment->parameters;
    for (size_t i = 0; i < point->parameter_count; i++)
        if (strcmp(parameters[i].name, name) == 0) {
            *type = parameters[i].type;
            return point->values[i];
        }
    assert(false && "a parameter of the experiment");
    return NULL;
}

int64_t fq_point_integer(const fq_point *point, const char *name) {
    fq_parameter_type type;
    const fq_point_value *value = find(point, name, &type);
    assert(type == FQ_PARAMETER_INTEGER);
    (void)type;
    return value->integer;
}

size_t fq_point_size(const fq_point *point, const char *name) {
    const int64_t value = fq_point_integer(point, name);
    assert(value >= 0);
    return (size_t)value;
}

double fq_point_real(const fq_point *point, const char *name) {
    fq_parameter_type type;
    const fq_point_value *value = find(point, name, &type);
    assert(type == FQ_PARAMETER_INTEGER || type == FQ_PARAMETER_REAL);
    (void)type;
    return value->real;
}

const char *fq_point_text(const fq_point *point, const char *name) {
    fq_parameter_type type;
    return find(point, name, &type)->text;
}

const fq_codec_spec *fq_point_codec(const fq_point *point, const char *name) {
    fq_parameter_type type;
    const fq_point_value *value = find(point, name, &type);
    assert(type == FQ_PARAMETER_CODEC);
    (void)type;
    return value->codec;
}

fq_status fq_point_fail_codec(const char *key) {
    char line[FQ_FAILURE_LINE_MAX];
    if (fq_error_last()->status == FQ_ERR_MEMORY)
        return FQ_ERR_MEMORY;
    fq_failure_line(line, fq_error_last());
    return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"%s\": %s", key, line);
}

fq_status fq_point_check_codec(const char *key, const fq_codec_spec *spec, size_t dim) {
    fq_codec_cost cost;
    return fq_codec_plan(&cost, spec, dim) == FQ_OK ? FQ_OK : fq_point_fail_codec(key);
}

fq_status fq_point_check_pair(const fq_point *point, size_t dim) {
    fq_codec_spec value = *fq_point_codec(point, "codec");
    if (dim)
        FQ_TRY(fq_point_check_codec("codec", &value, dim));
    const char *name = fq_point_text(point, "value_codec");
    if (strcmp(name, "same") == 0)
        return FQ_OK;
    if (fq_codec_spec_parse(&value, name) != FQ_OK)
        return fq_point_fail_codec("value_codec");
    return dim ? fq_point_check_codec("value_codec", &value, dim) : FQ_OK;
}

const char *fq_point_file(const fq_point *point, const char *name) {
    fq_parameter_type type;
    const fq_point_value *value = find(point, name, &type);
    assert(type == FQ_PARAMETER_FILE);
    (void)type;
    return value->text;
}

const char *fq_point_file_sha256(const fq_point *point, const char *name) {
    static const char prefix[] = "sha256:";
    fq_parameter_type type;
    const fq_point_value *value = find(point, name, &type);
    assert(type == FQ_PARAMETER_FILE);
    (void)type;
    const bool known = strncmp(value->identity, prefix, sizeof prefix - 1) == 0;
    return known ? value->identity + sizeof prefix - 1 : "";
}

uint64_t fq_point_seed(const fq_point *point) {
    return fq_point_replicate_seed(point->manifest_seed, point->replicate);
}
