#include "search_planar.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "memory.h"

enum { SIDE_LEAST = 32, SIDE_MOST = 512, LISTS_MOST = 1 << 19, DEPTH_MOST = 9, CHUNK = 512, CODEWORDS_MOST = 1 << 16 };
static const uint32_t several = 1U << 31; /* of an entry: where its list of words starts; else the word */

typedef struct planar_word {
    float x, y, offset;
    uint32_t unused; /* a power of two in size */
} planar_word;

struct fq_search_planar {
    size_t side;       /* squares a side; one more entry behind all of them for points far out */
    float scale[2], shift[2];
    float reach[2][2]; /* least and largest coordinate of the region the lists hold for */
    uint32_t *entry;   /* [side * side + 1] */
    uint32_t *list;    /* a count, then so many words, rising; again and again */
    size_t list_length;
    planar_word *word; /* [N] */
};

typedef struct box {
    double low[2], high[2], far[2]; /* far: the largest magnitude */
} box;

/* What is known of the making: the words and room for each depth's candidates. */
typedef struct builder {
    fq_search_planar *planar;
    size_t codewords;
    uint32_t *candidates; /* [DEPTH_MOST + 2][codewords] */
    double width[2], origin[2];
    bool too_many;
} builder;

/* The largest |s_computed - s| over points no larger than (x, y) in magnitude: two roundings of relative error
 * 2^-24 each, of the sum before and after the second product, and at most 2^-149 of underflow. */
static double rounding(const planar_word *w, double x, double y) {
    const double size = fabs((double)w->offset) + fabs(x * (double)w->x) + fabs(y * (double)w->y);
    return size * 0x1.00001p-23 + 0x1p-148;
}

/* True if b's score as computed is below a's in the whole box: their difference is largest at the corner that its
 * slopes point to, and rounding is at most that of the box's farthest point. */
static bool beaten(const planar_word *b, const planar_word *a, const box *where) {
    const double dx = (double)b->x - (double)a->x, dy = (double)b->y - (double)a->y;
    const double x = dx > 0 ? where->high[0] : where->low[0], y = dy > 0 ? where->high[1] : where->low[1];
    const double lead = ((double)b->offset - (double)a->offset) + x * dx + y * dy;
    /* the last factor: rounding of this computation itself */
    const double slack = (rounding(a, where->far[0], where->far[1]) + rounding(b, where->far[0], where->far[1])) *
                         (1 + 0x1p-20);
    return lead + slack < 0;
}

