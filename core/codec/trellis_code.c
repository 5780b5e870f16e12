#include "trellis_code.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "source.h"

bool fq_trellis_split_rate(double bits, unsigned *fresh, unsigned *together) {
    for (unsigned v = 1; v <= FQ_TRELLIS_TOGETHER_MAX; v *= 2) {
        const double k = bits * v;
        if (k >= 1 && k <= FQ_TRELLIS_FRESH_MAX && k == floor(k)) {
            *fresh = (unsigned)k;
            *together = v;
            return true;
        }
    }
    return false;
}

unsigned fq_trellis_label(const fq_trellis_map *map, unsigned v, unsigned w) {
    unsigned label = 0;
    for (unsigned i = 0; i < map->window; i++)
        if (w >> i & 1)
            label ^= map->column[v][i];
    return label;
}

static fq_status check_numbers(const fq_trellis_map *map) {
    if (map->fresh < 1 || map->fresh > FQ_TRELLIS_FRESH_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "fresh bits a step", map->fresh, "1 to 8");
    if (map->together < 1 || map->together > FQ_TRELLIS_TOGETHER_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "coordinates a step", map->together, "1 to 4");
    if (map->window < FQ_TRELLIS_WINDOW_MIN || map->window > FQ_TRELLIS_WINDOW_MAX ||
        map->window < map->fresh)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "window", map->window,
                             "6 to 14 bits, as many as fresh ones or more");
    if (map->label_bits < FQ_TRELLIS_LABEL_BITS_MIN || map->label_bits > FQ_TRELLIS_LABEL_BITS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "label bits", map->label_bits, "3 to 8");
    return FQ_OK;
}

static fq_status check_map(const fq_trellis_map *map) {
    FQ_TRY(check_numbers(map));
    const unsigned levels = 1u << map->label_bits;
    for (unsigned v = 0; v < map->together; v++)
        for (unsigned i = 0; i < map->window; i++)
            if (map->column[v][i] >= levels)
                return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "column", map->column[v][i], "below 2^(label bits)");
    bool all_zero = true;
    for (unsigned i = 0; i < levels; i++) {
        if (map->level[i] < -127)
            return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "level", map->level[i], "-127 to 127");
        all_zero = all_zero && map->level[i] == 0;
    }
    if (all_zero)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "levels", "not all zero");
    if (!(map->step > 0x1p-40 && map->step < 0x1p40))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "step", map->step, "between 2^-40 and 2^40");
    return FQ_OK;
}

fq_status fq_trellis_code_init(fq_trellis_code *code, const fq_trellis_map *map, size_t dim) {
    FQ_TRY(check_map(map));
    if (dim < 1 || dim > FQ_DIM_MAX || dim % map->together != 0)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim,
                             "a multiple of the coordinates a step, up to 16384");
    fq_trellis_code made = {.map = *map, .dim = dim, .steps = dim / map->together};
    made.payload_bits = made.steps * map->fresh;
    made.payload_bytes = (made.payload_bits + 7) / 8;
    if (made.payload_bits < map->window)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "window", map->window, "no longer than the payload's bits");
    made.unit = (float)(map->step / sqrt((double)dim));
    const size_t windows = (size_t)1 << map->window;
    FQ_TRY(fq_alloc(&made.window_levels, windows * map->together, 1));
    for (size_t w = 0; w < windows; w++)
        for (unsigned v = 0; v < map->together; v++)
            made.window_levels[w * map->together + v] = map->level[fq_trellis_label(map, v, (unsigned)w)];
    *code = made;
    return FQ_OK;
}

void fq_trellis_code_clear(fq_trellis_code *code) {
    fq_free(code->window_levels);
    memset(code, 0, sizeof *code);
}

/* Bits first ... first + count - 1 of the circle, count at most 14 and B; first < B. */
static unsigned read_bits(const fq_trellis_code *code, const uint8_t *payload, size_t first, unsigned count) {
    const size_t bits = code->payload_bits;
    unsigned value = 0;
    if (first + count <= bits) {
        const size_t byte = first / 8, last = (first + count - 1) / 8;
        for (size_t i = byte; i <= last; i++)
            value |= (unsigned)payload[i] << 8 * (i - byte);
        return (value >> first % 8) & ((1u << count) - 1);
    }
    for (unsigned i = 0; i < count; i++) {
        const size_t at = first + i < bits ? first + i : first + i - bits;
        value |= (unsigned)(payload[at / 8] >> at % 8 & 1) << i;
    }
    return value;
}

