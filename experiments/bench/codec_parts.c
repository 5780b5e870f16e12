#include "codec_parts.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cblas.h>

#include "bench_nearest.h"
#include "codec_family.h"
#include "fp16.h"
#include "memory.h"
#include "stream_ranges.h"

enum { CHUNK = 256 /* vectors that the BLAS variants take at a time */ };

const fq_codec_work_case fq_codec_work_cases[FQ_CODEC_WORK_CASES] = {
    {"fib:k=2,N=16", "fib:k=2,N=16,recipe=initial"},
    {"fib:k=4,N=256", "fib:k=4,N=256,recipe=initial"},
    {"fib:k=8,N=256", "fib:k=8,N=256,recipe=initial"},
    {"fib:k=2,N=16,rot=hadamard", "fib:k=2,N=16,recipe=initial,rot=hadamard"},
    {"fib:k=4,N=256,rot=hadamard", "fib:k=4,N=256,recipe=initial,rot=hadamard"},
    {"tq:b=2", "tq:b=2"},
};

double fq_codec_rotation_flops(const fq_codec_work *w) {
    const double d = (double)w->d;
    return fq_codec_get_spec(w->codec)->rotation == FQ_ROTATION_HADAMARD ? 2 * d * log2(d) : 2 * d * d;
}

void fq_codec_work_clear(fq_codec_work *w) {
    fq_codec_destroy(w->codec);
    void *const owned[] = {w->x,       w->matrix, w->offset,      w->codes,     w->given,
                           w->decoded, w->error,  w->expected,    w->unit,      w->rotated,
                           w->index,   w->packed, w->rotated_out, w->index_out, w->scores};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        fq_free(owned[i]);
    *w = (fq_codec_work){0};
}

/* The rotation of the unit vectors, one after the other, gives its columns exactly. */
static fq_status find_matrix(fq_codec_work *w) {
    const size_t d = w->d;
    float *unit = NULL, *column = NULL;
    FQ_TRY(fq_alloc(&unit, 2 * d, sizeof *unit));
    column = unit + d;
    for (size_t j = 0; j < d; j++) {
        memset(unit, 0, d * sizeof *unit);
        unit[j] = 1;
        fq_rotation_apply(w->group->rotation, column, unit, 1);
        for (size_t i = 0; i < d; i++)
            w->matrix[i * d + j] = column[i];
    }
    fq_free(unit);
    return FQ_OK;
}

static void pack(const fq_codec_work *w, uint8_t *bytes, const uint32_t *index) {
    const fq_packing_plan *const p = &w->group->packing;
    memset(bytes, 0, p->bytes);
    for (size_t b = 0, bit = 0; b < p->count; b++)
        for (unsigned t = 0; t < p->width; t++, bit++)
            bytes[bit / 8] |= (uint8_t)((index[b] >> t & 1U) << bit % 8);
}

static void unpack(const fq_codec_work *w, uint32_t *index, const uint8_t *bytes) {
    const fq_packing_plan *const p = &w->group->packing;
    for (size_t b = 0, bit = 0; b < p->count; b++) {
        index[b] = 0;
        for (unsigned t = 0; t < p->width; t++, bit++)
            index[b] |= (uint32_t)(bytes[bit / 8] >> bit % 8 & 1) << t;
    }
}

static uint32_t nearest(const fq_codec_work *w, const float *x) {
    const size_t k = w->group->block;
    float least = FLT_MAX;
    uint32_t best = 0;
    for (size_t i = 0; i < w->group->codewords; i++) {
        float distance = 0;
        for (size_t j = 0; j < k; j++) {
            const float difference = x[j] - w->group->words[i * k + j];
            distance += difference * difference;
        }
        if (distance < least) {
            least = distance;
            best = (uint32_t)i;
        }
    }
    return best;
}

