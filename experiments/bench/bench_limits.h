/* What the processor and its memory can do at most, as pieces of work that can be timed. */
#ifndef FQ_BENCH_LIMITS_H
#define FQ_BENCH_LIMITS_H

#include "bench.h"

/* Multiply-adds on independent chains in registers, in the widest vectors the processor has. */
typedef struct fq_limit_peak {
    const char *name; /* "avx512", "avx2", "portable" */
    double flops;     /* of a run, two a multiply-add */
    float last[512];  /* chains' ends, written by run; all the same number */
} fq_limit_peak;
void fq_limit_peak_init(fq_limit_peak *peak);
fq_status fq_limit_peak_run(void *peak);
bool fq_limit_peak_check(void *peak, char why[FQ_BENCH_WHY_MAX]);

/* Products of unsigned and signed bytes summed in pairs, or with VNNI in fours, as core/search_pruned.h
 * bounds scores; false where the processor has no such instruction. */
typedef struct fq_limit_bytes {
    const char *name;
    int left, right; /* what is multiplied */
    int summed;      /* products that one lane sums: 2, in sixteen bits, or 4, in 32 */
    double flops;    /* of a run, two a product */
    union {
        int16_t of_16[256];
        int32_t of_32[256];
    } last; /* sums, written by run */
} fq_limit_bytes;
bool fq_limit_bytes_init(fq_limit_bytes *bytes);
fq_status fq_limit_bytes_run(void *bytes);
bool fq_limit_bytes_check(void *bytes, char why[FQ_BENCH_WHY_MAX]);

/* Reading an array once, and copying it once with memcpy; bytes is the length of the array. */
typedef struct fq_limit_memory {
    size_t bytes;
    uint64_t *from, *to; /* to is NULL for reading alone */
    uint64_t sum;        /* written by read */
    bool wide;           /* AVX2 loads */
} fq_limit_memory;
FQ_MUST_CHECK fq_status fq_limit_memory_init(fq_limit_memory *memory, size_t bytes, bool copy);
void fq_limit_memory_clear(fq_limit_memory *memory); /* accepts zeros */
fq_status fq_limit_read_run(void *memory);
bool fq_limit_read_check(void *memory, char why[FQ_BENCH_WHY_MAX]);
fq_status fq_limit_copy_run(void *memory);
bool fq_limit_copy_check(void *memory, char why[FQ_BENCH_WHY_MAX]);

/* An array's length beyond every cache: four times the largest, 64 MiB to 512 MiB. */
size_t fq_limit_beyond_caches(void);

/* FQ_LIMIT_CYCLES dependent additions, one a cycle; false where that is not known of the processor. */
enum { FQ_LIMIT_CYCLES = 1 << 20 };
bool fq_limit_clock_known(void);
fq_status fq_limit_clock_run(void *result /* uint64_t */);

#endif
