/* Decoding by tables of bytes and by products: the same bits, those of the rule in codec.h in plain loops. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "codec.h"
#include "codec_groups.h"
#include "fp16.h"
#include "memory.h"
#include "stream.h"

/* 4096 is where tables begin; none of these is a whole number of batches or of vectors that a kernel takes.
 */
static const size_t counts[] = {1, 101, 4095, 4096, 4097, 8301};
enum { COUNTS = sizeof counts / sizeof counts[0], MOST = 8301, GAP = 1 };

static const struct {
    const char *spec;
    size_t dim;
    bool summed;
} cases[] = {
    {"fib:k=2,N=16,recipe=initial", 64, true},
    {"fib:k=4,N=256,recipe=initial", 64, true},
    {"fib:k=8,N=256,recipe=initial", 64, true},
    {"fib:k=2,N=4,recipe=initial", 40, true},
    {"fib:k=2,N=16,recipe=initial", 128, true},
    {"tq:b=1", 24, true},
    {"tq:b=2", 20, true},
    {"tq:b=1", 8, true},
    {"tq:b=2", 132, false},
    {"tq:b=4", 64, false},
    {"tq:b=2,rot=hadamard", 64, false},
    {"tqprod:b=2", 64, false},
    {"tq:b=1.5", 64, true}, /* two groups, which no table decodes */
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* Any indices; norms of all sizes, among them zero, subnormal ones and the largest. */
static void random_codes(const fq_codec *codec, uint8_t *codes, size_t n, uint64_t test) {
    size_t groups = 0;
    const fq_codec_group *group = fq_codec_get_groups(codec, &groups);
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7000 + test);
    for (size_t i = 0; i < n * bytes; i++)
        codes[i] = (uint8_t)fq_stream_u32(&s);
    for (size_t i = 0; i < n; i++)
        for (size_t g = 0; g < groups; g++) {
            uint8_t *code = codes + i * bytes + group[g].byte_offset;
            if (!group[g].bytes)
                continue;
            fq_fp16_store(code, (uint16_t)(1 + fq_stream_below(&s, i % 3 ? 0x7bff : 4)));
            if (group[g].sketch_rows)
                fq_fp16_store(code + 2, (uint16_t)(1 + fq_stream_below(&s, 0x3bff)));
            if (i % 7 == 3)
                memset(code, 0, group[g].bytes);
        }
}

/* The rule in plain loops; Pi^T column by column, from unit vectors, which it maps exactly. */
static void decode_naively(const fq_codec_group *g, float *x, const uint8_t *codes, size_t code_bytes,
                           size_t n) {
    const size_t d = g->dim;
    float *column = NULL;
    uint32_t *index = NULL;
    if (!FQ_CHECK_OK(fq_alloc_zero(&column, d * d + 2 * d, sizeof *column)) ||
        !FQ_CHECK_OK(fq_alloc(&index, g->blocks, sizeof *index)))
        return;
    float *unit = column + d * d, *y = unit + d;
    for (size_t j = 0; j < d; j++) {
        unit[j] = 1;
        fq_rotation_apply_transpose(g->rotation, column + j * d, unit, 1);
        unit[j] = 0;
    }
    for (size_t v = 0; v < n; v++) {
        const uint8_t *code = codes + v * code_bytes;
        const float norm = fq_fp16_to_float(fq_fp16_load(code + g->byte_offset));
        FQ_CHECK(fq_packing_unpack(&g->packing, index, code + g->index_offset));
        for (size_t b = 0; b < g->blocks; b++)
            memcpy(y + b * g->block, g->words + index[b] * g->block, g->block * sizeof *y);
        for (size_t i = 0; i < d; i++) {
            float sum = 0;
            for (size_t p = 0; p < g->packing.bytes; p++) {
                float part = 0;
                for (size_t j = p * g->table_width; j < (p + 1) * g->table_width; j++)
                    part = fmaf(column[j * d + i], y[j], part);
                sum += part;
            }
            x[v * d + i] = fmaf(norm, sum, 0);
        }
    }
    fq_free(index);
    fq_free(column);
}

typedef struct room {
    fq_codec *codec;
    size_t d, bytes;
    uint8_t *codes;
    float *x, *expected; /* [MOST + 1][d] and GAP more */
} room;

static bool prepare(room *r, size_t c) {
    fq_codec_spec spec;
    *r = (room){.d = cases[c].dim};
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, cases[c].spec));
    if (!FQ_CHECK_OK(fq_codec_create(&r->codec, &spec, r->d, NULL)))
        return false;
    r->bytes = fq_codec_get_cost(r->codec).code_bytes;
    if (!FQ_CHECK_OK(fq_alloc(&r->codes, MOST, r->bytes)) ||
        !FQ_CHECK_OK(fq_alloc(&r->x, (MOST + 1) * r->d, sizeof *r->x)) ||
        !FQ_CHECK_OK(fq_alloc(&r->expected, (MOST + 1) * r->d, sizeof *r->x)))
        return false;
    random_codes(r->codec, r->codes, MOST, c);
    return true;
}

static void clear(room *r) {
    fq_free(r->expected);
    fq_free(r->x);
    fq_free(r->codes);
    fq_codec_destroy(r->codec);
}