static double norm_of(const float *x, size_t d) {
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

static void normalise(float *unit, const float *x, size_t d) {
    const double norm = norm_of(x, d), inverse = norm > 0 ? 1 / norm : 0;
    for (size_t j = 0; j < d; j++)
        unit[j] = (float)((double)x[j] * inverse);
}

static void write_code(const fq_codec_work *w, size_t i, const uint32_t *index) {
    uint8_t *const code = w->codes + i * w->code_bytes;
    fq_fp16_store(code + w->group->byte_offset, fq_fp16_from_float((float)norm_of(w->x + i * w->d, w->d)));
    pack(w, code + w->group->index_offset, index);
}

fq_status fq_codec_naive_encode(void *context) {
    fq_codec_work *const w = context;
    const size_t d = w->d, blocks = w->group->blocks;
    for (size_t i = 0; i < w->n; i++) {
        float *const unit = w->unit + i * d, *const y = w->rotated_out + i * d;
        uint32_t *const index = w->index_out + i * blocks;
        normalise(unit, w->x + i * d, d);
        for (size_t r = 0; r < d; r++) {
            y[r] = 0;
            for (size_t j = 0; j < d; j++)
                y[r] += w->matrix[r * d + j] * unit[j];
        }
        for (size_t b = 0; b < blocks; b++)
            index[b] = nearest(w, y + b * w->group->block);
        write_code(w, i, index);
    }
    return FQ_OK;
}

/* The rotation of a chunk as one sgemm; scores of its blocks as another; then the largest of each row. */
fq_status fq_codec_blas_encode(void *context) {
    fq_codec_work *const w = context;
    const size_t d = w->d, blocks = w->group->blocks;
    for (size_t first = 0; first < w->n; first += CHUNK) {
        const size_t n = w->n - first < CHUNK ? w->n - first : CHUNK;
        float *const y = w->rotated_out + first * d;
        for (size_t i = 0; i < n; i++)
            normalise(w->unit + (first + i) * d, w->x + (first + i) * d, d);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)d, (int)d, 1.0F,
                    w->unit + first * d, (int)d, w->matrix, (int)d, 0.0F, y, (int)d);
        uint32_t *const index = w->index_out + first * blocks;
        fq_nearest_blas_points(index, w->group->words, w->offset, w->group->codewords, w->group->block, y,
                               n * blocks, w->scores);
        for (size_t i = 0; i < n; i++)
            write_code(w, first + i, index + i * blocks);
    }
    return FQ_OK;
}

fq_status fq_codec_rotate(void *context) {
    const fq_codec_work *const w = context;
    for (size_t i = 0; i < w->n; i += FQ_CODEC_CHUNK)
        fq_rotation_apply(w->group->rotation, w->rotated_out + i * w->d, w->unit + i * w->d,
                          w->n - i < FQ_CODEC_CHUNK ? w->n - i : FQ_CODEC_CHUNK);
    return FQ_OK;
}

bool fq_codec_check_rotated(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_codec_work *const w = context;
    for (size_t i = 0; i < w->n * w->d; i++) {
        const double difference = (double)w->rotated_out[i] - (double)w->rotated[i];
        if (!(difference < 1e-5 && difference > -1e-5)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "coordinate %zu: %.9g, naive %.9g", i, (double)w->rotated_out[i],
                     (double)w->rotated[i]);
            return false;
        }
    }
    return true;
}

/* Rotated reconstruction of one code. */
static void look_up(const fq_codec_work *w, float *y, const uint8_t *code, uint32_t *index) {
    const size_t k = w->group->block;
    const float norm = fq_fp16_to_float(fq_fp16_load(code + w->group->byte_offset));
    unpack(w, index, code + w->group->index_offset);
    for (size_t b = 0; b < w->group->blocks; b++)
        for (size_t j = 0; j < k; j++)
            y[b * k + j] = norm * w->group->words[index[b] * k + j];
}

fq_status fq_codec_naive_lookup(void *context) {
    fq_codec_work *const w = context;
    for (size_t i = 0; i < w->n; i++)
        look_up(w, w->decoded + i * w->d, w->given + i * w->code_bytes, w->index_out);
    return FQ_OK;
}

