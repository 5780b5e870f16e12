#include "sweep_plan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "sha256.h"

#define FILE_IDENTITY "sha256:"

static size_t parameter_count(const fq_experiment *experiment) {
    size_t n = 0;
    while (experiment->parameters && experiment->parameters[n].name)
        n++;
    return n;
}

static size_t parameter_find(const fq_experiment *experiment, const char *name) {
    const size_t n = parameter_count(experiment);
    size_t i = 0;
    while (i < n && strcmp(experiment->parameters[i].name, name) != 0)
        i++;
    return i;
}

bool fq_plan_accepts(const char *experiment, const char *key, void *unused) {
    (void)unused;
    const fq_experiment *e = fq_experiment_find(experiment);
    return e && parameter_find(e, key) < parameter_count(e);
}

/* Lists of names for messages, "a, b, c", cut to fit. */
static void join(char *list, size_t room, const char *name) {
    const size_t used = strlen(list);
    if (used + strlen(name) + 3 < room)
        snprintf(list + used, room - used, "%s%s", used ? ", " : "", name);
}

/* Values ------------------------------------------------------------------------------------- */

static fq_status copy(fq_arena *arena, const char **to, const char *text) {
    return fq_arena_text(arena, to, text, strlen(text));
}

static fq_status refuse(fq_status blame, const char *where, const fq_parameter *parameter, const char *text,
                        const char *allowed) {
    return FQ_FAIL_TEXT(blame, "%s: key \"%s\": \"%.100s\" is not allowed; allowed: %s", where,
                        parameter->name, text, allowed);
}

static fq_status resolve_number(fq_arena *arena, const fq_parameter *parameter, const char *text,
                                const char *where, fq_status blame, fq_point_value *value) {
    const bool whole = parameter->type == FQ_PARAMETER_INTEGER;
    char allowed[120], canonical[40];
    char *end = NULL;
    const double number = strtod(text, &end);
    const bool decimal = strspn(text, "+-.0123456789eE") == strlen(text); /* no hex, inf or nan */
    if (end == text || *end || !decimal || !isfinite(number) || !(number >= parameter->least) ||
        !(number <= parameter->most) ||
        (whole && (number != floor(number) || fabs(number) > 9007199254740992.0))) {
        snprintf(allowed, sizeof allowed, "a %s number in %.15g..%.15g", whole ? "whole" : "finite",
                 parameter->least, parameter->most);
        return refuse(blame, where, parameter, text, allowed);
    }
    if (whole) {
        value->integer = (int64_t)number;
        snprintf(canonical, sizeof canonical, "%" PRId64, value->integer);
    } else {
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(canonical, sizeof canonical, "%.*g", digits, number);
            if (strtod(canonical, NULL) == number)
                break;
        }
    }
    value->real = number;
    return copy(arena, &value->text, canonical);
}

static bool is_alternative(const char *alternatives, const char *text) {
    const size_t length = strlen(text);
    for (const char *at = alternatives; at && *at;) {
        const size_t n = strcspn(at, "|");
        if (n == length && strncmp(at, text, n) == 0)
            return true;
        at += n + (at[n] == '|');
    }
    return false;
}

static fq_status resolve_codec(fq_arena *arena, const fq_parameter *parameter, const char *text,
                               const char *where, fq_status blame, fq_point_value *value) {
    char canonical[FQ_SPEC_TEXT_MAX], why[FQ_FAILURE_LINE_MAX];
    fq_codec_spec *spec = NULL;
    FQ_TRY(fq_arena_alloc(arena, &spec, 1, sizeof *spec));
    fq_status status = fq_codec_spec_parse(spec, text);
    if (status == FQ_OK)
        status = fq_codec_spec_format(canonical, spec);
    if (status == FQ_ERR_MEMORY)
        return status;
    if (status != FQ_OK) {
        fq_failure_line(why, fq_error_last());
        return FQ_FAIL_TEXT(blame, "%s: key \"%s\": \"%.100s\": %.400s", where, parameter->name, text, why);
    }
    value->codec = spec;
    return copy(arena, &value->text, canonical);
}

