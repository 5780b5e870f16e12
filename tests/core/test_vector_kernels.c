/* Every set of kernels that this processor runs, bit for bit against plain loops written here. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "hadamard.h"
#include "memory.h"
#include "stream.h"
#include "vector_kernels.h"

enum { MARGIN = 3 }; /* floats before and after, which must stay as they are; also odd addresses */

/* Normal numbers, and among them zeros of both signs, subnormals and huge ones. */
static void fill(float *x, size_t n, uint64_t test) {
    static const float odd[] = {0.0F, -0.0F, 1e-41F, -1e-44F, 3e37F, -2e37F, 1e-38F, -1.0F};
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, test);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)fq_stream_normal(&s);
        if (fq_stream_below(&s, 9) == 0)
            x[i] = odd[fq_stream_below(&s, 8)];
    }
}

static float *floats(size_t n) {
    float *x = NULL;
    FQ_CHECK_OK(fq_alloc_zero(&x, n + 2 * MARGIN, sizeof *x));
    if (x)
        memset(x, 0x5a, (n + 2 * MARGIN) * sizeof *x);
    return x;
}

/* Sums of huge numbers may be infinities of both signs, and then NaN, whose sign and payload no standard
 * fixes. */
static bool same(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static bool margins_kept(const float *x, size_t n) {
    static const unsigned char kept[MARGIN * sizeof *x] = {0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
                                                           0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a};
    return memcmp(x, kept, sizeof kept) == 0 && memcmp(x + MARGIN + n, kept, sizeof kept) == 0;
}

static void check_dense(const fq_vector_kernels *kernels, size_t rows, size_t cols, size_t n, uint64_t test) {
    fq_dense matrix;
    float *a = floats(rows * cols), *x = floats(n * cols), *y = floats(n * rows), *z = floats(n * rows);
    if (!FQ_CHECK_OK(fq_dense_init(&matrix, rows, cols)) || !a || !x || !y || !z)
        return;
    fill(a + 1, rows * cols, test);
    fill(x + 1, n * cols, test + 1);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            fq_dense_set(&matrix, i, j, a[1 + i * cols + j]);
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < rows; i++) {
            float sum = 0;
            for (size_t j = 0; j < cols; j++)
                sum = fmaf(a[1 + i * cols + j], x[1 + v * cols + j], sum);
            z[MARGIN + v * rows + i] = sum;
        }
    kernels->dense(&matrix, y + MARGIN, x + 1, n);
    FQ_CHECK(same(y + MARGIN, z + MARGIN, n * rows));
    FQ_CHECK(margins_kept(y, n * rows));
    fq_dense_clear(&matrix);
    fq_free(a);
    fq_free(x);
    fq_free(y);
    fq_free(z);
}

static void matrices_times_vectors(void) {
    static const size_t shapes[][2] = {{1, 1},  {1, 9},  {15, 3},  {16, 16}, {17, 64},  {31, 2},
                                       {33, 7}, {48, 5}, {64, 64}, {80, 33}, {130, 17}, {200, 4}};
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t c = 0; c < sizeof shapes / sizeof shapes[0]; c++)
            for (size_t n = 0; n <= 27; n++)
                check_dense(fq_vector_kernels_at(k), shapes[c][0], shapes[c][1], n, 1000 * c + 10 * n);
}

/* `parts` parts of `part` columns each. */
static void check_parts(const fq_vector_kernels *kernels, size_t rows, size_t part, size_t parts, size_t n,
                        uint64_t test) {
    const size_t cols = part * parts;
    fq_dense matrix;
    float *a = floats(rows * cols), *x = floats(n * cols), *y = floats(n * rows), *z = floats(n * rows),
          scale[32];
    if (!FQ_CHECK_OK(fq_dense_init(&matrix, rows, cols)) || !a || !x || !y || !z || !FQ_CHECK(n <= 32))
        return;
    fill(a + 1, rows * cols, test);
    fill(x + 1, n * cols, test + 1);
    fill(scale, n, test + 2);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            fq_dense_set(&matrix, i, j, a[1 + i * cols + j]);
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < rows; i++) {
            float sum = 0;
            for (size_t p = 0; p < parts; p++) {
                float chain = 0;
                for (size_t j = p * part; j < (p + 1) * part; j++)
                    chain = fmaf(a[1 + i * cols + j], x[1 + v * cols + j], chain);
                sum += chain;
            }
            z[MARGIN + v * rows + i] = fmaf(sum, scale[v], 0);
        }
    kernels->dense_parts(&matrix, y + MARGIN, x + 1, n, part, scale);
    FQ_CHECK(same(y + MARGIN, z + MARGIN, n * rows));
    FQ_CHECK(margins_kept(y, n * rows));
    fq_dense_clear(&matrix);
    fq_free(a);
    fq_free(x);
    fq_free(y);
    fq_free(z);
}