fq_status fq_codec_naive_decode(void *context) {
    fq_codec_work *const w = context;
    const size_t d = w->d;
    for (size_t i = 0; i < w->n; i++) {
        float *const x = w->decoded + i * d;
        look_up(w, w->rotated_out, w->given + i * w->code_bytes, w->index_out);
        for (size_t j = 0; j < d; j++)
            x[j] = 0;
        for (size_t r = 0; r < d; r++)
            for (size_t j = 0; j < d; j++)
                x[j] += w->matrix[r * d + j] * w->rotated_out[r];
    }
    return FQ_OK;
}

fq_status fq_codec_blas_decode(void *context) {
    fq_codec_work *const w = context;
    const int d = (int)w->d;
    for (size_t first = 0; first < w->n; first += CHUNK) {
        const size_t n = w->n - first < CHUNK ? w->n - first : CHUNK;
        for (size_t i = 0; i < n; i++)
            look_up(w, w->rotated_out + i * w->d, w->given + (first + i) * w->code_bytes, w->index_out);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, d, d, 1.0F, w->rotated_out, d,
                    w->matrix, d, 0.0F, w->decoded + first * w->d, d);
    }
    return FQ_OK;
}

/* What a code stands for, in double, rotated back or not. */
static void reconstruct(const fq_codec_work *w, double *x, const uint8_t *code, bool rotated) {
    const size_t d = w->d;
    look_up(w, w->rotated_out, code, w->index_out);
    for (size_t j = 0; j < d; j++)
        x[j] = rotated ? (double)w->rotated_out[j] : 0;
    for (size_t r = 0; r < d && !rotated; r++)
        for (size_t j = 0; j < d; j++)
            x[j] += (double)w->matrix[r * d + j] * (double)w->rotated_out[r];
}

static double error_of(const fq_codec_work *w, size_t i) {
    double error = 0, back[1024];
    reconstruct(w, back, w->codes + i * w->code_bytes, false);
    for (size_t j = 0; j < w->d; j++)
        error += pow((double)w->x[i * w->d + j] - back[j], 2);
    return error;
}

/* The error of a code that the naive encoder would not write, by float32 rounding of distances or of the
 * direction, is no larger by more than about 2^-20 of the squared norm. */
bool fq_codec_check_codes(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_codec_work *const w = context;
    for (size_t i = 0; i < w->n; i++) {
        const double error = error_of(w, i), norm = norm_of(w->x + i * w->d, w->d);
        if (!(error <= w->error[i] + 4e-6 * norm * norm)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "vector %zu: squared error %.6g, naive %.6g", i, error,
                     w->error[i]);
            return false;
        }
    }
    return true;
}

bool fq_codec_check_decoded(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_codec_work *const w = context;
    for (size_t i = 0; i < w->n * w->d; i++) {
        const uint8_t *const code = w->given + i / w->d * w->code_bytes;
        const double norm = (double)fq_fp16_to_float(fq_fp16_load(code + w->group->byte_offset));
        const double expected = w->expected[i % ((size_t)1024 * w->d)];
        if (!(fabs((double)w->decoded[i] - expected) <= 1e-5 * norm)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "vector %zu: coordinate %zu is %.9g, not %.9g", i / w->d,
                     i % w->d, (double)w->decoded[i], expected);
            return false;
        }
    }
    return true;
}