static fq_status resolve_file(fq_arena *arena, const fq_parameter *parameter, const char *text,
                              const char *folder, const char *where, fq_status blame, fq_point_value *value) {
    char path[4096 + FQ_MANIFEST_TEXT_MAX], digest[FQ_POINT_ID_TEXT], identity[80];
    const bool relative = text[0] != '/' && folder[0];
    snprintf(path, sizeof path, "%s%s%s", relative ? folder : "", relative ? "/" : "", text);
    fq_input_file *file = NULL;
    FQ_TRY(fq_arena_alloc(arena, &file, 1, sizeof *file));
    const fq_status status = fq_input_file_take(file, digest, path);
    if (status == FQ_ERR_MEMORY)
        return status;
    if (status != FQ_OK) {
        char why[FQ_FAILURE_LINE_MAX];
        fq_failure_line(why, fq_error_last());
        return FQ_FAIL_TEXT(blame, "%s: key \"%s\": %.500s", where, parameter->name, why);
    }
    snprintf(identity, sizeof identity, FILE_IDENTITY "%s", digest);
    value->file = file;
    FQ_TRY(copy(arena, &value->text, path));
    return copy(arena, &value->identity, identity);
}

fq_status fq_plan_resolve(fq_arena *arena, const fq_parameter *parameter, const char *text,
                          const char *folder, const char *where, fq_status blame, fq_point_value *value) {
    memset(value, 0, sizeof *value);
    switch (parameter->type) {
    case FQ_PARAMETER_INTEGER:
    case FQ_PARAMETER_REAL:
        FQ_TRY(resolve_number(arena, parameter, text, where, blame, value));
        break;
    case FQ_PARAMETER_TEXT:
        if (parameter->allowed && !is_alternative(parameter->allowed, text))
            return refuse(blame, where, parameter, text, parameter->allowed);
        FQ_TRY(copy(arena, &value->text, text));
        break;
    case FQ_PARAMETER_CODEC:
        FQ_TRY(resolve_codec(arena, parameter, text, where, blame, value));
        break;
    case FQ_PARAMETER_FILE:
        if (!text[0]) { /* a fallback of "": no file */
            FQ_TRY(copy(arena, &value->text, ""));
            break;
        }
        FQ_TRY(resolve_file(arena, parameter, text, folder, where, blame, value));
        break;
    }
    if (!value->identity)
        value->identity = value->text;
    return FQ_OK;
}

/* Blocks ------------------------------------------------------------------------------------- */

typedef struct builder {
    fq_plan *plan;
    const fq_manifest *manifest;
    char folder[4096]; /* of the manifest */
} builder;

static fq_status unknown_experiment(const builder *b, const fq_manifest_block *block) {
    char where[FQ_MANIFEST_WHERE_MAX], list[400] = "";
    fq_manifest_where(where, b->manifest, block->line);
    for (size_t i = 0; i < fq_experiment_count(); i++)
        join(list, sizeof list, fq_experiment_get(i)->name);
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: key \"experiment\": no experiment \"%.64s\"; allowed: %s", where,
                        block->experiment, list);
}

static fq_status unknown_parameter(const builder *b, const fq_experiment *experiment,
                                   const fq_manifest_axis *axis) {
    char where[FQ_MANIFEST_WHERE_MAX], list[500] = "";
    fq_manifest_where(where, b->manifest, axis->line);
    for (size_t i = 0; i < parameter_count(experiment); i++)
        join(list, sizeof list, experiment->parameters[i].name);
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: key \"%.64s\": no parameter of experiment %s; allowed: %s", where,
                        axis->name, experiment->name, list);
}

/* Where a parameter's values come from: an axis of a group, or one fallback for all points. */
typedef struct source {
    size_t group; /* SIZE_MAX: the fallback */
    fq_point_value *values;
} source;

