/* Decoding codes of rotated, normalised blocks, a chunk of vectors at a time, by the rules of codec.h. */
#include <string.h>

#include "codec_family.h"
#include "codec_norm.h"
#include "fp16.h"
#include "memory.h"
#include "rotation_inverse.h"
#include "vector_kernels.h"

static bool unpack_signs(float *s, const uint8_t *bytes, size_t rows) {
    for (size_t r = 0; r < rows; r++)
        s[r] = bytes[r / 8] >> r % 8 & 1 ? -1.0f : 1.0f;
    return rows % 8 == 0 || bytes[rows / 8] >> rows % 8 == 0;
}

static bool all_zero(const uint8_t *bytes, size_t n) {
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= bytes[i];
    return any == 0;
}

bool fq_codec_read_norms(const fq_codec_group *group, const uint8_t *code, float *norm, float *ratio) {
    if (!fq_norm_load(group->norm, norm, code + group->byte_offset))
        return false;
    if (*norm == 0.0F && !all_zero(code + group->byte_offset, group->bytes))
        return false;
    if (!group->sketch_rows)
        return true;
    const uint16_t ratio_half = fq_fp16_load(code + group->byte_offset + fq_norm_bytes(group->norm));
    if (ratio_half >= 0x7c00u)
        return false;
    *ratio = fq_fp16_to_float(ratio_half);
    return ratio_half != 0 || all_zero(code + group->sign_offset, (group->sketch_rows + 7) / 8);
}

/* Adds the sketch's estimate of the residuals to y; uses scratch->a and ->c. */
static fq_status add_sketch(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                            float *y, size_t stride, const uint8_t *codes, size_t first, size_t n) {
    const size_t dg = group->dim, rows = group->sketch_rows;
    for (size_t i = 0; i < n; i++)
        if (!unpack_signs(scratch->c + i * rows, codes + i * codec->cost.code_bytes + group->sign_offset,
                          rows))
            return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", first + i,
                                 "zero padding after the sketch's signs");
    fq_dense_apply(&group->sketch_back, scratch->a, scratch->c, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dg; j++)
            y[i * stride + j] += (float)scratch->norm[i] * scratch->a[i * dg + j];
    return FQ_OK;
}

fq_status fq_codec_fail_corrupt(size_t vector) {
    return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "vector", vector, "bytes that the codec's encoder writes");
}

/* The group's rotated reconstruction into y, rows stride apart, or its words alone if norms_out is not NULL,
 * which then receives the norms. next[n][d], unless NULL, will be written next: it is asked for from memory
 * while words are looked up. */
static fq_status reconstruct(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                             float *y, size_t stride, float *norms_out, const float *next,
                             const uint8_t *codes, size_t first, size_t n) {
    const fq_vector_kernels *kernels = fq_vector_kernels_best();
    const size_t dg = group->dim, bytes = codec->cost.code_bytes;
    float own[FQ_CODEC_CHUNK], *const norms = norms_out ? norms_out : own, one[FQ_CODEC_CHUNK];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; next && j < dg; j += FQ_ALIGNMENT / sizeof *next)
            __builtin_prefetch(next + i * dg + j, 1);
        float ratio = 0;
        norms[i] = 0;
        one[i] = 1;
        if (!group->bytes)
            continue;
        const uint8_t *code = codes + i * bytes;
        if (!fq_codec_read_norms(group, code, &norms[i], &ratio))
            return fq_codec_fail_corrupt(first + i);
        scratch->norm[i] = (double)(norms[i] * ratio);
        if (group->byte_table)
            continue;
        if (group->trellis) {
            if (!fq_trellis_padding_is_zero(&group->trellis->code, code + group->index_offset))
                return fq_codec_fail_corrupt(first + i);
            continue;
        }
        if (!fq_packing_unpack(&group->packing, scratch->index, code + group->index_offset))
            return fq_codec_fail_corrupt(first + i);
        kernels->expand(y + i * stride, scratch->index, group->blocks, group->words, group->block, norms[i]);
    }
    if (group->byte_table)
        kernels->expand_bytes(y, stride, codes + group->index_offset, bytes, norms_out ? one : norms, n,
                              group->packing.bytes, group->byte_table, group->table_width);
    if (group->trellis)
        fq_trellis_decode_vectors(&group->trellis->decoder, y, stride, codes + group->index_offset, bytes,
                                  norms, n);
    for (size_t i = 0; !norms_out && i < n; i++)
        if (!(norms[i] > 0)) /* not even a negative zero */
            memset(y + i * stride, 0, dg * sizeof *y);
    if (group->sketch_rows)
        return add_sketch(codec, group, scratch, y, stride, codes, first, n);
    return FQ_OK;
}