/* Keeps of from[n] the words that can win in the box: those not beaten by the best at its centre. */
static size_t keep_possible(const builder *b, uint32_t *kept, const uint32_t *from, size_t n, const box *where) {
    const planar_word *word = b->planar->word;
    const double x = 0.5 * (where->low[0] + where->high[0]), y = 0.5 * (where->low[1] + where->high[1]);
    size_t best = 0, count = 0;
    double most = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        const planar_word *w = &word[from[i]];
        const double score = (double)w->offset + x * (double)w->x + y * (double)w->y;
        if (score > most) {
            most = score;
            best = i;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (i == best || !beaten(&word[from[i]], &word[from[best]], where))
            kept[count++] = from[i];
    return count;
}

/* Squares x..x+size-1 by y..y+size-1 with a border for rounding of a point's square; the outermost reach out. */
static box box_of(const builder *b, size_t x, size_t y, size_t size) {
    const size_t first[2] = {x, y};
    box where;
    for (int c = 0; c < 2; c++) {
        const double border = 0.01 * b->width[c];
        where.low[c] = first[c] == 0 ? (double)b->planar->reach[c][0]
                                     : b->origin[c] + (double)first[c] * b->width[c] - border;
        where.high[c] = first[c] + size == b->planar->side
                            ? (double)b->planar->reach[c][1]
                            : b->origin[c] + (double)(first[c] + size) * b->width[c] + border;
        where.far[c] = -where.low[c] > where.high[c] ? -where.low[c] : where.high[c];
    }
    return where;
}

static uint32_t add_list(builder *b, const uint32_t *candidates, size_t n) {
    fq_search_planar *p = b->planar;
    if (p->list_length + n + 1 > LISTS_MOST) {
        b->too_many = true;
        return 0;
    }
    const uint32_t start = (uint32_t)p->list_length;
    p->list[p->list_length++] = (uint32_t)n;
    memcpy(p->list + p->list_length, candidates, n * sizeof *candidates);
    p->list_length += n;
    return several | start;
}

static void fill_squares(builder *b, size_t x, size_t y, size_t size, uint32_t value) {
    for (size_t i = y; i < y + size; i++)
        for (size_t j = x; j < x + size; j++)
            b->planar->entry[i * b->planar->side + j] = value;
}

/* Depth is at most log2 SIDE_MOST. */
static void divide(builder *b, const uint32_t *from, size_t n, size_t x, size_t y, size_t size, int depth) {
    if (b->too_many)
        return;
    uint32_t *kept = b->candidates + (size_t)depth * b->codewords;
    const box where = box_of(b, x, y, size);
    const size_t count = keep_possible(b, kept, from, n, &where);
    if (count == 1) {
        fill_squares(b, x, y, size, kept[0]);
    } else if (size == 1) {
        b->planar->entry[y * b->planar->side + x] = add_list(b, kept, count);
    } else {
        const size_t half = size / 2;
        for (size_t quarter = 0; quarter < 4; quarter++)
            divide(b, kept, count, x + (quarter & 1 ? half : 0), y + (quarter & 2 ? half : 0), half, depth + 1);
    }
}

static size_t side_for(size_t codewords) {
    size_t side = SIDE_LEAST;
    while (side < SIDE_MOST && side * side < 128 * codewords)
        side *= 2;
    return side;
}

/* The grid covers the words' own rectangle; false if it has no area or is beyond float32's comfort. */
static bool place_grid(builder *b) {
    fq_search_planar *p = b->planar;
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < b->codewords; i++) {
        const double at[2] = {(double)p->word[i].x, (double)p->word[i].y};
        for (int c = 0; c < 2; c++) {
            low[c] = at[c] < low[c] ? at[c] : low[c]; /* fmin makes gcc 12 for AArch64 fail */
            high[c] = at[c] > high[c] ? at[c] : high[c];
        }
    }
    for (int c = 0; c < 2; c++) {
        const double extent = high[c] - low[c], far = fmax(fabs(low[c]), fabs(high[c]));
        if (!(extent >= 1e-9) || !(far <= 1e9) || extent < 0.1 * far)
            return false;
        b->width[c] = extent / (double)p->side;
        b->origin[c] = low[c];
        p->scale[c] = (float)(1 / b->width[c]);
        p->shift[c] = (float)(-low[c] / b->width[c]);
        p->reach[c][0] = (float)fmin(low[c] - 8 * extent, -2.0);
        p->reach[c][1] = (float)fmax(high[c] + 8 * extent, 2.0);
    }
    return true;
}

static fq_status build(builder *b) {
    fq_search_planar *p = b->planar;
    FQ_TRY(fq_alloc(&b->candidates, (DEPTH_MOST + 2) * b->codewords, sizeof *b->candidates));
    uint32_t *all = b->candidates + (DEPTH_MOST + 1) * b->codewords;
    for (size_t i = 0; i < b->codewords; i++)
        all[i] = (uint32_t)i;
    p->entry[p->side * p->side] = add_list(b, all, b->codewords);
    divide(b, all, b->codewords, 0, 0, p->side, 0);
    fq_free(b->candidates);
    return FQ_OK;
}

static fq_status allocate(fq_search_planar *p, size_t codewords) {
    FQ_TRY(fq_alloc(&p->word, codewords, sizeof *p->word));
    FQ_TRY(fq_alloc(&p->entry, p->side * p->side + 1, sizeof *p->entry));
    return fq_alloc(&p->list, LISTS_MOST, sizeof *p->list);
}

