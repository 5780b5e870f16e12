/* Decoding many vectors by tables of bytes rotated back.
 *
 * A group summed by bytes decodes to norm (t_0 + t_1 + ...), t_p the part of Pi^T y that the packed byte at
 * place p stands for: d numbers that p and the byte determine, so each byte's can be made once and added ever
 * after, which is a quarter or an eighth of the arithmetic. The rows are cut in panels of FQ_PANEL
 * coordinates, a line of the cache: a panel's rows of all places, at most 512 KiB, stay in the second-level
 * cache while a batch of vectors goes through it. The tables hold what fq_dense_apply_parts sums, so which
 * way a vector is decoded leaves no trace in its bits.
 */
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "codec_family.h"
#include "memory.h"
#include "rotation_inverse.h"
#include "threads.h"
#include "vector_kernels.h"

enum {
    BATCH = 4096, /* vectors a panel: their bytes stay in the second-level cache beside it */
    PAYS =
        4096, /* vectors from which tables pay: making them costs what 1000 to 2500 save, at any dimension */
    SHARE = 1024 /* and of each thread, which has a panel's rows to fetch from the cache that all share */
};

bool fq_codec_tables_pay(const fq_codec *codec, size_t n) {
    return codec->groups == 1 && !codec->channel_order && codec->group[0].summed_by_bytes && n >= PAYS &&
           n / (size_t)fq_threads_get() >= SHARE;
}

/* table[panel][place][256][FQ_PANEL], the rows of one place; work[256][d]. */
static void make_place(const fq_codec_group *group, float *table, float *work, size_t place) {
    const size_t d = group->dim, places = group->packing.bytes, width = group->table_width;
    const fq_dense *back = fq_rotation_get_transpose(group->rotation);
    const fq_dense columns = {.rows = d,
                              .cols = width,
                              .stride = back->stride,
                              .by_column = back->by_column + place * width * back->stride};
    fq_dense_apply(&columns, work, group->byte_table, 256);
    for (size_t first = 0, panel = 0; first < d; first += FQ_PANEL, panel++) {
        const size_t some = d - first < FQ_PANEL ? d - first : FQ_PANEL;
        float *to = table + (panel * places + place) * 256 * FQ_PANEL;
        for (size_t byte = 0; byte < 256; byte++, to += FQ_PANEL) {
            memcpy(to, work + byte * d + first, some * sizeof *to);
            memset(to + some, 0, (FQ_PANEL - some) * sizeof *to);
        }
    }
}

/* The first vector of bytes that no encoder writes, or SIZE_MAX. */
static size_t decode_some(const fq_codec *codec, const float *table, float *x, const uint8_t *codes,
                          size_t first, size_t n, bool beyond) {
    const fq_codec_group *group = codec->group;
    const size_t d = group->dim, bytes = codec->cost.code_bytes, places = group->packing.bytes;
    float norms[BATCH], none;
    for (size_t i = 0; i < n; i++)
        if (!fq_codec_read_norms(group, codes + i * bytes, &norms[i], &none))
            return first + i;
    for (size_t at = 0; at < d; at += FQ_PANEL, table += places * 256 * FQ_PANEL)
        fq_vector_kernels_best()->sum_rows(x + at, d, d - at < FQ_PANEL ? d - at : FQ_PANEL,
                                           codes + group->index_offset, bytes, norms, n, places, table,
                                           beyond);
    return SIZE_MAX;
}

fq_status fq_codec_decode_by_tables(const fq_codec *codec, float *x, const uint8_t *codes, size_t n,
                                    bool beyond, bool *done) {
    const fq_codec_group *group = codec->group;
    const size_t d = group->dim, places = group->packing.bytes;
    const size_t rows = (d + FQ_PANEL - 1) / FQ_PANEL * places * 256;
    const size_t threads = (size_t)fq_threads_get(), share = (n - 1) / threads + 1;
    const size_t most = share < BATCH ? share : BATCH, batches = (n - 1) / most + 1;
    size_t corrupt = SIZE_MAX;
    float *table = NULL, *work = NULL;
    *done = fq_alloc(&table, rows * FQ_PANEL, sizeof *table) == FQ_OK &&
            fq_alloc(&work, threads * 256 * d, sizeof *work) == FQ_OK;
#pragma omp parallel num_threads((int)threads) if (threads > 1 && *done) reduction(min : corrupt)
    if (*done) {
        size_t thread = 0;
#ifdef _OPENMP
        thread = (size_t)omp_get_thread_num();
#endif
#pragma omp for schedule(static)
        for (size_t place = 0; place < places; place++)
            make_place(group, table, work + thread * 256 * d, place);
#pragma omp for schedule(static)
        for (size_t batch = 0; batch < batches; batch++) {
            const size_t first = batch * most, count = n - first < most ? n - first : most;
            const size_t bad = decode_some(codec, table, x + first * d,
                                           codes + first * codec->cost.code_bytes, first, count, beyond);
            corrupt = bad < corrupt ? bad : corrupt;
        }
        if (beyond)
            fq_vector_kernels_best()->fence();
    }
    fq_free(work);
    fq_free(table);
    return corrupt == SIZE_MAX ? FQ_OK : fq_codec_fail_corrupt(corrupt);
}