/* Vectors decoded at a time: with their rotated reconstructions they stay in the first-level cache. */
static size_t decode_batch(size_t d) {
    const size_t fits = 1536 / d;
    return fits > FQ_CODEC_CHUNK ? FQ_CODEC_CHUNK : fits < 12 ? 12 : fits;
}

/* Where a batch of decoded vectors goes, and what it takes on its way. */
typedef struct decode_job {
    const fq_codec *codec;
    fq_codec_scratch *scratch;
    float *x;
    const uint8_t *codes;
    size_t first, n; /* first: the batch's first vector among the caller's, for records of errors */
    bool past;       /* x is written past the caches */
} decode_job;

/* The rotated domain itself: all groups side by side. */
static fq_status decode_rotated(const decode_job *job) {
    const size_t d = job->codec->cost.dim;
    float *y = job->past ? job->scratch->b : job->x;
    for (size_t g = 0; g < job->codec->groups; g++) {
        const fq_codec_group *group = &job->codec->group[g];
        FQ_TRY(reconstruct(job->codec, group, job->scratch, y + group->offset, d, NULL, NULL, job->codes,
                           job->first, job->n));
    }
    if (job->past)
        fq_vector_kernels_best()->copy_beyond(job->x, y, job->n * d);
    return FQ_OK;
}

/* One group rotated back into back[n][d_g], by whichever rule of codec.h is its own. next: what will be
 * written then, or NULL. */
static fq_status rotate_back(const decode_job *job, const fq_codec_group *group, float *back,
                             const float *next) {
    float norms[FQ_CODEC_CHUNK], *const some = group->summed_by_bytes ? norms : NULL;
    fq_codec_scratch *scratch = job->scratch;
    FQ_TRY(reconstruct(job->codec, group, scratch, scratch->b, group->dim, some, next, job->codes, job->first,
                       job->n));
    if (some)
        fq_dense_apply_parts(fq_rotation_get_transpose(group->rotation), back, scratch->b, job->n,
                             group->table_width, norms);
    else if (job->past)
        fq_rotation_apply_transpose_beyond(group->rotation, job->x, scratch->b, back, job->n);
    else
        fq_rotation_apply_transpose(group->rotation, back, scratch->b, job->n);
    return FQ_OK;
}

/* One group of all channels in order: straight to where the vectors go. */
static fq_status decode_whole(const decode_job *job) {
    const fq_codec_group *group = job->codec->group;
    if (!job->past)
        return rotate_back(job, group, job->x, job->x);
    FQ_TRY(rotate_back(job, group, job->scratch->a, NULL));
    if (group->summed_by_bytes) /* the other way has written x already */
        fq_vector_kernels_best()->copy_beyond(job->x, job->scratch->a, job->n * group->dim);
    return FQ_OK;
}

/* Groups of some channels each: to their places in the vectors. */
static fq_status decode_channels(const decode_job *job) {
    for (size_t g = 0; g < job->codec->groups; g++) {
        const fq_codec_group *group = &job->codec->group[g];
        FQ_TRY(rotate_back(job, group, job->scratch->a, NULL));
        for (size_t i = 0; i < job->n; i++)
            fq_codec_scatter(job->codec, group, job->x + i * job->codec->cost.dim,
                             job->scratch->a + i * group->dim);
    }
    return FQ_OK;
}

fq_status fq_codec_groups_decode(const fq_codec *codec, fq_codec_scratch *scratch, float *x,
                                 const uint8_t *codes, size_t first, size_t n, bool rotated, bool beyond) {
    const size_t d = codec->cost.dim, most = decode_batch(d);
    const bool whole = codec->groups == 1 && !codec->channel_order;
    for (size_t v = 0; v < n; v += most) {
        const decode_job job = {.codec = codec,
                                .scratch = scratch,
                                .x = x + v * d,
                                .codes = codes + v * codec->cost.code_bytes,
                                .first = first + v,
                                .n = n - v < most ? n - v : most,
                                .past = beyond && (rotated || whole)};
        FQ_TRY(rotated ? decode_rotated(&job) : whole ? decode_whole(&job) : decode_channels(&job));
    }
    return FQ_OK;
}