static void matrices_in_parts(void) {
    static const size_t shapes[][3] = {{1, 1, 1},   {7, 4, 2},  {16, 4, 4}, {17, 8, 3},
                                       {64, 4, 16}, {48, 5, 2}, {130, 2, 6}};
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t c = 0; c < sizeof shapes / sizeof shapes[0]; c++)
            for (size_t n = 0; n <= 27; n++)
                check_parts(fq_vector_kernels_at(k), shapes[c][0], shapes[c][1], shapes[c][2], n,
                            2000 * c + 10 * n);
}

static void check_sums(const fq_vector_kernels *kernels, const float *table, size_t count, size_t width,
                       bool beyond) {
    enum {
        VECTORS = 11,
        STRIDE = 48,
        LAST = (VECTORS - 1) * STRIDE + FQ_PANEL,
        AT = FQ_ALIGNMENT / sizeof(float)
    };
    float *y = floats(LAST + AT), *z = floats(LAST + AT), scale[VECTORS];
    uint8_t index[VECTORS * 40];
    if (!y || !z)
        return;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 100 * count + width);
    fill(scale, VECTORS, count);
    for (size_t i = 0; i < sizeof index; i++)
        index[i] = (uint8_t)fq_stream_below(&s, 256);
    for (size_t at = MARGIN; at <= AT; at += AT - MARGIN) { /* an odd address, an aligned one */
        memset(y, 0x5a, (LAST + AT + 2 * MARGIN) * sizeof *y);
        memset(z, 0x5a, (LAST + AT + 2 * MARGIN) * sizeof *z);
        for (size_t v = 0; v < VECTORS; v++)
            for (size_t j = 0; j < width; j++) {
                float sum = 0;
                for (size_t i = 0; i < count; i++)
                    sum += table[(i * 256 + index[v * 40 + i]) * FQ_PANEL + j];
                z[at + v * STRIDE + j] = fmaf(sum, scale[v], 0);
            }
        kernels->sum_rows(y + at, STRIDE, width, index, 40, scale, VECTORS, count, table, beyond);
        kernels->fence();
        FQ_CHECK(same(y, z, LAST + AT + 2 * MARGIN));
    }
    fq_free(y);
    fq_free(z);
}

static void sums_of_table_rows(void) {
    enum { PLACES = 33 };
    float *table = floats(PLACES * 256 * FQ_PANEL);
    if (!table)
        return;
    fill(table + 1, (size_t)PLACES * 256 * FQ_PANEL, 43);
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t count = 1; count <= PLACES; count++)
            for (size_t width = 1; width <= FQ_PANEL; width += 5)
                for (int beyond = 0; beyond < 2; beyond++)
                    check_sums(fq_vector_kernels_at(k), table + 1, count, width, beyond);
    fq_free(table);
}

/* Strides 1, 2, 4, ..., each pair in turn, then the scale: the order that hadamard.h names. */
static void naive_hadamard(float *y, const float *x, size_t p, const float *before, const float *after) {
    for (size_t i = 0; i < p; i++)
        y[i] = before ? x[i] * before[i] + 0.0F : x[i];
    for (size_t stride = 1; stride < p; stride *= 2)
        for (size_t i = 0; i < p; i++)
            if (!(i & stride)) {
                const float low = y[i], high = y[i + stride];
                y[i] = low + high;
                y[i + stride] = low - high;
            }
    for (size_t i = 0; i < p; i++) {
        y[i] *= (float)(1 / sqrt((double)p));
        if (after)
            y[i] = y[i] * after[i] + 0.0F;
    }
}

