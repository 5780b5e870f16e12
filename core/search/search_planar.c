#include "search_planar.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"

enum {
    SIDE_LEAST = 32,
    SIDE_MOST = 512,
    LISTS_MOST = 1 << 19,
    DEPTH_MOST = 9,
    CHUNK = 512,
    CODEWORDS_MOST = 1 << 16
};
#define ALWAYS_INLINE inline __attribute__((always_inline))

static const uint32_t several = 1U << 31; /* of an entry: where its list of words starts; else the word */

typedef struct planar_word {
    float x, y, offset;
    uint32_t unused; /* a power of two in size */
} planar_word;

struct fq_search_planar {
    size_t side; /* squares a side; one more entry behind all of them for points far out */
    float scale[2], shift[2];
    float reach[2][2]; /* least and largest coordinate of the region the lists hold for */
    uint32_t *entry;   /* [side * side + 1] */
    uint32_t *list;    /* a count, then so many words, rising; again and again */
    size_t list_length;
    planar_word *word; /* [N] */
};

static bool have_vectors(void) {
    return fq_cpu_has(FQ_CPU_AVX2);
}

/* The four quarters of a square, side by side for vectors. */
enum { QUARTERS = 4 };
typedef double four __attribute__((vector_size(QUARTERS * sizeof(double))));
typedef int64_t four_bits __attribute__((vector_size(QUARTERS * sizeof(int64_t))));
#define ALL(value)          ((four){(value), (value), (value), (value)})
#define CHOOSE(where, a, b) ((four)(((where) & (four_bits)(a)) | (~(where) & (four_bits)(b))))
#define MAGNITUDE(a)        ((four)((four_bits)(a)&INT64_MAX))

typedef struct boxes {
    four low[2], high[2], far[2]; /* far: the largest magnitude */
} boxes;

/* What is known of the making: the words and room for each depth's candidates. */
typedef struct builder {
    fq_search_planar *planar;
    size_t codewords;
    uint32_t *candidates; /* [DEPTH_MOST][QUARTERS][codewords], then all words */
    double width[2], origin[2];
    bool too_many, vectors; /* vectors: the processor has AVX2 and FMA */
} builder;

/* Keeps of from[n], for each quarter, the words that can win in it: those not beaten by the best at its
 * centre.
 *
 * A word is beaten if its score as computed is below the other's in the whole box: their difference is
 * largest at the corner that its slopes point to, and rounding is at most that of the box's farthest point. A
 * score differs from s by at most two roundings of relative error 2^-24 each, of the sum before and after the
 * second product, and by 2^-149 of underflow. */
