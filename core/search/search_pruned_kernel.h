/* The pruned search apart from its innermost loop: included by each kernel's file, which defines
 *   TARGET        the function attribute of its instruction set
 *   GROUP         coordinates whose products an instruction sums
 *   POINT_BYTES   what a group of a point takes: its bytes as often as the innermost loop wants them
 *   POINT_MOST    of |r_j|: GROUP products with bytes below 256 fit the sums
 *   SUM_MAX       |<q, r>| is smaller: thresholds and differences fit the sums
 *   POINTS        points that meet words at a time
 *   sum_type      what products are summed in
 * and, after it, meet_band and the kernel's table, whose nearest is nearest_points. */
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "cpu.h"
#include "search_pruned_kernels.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    BATCH_BYTES = 16 << 10,
    BATCH_MOST = 132, /* points: a multiple of POINTS, and two such batches pass 256 */
    WAITING_MOST = 512,
};

static const double point_least = 0x1p-40, point_most = 0x1p50;

/* Points on their way through the bands. */
typedef struct batch {
    size_t points, places;      /* places: points and what fills the last POINTS */
    double best[BATCH_MOST];    /* score so far, -inf where there is no point */
    double size[BATCH_MOST];    /* |x| */
    double error[BATCH_MOST];   /* |f| */
    double inverse[BATCH_MOST]; /* 1 / (a b) */
    uint32_t index[BATCH_MOST];
    int32_t shift[BATCH_MOST];  /* 128 sum r */
    sum_type start[BATCH_MOST]; /* what a sum of (q + 128) r starts from, to be negative where the bound is
                                   missed */
    size_t waiting;             /* words to be scored, while memory fetches them */
    uint32_t waiting_place[WAITING_MOST];
    uint8_t waiting_point[WAITING_MOST];
    int8_t bytes[BATCH_BYTES] __attribute__((aligned(64))); /* r: [places][groups][POINT_BYTES] */
} batch;

static size_t batch_places(size_t groups) {
    const size_t places = BATCH_BYTES / (groups * POINT_BYTES) / POINTS * POINTS;
    return places < BATCH_MOST ? places : BATCH_MOST;
}

TARGET static double norm(const double *x, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * x[j];
    return sqrt(sum);
}

/* Rounds a point to r, |r_j| <= POINT_MOST and |r| reach <= SUM_MAX - 1. */
TARGET static void round_point(const fq_search_pruned *pruned, batch *b, size_t p, const float *x) {
    const double slack = 1 + 0x1p-40;
    const size_t block = pruned->block;
    double value[FQ_PRUNED_BLOCK_MAX] = {0}, r[FQ_PRUNED_BLOCK_MAX] = {0}, error[FQ_PRUNED_BLOCK_MAX] = {0};
    double largest = 0, step;
    for (size_t j = 0; j < block; j++) {
        value[j] = (double)x[j];
        largest = fmax(largest, fabs(value[j]));
    }
    for (step = largest / POINT_MOST;; step *= 1.01 * norm(r, block) * pruned->reach / SUM_MAX) {
        for (size_t j = 0; j < block; j++)
            r[j] = nearbyint(value[j] / step);
        if (norm(r, block) * pruned->reach <= SUM_MAX - 1)
            break;
    }
    int32_t sum = 0;
    for (size_t j = 0; j < block; j++) {
        error[j] = value[j] - step * r[j];
        sum += (int32_t)r[j];
    }
    int8_t *const to = b->bytes + p * pruned->groups * POINT_BYTES;
    for (size_t j = 0; j < GROUP * pruned->groups; j++)
        to[j / GROUP * POINT_BYTES + j % GROUP] = (int8_t)(j < block ? r[j] : 0);
    for (size_t i = 0; i < pruned->groups * POINT_BYTES; i++) /* within a group, again and again */
        if (i % POINT_BYTES >= GROUP)
            to[i] = to[i - GROUP];
    b->size[p] = norm(value, block) * slack;
    b->error[p] = norm(error, block) * slack;
    b->inverse[p] = 1 / (pruned->step * step);
    b->shift[p] = 128 * sum;
}

TARGET static ALWAYS_INLINE float score_of(const fq_pruned_row *row, const float *x, size_t block) {
    float score = row->offset;
    for (size_t j = 0; j < block; j++)
        score = fmaf(x[j], row->word[j], score);
    return score;
}

/* The threshold L on <q, r> below which a word of the band cannot reach the point's best score, and from it
 * the start: sum (q + 128) r + start = <q, r> - L, modulo the sums' 2^16 or 2^32, and half of that holds
 * both.
 *
 * A score as computed is at most the exact one plus k 2^-24 (|h| + |x| |c|) and underflow: k roundings of
 * sums no larger than that, to first order; k + 1 and the factor 1 + 2^-8 cover higher orders and this
 * computation's own rounding. */
