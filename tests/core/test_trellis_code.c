/* What a payload's bits mean: against the definition taken bit by bit, for maps of every shape. */
#include <string.h>

#include "check.h"
#include "memory.h"
#include "stream.h"
#include "trellis_code.h"

enum { DIM_MOST = 576, PAYLOAD_MOST = DIM_MOST };

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

/* Bit i of the circle, any i. */
static unsigned bit(const fq_trellis_code *code, const uint8_t *payload, long i) {
    const long bits = (long)code->payload_bits;
    const long at = ((i % bits) + bits) % bits;
    return payload[at / 8] >> at % 8 & 1u;
}

static int level_by_definition(const fq_trellis_code *code, const uint8_t *payload, size_t j) {
    const fq_trellis_map *map = &code->map;
    const long t = (long)(j / map->together), v = (long)(j % map->together);
    unsigned label = 0;
    for (long age = 0; age < (long)map->window; age++) /* from the newest bit */
        label ^= bit(code, payload, (long)map->fresh * (t + 1) - 1 - age) *
                 map->column[v][map->window - 1 - (unsigned)age];
    return map->level[label];
}

static void random_payload(fq_stream *s, const fq_trellis_code *code, uint8_t *payload) {
    uint8_t fresh[DIM_MOST];
    for (size_t t = 0; t < code->steps; t++)
        fresh[t] = (uint8_t)fq_stream_below(s, 1u << code->map.fresh);
    fq_trellis_write(code, payload, fresh);
    for (size_t t = 0; t < code->steps; t++)
        for (unsigned i = 0; i < code->map.fresh; i++)
            FQ_CHECK(bit(code, payload, (long)(t * code->map.fresh + i)) == ((unsigned)fresh[t] >> i & 1u));
    FQ_CHECK(fq_trellis_padding_is_zero(code, payload));
}

static void check_labels_by_matrices(const fq_trellis_code *code, const uint8_t *payload) {
    fq_trellis_matrices matrices;
    fq_trellis_matrices_of(&matrices, &code->map);
    FQ_CHECK(matrices.reach >= 1 && matrices.reach <= FQ_TRELLIS_REACH_MAX);
    const size_t bytes = code->payload_bytes;
    for (size_t t = 0; t < code->steps; t++) {
        const unsigned p = (unsigned)(t % matrices.phases);
        const size_t end = t / matrices.phases * matrices.bytes + matrices.last_byte[p];
        const unsigned w = fq_trellis_window_at(code, payload, t);
        for (unsigned v = 0; v < code->map.together; v++) {
            uint8_t label = 0;
            for (unsigned r = 0; r < matrices.reach; r++)
                label ^=
                    fq_trellis_multiply(matrices.matrix[v][p][r], payload[(end + 3 * bytes - r) % bytes]);
            FQ_CHECK(label == fq_trellis_label(&code->map, v, w));
        }
    }
}

/* Turned by s steps, the payload's coordinates move by V s. */
static void check_turned(const fq_trellis_code *code, const uint8_t *payload, const int8_t *levels,
                         size_t s) {
    uint8_t fresh[DIM_MOST], turned[PAYLOAD_MOST];
    const unsigned k = code->map.fresh;
    for (size_t t = 0; t < code->steps; t++)
        fresh[t] =
            (uint8_t)(fq_trellis_window_at(code, payload, (t + s) % code->steps) >> (code->map.window - k));
    fq_trellis_write(code, turned, fresh);
    int8_t moved[DIM_MOST];
    fq_trellis_levels(code, moved, turned);
    for (size_t j = 0; j < code->dim; j++)
        FQ_CHECK(moved[j] == levels[(j + s * code->map.together) % code->dim]);
}

static void check_shape(fq_stream *s, const fq_trellis_map *map, size_t dim) {
    fq_trellis_code code;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&code, map, dim)))
        return;
    uint8_t payload[PAYLOAD_MOST];
    int8_t levels[DIM_MOST];
    random_payload(s, &code, payload);
    fq_trellis_levels(&code, levels, payload);
    for (size_t j = 0; j < dim; j++) {
        FQ_CHECK(levels[j] == level_by_definition(&code, payload, j));
        FQ_CHECK(levels[j] == fq_trellis_level_at(&code, payload, j));
    }
    check_turned(&code, payload, levels, 1);
    check_turned(&code, payload, levels, code.steps / 2);
    if (code.payload_bits % 8 == 0)
        check_labels_by_matrices(&code, payload);
    fq_trellis_code_clear(&code);
}

static void every_shape_reads_as_defined(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7101);
    static const size_t dims[] = {16, 60, 64, 80, 96, 576};
    for (unsigned fresh = 1; fresh <= 8; fresh++)
        for (unsigned together = 1; together <= 4; together++)
            for (unsigned window = 6; window <= 14; window++) {
                if (window < fresh)
                    continue;
                const fq_trellis_map map =
                    random_map(&s, fresh, together, window, 3 + (unsigned)fq_stream_below(&s, 6));
                const size_t dim = dims[fq_stream_below(&s, sizeof dims / sizeof dims[0])];
                if (dim % together == 0 && dim / together * fresh >= window)
                    check_shape(&s, &map, dim);
            }
}

