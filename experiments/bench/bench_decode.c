/* Decoding vectors of 64 dimensions to float32, beside the copy bandwidth. No multiply-adds are counted:
 * adding up tables, as many vectors are decoded, does a quarter of a rotation's or less. */
#include <stdio.h>
#include <string.h>

#include "codec_parts.h"
#include "fp16.h"
#include "memory.h"
#include "stream_ranges.h"

enum { DIM = 64, SMALL = 1024 };

static fq_status decode(void *context) {
    const fq_codec_work *const w = context;
    return fq_codec_decode(w->codec, w->decoded, w->given, w->n);
}

static fq_status decode_rotated(void *context) {
    const fq_codec_work *const w = context;
    return fq_codec_decode_rotated(w->codec, w->decoded, w->given, w->n);
}

static fq_status measure_decode(fq_bench_session *session, const char *name, const char *spec, bool rotated) {
    fq_codec_work work;
    const size_t n = fq_bench_size(session, 262144, SMALL);
    FQ_TRY(fq_codec_work_init(&work, spec, DIM, n, false, rotated, fq_bench_seed(session)));
    const double amount = (double)n;
    const fq_bench_case the_case = {.name = name,
                                    .unit = "vectors",
                                    .amount = amount,
                                    .bytes = amount * DIM * sizeof(float),
                                    .work = rotated ? "codes to float32 in the rotated domain; bytes written"
                                                    : "codes to float32 beyond the caches; bytes written"};
    fq_bench_variant v = {.name = "naive loops",
                          .kind = FQ_BENCH_NAIVE,
                          .run = rotated ? fq_codec_naive_lookup : fq_codec_naive_decode,
                          .check = fq_codec_check_decoded,
                          .context = &work,
                          .output = work.decoded,
                          .output_bytes = n * DIM * sizeof *work.decoded};
    fq_bench_begin(session, &the_case);
    fq_bench_add_copy(session);
    fq_bench_add(session, &v);
    if (!rotated) {
        v.name = "look-up + OpenBLAS sgemm";
        v.kind = FQ_BENCH_LIBRARY;
        v.run = fq_codec_blas_decode;
        fq_bench_add(session, &v);
    }
    v.name = "ours";
    v.kind = FQ_BENCH_OURS;
    v.run = rotated ? decode_rotated : decode;
    v.target = (fq_bench_target){FQ_GOAL_OF_COPY, 0.7, NULL};
    fq_bench_add(session, &v);
    const fq_status status = fq_bench_measure(session);
    fq_codec_work_clear(&work);
    return status;
}

/* Vectors of a trellis code, of random payloads, which are as good as any encoder's. */
typedef struct trellis_work {
    fq_codec *codec;
    const fq_codec_group *group;
    size_t n, bytes;
    uint8_t *codes; /* [n][bytes] */
    float *decoded; /* [n][DIM] */
} trellis_work;

static void trellis_clear(trellis_work *w) {
    fq_codec_destroy(w->codec);
    fq_free(w->codes);
    fq_free(w->decoded);
}

static fq_status trellis_make(trellis_work *w, const char *name, size_t n, uint64_t seed) {
    fq_codec_spec spec;
    fq_stream random;
    size_t count = 0;
    *w = (trellis_work){.n = n};
    FQ_TRY(fq_codec_spec_parse(&spec, name));
    FQ_TRY(fq_codec_create(&w->codec, &spec, DIM, NULL));
    w->group = fq_codec_get_groups(w->codec, &count);
    w->bytes = fq_codec_get_cost(w->codec).code_bytes;
    FQ_TRY(fq_alloc(&w->codes, n, w->bytes));
    FQ_TRY(fq_alloc(&w->decoded, n, DIM * sizeof *w->decoded));
    fq_stream_init_in(&random, seed, FQ_RANGE_BENCH_POINTS, 0);
    for (size_t i = 0; i < n * w->bytes; i++)
        w->codes[i] = (uint8_t)fq_stream_below(&random, 256);
    for (size_t i = 0; i < n; i++)
        fq_fp16_store(w->codes + i * w->bytes, fq_fp16_from_float(8));
    return FQ_OK;
}

