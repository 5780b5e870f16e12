#include "codec.h"

#include <string.h>

#include "codec_family.h"
#include "memory.h"
#include "parallel.h"
#include "threads.h"
#include "vector_kernels.h"

fq_status fq_codec_make(fq_codec **codec, const fq_codec_spec *spec, size_t dim, const fq_codec_parts *parts,
                        bool plan_only) {
    static const fq_codec_parts no_parts;
    FQ_TRY(fq_codec_spec_check(spec));
    FQ_TRY(fq_check_size("dim", dim, 2, FQ_DIM_MAX));
    parts = parts ? parts : &no_parts;
    if (parts->rotation_class >= 1u << 19)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "rotation_class", parts->rotation_class, "below 2^19");
    fq_codec *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->spec = *spec;
    made->family = fq_codec_family_find(spec->family);
    made->plan_only = plan_only;
    made->cost.dim = dim;
    made->first_rotation = (uint64_t)parts->rotation_class * FQ_CODEC_GROUPS_MAX;
    const fq_status status = made->family->create(made, parts);
    if (status != FQ_OK) {
        fq_codec_destroy(made);
        return status;
    }
    *codec = made;
    return FQ_OK;
}

fq_status fq_codec_create(fq_codec **codec, const fq_codec_spec *spec, size_t dim,
                          const fq_codec_parts *parts) {
    return fq_codec_make(codec, spec, dim, parts, false);
}

fq_status fq_codec_plan(fq_codec_cost *cost, const fq_codec_spec *spec, size_t dim) {
    fq_codec *plan = NULL;
    FQ_TRY(fq_codec_make(&plan, spec, dim, NULL, true));
    *cost = plan->cost;
    fq_codec_destroy(plan);
    return FQ_OK;
}

void fq_codec_destroy(fq_codec *codec) {
    if (!codec)
        return;
    if (codec->family->destroy)
        codec->family->destroy(codec);
    fq_codec_groups_clear(codec);
    fq_free(codec);
}

const fq_codec_spec *fq_codec_get_spec(const fq_codec *codec) {
    return &codec->spec;
}

fq_codec_cost fq_codec_get_cost(const fq_codec *codec) {
    return codec->cost;
}

const fq_codec_group *fq_codec_get_groups(const fq_codec *codec, size_t *count) {
    *count = codec->groups;
    return codec->group;
}

const uint32_t *fq_codec_get_channel_order(const fq_codec *codec) {
    return codec->channel_order;
}

/* What is done to chunks of FQ_CODEC_CHUNK vectors, on all threads. */
typedef enum chunk_work { ENCODE, DECODE, DECODE_ROTATED, ROTATE, ROTATE_BACK } chunk_work;

typedef struct chunk_job {
    const fq_codec *codec;
    chunk_work work;
    uint8_t *codes_out;
    const uint8_t *codes_in;
    float *x_out;
    const float *x_in;
    bool beyond; /* x_out is too large to stay in the caches */
} chunk_job;

/* The work of a job on n vectors from first on, by the family's own functions or by groups. */
static fq_status run_chunk(const chunk_job *job, fq_codec_scratch *scratch, size_t first, size_t n) {
    const fq_codec *codec = job->codec;
    const size_t d = codec->cost.dim, bytes = codec->cost.code_bytes;
    switch (job->work) {
    case ENCODE:
        if (codec->family->encode)
            return codec->family->encode(codec, job->codes_out + first * bytes, job->x_in + first * d, first,
                                         n);
        return fq_codec_groups_encode(codec, scratch, job->codes_out + first * bytes, job->x_in + first * d,
                                      first, n);
    case DECODE:
    case DECODE_ROTATED:
        if (codec->family->decode)
            return codec->family->decode(codec, job->x_out + first * d, job->codes_in + first * bytes, first,
                                         n);
        return fq_codec_groups_decode(codec, scratch, job->x_out + first * d, job->codes_in + first * bytes,
                                      first, n, job->work == DECODE_ROTATED, job->beyond);
    case ROTATE:
    case ROTATE_BACK:
        if (codec->groups == 0)
            memcpy(job->x_out + first * d, job->x_in + first * d, n * d * sizeof(float));
        else
            fq_codec_groups_rotate(codec, scratch, job->x_out + first * d, job->x_in + first * d, n,
                                   job->work == ROTATE_BACK);
        return FQ_OK;
    }
    return FQ_OK;
}