static fq_status room(fq_codec_work *w, bool encode) {
    const fq_codec_group *const g = w->group;
    const size_t d = w->d, n = w->n, N = g->codewords;
    const size_t stages = encode ? n : CHUNK;
    FQ_TRY(fq_alloc(&w->x, encode ? n * d : 1024 * d, sizeof(float)));
    FQ_TRY(fq_alloc(&w->matrix, d * d, sizeof(float)));
    FQ_TRY(fq_alloc(&w->offset, N, sizeof(float)));
    FQ_TRY(fq_alloc(&w->codes, encode ? n * w->code_bytes : 1024 * w->code_bytes, 1));
    FQ_TRY(fq_alloc(&w->rotated_out, stages * d, sizeof(float)));
    FQ_TRY(fq_alloc(&w->index_out, stages * g->blocks, sizeof(uint32_t)));
    FQ_TRY(fq_alloc(&w->scores, fq_nearest_blas_chunk(N) * N, sizeof(float)));
    if (!encode) {
        FQ_TRY(fq_alloc(&w->given, n * w->code_bytes, 1));
        FQ_TRY(fq_alloc_zero(&w->decoded, n * d, sizeof(float)));
        return fq_alloc(&w->expected, 1024 * d, sizeof(double));
    }
    FQ_TRY(fq_alloc(&w->error, n, sizeof(double)));
    FQ_TRY(fq_alloc(&w->unit, n * d, sizeof(float)));
    FQ_TRY(fq_alloc(&w->rotated, n * d, sizeof(float)));
    FQ_TRY(fq_alloc(&w->index, n * g->blocks, sizeof(uint32_t)));
    return fq_alloc_zero(&w->packed, n * g->packing.bytes, 1);
}

static fq_status prepare(fq_codec_work *w, const char *text, bool encode, bool rotated, uint64_t seed) {
    fq_codec_spec spec;
    size_t groups;
    FQ_TRY(fq_codec_spec_parse(&spec, text));
    FQ_TRY(fq_codec_create(&w->codec, &spec, w->d, NULL));
    w->group = fq_codec_get_groups(w->codec, &groups);
    if (groups != 1 || w->group->sketch_rows || w->group->packing.kind != FQ_PACK_BITS || w->d > 1024)
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, "spec",
                       "codecs of one group without a sketch, up to 1024 dimensions");
    w->code_bytes = fq_codec_get_cost(w->codec).code_bytes;
    FQ_TRY(room(w, encode));
    FQ_TRY(find_matrix(w));
    for (size_t i = 0; i < w->group->codewords; i++) {
        const double norm = norm_of(w->group->words + i * w->group->block, w->group->block);
        w->offset[i] = (float)(-0.5 * norm * norm);
    }
    const size_t vectors = encode ? w->n : 1024;
    fq_stream stream;
    fq_stream_init_in(&stream, seed, FQ_RANGE_BENCH_VECTORS, 0);
    for (size_t i = 0; i < vectors * w->d; i++)
        w->x[i] = (float)fq_stream_normal(&stream);
    if (encode) {
        FQ_TRY(fq_codec_naive_encode(w)); /* leaves directions in unit */
        memcpy(w->rotated, w->rotated_out, w->n * w->d * sizeof *w->rotated);
        memcpy(w->index, w->index_out, w->n * w->group->blocks * sizeof *w->index);
        for (size_t i = 0; i < w->n; i++)
            w->error[i] = error_of(w, i);
        return FQ_OK;
    }
    FQ_TRY(fq_codec_encode(w->codec, w->codes, w->x, 1024));
    for (size_t i = 0; i < w->n; i++) /* 1024 vectors again and again: codes are read in order all the same */
        memcpy(w->given + i * w->code_bytes, w->codes + i % 1024 * w->code_bytes, w->code_bytes);
    for (size_t i = 0; i < 1024; i++)
        reconstruct(w, w->expected + i * w->d, w->given + i % w->n * w->code_bytes, rotated);
    return FQ_OK;
}

fq_status fq_codec_work_init(fq_codec_work *work, const char *spec, size_t d, size_t n, bool encode,
                             bool rotated, uint64_t seed) {
    *work = (fq_codec_work){.d = d, .n = n};
    const fq_status status = prepare(work, spec, encode, rotated, seed);
    if (status != FQ_OK)
        fq_codec_work_clear(work);
    return status;
}