static float trellis_number(const trellis_work *w, size_t i, size_t j) {
    const fq_trellis_code *const code = &w->group->trellis->code;
    const int level = fq_trellis_level_at(code, w->codes + i * w->bytes + w->group->index_offset, j);
    return (float)level * (8 * code->unit);
}

static fq_status trellis_naive(void *context) {
    const trellis_work *const w = context;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < DIM; j++)
            w->decoded[i * DIM + j] = trellis_number(w, i, j);
    return FQ_OK;
}

static fq_status trellis_decode(void *context) {
    const trellis_work *const w = context;
    return fq_codec_decode_rotated(w->codec, w->decoded, w->codes, w->n);
}

static bool trellis_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const trellis_work *const w = context;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < DIM; j++) {
            const float wanted = trellis_number(w, i, j);
            if (memcmp(&wanted, &w->decoded[i * DIM + j], sizeof wanted) != 0) {
                snprintf(why, FQ_BENCH_WHY_MAX, "vector %zu, coordinate %zu: %g, not %g", i, j,
                         (double)w->decoded[i * DIM + j], (double)wanted);
                return false;
            }
        }
    return true;
}

static fq_status measure_trellis(fq_bench_session *session, const char *name, const char *spec) {
    trellis_work work;
    const size_t n = fq_bench_size(session, 262144, SMALL);
    const double amount = (double)n;
    const fq_bench_case the_case = {.name = name,
                                    .unit = "vectors",
                                    .amount = amount,
                                    .bytes = amount * DIM * sizeof(float),
                                    .work = "codes to float32 in the rotated domain; bytes written"};
    fq_status status = trellis_make(&work, spec, n, fq_bench_seed(session));
    if (status == FQ_OK) {
        fq_bench_variant v = {.name = "coordinate by coordinate",
                              .kind = FQ_BENCH_NAIVE,
                              .run = trellis_naive,
                              .check = trellis_check,
                              .context = &work,
                              .output = work.decoded,
                              .output_bytes = n * DIM * sizeof *work.decoded};
        fq_bench_begin(session, &the_case);
        fq_bench_add_copy(session);
        fq_bench_add(session, &v);
        v.name = "ours";
        v.kind = FQ_BENCH_OURS;
        v.run = trellis_decode;
        v.target = (fq_bench_target){FQ_GOAL_OF_COPY, 0.7, NULL};
        fq_bench_add(session, &v);
        status = fq_bench_measure(session);
    }
    trellis_clear(&work);
    return status;
}

static fq_status run(fq_bench_session *session) {
    static const char *const trellis[] = {"trellis:b=1", "trellis:b=2", "trellis:b=3", "trellis:b=4"};
    for (size_t i = 0; i < sizeof trellis / sizeof *trellis; i++) {
        char name[FQ_BENCH_NAME_MAX];
        snprintf(name, sizeof name, "%s, rotated", trellis[i]);
        if (fq_bench_wanted(session, name))
            FQ_TRY(measure_trellis(session, name, trellis[i]));
    }
    for (size_t i = 0; i < 2 * FQ_CODEC_WORK_CASES; i++) {
        const fq_codec_work_case *const c = &fq_codec_work_cases[i / 2];
        char name[FQ_BENCH_NAME_MAX];
        snprintf(name, sizeof name, "%s%s", c->name, i % 2 ? ", rotated" : "");
        if ((i % 2 == 0 || !strstr(c->name, "hadamard")) && fq_bench_wanted(session, name))
            FQ_TRY(measure_decode(session, name, c->spec, i % 2));
    }
    return FQ_OK;
}

const fq_bench fq_bench_decode = {"decode", "codes to vectors beside the copy bandwidth", false, run};
