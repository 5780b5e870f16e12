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

#include "codec_family.h"
#include "memory.h"
#include "parallel.h"
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

/* Making the table and decoding by it, place by place and batch by batch. */
typedef struct table_job {
    const fq_codec *codec;
    float *table, *work; /* work: [workers][256][d] */
    float *x;
    const uint8_t *codes;
    size_t n, most, batches, workers;
    bool beyond;
    size_t *corrupt; /* [workers], the first vector that no encoder writes, or SIZE_MAX */
} table_job;

static void make_places(void *context, size_t worker) {
    const table_job *j = context;
    const fq_codec_group *group = j->codec->group;
    const fq_slice slice = fq_slice_of(group->packing.bytes, j->workers, worker);
    for (size_t place = slice.first; place < slice.end; place++)
        make_place(group, j->table, j->work + worker * 256 * group->dim, place);
}

static void decode_batches(void *context, size_t worker) {
    const table_job *j = context;
    const size_t d = j->codec->group->dim;
    const fq_slice slice = fq_slice_of(j->batches, j->workers, worker);
    j->corrupt[worker] = SIZE_MAX;
    for (size_t batch = slice.first; batch < slice.end && j->corrupt[worker] == SIZE_MAX; batch++) {
        const size_t first = batch * j->most, count = j->n - first < j->most ? j->n - first : j->most;
        j->corrupt[worker] =
            decode_some(j->codec, j->table, j->x + first * d, j->codes + first * j->codec->cost.code_bytes,
                        first, count, j->beyond);
    }
    if (j->beyond)
        fq_vector_kernels_best()->fence();
}

fq_status fq_codec_decode_by_tables(const fq_codec *codec, float *x, const uint8_t *codes, size_t n,
                                    bool beyond, bool *done) {
    const fq_codec_group *group = codec->group;
    const size_t d = group->dim, places = group->packing.bytes;
    const size_t rows = (d + FQ_PANEL - 1) / FQ_PANEL * places * 256;
    const size_t threads = (size_t)fq_threads_get(), share = (n - 1) / threads + 1;
    const size_t most = share < BATCH ? share : BATCH, batches = (n - 1) / most + 1;
    table_job job = {.codec = codec,
                     .x = x,
                     .codes = codes,
                     .n = n,
                     .most = most,
                     .batches = batches,
                     .workers = threads,
                     .beyond = beyond};
    size_t corrupt = SIZE_MAX;
    *done = fq_alloc(&job.table, rows * FQ_PANEL, sizeof *job.table) == FQ_OK &&
            fq_alloc(&job.work, threads * 256 * d, sizeof *job.work) == FQ_OK &&
            fq_alloc(&job.corrupt, threads, sizeof *job.corrupt) == FQ_OK;
    if (*done) {
        fq_parallel(threads, make_places, &job);
        fq_parallel(threads, decode_batches, &job);
    }
    for (size_t t = 0; *done && t < threads && corrupt == SIZE_MAX; t++)
        corrupt = job.corrupt[t];
    fq_free(job.corrupt);
    fq_free(job.work);
    fq_free(job.table);
    return corrupt == SIZE_MAX ? FQ_OK : fq_codec_fail_corrupt(corrupt);
}