static void decoding_is_its_rule(void) {
    for (size_t c = 0; c < CASES; c++) {
        room r;
        if (!prepare(&r, c))
            return;
        size_t groups = 0;
        const fq_codec_group *group = fq_codec_get_groups(r.codec, &groups);
        FQ_CHECK(group->summed_by_bytes == cases[c].summed);
        fq_test_set_threads(1);
        if (groups == 1 && cases[c].summed)
            decode_naively(group, r.expected, r.codes, r.bytes, MOST);
        else
            for (size_t i = 0; i < MOST; i++) /* one at a time: by products */
                FQ_CHECK_OK(fq_codec_decode(r.codec, r.expected + i * r.d, r.codes + i * r.bytes, 1));
        for (size_t k = 0; k < 2 * COUNTS; k++) {
            const size_t n = counts[k / 2];
            fq_test_set_threads(1 + (int)(k % 2));
            for (size_t at = 0; at <= GAP; at++) { /* aligned or not, and nothing beyond */
                memset(r.x, 0x5a, (MOST + 1) * r.d * sizeof *r.x);
                const float kept = r.x[0];
                FQ_CHECK_OK(fq_codec_decode(r.codec, r.x + at, r.codes, n));
                FQ_CHECK(memcmp(r.x + at, r.expected, n * r.d * sizeof *r.x) == 0);
                FQ_CHECK(memcmp(r.x + at + n * r.d, &kept, sizeof kept) == 0);
            }
        }
        fq_test_set_threads(1);
        clear(&r);
    }
}

static void without_memory_for_tables_products_decode(void) {
    room r;
    if (!prepare(&r, 0))
        return;
    fq_test_set_threads(1);
    FQ_CHECK_OK(fq_codec_decode(r.codec, r.expected, r.codes, MOST));
    for (size_t fail = 1; fail <= 2; fail++) { /* the tables, and the room to make them in */
        memset(r.x, 0x5a, MOST * r.d * sizeof *r.x);
        fq_alloc_fail_at(fail);
        FQ_CHECK_OK(fq_codec_decode(r.codec, r.x, r.codes, MOST));
        fq_alloc_fail_at(0);
        FQ_CHECK(memcmp(r.x, r.expected, MOST * r.d * sizeof *r.x) == 0);
    }
    clear(&r);
}

static void tables_refuse_what_no_encoder_writes(void) {
    room r;
    if (!prepare(&r, 0))
        return;
    for (int threads = 1; threads <= 2; threads++) {
        fq_test_set_threads(threads);
        for (size_t bad = 5; bad < MOST;
             bad += 1700) { /* the first is named, whichever thread meets another */
            uint8_t *code = r.codes + bad * r.bytes, *last = r.codes + (MOST - 1) * r.bytes;
            uint8_t kept[2] = {code[1], last[1]};
            code[1] |= 0x80;
            last[1] = 0x7c;
            FQ_CHECK_FAILS(fq_codec_decode(r.codec, r.x, r.codes, MOST), FQ_ERR_CORRUPT);
            FQ_CHECK_NEAR(fq_error_last()->value, (double)bad, 0);
            last[1] = kept[1];
            code[1] = kept[0];
        }
    }
    fq_test_set_threads(1);
    clear(&r);
}

/* x and Pi^T of the rotated y are the same sum, v_i = sum_j A_ij c_j norm, with float32 roundings u = 2^-24
 * in other places. By products: one for norm c_j, one for each of d fused steps. By bytes: table_width steps
 * in a part, one for each part, one at the end: no more than d + 2 on any path. So each differs from v_i by
 * at most gamma sum_j |A_ij| |c_j| norm, gamma = (d + 2) u / (1 - (d + 2) u) (Higham, Accuracy and stability,
 * 2002, lemma 3.1). That sum is at most norm |c| by Cauchy and Schwarz, times row i's norm, 1 within 1e-5;
 * and |y| is norm |c| within u. What underflows adds less than d 2^-149. */
static void rotating_back_agrees_within_rounding(void) {
    for (size_t c = 0; c < CASES; c++) {
        room r;
        if (!prepare(&r, c))
            return;
        const double steps = (double)r.d + 2, gamma = steps * 0x1p-24 / (1 - steps * 0x1p-24);
        float *y = r.expected, *back = NULL;
        if (!FQ_CHECK_OK(fq_alloc(&back, MOST * r.d, sizeof *back)))
            return;
        FQ_CHECK_OK(fq_codec_decode(r.codec, r.x, r.codes, MOST));
        FQ_CHECK_OK(fq_codec_decode_rotated(r.codec, y, r.codes, MOST));
        FQ_CHECK_OK(fq_codec_rotate_back(r.codec, back, y, MOST));
        for (size_t v = 0; v < MOST; v++) {
            double squared = 0, most = 0;
            for (size_t j = v * r.d; j < (v + 1) * r.d; j++) {
                squared += (double)y[j] * (double)y[j];
                most = fmax(most, fabs((double)r.x[j] - (double)back[j]));
            }
            const double bound = 2 * gamma * (1 + 2e-5) * sqrt(squared) + (double)r.d * 0x1p-149;
            FQ_CHECK(most <= (cases[c].summed ? bound : 0));
        }
        fq_free(back);
        clear(&r);
    }
}

static const fq_test tests[] = {
    {"decoding is its rule", decoding_is_its_rule},
    {"without memory for tables products decode", without_memory_for_tables_products_decode},
    {"tables refuse what no encoder writes", tables_refuse_what_no_encoder_writes},
    {"rotating back agrees within rounding", rotating_back_agrees_within_rounding},
    {0},
};
const fq_suite fq_suite_codec_tables = {"codec_tables", tests};