/* The trellis code among the codec's groups, or NULL. */
static const fq_codec_trellis *find_trellis(const fq_codec *codec) {
    for (size_t g = 0; g < codec->groups; g++)
        if (codec->group[g].trellis)
            return codec->group[g].trellis;
    return NULL;
}

static void scratch_free(fq_codec_scratch *scratch, size_t threads) {
    for (size_t t = 0; t < threads; t++)
        fq_trellis_workspace_destroy(scratch[t].trellis);
    fq_free(scratch[0].a);
    fq_free(scratch);
}

/* The scratch of every thread: one block of memory, cut, and what a trellis code's encoder takes. */
static fq_status scratch_alloc(fq_codec_scratch **scratch, size_t threads, const chunk_job *job) {
    const fq_codec_trellis *trellis = job->work == ENCODE ? find_trellis(job->codec) : NULL;
    const size_t vectors = (size_t)FQ_CODEC_CHUNK * job->codec->cost.dim * sizeof(float);
    const size_t each =
        (5 * vectors + FQ_CODEC_CHUNK * sizeof(double) + FQ_ALIGNMENT - 1) / FQ_ALIGNMENT * FQ_ALIGNMENT;
    char *memory = NULL;
    FQ_TRY(fq_alloc_zero(scratch, threads, sizeof **scratch));
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&memory, threads, each), failed);
    for (size_t t = 0; t < threads; t++) {
        char *base = memory + t * each;
        (*scratch)[t] = (fq_codec_scratch){
            .codec = job->codec,
            .norm = (double *)(void *)(base + 5 * vectors),
            .a = (float *)(void *)base,
            .b = (float *)(void *)(base + vectors),
            .c = (float *)(void *)(base + 2 * vectors),
            .index = (uint32_t *)(void *)(base + 3 * vectors),
            .tried = (uint32_t *)(void *)(base + 4 * vectors),
        };
    }
    for (size_t t = 0; trellis && t < threads; t++)
        FQ_TRY_GOTO(status, fq_trellis_workspace_create(&(*scratch)[t].trellis, &trellis->encoder), failed);
    return FQ_OK;
failed:
    scratch_free(*scratch, threads);
    return status;
}

/* A job and who does it. */
typedef struct shared_job {
    const chunk_job *job;
    fq_codec_scratch *scratch; /* [workers] */
    size_t n, chunks, workers;
} shared_job;

/* One worker's chunks, up to the first failure. */
static fq_status run_share(void *context, size_t worker) {
    const shared_job *s = context;
    const fq_slice slice = fq_slice_of(s->chunks, s->workers, worker);
    fq_status status = FQ_OK;
    for (size_t chunk = slice.first; chunk < slice.end && status == FQ_OK; chunk++) {
        const size_t first = chunk * FQ_CODEC_CHUNK;
        const size_t count = s->n - first < FQ_CODEC_CHUNK ? s->n - first : FQ_CODEC_CHUNK;
        status = run_chunk(s->job, &s->scratch[worker], first, count);
    }
    if (s->job->beyond)
        fq_vector_kernels_best()->fence();
    return status;
}

/* Shares the chunks out between threads; of failures, the first vector's is reported, as a serial run would.
 */
static fq_status run_job(const chunk_job *job, size_t n) {
    if (n == 0)
        return FQ_OK;
    const size_t chunks = (n - 1) / FQ_CODEC_CHUNK + 1;
    const size_t most = (size_t)fq_threads_get(), threads = most < chunks ? most : chunks;
    shared_job shared = {.job = job, .n = n, .chunks = chunks, .workers = threads};
    FQ_TRY(scratch_alloc(&shared.scratch, threads, job));
    const fq_status status = fq_parallel_try(threads, run_share, &shared);
    scratch_free(shared.scratch, threads);
    return status;
}

