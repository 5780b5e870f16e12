#include "resources.h"
#include "codebook_training.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codebook_cache.h"
#include "memory.h"

/* Everything kept is in one list, the most recently used first. */
typedef struct entry {
    struct entry *next;
    char *key;
    void *object;
    void (*destroy)(void *object);
    size_t bytes;
    bool pinned; /* handed out since the last release */
} entry;

struct fq_resources {
    char *folder; /* NULL: the default one; "": none */
    entry *first;
    size_t bytes;
    void (*report)(void *context, const char *codebook, double fraction); /* may be NULL */
    void *context;
};

static const size_t memory_limit = (size_t)2 << 30;

fq_status fq_resources_create(fq_resources **resources, const char *cache_folder) {
    fq_resources *r = NULL;
    FQ_TRY(fq_alloc_zero(&r, 1, sizeof *r));
    if (cache_folder) {
        const fq_status status = fq_alloc(&r->folder, strlen(cache_folder) + 1, 1);
        if (status != FQ_OK) {
            fq_free(r);
            return status;
        }
        strcpy(r->folder, cache_folder);
    }
    *resources = r;
    return FQ_OK;
}

static void destroy_entry(entry *e) {
    e->destroy(e->object);
    fq_free(e->key);
    fq_free(e);
}

void fq_resources_destroy(fq_resources *resources) {
    if (!resources)
        return;
    while (resources->first) {
        entry *next = resources->first->next;
        destroy_entry(resources->first);
        resources->first = next;
    }
    fq_free(resources->folder);
    fq_free(resources);
}

void fq_resources_release(fq_resources *resources) {
    for (entry *e = resources->first; e; e = e->next)
        e->pinned = false;
}

static entry *find(fq_resources *resources, const char *key) {
    for (entry **at = &resources->first; *at; at = &(*at)->next)
        if (strcmp((*at)->key, key) == 0) {
            entry *e = *at;
            *at = e->next;
            e->next = resources->first;
            resources->first = e;
            return e;
        }
    return NULL;
}

static void evict(fq_resources *resources) {
    while (resources->bytes > memory_limit) {
        entry **last = NULL;
        for (entry **at = &resources->first; *at; at = &(*at)->next)
            if (!(*at)->pinned)
                last = at;
        if (!last)
            return;
        entry *e = *last;
        *last = e->next;
        resources->bytes -= e->bytes;
        destroy_entry(e);
    }
}

void fq_resources_watch(fq_resources *resources,
                        void (*report)(void *context, const char *codebook, double fraction), void *context) {
    resources->report = report;
    resources->context = context;
}

fq_status fq_resources_get(fq_resources *resources, const void **object, const char *key,
                           const fq_resource_kind *kind, void *context) {
    entry *e = find(resources, key);
    if (!e) {
        FQ_TRY(fq_alloc_zero(&e, 1, sizeof *e));
        fq_status status = fq_alloc(&e->key, strlen(key) + 1, 1);
        if (status == FQ_OK) {
            strcpy(e->key, key);
            status = kind->make(&e->object, &e->bytes, context);
        }
        if (status != FQ_OK) {
            fq_free(e->key);
            fq_free(e);
            return status;
        }
        e->destroy = kind->destroy;
        e->next = resources->first;
        resources->first = e;
        resources->bytes += e->bytes;
    }
    e->pinned = true;
    evict(resources);
    *object = e->object;
    return FQ_OK;
}

/* Codebooks ---------------------------------------------------------------------------------- */

/* The cache stores a measured distortion with each codebook; experiments measure their own. */
static const double search_speed = 2.5e10; /* operations a second of one core, measured on AVX2 at 3 GHz */

enum { CACHE_EVALUATION_SEED = 1, CACHE_EVALUATION_SAMPLES = 100000 };

typedef struct codebook_request {
    const fq_resources *resources;
    const char *folder;
    char name[80]; /* for people */
    fq_train_options options;
} codebook_request;

static bool report_training(void *context, double fraction) {
    const codebook_request *request = context;
    request->resources->report(request->resources->context, request->name, fraction);
    return true;
}

