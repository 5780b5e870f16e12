/* AVX-512 with VNNI and VBMI: 32 tokens a vector of sixteen-bit numbers. A column holds two bytes of a
 * token's index, so four nibbles; a permutation of sixteen-bit numbers looks an entry up by a number's lowest
 * five bits, and the table stands twice in its vector, so that a shift is all it takes to come to the next
 * nibble. */
#include "attention_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "attention_avx512.h"
#include "attention_loops.h"
#include "cpu.h"

enum {
    CHUNK = FQ_ATTENTION_CHUNK,
    GROUP = FQ_ATTENTION_GROUP,
    PANEL = 16,
    NIBBLES = 4,
    VECTORS = CHUNK / GROUP
};

/* Four rows of 16 bytes side by side: their first numbers, then their second ones and so on. All four lie in
 * two vectors, of which the second begins with the second row, if rows are near and what is behind them can
 * be read. */
TARGET static ALWAYS_INLINE __m512i four_near(const uint8_t *rows, size_t stride, __m512i order) {
    return _mm512_permutex2var_epi16(load(rows), order, load(rows + stride));
}

TARGET static ALWAYS_INLINE __m512i four_far(const uint8_t *rows, size_t stride) {
    const __m128i *const at[4] = {(const void *)rows, (const void *)(rows + stride),
                                  (const void *)(rows + 2 * stride), (const void *)(rows + 3 * stride)};
    const __m512i order = _mm512_set_epi16(31, 23, 15, 7, 30, 22, 14, 6, 29, 21, 13, 5, 28, 20, 12, 4, 27, 19,
                                           11, 3, 26, 18, 10, 2, 25, 17, 9, 1, 24, 16, 8, 0);
    __m512i all = _mm512_castsi128_si512(_mm_loadu_si128(at[0]));
    all = _mm512_inserti32x4(all, _mm_loadu_si128(at[1]), 1);
    all = _mm512_inserti32x4(all, _mm_loadu_si128(at[2]), 2);
    all = _mm512_inserti32x4(all, _mm_loadu_si128(at[3]), 3);
    return _mm512_permutexvar_epi16(order, all);
}

