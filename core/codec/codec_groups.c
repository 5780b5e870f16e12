/* What the families of rotated, normalised blocks share: making groups, and encoding them a chunk of
 * vectors at a time. Sums run in a fixed order, so bytes do not depend on how the
 * compiler or the threads split the work. */
#include <math.h>
#include <string.h>

#include "code_makers.h"
#include "codec_family.h"
#include "codec_norm.h"
#include "fp16.h"
#include "memory.h"
#include "rotation_inverse.h"
#include "stream_ranges.h"
#include "vector_kernels.h"

/* sqrt(pi/2): E|g| = sqrt(2/pi) for a standard normal g, so the sign sketch is unbiased. */
#define SQRT_HALF_PI sqrt(M_PI / 2)

/* A row of the table of bytes: 256 rows of 32 numbers are 32 KiB, which the first-level cache holds. */
enum { TABLE_WIDTH_MAX = 32 };

/* Where sums by bytes are faster than products: a row, read from the second-level cache in two to three
 * cycles a line, stands for four multiply-adds or more; and 32 bytes' rows of 16 coordinates are half of a
 * cache of 1 MiB. */
enum { SUMMED_WIDTH = 4, SUMMED_BYTES = 32 };

/* How far from 1 an encoder's scales go. */
static const double scale_spread = 0.2;

/* Eight partial sums: one order for every processor. */
static double dot(const float *a, const float *b, size_t n) {
    return fq_vector_kernels_best()->dot(a, b, n);
}

static fq_status make_sketch(fq_codec_group *group, uint64_t seed, size_t number) {
    const size_t rows = group->sketch_rows, d = group->dim;
    FQ_TRY(fq_dense_init(&group->sketch, rows, d));
    FQ_TRY(fq_dense_init(&group->sketch_back, d, rows));
    for (size_t r = 0; r < rows; r++) {
        fq_stream stream;
        fq_stream_init_in(&stream, seed, FQ_RANGE_CODEC_SKETCHES, (uint64_t)number << 32 | r);
        for (size_t c = 0; c < d; c++) {
            const double entry = fq_stream_normal(&stream);
            fq_dense_set(&group->sketch, r, c, (float)entry);
            fq_dense_set(&group->sketch_back, c, r, (float)(entry * SQRT_HALF_PI / (double)rows));
        }
    }
    return FQ_OK;
}

/* Codewords by whole bytes of packed indices, so that decoding need not take the bytes apart. */
static fq_status make_byte_table(fq_codec_group *group) {
    const fq_packing_plan *plan = &group->packing;
    if (plan->kind != FQ_PACK_BITS || plan->width == 0 || 8 % plan->width != 0 || plan->bits % 8 != 0 ||
        group->codewords != (size_t)1 << plan->width)
        return FQ_OK;
    const size_t indices = 8 / plan->width, k = group->block, width = indices * k;
    if (width > TABLE_WIDTH_MAX)
        return FQ_OK;
    FQ_TRY(fq_alloc(&group->byte_table, 256 * width, sizeof *group->byte_table));
    group->table_width = width;
    group->summed_by_bytes = width >= SUMMED_WIDTH && plan->bytes <= SUMMED_BYTES && !group->sketch_rows &&
                             fq_rotation_get_transpose(group->rotation);
    for (size_t byte = 0; byte < 256; byte++)
        for (size_t i = 0; i < indices; i++)
            memcpy(group->byte_table + byte * width + i * k,
                   group->words + (byte >> i * plan->width & (group->codewords - 1)) * k, k * sizeof(float));
    return FQ_OK;
}

static fq_codec_group *next_group(fq_codec *codec, size_t dim) {
    fq_codec_group *group = &codec->group[codec->groups];
    group->dim = dim;
    group->offset = codec->groups ? group[-1].offset + group[-1].dim : 0;
    group->byte_offset = codec->cost.code_bytes;
    codec->groups++;
    return group;
}

static uint64_t rotation_number(const fq_codec *codec, size_t group) {
    return codec->first_rotation ? fq_stream_number(FQ_RANGE_CLASS_ROTATIONS, codec->first_rotation + group)
                                 : fq_stream_number(FQ_RANGE_CODEC_ROTATIONS, group);
}

fq_status fq_codec_add_empty_group(fq_codec *codec, size_t dim) {
    /* The rotation is kept, so that the rotated domain is the same kind of thing for all groups. */
    fq_codec_group *group = next_group(codec, dim);
    if (codec->plan_only)
        return fq_rotation_check(codec->spec.rotation, dim);
    return fq_rotation_create(&group->rotation, codec->spec.rotation, dim, codec->spec.seed,
                              rotation_number(codec, codec->groups - 1));
}

