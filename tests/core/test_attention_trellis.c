/* Attention straight on trellis codes: sums by every kernel against levels read one by one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention_trellis.h"
#include "check.h"
#include "memory.h"
#include "stream.h"

enum { CHUNK = FQ_ATTENTION_CHUNK, QUERIES = 5, DIM_MAX = FQ_ATTENTION_TRELLIS_DIM_MAX };

static fq_trellis_map random_map(fq_stream *s, unsigned fresh, unsigned together, unsigned window,
                                 unsigned label_bits) {
    fq_trellis_map map = {
        .fresh = fresh, .together = together, .window = window, .label_bits = label_bits, .step = 0.02};
    for (unsigned v = 0; v < together; v++)
        for (unsigned i = 0; i < window; i++)
            map.column[v][i] = (uint8_t)fq_stream_below(s, 1u << label_bits);
    for (unsigned i = 0; i < 1u << label_bits; i++)
        map.level[i] = (int8_t)((int)fq_stream_below(s, 255) - 127);
    return map;
}

/* K, V, L, m, d: one byte a period and several, one function and many, periods that no vector of fours
 * divides. */
static const struct {
    unsigned fresh, together, window, label_bits;
    size_t dim;
} shapes[] = {
    {2, 1, 10, 6, 64}, {2, 1, 10, 7, 64},  {2, 1, 8, 7, 128}, {1, 1, 10, 7, 64}, {1, 1, 8, 6, 128},
    {3, 1, 10, 7, 64}, {3, 1, 14, 8, 128}, {4, 1, 10, 8, 64}, {4, 1, 12, 8, 96}, {5, 1, 10, 7, 64},
    {5, 2, 10, 8, 64}, {7, 1, 10, 8, 72},  {8, 1, 14, 8, 33}, {1, 2, 10, 7, 80}, {1, 4, 10, 6, 128},
    {3, 2, 10, 7, 80}, {3, 4, 10, 7, 96},  {6, 1, 9, 5, 20},  {2, 1, 6, 3, 4},   {2, 1, 14, 8, 512},
    {1, 1, 10, 7, 16}, {2, 1, 10, 4, 100}, {8, 4, 13, 8, 64},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct scene {
    fq_trellis_code code;
    fq_attention_trellis trellis;
    size_t d, n, stride;
    uint8_t payload[CHUNK * (DIM_MAX + 7)], columns[CHUNK * (DIM_MAX + 2)];
    int16_t weight[CHUNK];
    fq_attention_trellis_query query[QUERIES];
    float row[QUERIES][DIM_MAX];
} scene;

static bool scene_make(scene *s, fq_stream *random, size_t shape, size_t n) {
    const fq_trellis_map map = random_map(random, shapes[shape].fresh, shapes[shape].together,
                                          shapes[shape].window, shapes[shape].label_bits);
    s->d = shapes[shape].dim;
    s->n = n;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&s->code, &map, s->d)) ||
        !FQ_CHECK(fq_attention_trellis_init(&s->trellis, &s->code)))
        return false;
    s->stride = s->code.payload_bytes + fq_stream_below(random, 4);
    for (size_t i = 0; i < sizeof s->payload; i++)
        s->payload[i] = (uint8_t)fq_stream_below(random, 256);
    for (size_t i = 0; i < CHUNK; i++) {
        s->weight[i] = (int16_t)fq_stream_below(random, FQ_ATTENTION_TRELLIS_MOST + 1);
        if (i >= n || fq_stream_below(random, 8) == 0)
            s->weight[i] = 0;
    }
    s->weight[0] = FQ_ATTENTION_TRELLIS_MOST;
    for (size_t q = 0; q < QUERIES; q++) {
        for (size_t j = 0; j < s->d; j++)
            s->row[q][j] = q == 3 ? 0 : (float)fq_stream_normal(random);
        FQ_CHECK_OK(fq_attention_trellis_query_init(&s->query[q], &s->trellis, s->row[q]));
    }
    return true;
}

static void scene_clear(scene *s) {
    fq_trellis_code_clear(&s->code);
    for (size_t q = 0; q < QUERIES; q++)
        fq_attention_trellis_query_clear(&s->query[q]);
}

