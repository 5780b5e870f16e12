#include "search_pruned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"
#include "search_pruned_kernels.h"

static const double word_least = 0x1p-40, word_most = 0x1p50;

/* The order of words within the bands. */
typedef struct ranked {
    float offset;
    uint32_t word;
} ranked;

static const fq_pruned_kernels *const kernels[] = {
#if defined(__x86_64__)
    &fq_pruned_kernels_avx2,
    &fq_pruned_kernels_avx512,
#endif
    NULL,
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] - 1 };

/* NULL where the processor cannot take the path. */
static const fq_pruned_kernels *kernels_of(fq_search_path path) {
    for (size_t k = 0; k < KERNELS; k++)
        if (kernels[k]->path == path && fq_cpu_has(kernels[k]->needs))
            return kernels[k];
    return NULL;
}

bool fq_search_pruned_available(fq_search_path path, size_t block) {
    return kernels_of(path) && block >= 1 && block <= FQ_PRUNED_BLOCK_MAX;
}

fq_search_path fq_search_pruned_best(void) {
    return kernels_of(FQ_SEARCH_PRUNED_AVX512) ? FQ_SEARCH_PRUNED_AVX512 : FQ_SEARCH_PRUNED;
}

/* Measured: at (8,16384), (16,8192) and (32,4096) a fifth faster than the exhaustive search, then ever more.
 */
bool fq_search_pruned_pays(size_t codewords, size_t block, size_t points) {
    return fq_search_pruned_available(FQ_SEARCH_PRUNED, block) && block >= 8 &&
           codewords * block >= 1 << 17 && points >= codewords / 8;
}

/* By |c|, largest first; equal ones by index, so that the order is one. */
static int by_offset(const void *a, const void *b) {
    const ranked *const p = a, *const q = b;
    if (p->offset != q->offset)
        return p->offset < q->offset ? -1 : 1;
    return p->word < q->word ? -1 : p->word > q->word;
}

static double norm(const float *word, size_t block) {
    double sum = 0;
    for (size_t j = 0; j < block; j++)
        sum += (double)word[j] * (double)word[j];
    return sqrt(sum);
}

/* Rounds a word into its bytes and raises the band's limits and the reach. */
static void round_word(fq_search_pruned *made, fq_pruned_band *band, uint8_t *bytes, const float *word,
                       float offset) {
    const double slack = 1 + 0x1p-40; /* of these sums' own rounding */
    double rounded = 0, error = 0;
    const size_t group = made->kernels->group;
    for (size_t j = 0; j < group * made->groups; j++) {
        const double value = j < made->block ? (double)word[j] : 0;
        const double q = nearbyint(value / made->step), e = value - made->step * q;
        bytes[j / group * FQ_PRUNED_BAND * group + j % group] = (uint8_t)(q + 128);
        rounded += q * q;
        error += e * e;
    }
    made->reach = fmax(made->reach, sqrt(rounded) * slack);
    band->offset = fmax(band->offset, (double)offset);
    band->magnitude = fmax(band->magnitude, fabs((double)offset));
    band->size = fmax(band->size, norm(word, made->block) * slack);
    band->rounded = fmax(band->rounded, made->step * sqrt(rounded) * slack);
    band->error = fmax(band->error, sqrt(error) * slack);
}

/* Bands are visited in an order that has nothing to do with |c|: the best score so far then soon is a high
 * one. A stride without a common divisor visits each band once. */
static size_t stride_of(size_t bands) {
    for (size_t stride = (size_t)(0.618 * (double)bands);; stride++) {
        size_t a = bands, b = stride;
        while (b) {
            const size_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1)
            return stride;
    }
}

