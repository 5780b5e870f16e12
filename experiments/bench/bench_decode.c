/* Decoding vectors of 64 dimensions to float32, beside the copy bandwidth. No multiply-adds are counted:
 * adding up tables, as many vectors are decoded, does a quarter of a rotation's or less. */
#include <stdio.h>
#include <string.h>

#include "codec_parts.h"

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

static fq_status run(fq_bench_session *session) {
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
