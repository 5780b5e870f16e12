#include "attention_codes.h"

#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "codec_norm.h"
#include "fp16.h"
#include "memory.h"

static const float word_units = 2047; /* of the largest coordinate: see attention_kernels.h */

void fq_attention_split(uint8_t bytes[32], const int16_t number[16]) {
    for (size_t c = 0; c < 16; c++) {
        bytes[c] = (uint8_t)((uint16_t)number[c] & 255);
        bytes[16 + c] = (uint8_t)((uint16_t)number[c] >> 8);
    }
}

/* A codebook of N = 2^w words, w = 1, 2 or 4, is one of 16 words of 4/w blocks: the first block's index is in
 * the lowest bits. */
static void compose_words(fq_attention_group *to) {
    const fq_codec_group *from = to->group;
    const unsigned width = from->packing.width;
    const size_t k = from->block;
    for (size_t c = 0; c < 16; c++)
        for (size_t part = 0; part < 4 / width; part++) {
            const size_t index = c >> width * part & ((1U << width) - 1);
            memcpy(to->words + c * to->coordinates + part * k, from->words + index * k,
                   k * sizeof *to->words);
        }
}

/* Coordinate t of word c in units. */
static int16_t word_number(const fq_attention_group *g, size_t c, size_t t) {
    return g->word_unit > 0 ? (int16_t)lrint((double)g->words[c * g->coordinates + t] / (double)g->word_unit)
                            : 0;
}

static void make_word_table(fq_attention_group *g) {
    for (size_t t = 0; t < g->coordinates; t++) {
        int16_t number[16];
        for (size_t c = 0; c < 16; c++)
            number[c] = word_number(g, c, t);
        fq_attention_split(g->word_table + 32 * t, number);
    }
}

static fq_status make_word_numbers(fq_attention_group *g) {
    const size_t k = g->coordinates, stride = (k + 3) / 4 * 4;
    FQ_TRY(fq_alloc_zero(&g->word_numbers, 256 * (k + stride), sizeof *g->word_numbers));
    int16_t *const by_word = g->word_numbers + 256 * k;
    for (size_t c = 0; c < 256; c++)
        for (size_t t = 0; t < k; t++)
            g->word_numbers[t * 256 + c] = by_word[c * stride + t] = word_number(g, c, t);
    g->bytes = (fq_attention_words){
        .coordinates = k, .stride = stride, .by_coordinate = g->word_numbers, .by_word = by_word};
    return FQ_OK;
}

/* False if the group is of none of the kinds. Sums of a score's table entries must fit 16 bits whatever
 * their rounding, hence the limit on positions; at eight bits a coordinate their rounding would be as large
 * as that of the codes. */
static bool choose(fq_attention_group *g, const fq_codec_group *group) {
    const fq_packing_plan *p = &group->packing;
    const bool whole =
        p->kind == FQ_PACK_BITS && p->bits % 8 == 0 && group->codewords == (size_t)1 << p->width;
    *g = (fq_attention_group){.group = group, .index_bytes = p->bytes};
    if (group->trellis) {
        g->index_bytes = group->trellis->code.payload_bytes;
        return fq_attention_trellis_reads(&group->trellis->code);
    }
    if (group->sketch_rows || !whole)
        return false;
    g->nibbles = p->width == 1 || p->width == 2 || p->width == 4;
    g->choices = g->nibbles ? 16 : 256;
    g->positions = g->nibbles ? 2 * p->bytes : p->bytes;
    g->coordinates = group->dim / g->positions;
    return g->positions <= 1024 && (g->nibbles || (p->width == 8 && group->block > 1));
}

static fq_status make_words(fq_attention_group *g) {
    if (g->group->trellis) {
        FQ_TRY(fq_alloc(&g->trellis, 1, sizeof *g->trellis));
        fq_attention_trellis_init(g->trellis, &g->group->trellis->code);
        return FQ_OK;
    }
    const size_t count = g->choices * g->coordinates;
    float most = 0;
    FQ_TRY(fq_alloc(&g->words, count, sizeof *g->words));
    if (g->nibbles)
        compose_words(g);
    else
        memcpy(g->words, g->group->words, count * sizeof *g->words);
    for (size_t i = 0; i < count; i++)
        most = fabsf(g->words[i]) > most ? fabsf(g->words[i]) : most;
    g->word_unit = most / word_units;
    if (!g->nibbles)
        return make_word_numbers(g);
    FQ_TRY(fq_alloc(&g->word_table, g->coordinates, 32));
    make_word_table(g);
    return FQ_OK;
}

fq_status fq_attention_codes_init(fq_attention_codes *codes, const fq_codec *codec) {
    const fq_codec_cost cost = fq_codec_get_cost(codec);
    size_t count = 0;
    const fq_codec_group *groups = fq_codec_get_groups(codec, &count);
    *codes =
        (fq_attention_codes){.codec = codec, .dim = cost.dim, .stride = cost.code_bytes, .rows = count == 0};
    for (unsigned byte = 1; byte < 256; byte++) {
        const uint8_t stored = (uint8_t)byte;
        (void)fq_norm_load(FQ_NORM_BYTE, &codes->byte_norm[byte], &stored);
    }
    for (size_t i = 0; i < count; i++)
        if (groups[i].bytes && !choose(&codes->group[codes->groups++], &groups[i]))
            codes->rows = true;
    if (codes->rows) {
        codes->groups = 0;
        return FQ_OK;
    }
    fq_status status = FQ_OK;
    for (size_t i = 0; status == FQ_OK && i < codes->groups; i++)
        status = make_words(&codes->group[i]);
    if (status != FQ_OK)
        fq_attention_codes_clear(codes);
    return status;
}

void fq_attention_codes_clear(fq_attention_codes *codes) {
    for (size_t i = 0; i < codes->groups; i++) {
        fq_free(codes->group[i].trellis);
        fq_free(codes->group[i].words);
        fq_free(codes->group[i].word_table);
        fq_free(codes->group[i].word_numbers);
    }
    memset(codes, 0, sizeof *codes);
}

bool fq_attention_read_norms(const fq_attention_codes *codes, const fq_attention_group *group,
                             const fq_attention_kernels *kernels, float *norm, const uint8_t *code, size_t n,
                             size_t *bad) {
    if (group->group->norm == FQ_NORM_HALF) {
        uint8_t halves[2 * FQ_ATTENTION_CHUNK];
        kernels->halves(halves, code + group->group->byte_offset, codes->stride, n);
        fq_fp16_decode(norm, halves, FQ_ATTENTION_CHUNK);
        if (kernels->positive(norm, (float)FQ_FP16_MAX, n))
            return true;
    }
    memset(norm, 0, FQ_ATTENTION_CHUNK * sizeof *norm);
    if (group->group->norm == FQ_NORM_BYTE) {
        const uint8_t *const at = code + group->group->byte_offset;
        unsigned least = 255;
        for (size_t i = 0; i < n; i++) {
            const unsigned byte = at[i * codes->stride];
            norm[i] = codes->byte_norm[byte];
            least = byte < least ? byte : least;
        }
        if (least > 0) /* zero says that the rest must be zero */
            return true;
    }
    for (size_t i = 0; i < n; i++) {
        float none; /* no sketch, no residual */
        if (!fq_codec_read_norms(group->group, code + i * codes->stride, &norm[i], &none)) {
            *bad = i;
            return false;
        }
    }
    return true;
}