fq_status fq_search_planar_create(fq_search_planar **planar, const fq_search_words *words) {
    assert(words->block == 2);
    fq_search_planar *made = NULL;
    *planar = NULL;
    if (words->codewords > CODEWORDS_MOST)
        return FQ_OK;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->side = side_for(words->codewords);
    builder b = {.planar = made, .codewords = words->codewords};
    fq_status status = allocate(made, words->codewords);
    for (size_t i = 0; status == FQ_OK && i < words->codewords; i++) {
        const size_t group = i / FQ_SEARCH_LANES, lane = i % FQ_SEARCH_LANES;
        made->word[i] = (planar_word){words->lanes[(group * 2) * FQ_SEARCH_LANES + lane],
                                      words->lanes[(group * 2 + 1) * FQ_SEARCH_LANES + lane],
                                      words->offset[i], 0};
    }
    const bool fits = status == FQ_OK && place_grid(&b);
    if (fits)
        status = build(&b);
    if (status != FQ_OK || !fits || b.too_many) {
        fq_search_planar_destroy(made);
        return status;
    }
    *planar = made;
    return FQ_OK;
}

void fq_search_planar_destroy(fq_search_planar *planar) {
    if (!planar)
        return;
    fq_free(planar->word);
    fq_free(planar->entry);
    fq_free(planar->list);
    fq_free(planar);
}

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* The square of a point. NaN-free: what overflows is clamped. */
static ALWAYS_INLINE uint32_t square_of(const fq_search_planar *p, float x, float y) {
    const float most = (float)(p->side - 1);
    float column = x * p->scale[0] + p->shift[0], row = y * p->scale[1] + p->shift[1];
    column = column > 0 ? column : 0;
    row = row > 0 ? row : 0;
    column = column < most ? column : most;
    row = row < most ? row : most;
    const uint32_t square = (uint32_t)(int32_t)row * (uint32_t)p->side + (uint32_t)(int32_t)column;
    const bool near = (x >= p->reach[0][0]) & (x <= p->reach[0][1]) & (y >= p->reach[1][0]) & (y <= p->reach[1][1]);
    return near ? square : (uint32_t)(p->side * p->side);
}

static ALWAYS_INLINE uint32_t best_of(const fq_search_planar *p, uint32_t start, float x, float y) {
    const uint32_t *list = p->list + start, count = list[0];
    uint32_t best = list[1];
    float most = -HUGE_VALF;
    for (uint32_t i = 1; i <= count; i++) {
        const planar_word *w = &p->word[list[i]];
        const float score = fmaf(y, w->y, fmaf(x, w->x, w->offset));
        best = score > most ? list[i] : best;
        most = score > most ? score : most;
    }
    return best;
}

static ALWAYS_INLINE void nearest(const fq_search_planar *p, uint32_t *index, const float *x, size_t n) {
    uint32_t square[CHUNK];
    uint16_t open[CHUNK];
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t count = n - first < CHUNK ? n - first : CHUNK;
        const float *at = x + 2 * first;
        uint32_t *to = index + first;
        size_t opened = 0;
        for (size_t i = 0; i < count; i++)
            square[i] = square_of(p, at[2 * i], at[2 * i + 1]);
        for (size_t i = 0; i < count; i++) {
            const uint32_t entry = p->entry[square[i]];
            to[i] = entry;
            open[opened] = (uint16_t)i;
            opened += entry >> 31;
        }
        for (size_t o = 0; o < opened; o++) {
            const size_t i = open[o];
            to[i] = best_of(p, to[i] & ~several, at[2 * i], at[2 * i + 1]);
        }
    }
}

void fq_search_planar_nearest_portable(const fq_search_planar *planar, uint32_t *index, const float *x, size_t n) {
    nearest(planar, index, x, n);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void nearest_avx2(const fq_search_planar *planar, uint32_t *index,
                                                              const float *x, size_t n) {
    nearest(planar, index, x, n);
}
#endif

void fq_search_planar_nearest(const fq_search_planar *planar, uint32_t *index, const float *x, size_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        nearest_avx2(planar, index, x, n);
        return;
    }
#endif
    fq_search_planar_nearest_portable(planar, index, x, n);
}

/* Measured on a Zen 3 core: a grid takes 0.6 ms to make at N = 64 and 2.3 ms at 256, and saves 2 and 13 ns a point;
 * doubled, because points are shared among threads and the making is not. */
size_t fq_search_planar_worth(size_t codewords) {
    return codewords < 32 ? SIZE_MAX : codewords < 128 ? (size_t)5 << 17 : (size_t)3 << 17;
}