static fq_status resolve_axis(builder *b, const fq_parameter *parameter, const fq_manifest_axis *axis,
                              fq_point_value **values) {
    FQ_TRY(fq_arena_alloc(&b->plan->arena, values, axis->count, sizeof **values));
    for (size_t i = 0; i < axis->count; i++) {
        char where[FQ_MANIFEST_WHERE_MAX];
        const int line = axis->values[i].line;
        fq_manifest_where(where, b->manifest, line);
        FQ_TRY(fq_plan_resolve(&b->plan->arena, parameter, axis->values[i].text, line ? b->folder : "", where,
                               line ? FQ_ERR_INPUT : FQ_ERR_USAGE, &(*values)[i]));
    }
    return FQ_OK;
}

static fq_status find_sources(builder *b, const fq_manifest_block *block, const fq_experiment *experiment,
                              source *sources) {
    const size_t parameters = parameter_count(experiment);
    for (size_t p = 0; p < parameters; p++)
        sources[p] = (source){SIZE_MAX, NULL};
    for (size_t g = 0; g < block->group_count; g++)
        for (size_t a = 0; a < block->groups[g].axis_count; a++) {
            const fq_manifest_axis *axis = &block->groups[g].axes[a];
            const size_t p = parameter_find(experiment, axis->name);
            if (p == parameters)
                return unknown_parameter(b, experiment, axis);
            sources[p].group = g;
            FQ_TRY(resolve_axis(b, &experiment->parameters[p], axis, &sources[p].values));
        }
    for (size_t p = 0; p < parameters; p++) {
        const fq_parameter *parameter = &experiment->parameters[p];
        if (sources[p].values)
            continue;
        char where[FQ_MANIFEST_WHERE_MAX];
        fq_manifest_where(where, b->manifest, block->line);
        if (!parameter->fallback)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: key \"%s\": missing, experiment %s needs it; allowed: %s",
                                where, parameter->name, experiment->name, parameter->description);
        FQ_TRY(fq_arena_alloc(&b->plan->arena, &sources[p].values, 1, sizeof *sources[p].values));
        FQ_TRY(fq_plan_resolve(&b->plan->arena, parameter, parameter->fallback, "", where, FQ_ERR_INTERNAL,
                               sources[p].values));
    }
    return FQ_OK;
}

static fq_status add_point(builder *b, const fq_manifest_block *block, const fq_experiment *experiment,
                           const source *sources, size_t i, size_t *chosen, fq_identity_pair *pairs) {
    fq_point *point = &b->plan->points[b->plan->count];
    point->experiment = experiment;
    point->parameter_count = parameter_count(experiment);
    fq_manifest_point(block, i, chosen, &point->manifest_seed, &point->replicate);
    FQ_TRY(fq_arena_alloc(&b->plan->arena, &point->values, point->parameter_count, sizeof *point->values));
    for (size_t p = 0; p < point->parameter_count; p++) {
        const source *s = &sources[p];
        point->values[p] = &s->values[s->group == SIZE_MAX ? 0 : chosen[s->group]];
        pairs[p] = (fq_identity_pair){experiment->parameters[p].name, point->values[p]->identity};
    }
    if (experiment->check) {
        const fq_status status = experiment->check(point);
        if (status == FQ_ERR_MEMORY)
            return status;
        if (status != FQ_OK) {
            char where[FQ_MANIFEST_WHERE_MAX], why[FQ_FAILURE_LINE_MAX];
            fq_failure_line(why, fq_error_last());
            fq_manifest_where(where, b->manifest, block->line);
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %.600s", where, why);
        }
    }
    FQ_TRY(fq_point_identity(point->id, experiment->name, experiment->version, point->manifest_seed,
                             point->replicate, pairs, point->parameter_count));
    b->plan->count++;
    return FQ_OK;
}

static fq_status add_block(builder *b, const fq_manifest_block *block) {
    const fq_experiment *experiment = fq_experiment_find(block->experiment);
    if (!experiment)
        return unknown_experiment(b, block);
    const size_t parameters = parameter_count(experiment);
    source *sources = NULL;
    size_t *chosen = NULL;
    fq_identity_pair *pairs = NULL;
    size_t points = 0;
    FQ_TRY(fq_arena_alloc(&b->plan->arena, &sources, parameters, sizeof *sources));
    FQ_TRY(fq_arena_alloc(&b->plan->arena, &chosen, block->group_count, sizeof *chosen));
    FQ_TRY(fq_arena_alloc(&b->plan->arena, &pairs, parameters, sizeof *pairs));
    FQ_TRY(find_sources(b, block, experiment, sources));
    FQ_TRY(fq_manifest_block_points(&points, b->manifest, block));
    for (size_t i = 0; i < points; i++)
        FQ_TRY(add_point(b, block, experiment, sources, i, chosen, pairs));
    return FQ_OK;
}

