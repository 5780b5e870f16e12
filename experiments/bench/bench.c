/* The table of benchmarks. */
#include "bench.h"

#define FQ_BENCH(name) extern const fq_bench fq_bench_##name;
#include "bench/benches.def"
#undef FQ_BENCH

static const fq_bench *const benches[] = {
#define FQ_BENCH(name) &fq_bench_##name,
#include "bench/benches.def"
#undef FQ_BENCH
};

size_t fq_bench_count(void) {
    return sizeof benches / sizeof benches[0];
}

const fq_bench *fq_bench_get(size_t i) {
    return benches[i];
}
