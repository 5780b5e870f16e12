#include "codebook_starts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codebook_initial.h"
#include "memory.h"

void fq_shell_words(float *words, const fq_source *source, size_t codewords, unsigned variant, fq_stream *s) {
    const size_t k = source->block;
    const double radius = sqrt((double)k / (double)source->dim);
    double u[FQ_BLOCK_MAX];
    for (size_t n = 0; n < codewords; n++) {
        double squared = 0;
        if (variant == 0)
            fq_initial_direction(u, k, n, codewords);
        else
            for (size_t j = 0; j < k; j++)
                u[j] = fq_stream_normal(s);
        for (size_t j = 0; j < k; j++)
            squared += u[j] * u[j];
        for (size_t j = 0; j < k; j++)
            words[n * k + j] = (float)(radius * u[j] / sqrt(squared));
    }
}

/* Points of a lattice about a centre. Coordinates are doubled, so that halves are whole; those of the
 * hexagonal lattice are coefficients of its two basis vectors. */
typedef struct lattice_points {
    size_t k, count, room;
    double centre[FQ_BLOCK_MAX];
    double *points; /* [count][k], the centre taken off */
    double limit;   /* of the squared distance */
} lattice_points;

static fq_status append(lattice_points *list, const double *point) {
    if (list->count == list->room) {
        double *larger = NULL;
        const size_t room = list->room ? 2 * list->room : 1024;
        FQ_TRY(fq_alloc(&larger, room * list->k, sizeof *larger));
        if (list->count)
            memcpy(larger, list->points, list->count * list->k * sizeof *larger);
        fq_free(list->points);
        list->points = larger;
        list->room = room;
    }
    memcpy(list->points + list->count++ * list->k, point, list->k * sizeof *point);
    return FQ_OK;
}

/* Points of D_k, shifted by `shift` (0, or 1/2 for the other half of E8), whose coordinates from i on are not
 * chosen: `sum` of those that are, `left` of the squared distance. */
static fq_status enumerate(lattice_points *list, double *point, size_t i, double shift, double sum,
                           double left) {
    if (i == list->k)
        return fmod(fabs(sum), 2) < 0.25 ? append(list, point) : FQ_OK;
    const double reach = sqrt(left) + 1e-9, centre = list->centre[i];
    for (double x = ceil(centre - reach - shift) + shift; x <= centre + reach; x += 1) {
        point[i] = x - centre;
        const double rest = left - point[i] * point[i];
        if (rest > -1e-9)
            FQ_TRY(enumerate(list, point, i + 1, shift, sum + x, fmax(rest, 0)));
    }
    return FQ_OK;
}

static fq_status enumerate_hexagonal(lattice_points *list) {
    const double height = sqrt(0.75);
    const int reach = (int)(sqrt(list->limit) / height) + 3;
    for (int b = -reach; b <= reach; b++)
        for (int a = -2 * reach; a <= 2 * reach; a++) {
            const double point[2] = {a + 0.5 * b - list->centre[0], height * b - list->centre[1]};
            if (point[0] * point[0] + point[1] * point[1] <= list->limit + 1e-9)
                FQ_TRY(append(list, point));
        }
    return FQ_OK;
}

static fq_status enumerate_all(lattice_points *list) {
    double point[FQ_BLOCK_MAX];
    list->count = 0;
    if (list->k == 2)
        return enumerate_hexagonal(list);
    FQ_TRY(enumerate(list, point, 0, 0, 0, list->limit));
    return list->k == 8 ? enumerate(list, point, 0, 0.5, 0, list->limit) : FQ_OK;
}

typedef struct ranked {
    double distance, lot;
    size_t index;
} ranked;

static int by_distance(const void *a, const void *b) {
    const ranked *const x = a, *const y = b;
    if (fabs(x->distance - y->distance) > 1e-6)
        return x->distance < y->distance ? -1 : 1;
    return (x->lot > y->lot) - (x->lot < y->lot);
}

/* The nearest N of the list, by lot where they are equally near; root mean square length 1, times scale. */
static fq_status take_nearest(float *words, const lattice_points *list, size_t codewords, double scale,
                              fq_stream *s) {
    ranked *order = NULL;
    const size_t k = list->k;
    double total = 0;
    FQ_TRY(fq_alloc(&order, list->count, sizeof *order));
    for (size_t n = 0; n < list->count; n++) {
        order[n] = (ranked){.lot = fq_stream_uniform(s), .index = n};
        for (size_t j = 0; j < k; j++)
            order[n].distance += list->points[n * k + j] * list->points[n * k + j];
    }
    qsort(order, list->count, sizeof *order, by_distance);
    for (size_t n = 0; n < codewords; n++)
        total += order[n].distance;
    const double by = total > 0 ? scale / sqrt(total / (double)codewords) : 0;
    for (size_t n = 0; n < codewords; n++)
        for (size_t j = 0; j < k; j++)
            words[n * k + j] = (float)(by * list->points[order[n].index * k + j]);
    fq_free(order);
    return FQ_OK;
}

fq_status fq_lattice_start_words(float *words, size_t block, size_t codewords, double scale, unsigned variant,
                                 fq_stream *s) {
    if (codewords > FQ_LATTICE_START_WORDS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords of recipe lattice", codewords, "up to 65536");
    lattice_points list = {.k = block, .limit = 0.5};
    for (size_t j = 0; j < block; j++)
        list.centre[j] = variant % 4 == 3 || (variant % 4 == 2 && j < 2) ? 0.5
                         : variant % 4 == 1 && j == 0                    ? 1
                                                                         : 0;
    if (block == 2) { /* a point, the middle of a triangle and of an edge, a triangle again */
        list.centre[0] = variant % 4 == 0 ? 0 : 0.5;
        list.centre[1] = variant % 4 % 2 ? sqrt(1.0 / 12) : 0;
    }
    fq_status status = FQ_OK;
    while (status == FQ_OK && list.count < codewords) {
        list.limit += 0.5;
        status = enumerate_all(&list);
    }
    if (status == FQ_OK)
        status = take_nearest(words, &list, codewords, scale, s);
    fq_free(list.points);
    return status;
}
