/* The pruned search's kernel for AVX2 and FMA. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "search_pruned.h"
#include "search_pruned_layout.h"

#define TARGET __attribute__((target("avx2,fma,bmi")))
#define ADD_TO(vector, more) __asm__("vpaddw %1, %0, %0" : "+x"(vector) : "x"(more))
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    VECTORS = 2, /* of words and */
    POINTS = 4,  /* points that meet at a time: eight sums and what makes them stay in sixteen registers */
    BATCH_BYTES = 16 << 10,
    BATCH_MOST = 120, /* points */
    WAITING_MOST = 512,
};

static const double point_least = 0x1p-40, point_most = 0x1p50;

/* Points on their way through the bands. */
typedef struct batch {
    size_t points, places; /* places: points and what fills the last POINTS */
    double best[BATCH_MOST];  /* score so far, -inf where there is no point */
    double size[BATCH_MOST];  /* |x| */
    double error[BATCH_MOST]; /* |f| */
    double inverse[BATCH_MOST]; /* 1 / (a b) */
    uint32_t index[BATCH_MOST];
    int32_t shift[BATCH_MOST]; /* 128 sum r */
    int16_t start[BATCH_MOST]; /* what a sum of (q + 128) r starts from, to be negative where the bound is missed */
    size_t waiting; /* words to be scored, while memory fetches them */
    uint32_t waiting_place[WAITING_MOST];
    uint8_t waiting_point[WAITING_MOST];
    int8_t pair[BATCH_BYTES] __attribute__((aligned(64))); /* r: [places][pairs][32], each pair sixteen times */
} batch;

static size_t batch_places(size_t pairs) {
    const size_t places = BATCH_BYTES / (pairs * 32) / POINTS * POINTS;
    return places < BATCH_MOST ? places : BATCH_MOST;
}

static double norm(const double *x, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * x[j];
    return sqrt(sum);
}

