/* Expensive things that many points share: codebooks, codecs with their rotations, loaded caches.
 *
 * A worker process keeps what it made for as long as memory_limit allows (least recently used goes
 * first); codebooks are also kept in the codebook cache folder, so that they are trained once on a
 * machine. What is handed out does not depend on whether it was cached: keys name everything that
 * determines the object.
 *
 * Ownership: objects belong to the resources and stay valid until fq_resources_release is called
 * (the engine does so after every point) and something else needs the room. One thread only.
 */
#ifndef FQ_RESOURCES_H
#define FQ_RESOURCES_H

#include "codebook.h"
#include "codec.h"
#include "status.h"

typedef struct fq_resources fq_resources;

/* cache_folder: where codebooks are kept between runs, NULL for the default one, "" for none. */
FQ_MUST_CHECK fq_status fq_resources_create(fq_resources **resources, const char *cache_folder);
void fq_resources_destroy(fq_resources *resources); /* NULL accepted */
void fq_resources_release(fq_resources *resources);

/* From now on report is called as codebooks are trained: codebook is what is trained, for people ("d=64, k=4,
 * N=256, population"), fraction 0..1, and 1 once at the end. */
void fq_resources_watch(fq_resources *resources,
                        void (*report)(void *context, const char *codebook, double fraction), void *context);

/* The codebook of (dim, block, codewords, recipe, seed), trained at the default tolerance if nobody has yet.
 * Its distortion may be unmeasured. */
FQ_MUST_CHECK fq_status fq_resources_codebook(fq_resources *resources, const fq_codebook **codebook,
                                              const fq_train_options *of);

/* Expected seconds of one core for training it: 0 if the cache folder has it. */
double fq_resources_training_seconds(const fq_train_options *options, const char *cache_folder);

/* The codec spec names for dimension dim, its codebook from the call above. */
FQ_MUST_CHECK fq_status fq_resources_codec(fq_resources *resources, const fq_codec **codec,
                                           const fq_codec_spec *spec, size_t dim);

/* The same in another rotation: class 0 is the codec above. */
FQ_MUST_CHECK fq_status fq_resources_codec_class(fq_resources *resources, const fq_codec **codec,
                                                 const fq_codec_spec *spec, size_t dim,
                                                 size_t rotation_class);

/* Anything else: the object under key, made by make(&object, &bytes, context) if it is not there.
 * key must name everything that determines the object (for a file: its SHA-256). */
typedef struct fq_resource_kind {
    fq_status (*make)(void **object, size_t *bytes, void *context);
    void (*destroy)(void *object);
} fq_resource_kind;
FQ_MUST_CHECK fq_status fq_resources_get(fq_resources *resources, const void **object, const char *key,
                                         const fq_resource_kind *kind, void *context);

#endif
