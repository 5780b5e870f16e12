/* Encoding vectors of 64 dimensions, whole and by stages. */
#include <stdio.h>
#include <string.h>

#include "codec_family.h"
#include "codec_parts.h"

enum { DIM = 64, SMALL = 1024 };

static fq_status encode(void *context) {
    const fq_codec_work *const w = context;
    return fq_codec_encode(w->codec, w->codes, w->x, w->n);
}

/* The stages, in the chunks that the codec takes. */
static fq_status search(void *context) {
    const fq_codec_work *const w = context;
    const size_t blocks = w->group->blocks;
    for (size_t i = 0; i < w->n; i += FQ_CODEC_CHUNK)
        fq_search_nearest(w->group->search, w->index_out + i * blocks, w->rotated + i * w->d,
                          blocks * (w->n - i < FQ_CODEC_CHUNK ? w->n - i : FQ_CODEC_CHUNK));
    return FQ_OK;
}

static fq_status pack(void *context) {
    const fq_codec_work *const w = context;
    const fq_packing_plan *const plan = &w->group->packing;
    for (size_t i = 0; i < w->n; i++)
        fq_packing_pack(plan, w->packed + i * plan->bytes, w->index + i * w->group->blocks);
    return FQ_OK;
}

static fq_status rotate_and_pack(void *context) {
    FQ_TRY(fq_codec_rotate(context));
    return pack(context);
}

static bool check_search(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_codec_work *const w = context;
    const size_t k = w->group->block;
    for (size_t i = 0; i < w->n * w->group->blocks; i++) {
        double mine = 0, naive = 0;
        if (w->index_out[i] >= w->group->codewords) {
            snprintf(why, FQ_BENCH_WHY_MAX, "block %zu: no such word", i);
            return false;
        }
        for (size_t j = 0; j < k; j++) {
            const double x = (double)w->rotated[i * k + j];
            const double a = x - (double)w->group->words[w->index_out[i] * k + j];
            const double b = x - (double)w->group->words[w->index[i] * k + j];
            mine += a * a;
            naive += b * b;
        }
        if (!(mine <= naive + 4e-6)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "block %zu: squared error %.9g, naive %.9g", i, mine, naive);
            return false;
        }
    }
    return true;
}

/* Bit by bit: index b stands at bit b w. */
static bool check_pack(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_codec_work *const w = context;
    const fq_packing_plan *const p = &w->group->packing;
    for (size_t i = 0; i < w->n; i++)
        for (size_t b = 0; b < p->count; b++)
            for (unsigned t = 0; t < p->width; t++) {
                const size_t bit = b * p->width + t;
                const unsigned byte = w->packed[i * p->bytes + bit / 8];
                if ((byte >> bit % 8 & 1U) != (w->index[i * p->count + b] >> t & 1U)) {
                    snprintf(why, FQ_BENCH_WHY_MAX, "vector %zu: bit %zu is wrong", i, bit);
                    return false;
                }
            }
    return true;
}

static bool check_rotate_and_pack(void *context, char why[FQ_BENCH_WHY_MAX]) {
    return fq_codec_check_rotated(context, why) && check_pack(context, why);
}

static fq_bench_variant stage(const char *name, fq_status (*run)(void *), fq_codec_work *w, void *output,
                              size_t bytes, bool (*check)(void *, char why[FQ_BENCH_WHY_MAX])) {
    return (fq_bench_variant){.name = name,
                              .kind = FQ_BENCH_STAGE,
                              .run = run,
                              .check = check,
                              .context = w,
                              .output = output,
                              .output_bytes = bytes};
}

static void add_encoders(fq_bench_session *session, fq_codec_work *w) {
    const size_t rotated = w->n * w->d * sizeof *w->rotated_out, packed = w->n * w->group->packing.bytes;
    fq_bench_variant v = {.name = "naive loops",
                          .kind = FQ_BENCH_NAIVE,
                          .run = fq_codec_naive_encode,
                          .check = fq_codec_check_codes,
                          .context = w,
                          .output = w->codes,
                          .output_bytes = w->n * w->code_bytes};
    fq_bench_add_peak(session);
    fq_bench_add(session, &v);
    v.name = "OpenBLAS sgemm, twice";
    v.kind = FQ_BENCH_LIBRARY;
    v.run = fq_codec_blas_encode;
    fq_bench_add(session, &v);
    v.name = "ours";
    v.kind = FQ_BENCH_OURS;
    v.run = encode;
    fq_bench_add(session, &v);
    if (fq_bench_threads(session) >= 2) {
        v.name = "ours, 2 threads";
        v.threads = 2;
        v.target = (fq_bench_target){FQ_GOAL_TIMES, 1.9, "ours"};
        fq_bench_add(session, &v);
    }
    v = stage("  rotate", fq_codec_rotate, w, w->rotated_out, rotated, fq_codec_check_rotated);
    fq_bench_add(session, &v);
    v = stage("  search", search, w, w->index_out, w->n * w->group->blocks * sizeof *w->index_out,
              check_search);
    fq_bench_add(session, &v);
    v = stage("  pack", pack, w, w->packed, packed, check_pack);
    fq_bench_add(session, &v);
    v = stage("  rotate and pack", rotate_and_pack, w, w->packed, packed, check_rotate_and_pack);
    v.target = (fq_bench_target){FQ_GOAL_SHARE, 0.25, NULL};
    fq_bench_add(session, &v);
}

static fq_status measure_encode(fq_bench_session *session, const char *name, const char *spec) {
    fq_codec_work work;
    const size_t n = fq_bench_size(session, 8192, SMALL);
    FQ_TRY(fq_codec_work_init(&work, spec, DIM, n, true, false, fq_bench_seed(session)));
    const fq_codec_group *const g = work.group;
    const double amount = (double)n;
    const fq_bench_case the_case = {
        .name = name,
        .unit = "vectors",
        .amount = amount,
        .work =
            "norm, rotation, search, packing; flops: rotation and 2dN a vector; stages alone, from memory",
        .flops = amount * (fq_codec_rotation_flops(&work) + 2.0 * DIM * (double)g->codewords)};
    fq_bench_begin(session, &the_case);
    add_encoders(session, &work);
    const fq_status status = fq_bench_measure(session);
    fq_codec_work_clear(&work);
    return status;
}

static fq_status run(fq_bench_session *session) {
    for (size_t i = 0; i < FQ_CODEC_WORK_CASES; i++)
        if (fq_bench_wanted(session, fq_codec_work_cases[i].name))
            FQ_TRY(measure_encode(session, fq_codec_work_cases[i].name, fq_codec_work_cases[i].spec));
    return FQ_OK;
}

const fq_bench fq_bench_encode = {"encode", "vectors to codes, whole and by stages", false, run};