static fq_status make_codebook(void **object, size_t *bytes, void *context) {
    const codebook_request *request = context;
    fq_codebook *codebook = NULL;
    FQ_TRY(fq_alloc(&codebook, 1, sizeof *codebook));
    fq_codebook_init(codebook);
    fq_cache_outcome outcome;
    const bool none = request->folder && !request->folder[0];
    const fq_status status =
        none ? fq_codebook_train(codebook, &request->options)
             : fq_codebook_cache_get(codebook, &request->options, request->folder, CACHE_EVALUATION_SEED,
                                     CACHE_EVALUATION_SAMPLES, &outcome);
    if (status != FQ_OK) {
        fq_free(codebook);
        return status;
    }
    *object = codebook;
    *bytes = sizeof *codebook + codebook->codewords * codebook->block * sizeof *codebook->words;
    return FQ_OK;
}

static void destroy_codebook(void *object) {
    fq_codebook_clear(object);
    fq_free(object);
}

fq_status fq_resources_codebook(fq_resources *resources, const fq_codebook **codebook,
                                const fq_train_options *of) {
    static const fq_resource_kind kind = {make_codebook, destroy_codebook};
    codebook_request request = {.resources = resources,
                                .folder = resources->folder,
                                .options = {.dim = of->dim,
                                            .block = of->block,
                                            .codewords = of->codewords,
                                            .recipe = of->recipe,
                                            .seed = of->seed}};
    char key[200];
    const void *object = NULL;
    snprintf(request.name, sizeof request.name, "d=%zu, k=%zu, N=%zu, %s", of->dim, of->block, of->codewords,
             fq_recipe_name(of->recipe));
    if (resources->report)
        request.options.progress = (fq_progress){.report = report_training, .context = &request};
    snprintf(key, sizeof key, "codebook %zu %zu %zu %d %" PRIu64, of->dim, of->block, of->codewords,
             (int)of->recipe, of->seed);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, &request));
    *codebook = object;
    return FQ_OK;
}

double fq_resources_training_seconds(const fq_train_options *options, const char *cache_folder) {
    const bool none = cache_folder && !cache_folder[0];
    if (!none && fq_codebook_cache_has(options, cache_folder, CACHE_EVALUATION_SEED))
        return 0.0;
    return fq_codebook_training_work(options) / search_speed;
}

/* Codecs ------------------------------------------------------------------------------------- */

typedef struct codec_request {
    const fq_codec_spec *spec;
    size_t dim, words; /* numbers of a codebook */
    fq_codec_parts parts;
} codec_request;

static fq_status make_codec(void **object, size_t *bytes, void *context) {
    const codec_request *request = context;
    fq_codec *codec = NULL;
    FQ_TRY(fq_codec_create(&codec, request->spec, request->dim, &request->parts));
    *object = codec;
    *bytes = request->dim * request->dim * sizeof(float) + 2 * request->words * sizeof(float);
    return FQ_OK;
}

static void destroy_codec(void *object) {
    fq_codec_destroy(object);
}

fq_status fq_resources_codec(fq_resources *resources, const fq_codec **codec, const fq_codec_spec *spec,
                             size_t dim) {
    return fq_resources_codec_class(resources, codec, spec, dim, 0);
}

fq_status fq_resources_codec_class(fq_resources *resources, const fq_codec **codec, const fq_codec_spec *spec,
                                   size_t dim, size_t rotation_class) {
    static const fq_resource_kind kind = {make_codec, destroy_codec};
    codec_request request = {.spec = spec, .dim = dim};
    char key[FQ_SPEC_TEXT_MAX + 80], name[FQ_SPEC_TEXT_MAX];
    const void *object = NULL;
    FQ_TRY(fq_codec_spec_format(name, spec));
    fq_codec_description about;
    fq_codec_cost cost;
    FQ_TRY(fq_codec_plan(&cost, spec, dim)); /* before anything is trained */
    FQ_TRY(fq_codec_describe(&about, spec, dim));
    request.words = about.block * about.codewords;
    if (about.trained)
        FQ_TRY(fq_resources_codebook(resources, &request.parts.codebook, &about.training));
    request.parts.rotation_class = (uint32_t)rotation_class;
    snprintf(key, sizeof key, "codec %zu %s class %zu", dim, name, rotation_class);
    FQ_TRY(fq_resources_get(resources, &object, key, &kind, &request));
    *codec = object;
    return FQ_OK;
}
