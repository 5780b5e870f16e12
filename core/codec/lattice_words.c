#include "lattice_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "code_makers.h"
#include "memory.h"
#include "search.h"
#include "text_builder.h"

enum { COUNT, SHAPE, DIM_MAX = 24, SAMPLES = 4096, STEPS = 14 };

static const char *const shape_words[] = {"ball", "nested", NULL};
#define KEYS(largest, text)                                                                                  \
    {                                                                                                        \
        {.name = "N",                                                                                        \
         .help = "words" text,                                                                               \
         .type = FQ_TYPE_INTEGER,                                                                            \
         .required = true,                                                                                   \
         .least = 2,                                                                                         \
         .most = (largest)},                                                                                 \
            {.name = "shape",                                                                                \
             .help = "the shortest points, or one of every coset of q times the lattice",                    \
             .type = FQ_TYPE_CHOICE,                                                                         \
             .words = shape_words},                                                                          \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
const fq_codec_key fq_lattice_keys_d4[] = KEYS(65536, "; q^4 of a nested code");
const fq_codec_key fq_lattice_keys_e8[] = KEYS(262144, "; q^8 of a nested code");

const fq_codec_key fq_lattice_keys_leech[] = {{.name = "N",
                                               .help = "words, the shortest points",
                                               .type = FQ_TYPE_INTEGER,
                                               .required = true,
                                               .least = 2,
                                               .most = FQ_LEECH_WORDS_MAX},
                                              {0}};

static size_t block_of(fq_lattice lattice) {
    return lattice == FQ_LATTICE_D4 ? 4 : lattice == FQ_LATTICE_E8 ? 8 : 24;
}

/* Points by twice their coordinates, so that halves are whole. */
typedef struct point {
    int8_t x[DIM_MAX];
    int norm; /* of twice the point */
} point;

typedef struct point_list {
    point *points;
    size_t count, room;
} point_list;

static fq_status append(point_list *list, const point *p) {
    if (list->count == list->room) {
        point *more = NULL;
        const size_t room = list->room ? 2 * list->room : 1024;
        FQ_TRY(fq_alloc(&more, room, sizeof *more));
        if (list->count)
            memcpy(more, list->points, list->count * sizeof *more);
        fq_free(list->points);
        list->points = more;
        list->room = room;
    }
    list->points[list->count++] = *p;
    return FQ_OK;
}

/* All points whose doubled norm is at most most and whose doubled coordinates are all of one parity,
 * coordinate i and on still to be chosen. */
static fq_status enumerate(point_list *list, point *p, size_t i, size_t k, int parity, int sum, int most) {
    if (i == k)
        return sum % 4 == 0 ? append(list, p) : FQ_OK; /* the sum of the coordinates is even */
    int edge = 0;
    while ((edge + 1) * (edge + 1) <= most - p->norm)
        edge++;
    for (int c = -edge; c <= edge; c++) {
        if ((c & 1) != parity)
            continue;
        point next = *p;
        next.x[i] = (int8_t)c;
        next.norm += c * c;
        FQ_TRY(enumerate(list, &next, i + 1, k, parity, sum + c, most));
    }
    return FQ_OK;
}

/* Word number i of the extended binary Golay code: a multiple of x^11+x^9+x^7+x^6+x^5+x+1, and a parity bit.
 */
static uint32_t golay_word(uint32_t i) {
    uint32_t word = 0;
    for (unsigned bit = 0; bit < 12; bit++)
        if (i >> bit & 1)
            word ^= UINT32_C(0xae3) << bit;
    uint32_t parity = word;
    for (unsigned shift = 16; shift; shift /= 2)
        parity ^= parity >> shift;
    return word | (parity & 1) << 23;
}

/* (+-2 on an octad, an even number of signs), (-3, 1^23 with signs by a code word), (+-4, +-4): coordinates
 * times the root of eight. */
static fq_status shortest_leech(point_list *list) {
    for (uint32_t i = 0; i < 4096; i++) {
        const uint32_t word = golay_word(i);
        size_t on[24], weight = 0;
        for (size_t c = 0; c < 24; c++)
            if (word >> c & 1)
                on[weight++] = c;
        for (size_t c = 0; c < 24; c++) {
            point p = {.norm = 32};
            for (size_t j = 0; j < 24; j++)
                p.x[j] = (int8_t)((j == c ? -3 : 1) * (word >> j & 1 ? -1 : 1));
            FQ_TRY(append(list, &p));
        }
        for (unsigned signs = 0; weight == 8 && signs < 128; signs++) {
            point p = {.norm = 32};
            int minus = 0;
            for (size_t j = 0; j < 7; j++) {
                p.x[on[j]] = signs >> j & 1 ? -2 : 2;
                minus ^= (int)(signs >> j & 1);
            }
            p.x[on[7]] = minus ? -2 : 2;
            FQ_TRY(append(list, &p));
        }
    }
    for (size_t a = 0; a < 24; a++)
        for (size_t b = 0; b < a; b++)
            for (unsigned signs = 0; signs < 4; signs++) {
                point p = {.norm = 32};
                p.x[a] = signs & 1 ? -4 : 4;
                p.x[b] = signs & 2 ? -4 : 4;
                FQ_TRY(append(list, &p));
            }
    const point origin = {.norm = 0};
    return append(list, &origin);
}

static int by_norm(const void *a, const void *b) {
    const point *p = a, *q = b;
    return p->norm != q->norm ? (p->norm < q->norm ? -1 : 1) : memcmp(p->x, q->x, DIM_MAX);
}

/* At least count points, all of those up to some norm, shortest first. */
static fq_status shortest(point_list *list, fq_lattice lattice, size_t count) {
    const size_t k = block_of(lattice);
    if (lattice == FQ_LATTICE_LEECH)
        FQ_TRY(shortest_leech(list));
    for (int most = 8; list->count < count; most += 8) {
        point start;
        memset(&start, 0, sizeof start);
        list->count = 0;
        FQ_TRY(enumerate(list, &start, 0, k, 0, 0, most));
        if (lattice == FQ_LATTICE_E8)
            FQ_TRY(enumerate(list, &start, 0, k, 1, 0, most));
    }
    qsort(list->points, list->count, sizeof *list->points, by_norm);
    return FQ_OK;
}

static int floor_divide(int a, int b) {
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/* A number of the coset of q D_k that a doubled point is in: its coordinates modulo q, and whether what is
 * left over has an even sum. */
static uint64_t coset_of_d(const point *p, size_t k, int q, int shift) {
    uint64_t number = 0;
    int sum = 0;
    for (size_t i = 0; i < k; i++) {
        const int c = p->x[i] + shift, left = floor_divide(c, 2 * q);
        number = number * (uint64_t)(2 * q) + (uint64_t)(c - 2 * q * left);
        sum += left;
    }
    return number * 2 + (uint64_t)(sum & 1);
}

/* Of q E8 = q D8 and q D8 + q/2 (1,...,1): the smaller of the two numbers. */
static uint64_t coset_of(const point *p, fq_lattice lattice, int q) {
    const size_t k = block_of(lattice);
    const uint64_t number = coset_of_d(p, k, q, 0);
    if (lattice == FQ_LATTICE_D4)
        return number;
    const uint64_t other = coset_of_d(p, k, q, q);
    return number < other ? number : other;
}

/* Puts number into a table of room slots (a power of two, more than half empty); false if it was there. */
static bool add_number(uint64_t *table, size_t room, uint64_t number) {
    size_t at = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (room - 1);
    while (table[at] != UINT64_MAX && table[at] != number)
        at = (at + 1) & (room - 1);
    const bool is_new = table[at] == UINT64_MAX;
    table[at] = number;
    return is_new;
}

/* Moves a shortest point of each of count cosets to the front; *found is how many the list has. */
static fq_status keep_cosets(point_list *list, fq_lattice lattice, size_t count, int q, size_t *found) {
    uint64_t *table = NULL;
    size_t room = 1;
    while (room < 4 * count)
        room *= 2;
    FQ_TRY(fq_alloc(&table, room, sizeof *table));
    memset(table, 0xff, room * sizeof *table);
    *found = 0;
    for (size_t i = 0; i < list->count && *found < count; i++)
        if (add_number(table, room, coset_of(&list->points[i], lattice, q)))
            list->points[(*found)++] = list->points[i];
    fq_free(table);
    return FQ_OK;
}

static fq_status nested_points(point_list *list, fq_lattice lattice, size_t count) {
    const size_t k = block_of(lattice);
    const int q = (int)lround(pow((double)count, 1.0 / (double)k));
    size_t power = 1, found = 0;
    for (size_t i = 0; i < k; i++)
        power *= (size_t)q;
    if (power != count || q < 2)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "N", count,
                             k == 4 ? "q^4 with a whole q above 1" : "q^8 with a whole q above 1");
    for (size_t wanted = 2 * count; found < count; wanted *= 2) {
        FQ_TRY(shortest(list, lattice, wanted));
        FQ_TRY(keep_cosets(list, lattice, count, q, &found));
    }
    return FQ_OK;
}

fq_status fq_lattice_words(float *words, fq_lattice lattice, size_t count, bool nested) {
    const size_t k = block_of(lattice);
    point_list list = {0};
    const fq_status status = nested ? nested_points(&list, lattice, count) : shortest(&list, lattice, count);
    for (size_t n = 0; status == FQ_OK && n < count; n++)
        for (size_t i = 0; i < k; i++)
            words[n * k + i] = 0.5F * (float)list.points[n].x[i];
    fq_free(list.points);
    return status;
}

/* Mean squared error of x[SAMPLES][k] by words times scale. */
static double error_at(const fq_search *search, const float *words, size_t k, const float *x, double scale,
                       float *scaled, uint32_t *index) {
    double error = 0.0;
    for (size_t i = 0; i < SAMPLES * k; i++)
        scaled[i] = (float)((double)x[i] / scale);
    fq_search_nearest(search, index, scaled, SAMPLES);
    for (size_t i = 0; i < SAMPLES * k; i++) {
        const double e = (double)x[i] - scale * (double)words[(size_t)index[i / k] * k + i % k];
        error += e * e;
    }
    return error / (double)(SAMPLES * k);
}

/* Golden section on the logarithm of the scale, between a twentieth and four times what gives the words the
 * source's energy. */
static fq_status fit_scale(double *scale, const float *words, size_t count, size_t k, size_t dim,
                           uint64_t seed) {
    fq_search *search = NULL;
    float *x = NULL, *scaled = NULL;
    uint32_t *index = NULL;
    double energy = 0.0;
    fq_status status;
    for (size_t i = 0; i < count * k; i++)
        energy += (double)words[i] * (double)words[i] / (double)(count * k);
    FQ_TRY_GOTO(status, fq_search_create(&search, words, count, k, SIZE_MAX), done);
    FQ_TRY_GOTO(status, fq_alloc(&x, SAMPLES, k * sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc(&scaled, SAMPLES, k * sizeof *scaled), done);
    FQ_TRY_GOTO(status, fq_alloc(&index, SAMPLES, sizeof *index), done);
    FQ_TRY_GOTO(status, fq_code_makers_get()->samples(x, dim, k, seed, SAMPLES), done);
    const double usual = sqrt(1.0 / (double)dim / energy), golden = 0.6180339887498949;
    double low = log(0.05 * usual), high = log(4.0 * usual);
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = error_at(search, words, k, x, exp(a), scaled, index),
           at_b = error_at(search, words, k, x, exp(b), scaled, index);
    for (int step = 0; step < STEPS; step++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = error_at(search, words, k, x, exp(a), scaled, index);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = error_at(search, words, k, x, exp(b), scaled, index);
        }
    }
    *scale = exp(0.5 * (low + high));
done:
    fq_free(index);
    fq_free(scaled);
    fq_free(x);
    fq_search_destroy(search);
    return status;
}

/* words[N][k], scaled. */
static fq_status make_words(float *words, const fq_codec_spec *spec, size_t dim, fq_lattice lattice) {
    const size_t k = block_of(lattice), count = (size_t)spec->value[COUNT];
    double scale = 1.0;
    FQ_TRY(fq_lattice_words(words, lattice, count, spec->value[SHAPE] != 0));
    FQ_TRY(fit_scale(&scale, words, count, k, dim, spec->seed));
    for (size_t i = 0; i < count * k; i++)
        words[i] = (float)(scale * (double)words[i]);
    return FQ_OK;
}

static fq_status check_dim(fq_lattice lattice, size_t d) {
    const size_t k = block_of(lattice);
    if (d % k != 0 || d == k)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "dim", d,
                             k == 4   ? "a multiple of 4 above 4"
                             : k == 8 ? "a multiple of 8 above 8"
                                      : "a multiple of 24 above 24");
    return FQ_OK;
}

