#include "sweep_cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "kv_cache_file.h"
#include "memory.h"

void fq_cost_add_codec(fq_point_cost *cost, const fq_codec_spec *spec, size_t dim) {
    fq_codec_description about;
    if (cost->training_count < FQ_COST_TRAININGS_MAX && fq_codec_describe(&about, spec, dim) == FQ_OK &&
        about.trained)
        cost->training[cost->training_count++] = about.training;
}

double fq_cost_encoding(const fq_codec_spec *spec) {
    fq_codec_description about;
    return fq_codec_describe(&about, spec, FQ_COST_USUAL_DIM) == FQ_OK ? about.operations * 5e-11 : 0.0;
}

size_t fq_point_cache_dim(const char *path) {
    static char last[FQ_POINT_LABEL_MAX];
    static size_t dim;
    fq_kv_cache *cache = NULL;
    if (dim && strcmp(last, path) == 0)
        return dim;
    dim = 0;
    if (strlen(path) < sizeof last && fq_kv_cache_open(&cache, path) == FQ_OK) {
        strcpy(last, path);
        dim = fq_kv_cache_shape(cache)->dim;
        fq_kv_cache_close(cache);
    }
    return dim;
}

size_t fq_cost_cache_dim(const char *path) {
    const size_t dim = fq_point_cache_dim(path);
    return dim ? dim : FQ_COST_USUAL_DIM;
}

typedef struct need {
    const fq_train_options *options;
    size_t point;
} need;

static int compare(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_codebook(const need *x, const need *y) {
    const fq_train_options *a = x->options, *b = y->options;
    int order = compare(a->dim, b->dim);
    order = order ? order : compare(a->block, b->block);
    order = order ? order : compare(a->codewords, b->codewords);
    order = order ? order : compare(a->recipe, b->recipe);
    return order ? order : compare(a->seed, b->seed);
}

static int by_codebook_and_point(const void *a, const void *b) {
    const int order = by_codebook(a, b);
    return order ? order : compare(((const need *)a)->point, ((const need *)b)->point);
}

static void charge(fq_plan_cost *cost, double *seconds, need *needs, size_t count, const char *cache_folder) {
    if (count)
        qsort(needs, count, sizeof *needs, by_codebook_and_point);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_codebook(&needs[i - 1], &needs[i]) == 0)
            continue;
        const double training = fq_resources_training_seconds(needs[i].options, cache_folder);
        cost->codebooks++;
        cost->untrained += training > 0;
        cost->training_seconds += training;
        seconds[needs[i].point] += training;
    }
}

fq_status fq_plan_costs(fq_plan_cost *cost, double *seconds, const fq_plan *plan, const char *cache_folder) {
    fq_plan_cost sum = {0};
    fq_point_cost *points = NULL;
    need *needs = NULL;
    size_t count = 0;
    FQ_TRY(fq_alloc(&points, plan->count, sizeof *points));
    fq_status status = FQ_OK;
    for (size_t i = 0; i < plan->count; i++) {
        const fq_point *point = &plan->points[i];
        points[i] = point->experiment->cost ? point->experiment->cost(point) : (fq_point_cost){.seconds = 1};
        seconds[i] = points[i].seconds > 0 && isfinite(points[i].seconds) ? points[i].seconds : 1;
        sum.unknown += !point->experiment->cost;
        sum.memory_bytes = fmax(sum.memory_bytes, points[i].memory_bytes);
        count += points[i].training_count;
    }
    status = fq_alloc(&needs, count, sizeof *needs);
    if (status == FQ_OK) {
        size_t at = 0;
        for (size_t i = 0; i < plan->count; i++)
            for (size_t t = 0; t < points[i].training_count; t++)
                needs[at++] = (need){&points[i].training[t], i};
        charge(&sum, seconds, needs, count, cache_folder);
        for (size_t i = 0; i < plan->count; i++) {
            sum.seconds += seconds[i];
            sum.longest_seconds = fmax(sum.longest_seconds, seconds[i]);
        }
        *cost = sum;
    }
    fq_free(needs);
    fq_free(points);
    return status;
}
