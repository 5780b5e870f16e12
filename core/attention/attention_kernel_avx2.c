/* AVX2: 32 tokens a vector of bytes. Look-ups of 16-bit entries are two byte shuffles, whose results are
 * interleaved to 16-bit numbers: of tokens 0-7 and 16-23, then of 8-15 and 24-31. */
#include "attention_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#include "attention_loops.h"
#include "cpu.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
enum { CHUNK = FQ_ATTENTION_CHUNK, GROUP = FQ_ATTENTION_GROUP, PANEL = 16 };

TARGET static ALWAYS_INLINE __m128i load_row(const uint8_t *row, size_t bytes) {
    if (bytes >= PANEL)
        return _mm_loadu_si128((const __m128i *)(const void *)row);
    if (bytes == 8)
        return _mm_loadl_epi64((const __m128i *)(const void *)row);
    if (bytes == 4) {
        int32_t four;
        memcpy(&four, row, sizeof four);
        return _mm_cvtsi32_si128(four);
    }
    uint8_t padded[PANEL] = {0};
    memcpy(padded, row, bytes);
    return _mm_loadu_si128((const __m128i *)(const void *)padded);
}

/* 16 columns of 32 rows: a byte's place among 256 has eight bits, row and column; each round turns them left.
 */
TARGET static ALWAYS_INLINE void turn_panel(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes,
                                            size_t n) {
    __m256i a[PANEL], b[PANEL];
    for (size_t i = 0; i < PANEL; i++) {
        const __m128i low = i < n ? load_row(rows + i * stride, bytes) : _mm_setzero_si128();
        const __m128i high =
            i + PANEL < n ? load_row(rows + (i + PANEL) * stride, bytes) : _mm_setzero_si128();
        a[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    }
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < PANEL / 2; i++) {
            b[2 * i] = _mm256_unpacklo_epi8(a[i], a[i + PANEL / 2]);
            b[2 * i + 1] = _mm256_unpackhi_epi8(a[i], a[i + PANEL / 2]);
        }
        for (size_t i = 0; i < PANEL; i++)
            a[i] = b[i];
    }
    for (size_t i = 0; i < PANEL && i < bytes; i++)
        _mm256_storeu_si256((__m256i *)(void *)(to + i * CHUNK), a[i]);
}

TARGET static void columns(uint8_t *to, const uint8_t *rows, size_t stride, size_t bytes, size_t n) {
    for (size_t panel = 0; panel < bytes; panel += PANEL)
        for (size_t first = 0; first < CHUNK; first += GROUP) {
            const size_t there = first < n ? n - first : 0, wide = bytes - panel;
            uint8_t *at = to + panel * CHUNK + first;
            const uint8_t *from = there ? rows + first * stride + panel : rows;
            if (there >= GROUP && wide >= PANEL)
                turn_panel(at, from, stride, PANEL, GROUP);
            else if (there >= GROUP && wide == 8)
                turn_panel(at, from, stride, 8, GROUP);
            else if (there >= GROUP && wide == 4)
                turn_panel(at, from, stride, 4, GROUP);
            else
                turn_panel(at, from, stride, wide < PANEL ? wide : PANEL, there < GROUP ? there : GROUP);
        }
}

/* Four at a time: stores are dearer than loads. */
static void halves(uint8_t *restrict to, const uint8_t *restrict from, size_t stride, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4, from += 4 * stride) {
        uint16_t a, b, c, d;
        memcpy(&a, from, 2);
        memcpy(&b, from + stride, 2);
        memcpy(&c, from + 2 * stride, 2);
        memcpy(&d, from + 3 * stride, 2);
        const uint64_t four = (uint64_t)a | (uint64_t)b << 16 | (uint64_t)c << 32 | (uint64_t)d << 48;
        memcpy(to + 2 * i, &four, sizeof four);
    }
    for (; i < n; i++, from += stride)
        memcpy(to + 2 * i, from, 2);
    memset(to + 2 * n, 0, 2 * (CHUNK - n));
}