static void check_hadamard(const fq_vector_kernels *kernels, size_t p, size_t n, uint64_t test) {
    enum { ALIGNED = FQ_ALIGNMENT / sizeof(float) };
    float *x = floats(n * p), *y = floats(n * p + ALIGNED), *z = floats(n * p), *signs = floats(2 * p);
    if (!x || !y || !z || !signs)
        return;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, test + 1);
    for (size_t i = 0; i < 2 * p; i++)
        signs[MARGIN + i] = fq_stream_u32(&s) & 1 ? 1.0F : -1.0F;
    for (int mode = 0; mode < 4; mode++) {
        const float *before = mode & 1 ? signs + MARGIN : NULL, *after = mode & 2 ? signs + MARGIN + p : NULL;
        fill(x + MARGIN, n * p, test + 2 + (uint64_t)mode);
        for (size_t v = 0; v < n; v++)
            naive_hadamard(z + MARGIN + v * p, x + MARGIN + v * p, p, before, after);
        memset(y, 0x5a, (n * p + ALIGNED + MARGIN) * sizeof *y);
        kernels->hadamard(y + MARGIN, x + MARGIN, n, p, before, after);
        FQ_CHECK(same(y + MARGIN, z + MARGIN, n * p));
        FQ_CHECK(margins_kept(y, n * p));
        for (size_t at = MARGIN; !before && at <= ALIGNED; at += ALIGNED - MARGIN) { /* aligned or not */
            float *lost = floats(n * p);
            if (!lost)
                break;
            memcpy(lost + MARGIN, x + MARGIN, n * p * sizeof *x);
            memset(y, 0x5a, (n * p + ALIGNED + MARGIN) * sizeof *y);
            kernels->hadamard_beyond(y + at, lost + MARGIN, n, p, after);
            kernels->fence();
            FQ_CHECK(same(y + at, z + MARGIN, n * p));
            FQ_CHECK(margins_kept(y + at - MARGIN, n * p));
            FQ_CHECK(margins_kept(lost, n * p));
            fq_free(lost);
        }
        kernels->hadamard(x + MARGIN, x + MARGIN, n, p, before, after); /* in place */
        FQ_CHECK(same(x + MARGIN, z + MARGIN, n * p));
        FQ_CHECK(margins_kept(x, n * p));
    }
    fq_free(x);
    fq_free(y);
    fq_free(z);
    fq_free(signs);
}

static void hadamard_transforms(void) {
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t p = 1; p <= 1024; p *= 2)
            for (size_t n = 0; n <= 3; n++)
                check_hadamard(fq_vector_kernels_at(k), p, n, 100000 + 100 * p + 10 * n);
    float x[64], y[64];
    fill(x, 64, 7);
    naive_hadamard(y, x, 64, NULL, NULL);
    fq_hadamard(x, 64);
    FQ_CHECK(same(x, y, 64));
    fill(x, 64, 7);
    fq_hadamard_ref(x, 64);
    FQ_CHECK(same(x, y, 64));
}

static void sums_and_scales_in_double(void) {
    enum { MOST = 200 };
    float *a = floats(MOST), *b = floats(MOST), *y = floats(MOST);
    if (!a || !b || !y)
        return;
    fill(a + 1, MOST, 31);
    fill(b + 1, MOST, 32);
    for (size_t k = 0; fq_vector_kernels_at(k); k++) {
        for (size_t n = 0; n <= MOST; n++) {
            double lane[8] = {0};
            for (size_t i = 0; i < n; i++)
                lane[i % 8] += (double)a[1 + i] * (double)b[1 + i];
            const double expected =
                ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
            const double sum = fq_vector_kernels_at(k)->dot(a + 1, b + 1, n);
            FQ_CHECK(memcmp(&sum, &expected, sizeof sum) == 0);
            const double factor = 1 / (1.0 + (double)n);
            memset(y, 0x5a, (MOST + 2 * MARGIN) * sizeof *y);
            fq_vector_kernels_at(k)->scale(y + MARGIN, a + 1, factor, n);
            bool right = margins_kept(y, n);
            for (size_t i = 0; i < n; i++) {
                const float value = (float)((double)a[1 + i] * factor);
                right = right && memcmp(&value, y + MARGIN + i, sizeof value) == 0;
            }
            FQ_CHECK(right);
        }
    }
    fq_free(a);
    fq_free(b);
    fq_free(y);
}