unsigned fq_trellis_window_at(const fq_trellis_code *code, const uint8_t *payload, size_t t) {
    const size_t end = code->map.fresh * (t + 1), length = code->map.window;
    return read_bits(code, payload, end >= length ? end - length : end + code->payload_bits - length,
                     code->map.window);
}

int fq_trellis_level_at(const fq_trellis_code *code, const uint8_t *payload, size_t j) {
    const unsigned together = code->map.together;
    return code->window_levels[fq_trellis_window_at(code, payload, j / together) * together + j % together];
}

void fq_trellis_levels(const fq_trellis_code *code, int8_t *levels, const uint8_t *payload) {
    const unsigned fresh = code->map.fresh, window = code->map.window, together = code->map.together;
    unsigned w = fq_trellis_window_at(code, payload, code->steps - 1);
    unsigned bits = 0, count = 0; /* of the payload, read and not yet used */
    for (size_t t = 0; t < code->steps; t++, count -= fresh, bits >>= fresh) {
        if (count < fresh) {
            bits |= (unsigned)*payload++ << count;
            count += 8;
        }
        w = w >> fresh | (bits & ((1u << fresh) - 1)) << (window - fresh);
        const int8_t *const found = code->window_levels + (size_t)w * together;
        for (unsigned v = 0; v < together; v++)
            levels[t * together + v] = found[v];
    }
}

void fq_trellis_write(const fq_trellis_code *code, uint8_t *payload, const uint8_t *fresh) {
    memset(payload, 0, code->payload_bytes);
    const unsigned k = code->map.fresh;
    for (size_t t = 0; t < code->steps; t++) {
        const size_t bit = t * k;
        const unsigned shifted = (unsigned)fresh[t] << bit % 8;
        payload[bit / 8] |= (uint8_t)shifted;
        if (bit % 8 + k > 8)
            payload[bit / 8 + 1] |= (uint8_t)(shifted >> 8);
    }
}

bool fq_trellis_padding_is_zero(const fq_trellis_code *code, const uint8_t *payload) {
    const size_t used = code->payload_bits % 8;
    return used == 0 || payload[code->payload_bytes - 1] >> used == 0;
}

static unsigned common_divisor(unsigned a, unsigned b) {
    return b ? common_divisor(b, a % b) : a;
}

/* Bit i of the window that ends with bit `last` of a period is bit (last - L + 1 + i) of it, in byte
 * F - r, r >= 0: counted from the top of byte F down, bit 8 r + 7 - column. */
void fq_trellis_matrices_of(fq_trellis_matrices *matrices, const fq_trellis_map *map) {
    memset(matrices, 0, sizeof *matrices);
    const unsigned common = common_divisor(8, map->fresh), length = map->window;
    matrices->phases = 8 / common;
    matrices->bytes = map->fresh / common;
    for (unsigned p = 0; p < matrices->phases; p++) {
        const unsigned last = map->fresh * (p + 1) - 1;
        matrices->last_byte[p] = (uint8_t)(last / 8);
        for (unsigned i = 0; i < length; i++) {
            const unsigned from_top = 7 - last % 8 + (length - 1 - i);
            const unsigned back = from_top / 8, bit = 7 - from_top % 8;
            matrices->reach = back + 1 > matrices->reach ? back + 1 : matrices->reach;
            for (unsigned v = 0; v < map->together; v++)
                for (unsigned row = 0; row < map->label_bits; row++)
                    if (map->column[v][i] >> row & 1)
                        matrices->matrix[v][p][back] |= (uint64_t)1 << (8 * (7 - row) + bit);
        }
    }
}

uint8_t fq_trellis_multiply(uint64_t matrix, uint8_t byte) {
    unsigned product = 0;
    for (unsigned row = 0; row < 8; row++) {
        unsigned parity = (unsigned)(matrix >> 8 * (7 - row)) & byte;
        parity ^= parity >> 4;
        parity ^= parity >> 2;
        parity ^= parity >> 1;
        product |= (parity & 1) << row;
    }
    return (uint8_t)product;
}