/* Whether a kernel's sums are those of levels read one by one. */
static bool sums_agree(scene *s, const fq_attention_trellis_kernels *kernels) {
    static int32_t sum[QUERIES * CHUNK];
    int64_t total[DIM_MAX], expected[DIM_MAX] = {0};
    const fq_attention_trellis_query *query[QUERIES];
    bool good = true;
    for (size_t q = 0; q < QUERIES; q++)
        query[q] = &s->query[q];
    kernels->columns(s->columns, s->payload, s->stride, s->code.payload_bytes, s->n);
    memset(sum, 0x55, sizeof sum);
    kernels->scores(sum, &s->trellis, s->columns, query, QUERIES, (fq_attention_prefetch){0});
    kernels->values(total, &s->trellis, s->columns, s->weight, (fq_attention_prefetch){0});
    for (size_t i = 0; i < s->n; i++) {
        int64_t score[QUERIES] = {0};
        for (size_t j = 0; j < s->d; j++) {
            const int level = fq_trellis_level_at(&s->code, s->payload + i * s->stride, j);
            expected[j] += level * s->weight[i];
            for (size_t q = 0; q < QUERIES; q++)
                score[q] += level * s->query[q].number[j];
        }
        for (size_t q = 0; q < QUERIES; q++)
            good = good && sum[q * CHUNK + i] == score[q];
    }
    return good && memcmp(total, expected, s->d * sizeof *total) == 0;
}

/* Kernels that this processor can run, the best first; NULL behind them. */
static const fq_attention_trellis_kernels *kernels_at(size_t i) {
    static const fq_attention_kernel kernel[] = {FQ_ATTENTION_AVX512, FQ_ATTENTION_AVX2,
                                                 FQ_ATTENTION_PORTABLE};
    return i < sizeof kernel / sizeof *kernel ? fq_attention_trellis_kernels_for(kernel[i]) : NULL;
}

static void sums_are_exact(void) {
    static scene s;
    static const size_t sizes[] = {CHUNK, 1, 33, 511};
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47000);
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            if (!scene_make(&s, &random, shape, sizes[i]))
                continue;
            for (size_t k = 0; kernels_at(k); k++)
                if (!FQ_CHECK(sums_agree(&s, kernels_at(k))))
                    printf("shape %zu, n = %zu, kernel %zu\n", shape, sizes[i], k);
            scene_clear(&s);
        }
}

/* The matrices of two functions exchanged, or a byte too far back: the sums must notice. */
static void wrong_matrices_are_noticed(void) {
    static scene s;
    fq_stream random;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47001);
    for (size_t shape = 0; shape < 6; shape++)
        for (size_t r = 0; r < 2; r++) {
            if (!scene_make(&s, &random, shape, CHUNK))
                continue;
            const uint64_t matrix = s.trellis.matrix[0][r];
            uint8_t nibble[2][16];
            memcpy(nibble, s.trellis.nibble[0][r], sizeof nibble);
            s.trellis.matrix[0][r] = s.trellis.matrix[1][r];
            memcpy(s.trellis.nibble[0][r], s.trellis.nibble[1][r], sizeof nibble);
            s.trellis.matrix[1][r] = matrix;
            memcpy(s.trellis.nibble[1][r], nibble, sizeof nibble);
            for (size_t k = 0; kernels_at(k); k++)
                if (kernels_at(k) != &fq_attention_trellis_portable)
                    FQ_CHECK(!sums_agree(&s, kernels_at(k)));
            scene_clear(&s);
        }
}

/* The rounded query moves a score by 5e-5 of |q| |k| at most. */
static void queries_are_rounded_finely(void) {
    static scene s;
    fq_stream random;
    double worst = 0;
    fq_stream_init(&random, fq_test_seed(), FQ_PURPOSE_TEST, 47002);
    for (size_t shape = 0; shape < SHAPES; shape++) {
        if (!scene_make(&s, &random, shape, CHUNK))
            continue;
        for (size_t i = 0; i < CHUNK; i++)
            for (size_t q = 0; q < 3; q++) {
                double exact = 0, rounded = 0, key = 0, size = 0;
                for (size_t j = 0; j < s.d; j++) {
                    const double level = fq_trellis_level_at(&s.code, s.payload + i * s.stride, j);
                    const double x = (double)s.row[q][j];
                    exact += level * x;
                    rounded += level * s.query[q].number[j] * (double)s.query[q].unit;
                    key += level * level;
                    size += x * x;
                }
                if (key > 0)
                    worst = fmax(worst, fabs(exact - rounded) / sqrt(key * size));
            }
        scene_clear(&s);
    }
    FQ_CHECK(worst > 0 && worst < 5e-5);
}

static const fq_test tests[] = {
    {"sums are exact", sums_are_exact},
    {"wrong matrices are noticed", wrong_matrices_are_noticed},
    {"queries are rounded finely", queries_are_rounded_finely},
    {0},
};
const fq_suite fq_suite_attention_trellis = {"attention_trellis", tests};