static ALWAYS_INLINE void keep_possible(const planar_word *word, uint32_t *const kept[QUARTERS],
                                        size_t count[QUARTERS], const uint32_t *from, size_t n,
                                        const boxes *where) {
    const four x = 0.5 * (where->low[0] + where->high[0]), y = 0.5 * (where->low[1] + where->high[1]);
    four most = ALL(-HUGE_VAL), place = {0};
    for (size_t i = 0; i < n; i++) {
        const planar_word *const w = &word[from[i]];
        const four score = (double)w->offset + x * (double)w->x + y * (double)w->y;
        const four_bits better = score > most;
        most = CHOOSE(better, score, most);
        place = CHOOSE(better, ALL((double)i), place);
    }
    four best_x, best_y, best_offset;
    for (size_t q = 0; q < QUARTERS; q++) {
        const planar_word *const w = &word[from[(size_t)place[q]]];
        best_x[q] = (double)w->x;
        best_y[q] = (double)w->y;
        best_offset[q] = (double)w->offset;
        count[q] = 0;
    }
    const four best_size =
        MAGNITUDE(best_offset) + where->far[0] * MAGNITUDE(best_x) + where->far[1] * MAGNITUDE(best_y);
    for (size_t i = 0; i < n; i++) {
        const planar_word *const w = &word[from[i]];
        const four dx = (double)w->x - best_x, dy = (double)w->y - best_y;
        const four corner_x = CHOOSE(dx > 0.0, where->high[0], where->low[0]);
        const four corner_y = CHOOSE(dy > 0.0, where->high[1], where->low[1]);
        const four size = best_size + fabs((double)w->offset) + where->far[0] * fabs((double)w->x) +
                          where->far[1] * fabs((double)w->y);
        /* a little more than 2^-23: rounding of this computation itself */
        const four_bits beaten = ((double)w->offset - best_offset) + corner_x * dx + corner_y * dy +
                                     (size * 0x1.0001p-23 + 0x1p-147) <
                                 0.0;
        for (size_t q = 0; q < QUARTERS; q++) {
            kept[q][count[q]] = from[i];
            count[q] += beaten[q] ? 0 : 1;
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void
keep_possible_avx2(const planar_word *word, uint32_t *const kept[QUARTERS], size_t count[QUARTERS],
                   const uint32_t *from, size_t n, const boxes *where) {
    keep_possible(word, kept, count, from, n, where);
}
#endif

/* The quarters of the square x..x+2half-1 by y..., with a border for rounding of a point's square; the
 * outermost reach out. */
static void find_boxes(const builder *b, boxes *where, size_t x, size_t y, size_t half) {
    for (size_t q = 0; q < QUARTERS; q++) {
        const size_t first[2] = {x + (q & 1 ? half : 0), y + (q & 2 ? half : 0)};
        for (int c = 0; c < 2; c++) {
            const double border = 0.01 * b->width[c];
            const double low = first[c] == 0 ? (double)b->planar->reach[c][0]
                                             : b->origin[c] + (double)first[c] * b->width[c] - border;
            const double high = first[c] + half == b->planar->side
                                    ? (double)b->planar->reach[c][1]
                                    : b->origin[c] + (double)(first[c] + half) * b->width[c] + border;
            where->low[c][q] = low;
            where->high[c][q] = high;
            where->far[c][q] = -low > high ? -low : high;
        }
    }
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

/* list[n]: the words that can win in the square. Depth is at most log2 SIDE_MOST. */
static void divide(builder *b, const uint32_t *list, size_t n, size_t x, size_t y, size_t size, int depth) {
    if (b->too_many)
        return;
    if (n == 1) {
        fill_squares(b, x, y, size, list[0]);
        return;
    }
    if (size == 1) {
        b->planar->entry[y * b->planar->side + x] = add_list(b, list, n);
        return;
    }
    const size_t half = size / 2;
    uint32_t *kept[QUARTERS];
    size_t count[QUARTERS];
    boxes where;
    for (size_t q = 0; q < QUARTERS; q++)
        kept[q] = b->candidates + ((size_t)depth * QUARTERS + q) * b->codewords;
    find_boxes(b, &where, x, y, half);
#if defined(__x86_64__)
    if (b->vectors)
        keep_possible_avx2(b->planar->word, kept, count, list, n, &where);
    else
#endif
        keep_possible(b->planar->word, kept, count, list, n, &where);
    for (size_t q = 0; q < QUARTERS; q++)
        divide(b, kept[q], count[q], x + (q & 1 ? half : 0), y + (q & 2 ? half : 0), half, depth + 1);
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
    FQ_TRY(fq_alloc(&b->candidates, (DEPTH_MOST * QUARTERS + 1) * b->codewords, sizeof *b->candidates));
    uint32_t *all = b->candidates + DEPTH_MOST * QUARTERS * b->codewords;
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
    builder b = {.planar = made, .codewords = words->codewords, .vectors = have_vectors()};
    fq_status status = allocate(made, words->codewords);
    for (size_t i = 0; status == FQ_OK && i < words->codewords; i++) {
        const size_t group = i / FQ_SEARCH_LANES, lane = i % FQ_SEARCH_LANES;
        made->word[i] =
            (planar_word){words->lanes[(group * 2) * FQ_SEARCH_LANES + lane],
                          words->lanes[(group * 2 + 1) * FQ_SEARCH_LANES + lane], words->offset[i], 0};
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

/* The square of a point. NaN-free: what overflows is clamped. */
static ALWAYS_INLINE uint32_t square_of(const fq_search_planar *p, float x, float y) {
    const float most = (float)(p->side - 1);
    float column = x * p->scale[0] + p->shift[0], row = y * p->scale[1] + p->shift[1];
    column = column > 0 ? column : 0;
    row = row > 0 ? row : 0;
    column = column < most ? column : most;
    row = row < most ? row : most;
    const uint32_t square = (uint32_t)(int32_t)row * (uint32_t)p->side + (uint32_t)(int32_t)column;
    const bool near =
        (x >= p->reach[0][0]) & (x <= p->reach[0][1]) & (y >= p->reach[1][0]) & (y <= p->reach[1][1]);
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

/* Each point's square, then the words of its list, of which there is mostly one. */
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

void fq_search_planar_nearest_portable(const fq_search_planar *planar, uint32_t *index, const float *x,
                                       size_t n) {
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
    if (have_vectors()) {
        nearest_avx2(planar, index, x, n);
        return;
    }
#endif
    fq_search_planar_nearest_portable(planar, index, x, n);
}

/* Measured on Zen 3 and Zen 4 cores: a grid takes 0.2 to 0.3 ms to make at N = 64 and about 1 ms at 256, and
 * saves 2 and 13 ns a point; doubled, because points are shared among threads and the making is not. */
size_t fq_search_planar_worth(size_t codewords) {
    return codewords < 32 ? SIZE_MAX : codewords < 128 ? (size_t)1 << 18 : (size_t)5 << 15;
}