/* By hand: K = 2, V = 1, L = 6, m = 3, d = 4, so one byte. Bits from the lowest: 1 1 0 1 0 0 1 0. The window
 * of step 0 is bits -4 ... 1, that is 4 5 6 7 0 1: 0 0 1 0 1 1, oldest first; that of step 3 is bits 2 ... 7:
 * 0 1 0 0 1 0. */
static void a_payload_read_by_hand(void) {
    const fq_trellis_map map = {.fresh = 2,
                                .together = 1,
                                .window = 6,
                                .label_bits = 3,
                                .column = {{7, 5, 3, 6, 2, 1}},
                                .level = {-100, -60, -30, -10, 10, 30, 60, 100},
                                .step = 0.02};
    fq_trellis_code code;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 4)))
        return;
    const uint8_t payload[1] = {0x4b};
    FQ_CHECK(fq_trellis_window_at(&code, payload, 0) == 0x34);
    FQ_CHECK(fq_trellis_window_at(&code, payload, 3) == 0x12);
    FQ_CHECK(fq_trellis_label(&map, 0, 0x34) == (3 ^ 2 ^ 1));
    FQ_CHECK(fq_trellis_level_at(&code, payload, 0) == -100);
    FQ_CHECK(fq_trellis_label(&map, 0, 0x12) == (5 ^ 2));
    FQ_CHECK(fq_trellis_level_at(&code, payload, 3) == 100);
    FQ_CHECK_NEAR(code.unit, 0.01, 1e-9);
    fq_trellis_code_clear(&code);
}

static void padding_bits_are_seen(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7102);
    const fq_trellis_map map = random_map(&s, 1, 4, 10, 6); /* 80 coordinates: 20 bits */
    fq_trellis_code code;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 80)))
        return;
    FQ_CHECK(code.payload_bits == 20 && code.payload_bytes == 3);
    uint8_t payload[3];
    random_payload(&s, &code, payload);
    for (unsigned i = 4; i < 8; i++) {
        payload[2] ^= (uint8_t)(1u << i);
        FQ_CHECK(!fq_trellis_padding_is_zero(&code, payload));
        payload[2] ^= (uint8_t)(1u << i);
    }
    payload[2] ^= 8;
    FQ_CHECK(fq_trellis_padding_is_zero(&code, payload));
    fq_trellis_code_clear(&code);
}

static void rates_are_split(void) {
    static const struct {
        double bits;
        unsigned fresh, together;
    } cases[] = {{0.25, 1, 4}, {0.5, 1, 2}, {0.75, 3, 4}, {1, 1, 1},   {1.5, 3, 2}, {1.75, 7, 4},
                 {2, 2, 1},    {2.5, 5, 2}, {3, 3, 1},    {3.5, 7, 2}, {4, 4, 1},   {8, 8, 1}};
    unsigned fresh = 0, together = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FQ_CHECK(fq_trellis_split_rate(cases[i].bits, &fresh, &together));
        FQ_CHECK(fresh == cases[i].fresh && together == cases[i].together);
    }
    static const double none[] = {0, 0.2, 0.3, 2.25, 4.5, 9, -1};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        FQ_CHECK(!fq_trellis_split_rate(none[i], &fresh, &together));
}

static void bad_maps_are_refused(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7103);
    const fq_trellis_map good = random_map(&s, 2, 2, 10, 6);
    fq_trellis_code code;
    fq_trellis_map map = good;
    if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 64)))
        return;
    fq_trellis_code_clear(&code);
#define REFUSED(change, dim)                                                                                 \
    do {                                                                                                     \
        map = good;                                                                                          \
        change;                                                                                              \
        FQ_CHECK_FAILS(fq_trellis_code_init(&code, &map, dim), FQ_ERR_ARGUMENT);                             \
    } while (0)
    REFUSED(map.fresh = 0, 64);
    REFUSED(map.fresh = 9, 64);
    REFUSED(map.together = 0, 64);
    REFUSED(map.together = 5, 60);
    REFUSED(map.window = 5, 64);
    REFUSED(map.window = 15, 64);
    REFUSED((map.fresh = 7, map.window = 6), 64);
    REFUSED(map.label_bits = 2, 64);
    REFUSED(map.label_bits = 9, 64);
    REFUSED(map.column[1][9] = 64, 64);
    REFUSED(map.level[63] = -128, 64);
    REFUSED(memset(map.level, 0, sizeof map.level), 64);
    REFUSED(map.step = 0, 64);
    REFUSED(map.step = 1.0 / 0.0, 64);
    REFUSED(map.step = 0.0 / 0.0, 64);
    REFUSED(map = good, 63);
    REFUSED(map = good, 0);
    REFUSED(map = good, 16386);
    REFUSED(map = good, 8); /* eight bits, a window of ten */
#undef REFUSED
    fq_alloc_fail_at(1);
    FQ_CHECK_FAILS(fq_trellis_code_init(&code, &good, 64), FQ_ERR_MEMORY);
    fq_alloc_fail_at(0);
}

static const fq_test tests[] = {
    {"every shape reads as defined", every_shape_reads_as_defined},
    {"a payload read by hand", a_payload_read_by_hand},
    {"padding bits are seen", padding_bits_are_seen},
    {"rates are split", rates_are_split},
    {"bad maps are refused", bad_maps_are_refused},
    {0},
};
const fq_suite fq_suite_trellis_code = {"trellis_code", tests};
