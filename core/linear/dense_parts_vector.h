/* fq_dense_apply_parts and the sums of table rows that equal it, over vectors of rows: the one source of
 * every instruction set's kernels.
 *
 * The including file defines what dense_vector.h names, v_add, v_stream (v_store past the caches where the
 * processor can, at an address that is a multiple of a vector's size), and PARTS_VECTORS, the vectors of a
 * full tile. A tile of dense_parts keeps a part's chains in registers; the sums of parts wait, in registers
 * too where there are enough, until a part is done.
 */
#include <string.h>

#include "dense.h"

enum { LINE_VECTORS = FQ_PANEL / VECTOR_LANES, AHEAD = 8 };

/* y[v][0..width) for FQ_PANEL rows of a, of which width are there, and `vectors` of x. */
TARGET static ALWAYS_INLINE void parts_tile(float *y, size_t y_stride, size_t width, const float *a,
                                            size_t stride, const float *x, size_t cols, size_t vectors,
                                            size_t part, const float *scale) {
    VECTOR sum[PARTS_VECTORS * LINE_VECTORS], chain[PARTS_VECTORS * LINE_VECTORS];
    for (size_t i = 0; i < vectors * LINE_VECTORS; i++)
        sum[i] = v_set(0.0F); /* a zero's sign, all that this may change, is lost at the end */
    for (size_t first = 0; first < cols; first += part) {
        for (size_t i = 0; i < vectors * LINE_VECTORS; i++)
            chain[i] = v_set(0.0F);
        for (size_t j = first; j < first + part; j++, a += stride) {
            VECTOR column[LINE_VECTORS];
            for (size_t r = 0; r < LINE_VECTORS; r++)
                column[r] = v_load(a + r * VECTOR_LANES);
            for (size_t v = 0; v < vectors; v++) {
                const VECTOR value = v_broadcast(x + v * cols + j);
                for (size_t r = 0; r < LINE_VECTORS; r++)
                    chain[v * LINE_VECTORS + r] =
                        v_multiply_add(column[r], value, chain[v * LINE_VECTORS + r]);
            }
        }
        for (size_t i = 0; i < vectors * LINE_VECTORS; i++)
            sum[i] = v_add(sum[i], chain[i]);
    }
    for (size_t v = 0; v < vectors; v++) {
        float line[FQ_PANEL], *const to = width == FQ_PANEL ? y + v * y_stride : line;
        for (size_t r = 0; r < LINE_VECTORS; r++)
            v_store(to + r * VECTOR_LANES,
                    v_multiply_add(sum[v * LINE_VECTORS + r], v_broadcast(scale + v), v_set(0.0F)));
        if (to == line)
            memcpy(y + v * y_stride, line, width * sizeof *y);
    }
}

TARGET static ALWAYS_INLINE void parts_rows(const fq_dense *m, float *y, const float *x, size_t vectors,
                                            size_t part, const float *scale) {
    for (size_t i = 0; i < m->rows; i += FQ_PANEL) {
        const size_t left = m->rows - i;
        parts_tile(y + i, m->rows, left < FQ_PANEL ? left : FQ_PANEL, m->by_column + i, m->stride, x, m->cols,
                   vectors, part, scale);
    }
}

TARGET static ALWAYS_INLINE void parts_all(const fq_dense *m, float *y, const float *x, size_t n, size_t part,
                                           const float *scale) {
    size_t v = 0;
    for (; v + PARTS_VECTORS <= n; v += PARTS_VECTORS)
        parts_rows(m, y + v * m->rows, x + v * m->cols, PARTS_VECTORS, part, scale + v);
    for (; v < n; v++)
        parts_rows(m, y + v * m->rows, x + v * m->cols, 1, part, scale + v);
}

TARGET static void dense_parts(const fq_dense *m, float *y, const float *x, size_t n, size_t part,
                               const float *scale) {
    if (part == 4) /* the length of most chains: no loop */
        parts_all(m, y, x, n, 4, scale);
    else
        parts_all(m, y, x, n, part, scale);
}

/* Adds rows first..first+count of the tables. */
TARGET static ALWAYS_INLINE void add_rows(VECTOR *sum, const uint8_t *index, size_t first, size_t count,
                                          const float *table) {
    for (size_t i = first; i < first + count; i++) {
        const float *row = table + (i * 256 + index[i]) * FQ_PANEL;
        for (size_t r = 0; r < LINE_VECTORS; r++)
            sum[r] = v_add(sum[r], v_load(row + r * VECTOR_LANES));
    }
}

/* For each vector the sum of the table's rows that its bytes name, times its scale. */
TARGET static ALWAYS_INLINE void sum_rows_into(float *y, size_t y_stride, size_t width, const uint8_t *index,
                                               size_t index_stride, const float *scale, size_t n,
                                               size_t count, const float *table, bool stream) {
    for (size_t v = 0; v < n; v++, y += y_stride, index += index_stride) {
        VECTOR sum[LINE_VECTORS];
        float line[FQ_PANEL];
        if (!stream && v + AHEAD < n)
            __builtin_prefetch(y + AHEAD * y_stride,
                               1); /* a line of each row: no pattern that processors follow */
        for (size_t r = 0; r < LINE_VECTORS; r++)
            sum[r] = v_load(table + index[0] * (size_t)FQ_PANEL + r * VECTOR_LANES);
        size_t i = 1;
        if (count >= 8) { /* eights, the first of which is begun */
            add_rows(sum, index, 1, 7, table);
            for (i = 8; i + 8 <= count; i += 8)
                add_rows(sum, index, i, 8, table);
        }
        for (; i < count; i++)
            add_rows(sum, index, i, 1, table);
        for (size_t r = 0; r < LINE_VECTORS; r++) {
            const VECTOR value = v_multiply_add(sum[r], v_broadcast(scale + v), v_set(0.0F));
            if (stream)
                v_stream(y + r * VECTOR_LANES, value);
            else
                v_store((width == FQ_PANEL ? y : line) + r * VECTOR_LANES, value);
        }
        if (width < FQ_PANEL)
            memcpy(y, line, width * sizeof *y);
    }
}

TARGET static void sum_rows(float *y, size_t y_stride, size_t width, const uint8_t *index,
                            size_t index_stride, const float *scale, size_t n, size_t count,
                            const float *table, bool beyond) {
    const bool lines = width == FQ_PANEL && (uintptr_t)y % FQ_ALIGNMENT == 0 && y_stride % FQ_PANEL == 0;
    if (beyond && lines)
        sum_rows_into(y, y_stride, FQ_PANEL, index, index_stride, scale, n, count, table, true);
    else if (width == FQ_PANEL)
        sum_rows_into(y, y_stride, FQ_PANEL, index, index_stride, scale, n, count, table, false);
    else
        sum_rows_into(y, y_stride, width, index, index_stride, scale, n, count, table, false);
}