/* What a group has beyond its numbers: rotation, words and tables. */
static fq_status make_parts(const fq_codec *codec, fq_codec_group *group, const float *words) {
    const fq_codec_spec *spec = &codec->spec;
    const size_t number = codec->groups - 1;
    float *copy = NULL;
    FQ_TRY(fq_rotation_create(&group->rotation, spec->rotation, group->dim, spec->seed,
                              rotation_number(codec, number)));
    FQ_TRY(fq_alloc(&copy, group->codewords * group->block, sizeof *copy));
    memcpy(copy, words, group->codewords * group->block * sizeof *copy);
    group->words = copy;
    FQ_TRY(fq_search_create(&group->search, words, group->codewords, group->block, SIZE_MAX));
    FQ_TRY(make_byte_table(group));
    return group->sketch_rows ? make_sketch(group, spec->seed, number) : FQ_OK;
}

fq_status fq_codec_add_group(fq_codec *codec, size_t dim, size_t block, size_t codewords, const float *words,
                             size_t sketch_rows) {
    const fq_codec_spec *spec = &codec->spec;
    fq_codec_group *group = next_group(codec, dim);
    group->block = block;
    group->codewords = codewords;
    group->blocks = dim / block;
    group->sketch_rows = sketch_rows;
    group->norm = spec->norm_format;
    FQ_TRY(fq_packing_plan_init(&group->packing, spec->packing, group->blocks, (uint32_t)codewords));
    if (codec->plan_only)
        FQ_TRY(fq_rotation_check(spec->rotation, dim));
    else
        FQ_TRY(make_parts(codec, group, words));
    const size_t norms = fq_norm_bytes(group->norm) + (sketch_rows ? 2 : 0); /* bytes, the residual's too */
    group->index_offset = group->byte_offset + norms;
    group->sign_offset = group->index_offset + group->packing.bytes;
    group->bytes = norms + group->packing.bytes + (sketch_rows + 7) / 8;
    fq_codec_cost *cost = &codec->cost;
    cost->code_bytes += group->bytes;
    cost->index_bits += group->packing.bits + sketch_rows;
    cost->norm_bits += 8 * norms;
    cost->rate += ((double)group->blocks * log2((double)codewords) + (double)sketch_rows) / (double)cost->dim;
    return FQ_OK;
}

static fq_status make_trellis(const fq_codec *codec, fq_codec_group *group, const fq_trellis_map *map,
                              bool exact) {
    const fq_codec_spec *spec = &codec->spec;
    const fq_trellis_search search = {.tries = spec->tries, .exact = exact};
    FQ_TRY(fq_rotation_create(&group->rotation, spec->rotation, group->dim, spec->seed,
                              rotation_number(codec, codec->groups - 1)));
    FQ_TRY(fq_alloc_zero(&group->trellis, 1, sizeof *group->trellis));
    FQ_TRY(fq_trellis_code_init(&group->trellis->code, map, group->dim));
    fq_trellis_decoder_init(&group->trellis->decoder, &group->trellis->code);
    return fq_trellis_encoder_init(&group->trellis->encoder, &group->trellis->code, &search);
}

fq_status fq_codec_add_trellis_group(fq_codec *codec, size_t dim, const fq_trellis_map *map, bool exact) {
    const fq_codec_spec *spec = &codec->spec;
    fq_codec_group *group = next_group(codec, dim);
    const size_t bits = dim / map->together * map->fresh;
    group->norm = spec->norm_format;
    if (codec->plan_only)
        FQ_TRY(fq_rotation_check(spec->rotation, dim));
    else
        FQ_TRY(make_trellis(codec, group, map, exact));
    const size_t norm_bytes = fq_norm_bytes(group->norm);
    group->index_offset = group->byte_offset + norm_bytes;
    group->bytes = norm_bytes + (bits + 7) / 8;
    group->sign_offset = group->byte_offset + group->bytes;
    fq_codec_cost *cost = &codec->cost;
    cost->code_bytes += group->bytes;
    cost->index_bits += bits;
    cost->norm_bits += 8 * norm_bytes;
    cost->rate += (double)bits / (double)cost->dim;
    return FQ_OK;
}