static void fill_bands(fq_search_pruned *made, const float *rows, const ranked *order) {
    const size_t block = made->block, codewords = made->words->codewords, stride = stride_of(made->bands);
    for (size_t i = 0; i < made->bands * FQ_PRUNED_BAND; i++) {
        const size_t visit = i / FQ_PRUNED_BAND, within = i % FQ_PRUNED_BAND;
        const size_t rank = visit * stride % made->bands * FQ_PRUNED_BAND + within;
        const ranked *const word = order + (rank < codewords ? rank : codewords - 1);
        fq_pruned_row *const row = fq_pruned_row_at(made, i);
        row->offset = word->offset;
        row->index = word->word;
        memcpy(row->word, rows + word->word * block, block * sizeof *rows);
        if (within == 0)
            made->band[visit] = (fq_pruned_band){.offset = -HUGE_VAL};
        round_word(made, &made->band[visit],
                   made->bytes + (visit * made->groups * FQ_PRUNED_BAND + within) * made->kernels->group,
                   row->word, row->offset);
    }
}

static fq_status fill_seeds(fq_search_pruned *made) {
    const size_t words = made->bands * FQ_PRUNED_BAND, count = words < 16384 ? 64 : words / 256,
                 each = words / count;
    float *rows = NULL;
    fq_status status = fq_alloc(&made->seed, count, sizeof *made->seed);
    if (status == FQ_OK)
        status = fq_alloc(&rows, count * made->block, sizeof *rows);
    for (size_t i = 0; status == FQ_OK && i < count; i++) {
        made->seed[i] = (uint32_t)(i * each);
        memcpy(rows + i * made->block, fq_pruned_row_at(made, i * each)->word, made->block * sizeof *rows);
    }
    if (status == FQ_OK)
        status = fq_search_words_init(&made->seeds, rows, count, made->block);
    fq_free(rows);
    return status;
}

/* Words in bands of like norm, rounded to bytes by one step for all. */
static fq_status fill(fq_search_pruned *made, const float *rows, double largest) {
    const size_t codewords = made->words->codewords, block = made->block;
    ranked *order = NULL;
    made->groups = (block + made->kernels->group - 1) / made->kernels->group;
    made->bands = (codewords + FQ_PRUNED_BAND - 1) / FQ_PRUNED_BAND;
    /* Points keep at least four bits, whatever the block: |q| <= 1023 leaves |r| 16. */
    made->step = largest / fmin(127, 1000 / sqrt((double)block));
    FQ_TRY(fq_alloc(&made->band, made->bands, sizeof *made->band));
    FQ_TRY(fq_alloc(&made->bytes, made->bands * made->groups * made->kernels->group, FQ_PRUNED_BAND));
    made->row_bytes = sizeof(fq_pruned_row) + block * sizeof(float);
    FQ_TRY(fq_alloc(&made->row, made->bands * FQ_PRUNED_BAND, made->row_bytes));
    FQ_TRY(fq_alloc(&order, codewords, sizeof *order));
    for (size_t i = 0; i < codewords; i++)
        order[i] = (ranked){fq_search_offset(rows + i * block, block), (uint32_t)i};
    qsort(order, codewords, sizeof *order, by_offset);
    fill_bands(made, rows, order);
    fq_free(order);
    return fill_seeds(made);
}

fq_status fq_search_pruned_create(fq_search_pruned **pruned, fq_search_path path,
                                  const fq_search_words *words, const float *rows) {
    double largest = 0;
    fq_search_pruned *made = NULL;
    *pruned = NULL;
    for (size_t i = 0; i < words->codewords * words->block; i++)
        largest = fmax(largest, fabs((double)rows[i]));
    if (largest < word_least || largest > word_most)
        return FQ_OK;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->kernels = kernels_of(path);
    made->block = words->block;
    made->words = words;
    made->exhaustive = fq_search_kernels_of(FQ_SEARCH_BEST);
    const fq_status status = fill(made, rows, largest);
    if (status != FQ_OK) {
        fq_search_pruned_destroy(made);
        return status;
    }
    *pruned = made;
    return FQ_OK;
}

void fq_search_pruned_destroy(fq_search_pruned *pruned) {
    if (!pruned)
        return;
    fq_search_words_clear(&pruned->seeds);
    fq_free(pruned->seed);
    fq_free(pruned->row);
    fq_free(pruned->bytes);
    fq_free(pruned->band);
    fq_free(pruned);
}

void fq_search_pruned_nearest(const fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n) {
    pruned->kernels->nearest(pruned, index, x, n);
}