fq_status fq_lattice_create(fq_codec *codec, fq_lattice lattice) {
    const size_t k = block_of(lattice), count = (size_t)codec->spec.value[COUNT], d = codec->cost.dim;
    float *words = NULL;
    FQ_TRY(check_dim(lattice, d));
    if (codec->plan_only)
        return fq_codec_add_group(codec, d, k, count, NULL, 0);
    FQ_TRY(fq_alloc(&words, count, k * sizeof *words));
    fq_status status = make_words(words, &codec->spec, d, lattice);
    if (status == FQ_OK)
        status = fq_codec_add_group(codec, d, k, count, words, 0);
    fq_free(words);
    return status;
}

fq_status fq_lattice_block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                                fq_lattice lattice) {
    const size_t k = block_of(lattice), count = (size_t)spec->value[COUNT];
    float *words = NULL;
    if (dim <= k)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "dim", dim, "above the lattice's dimension");
    FQ_TRY(fq_alloc(&words, count, k * sizeof *words));
    fq_status status = make_words(words, spec, dim, lattice);
    if (status == FQ_OK)
        status = fq_codebook_set(code, dim, k, count, words, FQ_RECIPE_PRODUCT, spec->seed);
    fq_free(words);
    return status;
}

void fq_lattice_describe(fq_codec_description *about, const fq_codec_spec *spec, fq_lattice lattice) {
    const bool nested = spec->value[SHAPE] != 0;
    about->kind = FQ_CODE_BLOCKS;
    about->block = block_of(lattice);
    about->codewords = (size_t)spec->value[COUNT];
    about->rate = log2(spec->value[COUNT]) / (double)about->block;
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&series, about->family);
    fq_text_add(&series, nested ? ", nested" : ", ball");
    fq_text_add(&label, about->family);
    fq_text_add(&label, nested ? ", nested (N = " : ", ball (N = ");
    fq_text_add_number(&label, about->codewords);
    fq_text_add(&label, ")");
}