void fq_codec_groups_clear(fq_codec *codec) {
    for (size_t g = 0; g < codec->groups; g++) {
        fq_codec_group *group = &codec->group[g];
        fq_rotation_destroy(group->rotation);
        fq_search_destroy(group->search);
        if (group->trellis) {
            fq_trellis_encoder_clear(&group->trellis->encoder);
            fq_trellis_code_clear(&group->trellis->code);
            fq_free(group->trellis);
        }
        float *words;
        memcpy(&words, &group->words, sizeof words); /* const in the view, owned here */
        fq_free(words);
        fq_free(group->byte_table);
        fq_dense_clear(&group->sketch);
        fq_dense_clear(&group->sketch_back);
    }
    fq_free(codec->channel_order);
}

fq_status fq_codec_set_channel_order(fq_codec *codec, const uint32_t *order) {
    if (!order)
        return FQ_OK;
    const size_t d = codec->cost.dim;
    FQ_TRY(fq_alloc_zero(&codec->channel_order, d, sizeof *codec->channel_order));
    for (size_t i = 0; i < d; i++) { /* mark what was seen, then overwrite with the order */
        if (order[i] >= d || codec->channel_order[order[i]]++)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "channel_order", order[i],
                                 "every channel from 0 to dim-1 once");
    }
    memcpy(codec->channel_order, order, d * sizeof *order);
    return FQ_OK;
}

size_t fq_codec_finer_channels(size_t dim, double bits) {
    const double fraction = bits - floor(bits);
    if (fraction == 0)
        return 0;
    const bool rest_is_stored = bits > 1;
    const double wanted = fraction * (double)dim;
    size_t best = 0;
    for (size_t finer = 0; finer <= dim; finer++) {
        if (finer == 1 || (rest_is_stored && dim - finer == 1))
            continue; /* a group of one coordinate is no direction to quantise */
        if (fabs((double)finer - wanted) <= fabs((double)best - wanted))
            best = finer;
    }
    return best ? best : (rest_is_stored ? 0 : 2); /* storing nothing at all is no codec */
}

static fq_status fail_nonfinite(const float *x, size_t d, size_t first, size_t n) {
    size_t i = 0;
    while (i < n * d && isfinite(x[i]))
        i++;
    return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", first * d + i,
                         "finite numbers; the value is the first other one's index");
}

/* The group's channels of one vector, in order. */
static void gather(const fq_codec *codec, const fq_codec_group *group, float *part, const float *x) {
    if (!codec->channel_order) {
        memcpy(part, x + group->offset, group->dim * sizeof *part);
        return;
    }
    const uint32_t *order = codec->channel_order + group->offset;
    for (size_t j = 0; j < group->dim; j++)
        part[j] = x[order[j]];
}

void fq_codec_scatter(const fq_codec *codec, const fq_codec_group *group, float *x, const float *part) {
    if (!codec->channel_order) {
        memcpy(x + group->offset, part, group->dim * sizeof *part);
        return;
    }
    const uint32_t *order = codec->channel_order + group->offset;
    for (size_t j = 0; j < group->dim; j++)
        x[order[j]] = part[j];
}

/* scale times the codewords of the indices, one after the other. */
static void look_up(const fq_codec_group *group, float *y, const uint32_t *index, float scale) {
    fq_vector_kernels_best()->expand(y, index, group->blocks, group->words, group->block, scale);
}

static void pack_signs(uint8_t *bytes, const float *z, size_t rows) {
    memset(bytes, 0, (rows + 7) / 8);
    for (size_t r = 0; r < rows; r++)
        bytes[r / 8] |= (uint8_t)((z[r] < 0) << r % 8);
}

/* The norm by a rule other than the input's, for direction y and its reconstruction yhat. */
static double stored_norm(fq_norm_rule rule, double norm, const float *y, const float *yhat, size_t d) {
    const double squared = dot(yhat, yhat, d);
    if (!(squared > 0))
        return norm;
    if (rule == FQ_NORM_MATCH)
        return norm / sqrt(squared);
    const double product = dot(y, yhat, d);
    if (!(product > 0))
        return 0;
    return rule == FQ_NORM_UNBIASED ? norm / product : norm * product / squared;
}

static fq_status fail_norm(const fq_codec_group *group, const char *what, double norm) {
    return FQ_FAIL_VALUE(FQ_ERR_RANGE, what, norm,
                         group->norm == FQ_NORM_BYTE ? "norms up to 2^11.9, the largest byte of normbits=8"
                                                     : "norms up to 65504, the largest half");
}