/* four_near's order: rows 0 and 2 from the first vector, 1 and 3 from the second. */
TARGET static ALWAYS_INLINE __m512i near_order(size_t stride) {
    const __m512i number = _mm512_set_epi16(7, 7, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 3, 3, 3, 3, 2, 2,
                                            2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    const short far = (short)stride; /* two rows, in numbers */
    const __m512i row =
        _mm512_set1_epi64((int64_t)((uint64_t)(32 + far) << 48 | (uint64_t)far << 32 | (uint64_t)32 << 16));
    return _mm512_add_epi16(number, row);
}

/* `count` columns of eight times four rows: eight by eight numbers of 64 bits are transposed. */
TARGET static ALWAYS_INLINE void store_columns(uint8_t *to, const __m512i four[8], size_t count) {
    __m512i pair[8], quad[8];
    for (size_t i = 0; i < 4; i++) {
        pair[i] = _mm512_unpacklo_epi64(four[2 * i], four[2 * i + 1]);
        pair[4 + i] = _mm512_unpackhi_epi64(four[2 * i], four[2 * i + 1]);
    }
    for (size_t odd = 0; odd < 2; odd++) {
        const __m512i *const p = pair + 4 * odd;
        quad[odd] = _mm512_shuffle_i64x2(p[0], p[1], 0x44); /* columns 0 and 2, or 1 and 3 */
        quad[2 + odd] = _mm512_shuffle_i64x2(p[2], p[3], 0x44);
        quad[4 + odd] = _mm512_shuffle_i64x2(p[0], p[1], 0xee); /* 4 and 6, or 5 and 7 */
        quad[6 + odd] = _mm512_shuffle_i64x2(p[2], p[3], 0xee);
    }
    for (size_t i = 0; i < 8; i++)
        if (i < count) {
            const __m512i *const q = quad + i / 4 * 4 + i % 2;
            store(to + i * 2 * CHUNK, i % 4 < 2 ? _mm512_shuffle_i64x2(q[0], q[2], 0x88)
                                                : _mm512_shuffle_i64x2(q[0], q[2], 0xdd));
        }
}

/* 32 rows; the first `near` fours of them by two vectors each. */
TARGET static ALWAYS_INLINE void turn_panel(uint8_t *to, const uint8_t *rows, size_t stride, size_t near,
                                            size_t count) {
    const __m512i order = near_order(stride);
    __m512i four[8];
    if (near == 8)
        for (size_t i = 0; i < 8; i++)
            four[i] = four_near(rows + 4 * i * stride, stride, order);
    else
        for (size_t i = 0; i < 8; i++)
            four[i] = i < near ? four_near(rows + 4 * i * stride, stride, order)
                               : four_far(rows + 4 * i * stride, stride);
    store_columns(to, four, count);
}

/* The last rows, with zeros behind their ends and behind the last one. */
TARGET static void turn_end(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes, size_t n) {
    uint8_t padded[GROUP * PANEL] = {0};
    for (size_t i = 0; i < n; i++)
        memcpy(padded + i * PANEL, rows + i * stride, bytes);
    turn_panel(to, padded, PANEL, 0, (bytes + 1) / 2);
}

/* How many fours of 32 rows lie in two vectors each that can be read: `readable` bytes can. */
static size_t near_fours(size_t stride, size_t readable) {
    size_t near = 0;
    while (2 * stride + PANEL <= 64 && near < 8 && (4 * near + 1) * stride + 64 <= readable)
        near++;
    return near;
}

TARGET static void columns(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes, size_t n) {
    for (size_t panel = 0; panel < bytes; panel += PANEL)
        for (size_t first = 0; first < CHUNK; first += GROUP) {
            const size_t there = first < n ? n - first : 0,
                         wide = bytes - panel < PANEL ? bytes - panel : PANEL;
            uint8_t *const at = to + panel * CHUNK + 2 * first;
            const uint8_t *const from = there ? rows + first * stride + panel : rows;
            const size_t readable = there ? (there - 1) * stride + wide : 0;
            /* Of a row, what is behind its end and belongs to the next ones is read, but never looked up. */
            if (there < GROUP || readable < (GROUP - 1) * stride + PANEL)
                turn_end(at, from, stride, wide, there < GROUP ? there : GROUP);
            else if (wide == PANEL)
                turn_panel(at, from, stride, near_fours(stride, readable), 8);
            else
                turn_panel(at, from, stride, near_fours(stride, readable), (wide + 1) / 2);
        }
}

/* Numbers at even distances: every vector of their memory gives those that lie in it. */
TARGET static void halves(uint8_t *restrict to, const uint8_t *restrict from, size_t stride, size_t n) {
    size_t i = 0;
    if (stride % 2 == 0 && stride <= 64) {
        const size_t step = stride / 2;
        const __m512i lane = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                                              15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        const __m512i place = _mm512_mullo_epi16(lane, _mm512_set1_epi16((short)step));
        __mmask32 here[32];
        for (size_t v = 0; v < step; v++)
            here[v] = _mm512_cmpeq_epi16_mask(_mm512_srli_epi16(place, 5), _mm512_set1_epi16((short)v));
        for (; i + GROUP < n; i += GROUP) { /* a row more, since numbers may stand behind a row's first */
            __m512i all = _mm512_setzero_si512();
            for (size_t v = 0; v < step; v++)
                all = _mm512_mask_permutexvar_epi16(all, here[v], place, load(from + i * stride + 64 * v));
            store(to + 2 * i, all);
        }
    }
    for (; i < n; i++)
        memcpy(to + 2 * i, from + i * stride, 2);
    memset(to + 2 * n, 0, 2 * (CHUNK - n));
}

/* Sixteen entries, twice, from their low bytes and their high bytes: eight of them in a quarter. */
TARGET static ALWAYS_INLINE __m512i entries(const uint8_t *table) {
    const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
    const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(table + 16)));
    return _mm512_mask_unpackhi_epi8(_mm512_unpacklo_epi8(low, high), 0xffff0000ffff0000, low, high);
}

TARGET static ALWAYS_INLINE __m512i nibble(__m512i column, size_t number) {
    switch (number) {
    case 0:
        return column;
    case 1:
        return _mm512_srli_epi16(column, 4);
    case 2:
        return _mm512_srli_epi16(column, 8);
    default:
        return _mm512_srli_epi16(column, 12);
    }
}

/* Adds the entries of `count` nibbles of a column. */
TARGET static ALWAYS_INLINE void add_scores_of(int16_t *sum, const uint8_t *column, const uint8_t *table,
                                               size_t count) {
    __m512i entry[NIBBLES];
    for (size_t p = 0; p < count; p++)
        entry[p] = entries(table + 32 * p);
    for (size_t v = 0; v < VECTORS; v++) {
        const __m512i numbers = load(column + 64 * v);
        __m512i total = load(sum + GROUP * v);
#pragma GCC unroll 4
        for (size_t p = 0; p < count; p++)
            total = _mm512_add_epi16(total, _mm512_permutexvar_epi16(nibble(numbers, p), entry[p]));
        store(sum + GROUP * v, total);
    }
}