/* Rounds a point to r, |r_j| <= POINT_MOST and |r| reach <= SUM_MAX - 1. */
static void round_point(const fq_search_pruned *pruned, batch *b, size_t p, const float *x) {
    const double slack = 1 + 0x1p-40;
    const size_t block = pruned->block;
    double value[FQ_PRUNED_BLOCK_MAX + 1] = {0}, r[FQ_PRUNED_BLOCK_MAX + 1] = {0}, error[FQ_PRUNED_BLOCK_MAX + 1] = {0};
    double largest = 0, step;
    for (size_t j = 0; j < block; j++) {
        value[j] = (double)x[j];
        largest = fmax(largest, fabs(value[j]));
    }
    for (step = largest / FQ_PRUNED_POINT_MOST;; step *= 1.01 * norm(r, block) * pruned->reach / FQ_PRUNED_SUM_MAX) {
        for (size_t j = 0; j < block; j++)
            r[j] = nearbyint(value[j] / step);
        if (norm(r, block) * pruned->reach <= FQ_PRUNED_SUM_MAX - 1)
            break;
    }
    int32_t sum = 0;
    for (size_t j = 0; j < block; j++) {
        error[j] = value[j] - step * r[j];
        sum += (int32_t)r[j];
    }
    for (size_t j = 0; j < 2 * pruned->pairs; j++)
        b->pair[(p * pruned->pairs + j / 2) * 32 + j % 2] = (int8_t)r[j];
    for (size_t pair = 0; pair < pruned->pairs; pair++) {
        int8_t *const to = b->pair + (p * pruned->pairs + pair) * 32;
        for (size_t i = 2; i < 32; i += 2)
            memcpy(to + i, to, 2);
    }
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

/* The threshold L on <q, r> below which a word of the band cannot reach the point's best score, and from it the start:
 * sum (q + 128) r + start = <q, r> - L, modulo 2^16, and both lie within 2^15.
 *
 * A score as computed is at most the exact one plus (k + 1) 2^-24 (|h| + |x| |c|) and underflow; the doubling covers
 * higher orders and this computation's own rounding. */
TARGET static ALWAYS_INLINE void set_start(const fq_pruned_band *band, batch *b, size_t p, size_t block) {
    const double rounding =
        (double)(block + 1) * 0x1p-23 * (band->magnitude + b->size[p] * band->size) + 0x1p-130;
    const double needed =
        b->best[p] - band->offset - b->error[p] * band->rounded - b->size[p] * band->error - rounding;
    const double most = FQ_PRUNED_SUM_MAX, exact = needed * b->inverse[p] - 1;
    const double threshold = exact > most ? most : exact < -most ? -most : exact;
    b->start[p] = (int16_t)(uint16_t)(-(int32_t)threshold - b->shift[p]);
}

/* Scores the words that wait. */
TARGET static ALWAYS_INLINE void settle(const fq_search_pruned *pruned, batch *b, const float *x, size_t block) {
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

/* Words that the bounds of points p, p + 1, ... let through: bit i of which[q] is word first + i of point p + q. */
TARGET __attribute__((noinline)) static void let_through(const fq_search_pruned *pruned, batch *b, size_t p,
                                                         const float *x, size_t first, const uint32_t *which) {
    for (size_t q = p; q < p + POINTS && q < b->points; q++)
        for (uint32_t left = which[q - p]; left; left &= left - 1) {
            if (b->waiting == WAITING_MOST)
                settle(pruned, b, x, pruned->block);
            const size_t place = first + (size_t)__builtin_ctz(left);
            const char *const row = (const char *)fq_pruned_row_at(pruned, place);
            for (size_t at = 0; at < pruned->row_bytes; at += 64)
                __builtin_prefetch(row + at);
            b->waiting_place[b->waiting] = (uint32_t)place;
            b->waiting_point[b->waiting++] = (uint8_t)q;
        }
}

/* Of sixteen sums each, a bit for every one that is not negative. */
TARGET static ALWAYS_INLINE uint32_t not_negative(__m256i a, __m256i b) {
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8); /* signs stay */
    return ~(uint32_t)_mm256_movemask_epi8(packed);
}

TARGET static ALWAYS_INLINE void meet_band(const fq_search_pruned *pruned, size_t visit, batch *b, const float *x,
                                           size_t block) {
    const size_t pairs = (block + 1) / 2;
    const uint8_t *const bytes = pruned->bytes + visit * pairs * FQ_PRUNED_BAND * 2;
    const __m256i signs = _mm256_set1_epi16(INT16_MIN);
    for (size_t p = 0; p < b->places; p++)
        set_start(&pruned->band[visit], b, p, block);
    for (size_t p = 0; p < b->places; p += POINTS)
        for (size_t v = 0; v < FQ_PRUNED_VECTORS; v += VECTORS) {
            const int8_t *const points = b->pair + p * pairs * 32;
            __m256i sum[VECTORS][POINTS];
            for (size_t q = 0; q < POINTS; q++)
                sum[0][q] = sum[1][q] = _mm256_set1_epi16(b->start[p + q]);
            for (size_t j = 0; j < pairs; j++) {
                const __m256i *const words = (const void *)(bytes + (j * FQ_PRUNED_VECTORS + v) * 32);
                const __m256i word0 = _mm256_load_si256(words), word1 = _mm256_load_si256(words + 1);
                for (size_t q = 0; q < POINTS; q++) {
                    const __m256i point = _mm256_load_si256((const void *)(points + (q * pairs + j) * 32));
                    ADD_TO(sum[0][q], _mm256_maddubs_epi16(word0, point));
                    ADD_TO(sum[1][q], _mm256_maddubs_epi16(word1, point));
                }
            }
            __m256i all = _mm256_and_si256(sum[0][0], sum[1][0]);
            for (size_t q = 1; q < POINTS; q++)
                all = _mm256_and_si256(all, _mm256_and_si256(sum[0][q], sum[1][q]));
            if (__builtin_expect(_mm256_testc_si256(all, signs), 1))
                continue;
            uint32_t which[POINTS];
            for (size_t q = 0; q < POINTS; q++)
                which[q] = not_negative(sum[0][q], sum[1][q]);
            let_through(pruned, b, p, x, visit * FQ_PRUNED_BAND + v * FQ_PRUNED_VECTOR_WORDS, which);
        }
    settle(pruned, b, x, block);
}

/* Points all in range. */
TARGET static ALWAYS_INLINE void meet_all(const fq_search_pruned *pruned, batch *b, uint32_t *index, const float *x,
                                          size_t block) {
    uint32_t seed[BATCH_MOST];
    pruned->exhaustive(seed, &pruned->seeds, x, b->points);
    for (size_t p = 0; p < b->points; p++) {
        const fq_pruned_row *const row = fq_pruned_row_at(pruned, pruned->seed[seed[p]]);
        round_point(pruned, b, p, x + p * block);
        b->best[p] = (double)score_of(row, x + p * block, block);
        b->index[p] = row->index;
    }
    b->waiting = 0;
    b->places = (b->points + POINTS - 1) / POINTS * POINTS;
    for (size_t p = b->points; p < b->places; p++) { /* nobody: never reaches its threshold */
        memset(b->pair + p * pruned->pairs * 32, 0, pruned->pairs * 32);
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
    case 8: meet_all(pruned, b, index, x, 8); break;
    case 16: meet_all(pruned, b, index, x, 16); break;
    case 32: meet_all(pruned, b, index, x, 32); break;
    default: meet_all(pruned, b, index, x, pruned->block);
    }
}

static bool in_range(const float *x, size_t block) {
    float largest = 0;
    for (size_t j = 0; j < block; j++)
        largest = fmaxf(largest, fabsf(x[j]));
    return (double)largest >= point_least && (double)largest <= point_most;
}

void fq_search_pruned_nearest_avx2(const fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n) {
    const size_t block = pruned->block, most = batch_places(pruned->pairs);
    batch b;
    for (size_t done = 0; done < n; done += b.points) {
        for (b.points = 0; b.points < most && done + b.points < n; b.points++)
            if (!in_range(x + (done + b.points) * block, block))
                break;
        if (b.points)
            meet(pruned, &b, index + done, x + done * block);
        else {
            pruned->exhaustive(index + done, pruned->words, x + done * block, 1);
            b.points = 1;
        }
    }
}
#else
typedef int fq_search_pruned_avx2_is_empty;
#endif