/* The norm to store, of a vector whose direction y is reconstructed as yhat. *kept: it is not zero, nor does
 * the vector's own round to that, which means zero whatever the rule. */
static fq_status write_norm(bool *kept, const fq_codec_group *group, fq_norm_rule rule, uint8_t *code,
                            double norm, const float *y, const float *yhat) {
    *kept = fq_norm_store(group->norm, code, norm);
    if (!*kept || rule == FQ_NORM_INPUT)
        return FQ_OK;
    const double stored = stored_norm(rule, norm, y, yhat, group->dim);
    if (stored > fq_norm_most(group->norm))
        return fail_norm(group, "stored norm", stored);
    *kept = fq_norm_store(group->norm, code, stored);
    return FQ_OK;
}

/* Norms and unit directions of the group's channels: scratch->norm and scratch->a. */
static fq_status normalise(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                           const float *x, size_t first, size_t n) {
    const size_t d = codec->cost.dim, dg = group->dim;
    for (size_t i = 0; i < n; i++) {
        float *part = scratch->a + i * dg;
        gather(codec, group, part, x + i * d);
        const double norm = sqrt(dot(part, part, dg));
        if (!isfinite(norm))
            return fail_nonfinite(x, d, first, n);
        if (norm > fq_norm_most(group->norm))
            return fail_norm(group, "norm", norm);
        scratch->norm[i] = norm;
        fq_vector_kernels_best()->scale(part, part, norm > 0 ? 1 / norm : 0, dg);
    }
    return FQ_OK;
}

/* Sketch of the residuals scratch->a: ratios and signs of all vectors with a norm. */
static void write_sketch(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                         uint8_t *codes, size_t n) {
    const size_t dg = group->dim, rows = group->sketch_rows;
    fq_dense_apply(&group->sketch, scratch->c, scratch->a, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t *code = codes + i * codec->cost.code_bytes;
        if (fq_fp16_load(code + group->byte_offset) == 0)
            continue;
        const float *residual = scratch->a + i * dg;
        const uint16_t ratio = fq_fp16_from_float((float)sqrt(dot(residual, residual, dg)));
        fq_fp16_store(code + group->byte_offset + fq_norm_bytes(group->norm), ratio);
        if (ratio)
            pack_signs(code + group->sign_offset, scratch->c + i * rows, rows);
        else
            memset(code + group->sign_offset, 0, (rows + 7) / 8);
    }
}

/* Scale number i of an encoder that tries several: evenly spread, 1 among them. */
static double tried_scale(unsigned i, unsigned tries) {
    return 1 + scale_spread * 2 * ((double)i - tries / 2) / tries;
}

/* Indices of the words of the rotated directions scratch->b: the nearest ones, or those of the scale that
 * leaves the smallest angle between a direction and its reconstruction, the first of equals. */
static void find_words(const fq_codec_group *group, fq_codec_scratch *scratch, size_t n, unsigned tries) {
    const size_t dg = group->dim, blocks = group->blocks;
    if (tries == 1) {
        fq_search_nearest(group->search, scratch->index, scratch->b, n * blocks);
        return;
    }
    double best[FQ_CODEC_CHUNK];
    for (unsigned t = 0; t < tries; t++) {
        fq_vector_kernels_best()->scale(scratch->c, scratch->b, tried_scale(t, tries), n * dg);
        fq_search_nearest(group->search, scratch->tried, scratch->c, n * blocks);
        for (size_t i = 0; i < n; i++) {
            const uint32_t *index = scratch->tried + i * blocks;
            look_up(group, scratch->a, index, 1);
            const double squared = dot(scratch->a, scratch->a, dg);
            const double cosine =
                squared > 0 ? dot(scratch->b + i * dg, scratch->a, dg) / sqrt(squared) : -HUGE_VAL;
            if (t == 0 || cosine > best[i]) {
                best[i] = cosine;
                memcpy(scratch->index + i * blocks, index, blocks * sizeof *index);
            }
        }
    }
}

/* Codes by a trellis of the group whose directions, rotated, are scratch->b. */
static fq_status write_payloads(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                                uint8_t *codes, size_t n) {
    const size_t dg = group->dim, stride = codec->cost.code_bytes;
    uint8_t *const payloads = codes + group->index_offset;
    float one[FQ_CODEC_CHUNK];
    for (size_t i = 0; i < n; i++)
        one[i] = 1;
    fq_trellis_encode(&group->trellis->encoder, scratch->trellis, payloads, stride, scratch->b, n);
    fq_trellis_decode_vectors(&group->trellis->decoder, scratch->a, dg, payloads, stride, one, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t *code = codes + i * stride + group->byte_offset;
        bool kept;
        FQ_TRY(write_norm(&kept, group, codec->spec.norm, code, scratch->norm[i], scratch->b + i * dg,
                          scratch->a + i * dg));
        if (!kept)
            memset(code, 0, group->bytes);
    }
    return FQ_OK;
}