TARGET static void nibble_scores(int16_t *sum, const uint8_t *from, size_t bytes, const uint8_t *table,
                                 fq_attention_prefetch next) {
    memset(sum, 0, CHUNK * sizeof *sum);
    for (size_t b = 0; b < bytes; b += 2) {
        prefetch(next, b / 2, (bytes + 1) / 2);
        if (b + 1 < bytes)
            add_scores_of(sum, from + b * CHUNK, table + 64 * b, NIBBLES);
        else
            add_scores_of(sum, from + b * CHUNK, table + 64 * b, NIBBLES / 2);
    }
}

/* `count` coordinates of the nibbles of a column; a lane adds up 32 products of at most 8191 * 2047, and four
 * lanes are added: no overflow. */
TARGET static ALWAYS_INLINE void accumulate(int64_t *total, size_t coordinates, const uint8_t *column,
                                            size_t nibbles, const uint8_t *word, size_t count,
                                            const int16_t *weight) {
    __m512i sum[NIBBLES * 4], entry[4];
    int64_t sums[NIBBLES * 4];
    for (size_t t = 0; t < count; t++)
        entry[t] = entries(word + 32 * t);
    for (size_t i = 0; i < NIBBLES * 4; i++)
        sum[i] = _mm512_setzero_si512();
    for (size_t v = 0; v < VECTORS; v++) {
        const __m512i numbers = load(column + 64 * v), weights = load(weight + GROUP * v);
        for (size_t p = 0; p < nibbles; p++) {
            const __m512i index = nibble(numbers, p);
            for (size_t t = 0; t < count; t++) {
                __m512i *const to = &sum[p * count + t];
                *to = _mm512_dpwssd_epi32(*to, _mm512_permutexvar_epi16(index, entry[t]), weights);
            }
        }
    }
    for (size_t i = 0; i < nibbles * count; i += 4)
        sums_of_lanes(sums + i, sum + i);
    for (size_t p = 0; p < nibbles; p++)
        for (size_t t = 0; t < count; t++)
            total[p * coordinates + t] = sums[p * count + t];
}

TARGET static ALWAYS_INLINE void accumulate_some(int64_t *total, size_t coordinates, const uint8_t *column,
                                                 size_t nibbles, const uint8_t *word, size_t count,
                                                 const int16_t *weight) {
    switch (count) {
    case 1:
        accumulate(total, coordinates, column, nibbles, word, 1, weight);
        break;
    case 2:
        accumulate(total, coordinates, column, nibbles, word, 2, weight);
        break;
    case 3:
        accumulate(total, coordinates, column, nibbles, word, 3, weight);
        break;
    default:
        accumulate(total, coordinates, column, nibbles, word, 4, weight);
    }
}

TARGET static void nibble_values(int64_t *total, const uint8_t *from, size_t bytes, const uint8_t *word,
                                 size_t coordinates, const int16_t *weight, fq_attention_prefetch next) {
    for (size_t b = 0; b < bytes; b += 2) {
        prefetch(next, b / 2, (bytes + 1) / 2);
        for (size_t t = 0; t < coordinates; t += 4) {
            int64_t *const to = total + 2 * b * coordinates + t;
            if (b + 1 < bytes)
                accumulate_some(to, coordinates, from + b * CHUNK, NIBBLES, word + 32 * t, coordinates - t,
                                weight);
            else
                accumulate_some(to, coordinates, from + b * CHUNK, NIBBLES / 2, word + 32 * t,
                                coordinates - t, weight);
        }
    }
}

const fq_attention_kernels fq_attention_kernels_avx512 = {
    .kernel = FQ_ATTENTION_AVX512,
    .needs = FQ_CPU_AVX2 | FQ_CPU_AVX512F | FQ_CPU_AVX512BW | FQ_CPU_AVX512DQ | FQ_CPU_AVX512VL |
             FQ_CPU_VNNI | FQ_CPU_VBMI,
    .columns = columns,
    .nibble_scores = nibble_scores,
    .nibble_values = nibble_values,
    .byte_columns = fq_attention_byte_columns_avx512,
    .byte_scores = fq_attention_byte_scores_avx512,
    .byte_values = fq_attention_byte_values_avx512,
    .exponentials = exponentials,
    .halves = halves,
    .positive = positive,
    .add_scores = add_scores,
    .add_long_scores = add_long_scores,
    .largest = largest,
    .total = total,
    .weights = weights,
    .units = units,
    .add_turned = add_turned,
};
#endif