fq_status fq_codec_encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t n) {
    const chunk_job job = {.codec = codec, .work = ENCODE, .codes_out = codes, .x_in = x};
    return run_job(&job, n);
}

/* As large as the last cache of a common processor, or larger. */
static bool is_beyond_caches(const fq_codec *codec, size_t n) {
    return n >= ((size_t)32 << 20) / sizeof(float) / codec->cost.dim;
}

fq_status fq_codec_decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t n) {
    const bool beyond = is_beyond_caches(codec, n);
    if (fq_codec_tables_pay(codec, n)) {
        bool done = false;
        FQ_TRY(fq_codec_decode_by_tables(codec, x, codes, n, beyond, &done));
        if (done)
            return FQ_OK;
    }
    const chunk_job job = {.codec = codec, .work = DECODE, .x_out = x, .codes_in = codes, .beyond = beyond};
    return run_job(&job, n);
}

fq_status fq_codec_decode_rotated(const fq_codec *codec, float *y, const uint8_t *codes, size_t n) {
    const chunk_job job = {.codec = codec,
                           .work = DECODE_ROTATED,
                           .x_out = y,
                           .codes_in = codes,
                           .beyond = is_beyond_caches(codec, n)};
    return run_job(&job, n);
}

fq_status fq_codec_scratch_create(fq_codec_scratch **scratch, const fq_codec *codec) {
    const chunk_job job = {.codec = codec, .work = ENCODE}; /* which takes most */
    return scratch_alloc(scratch, 1, &job);
}

void fq_codec_scratch_destroy(fq_codec_scratch *scratch) {
    if (scratch)
        scratch_free(scratch, 1);
}

/* A job on the calling thread, in a work space of the caller's; each: what a vector takes of the output. */
static fq_status run_with(const chunk_job *job, fq_codec_scratch *scratch, size_t n, size_t each,
                          size_t capacity) {
    if (scratch->codec != job->codec)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "scratch", "a work space made for this codec");
    if (n > capacity / each)
        return FQ_FAIL_VALUE(FQ_ERR_RANGE, "capacity", capacity, "room for n vectors");
    for (size_t first = 0; first < n; first += FQ_CODEC_CHUNK)
        FQ_TRY(run_chunk(job, scratch, first, n - first < FQ_CODEC_CHUNK ? n - first : FQ_CODEC_CHUNK));
    if (job->beyond)
        fq_vector_kernels_best()->fence();
    return FQ_OK;
}

fq_status fq_codec_encode_with(const fq_codec *codec, fq_codec_scratch *scratch, uint8_t *codes,
                               size_t capacity, const float *x, size_t n) {
    const chunk_job job = {.codec = codec, .work = ENCODE, .codes_out = codes, .x_in = x};
    return run_with(&job, scratch, n, codec->cost.code_bytes, capacity);
}

fq_status fq_codec_decode_with(const fq_codec *codec, fq_codec_scratch *scratch, float *x, size_t capacity,
                               const uint8_t *codes, size_t n) {
    const chunk_job job = {
        .codec = codec, .work = DECODE, .x_out = x, .codes_in = codes, .beyond = is_beyond_caches(codec, n)};
    return run_with(&job, scratch, n, codec->cost.dim, capacity);
}

fq_status fq_codec_decode_rotated_with(const fq_codec *codec, fq_codec_scratch *scratch, float *y,
                                       size_t capacity, const uint8_t *codes, size_t n) {
    const chunk_job job = {.codec = codec,
                           .work = DECODE_ROTATED,
                           .x_out = y,
                           .codes_in = codes,
                           .beyond = is_beyond_caches(codec, n)};
    return run_with(&job, scratch, n, codec->cost.dim, capacity);
}

fq_status fq_codec_rotate_queries(const fq_codec *codec, float *y, const float *queries, size_t n) {
    const chunk_job job = {.codec = codec, .work = ROTATE, .x_out = y, .x_in = queries};
    return run_job(&job, n);
}

fq_status fq_codec_rotate_back(const fq_codec *codec, float *x, const float *y, size_t n) {
    const chunk_job job = {.codec = codec, .work = ROTATE_BACK, .x_out = x, .x_in = y};
    return run_job(&job, n);
}