TARGET static ALWAYS_INLINE __m256i load(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

TARGET static ALWAYS_INLINE __m256i sixteen(const uint8_t *table) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* The entries that 32 nibbles choose, as 16-bit numbers in two vectors. */
TARGET static ALWAYS_INLINE void look_up(__m256i out[2], const uint8_t *table, __m256i nibble) {
    const __m256i low = _mm256_shuffle_epi8(sixteen(table), nibble);
    const __m256i high = _mm256_shuffle_epi8(sixteen(table + 16), nibble);
    out[0] = _mm256_unpacklo_epi8(low, high);
    out[1] = _mm256_unpackhi_epi8(low, high);
}

TARGET static ALWAYS_INLINE __m256i low_nibbles(__m256i bytes) {
    return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
}
TARGET static ALWAYS_INLINE __m256i high_nibbles(__m256i bytes) {
    return low_nibbles(_mm256_srli_epi16(bytes, 4));
}

/* Two tables of 16 entries a byte, low and high bytes looked up apart. */
TARGET static void nibble_scores(int16_t *sum, const uint8_t *from, size_t bytes, const uint8_t *table,
                                 fq_attention_prefetch next) {
    for (size_t first = 0; first < CHUNK; first += GROUP) {
        prefetch(next, first / GROUP, CHUNK / GROUP);
        __m256i total[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}, chosen[2];
        for (size_t b = 0; b < bytes; b++) {
            const __m256i both = load(from + b * CHUNK + first);
            look_up(chosen, table + 64 * b, low_nibbles(both));
            total[0] = _mm256_add_epi16(total[0], chosen[0]);
            total[1] = _mm256_add_epi16(total[1], chosen[1]);
            look_up(chosen, table + 64 * b + 32, high_nibbles(both));
            total[0] = _mm256_add_epi16(total[0], chosen[0]);
            total[1] = _mm256_add_epi16(total[1], chosen[1]);
        }
        __m256i *to = (__m256i *)(void *)(sum + first);
        _mm256_storeu_si256(to, _mm256_permute2x128_si256(total[0], total[1], 0x20));
        _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(total[0], total[1], 0x31));
    }
}

TARGET static ALWAYS_INLINE int64_t sum_of_lanes(__m256i a) {
    int32_t lane[8];
    int64_t sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lane, a);
    for (size_t i = 0; i < 8; i++)
        sum += lane[i];
    return sum;
}

/* `count` coordinates of one nibble; a lane adds up 64 products of at most 8191 * 2047: no overflow. */
TARGET static ALWAYS_INLINE void accumulate(int64_t *total, const uint8_t *column, int high,
                                            const uint8_t *word, size_t count, const int16_t *permuted) {
    __m256i sum[4], chosen[2];
    for (size_t t = 0; t < count; t++)
        sum[t] = _mm256_setzero_si256();
    for (size_t first = 0; first < CHUNK; first += GROUP) {
        const __m256i both = load(column + first), nibble = high ? high_nibbles(both) : low_nibbles(both);
        const __m256i weight0 = load(permuted + first), weight1 = load(permuted + first + 16);
        for (size_t t = 0; t < count; t++) {
            look_up(chosen, word + 32 * t, nibble);
            const __m256i products = _mm256_add_epi32(_mm256_madd_epi16(chosen[0], weight0),
                                                      _mm256_madd_epi16(chosen[1], weight1));
            sum[t] = _mm256_add_epi32(sum[t], products);
        }
    }
    for (size_t t = 0; t < count; t++)
        total[t] = sum_of_lanes(sum[t]);
}

TARGET static ALWAYS_INLINE void accumulate_some(int64_t *total, const uint8_t *column, int high,
                                                 const uint8_t *word, size_t count, const int16_t *permuted) {
    switch (count) {
    case 1:
        accumulate(total, column, high, word, 1, permuted);
        break;
    case 2:
        accumulate(total, column, high, word, 2, permuted);
        break;
    case 3:
        accumulate(total, column, high, word, 3, permuted);
        break;
    default:
        accumulate(total, column, high, word, 4, permuted);
    }
}

/* Up to four coordinates of a nibble at a time; the weights first go into the order of look_up's results. */
TARGET static void nibble_values(int64_t *total, const uint8_t *from, size_t bytes, const uint8_t *word,
                                 size_t coordinates, const int16_t *weight, fq_attention_prefetch next) {
    int16_t permuted[CHUNK]; /* in the order of look_up's results */
    for (size_t first = 0; first < CHUNK; first += GROUP) {
        const __m256i a = load(weight + first), b = load(weight + first + 16);
        _mm256_storeu_si256((__m256i *)(void *)(permuted + first), _mm256_permute2x128_si256(a, b, 0x20));
        _mm256_storeu_si256((__m256i *)(void *)(permuted + first + 16),
                            _mm256_permute2x128_si256(a, b, 0x31));
    }
    for (size_t p = 0; p < 2 * bytes; p++) {
        prefetch(next, p, 2 * bytes);
        for (size_t t = 0; t < coordinates; t += 4) {
            const uint8_t *column = from + p / 2 * CHUNK;
            const size_t count = coordinates - t;
            if (p % 2)
                accumulate_some(total + p * coordinates + t, column, 1, word + 32 * t, count, permuted);
            else
                accumulate_some(total + p * coordinates + t, column, 0, word + 32 * t, count, permuted);
        }
    }
}