/* Codes of the group whose directions, rotated, are scratch->b. */
static fq_status write_codes(const fq_codec *codec, const fq_codec_group *group, fq_codec_scratch *scratch,
                             uint8_t *codes, size_t n) {
    const size_t dg = group->dim;
    const fq_norm_rule rule = codec->spec.norm;
    for (size_t i = 0; i < n; i++) {
        uint8_t *code = codes + i * codec->cost.code_bytes;
        const uint32_t *index = scratch->index + i * group->blocks;
        const float *y = scratch->b + i * dg;
        float *yhat = scratch->a + i * dg;
        if (rule != FQ_NORM_INPUT || group->sketch_rows)
            look_up(group, yhat, index, 1);
        bool kept;
        FQ_TRY(write_norm(&kept, group, rule, code + group->byte_offset, scratch->norm[i], y, yhat));
        if (group->sketch_rows) /* what is left */
            for (size_t j = 0; j < dg; j++)
                yhat[j] = y[j] - yhat[j];
        if (!kept) {
            memset(code + group->byte_offset, 0, group->bytes);
            continue;
        }
        fq_packing_pack(&group->packing, code + group->index_offset, index);
    }
    if (group->sketch_rows)
        write_sketch(codec, group, scratch, codes, n);
    return FQ_OK;
}

fq_status fq_codec_groups_encode(const fq_codec *codec, fq_codec_scratch *scratch, uint8_t *codes,
                                 const float *x, size_t first, size_t n) {
    for (size_t g = 0; g < codec->groups; g++) {
        const fq_codec_group *group = &codec->group[g];
        FQ_TRY(normalise(codec, group, scratch, x, first, n));
        if (!group->bytes)
            continue;
        fq_rotation_apply(group->rotation, scratch->b, scratch->a, n);
        if (group->trellis) {
            FQ_TRY(write_payloads(codec, group, scratch, codes, n));
            continue;
        }
        find_words(group, scratch, n, codec->spec.tries);
        FQ_TRY(write_codes(codec, group, scratch, codes, n));
    }
    return FQ_OK;
}

void fq_codec_groups_rotate(const fq_codec *codec, fq_codec_scratch *scratch, float *y, const float *x,
                            size_t n, bool back) {
    const size_t d = codec->cost.dim;
    for (size_t g = 0; g < codec->groups; g++) {
        const fq_codec_group *group = &codec->group[g];
        const size_t dg = group->dim;
        for (size_t i = 0; i < n; i++) {
            if (back)
                memcpy(scratch->a + i * dg, x + i * d + group->offset, dg * sizeof *x);
            else
                gather(codec, group, scratch->a + i * dg, x + i * d);
        }
        if (back)
            fq_rotation_apply_transpose(group->rotation, scratch->b, scratch->a, n);
        else
            fq_rotation_apply(group->rotation, scratch->b, scratch->a, n);
        for (size_t i = 0; i < n; i++) {
            if (back)
                fq_codec_scatter(codec, group, y + i * d, scratch->b + i * dg);
            else
                memcpy(y + i * d + group->offset, scratch->b + i * dg, dg * sizeof *y);
        }
    }
}

fq_status fq_codec_add_scalar_group(fq_codec *codec, const fq_codebook *given, size_t dim, unsigned bits,
                                    size_t rows) {
    const size_t levels = (size_t)1 << bits;
    if (given && (given->block != 1 || given->dim != dim || given->codewords != levels || !given->words))
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "codebook codewords", given->codewords,
                             "a codebook of k = 1 for the codec's dim and 2^b levels");
    if (given || codec->plan_only)
        return fq_codec_add_group(codec, dim, 1, levels, codec->plan_only ? NULL : given->words, rows);
    float *words = NULL;
    double distortion;
    FQ_TRY(fq_alloc(&words, levels, sizeof *words));
    fq_status status = fq_code_makers_get()->scalar_levels(words, &distortion, dim, levels);
    if (status == FQ_OK)
        status = fq_codec_add_group(codec, dim, 1, levels, words, rows);
    fq_free(words);
    return status;
}