TARGET static ALWAYS_INLINE void set_start(const fq_pruned_band *band, batch *b, size_t p, size_t block) {
    const double rounding =
        (double)(block + 1) * 0x1.01p-24 * (band->magnitude + b->size[p] * band->size) + 0x1p-130;
    const double needed =
        b->best[p] - band->offset - b->error[p] * band->rounded - b->size[p] * band->error - rounding;
    const double most = SUM_MAX, exact = needed * b->inverse[p] - 1;
    const double threshold = exact > most ? most : exact < -most ? -most : exact;
    b->start[p] = (sum_type)(uint32_t)(-(int32_t)threshold - b->shift[p]);
}

/* Scores the words that wait. */
TARGET static ALWAYS_INLINE void settle(const fq_search_pruned *pruned, batch *b, const float *x,
                                        size_t block) {
    for (size_t i = 0; i < b->waiting; i++) {
        const fq_pruned_row *const row = fq_pruned_row_at(pruned, b->waiting_place[i]);
        const size_t p = b->waiting_point[i];
        const double score = (double)score_of(row, x + p * block, block);
        if (score > b->best[p] || (score == b->best[p] && row->index < b->index[p])) {
            b->best[p] = score;
            b->index[p] = row->index;
        }
    }
    b->waiting = 0;
}

/* Words that the bounds of points p, p + 1, ... let through: bit i of which[q] is word first + i of point p +
 * q. */
TARGET __attribute__((noinline)) static void let_through(const fq_search_pruned *pruned, batch *b, size_t p,
                                                         const float *x, size_t first,
                                                         const uint64_t *which) {
    for (size_t q = p; q < p + POINTS && q < b->points; q++)
        for (uint64_t left = which[q - p]; left; left &= left - 1) {
            if (b->waiting == WAITING_MOST)
                settle(pruned, b, x, pruned->block);
            const size_t place = first + (size_t)__builtin_ctzll(left);
            const char *const row = (const char *)fq_pruned_row_at(pruned, place);
            for (size_t at = 0; at < pruned->row_bytes; at += 64)
                __builtin_prefetch(row + at);
            b->waiting_place[b->waiting] = (uint32_t)place;
            b->waiting_point[b->waiting++] = (uint8_t)q;
        }
}

/* All points of the batch with the words of a band: see the file that includes this one. */
TARGET static ALWAYS_INLINE void meet_band(const fq_search_pruned *pruned, size_t visit, batch *b,
                                           const float *x, size_t block);

/* Points all in range. */
TARGET static ALWAYS_INLINE void meet_all(const fq_search_pruned *pruned, batch *b, uint32_t *index,
                                          const float *x, size_t block) {
    uint32_t seed[BATCH_MOST];
    pruned->exhaustive->nearest(seed, &pruned->seeds, x, b->points);
    for (size_t p = 0; p < b->points; p++) {
        const fq_pruned_row *const row = fq_pruned_row_at(pruned, pruned->seed[seed[p]]);
        round_point(pruned, b, p, x + p * block);
        b->best[p] = (double)score_of(row, x + p * block, block);
        b->index[p] = row->index;
    }
    b->waiting = 0;
    b->places = (b->points + POINTS - 1) / POINTS * POINTS;
    for (size_t p = b->points; p < b->places; p++) { /* nobody: never reaches its threshold */
        memset(b->bytes + p * pruned->groups * POINT_BYTES, 0, pruned->groups * POINT_BYTES);
        b->best[p] = HUGE_VAL;
        b->size[p] = b->error[p] = 0;
        b->inverse[p] = 1;
        b->shift[p] = 0;
    }
    for (size_t visit = 0; visit < pruned->bands; visit++)
        meet_band(pruned, visit, b, x, block);
    memcpy(index, b->index, b->points * sizeof *index);
}

TARGET static void meet(const fq_search_pruned *pruned, batch *b, uint32_t *index, const float *x) {
    switch (pruned->block) { /* the usual sizes unrolled */
    case 8:
        meet_all(pruned, b, index, x, 8);
        break;
    case 16:
        meet_all(pruned, b, index, x, 16);
        break;
    case 32:
        meet_all(pruned, b, index, x, 32);
        break;
    default:
        meet_all(pruned, b, index, x, pruned->block);
    }
}

static bool in_range(const float *x, size_t block) {
    float largest = 0;
    for (size_t j = 0; j < block; j++)
        largest = fmaxf(largest, fabsf(x[j]));
    return (double)largest >= point_least && (double)largest <= point_most;
}

/* The kernel itself: points in batches, those out of range by the exhaustive search. */
static void nearest_points(const fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n) {
    const size_t block = pruned->block, most = batch_places(pruned->groups);
    batch b;
    for (size_t done = 0; done < n; done += b.points) {
        for (b.points = 0; b.points < most && done + b.points < n; b.points++)
            if (!in_range(x + (done + b.points) * block, block))
                break;
        if (b.points)
            meet(pruned, &b, index + done, x + done * block);
        else {
            pruned->exhaustive->nearest(index + done, pruned->words, x + done * block, 1);
            b.points = 1;
        }
    }
}