/* Adds `count` columns' entries, loaded one by one: of 256, none is found by shuffling. */
TARGET static ALWAYS_INLINE void add_entries(int16_t *restrict sum, const uint8_t *restrict column,
                                             const int16_t *restrict table, size_t count) {
    for (size_t i = 0; i < CHUNK; i++) {
        int total = sum[i];
        for (size_t p = 0; p < count; p++)
            total += table[256 * p + column[p * CHUNK + i]];
        sum[i] = (int16_t)total;
    }
}

TARGET static void byte_scores(int16_t *sum, const uint8_t *from, size_t bytes, const int16_t *table,
                               fq_attention_prefetch next) {
    size_t p = 0;
    memset(sum, 0, CHUNK * sizeof *sum);
    for (; p + 4 <= bytes; p += 4) {
        prefetch(next, p / 4, (bytes + 3) / 4);
        add_entries(sum, from + p * CHUNK, table + p * 256, 4);
    }
    for (; p < bytes; p++)
        add_entries(sum, from + p * CHUNK, table + p * 256, 1);
}

TARGET static ALWAYS_INLINE void add_widened(int64_t *total, __m128i sum, size_t count) {
    int64_t wide[4];
    _mm256_storeu_si256((__m256i *)(void *)wide, _mm256_cvtepi32_epi64(sum));
    for (size_t t = 0; t < 4 && t < count; t++)
        total[t] += wide[t];
}

/* Up to four, or eight, coordinates of one block, two tokens at a time; a lane adds up 128 products of at
 * most 8191 * 2047: no overflow. */
TARGET static ALWAYS_INLINE void accumulate_words(int64_t *total, size_t count, bool eight,
                                                  const uint8_t *column, const int16_t *words, size_t stride,
                                                  const int16_t *weight) {
    enum { LONGEST = 128 };
    for (size_t first = 0; first < CHUNK; first += LONGEST) {
        __m128i sum[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
        for (size_t i = first; i < first + LONGEST; i += 2) {
            int32_t both;
            memcpy(&both, weight + i, sizeof both);
            const __m128i *const at[2] = {(const void *)(words + column[i] * stride),
                                          (const void *)(words + column[i + 1] * stride)};
            const __m128i a = eight ? _mm_loadu_si128(at[0]) : _mm_loadl_epi64(at[0]);
            const __m128i b = eight ? _mm_loadu_si128(at[1]) : _mm_loadl_epi64(at[1]),
                          weights = _mm_set1_epi32(both);
            sum[0] = _mm_add_epi32(sum[0], _mm_madd_epi16(_mm_unpacklo_epi16(a, b), weights));
            if (eight)
                sum[1] = _mm_add_epi32(sum[1], _mm_madd_epi16(_mm_unpackhi_epi16(a, b), weights));
        }
        add_widened(total, sum[0], count);
        if (eight)
            add_widened(total + 4, sum[1], count - 4);
    }
}

/* Eight or four coordinates of a word at a time. */
TARGET static void byte_values(int64_t *total, const uint8_t *from, size_t bytes,
                               const fq_attention_words *words, const int16_t *weight,
                               fq_attention_prefetch next) {
    const size_t k = words->coordinates;
    memset(total, 0, bytes * k * sizeof *total);
    for (size_t p = 0; p < bytes; p++) {
        prefetch(next, p, bytes);
        for (size_t t = 0; t < k; t += 8) {
            int64_t *const to = total + p * k + t;
            const uint8_t *const column = from + p * CHUNK;
            const int16_t *const word = words->by_word + t;
            if (k - t > 4)
                accumulate_words(to, k - t, true, column, word, words->stride, weight);
            else if (words->stride == 4)
                accumulate_words(to, k - t, false, column, word, 4, weight);
            else
                accumulate_words(to, k - t, false, column, word, words->stride, weight);
        }
    }
}

const fq_attention_kernels fq_attention_kernels_avx2 = {
    .kernel = FQ_ATTENTION_AVX2,
    .needs = FQ_CPU_AVX2,
    .columns = columns,
    .nibble_scores = nibble_scores,
    .nibble_values = nibble_values,
    .byte_columns = columns,
    .byte_scores = byte_scores,
    .byte_values = byte_values,
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