static void check_expand(const fq_vector_kernels *kernels, size_t width, size_t count, const float *table,
                         uint64_t test) {
    enum { VECTORS = 3, GAP = 5 };
    static const float scale[VECTORS] = {0.7F, -1e-3F, 3e30F};
    uint8_t bytes[VECTORS * (32 + GAP)];
    uint32_t index[32];
    const size_t row = width * count, stride = row + GAP, all = VECTORS * stride;
    float *y = floats(all), *z = floats(all);
    if (!y || !z)
        return;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, test);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)fq_stream_below(&s, 256);
    for (size_t v = 0; v < VECTORS; v++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < width; j++)
                z[MARGIN + v * stride + i * width + j] =
                    table[bytes[v * (count + GAP) + i] * width + j] * scale[v];
    kernels->expand_bytes(y + MARGIN, stride, bytes, count + GAP, scale, VECTORS, count, table, width);
    FQ_CHECK(same(y, z, all + 2 * MARGIN)); /* gaps and margins as they were, in both */
    for (size_t v = 0; v < VECTORS; v++) {
        for (size_t i = 0; i < count; i++)
            index[i] = bytes[v * (count + GAP) + i];
        memset(y, 0x5a, (all + 2 * MARGIN) * sizeof *y);
        kernels->expand(y + MARGIN, index, count, table, width, scale[v]);
        FQ_CHECK(same(y + MARGIN, z + MARGIN + v * stride, row));
        FQ_CHECK(margins_kept(y, row));
    }
    fq_free(y);
    fq_free(z);
}

static void rows_of_tables(void) {
    enum { WIDEST = 40 };
    float *table = floats(256 * WIDEST);
    if (!table)
        return;
    fill(table + 1, 256 * WIDEST, 41);
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t width = 1; width <= WIDEST; width++)
            for (size_t count = 0; count <= 21; count++)
                check_expand(fq_vector_kernels_at(k), width, count, table + 1, 1000 * width + count);
    fq_free(table);
}

/* From and to wherever a vector may start or not. */
static void copies_beyond_the_caches(void) {
    enum { STARTS = 9, LONGEST = 50, ALL = STARTS + LONGEST };
    float *x = floats(ALL), *y = floats(ALL), *z = floats(ALL);
    if (!x || !y || !z)
        return;
    fill(x, ALL, 50);
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (size_t at = 0; at < STARTS; at++)
            for (size_t n = 0; n <= LONGEST; n++) {
                const float *from = x + (3 * at + n) % STARTS;
                memset(y, 0x5a, (ALL + 2 * MARGIN) * sizeof *y);
                memset(z, 0x5a, (ALL + 2 * MARGIN) * sizeof *z);
                memcpy(z + MARGIN + at, from, n * sizeof *z);
                fq_vector_kernels_at(k)->copy_beyond(y + MARGIN + at, from, n);
                fq_vector_kernels_at(k)->fence();
                FQ_CHECK(memcmp(y, z, (ALL + 2 * MARGIN) * sizeof *y) == 0);
            }
    fq_free(x);
    fq_free(y);
    fq_free(z);
}

static void indices_side_by_side(void) {
    for (size_t k = 0; fq_vector_kernels_at(k); k++)
        for (unsigned width = 1; width <= 8; width *= 2)
            for (size_t count = 0; count <= 100; count++) {
                uint32_t index[101];
                uint8_t bytes[104], expected[104];
                fq_stream s;
                fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 1000 * width + count);
                for (size_t i = 0; i < count; i++)
                    index[1 + i] = (uint32_t)fq_stream_below(&s, (uint64_t)1 << width);
                memset(bytes, 0, sizeof bytes);
                memset(expected, 0, sizeof expected);
                const size_t done = fq_vector_kernels_at(k)->pack(bytes + 1, index + 1, count, width);
                for (size_t i = 0; i < done; i++)
                    expected[1 + i * width / 8] |= (uint8_t)(index[1 + i] << i * width % 8);
                FQ_CHECK(done % 16 == 0 && done <= count);
                FQ_CHECK(memcmp(bytes, expected, sizeof bytes) == 0);
            }
}

static void the_best_is_the_last(void) {
    FQ_CHECK(fq_vector_kernels_at(0) == &fq_vector_kernels_portable);
    size_t k = 0;
    while (fq_vector_kernels_at(k + 1))
        k++;
    FQ_CHECK(fq_vector_kernels_best() == fq_vector_kernels_at(k));
    FQ_CHECK(fq_vector_kernels_at(k + 2) == NULL);
#if defined(__x86_64__)
    FQ_CHECK((k > 0) == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
#endif
}

static const fq_test tests[] = {
    {"matrices times vectors", matrices_times_vectors},
    {"matrices in parts", matrices_in_parts},
    {"sums of table rows", sums_of_table_rows},
    {"hadamard transforms", hadamard_transforms},
    {"sums and scales in double", sums_and_scales_in_double},
    {"rows of tables", rows_of_tables},
    {"indices side by side", indices_side_by_side},
    {"copies beyond the caches", copies_beyond_the_caches},
    {"the best is the last", the_best_is_the_last},
    {0},
};
const fq_suite fq_suite_vector_kernels = {"vector_kernels", tests};