/* Duplicates --------------------------------------------------------------------------------- */

typedef struct sortable {
    const fq_point *point;
    size_t place;
} sortable;

static int by_id(const void *a, const void *b) {
    const sortable *x = a, *y = b;
    const int order = strcmp(x->point->id, y->point->id);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static fq_status drop_duplicates(fq_plan *plan) {
    sortable *sorted = NULL;
    FQ_TRY(fq_alloc(&sorted, plan->count, sizeof *sorted));
    for (size_t i = 0; i < plan->count; i++)
        sorted[i] = (sortable){&plan->points[i], i};
    if (plan->count)
        qsort(sorted, plan->count, sizeof *sorted, by_id);
    for (size_t i = 1; i < plan->count; i++)
        if (strcmp(sorted[i].point->id, sorted[i - 1].point->id) == 0)
            plan->points[sorted[i].place].experiment = NULL; /* marked; the ids stay comparable */
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->points[i].experiment)
            plan->points[kept++] = plan->points[i];
    plan->duplicates = plan->count - kept;
    plan->count = kept;
    fq_free(sorted);
    return FQ_OK;
}

static fq_status build(builder *b) {
    size_t points = 0;
    FQ_TRY(fq_manifest_points(&points, b->manifest));
    FQ_TRY(fq_arena_alloc(&b->plan->arena, &b->plan->points, points, sizeof *b->plan->points));
    for (size_t i = 0; i < b->manifest->block_count; i++)
        FQ_TRY(add_block(b, &b->manifest->blocks[i]));
    return drop_duplicates(b->plan);
}

fq_status fq_plan_create(fq_plan *plan, const fq_manifest *manifest) {
    fq_plan p = {0};
    builder b = {.plan = &p, .manifest = manifest};
    const char *slash = strrchr(manifest->path, '/');
    if (slash)
        snprintf(b.folder, sizeof b.folder, "%.*s", (int)(slash - manifest->path), manifest->path);
    if (slash == manifest->path)
        snprintf(b.folder, sizeof b.folder, "/.");
    const fq_status status = build(&b);
    if (status == FQ_OK)
        *plan = p;
    else
        fq_plan_clear(&p);
    return status;
}

fq_status fq_point_check_files(const fq_point *point) {
    for (size_t p = 0; p < point->parameter_count; p++) {
        const fq_point_value *value = point->values[p];
        if (value->file)
            FQ_TRY(fq_input_file_check(value->file, value->identity + strlen(FILE_IDENTITY), value->text));
    }
    return FQ_OK;
}

void fq_plan_shard(fq_plan *plan, size_t part, size_t parts) {
    size_t kept = 0;
    for (size_t i = part - 1; i < plan->count; i += parts)
        plan->points[kept++] = plan->points[i];
    plan->count = kept;
}

void fq_plan_clear(fq_plan *plan) {
    fq_arena_clear(&plan->arena);
    memset(plan, 0, sizeof *plan);
}

void fq_point_label(char label[FQ_POINT_LABEL_MAX], const fq_point *point) {
    size_t used = (size_t)snprintf(label, FQ_POINT_LABEL_MAX, "%s", point->experiment->name);
    for (size_t p = 0; p < point->parameter_count && used < FQ_POINT_LABEL_MAX - 1; p++)
        used += (size_t)snprintf(label + used, FQ_POINT_LABEL_MAX - used, "%s%s=%s", p ? ", " : ": ",
                                 point->experiment->parameters[p].name, point->values[p]->text);
    if (used < FQ_POINT_LABEL_MAX - 1)
        snprintf(label + used, FQ_POINT_LABEL_MAX - used, ", seed=%" PRIu64 ", replicate=%zu",
                 point->manifest_seed, point->replicate);
}
